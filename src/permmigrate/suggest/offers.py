"""What can be given: the roles of the live catalog by level and holder, and single policies for new roles.

A role that forbids is never offered: what it would take away cannot be weighed. A policy with a condition
that is not decided gives what it gives where the condition holds; nothing narrower is known to give the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from permmigrate.catalog import Catalog, refusal
from permmigrate.entitlements import Entitlements, Masks, Place
from permmigrate.entitlements.before import Before
from permmigrate.entitlements.compiled import FOLDER_OR_COLLECTION, Bundle, Compiler
from permmigrate.entitlements.custom import CEDAR_TYPES
from permmigrate.entitlements.grants import bound
from permmigrate.mapping import Granted, LegacyKind
from permmigrate.mapping.custom_roles import extended, policy_level
from permmigrate.mapping.tables import MappingTables
from permmigrate.model import (
    ContentKind,
    ManagementType,
    PermissionType,
    Policy,
    PolicyId,
    PrincipalType,
    Role,
    RoleId,
    ScopeType,
)
from permmigrate.snapshot import Snapshot
from permmigrate.suggest.scale import HERE, ByPlace, Scale, where

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
            if role.level == level and not refusal(role, holder) and self._only_permits(role.id)
        )
        return tuple(sorted(usable, key=lambda r: (r.management_type is ManagementType.CUSTOM, r.id)))

    def permitted(self, role_ids: Iterable[RoleId], kind: ContentKind | None) -> ByPlace:
        """What roles permit together; on the folder or collection of a share where `kind` says so."""
        found: dict[Place, Masks] = {}
        for role_id in role_ids:
            _add(found, self.compiler.role(role_id), kind)
            for policy_id in self._entitlements.snapshot.catalog.roles[role_id].policy_ids:
                for place, mask in self._conditional(policy_id, kind):
                    found[place] = found.get(place, Masks()) | Masks(permit=mask)
        return found

    def legacy(self, kind: LegacyKind, legacy: str, scope: ScopeType) -> ByPlace:
        """What a legacy role or kind of key permitted, by the baseline."""
        found: dict[Place, Masks] = {}
        _add(found, self.compiler.legacy(kind, legacy, scope), None)
        for policy in self.catalog.policies.values():
            if policy.scope_type is scope and policy.permission_type is PermissionType.GLOBAL:
                granted = self.tables.baseline(kind, legacy, policy).granted
                self._add_conditional(found, policy.id, None, granted)
        return found

    def share(self, kind: ContentKind, level: str, user_role: str | None) -> ByPlace:
        """What a share permitted to a user of a legacy role; to the group itself when that is None."""
        found: dict[Place, Masks] = {}
        _add(found, self.compiler.share(kind, level, user_role), kind)
        for policy in self.catalog.policies.values():
            if policy.permission_type is PermissionType.CONTENT and kind.parameter in policy.parameters:
                granted = self.tables.baseline(FOLDER_OR_COLLECTION[kind], level, policy).granted
                if user_role is not None:
                    gate = self.tables.baseline(LegacyKind.USER_ROLE, user_role, policy).granted
                    granted = gate if granted is Granted.YES or gate is Granted.NO else granted
                self._add_conditional(found, policy.id, kind, granted)
        return found

    def _add_conditional(
        self, found: dict[Place, Masks], policy_id: PolicyId, kind: ContentKind | None, granted: Granted
    ) -> None:
        for place, mask in self._conditional(policy_id, kind):
            if granted is Granted.YES:
                found[place] = found.get(place, Masks()) | Masks(permit=mask)
            elif granted is Granted.UNKNOWN:
                found[place] = found.get(place, Masks()) | Masks(maybe=mask)

    def _conditional(self, policy_id: PolicyId, kind: ContentKind | None) -> Iterator[tuple[Place, int]]:
        """Where the undecided conditions of a policy hold, as places of their own, and what it permits."""
        if policy_id in self._undecided:
            for place, masks in _bound_masks(self.compiler.role(single_id(policy_id)), kind):
                if masks.opaque_permit:
                    yield where(place, policy_id), masks.opaque_permit

    @cached_property
    def _undecided(self) -> frozenset[PolicyId]:
        """The policies that permit something under a condition that is not decided."""
        return frozenset(
            policy_id
            for policy_id in self.catalog.policies
            if policy_id not in self.compiler.unparsed
            and any(m.opaque_permit for m in self.compiler.role(single_id(policy_id)).masks.values())
        )

    def policies(self, level: str) -> tuple[PolicyId, ...]:
        """The policies that a role of the level can be made of."""
        return tuple(
            policy.id
            for policy in self.catalog.policies.values()
            if policy_level(policy) == level and self._only_permits(single_id(policy.id))
        )

    def _only_permits(self, role_id: RoleId) -> bool:
        masks = self.compiler.role(role_id).masks.values()
        return not any(m.forbid | m.opaque_forbid for m in masks)


def single_id(policy_id: PolicyId) -> RoleId:
    """The role that stands for one policy."""
    return RoleId(_SINGLE + policy_id)


def _add(found: dict[Place, Masks], bundle: Bundle, kind: ContentKind | None) -> None:
    """Add a bundle's masks; what it permits under undecided conditions has places of its own."""
    for here, masks in _bound_masks(bundle, kind):
        if not masks.opaque_forbid:
            masks = masks._replace(opaque_permit=0)
        found[here] = found.get(here, Masks()) | masks


def _bound_masks(bundle: Bundle, kind: ContentKind | None) -> Iterator[tuple[Place, Masks]]:
    """The masks by place; `kind` binds their placeholder to the share's own content."""
    content = {kind.value: HERE} if kind else {}
    for place, masks in bundle.masks.items():
        here = bound(place, content)
        if here is not None:
            yield here, masks


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
