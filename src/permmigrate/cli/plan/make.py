"""`permmigrate plan make`: a plan from a snapshot and the mapping tables."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from permmigrate import __version__
from permmigrate.cli.gating import read_accepted
from permmigrate.cli.options import (
    FILE,
    counted,
    day,
    mappings_option,
    say,
    snapshot_argument,
    tables_from,
    today_option,
)
from permmigrate.report.text import visible

if TYPE_CHECKING:
    from permmigrate.diff import Diff
    from permmigrate.plan.draft import Terms
    from permmigrate.plan.signoff import Signoff
    from permmigrate.snapshot import Snapshot

COUNT = click.IntRange(min=0)
OVER_SHOWN: Final = 5


@click.command()
@snapshot_argument
@mappings_option
@click.option("--out", "out", type=FILE, required=True, metavar="FILE", help="Where to write the plan.")
@click.option(
    "--assigned",
    type=FILE,
    metavar="SNAPSHOT",
    help="A later snapshot that says who holds what now; the legacy side is SNAPSHOT's.",
)
@click.option(
    "--remove-extra",
    is_flag=True,
    help="Also take away roles that the mapping's principals hold beyond it: cuts back after the move.",
)
@click.option(
    "--signoff",
    type=FILE,
    metavar="FILE",
    help="Decisions: of `signoff merge` (.json), or accepted findings (.csv).",
)
@click.option("--max-expansions", type=COUNT, default=0, show_default=True, help="Unsigned ones allowed.")
@click.option(
    "--max-admin-promotions",
    type=COUNT,
    default=0,
    show_default=True,
    help="New administrators allowed.",
)
@click.option("--max-removals", type=COUNT, default=0, show_default=True, help="Roles that may be taken.")
@click.option("--max-grants", type=COUNT, metavar="N", help="Roles that may be given. Default: any number.")
@click.option(
    "--min-master-admins",
    type=click.IntRange(min=1),
    default=2,
    show_default=True,
    help="Effective master admins that must be left, at the end and at every moment between.",
)
@click.option(
    "--require-admin",
    multiple=True,
    metavar="PRINCIPAL",
    help="Must stay an administrator. May be repeated.",
)
@click.option(
    "--protect",
    multiple=True,
    metavar="PRINCIPAL",
    help="Break glass: never touched. May be repeated.",
)
@click.option("--acting-key", metavar="KEY", help="The account key that will write: it must keep all it has.")
@click.option("--expires-in", type=click.IntRange(1, 24 * 30), default=24, show_default=True, help="Hours.")
@click.option("--wave-size", type=click.IntRange(min=1), default=500, show_default=True, help="Principals.")
@click.option("--calls-an-hour", type=click.IntRange(min=1), default=2_000, show_default=True)
@click.option("--allow-incomplete", is_flag=True, help="Plan although the snapshot has gaps.")
@today_option
def command(
    snapshot: Path,
    mappings: Path | None,
    out: Path,
    assigned: Path | None,
    today: datetime | None,
    **asked: Any,
) -> None:
    """Plan what brings the account of SNAPSHOT to what the mapping tables want, and write it to a file.

    The plan is written even when a guard does not hold, to be looked at; it cannot be applied then, and the
    command leaves with exit 6.

    \b
    Example:
      permmigrate plan make account.snapshot --mappings mappings --out plan.json
      permmigrate plan make legacy.snapshot --assigned now.snapshot --remove-extra --out cut.json
    """
    from permmigrate.cli.diff import later_of
    from permmigrate.cli.planning import tell
    from permmigrate.diff.compare import compare
    from permmigrate.plan.draft import as_assigned, draft
    from permmigrate.plan.file import dump
    from permmigrate.plan.guards import refuse
    from permmigrate.snapshot.file import load

    before, tables = load(snapshot), tables_from(mappings)
    after = later_of(before, assigned) if assigned else None
    terms = _terms(after or before, day(today), asked)
    base = as_assigned(before, after) if after else before
    diff = compare(base, tables, today=terms.today, tool_version=__version__)
    if asked["signoff"]:
        terms = replace(terms, signoff=_signoff(asked["signoff"], diff, base, terms.today))
    plan = draft(before, tables, diff, terms, assigned=after)
    dump(plan, out)
    click.echo(out)
    tell(plan, out)
    refuse(plan.guards)


def _signoff(path: Path, diff: Diff, compared: Snapshot, today: date) -> Signoff:
    """What people decided: the file of `signoff merge`, or one of accepted findings. Raises UsageError."""
    from permmigrate.diff.clusters import cluster
    from permmigrate.errors import UsageError
    from permmigrate.plan.signoff import Signoff
    from permmigrate.signoff.file import load
    from permmigrate.signoff.holding import holding

    if path.suffix.lower() != ".json":
        return Signoff.accepting(read_accepted(path), diff, today)
    signed = load(path)
    if signed.account_id != diff.account_id:
        raise UsageError(
            f"`{path}` is about account `{signed.account_id}`, and the snapshot of `{diff.account_id}`",
            hint="give the decisions about this account",
        )
    signoff, over = holding(signed, cluster(diff, compared))
    for said in over[:OVER_SHOWN]:
        say(
            visible(
                f"the approval of {said.cluster} ({said.where}) does not hold: its findings are others now"
            )
        )
    if len(over) > OVER_SHOWN:
        say(f"  and {counted(len(over) - OVER_SHOWN, 'approval')} more, for the same reason")
    return signoff


def _terms(snapshot: Snapshot, today: date, asked: dict[str, Any]) -> Terms:
    from permmigrate.cli.planning import principals
    from permmigrate.model import PrincipalRef, PrincipalType
    from permmigrate.plan import Limits
    from permmigrate.plan.draft import Terms

    key = asked["acting_key"]
    return Terms(
        now=datetime.now(UTC),
        tool_version=__version__,
        today=today,
        expires_after=timedelta(hours=asked["expires_in"]),
        acting_key=PrincipalRef(PrincipalType.ACCOUNT_KEY, key) if key else None,
        required_admins=principals(asked["require_admin"], snapshot),
        protected=principals(asked["protect"], snapshot),
        limits=Limits(
            master_admins=asked["min_master_admins"],
            removals=asked["max_removals"],
            grants=asked["max_grants"],
            expansions=asked["max_expansions"],
            promotions=asked["max_admin_promotions"],
        ),
        remove_extra=asked["remove_extra"],
        allow_incomplete=asked["allow_incomplete"],
        wave_size=asked["wave_size"],
        calls_an_hour=asked["calls_an_hour"],
    )
