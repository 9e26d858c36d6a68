"""Custom policies as grants: they name their principals themselves, may forbid, and stand on both sides."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

from permmigrate.cedar import PrincipalConstraint, Rule, Unparsed, parse
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

ALL_GROUPS: Final = PrincipalConstraint("is", CEDAR_TYPES[PrincipalType.GROUP])
MEMBERS: Final = PrincipalConstraint("member")
"""Not Cedar: stands for users who are in some group."""
_Entities = set[tuple[str, str]]


class _Named(NamedTuple):
    """A grant of a custom policy, whom it names, and the sides it stands on."""

    head: PrincipalConstraint
    grant: Grant
    before: bool
    after: bool


def _essence(custom: CustomPolicy) -> tuple[ScopeType, str | None, str]:
    """What a custom policy does: two of the same essence are one policy, whatever they are called."""
    return custom.scope_type, custom.scope_id, custom.statement


@dataclass
class Custom:
    """The enabled custom policies, before and after."""

    snapshot: Snapshot
    """Its custom policies and groups are those of the after side."""
    compiler: Compiler
    earlier: Snapshot
    """The before side's; the same one when nothing but roles is compared."""

    def grants(self, principal: PrincipalRef, scope: str) -> tuple[list[Grant], list[Grant]]:
        """What the custom policies that name the principal, its type, its group or anybody give each side."""
        own = (CEDAR_TYPES[principal.type], str(principal.id))
        earlier, later = self._groups(principal)
        found = self._by_scope.get(scope, ())
        return (
            [entry.grant for entry in found if entry.before and _names(entry.head, own, earlier)],
            [entry.grant for entry in found if entry.after and _names(entry.head, own, later)],
        )

    def heads(self, principal: PrincipalRef) -> tuple[tuple[str, str], ...]:
        """The principal and its groups as far as custom policies name them, those before and those after."""
        named = self._named
        if not named:
            return ()
        own = (CEDAR_TYPES[principal.type], str(principal.id))
        earlier, later = self._groups(principal)
        return (
            *sorted(named & {own}),
            *sorted(named & earlier),
            ("", ""),
            *sorted(named & later),
        )

    def _groups(self, principal: PrincipalRef) -> tuple[_Entities, _Entities]:
        """The principal's groups, before and after."""
        later = _groups(self.snapshot, principal)
        return (later if self.earlier is self.snapshot else _groups(self.earlier, principal)), later

    @cached_property
    def _named(self) -> frozenset[tuple[str, str]]:
        heads = (entry.head for found in self._by_scope.values() for entry in found)
        return frozenset((head.type, head.id) for head in heads if head.op in ("==", "in"))

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
    def _by_scope(self) -> Mapping[str, list[_Named]]:
        earlier = {_essence(custom): custom for custom in self.earlier.custom_policies if custom.enabled}
        later = {_essence(custom): custom for custom in self.snapshot.custom_policies if custom.enabled}
        found: dict[str, list[_Named]] = {}
        for essence, custom in (earlier | later).items():
            sides = essence in earlier, essence in later
            named = [_Named(head, grant, *sides) for head, grant in self._bind(custom, all(sides))]
            for scope in self.scopes(custom):
                found.setdefault(scope, []).extend(named)
        return found

    def _bind(self, custom: CustomPolicy, shared: bool) -> Iterator[tuple[PrincipalConstraint, Grant]]:
        text = f"custom policy {custom.name}"
        cause = "" if shared else text
        parsed, rules = parse(custom.statement), self.rules(custom)
        if isinstance(parsed, Unparsed):
            everything = self.compiler.universes[custom.scope_type].full
            masks = Masks(opaque_permit=everything, opaque_forbid=everything)
            reason = f"{text} is not Cedar that can be read: {parsed.reason}"
            yield PrincipalConstraint(), Grant(Place(), masks, text, cause, ((everything, reason),), shared)
        for rule in rules:
            reason = f"{text} has {rule.opaque}, which is not decided"
            reasons = ((rule.mask, reason),) if rule.opaque else ()
            yield rule.principal, Grant(place_of(rule), rule_masks(rule), text, cause, reasons, shared)
            if rule.principal == ALL_GROUPS:
                masks = rule_masks(replace(rule, opaque="not decided for members"))
                reasons = ((rule.mask, f"{text} is for groups: not known whether it reaches their members"),)
                yield MEMBERS, Grant(place_of(rule), masks, text, cause, reasons, shared)


def _groups(snapshot: Snapshot, principal: PrincipalRef) -> _Entities:
    """The principal's groups as Cedar entities."""
    if principal.type is not PrincipalType.USER:
        return set()
    ids = snapshot.groups_of.get(UserId(principal.id), ())
    return {(CEDAR_TYPES[PrincipalType.GROUP], group_id) for group_id in ids}


def _names(head: PrincipalConstraint, own: tuple[str, str], groups: _Entities) -> bool:
    match head.op:
        case "==" | "in":
            return (head.type, head.id) in {own} | groups
        case "is":
            return head.type == own[0]
        case MEMBERS.op:
            return bool(groups)
        case _:
            return True
