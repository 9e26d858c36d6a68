"""The smaller things that a mapping row or an assigned role could give, and a comparison of those concerned.

It makes other inputs for a comparison; what comes out of them is `counterfactuals`'s business.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field, fields, replace
from datetime import date
from typing import TYPE_CHECKING, Any, Final

from permmigrate.catalog import Catalog
from permmigrate.diff.compare import compare
from permmigrate.diff.value import Diff
from permmigrate.mapping.custom_roles import with_new_roles
from permmigrate.mapping.rows import BundleRow, Target, TargetRow, TargetType
from permmigrate.mapping.tables import MappingTables
from permmigrate.model import (
    ManagementType,
    PolicyId,
    PrincipalRef,
    PrincipalType,
    Role,
    RoleAssignment,
    RoleId,
    UserId,
)
from permmigrate.snapshot import Snapshot

if TYPE_CHECKING:
    from permmigrate.diff.solve_ask import Answers

ASSIGNED: Final = "assigned "
"""What the cause of a role that is assigned already begins with."""

ALTERNATIVES: Final = 4
"""How many lesser roles or bundles are tried, the largest first."""

NOTHING: Final = "nothing"
_KEYS: Final = (PrincipalType.API_KEY, PrincipalType.ACCOUNT_KEY)


@dataclass(frozen=True)
class Compared:
    """What a comparison was made of, to make others like it."""

    snapshot: Snapshot
    tables: MappingTables
    today: date
    assigned: Snapshot | None = None
    answers: Answers = field(default_factory=dict, compare=False, repr=False)
    """What the solver said, for all of them."""

    def again(self, tool_version: str = "") -> Diff:
        return compare(
            self.snapshot,
            self.tables,
            today=self.today,
            tool_version=tool_version,
            assigned=self.assigned,
            answers=self.answers,
        )


def lesser_changes(compared: Compared, cause: str) -> Iterator[tuple[str, Compared]]:
    """Every smaller thing that the cause could give, in words, and the comparison with it."""
    if cause.startswith(ASSIGNED):
        yield from _role_changes(compared, RoleId(cause.removeprefix(ASSIGNED)))
        return
    row = next((row for row in compared.tables.target_rows() if str(row.ref) == cause), None)
    if row is not None:
        catalog = with_new_roles(compared.snapshot, compared.tables).catalog
        targets = [(name, replace(row.target, name=name)) for name in _lesser(row, compared.tables, catalog)]
        for name, target in (*targets, (NOTHING, Target(TargetType.NONE, "", row.target.scope))):
            yield name, replace(compared, tables=_with_target(compared.tables, row, target))


def _lesser(row: TargetRow, tables: MappingTables, catalog: Catalog) -> list[str]:
    if row.target.type is TargetType.BUNDLE:
        return _lesser_bundles(row.target.name, tables, catalog)
    role = catalog.resolve(row.target.name)
    return (
        [_selector(each, catalog) for each in lesser_roles(role, catalog)] if isinstance(role, Role) else []
    )


def lesser_roles(role: Role, catalog: Catalog) -> tuple[Role, ...]:
    """Roles of the same level that hold some of a role's policies and no others, the largest first."""
    wanted = frozenset(role.policy_ids)
    found = [
        other
        for other in catalog.roles.values()
        if other.level == role.level and other.parameters == role.parameters
        if other.policy_ids and frozenset(other.policy_ids) < wanted
    ]
    order = sorted(
        found, key=lambda r: (-len(r.policy_ids), r.management_type is ManagementType.CUSTOM, r.id)
    )
    return tuple(order[:ALTERNATIVES])


def _selector(role: Role, catalog: Catalog) -> str:
    """`folder/Viewer` where that is one role, else its id."""
    selector = f"{role.level}/{role.name}"
    return selector if catalog.resolve(selector) == role else role.id


def _lesser_bundles(name: str, tables: MappingTables, catalog: Catalog) -> list[str]:
    """Bundles that hold some of a bundle's policies, account and environment apart, and no others."""
    names = dict.fromkeys(part.bundle for part in tables.bundles)
    held = {each: _policies(tables.bundle(each), catalog) for each in names}
    whole = _policies(tables.bundle(name), catalog)
    found = [each for each in names if held[each] and held[each] < whole]
    return sorted(found, key=lambda each: (-len(held[each]), each))[:ALTERNATIVES]


def _policies(parts: Iterable[BundleRow], catalog: Catalog) -> frozenset[tuple[str, PolicyId]]:
    roles = [catalog.resolve(part.role) for part in parts]
    return frozenset(
        (role.level, policy) for role in roles if isinstance(role, Role) for policy in role.policy_ids
    )


def _with_target(tables: MappingTables, row: TargetRow, target: Target) -> MappingTables:
    """The tables with another target in one of their rows."""
    name = next(one.name for one in fields(tables) if one.init and row in getattr(tables, one.name))
    rows = tuple(replace(each, target=target) if each == row else each for each in getattr(tables, name))
    content: dict[str, Any] = {name: rows}
    return replace(tables, **content)


def _role_changes(compared: Compared, role_id: RoleId) -> Iterator[tuple[str, Compared]]:
    """Every lesser role in the place of one that is assigned, and none."""
    later = compared.assigned or compared.snapshot
    role = later.catalog.roles.get(role_id)
    lesser = lesser_roles(role, later.catalog) if role is not None else ()
    for other in (*lesser, None):
        changed = replace(later, assignments=tuple(_given(later.assignments, role_id, other)))
        name = NOTHING if other is None else _selector(other, later.catalog)
        if compared.assigned is None:
            yield name, replace(compared, snapshot=changed)
        else:
            yield name, replace(compared, assigned=changed)


def _given(
    assignments: Iterable[RoleAssignment], role_id: RoleId, other: Role | None
) -> Iterator[RoleAssignment]:
    for assignment in assignments:
        if assignment.role_id != role_id:
            yield assignment
        elif other is not None:
            yield replace(assignment, role_id=other.id)


def restrict(snapshot: Snapshot, principals: Collection[PrincipalRef]) -> Snapshot:
    """The snapshot with these principals and the groups they are in, and nobody else.

    What it says of these principals is what the whole snapshot says.
    """
    ids = {kind: {p.id for p in principals if p.type is kind} for kind in PrincipalType}
    users = ids[PrincipalType.USER]
    groups = ids[PrincipalType.GROUP] | {
        group for user in users for group in snapshot.groups_of.get(UserId(user), ())
    }
    holders = {PrincipalType.USER: users, PrincipalType.GROUP: groups, **{k: ids[k] for k in _KEYS}}
    return replace(
        snapshot,
        users=tuple(user for user in snapshot.users if user.id in users),
        groups=tuple(
            replace(group, member_ids=tuple(m for m in group.member_ids if m in users))
            for group in snapshot.groups
            if group.id in groups
        ),
        api_keys=tuple(key for key in snapshot.api_keys if key.id in ids[PrincipalType.API_KEY]),
        account_keys=tuple(key for key in snapshot.account_keys if key.id in ids[PrincipalType.ACCOUNT_KEY]),
        shares=tuple(s for s in snapshot.shares if s.principal.id in holders[s.principal.type]),
        assignments=tuple(a for a in snapshot.assignments if a.principal.id in holders[a.principal.type]),
    )
