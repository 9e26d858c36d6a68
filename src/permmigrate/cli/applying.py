"""The steps of applying a plan: the account as it is, the guards, the operator's word, what is left after.

It is what `apply` is made of; the client that can write is handed to it.
"""

from __future__ import annotations

import getpass
import platform
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from permmigrate import __version__
from permmigrate.cli.options import counted, now, quoted, say
from permmigrate.errors import RefusedError, ServiceError, UsageError
from permmigrate.model import EnvironmentId, PrincipalRef, PrincipalType

if TYPE_CHECKING:
    from permmigrate.apply.live import Live
    from permmigrate.apply.outcome import Result
    from permmigrate.cli.progress import Display
    from permmigrate.cloudinary.session import Sent
    from permmigrate.cloudinary.sources import Found
    from permmigrate.plan import Plan
    from permmigrate.plan.world import World

    Watcher = Callable[[Sent], None]

NEEDED: Final = ("environments", "people", "groups", "catalog", "roles", "policies", "assignments")
"""The parts of the account that guards look at."""
UNDO_DAYS: Final = 7
CHANGED_SHOWN: Final = 10


@dataclass(frozen=True, slots=True)
class Account:
    """The account as it was just read."""

    world: World
    environments: tuple[EnvironmentId, ...]


def by_folders_only(plan: Plan) -> bool:
    """Whether the plan is for an account without the Permissions API."""
    return bool(plan.operations) and all(each.kind.by_admin_api for each in plan.operations)


def read(found: Found, plan: Plan, rate_share: float, display: Display, sent: Watcher) -> Account:
    """Read as much of the account as the plan's guards look at. Raises ServiceError for any gap."""
    if by_folders_only(plan):
        return read_folders(found, plan)
    return read_account(found, rate_share, display, sent)


def read_account(found: Found, rate_share: float, display: Display, sent: Watcher) -> Account:
    """Read people, groups, roles and who holds them, and no folders. Raises ServiceError for any gap."""
    from permmigrate.cloudinary.reader import Reader
    from permmigrate.plan.world import World
    from permmigrate.snapshot.capture import capture

    credentials = replace(found.credentials(), environments={})  # without their keys no folders are read
    with Reader(
        credentials,
        api_url=found.api_url.value,
        inner=found.network(),
        rate_share=rate_share,
        sent=sent,
        waiting=display.waiting,
    ) as reader:
        taken = capture(reader, captured_at=now(), tool_version=__version__, progress=display)
    gaps = [entry for entry in taken.gaps if entry.area in NEEDED]
    if gaps:
        first = gaps[0]
        raise ServiceError(
            f"{counted(len(gaps), 'part')} of the account could not be read, the first: {first.area} "
            f"({first.detail or first.status.value})",
            hint="the guards need it; give the key a role that reads it, or try again",
            status=first.http_status,
        )
    return Account(World.of(taken), tuple(environment.id for environment in taken.environments))


def read_folders(found: Found, plan: Plan) -> Account:
    """The same for a plan of folder roles alone: the keys' roles on the folders that the plan names."""
    from permmigrate.cloudinary.folderroles import FolderRoles
    from permmigrate.cloudinary.public import pull
    from permmigrate.plan.world import World, held_by

    places = sorted(
        {
            (each.assignment.scope_id or "", each.assignment.folder_id)
            for each in plan.operations
            if each.assignment.folder_id
        }
    )
    url, inner = found.api_url.value, found.network(1)
    with FolderRoles(found.environments, plan.environments, api_url=url, inner=inner) as live:
        rows = [
            row
            for environment, folder in places
            if folder
            for row in live.folder_held(EnvironmentId(environment), folder)
        ]
    elsewhere = [
        row for held in plan.held.values() for row in held if (row.scope_id, row.folder_id) not in places
    ]
    world = World(
        account_id=found.account.id if found.account else plan.account_id,
        catalog=pull(url, inner=found.network(1)),
        users=frozenset(),
        members={},
        held=held_by([*rows, *elsewhere]),
        knows_assignments=False,
    )
    return Account(world, tuple(EnvironmentId(each) for each, _ in places))


