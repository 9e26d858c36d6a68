"""Custom roles that the tables define and the account does not have yet: custom_roles.csv.

Rows name such a role as `new-role/<name>`. Here it becomes a role among the catalog's, so that translation
and comparison treat it like any other; creating it is the plan's business.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from permmigrate.catalog import LEVELS, Catalog
from permmigrate.mapping.globs import matches
from permmigrate.mapping.notices import Notice, error, warning
from permmigrate.mapping.reading import Cells, did_you_mean
from permmigrate.mapping.rows import Row
from permmigrate.mapping.schema import Table
from permmigrate.model import (
    ContentKind,
    ManagementType,
    PermissionType,
    Policy,
    PolicyId,
    Role,
    RoleId,
    ScopeType,
)
from permmigrate.snapshot import Snapshot

if TYPE_CHECKING:
    from permmigrate.mapping.tables import MappingTables

NEW_ROLE: Final = "new-role/"
"""What a target begins with that names a role of custom_roles.csv."""

CUSTOM_LEVELS: Final = tuple(level for level in LEVELS if level != ContentKind.COLLECTION)
"""Collection roles are system roles only (the vendor's roles overview)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomRoleRow(Row):
    """custom_roles.csv: a role to be created, and the system policies it is made of."""

    role: str
    level: str
    """`account`, `environment` or `folder`."""
    policies: tuple[str, ...]
    """Policy ids, or globs on them."""
    description: str = ""

    @property
    def id(self) -> RoleId:
        """What stands for the role until the account has given it an id."""
        return RoleId(NEW_ROLE + self.role)


def parse(cells: Cells) -> CustomRoleRow:
    """Read one row; policies are separated by spaces."""
    return CustomRoleRow(
        origin=cells.origin(),
        role=cells.required("role", "any name; rows give the role as `new-role/` and this name"),
        level=cells.word("level", CUSTOM_LEVELS),
        policies=tuple(dict.fromkeys(cells.required("policies", "policy ids, with spaces between").split())),
        description=cells.optional("description"),
    )


CUSTOM_ROLES: Final = Table(
    "custom_roles.csv",
    ("role", "level", "policies", "description", "source", "confidence", "note"),
    parse,
    may_be_absent=True,
)


def role_of(row: CustomRoleRow, catalog: Catalog) -> Role:
    """The role as it would be created: every policy of its level that the row names."""
    content = row.level == ContentKind.FOLDER
    found = {p.id for pattern in row.policies for p in _matching(pattern, row.level, catalog)}
    return Role(
        id=row.id,
        name=row.role,
        description=row.description,
        management_type=ManagementType.CUSTOM,
        permission_type=PermissionType.CONTENT if content else PermissionType.GLOBAL,
        scope_type=ScopeType.ACCOUNT if row.level == "account" else ScopeType.ENVIRONMENT,
        policy_ids=tuple(sorted(found)),
        parameters=(ContentKind.FOLDER.parameter,) if content else (),
    )


def policy_level(policy: Policy) -> str:
    """The level of the roles that a policy can be part of."""
    if policy.permission_type is PermissionType.CONTENT:
        on_collection = ContentKind.COLLECTION.parameter in policy.parameters
        return ContentKind.COLLECTION if on_collection else ContentKind.FOLDER
    return "account" if policy.scope_type is ScopeType.ACCOUNT else "environment"


def _matching(pattern: str, level: str, catalog: Catalog) -> Iterator[Policy]:
    if pattern in catalog.policies:
        exact = catalog.policies[PolicyId(pattern)]
        if policy_level(exact) == level:
            yield exact
        return
    yield from (p for p in catalog.policies.values() if policy_level(p) == level and matches(pattern, p.id))


def extended(catalog: Catalog, rows: Iterable[CustomRoleRow]) -> Catalog:
    """The catalog with the roles of the rows; one that was created since is the catalog's own.

    A role counts as created when the catalog has a custom one of the same level, name and policies.
    """
    added: dict[RoleId, Role] = {}
    aliases: dict[str, RoleId] = {}
    for row in rows:
        if row.id in catalog.roles:
            continue
        role = role_of(row, catalog)
        there = next((r for r in catalog.roles.values() if _same(r, role)), None)
        if there is None:
            added[role.id] = role
        else:
            aliases[role.id] = there.id
    if not added and not aliases:
        return catalog
    roles = dict(sorted({**catalog.roles, **added}.items()))
    return replace(
        catalog,
        roles=roles,
        planned=catalog.planned | frozenset(added),
        aliases={**catalog.aliases, **aliases},
    )


def _same(role: Role, wanted: Role) -> bool:
    return (
        role.management_type is ManagementType.CUSTOM
        and role.level == wanted.level
        and role.name.casefold() == wanted.name.casefold()
        and set(role.policy_ids) == set(wanted.policy_ids)
    )


def with_new_roles(snapshot: Snapshot, tables: MappingTables) -> Snapshot:
    """The snapshot as it is once the roles of custom_roles.csv exist; itself when none is to be created."""
    catalog = extended(snapshot.catalog, tables.custom_roles)
    return snapshot if catalog is snapshot.catalog else replace(snapshot, catalog=catalog)


def notices(tables: MappingTables, catalog: Catalog) -> Iterator[Notice]:
    """What is wrong with the rows: policies that are not there, names taken, roles nobody is given."""
    given = {row.target.name for row in tables.target_rows()} | {part.role for part in tables.bundles}
    lines: dict[str, int] = {}
    for row in tables.custom_roles:
        first = lines.setdefault(row.role.casefold(), row.ref.line)
        if first != row.ref.line:
            yield error(
                "ambiguous", row.ref, f"`{row.role}` is defined in line {first} already", "rename one"
            )
        for pattern in row.policies:
            if catalog.policies and not any(_matching(pattern, row.level, catalog)):
                yield _absent_policy(row, pattern, catalog)
        if row.id not in given:
            yield warning("dead", row.ref, f"no row gives `{row.id}` to anybody", "remove it, or name it")


def _absent_policy(row: CustomRoleRow, pattern: str, catalog: Catalog) -> Notice:
    elsewhere = catalog.policies.get(PolicyId(pattern))
    if elsewhere is not None:
        message = f"`{pattern}` is a policy for {policy_level(elsewhere)} roles, not for {row.level} roles"
        return error("unknown-policy", row.ref, message)
    ids = [policy.id for policy in catalog.policies.values() if policy_level(policy) == row.level]
    message = f"`{pattern}` matches no policy of the catalog for {row.level} roles"
    hint = did_you_mean(pattern, ids)
    return error("unknown-policy", row.ref, message, hint if hint.startswith("did") else "")
