"""Plain builders for plans, with dull defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from permmigrate.catalog import Catalog
from permmigrate.model import (
    CollectionId,
    EnvironmentId,
    FolderId,
    LedgerEntry,
    PermissionType,
    PolicyId,
    PrincipalRef,
    PrincipalType,
    ProductEnvironment,
    ReadStatus,
    RoleAssignment,
    RoleId,
    ScopeType,
    User,
    UserId,
)
from permmigrate.plan import Definition, Digests, Expected, Kind, Operation, Plan, PolicyBody, RoleBody
from permmigrate.snapshot import Snapshot

CREATED = "2026-11-22T10:00:00Z"
EXPIRES = "2026-11-23T10:00:00Z"
PEOPLE = ("u-1", "u-2", "u-3")
READ = tuple(
    LedgerEntry(area, "GET", "", ReadStatus.READ, 1, 200) for area in ("assignments", "roles", "people")
)


def user(identity: str) -> PrincipalRef:
    return PrincipalRef(PrincipalType.USER, identity)


def group(identity: str) -> PrincipalRef:
    return PrincipalRef(PrincipalType.GROUP, identity)


def account_key(identity: str) -> PrincipalRef:
    return PrincipalRef(PrincipalType.ACCOUNT_KEY, identity)


def assigned(
    principal: PrincipalRef,
    role: str = "cld::role::prodenv::ml_user",
    scope: str | None = "env-1",
    *,
    folder: str | None = None,
    collection: str | None = None,
) -> RoleAssignment:
    return RoleAssignment(
        principal,
        RoleId(role),
        scope,
        FolderId(folder) if folder else None,
        CollectionId(collection) if collection else None,
    )


def adding(assignment: RoleAssignment, wave: int = 1, cause: str = "user_roles.csv:2") -> Operation:
    return Operation(Kind.ASSIGN, wave, cause, assignment)


def removing(assignment: RoleAssignment, wave: int = 1, cause: str = "not in the mapping") -> Operation:
    return Operation(Kind.REMOVE, wave, cause, assignment)


def role_body(name: str = "Upload manager", *policies: str) -> RoleBody:
    ids = tuple(sorted(PolicyId(each) for each in policies or ("cld::policy::global::ml::access",)))
    return RoleBody(name, "", PermissionType.GLOBAL, ScopeType.ENVIRONMENT, ids)


def policy_body(
    name: str = "Read Clothing", statement: str = "permit(principal, action, resource);"
) -> PolicyBody:
    return PolicyBody(name, "", ScopeType.ENVIRONMENT, "env-1", statement)


def creating(body: RoleBody, wave: int = 1) -> Operation:
    return Operation(Kind.CREATE_ROLE, wave, "roles.csv:2", Definition(f"new-role/{body.name}", None, body))


def plan(
    operations: Iterable[Operation] = (),
    held: Mapping[PrincipalRef, Iterable[RoleAssignment]] | None = None,
    **others: Any,
) -> Plan:
    """A plan of these operations; what their principals held is nothing unless said."""
    operations = tuple(operations)
    known: dict[PrincipalRef, Iterable[RoleAssignment]] = {
        each.principal: () for each in operations if each.principal is not None
    }
    given: dict[str, Any] = {
        "account_id": "acc-1",
        "purpose": "move",
        "created": CREATED,
        "expires": EXPIRES,
        "tool_version": "0.0",
        "digests": Digests("5" * 64, "6" * 64, Catalog.of((), ()).digest),
        "captured_at": CREATED,
        "expected": Expected(len(operations), 1, 2_000),
    }
    return Plan.of(operations=operations, held=known | dict(held or {}), **(given | others))


def live(*rows: RoleAssignment, people: tuple[str, ...] = PEOPLE, **changes: object) -> Snapshot:
    """What was read of an account in which these assignments are."""
    given_: dict[str, object] = {
        "account_id": "acc-1",
        "captured_at": "2026-11-22T12:00:00Z",
        "tool_version": "0",
        "environments": (ProductEnvironment(EnvironmentId("env-1"), "cloud", "Production", True),),
        "users": tuple(
            User(id=UserId(each), email=f"{each}@x.example", name=each, legacy_role="admin")
            for each in people
        ),
        "assignments": rows,
        "catalog": Catalog.of((), ()),
        "ledger": READ,
    }
    return Snapshot.of(**(given_ | changes))  # type: ignore[arg-type]
