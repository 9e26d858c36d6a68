"""What `plan make` and `diff`, which makes a plan beside its reports, have in common."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from permmigrate import __version__
from permmigrate.cli.options import quoted, say
from permmigrate.report.text import visible

if TYPE_CHECKING:
    from permmigrate.diff import Diff
    from permmigrate.diff.accepted import Accepted
    from permmigrate.mapping.tables import MappingTables
    from permmigrate.model import PrincipalRef
    from permmigrate.plan import Plan
    from permmigrate.snapshot import Snapshot

PLAN: Final = "plan.json"
NEXT: Final = "next: permmigrate plan show"


def principals(named: Iterable[str], snapshot: Snapshot) -> tuple[PrincipalRef, ...]:
    """The principals that people name: `user:ID`, an id, or an e-mail address. Raises UsageError."""
    return tuple(principal(text, snapshot) for text in named)


def principal(text: str, snapshot: Snapshot) -> PrincipalRef:
    """One of them."""
    from permmigrate.errors import UsageError
    from permmigrate.model import PrincipalRef, PrincipalType

    kind, colon, identity = text.partition(":")
    if colon and kind in set(PrincipalType):
        found = [PrincipalRef(PrincipalType(kind), identity)]
        found = [one for one in found if snapshot.has(one) or one.type is PrincipalType.ACCOUNT_KEY]
    else:
        found = [one for one in (PrincipalRef(type_, text) for type_ in PrincipalType) if snapshot.has(one)]
        found += [
            PrincipalRef(PrincipalType.USER, user.id)
            for user in snapshot.users
            if user.email.casefold() == text.casefold() and user.id != text
        ]
    if len(found) != 1:
        count = "nobody" if not found else f"{len(found)} principals"
        raise UsageError(
            f"`{text}` names {count} in the account",
            hint="name it as user:ID, group:ID, apiKey:ID or provisioningKey:ID, or by e-mail address",
        )
    return found[0]


def plan_of(
    snapshot: Snapshot,
    tables: MappingTables,
    diff: Diff,
    accepted: Accepted,
    today: date,
    *,
    allow_incomplete: bool,
) -> tuple[Plan | None, str]:
    """The plan that a comparison leads to, or why there is none."""
    from permmigrate.errors import RefusedError
    from permmigrate.plan.draft import Terms, draft
    from permmigrate.plan.signoff import Signoff

    terms = Terms(
        now=datetime.now(UTC),
        tool_version=__version__,
        today=today,
        signoff=Signoff.accepting(accepted, diff, today) if accepted.entries else None,
        allow_incomplete=allow_incomplete,
    )
    try:
        return draft(snapshot, tables, diff, terms), ""
    except RefusedError as refused:
        return None, refused.message + (f" ({refused.hint})" if refused.hint else "")


def plan_beside(plan: Plan | None, refused: str, out: Path) -> None:
    """Write a plan beside the reports, or say why there is none."""
    from permmigrate.plan.file import dump

    path = out / PLAN
    if plan is None:
        path.unlink(missing_ok=True)
        say(visible(f"no {PLAN}: {refused}"))
        return
    dump(plan, path)
    click.echo(path)
    tell(plan, path, guards=True)


def tell(plan: Plan, path: Path, *, guards: bool = False) -> None:
    """Say in a few words what a plan would do, what stops it if asked, and what is next."""
    from permmigrate.plan.words import summary

    say(f"plan: {summary(plan)}")
    for guard in plan.guards:
        if guards and not guard.holds:
            say(visible(f"  ! {guard.name}: {guard.sentence}"))
    if plan.by_hand:
        say(
            f"  {len(plan.by_hand):,} steps are to be done by hand: permmigrate plan checklist {quoted(path)}"
        )
    say(f"{NEXT} {quoted(path)}")
