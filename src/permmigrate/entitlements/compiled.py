"""Roles, legacy grants and custom policies as masks, each compiled once. Knows nothing of who holds them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Protocol

from permmigrate.catalog import Catalog
from permmigrate.cedar import ANY, Rule, Statement, Universe, Unparsed, parse
from permmigrate.entitlements.grants import PLACEHOLDERS, Masks, Place, is_own, rule_masks
from permmigrate.mapping import BaselineAnswer, Granted, LegacyKind
from permmigrate.model import ContentKind, CustomPolicy, PermissionType, Policy, PolicyId, RoleId, ScopeType

FOLDER_OR_COLLECTION: Final = {
    ContentKind.FOLDER: LegacyKind.FOLDER_LEVEL,
    ContentKind.COLLECTION: LegacyKind.COLLECTION_LEVEL,
}
Reasons = tuple[tuple[int, str], ...]


class Baseline(Protocol):
    """What answers "did this legacy grant include that policy?" (`mapping.tables.MappingTables` does)."""

    def baseline(self, kind: LegacyKind, legacy: str, policy: Policy) -> BaselineAnswer: ...


@dataclass(slots=True)
class Bundle:
    """The masks of a role or legacy grant by place, placeholders unbound, and why parts are not known."""

    masks: dict[Place, Masks] = field(default_factory=dict)
    reasons: dict[Place, dict[str, int]] = field(default_factory=dict)

    def add(self, place: Place, masks: Masks, reason: str = "") -> None:
        self.masks[place] = self.masks.get(place, Masks()) | masks
        unsure = masks.maybe | masks.opaque_permit | masks.opaque_forbid | masks.inert
        if reason and unsure:
            at_place = self.reasons.setdefault(place, {})
            at_place[reason] = at_place.get(reason, 0) | unsure

    def parts(self) -> Iterator[tuple[Place, Masks, Reasons]]:
        for place, masks in self.masks.items():
            found = self.reasons.get(place, {})
            yield place, masks, tuple((mask, reason) for reason, mask in found.items())


@dataclass
class Compiler:
    """Compiles one snapshot's catalog and custom policies against one baseline; every answer is cached."""

    catalog: Catalog
    custom_policies: tuple[CustomPolicy, ...]
    tables: Baseline
    unparsed: dict[str, str] = field(default_factory=dict)
    """Policy id to the parser's words, for every policy text that is not Cedar."""
    opaque: dict[str, str] = field(default_factory=dict)
    """Policy id to the reason why a statement of it is decided only as a superset."""
    _roles: dict[RoleId, Bundle] = field(default_factory=dict)
    _legacy: dict[tuple[LegacyKind, str, ScopeType], Bundle] = field(default_factory=dict)
    _shares: dict[tuple[ContentKind, str, str | None], Bundle] = field(default_factory=dict)
    _moot: dict[tuple[LegacyKind, ScopeType], int] = field(default_factory=dict)

    @cached_property
    def universes(self) -> Mapping[ScopeType, Universe]:
        """The account's universe and the one all environments share."""
        found: dict[ScopeType, list[Statement]] = {scope: [] for scope in ScopeType}
        for policy in self.catalog.policies.values():
            found[policy.scope_type] += self.statements(policy.id, policy.statement)
        for custom in self.custom_policies:
            found[custom.scope_type] += self.statements(custom.id, custom.statement)
        return {scope: Universe.of(self.catalog.schema, statements) for scope, statements in found.items()}

    def statements(self, policy_id: str, text: str) -> tuple[Statement, ...]:
        """The policy's statements; none for text that is not Cedar, which is noted in `unparsed`."""
        parsed = parse(text)
        if isinstance(parsed, Unparsed):
            self.unparsed[policy_id] = parsed.reason
            return ()
        return parsed

    def rules(
        self, policy_id: str, text: str, scope: ScopeType, *, by_role: bool = False
    ) -> tuple[Rule, ...]:
        """The policy's statements over its scope's universe.

        A policy that comes `by_role` is for whoever holds the role: one that names a principal as well is
        undecided, since what the vendor makes of it is not known.
        """
        rules = tuple(
            self.universes[scope].compile(statement) for statement in self.statements(policy_id, text)
        )
        if by_role:
            rules = tuple(rule if rule.principal.op == ANY else _named(rule) for rule in rules)
        for rule in rules:
            if rule.opaque:
                self.opaque[policy_id] = rule.opaque
        return rules

    @cached_property
    def _policy_rules(self) -> Mapping[PolicyId, tuple[Rule, ...]]:
        return {
            policy.id: self.rules(policy.id, policy.statement, policy.scope_type, by_role=True)
            for policy in self.catalog.policies.values()
        }

    @cached_property
    def named_folders(self) -> frozenset[str]:
        """The folders that system policies name by their ids; none, as far as is known."""
        rules = (rule for found in self._policy_rules.values() for rule in found)
        return frozenset(rule.folder for rule in rules if rule.folder is not None) - PLACEHOLDERS

    @cached_property
    def named_collections(self) -> frozenset[str]:
        """The collections that system policies name by their ids."""
        rules = (rule for found in self._policy_rules.values() for rule in found)
        return frozenset(rule.collection for rule in rules if rule.collection is not None) - PLACEHOLDERS

    @cached_property
    def strays(self) -> bool:
        """Whether some content policy holds elsewhere than on the content it is given on; as far as is known,
        none does."""
        return any(
            not is_own(place_of(rule))
            for policy in self.catalog.policies.values()
            if policy.permission_type is PermissionType.CONTENT
            for rule in self._policy_rules[policy.id]
        )

    def role(self, role_id: RoleId) -> Bundle:
        """What a role of the new system permits; a policy that cannot be read makes everything opaque."""
        if role_id not in self._roles:
            role, bundle = self.catalog.roles[role_id], Bundle()
            for policy_id in role.policy_ids:
                policy = self.catalog.policies.get(policy_id)
                if policy is None or policy_id in self.unparsed:
                    reason = "is not in the catalog" if policy is None else "is not Cedar that can be read"
                    everything = self.universes[role.scope_type].full
                    masks = Masks(opaque_permit=everything, opaque_forbid=everything)
                    bundle.add(Place(), masks, f"policy `{policy_id}` of role {role.name} {reason}")
                    continue
                self._add(bundle, policy, Granted.YES, "")
            self._roles[role_id] = bundle
        return self._roles[role_id]

    def _add(self, bundle: Bundle, policy: Policy, granted: Granted, reason: str) -> None:
        for rule in self._policy_rules[policy.id]:
            why = f"policy {policy.name} has {rule.opaque}, which is not decided" if rule.opaque else reason
            bundle.add(place_of(rule), rule_masks(rule, granted), why)

    def legacy(self, kind: LegacyKind, legacy: str, scope: ScopeType) -> Bundle:
        """What a legacy role or key permitted scope-wide, by the baseline."""
        key = (kind, legacy, scope)
        if key not in self._legacy:
            bundle = Bundle()
            for policy in self.catalog.policies.values():
                if policy.scope_type is scope and policy.permission_type is PermissionType.GLOBAL:
                    answer = self.tables.baseline(kind, legacy, policy)
                    self._add(bundle, policy, answer.granted, _unknown(kind, legacy, policy, answer))
            self._legacy[key] = bundle
        return self._legacy[key]

    def moot(self, kind: LegacyKind, scope: ScopeType) -> int:
        """The atoms that no holder of this kind can use before or after, by the baseline.

        Only what moot policies surely permit, and no other policy of the scope is about, is left out of a
        comparison: a moot row must not hide what a holder may do for another reason.
        """
        key = (kind, scope)
        if key not in self._moot:
            moot = others = 0
            for policy in self.catalog.policies.values():
                if policy.scope_type is scope and policy.permission_type is PermissionType.GLOBAL:
                    is_moot = self.tables.baseline(kind, "*", policy).granted is Granted.MOOT
                    for rule in self._policy_rules[policy.id]:
                        if not is_moot:
                            others |= rule.mask
                        elif rule.effect == "permit" and not rule.opaque:
                            moot |= rule.mask
            self._moot[key] = moot & ~others
        return self._moot[key]

    def share(self, kind: ContentKind, level: str, user_role: str | None) -> Bundle:
        """What a legacy share permitted to a user of this role (None: to the group itself).

        A share counts only as far as the user's role let it: the baseline's rows for the role and the content
        policies are a gate. What the gate shut is kept as `inert`: it may come to life after the move.
        """
        key = (kind, level, user_role)
        if key not in self._shares:
            bundle = Bundle()
            level_kind = FOLDER_OR_COLLECTION[kind]
            for policy in self.catalog.policies.values():
                if policy.permission_type is PermissionType.CONTENT and kind.parameter in policy.parameters:
                    answer = self.tables.baseline(level_kind, level, policy)
                    reason = _unknown(level_kind, level, policy, answer)
                    self._add_gated(bundle, policy, answer.granted, reason, user_role)
            self._shares[key] = bundle
        return self._shares[key]

    def any_share(self, user_role: str | None) -> int:
        """The environment's atoms that some share might permit to a user of this role (None: to a group)."""
        mask = 0
        for policy in self.catalog.policies.values():
            if policy.permission_type is PermissionType.CONTENT and not self._shuts(policy, user_role):
                for rule in self._policy_rules[policy.id]:
                    mask |= rule.mask if rule.effect == "permit" else 0
        return mask

    def _shuts(self, policy: Policy, user_role: str | None) -> bool:
        if user_role is None:
            return False
        return self.tables.baseline(LegacyKind.USER_ROLE, user_role, policy).granted is Granted.NO

    def _add_gated(
        self, bundle: Bundle, policy: Policy, granted: Granted, reason: str, user_role: str | None
    ) -> None:
        if user_role is None or granted is Granted.NO:
            self._add(bundle, policy, granted, reason)
            return
        gate = self.tables.baseline(LegacyKind.USER_ROLE, user_role, policy)
        match gate.granted:
            case Granted.YES:
                self._add(bundle, policy, granted, reason)
            case Granted.UNKNOWN:
                why = _unknown(LegacyKind.USER_ROLE, user_role, policy, gate)
                self._add(bundle, policy, Granted.UNKNOWN, why)
            case Granted.NO | Granted.MOOT:
                where = f" ({gate.row})" if gate.row else ""
                for rule in self._policy_rules[policy.id]:
                    inert = Masks(inert=rule.mask if rule.effect == "permit" else 0)
                    bundle.add(
                        place_of(rule), inert, f"shares had no effect for legacy role {user_role}{where}"
                    )


