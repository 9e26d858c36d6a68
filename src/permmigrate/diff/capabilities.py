"""Atoms as numbered capabilities: "Delete assets", "Use users › create"; the words are `cedar.words`'s."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol

from permmigrate.cedar import Atom, Universe
from permmigrate.cedar.words import FEATURE, action_of, condition_of, label_of, resource_of
from permmigrate.diff.value import Capability, Severity
from permmigrate.model import ScopeType


class Severities(Protocol):
    """What answers how much a capability matters (`mapping.tables.MappingTables` does)."""

    def severity(self, scope: str, action: str, resource: str) -> str: ...


@dataclass
class CapabilityIndex:
    """Numbers capabilities as findings use them; `sorted` gives the final order and the renumbering."""

    universes: Mapping[ScopeType, Universe]
    severities: Severities
    _numbers: dict[Capability, int] = field(default_factory=dict)
    _by_atoms: dict[tuple[ScopeType, int, int], tuple[int, ...]] = field(default_factory=dict)

    def of(self, scope: ScopeType, atoms: int, valid: int) -> tuple[int, ...]:
        """The capabilities that a set of atoms amounts to.

        Where all variants of one request are in the set the condition is left out, and where all actions on a
        feature are, the action: "any".
        """
        key = (scope, atoms, valid)
        if key not in self._by_atoms:
            found = self._collapse(scope, atoms, valid)
            self._by_atoms[key] = tuple(self._numbers.setdefault(c, len(self._numbers)) for c in found)
        return self._by_atoms[key]

    def _collapse(self, scope: ScopeType, atoms: int, valid: int) -> list[Capability]:
        universe = self.universes[scope]
        present = [universe.atoms[bit] for bit in universe.bits(atoms)]
        variants: dict[tuple[str, str, str, str], list[Atom]] = {}
        for atom in present:
            key = (atom.action_type, atom.action, atom.resource_type, atom.entity_id)
            variants.setdefault(key, []).append(atom)
        all_variants = self._variant_counts(scope, valid)
        found: dict[Capability, None] = {}
        for key, members in variants.items():
            if len(members) == all_variants[key]:
                found[self._capability(scope, members[0], "")] = None
            else:
                for atom in members:
                    found[self._capability(scope, atom, condition_of(universe, atom))] = None
        return self._merge_feature_actions(scope, valid, list(found))

    def _variant_counts(self, scope: ScopeType, valid: int) -> Mapping[tuple[str, str, str, str], int]:
        return self._counts(scope, valid)[0]

    def _counts(
        self, scope: ScopeType, valid: int
    ) -> tuple[dict[tuple[str, str, str, str], int], dict[str, int]]:
        if (scope, valid) not in self._count_cache:
            variants: dict[tuple[str, str, str, str], int] = {}
            actions: dict[str, set[str]] = {}
            universe = self.universes[scope]
            for bit in universe.bits(valid):
                atom = universe.atoms[bit]
                key = (atom.action_type, atom.action, atom.resource_type, atom.entity_id)
                variants[key] = variants.get(key, 0) + 1
                actions.setdefault(resource_of(atom), set()).add(atom.action)
            self._count_cache[scope, valid] = variants, {r: len(found) for r, found in actions.items()}
        return self._count_cache[scope, valid]

    @cached_property
    def _count_cache(
        self,
    ) -> dict[tuple[ScopeType, int], tuple[dict[tuple[str, str, str, str], int], dict[str, int]]]:
        return {}

    def _merge_feature_actions(
        self, scope: ScopeType, valid: int, found: list[Capability]
    ) -> list[Capability]:
        all_actions = self._counts(scope, valid)[1]
        by_feature: dict[str, list[Capability]] = {}
        merged: list[Capability] = []
        for capability in found:
            if capability.resource.startswith(FEATURE):
                by_feature.setdefault(capability.resource, []).append(capability)
            else:
                merged.append(capability)
        for resource, members in by_feature.items():
            if len(members) == all_actions.get(resource, 0):
                worst = min((member.severity for member in members), key=lambda s: s.rank)
                merged.append(replace(members[0], action="any", severity=worst))
            else:
                merged += [replace(m, label=f"{m.label} ({m.action})") for m in members]
        return merged

    def _capability(self, scope: ScopeType, atom: Atom, condition: str) -> Capability:
        label = label_of(atom) + (f" where {condition}" if condition else "")
        return Capability(
            scope.value, action_of(atom), resource_of(atom), condition, label, self._severity(scope, atom)
        )

    def atoms_of(self, scope: ScopeType, severity: Severity) -> int:
        """The atoms of a scope that matter this much."""
        atoms = self.universes[scope].atoms
        return sum(1 << bit for bit, atom in enumerate(atoms) if self._severity(scope, atom) is severity)

    def _severity(self, scope: ScopeType, atom: Atom) -> Severity:
        return Severity(self.severities.severity(scope.value, atom.action, resource_of(atom)))

    def sorted(self) -> tuple[tuple[Capability, ...], tuple[int, ...]]:
        """Every capability in use, worst first, and the new number of each old one."""
        order = sorted(self._numbers, key=lambda c: (c.severity.rank, c.scope, c.label, c.action, c.resource))
        renumbered = [0] * len(order)
        for new, capability in enumerate(order):
            renumbered[self._numbers[capability]] = new
        return tuple(order), tuple(renumbered)

    def severity_of(self, numbers: tuple[int, ...]) -> Severity:
        """The worst among capabilities numbered as `of` numbers them."""
        return min((self._in_order[number].severity for number in numbers), key=lambda s: s.rank)

    def identity_of(self, numbers: tuple[int, ...]) -> str:
        """The capabilities as text that no other set of capabilities has, whatever the numbers or labels."""
        if numbers not in self._identities:
            found = (self._in_order[number] for number in numbers)
            lines = sorted("\t".join((c.scope, c.action, c.resource, c.condition)) for c in found)
            self._identities[numbers] = "\n".join(lines)
        return self._identities[numbers]

    @cached_property
    def _identities(self) -> dict[tuple[int, ...], str]:
        return {}

    @property
    def _in_order(self) -> list[Capability]:
        if len(self._list_cache) != len(self._numbers):
            self._list_cache[:] = list(self._numbers)
        return self._list_cache

    @cached_property
    def _list_cache(self) -> list[Capability]:
        return []
