"""How large the reports get and how quickly they answer, in headless Chromium and beside a bare XlsxWriter.

    python bench/report.py                    100,000 made-up findings, then the sandbox's medium account
    python bench/report.py 100000 million     so many made up; then an account with about a million of them
    python bench/report.py medium.pickle      a real comparison: a pickled (Diff, Snapshot)

The page: its size, first paint, a keystroke until the answer is painted, the nodes in the table, and while
scrolling the longest frame and how many took over 50 ms. The workbook: CPU time beside a loop that writes the
same cells with XlsxWriter in its constant-memory mode and does nothing else, in turn and the best of each.
Memory: the peak of a process that makes the comparison and writes the workbook, or all three reports. What a
page cannot hold must say so there and stand in a CSV file beside it; then the page and that file are all that
is measured.
Leaves with 1 when a promise is not kept. PERMMIGRATE_PAGE=only leaves workbook and memory out.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import date
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from unittest import mock

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

sys.path.insert(0, str(Path(__file__).parent.parent / "tests" / "report"))
import report_builders as builders

from diff import take
from permmigrate.diff import Diff
from permmigrate.diff.compare import compare
from permmigrate.mapping import tables
from permmigrate.report import beside, data, html, workbook
from permmigrate.report.value import DiffView
from permmigrate.report.view import diff_view
from permmigrate.resources import mappings_dir, templates_dir
from permmigrate.sandbox import accounts
from permmigrate.sandbox.accounts import Size
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.file import load

USERS, ROUNDS = 2_000, 2
ACCOUNTS = ("small", "medium", "million", "large")
MILLION = Size(6_000, 300, (33_000, 12_000, 9_000, 4_200, 1_800), 400_000, 100)
TODAY = date(2026, 11, 22)
PAGE_ONLY = os.environ.get("PERMMIGRATE_PAGE") == "only"
SLOW_FRAME = 50
TERMS = ("a", "au", "aur", "aurora", "delete", "lindqvist 2024", "zzz")
PROMISES = {
    "first paint ms": 1000,
    "keystroke ms": 100,
    "frames over 50 ms": 6,
    "nodes": 2000,
    "ratio": 1.3,
    "peak MB, workbook": 300,
}
"""Of 100,000 findings; frames are of 120."""
Cells = dict[str, dict[int, list[tuple[int, str | float]]]]

ANSWERS = """async (terms) => {
  const search = document.querySelector('[data-table=expansions] input');
  const times = [];
  const nodes = [];
  for (const term of terms) {
    const start = performance.now();
    search.value = term;
    search.dispatchEvent(new Event('input', { bubbles: true }));
    await new Promise((done) => requestAnimationFrame(() => {
      const after = new MessageChannel();
      after.port1.onmessage = done;
      after.port2.postMessage(0);
    }));
    times.push(performance.now() - start);
    nodes.push(document.querySelectorAll('[data-table=expansions] .grid *').length);
  }
  search.value = '';
  search.dispatchEvent(new Event('input', { bubbles: true }));
  return [times, Math.max(...nodes)];
}"""
FRAMES = """async () => {
  const scroller = document.querySelector('[data-table=expansions] .scroller');
  const gaps = [];
  let last = performance.now();
  for (let step = 0; step < 120; step += 1) {
    scroller.scrollTop += 300;
    await new Promise((done) => requestAnimationFrame(done));
    gaps.push(performance.now() - last);
    last = performance.now();
  }
  return gaps.sort((a, b) => a - b);
}"""


def compared(what: str) -> tuple[Diff, Snapshot]:
    """The comparison to report on: so many made-up findings, an account of the sandbox, or a pickle."""
    if what.isdigit():
        return builders.diff(int(what), USERS), builders.snapshot(USERS)
    if what in ACCOUNTS:
        accounts.SIZES["million"] = MILLION
        with tempfile.TemporaryDirectory() as folder:
            taking = get_context("fork").Process(target=take, args=(what, Path(folder) / "account.snapshot"))
            taking.start()  # the sandbox's own memory is not the comparison's
            taking.join()
            snapshot = load(Path(folder) / "account.snapshot")
        return compare(snapshot, tables.load(mappings_dir()), today=TODAY, tool_version="0"), snapshot
    found: tuple[Diff, Snapshot] = pickle.loads(Path(what).read_bytes())
    return found


def in_browser(page_at: Path) -> dict[str, float]:
    """Open a page and use it."""
    from playwright.sync_api import sync_playwright  # its memory is not the reports'

    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(page_at.as_uri())
        page.wait_for_function("performance.getEntriesByName('first-contentful-paint').length")
        paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
        started = time.perf_counter()
        page.locator("[data-table=expansions]").scroll_into_view_if_needed()
        page.locator("[data-table=expansions] .rows .row").first.wait_for()
        opened = 1000 * (time.perf_counter() - started)
        page.wait_for_timeout(1000)
        page.evaluate(ANSWERS, ["x"])
        times, nodes = page.evaluate(ANSWERS, list(TERMS))
        answers = sorted(times)
        cut = page.locator(".cut").count()
        gaps = page.evaluate(FRAMES)
        browser.close()
    return {
        "first paint ms": paint,
        "table opened ms": opened,
        "keystroke ms": answers[-1],
        "median keystroke ms": answers[len(answers) // 2],
        "median frame ms": gaps[len(gaps) // 2],
        "longest frame ms": gaps[-1],
        "frames over 50 ms": sum(gap > SLOW_FRAME for gap in gaps),
        "nodes": nodes,
        "tables cut": cut,
    }


@contextlib.contextmanager
def recorded(cells: Cells) -> Iterator[None]:
    """Keep every text and number that a workbook is given."""
    string, number = Worksheet.write_string, Worksheet.write_number

    def keep(write: Any) -> Any:
        def kept(sheet: Worksheet, row: int, at: int, value: Any, *style: Any) -> Any:
            cells.setdefault(sheet.name, {}).setdefault(row, []).append((at, value))
            return write(sheet, row, at, value, *style)

        return kept

    with mock.patch.multiple(Worksheet, write_string=keep(string), write_number=keep(number)):
        yield


def bare(cells: Cells, path: Path) -> None:
    """The same cells and nothing else."""
    book = Workbook(str(path), {"constant_memory": True})
    style = book.add_format({"num_format": "@"})
    for rows in cells.values():
        sheet = book.add_worksheet()
        for row, found in rows.items():
            for at, value in found:
                if isinstance(value, str):
                    sheet.write_string(row, at, value, style)
                else:
                    sheet.write_number(row, at, value, style)
    book.close()


def spent(work: Any, *given: Any) -> float:
    """CPU seconds."""
    started = time.process_time()
    work(*given)
    return time.process_time() - started


def peak(what: str, *formats: str) -> float:
    """MB that a process of its own needs at most for the comparison and these reports."""
    command = [sys.executable, __file__, "--write", what, *formats]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def write(what: str, formats: Sequence[str]) -> None:
    """What the process of `peak` does."""
    view = diff_view(*compared(what))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        if "html" in formats:
            (out / "diff.html").write_text(html.render(view, templates_dir()), encoding="utf-8")
        if "xlsx" in formats:
            workbook.write(view, out / "diff.xlsx")
        if "json" in formats:
            data.write(data.diff_document(view), out / "diff.json")
        beside.write(view, out, formats)
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def measure(what: str) -> Iterator[tuple[str, float]]:
    """All figures of one comparison, each when it is known."""
    started = time.process_time()
    diff, snapshot = compared(what)
    yield "findings", len(diff.findings)
    yield "compared s", time.process_time() - started
    started = time.process_time()
    view = diff_view(diff, snapshot)
    yield "view made s", time.process_time() - started
    cut = any(len(view.table(key)) > beside.HOLDS["html"] for key in ("expansions", "reductions"))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        page = out / "diff.html"
        yield (
            "page made s",
            spent(lambda: page.write_text(html.render(view, templates_dir()), encoding="utf-8")),
        )
        yield "page MB", page.stat().st_size / 1e6
        yield from in_browser(page).items()
        for path in beside.write(view, out, ("html",)):
            yield f"{path.name} MB", path.stat().st_size / 1e6
        if not cut and not PAGE_ONLY:
            yield from against_bare(view, out)
    if cut or PAGE_ONLY:
        yield "so far MB of memory", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    else:
        yield "peak MB, workbook", peak(what, "xlsx")
        yield "peak MB, all three", peak(what, "html", "xlsx", "json")


def against_bare(view: DiffView, out: Path) -> Iterator[tuple[str, float]]:
    """The workbook, and a loop that writes the same cells."""
    cells: Cells = {}
    with recorded(cells):
        workbook.write(view, out / "diff.xlsx")
    yield "cells", sum(len(row) for rows in cells.values() for row in rows.values())
    ours = min(spent(workbook.write, view, out / "diff.xlsx") for _ in range(ROUNDS))
    theirs = min(spent(bare, cells, out / "bare.xlsx") for _ in range(ROUNDS))
    yield from (("workbook s", ours), ("bare loop s", theirs), ("ratio", ours / theirs))


def kept(name: str, value: float, figures: dict[str, float]) -> str:
    """What is promised of a figure, and whether it holds."""
    if name == "page MB":
        many = figures["findings"] > 110_000
        promise, holds = (10.0, value < 10) if many else (3.0, value < 3)
    elif name in PROMISES and figures["findings"] <= 110_000:
        promise, holds = PROMISES[name], value <= PROMISES[name]
    else:
        return ""
    return f"   (promised: {promise:,})" + ("" if holds else "  BROKEN")


def main(given: list[str]) -> int:
    """Print the figures; 1 when a promise is broken."""
    if given[:1] == ["--write"]:
        write(given[1], given[2:])
        return 0
    broken = False
    for what in given or ["100000", "medium"]:
        print(f"{int(what):,} made-up findings" if what.isdigit() else what, flush=True)
        figures: dict[str, float] = {}
        for name, value in measure(what):
            figures[name] = value
            said = kept(name, value, figures)
            broken |= said.endswith("BROKEN")
            print(f"  {name:<22} {value:>12,.2f}{said}", flush=True)
        if figures.get("tables cut") != sum(name.endswith(".csv MB") for name in figures):
            print("  what the page leaves out is not beside it  BROKEN")
            broken = True
    return int(broken)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
