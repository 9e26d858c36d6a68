"""`permmigrate diff`: who gains, who loses, where and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from permmigrate import __version__
from permmigrate.cli.gating import gate_options, hold, limits_of, read_accepted, save_accepted
from permmigrate.cli.options import (
    FILE,
    day,
    mappings_option,
    out_option,
    quoted,
    say,
    snapshot_argument,
    tables_from,
    today_option,
)
from permmigrate.cli.planning import plan_beside, plan_of

if TYPE_CHECKING:
    from permmigrate.report.value import DiffView
    from permmigrate.snapshot import Snapshot

CAUSES_SHOWN: Final = 5
CAUSES_WEIGHED: Final = 1
EXPANSIONS_WEIGHED: Final = 2_000
"""Of one cause, if nobody asks for more: weighing a larger one takes longer than the comparison."""
FORMATS: Final = {
    "html": "diff.html",
    "xlsx": "diff.xlsx",
    "json": "diff.json",
    "sarif": "diff.sarif",
    "markdown": "diff.md",
    "junit": "diff.xml",
}
"""Each format and the file it is written to."""
USUAL: Final = ("html", "xlsx", "json")


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
    "--format",
    "formats",
    type=click.Choice(list(FORMATS)),
    multiple=True,
    help="What to write; may be repeated. Default: html, xlsx and json.",
)
@click.option(
    "--weigh",
    type=click.IntRange(min=0),
    metavar="N",
    envvar="PERMMIGRATE_WEIGH",
    help="How many of the first causes are weighed against smaller roles: what changing them would remove and"
    f" cost. Default: {CAUSES_WEIGHED}, of those with at most {EXPANSIONS_WEIGHED:,} expansions.",
)
@gate_options
@today_option
def command(
    snapshot: Path,
    mappings: Path | None,
    out: Path,
    assigned: Path | None,
    formats: tuple[str, ...],
    weigh: int | None,
    fail_on: str | None,
    max_expansions: tuple[tuple[str, int], ...],
    max_admin_promotions: int | None,
    baseline: Path | None,
    write_baseline: Path | None,
    allow_incomplete: bool,
    today: datetime | None,
) -> None:
    """Compare who may do what before and after, and write diff.html, diff.xlsx and diff.json.

    Before is the legacy side of SNAPSHOT. After is what the mapping tables make of it, and plan.json what
    would be done for it; with --assigned, after is what the vendor's own migration (or anybody) has assigned
    since, and there is nothing to plan.

    \b
    Example:
      permmigrate diff account.snapshot --mappings mappings --out reports
      permmigrate diff legacy.snapshot --assigned today.snapshot --out reports
    """
    from permmigrate.diff.counterfactuals import weigh_causes
    from permmigrate.diff.lesser import Compared
    from permmigrate.report.view import diff_view
    from permmigrate.snapshot.file import load

    limits = limits_of(fail_on, max_expansions, max_admin_promotions, allow_incomplete)
    accepted, date = read_accepted(baseline), day(today)
    before = load(snapshot)
    after = later_of(before, assigned) if assigned else None
    tables = tables_from(mappings)
    compared = Compared(before, tables, date, after)
    result = compared.again(__version__)
    plan, refused = None, ""
    if after is None:
        plan, refused = plan_of(before, tables, result, accepted, date, allow_incomplete=allow_incomplete)
    told = explained_with(snapshot, mappings, assigned)
    most = EXPANSIONS_WEIGHED if weigh is None else None
    weighed = weigh_causes(result, compared, CAUSES_WEIGHED if weigh is None else weigh, most=most)
    view = diff_view(result, before, plan=plan, no_plan=refused, explain=told, weighed=weighed)
    for path in write_reports(view, out, formats or USUAL, mappings):
        click.echo(path)
    for line in summary_lines(view):
        say(line)
    if after is None:
        plan_beside(plan, refused, out)
    if write_baseline:
        save_accepted(write_baseline, result, accepted, date)
    hold(result, limits, accepted, date)


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


def explained_with(snapshot: Path, mappings: Path | None, assigned: Path | None) -> str:
    """What `permmigrate explain` must be given for this comparison; files by their names alone."""
    given = (("--in", snapshot), ("--mappings", mappings), ("--assigned", assigned))
    return " ".join(f"{option} {quoted(path.name)}" for option, path in given if path)


def write_reports(
    view: DiffView, out: Path, formats: Iterable[str] = USUAL, mappings: Path | None = None
) -> tuple[Path, ...]:
    """Write the reports of a comparison, tables too long for them as CSV, and return where they are."""
    from permmigrate.report import beside

    places = {name: out / FORMATS[name] for name in FORMATS if name in set(formats)}
    for name, path in places.items():
        write_report(view, name, path, mappings)
    return (*places.values(), *beside.write(view, out, places))


def write_report(view: DiffView, name: str, path: Path, mappings: Path | None) -> None:
    """Write one report; `mappings` is where its readers find the mapping tables."""
    from permmigrate.report import data, html, junit, markdown, sarif, workbook
    from permmigrate.report.files import write_text
    from permmigrate.resources import templates_dir

    match name:
        case "html":
            write_text(path, html.render(view, templates_dir()))
        case "xlsx":
            workbook.write(view, path)
        case "json":
            data.write(data.diff_document(view), path)
        case "sarif":
            folder = mappings.as_posix() if mappings else "mappings"
            write_text(path, sarif.dump(sarif.sarif_document(view, mappings=folder)))
        case "markdown":
            write_text(path, markdown.markdown(view))
        case "junit":
            write_text(path, junit.junit(view))
        case _:
            raise ValueError(name)


def summary_lines(view: DiffView) -> Iterator[str]:
    """The outcome in a few lines: the same figures as in the reports, and the rows that widen most."""
    yield f"{view.banner.headline}: " + ", ".join(f"{f.value:,} {f.label}" for f in view.figures)
    for row in islice(view.table("causes").records(), CAUSES_SHOWN):
        if row["expansions"]:
            yield f"  {row['expansions']:>6,} expansions by {row['ref']}: {row['text']}"
