"""What apply's tests share: plans over a sandbox account, and a run over a real socket."""

from __future__ import annotations

import atexit
import datetime
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import httpx

from permmigrate.apply.journal import Journal
from permmigrate.apply.live import Live
from permmigrate.apply.outcome import Result
from permmigrate.apply.past import past
from permmigrate.apply.reading import Pace
from permmigrate.apply.run import Asked, Run
from permmigrate.cloudinary.credentials import AccountKeyPair, from_environment
from permmigrate.cloudinary.session import Patience, Timing
from permmigrate.cloudinary.writer import Writer
from permmigrate.model import (
    EnvironmentId,
    FolderId,
    PermissionType,
    PolicyId,
    PrincipalRef,
    PrincipalType,
    RoleAssignment,
    RoleId,
    ScopeType,
)
from permmigrate.plan import Definition, Digests, Expected, Kind, Operation, Plan, PolicyBody, RoleBody
from permmigrate.plan.batches import WireLimits
from permmigrate.sandbox import Sandbox
from permmigrate.sandbox.columns import Assignment
from sandbox_variables import variables

ML_USER = RoleId("cld::role::prodenv::ml_user")
REPORTS = RoleId("cld::role::prodenv::reports")
VIEWER = RoleId("cld::role::folder::viewer")
NOON = "2026-11-22T12:00:00Z"
ROLE = RoleBody(
    "Checkers",
    "Made by a plan",
    PermissionType.GLOBAL,
    ScopeType.ENVIRONMENT,
    (PolicyId("cld::policy::global::ml::access"),),
)


def user(number: int, sandbox: Sandbox) -> PrincipalRef:
    return PrincipalRef(PrincipalType.USER, list(sandbox.account.users)[number])


def group(number: int, sandbox: Sandbox) -> PrincipalRef:
    return PrincipalRef(PrincipalType.GROUP, list(sandbox.account.groups)[number])


