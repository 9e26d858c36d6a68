"""Every way by which policies reach a principal at a spot, on both sides. It knows no masks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from permmigrate.cedar import PrincipalConstraint
from permmigrate.diff.derive_legacy import LegacyWays
from permmigrate.diff.derive_roles import RoleWays
from permmigrate.diff.derive_texts import Bundle, Clause, for_members, sentences
from permmigrate.diff.derive_value import Spot, Way, Ways
from permmigrate.entitlements import Entitlements
from permmigrate.entitlements.custom import CEDAR_TYPES
from permmigrate.mapping import Granted
from permmigrate.model import ALL_ENVIRONMENTS, CustomPolicy, PrincipalRef, ScopeType
from permmigrate.snapshot import Snapshot


@dataclass
class WayFinder:
    """Finds the ways of one comparison."""

    entitlements: Entitlements
    _wide: dict[tuple[PrincipalRef, str], Ways] = field(default_factory=dict)

    @cached_property
    def legacy(self) -> LegacyWays:
        return LegacyWays(self.entitlements)

    @cached_property
    def roles(self) -> RoleWays:
        return RoleWays(self.entitlements, self.legacy)

    def of(self, principal: PrincipalRef, spot: Spot) -> Ways:
        """What bears on the principal when it asks about a resource at this spot."""
        wide = self.wide(principal, spot.scope)
        if not spot.folders and not spot.collections:
            return wide
        local = self.local(principal, spot)
        return Ways(wide.before + local.before, wide.after + local.after)

    def local(self, principal: PrincipalRef, spot: Spot) -> Ways:
        """What bears on it because of the spot's folders and collections."""
        return Ways(tuple(self.legacy.local(principal, spot)), tuple(self.roles.local(principal, spot)))

    def wide(self, principal: PrincipalRef, scope: str) -> Ways:
        """What bears on it everywhere in a scope."""
        key = (principal, scope)
        if key not in self._wide:
            customs = self.customs(scope)
            before = _naming(customs.before, principal, self.legacy.holders(principal))
            after = _naming(customs.after, principal, self.roles.holders(principal))
            self._wide[key] = Ways(
                (*self.legacy.wide(principal, scope), *before), (*self.roles.wide(principal, scope), *after)
            )
        return self._wide[key]

    def customs(self, scope: str) -> Ways:
        """The custom policies of a scope: they name their principals themselves."""
        if scope not in self._customs:
            earlier = self.entitlements.earlier or self.entitlements.snapshot
            self._customs[scope] = Ways(
                tuple(_customs(earlier, scope)), tuple(_customs(self.entitlements.snapshot, scope))
            )
        return self._customs[scope]

    @cached_property
    def _customs(self) -> dict[str, Ways]:
        return {}


def _customs(snapshot: Snapshot, scope: str) -> Iterator[Way]:
    for custom in snapshot.custom_policies:
        if custom.enabled and _is_in(custom, scope):
            clause = Clause.unreadable(custom.id, custom.name, "is not Cedar that can be read")
            if sentences(custom.statement):
                clause = Clause(custom.id, custom.name, for_members(custom.statement), Granted.YES)
            yield Way(f"custom policy {custom.name}", "", Bundle.of([clause]))


def _naming(
    ways: tuple[Way, ...], principal: PrincipalRef, holders: tuple[PrincipalRef, ...]
) -> Iterator[Way]:
    """The custom policies with a statement that can be about the principal, by whom its head names."""
    entities = {(CEDAR_TYPES[holder.type], str(holder.id)) for holder in holders}
    for way in ways:
        said = [s.head for clause in way.policies.clauses for s in sentences(clause.text)]
        if not said or any(_can_name(head, CEDAR_TYPES[principal.type], entities) for head in said):
            yield way


def _can_name(head: PrincipalConstraint, own_type: str, entities: set[tuple[str, str]]) -> bool:
    if head.op in ("==", "in"):
        return (head.type, head.id) in entities
    return head.op != "is" or head.type == own_type


def _is_in(custom: CustomPolicy, scope: str) -> bool:
    if custom.scope_type is ScopeType.ACCOUNT:
        return not scope
    return bool(scope) and custom.scope_id in (None, ALL_ENVIRONMENTS, scope)
