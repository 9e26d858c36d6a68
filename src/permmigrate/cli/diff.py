"""`permmigrate diff`: who gains, who loses, where and why."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from permmigrate import __version__
from permmigrate.cli.options import (
    FILE,
    day,
    mappings_option,
    out_option,
    say,
    snapshot_argument,
    tables_from,
    today_option,
)

if TYPE_CHECKING:
    from permmigrate.diff import Diff
    from permmigrate.snapshot import Snapshot

CAUSES_SHOWN: Final = 5


@click.command()
@snapshot_argument
@mappings_option
@out_option
@click.option(
    "--assigned",
    type=FILE,
    metavar="SNAPSHOT",
    help="Compare with the roles really assigned in this (later) snapshot, not with the mapping.",
)
@click.option(
    "--fail-on",
    type=click.Choice(["expansions"]),
    help="Leave with exit 5 when there is an expansion, or when it cannot be told.",
)
@today_option
def command(
    snapshot: Path,
    mappings: Path | None,
    out: Path,
    assigned: Path | None,
    fail_on: str | None,
    today: datetime | None,
) -> None:
    """Compare who may do what before and after, and write diff.html, diff.xlsx and diff.json.

    Before is the legacy side of SNAPSHOT. After is what the mapping tables make of it; with --assigned, what
    the vendor's own migration (or anybody) has assigned since.

    \b
    Example:
      permmigrate diff account.snapshot --mappings mappings --out reports
      permmigrate diff legacy.snapshot --assigned today.snapshot --out reports
    """
    from permmigrate.diff.compare import compare
    from permmigrate.snapshot.file import load

    before = load(snapshot)
    after = later_of(before, assigned) if assigned else None
    tables = tables_from(mappings)
    result = compare(before, tables, today=day(today), tool_version=__version__, assigned=after)
    for path in write_reports(result, before, out):
        click.echo(path)
    summarise(result)
    refuse_expansions(result, fail_on)


def later_of(before: Snapshot, path: Path) -> Snapshot:
    """Load the later snapshot; raises UsageError when it is of another account, or the earlier one."""
    from permmigrate.errors import UsageError
    from permmigrate.snapshot.file import load

    after = load(path)
    if after.account_id != before.account_id:
        raise UsageError(
            f"the snapshots are of two accounts, `{before.account_id}` and `{after.account_id}`",
            hint="compare two snapshots of one account",
        )
    if after.captured_at < before.captured_at:
        raise UsageError(
            f"`{path}` was taken on {after.captured_at}, before the snapshot it should come after",
            hint="name the older snapshot first and the newer one with --assigned",
        )
    return after


def write_reports(diff: Diff, snapshot: Snapshot, out: Path) -> tuple[Path, ...]:
    """Write the three reports of a comparison and return where they are."""
    from permmigrate.report import data, html, workbook
    from permmigrate.report.files import write_text
    from permmigrate.report.view import diff_view
    from permmigrate.resources import templates_dir

    view = diff_view(diff, snapshot)
    paths = (out / "diff.html", out / "diff.xlsx", out / "diff.json")
    write_text(paths[0], html.render(view, templates_dir()))
    workbook.write(view, paths[1])
    write_text(paths[2], data.dump(data.diff_document(view)))
    return paths


def summarise(diff: Diff) -> None:
    """Say the outcome in a few words."""
    from permmigrate.diff import Verdict

    say(
        f"{diff.headline}: " + ", ".join(f"{diff.counts[v]:,} {v.value}" for v in Verdict if v in diff.counts)
    )
    for cause in diff.causes[:CAUSES_SHOWN]:
        if cause.expansions:
            say(f"  {cause.expansions:>6,} expansions by {cause.ref}: {cause.text}")


def refuse_expansions(diff: Diff, fail_on: str | None) -> None:
    """Leave with exit 5 when an expansion is there, may be there, or cannot be ruled out."""
    from permmigrate.diff import Verdict
    from permmigrate.errors import FindingsError

    if fail_on is None or diff.headline == "NO EXPANSION PROVED":
        return
    counts = diff.counts
    raise FindingsError(
        f"{counts[Verdict.GAINED]} expansions, {counts[Verdict.MAYBE_GAINED]} possible ones and "
        f"{counts[Verdict.UNKNOWN]} that cannot be told" + ("" if diff.complete else ", on incomplete data"),
        hint="read diff.html: it names the cause of each",
    )
