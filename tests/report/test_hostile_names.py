"""Whatever things are called: no script runs, no formula is live, no layout breaks, no file needs repair."""

from __future__ import annotations

import csv
import itertools
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import hostile_account
import pytest
import reading
import strict_workbook
from openpyxl.utils.escape import unescape

from permmigrate.plan import checklist
from permmigrate.report import beside, data, html, junit, markdown, sarif, signoff_sheet, workbook
from permmigrate.report.notices import Letters, notices
from permmigrate.report.sheets import one_line
from permmigrate.report.signoff_reading import as_read
from permmigrate.report.signoff_reading import read as read_paper
from permmigrate.report.text import visible
from permmigrate.resources import templates_dir
from permmigrate.signoff import Decided, Decision, comparison
from permmigrate.signoff.merge import merge

LIVE = re.compile(r"\s*[=+\-@＝＋－＠]")
"""How a cell begins that some spreadsheet takes for a formula, whatever space is before it."""
LOUD = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]")
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "diff.xlsx"
    workbook.write(hostile_account.view(), path)
    return path


@pytest.fixture(scope="module")
def page_text() -> str:
    return html.render(hostile_account.view(), templates_dir())


@pytest.fixture(scope="module")
def document_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "diff.json"
    data.write(data.diff_document(hostile_account.view()), path)
    return path


def test_the_workbook_holds_text_and_numbers_and_needs_no_repair(book: Path) -> None:
    """Every name is there as it was, its control characters as pictures; what is too long says so."""
    assert [] == strict_workbook.problems(book)
    assert {"s", "n"} == reading.cell_types(book)
    head, *rows = reading.sheets(book)["Principals"]
    at = head.index("Principal")
    shown = {plain(row[at]) for row in rows}
    assert {plain(one_line(name)) for name in hostile_account.names()} <= shown


def plain(value: object) -> str:
    """What a program shows of a cell, whatever escapes it was saved with."""
    return unescape(str("" if value is None else value).replace("x005F_", ""))


def test_no_cell_of_a_csv_is_live(tmp_path: Path) -> None:
    """Neither in the files beside the reports nor in the list of what is to be done by hand."""
    paths = beside.write(hostile_account.view(), tmp_path, ("xlsx",), most=1)
    (tmp_path / "checklist.csv").write_text(
        checklist.sheet(hostile_account.plan(), everything=True), encoding="utf-8", errors="replace"
    )
    cells = [cell for path in (*paths, tmp_path / "checklist.csv") for cell in cells_of(path.read_bytes())]
    assert any("HYPERLINK" in cell for cell in cells)
    assert [] == [cell for cell in cells if LIVE.match(cell)]


def cells_of(content: bytes) -> Iterator[str]:
    text = content.decode("utf-8-sig", "replace")
    for row in csv.reader(text.splitlines(keepends=True), strict=True):
        yield from row


def test_what_machines_read_is_well_formed() -> None:
    """SARIF is JSON in ASCII, JUnit is XML, and in neither does anything loud stand."""
    made = sarif.dump(sarif.sarif_document(hostile_account.view()))
    assert made.isascii()
    messages = [result["message"]["text"] for result in json.loads(made)["runs"][0]["results"]]
    tree = ElementTree.fromstring(junit.junit(hostile_account.view()))
    texts = [*messages, *tree.itertext(), *(value for each in tree.iter() for value in each.attrib.values())]
    assert [] == [text for text in texts if LOUD.search(text)]


