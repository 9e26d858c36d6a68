"""`permmigrate readiness`: how ready an account is to move."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from permmigrate import __version__
from permmigrate.cli.options import (
    day,
    mappings_option,
    out_option,
    quoted,
    say,
    snapshot_argument,
    tables_from,
    today_option,
)

if TYPE_CHECKING:
    from permmigrate.readiness import Readiness
    from permmigrate.snapshot import Snapshot


@click.command()
@snapshot_argument
@mappings_option
@out_option
@today_option
def command(snapshot: Path, mappings: Path | None, out: Path, today: datetime | None) -> None:
    """Report how ready an account is to move: readiness.html, readiness.xlsx and readiness.json.

    \b
    Example:
      permmigrate readiness account.snapshot --out reports
    """
    from permmigrate.diff.compare import compare
    from permmigrate.mapping.lint import check
    from permmigrate.readiness import assess
    from permmigrate.snapshot.file import load

    account, tables = load(snapshot), tables_from(mappings)
    notices = check(tables, catalog=None, snapshot=account, today=day(today))
    diff = compare(account, tables, today=day(today), tool_version=__version__)
    result = assess(account, tables, diff, notices=notices)
    for path in write_reports(result, account, out):
        click.echo(path)
    summarise(result)
    if mappings is None:
        say("next: permmigrate mappings init mappings, and edit what does not fit")
    tables_now = mappings or "mappings"
    say(f"then: permmigrate diff {quoted(snapshot)} --mappings {quoted(tables_now)} --out {quoted(out)}")


def write_reports(readiness: Readiness, snapshot: Snapshot, out: Path) -> tuple[Path, ...]:
    """Write the three readiness reports and return where they are."""
    from permmigrate.report import beside, data, html, workbook
    from permmigrate.report.files import write_text
    from permmigrate.report.view import readiness_view
    from permmigrate.resources import templates_dir

    view = readiness_view(readiness, snapshot)
    paths = (out / "readiness.html", out / "readiness.xlsx", out / "readiness.json")
    write_text(paths[0], html.render(view, templates_dir()))
    workbook.write(view, paths[1])
    write_text(paths[2], data.dump(data.readiness_document(view)))
    return (*paths, *beside.write(view, out, ("html", "xlsx")))


def summarise(readiness: Readiness) -> None:
    """Say the outcome in a few words."""
    say(f"readiness {readiness.score} of 100" + ("" if readiness.complete else ", on incomplete data"))
    for area in readiness.areas:
        say(f"  {area.name:<24} {area.verdict.value:<10} {len(area.findings)} findings")