def acting_key(plan: Plan, found: Found) -> PrincipalRef:
    """The key that will write: the account's, or for folder roles the first environment's."""
    if found.account and not by_folders_only(plan):
        return PrincipalRef(PrincipalType.ACCOUNT_KEY, found.account.pair.key)
    clouds = [plan.environments.get(each.assignment.scope_id or "", "") for each in plan.operations]
    for cloud in clouds:
        if cloud in found.environments:
            return PrincipalRef(PrincipalType.API_KEY, found.environments[cloud].key)
    raise UsageError(
        "there is no key to write with",
        hint="set `CLOUDINARY_ACCOUNT_URL`, or `CLOUDINARY_URL` for folder roles",
    )


def confirm(plan: Plan, live: Live, *, yes: bool, digest: str | None, doing: Sequence[str]) -> None:
    """Let the operator see what will be done where, and say so. Raises RefusedError."""
    for line in doing:
        say(line)
    if yes:
        if not digest:
            raise RefusedError("`--yes` needs the plan's digest beside it", hint=f"--digest {plan.digest}")
        return
    if not sys.stdin.isatty():
        raise RefusedError(
            "there is no terminal to confirm on", hint="give `--yes` together with `--digest HEX`"
        )
    name = plan.label("account", plan.account_id)
    typed = click.prompt(f"type `{name}` to change this account", default="", show_default=False, err=True)
    if typed.strip() not in (name, plan.account_id):
        raise RefusedError("what was typed is not the account's name; nothing was changed")


def intentions(plan: Plan, live: Live, key: PrincipalRef, count: Mapping[str, int]) -> list[str]:
    """What is about to be done, in lines to be read before saying yes."""
    what = ", ".join(f"{number:,} x {kind}" for kind, number in count.items()) or "nothing"
    minutes = max(1, round(plan.expected.seconds / 60))
    return [
        f"account  {plan.label('account', plan.account_id)} on {live.api_url}",
        f"key      {key}",
        f"plan     {plan.purpose}, digest {plan.digest}, until {plan.expires}",
        f"does     {what}",
        f"takes    about {plan.expected.reads + plan.expected.writes:,} calls, {minutes:,} min at "
        f"{plan.expected.calls_an_hour:,} an hour",
    ]


def undo_beforehand(plan: Plan, world: World, key: PrincipalRef) -> Plan:
    """The plan that takes all of it back, for the case that nothing else can be made any more."""
    from permmigrate.plan.undo import UndoTerms, assumed, left_by, undo_plan

    done = assumed(plan)
    at = datetime.now(UTC)
    terms = UndoTerms(
        now=at,
        tool_version=__version__,
        captured_at=at.strftime("%Y-%m-%dT%H:%M:%SZ"),
        expires_after=timedelta(days=UNDO_DAYS),
        acting_key=key,
    )
    return undo_plan(plan, done, left_by(plan, done, world), terms)


def write_leftovers(result: Result, journal: Path) -> list[Path]:
    """Write `failed.csv` and the retry plan beside the journal, where there is anything to try again."""
    from permmigrate.apply.leftover import failed_csv
    from permmigrate.plan.file import dump
    from permmigrate.report.files import write_text

    paths = []
    table = journal.with_name(f"{journal.name}.failed.csv")
    retry = journal.with_name(f"{journal.name}.retry-plan.json")
    for path in (table, retry):
        path.unlink(missing_ok=True)
    if text := failed_csv(result):
        write_text(table, text)
        paths.append(table)
    if result.retry is not None:
        dump(result.retry, retry)
        paths.append(retry)
    return paths


