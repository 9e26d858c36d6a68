"""A role in words: what its holder may do, on what, who can hold it, and the policies that say so.

It explains one role by itself. Whether somebody may do a thing after all depends on their other roles and on
custom policies, which may forbid: that is the comparison's business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

from permmigrate.catalog import Catalog, refusal
from permmigrate.cedar.statements import Unparsed, parse
from permmigrate.cedar.universe import Atom, Rule, Universe
from permmigrate.cedar.words import (
    FEATURE,
    NAMESPACE,
    condition_of,
    feature_words,
    statement_words,
    things,
    verb_of,
)
from permmigrate.model import Policy, PrincipalType, Role, ScopeType

FEATURES: Final = "Console features"


@dataclass(frozen=True, slots=True)
class Ability:
    """What may be done to one kind of thing, somewhere."""

    resource: str
    """`assets`, `upload presets`, or `Console features`."""
    where: str
    """`the folder`, `folder x`, `the collection`, or empty: wherever the role holds."""
    actions: tuple[str, ...]
    """`view`, `download where access_control is public`; the names of features."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Whether a kind of principal can hold the role."""

    type: PrincipalType
    refusal: str
    """Why not; empty when it can."""


@dataclass(frozen=True, slots=True)
class PolicyInWords:
    """A policy with each of its statements as a sentence."""

    policy: Policy
    sentences: tuple[str, ...]
    """What the parser says, when it is not Cedar."""


@dataclass(frozen=True, slots=True)
class RoleInWords:
    """Everything there is to say about a role."""

    role: Role
    binding: str
    """What it has to be given for: "one folder, with what is in it"."""
    holders: tuple[Holder, ...]
    may: tuple[Ability, ...]
    may_never: tuple[Ability, ...]
    """What its policies forbid, whatever else permits it."""
    unclear: tuple[str, ...]
    """What cannot be said exactly: statements outside the shapes that are decided, policies not found."""
    policies: tuple[PolicyInWords, ...]


def explain(catalog: Catalog, role: Role) -> RoleInWords:
    """Explain a role of the catalog."""
    found = _Explanation(_universe(catalog, role.scope_type))
    for policy_id in role.policy_ids:
        found.add(policy_id, catalog.policies.get(policy_id))
    return RoleInWords(
        role=role,
        binding=_BINDINGS[role.level],
        holders=tuple(Holder(kind, refusal(role, kind)) for kind in PrincipalType),
        may=tuple(found.abilities(found.permits, found.forbids)),
        may_never=tuple(found.abilities(found.forbids, {})),
        unclear=tuple(found.unclear),
        policies=tuple(found.policies),
    )


_BINDINGS: Final = {
    "account": "the whole account",
    "environment": "one product environment, or all of them (those of tomorrow included)",
    "folder": "one folder of a product environment, with the folders and assets in it",
    "collection": "one collection of a product environment, with the assets in it",
}


def _universe(catalog: Catalog, scope: ScopeType) -> Universe:
    policies = (policy for policy in catalog.policies.values() if policy.scope_type is scope)
    parsed = (parse(policy.statement) for policy in policies)
    return Universe.of(catalog.schema, [s for one in parsed if not isinstance(one, Unparsed) for s in one])


@dataclass
class _Explanation:
    universe: Universe
    permits: dict[str, int] = field(default_factory=dict)
    """Place to the atoms permitted there."""
    forbids: dict[str, int] = field(default_factory=dict)
    unclear: list[str] = field(default_factory=list)
    policies: list[PolicyInWords] = field(default_factory=list)

    def add(self, policy_id: str, policy: Policy | None) -> None:
        if policy is None:
            self.unclear.append(f"policy {policy_id} is not in the catalog: what it permits is not known")
            return
        statements = parse(policy.statement)
        if isinstance(statements, Unparsed):
            self.unclear.append(f"policy {policy.name} is not Cedar that can be read")
            self.policies.append(PolicyInWords(policy, (f"not readable: {statements.reason}",)))
            return
        self.policies.append(PolicyInWords(policy, tuple(map(statement_words, statements))))
        for statement in statements:
            rule = self.universe.compile(statement)
            if rule.opaque:
                self.unclear.append(f"policy {policy.name} has {rule.opaque}: how far it goes is not decided")
                continue
            side = self.permits if rule.effect == "permit" else self.forbids
            side[_place(rule)] = side.get(_place(rule), 0) | rule.mask

    def abilities(self, side: Mapping[str, int], less: Mapping[str, int]) -> Iterator[Ability]:
        """What a side comes to, less what is forbidden there or everywhere; things before features."""
        for where in sorted(side):
            mask = side[where] & ~less.get(where, 0) & ~less.get("", 0)
            if where:
                mask &= ~(side.get("", 0) & ~less.get("", 0))
            yield from self._grouped(where, mask)

    def _grouped(self, where: str, mask: int) -> Iterator[Ability]:
        present: dict[tuple[str, str], dict[str, list[Atom]]] = {}
        for bit in self.universe.bits(mask):
            atom = self.universe.atoms[bit]
            key = (atom.resource_type, atom.entity_id)
            present.setdefault(key, {}).setdefault(atom.action, []).append(atom)
        features: list[str] = []
        for (resource_type, entity), actions in sorted(present.items()):
            if resource_type == NAMESPACE + FEATURE:
                features.append(feature_words(entity) if entity else "any other feature")
                continue
            in_order = sorted(actions, key=lambda action: (action != "read", verb_of(action)))
            words = [text for action in in_order for text in self._action(action, actions[action])]
            name = things(resource_type, entity)
            others = "" if entity or not self._named(resource_type) else "other "
            yield Ability(others + name, where, tuple(words))
        if features:
            yield Ability(FEATURES, where, tuple(features))

    def _named(self, resource_type: str) -> bool:
        """Whether some policy names single ones of the type, so that the rest are the others."""
        return any(atom.entity_id for _, atom in self.universe.of_type(resource_type))

    def _action(self, action: str, atoms: list[Atom]) -> Iterator[str]:
        one = atoms[0]
        every = sum(
            (a.action_type, a.action, a.entity_id) == (one.action_type, one.action, one.entity_id)
            for _, a in self.universe.of_type(one.resource_type)
        )
        if len(atoms) == every:
            yield verb_of(action)
        else:
            yield from (f"{verb_of(action)} where {condition_of(self.universe, atom)}" for atom in atoms)


def _place(rule: Rule) -> str:
    if rule.folder is not None:
        return "the folder" if rule.folder == "<folder_id>" else f"folder {rule.folder}"
    if rule.collection is not None:
        bound = rule.collection == "<collection_id>"
        return "the collection" if bound else f"collection {rule.collection}"
    return ""