def grants(sandbox: Sandbox, count: int) -> list[RoleAssignment]:
    """So many assignments that fit: environment roles and folder roles, of users and groups."""
    folders, first = sandbox.account.folders, sandbox.account.environments[0].id
    people = [user(n, sandbox) for n in range(len(sandbox.account.users))]
    everybody = people + [group(n, sandbox) for n in range(len(sandbox.account.groups))]
    found = [RoleAssignment(who, ML_USER, first) for who in people]
    inside = folders.of(0)
    for number in range(max(0, count - len(found))):
        who = everybody[number % len(everybody)]
        folder = FolderId(folders.ids[inside[number // len(everybody) % len(inside)]])
        found.append(RoleAssignment(who, VIEWER, first, folder))
    return found[:count]


def operations(kind: Kind, rows: Iterable[RoleAssignment], wave: int = 1) -> list[Operation]:
    return [Operation(kind, wave, "user_roles.csv:2", row) for row in rows]


def give(sandbox: Sandbox, rows: Iterable[RoleAssignment]) -> None:
    """Let these be held, without a call."""
    for row in rows:
        sandbox.account.assignments.append(as_sandbox(row))


def take(sandbox: Sandbox, row: RoleAssignment) -> None:
    sandbox.account.assignments.remove(as_sandbox(row))


def as_sandbox(row: RoleAssignment) -> Assignment:
    content = ("folder_id", row.folder_id) if row.folder_id else ("", "")
    return Assignment(row.principal.type.value, row.principal.id, row.role_id, row.scope_id, *content, 0)


def holdings(sandbox: Sandbox) -> set[tuple[str, ...]]:
    """Who holds what, without when it was given."""
    return {row[:6] for row in sandbox.account.assignments.rows()}


def plan_of(sandbox: Sandbox, wanted: Iterable[Operation], **fields: Any) -> Plan:
    """A plan made from the account as it is now."""
    wanted = list(wanted)
    named = {one.principal for one in wanted if one.principal}
    held: dict[PrincipalRef, list[RoleAssignment]] = {who: [] for who in named}
    for row in sandbox.account.assignments.rows():
        who = PrincipalRef(PrincipalType(row.principal_type), row.principal_id)
        if who in held:
            folder = FolderId(row.content_id) if row.content_kind == "folder_id" else None
            held[who].append(RoleAssignment(who, RoleId(row.role_id), row.scope_id, folder))
    return Plan.of(
        **{
            "account_id": sandbox.account_id,
            "purpose": "move",
            "created": "2026-11-22T08:00:00Z",
            "expires": "2026-11-23T08:00:00Z",
            "tool_version": "0.1.0",
            "digests": Digests("s", "m", "c"),
            "captured_at": "2026-11-22T07:00:00Z",
            "operations": wanted,
            "held": held,
            "expected": Expected(1, 1, 2000),
            "environments": {one.id: one.cloud_name for one in sandbox.account.environments},
        }
        | fields
    )


def new_role(name: str = "Checkers") -> Operation:
    return Operation(Kind.CREATE_ROLE, 1, "custom_roles.csv:2", Definition(f"new-role/{name}", None, ROLE))


def new_policy(sandbox: Sandbox) -> tuple[Operation, PolicyBody]:
    key = next(iter(sandbox.account.keys))
    statement = (
        f'permit(principal == Cloudinary::APIKey::"{key}",\n  action == Cloudinary::Action::"read",'
        "\n  resource is Cloudinary::Folder);"
    )
    first = sandbox.account.environments[0].id
    body = PolicyBody("Folders for the key", "", ScopeType.ENVIRONMENT, first, statement)
    return Operation(Kind.CREATE_POLICY, 1, "policies.cedar", Definition("new-policy/x", None, body)), body


def pace(pauses: tuple[float, ...] = (0.0, 0.0, 0.0)) -> Pace:
    return Pace(lambda: NOON, lambda seconds: None, pauses)


class _Kept(httpx.HTTPTransport):
    """Stays open from one client to the next: making one reads all certificates."""

    def close(self) -> None:
        """Stay open."""


@cache
def _network() -> httpx.HTTPTransport:
    kept = _Kept(trust_env=False)
    atexit.register(httpx.HTTPTransport.close, kept)
    return kept


@contextmanager
def writer(sandbox: Sandbox, url: str, timeout: float = 5.0, attempts: int = 6) -> Iterator[Writer]:
    """The writing client, which does not rest between attempts."""
    credentials = from_environment(variables(sandbox, url))
    with Writer(
        AccountKeyPair(credentials.account_id, credentials.account),
        credentials.environments,
        {one.id: one.cloud_name for one in sandbox.account.environments},
        api_url=url,
        patience=Patience(attempts=attempts, base=0),
        timing=Timing(sleep=lambda seconds: None, now=lambda: datetime.datetime.now(datetime.UTC)),
        timeout=httpx.Timeout(timeout),
        rate_share=1.0,
        inner=_network(),
    ) as live:
        yield live


def run(
    plan: Plan,
    live: Live,
    path: Path,
    sandbox: Sandbox,
    *,
    asked: Asked | None = None,
    size: int = 100,
    pace_: Pace | None = None,
    journal_of: Callable[[Journal], Journal] = lambda journal: journal,
    held: Mapping[PrincipalRef, frozenset[RoleAssignment]] | None = None,
) -> Result:
    """Begin the journal, or go on with it, and run."""
    here = pace_ or pace()
    earlier = None
    if path.exists() and path.stat().st_size:
        journal, chain = Journal.resume(path, here.now)
        earlier = past(chain)
    else:
        journal = Journal.begin(path, {"plan": plan.digest}, here.now)
    environments = [EnvironmentId(one.id) for one in sandbox.account.environments]
    with journal:
        return Run(
            plan,
            live,
            journal_of(journal),
            environments,
            here,
            asked=asked,
            limits=WireLimits(principals=size),
            past=earlier,
            held=held,
        ).go()