def summary(result: Result, journal: Path, key: PrincipalRef, files: Sequence[Path]) -> list[str]:
    """What was done, in lines that a person can paste into a ticket."""
    from permmigrate.apply.outcome import Status
    from permmigrate.errors import ExitCode

    plan, counts = result.plan, result.counts
    headline = {
        ExitCode.OK: "applied as planned",
        ExitCode.PARTLY_APPLIED: "partly applied",
        ExitCode.REFUSED: "not applied: the account was changed by others",
    }.get(result.exit_code, "not applied: the service failed or refused")
    lines = [
        f"permmigrate {__version__}: {headline}",
        f"account   {plan.label('account', plan.account_id)} ({plan.account_id})",
        f"plan      {plan.purpose}, digest {plan.digest}",
        f"key       {key}",
        "result    " + ", ".join(f"{counts[status]:,} {status.value}" for status in Status if counts[status]),
        f"verified  {', '.join(f'wave {number}' for number in result.verified) or 'no wave'}",
        f"calls     {result.calls:,}",
        f"journal   {journal}, last line {result.head}",
    ]
    lines += [f"changed   {who}: {why}" for who, why in list(result.changed.items())[:CHANGED_SHOWN]]
    if len(result.changed) > CHANGED_SHOWN:
        lines.append(f"changed   and {len(result.changed) - CHANGED_SHOWN:,} more")
    if result.stopped:
        lines.append(f"stopped   {result.stopped}")
    lines += [f"left      {path}" for path in files]
    return lines


def next_steps(result: Result, journal: Path) -> None:
    """Say what to do next."""
    from permmigrate.apply.outcome import Status

    if result.plan.by_hand:
        what = counted(len(result.plan.by_hand), "operation")
        say(f"{what} no API of this account can do: `permmigrate plan checklist` lists them for the Console")
    if result.exit_code:
        say(f"next: permmigrate apply --resume {quoted(journal)} --digest {result.plan.digest}")
        if result.changed or result.counts[Status.STALE]:
            say("for those whom others changed: take a snapshot and make a plan anew")
    say(f"to take it back: permmigrate undo {quoted(journal)} --out undo-plan.json")


def refuse_less(result: Result) -> None:
    """Raise what the exit code says, unless all was done and is as planned."""
    from permmigrate.errors import ExitCode, PartlyAppliedError

    left = sum(not outcome.status.is_good for outcome in result.outcomes.values())
    words = f"{counted(left, 'operation')} not done" + (f": {result.stopped}" if result.stopped else "")
    if result.changed:
        words += f"; {counted(len(result.changed), 'principal')} changed by others"
    match result.exit_code:
        case ExitCode.OK:
            return
        case ExitCode.PARTLY_APPLIED:
            raise PartlyAppliedError(f"partly applied: {words}")
        case ExitCode.REFUSED:
            raise RefusedError(f"nothing was applied: {words}")
        case _:
            raise ServiceError(f"nothing was applied: {words}")


def header(plan: Plan, path: Path, live: Live, key: PrincipalRef) -> dict[str, Any]:
    """The journal's first line: what is applied, where, by whom."""
    return {
        "plan": plan.digest,
        "plan_file": str(path.resolve()),
        "purpose": plan.purpose,
        "account": plan.account_id,
        "api_url": live.api_url,
        "actor": str(key),
        "operator": operator(),
        "tool_version": __version__,
    }


def operator() -> str:
    """Who runs this, as the machine knows it: it belongs into the audit."""
    try:
        return f"{getpass.getuser()}@{platform.node()}"
    except (KeyError, OSError):
        return f"@{platform.node()}"


def resumed(key: PrincipalRef) -> dict[str, Any]:
    """The line of a run that goes on."""
    return {"actor": str(key), "operator": operator(), "tool_version": __version__}


def lock_folder() -> Path:
    """Where locks are kept."""
    return Path(click.get_app_dir("permmigrate")) / "locks"