def test_markdown_has_no_markup_of_a_name() -> None:
    """Neither element, link, mention nor a row with another number of cells."""
    text = markdown.markdown(hostile_account.view())
    assert len(text) < markdown.MOST_CHARACTERS
    assert not LOUD.search(text)
    plain = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", re.sub(r"\\[\\`|*_\[\]#~$]", "", text))
    assert not re.search(r"<\w|\]\(|@\w|://|www\.", plain)
    tables = [re.findall(r"(?<!\\)\|", line) for line in text.splitlines() if line.startswith("| ")]
    assert {5, 6, 7, 8} >= {len(bars) for bars in tables}


HEAD = {"html", "head", "meta", "title", "style", "body"}
OURS = HEAD | {"main", "h1", "h2", "h3", "p", "bdi", "section", "ul", "li", "footer"}
"""The elements of a notice."""


class Elements(HTMLParser):
    """The elements of a page and what they carry."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_notices_and_sign_off_sheets_hold_names_as_names(
    document_file: Path, book: Path, tmp_path: Path
) -> None:
    """A notice has only our elements; the sheets come back as they went out."""
    letters = Letters(templates_dir(), "=1+1 <b>")
    for notice in notices(comparison.document_of(document_file), ("user", "group", "API key", "account key")):
        elements = Elements(letters.page(notice))
        assert elements.found <= OURS
        assert elements.attributes <= {"lang", "charset", "http-equiv", "content", "name", "class"}
        assert not LOUD.search(letters.text(notice))
    asked = comparison.read(document_file)
    signoff_sheet.write(tmp_path / "all.xlsx", asked, asked.clauses, {}, hostile_account.PAYLOADS[0])
    assert [] == strict_workbook.problems(tmp_path / "all.xlsx")
    assert {"s", "n"} == reading.cell_types(tmp_path / "all.xlsx")
    for path in (tmp_path / "all.xlsx", book):
        assert len(asked.clauses) == len(merge(asked, [read_paper(path)], as_read).decided)


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_runs_nothing_and_keeps_its_width(open_page: Open, page_text: str, width: int) -> None:
    """Every table is scrolled through and a row of each is opened; `open_page` fails on any complaint."""
    page = open_page(page_text, viewport={"width": width, "height": 900})
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.message), dialog.dismiss()))
    title, scripts = page.title(), page.locator("script").count()
    wide, foreign = page.evaluate(WALK)
    assert [] == wide
    assert [] == foreign
    assert [] == asked
    assert (title, scripts) == (page.title(), page.locator("script").count())


WALK = """async () => {
  const wide = [], foreign = new Set();
  const look = (where) => {
    const all = document.documentElement;
    if (all.scrollWidth > innerWidth) wide.push(`${where}: ${all.scrollWidth}`);
    for (const each of document.querySelectorAll('main *, dialog *')) {
      const names = each.getAttributeNames();
      if (/^(img|script|iframe|object|embed|video|audio|link|base|form)$/i.test(each.tagName)) {
        if (!(each.tagName === 'SCRIPT' && each.type === 'application/json')) foreign.add(each.outerHTML);
      }
      if (names.some((name) => /^on|^srcdoc$/.test(name))) foreign.add(each.outerHTML);
      const link = each.getAttribute('href') ?? '';
      if (/^\\s*(javascript|data|https?):/i.test(link)) foreign.add(each.outerHTML);
    }
  };
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
  for (const table of document.querySelectorAll('[data-table]')) {
    table.scrollIntoView();
    for (let tries = 0; tries < 50 && !table.querySelector('.rows .row'); tries += 1) await frame();
    const scroller = table.querySelector('.scroller');
    for (let top = 0; scroller && top < scroller.scrollHeight; top += scroller.clientHeight * 8) {
      scroller.scrollTop = top;
      await frame();
    }
    table.querySelector('.rows .row')?.click();
    await frame();
    look(table.dataset.table);
    document.querySelector('dialog[open]')?.close();
  }
  return [wide, [...foreign]];
}"""


@pytest.mark.browser
def test_no_export_of_the_page_is_live(open_page: Open, page_text: str) -> None:
    """The button of each table gives all its rows, and no cell that a spreadsheet computes."""
    page = open_page(page_text)
    tables = {table.key: table for table in hostile_account.view().tables}
    names: set[str] = set()
    for each in page.locator("[data-table]").all():
        key = each.get_attribute("data-table")
        each.scroll_into_view_if_needed()
        button = each.locator("button", has_text="Export")
        button.wait_for()
        with page.expect_download() as download:
            button.click()
        head, *rows = csv.reader(
            download.value.path().read_bytes().decode("utf-8-sig").splitlines(keepends=True), strict=True
        )
        assert len(tables[key]) == len(rows), key
        assert [] == [cell for row in rows for cell in row if LIVE.match(cell)], key
        if key == "principals":
            names = {row[head.index("Principal")] for row in rows}
    assert {visible(name) for name in hostile_account.names()} <= names | {name[1:] for name in names}


@pytest.mark.browser
def test_a_notice_keeps_its_width(open_page: Open, document_file: Path) -> None:
    """A name of 40,000 letters does not widen a page that is read on a phone."""
    letters = Letters(templates_dir(), "")
    longest = max(
        notices(comparison.document_of(document_file), ("user",)), key=lambda notice: len(notice.name)
    )
    page = open_page(letters.page(longest), viewport={"width": 390, "height": 844})
    assert 390 == page.evaluate("document.documentElement.scrollWidth")


OFFICE = shutil.which("soffice")
SAFE = 10_000
"""Characters of a line from which on LibreOffice does not break it by itself."""


@pytest.mark.filterwarnings("ignore:.* extension is not supported:UserWarning")  # LibreOffice adds its own
@pytest.mark.skipif(OFFICE is None, reason="there is no LibreOffice (`soffice`) on this machine")
def test_libreoffice_opens_and_saves_the_workbooks(book: Path, document_file: Path, tmp_path: Path) -> None:
    """The same sheets with the same texts and numbers and no formula; and a saved sign-off is read back."""
    asked = comparison.read(document_file)
    sheet = tmp_path / "all.xlsx"
    signoff_sheet.write(sheet, asked, asked.clauses, decided_by_turns(asked), "=1+1")
    saved = tmp_path / "saved"
    profile = f"-env:UserInstallation={(tmp_path / 'profile').as_uri()}"
    command = [str(OFFICE), profile, "--headless", "--convert-to", "xlsx", "--outdir", str(saved)]
    subprocess.run([*command, str(book), str(sheet)], check=True, capture_output=True, timeout=120)

    given, theirs = reading.opened(book), reading.opened(saved / book.name)
    assert given.sheetnames == theirs.sheetnames
    assert {"s", "n"} == reading.cell_types(saved / book.name)
    for each in given:
        for row in each.iter_rows():
            for cell in row:
                other = theirs[each.title][cell.coordinate].value
                assert plain(cell.value)[:SAFE] == plain(other)[:SAFE], cell.coordinate

    told = merge(asked, [read_paper(saved / sheet.name)], as_read)
    expected = {
        (each.cluster, each.decision, each.owner, as_read(each.comment).strip())
        for each in decided_by_turns(asked).values()
    }
    assert expected == {(each.cluster, each.decision, each.owner, each.comment) for each in told.decided}


def decided_by_turns(asked: comparison.Comparison) -> dict[str, Decided]:
    """Every decision there is, with a hostile comment."""
    turns = zip(
        asked.clauses,
        itertools.cycle(Decision),
        itertools.cycle(hostile_account.PAYLOADS),
        itertools.cycle(("Ana", "=1+1")),
        strict=False,
    )
    return {
        clause.id: Decided(clause.id, clause.contents, word, owner, comment, "2026-11-22")
        for clause, word, comment, owner in turns
    }