def _named(rule: Rule) -> Rule:
    reasons = (rule.opaque, "a principal in a role's policy")
    return replace(rule, opaque="; ".join(reason for reason in reasons if reason))


def place_of(rule: Rule) -> Place:
    """Where a rule holds; its literal may still be a placeholder."""
    if rule.folder is not None:
        return Place("folder", rule.folder)
    if rule.collection is not None:
        return Place("collection", rule.collection)
    return Place()


def _unknown(kind: LegacyKind, legacy: str, policy: Policy, answer: BaselineAnswer) -> str:
    if answer.granted is not Granted.UNKNOWN:
        return ""
    what = f"whether {_LEGACY_WORDS[kind].format(legacy_words(kind, legacy))} included {policy.name}"
    return f"not known {what} ({answer.row})" if answer.row else f"no baseline row says {what}"


_LEGACY_WORDS: Final = {
    LegacyKind.USER_ROLE: "the legacy role {}",
    LegacyKind.FOLDER_LEVEL: "{} on a folder",
    LegacyKind.COLLECTION_LEVEL: "{} on a collection",
    LegacyKind.API_KEY: "a legacy API key",
    LegacyKind.ACCOUNT_KEY: "a legacy account key",
}


def legacy_words(kind: LegacyKind, legacy: str) -> str:
    """A legacy role or level as a person writes it: "Can view", `billing`, "(none)"."""
    if kind in (LegacyKind.FOLDER_LEVEL, LegacyKind.COLLECTION_LEVEL):
        return legacy.replace("_", " ").capitalize()
    return legacy or "(none)"
