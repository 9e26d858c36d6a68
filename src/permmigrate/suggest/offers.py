"""What can be given: the roles of the live catalog by level and holder, and single policies for new roles.

A role that forbids, or whose policies are not decided exactly, is never offered: what it would take away or
give cannot be weighed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property

from permmigrate.catalog import Catalog, refusal
from permmigrate.entitlements import Entitlements, Masks, Place
from permmigrate.entitlements.before import Before
from permmigrate.entitlements.compiled import Bundle, Compiler
from permmigrate.entitlements.custom import CEDAR_TYPES
from permmigrate.entitlements.grants import bound
from permmigrate.mapping import LegacyKind
from permmigrate.mapping.custom_roles import extended, policy_level
from permmigrate.mapping.tables import MappingTables
from permmigrate.model import (
    ContentKind,
    ManagementType,
    Policy,
    PolicyId,
    PrincipalType,
    Role,
    RoleId,
    ScopeType,
)
from permmigrate.snapshot import Snapshot
from permmigrate.suggest.scale import HERE, ByPlace, Scale

_SINGLE = "one-policy/"
_KEYS = {PrincipalType.API_KEY: LegacyKind.API_KEY, PrincipalType.ACCOUNT_KEY: LegacyKind.ACCOUNT_KEY}


@dataclass(frozen=True)
class Offers:
    """The catalog of one snapshot, compiled once."""

    snapshot: Snapshot
    tables: MappingTables

    @cached_property
    def catalog(self) -> Catalog:
        """The catalog with the roles of custom_roles.csv."""
        return extended(self.snapshot.catalog, self.tables.custom_roles)

    @cached_property
    def _entitlements(self) -> Entitlements:
        """Over a catalog that also has a role of each single policy, so that policies compile like roles."""
        singles = {single.id: single for single in map(_single, self.catalog.policies.values())}
        catalog = replace(self.catalog, roles={**self.catalog.roles, **singles})
        return Entitlements(replace(self.snapshot, catalog=catalog), self.tables, ())

    @property
    def compiler(self) -> Compiler:
        return self._entitlements.compiler

    @property
    def before(self) -> Before:
        return self._entitlements.before

    def scale(self, scope: ScopeType, holder: PrincipalType) -> Scale:
        """The units that a scope's atoms are counted in for one kind of holder."""
        key = (scope, holder)
        if key not in self._scales:
            universe = self.compiler.universes[scope]
            asks_as = PrincipalType.API_KEY if holder is PrincipalType.ACCOUNT_KEY else holder
            valid = universe.valid_for.get(CEDAR_TYPES[asks_as], universe.full)
            if holder in _KEYS:
                valid &= ~self.compiler.moot(_KEYS[holder], scope)
            self._scales[key] = Scale(universe, scope, valid, self.tables)
        return self._scales[key]

    @cached_property
    def _scales(self) -> dict[tuple[ScopeType, PrincipalType], Scale]:
        return {}

    def roles(self, level: str, holder: PrincipalType) -> tuple[Role, ...]:
        """The roles of a level that this kind of principal can hold with effect, system roles first."""
        usable = (
            role
            for role in self.snapshot.catalog.roles.values()
            if role.level == level and not refusal(role, holder) and self._is_exact(role.id)
        )
        return tuple(sorted(usable, key=lambda r: (r.management_type is ManagementType.CUSTOM, r.id)))

    def permitted(self, role_ids: Iterable[RoleId], kind: ContentKind | None) -> ByPlace:
        """What roles permit together; on the folder or collection of a share where `kind` says so."""
        return together((self.compiler.role(role_id) for role_id in role_ids), kind)

    def policies(self, level: str) -> tuple[PolicyId, ...]:
        """The policies that a role of the level can be made of."""
        return tuple(
            policy.id
            for policy in self.catalog.policies.values()
            if policy_level(policy) == level and self._is_exact(single_id(policy.id))
        )

    def _is_exact(self, role_id: RoleId) -> bool:
        masks = self.compiler.role(role_id).masks.values()
        return not any(m.forbid | m.opaque_permit | m.opaque_forbid for m in masks)


def single_id(policy_id: PolicyId) -> RoleId:
    """The role that stands for one policy."""
    return RoleId(_SINGLE + policy_id)


def together(bundles: Iterable[Bundle], kind: ContentKind | None) -> ByPlace:
    """The masks of several bundles by place; `kind` binds their placeholder to the share's own content."""
    content = {kind.value: HERE} if kind else {}
    found: dict[Place, Masks] = {}
    for bundle in bundles:
        for place, masks in bundle.masks.items():
            here = bound(place, content)
            if here is not None:
                found[here] = found.get(here, Masks()) | masks
    return found


def _single(policy: Policy) -> Role:
    return Role(
        id=single_id(policy.id),
        name=policy.name,
        description="",
        management_type=ManagementType.CUSTOM,
        permission_type=policy.permission_type,
        scope_type=policy.scope_type,
        policy_ids=(policy.id,),
        parameters=policy.parameters,
    )
