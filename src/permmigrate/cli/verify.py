"""`permmigrate verify`: is the account what was planned, and who can do now what they could not before."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from permmigrate import __version__
from permmigrate.cli.gating import gate_options, hold, limits_of, read_accepted, save_accepted
from permmigrate.cli.options import (
    DIRECTORY,
    FILE,
    api_url_option,
    day,
    mappings_option,
    say,
    tables_from,
    today_option,
)

if TYPE_CHECKING:
    from permmigrate.plan import Plan
    from permmigrate.snapshot import Snapshot
    from permmigrate.verify import Verification

SHOWN: Final = 20


@click.command()
@click.option("--plan", "plan_file", type=FILE, metavar="PLAN", help="The plan that was applied.")
@click.option(
    "--wave",
    "waves",
    type=click.IntRange(min=1),
    metavar="N",
    help="Hold the account to the plan's first N waves only.",
)
@click.option(
    "--against",
    type=FILE,
    metavar="SNAPSHOT",
    help="A snapshot of the legacy side: show who can do now what it says they could not.",
)
@click.option(
    "--live", type=FILE, metavar="SNAPSHOT", help="This snapshot is the live account: nothing is read."
)
@click.option("--out", type=DIRECTORY, required=True, metavar="DIR", help="Folder for the evidence.")
@mappings_option
@api_url_option
@gate_options
@today_option
def command(
    plan_file: Path | None,
    waves: int | None,
    against: Path | None,
    live: Path | None,
    out: Path,
    mappings: Path | None,
    api_url: str | None,
    fail_on: str | None,
    max_expansions: tuple[tuple[str, int], ...],
    max_admin_promotions: int | None,
    baseline: Path | None,
    write_baseline: Path | None,
    allow_incomplete: bool,
    today: datetime | None,
) -> None:
    """Read the live account and hold it to the plan, to a legacy snapshot, or to both. It changes nothing.

    With --plan: what is as planned, missing, extra, or changed by others, in verify.html, .xlsx and .json;
    exit 5 when anything is not as planned. With --against: what `diff --assigned` finds, in diff.html, .xlsx
    and .json; no plan is needed, so that it is the evidence after the vendor's own migration, too. Roles are
    read until two readings agree; live.snapshot keeps what was read.

    \b
    Example:
      permmigrate verify --plan plan.json --against legacy.snapshot --out evidence
      permmigrate verify --against legacy.snapshot --out evidence --fail-on high
    """
    if plan_file is None and against is None:
        raise click.UsageError("give --plan, --against, or both")
    from permmigrate.cli.liveaccount import read_live
    from permmigrate.plan.file import load as load_plan
    from permmigrate.snapshot.file import load
    from permmigrate.verify import check

    limits = limits_of(fail_on, max_expansions, max_admin_promotions, allow_incomplete)
    accepted, when = read_accepted(baseline), day(today)
    plan = load_plan(plan_file) if plan_file else None
    legacy = load(against) if against else None
    now, steady = (load(live), True) if live else read_live(out, api_url, plan, waves)
    _same_account(plan, legacy, now)
    found = check(plan, now, steady=steady, waves=waves) if plan else None
    if found is not None:
        _show(found, out)
    if legacy is not None:
        from permmigrate.cli.diff import summary_lines, write_reports
        from permmigrate.diff.compare import compare
        from permmigrate.report.view import diff_view

        result = compare(legacy, tables_from(mappings), today=when, tool_version=__version__, assigned=now)
        view = diff_view(result, legacy)
        for path in write_reports(view, out):
            click.echo(path)
        for line in summary_lines(view):
            say(line)
        if write_baseline:
            save_accepted(write_baseline, result, accepted, when)
    _refuse(found, allow_incomplete=allow_incomplete)
    if legacy is not None:
        hold(result, limits, accepted, when)


def _same_account(plan: Plan | None, legacy: Snapshot | None, live: Snapshot) -> None:
    from permmigrate.errors import UsageError

    for what, account in (("plan", plan and plan.account_id), ("snapshot", legacy and legacy.account_id)):
        if account and account != live.account_id:
            raise UsageError(
                f"the {what} is about account `{account}`, and what was read is `{live.account_id}`",
                hint="use the credentials, the plan and the snapshot of one account",
            )
    if legacy is not None and live.captured_at < legacy.captured_at:
        raise UsageError(
            f"the live account was read on {live.captured_at}, before the snapshot it should come after",
            hint="name the older snapshot with --against and the newer one with --live",
        )


def _show(found: Verification, out: Path) -> None:
    from permmigrate.report import verification
    from permmigrate.report.files import write_text
    from permmigrate.resources import templates_dir

    view = verification.view_of(found, __version__)
    write_text(out / "verify.html", verification.page(view, templates_dir()))
    verification.workbook(view, out / "verify.xlsx")
    write_text(out / "verify.json", verification.dump(verification.document(view)))
    for name in ("verify.html", "verify.xlsx", "verify.json"):
        click.echo(out / name)
    for line in verification.lines(found, SHOWN):
        say(line)


def _refuse(found: Verification | None, *, allow_incomplete: bool) -> None:
    """Leave with exit 5 when the account is not as planned, or when that could not be told."""
    from permmigrate.errors import FindingsError

    if found is None or found.headline == "AS PLANNED":
        return
    if found.headline == "INCOMPLETE" and allow_incomplete:
        return
    wrong = len(found.deviations)
    raise FindingsError(
        f"the account is not proved to be as planned: {wrong:,} deviations, {len(found.gaps):,} gaps",
        hint="read verify.html; what is missing can be planned again with `permmigrate plan make`",
    )
