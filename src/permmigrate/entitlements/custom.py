"""Custom policies as grants: they name their principals themselves, may forbid, and stand on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from permmigrate.cedar import PrincipalConstraint, Rule
from permmigrate.entitlements.before import ACCOUNT_SCOPE
from permmigrate.entitlements.compiled import Compiler, place_of
from permmigrate.entitlements.grants import Grant, Masks, Place, rule_masks
from permmigrate.model import ALL_ENVIRONMENTS, CustomPolicy, PrincipalRef, PrincipalType, ScopeType, UserId
from permmigrate.snapshot import Snapshot

CEDAR_TYPES: Final = {
    PrincipalType.USER: "Cloudinary::User",
    PrincipalType.GROUP: "Cloudinary::Group",
    PrincipalType.API_KEY: "Cloudinary::APIKey",
    PrincipalType.ACCOUNT_KEY: "Cloudinary::ProvisioningKey",
}
"""The last is an assumption: no Cedar entity for account keys has been seen."""


@dataclass
class Custom:
    """The enabled custom policies of one snapshot."""

    snapshot: Snapshot
    compiler: Compiler

    def grants(self, principal: PrincipalRef, scope: str) -> list[Grant]:
        """The custom policies that name the principal, its type, one of its groups, or anybody."""
        named = {(CEDAR_TYPES[principal.type], principal.id)}
        if principal.type is PrincipalType.USER:
            groups = self.snapshot.groups_of.get(UserId(principal.id), ())
            named |= {(CEDAR_TYPES[PrincipalType.GROUP], group_id) for group_id in groups}
        return [grant for head, grant in self._by_scope.get(scope, ()) if _names(head, named)]

    def scopes(self, custom: CustomPolicy) -> tuple[str, ...]:
        """The scopes a custom policy reaches among those the snapshot knows."""
        if custom.scope_type is ScopeType.ACCOUNT:
            return (ACCOUNT_SCOPE,)
        if custom.scope_id in (None, ALL_ENVIRONMENTS):
            return tuple(environment.id for environment in self.snapshot.environments)
        return (custom.scope_id,) if custom.scope_id in self.snapshot.environment_by_id else ()

    def rules(self, custom: CustomPolicy) -> tuple[Rule, ...]:
        return self.compiler.rules(custom.id, custom.statement, custom.scope_type)

    @cached_property
    def _by_scope(self) -> Mapping[str, list[tuple[PrincipalConstraint, Grant]]]:
        found: dict[str, list[tuple[PrincipalConstraint, Grant]]] = {}
        for custom in self.snapshot.custom_policies:
            if custom.enabled:
                pairs = list(self._bind(custom))
                for scope in self.scopes(custom):
                    found.setdefault(scope, []).extend(pairs)
        return found

    def _bind(self, custom: CustomPolicy) -> Iterator[tuple[PrincipalConstraint, Grant]]:
        text = f"custom policy {custom.name}"
        rules = self.rules(custom)
        if custom.id in self.compiler.unparsed:
            everything = self.compiler.universes[custom.scope_type].full
            masks = Masks(opaque_permit=everything, opaque_forbid=everything)
            reason = f"{text} is not Cedar that can be read: {self.compiler.unparsed[custom.id]}"
            yield PrincipalConstraint(), Grant(Place(), masks, text, "", ((everything, reason),), shared=True)
        for rule in rules:
            reason = f"{text} has {rule.opaque}, which is not decided"
            reasons = ((rule.mask, reason),) if rule.opaque else ()
            yield rule.principal, Grant(place_of(rule), rule_masks(rule), text, "", reasons, shared=True)


def _names(head: PrincipalConstraint, named: set[tuple[str, str]]) -> bool:
    match head.op:
        case "==" | "in":
            return (head.type, head.id) in named
        case "is":
            return any(type_ == head.type for type_, _ in named)
        case _:
            return True
