"""The finite set of requests that policies can tell apart, numbered so that sets of them are integers.

An atom is an action on a resource type (or one entity of it) under a combination of attribute values. Where
the resource lies (folder, collection) is not part of the atom: that is the region, and the caller walks it.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Flag, auto
from functools import cached_property
from typing import Any, Final

from permmigrate.cedar.statements import PrincipalConstraint, Statement

FOLDER_ATTRIBUTE: Final = "ancestor_ids"
"""Lists a resource's folder and all folders above it (spec: CedarSchemaResponse)."""
COLLECTION_ATTRIBUTE: Final = "collection_ids"
"""Lists the collections an asset is in. An assumption: the vendor's name for it has not been seen."""
COLLECTION_TYPE: Final = "Cloudinary::Collection"
PLACES: Final = frozenset({FOLDER_ATTRIBUTE, COLLECTION_ATTRIBUTE})


class Located(Flag):
    """Which kinds of region a resource type can lie in."""

    NOWHERE = 0
    FOLDER = auto()
    COLLECTION = auto()


@dataclass(frozen=True, slots=True)
class Atom:
    """One request that can be told apart from the others."""

    action_type: str
    action: str
    resource_type: str
    entity_id: str
    """The id in `resource == Type::"id"`; empty for every entity that no policy names."""
    tests: tuple[tuple[str, str | None], ...]
    """(attribute, value) of each attribute that some policy tests; None for any other value."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A statement over a universe: which atoms it touches, where, and whether exactly so."""

    effect: str
    principal: PrincipalConstraint
    mask: int
    folder: str | None
    """The literal (a folder id or a placeholder) that bounds it, or None."""
    collection: str | None
    opaque: str
    text: str


@dataclass(frozen=True)
class Universe:
    """Every atom of one scope. Bit `i` of a mask stands for `atoms[i]`."""

    atoms: tuple[Atom, ...]
    folder_mask: int
    """Atoms whose resource lies in a folder."""
    collection_mask: int
    """Atoms whose resource is, or lies in, a collection."""
    valid_for: Mapping[str, int]
    """Cedar principal type to the atoms its requests may be about; all, for a type the schema never names."""
    groups: Mapping[tuple[str, str], frozenset[tuple[str, str]]] = field(default_factory=dict)
    """Action to the actions `in` it, itself among them."""
    attributes: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Resource type to the attributes that its resources have."""

    @cached_property
    def full(self) -> int:
        return (1 << len(self.atoms)) - 1

    @cached_property
    def _by_type(self) -> Mapping[str, tuple[tuple[int, Atom], ...]]:
        found: dict[str, list[tuple[int, Atom]]] = {}
        for index, atom in enumerate(self.atoms):
            found.setdefault(atom.resource_type, []).append((index, atom))
        return {key: tuple(atoms) for key, atoms in found.items()}

    def of_type(self, resource_type: str) -> tuple[tuple[int, Atom], ...]:
        """The (number, atom) pairs of one resource type."""
        return self._by_type.get(resource_type, ())

    def compile(self, statement: Statement) -> Rule:
        """Say which atoms a statement touches and where; what cannot be said exactly makes it opaque."""
        reasons = [statement.opaque] if statement.opaque else []
        contains = self._decidable(statement, statement.contains, reasons)
        equals = self._decidable(statement, statement.equals, reasons)
        folders = [literal for attribute, literal in contains if attribute == FOLDER_ATTRIBUTE]
        collections = [literal for attribute, literal in contains if attribute == COLLECTION_ATTRIBUTE]
        if len(folders) + len(collections) < len(contains):
            reasons.append("a set attribute other than folders and collections")
        if any(attribute in PLACES for attribute, _ in equals):
            reasons.append("folders or collections as a whole")
            equals = [test for test in equals if test[0] not in PLACES]
        entity, resource_type = statement.resource_id, statement.resource_type
        if entity is not None and resource_type == COLLECTION_TYPE:
            collections.append(entity)
            entity = None
        elif entity is not None and self.located(resource_type):
            reasons.append("one folder or asset by its id")
            entity = None
        if len(folders) + len(collections) > 1:
            reasons.append("more than one folder or collection at once")
            folders, collections = folders[:1], [] if folders else collections[:1]
        return Rule(
            effect=statement.effect,
            principal=statement.principal,
            mask=self._mask(statement, entity, frozenset(name for name, _ in contains), equals),
            folder=folders[0] if folders else None,
            collection=collections[0] if collections else None,
            opaque="; ".join(reasons),
            text=statement.text,
        )

    def _decidable(
        self, statement: Statement, tests: tuple[tuple[str, str], ...], reasons: list[str]
    ) -> list[tuple[str, str]]:
        """The tests on attributes that the schema has; one on another may err or may hold: not decided."""
        resource_type = statement.resource_type
        known = self.attributes.get(resource_type, frozenset())
        for attribute, _ in tests:
            if resource_type and attribute not in known:
                reasons.append(f"`{attribute}`, which the schema does not give {resource_type}")
        return [test for test in tests if not resource_type or test[0] in known]

    def located(self, resource_type: str) -> Located:
        """Which kinds of region resources of this type lie in."""
        for index, _ in self.of_type(resource_type):
            bit = 1 << index
            folder = Located.FOLDER if self.folder_mask & bit else Located.NOWHERE
            return folder | (Located.COLLECTION if self.collection_mask & bit else Located.NOWHERE)
        return Located.NOWHERE

    def _mask(
        self,
        statement: Statement,
        entity: str | None,
        set_attributes: frozenset[str],
        equals: list[tuple[str, str]],
    ) -> int:
        actions, resource_type = self._actions(statement), statement.resource_type
        candidates: Iterable[tuple[int, Atom]] = (
            self.of_type(resource_type) if resource_type else enumerate(self.atoms)
        )
        mask = 0
        for index, atom in candidates:
            if actions is not None and (atom.action_type, atom.action) not in actions:
                continue
            if entity is not None and atom.entity_id != entity:
                continue
            if not set_attributes <= self.attributes.get(atom.resource_type, frozenset()):
                continue
            values = dict(atom.tests)
            if all(values.get(attribute) == literal for attribute, literal in equals):
                mask |= 1 << index
        return mask

    def _actions(self, statement: Statement) -> frozenset[tuple[str, str]] | None:
        if statement.actions is None or statement.action_op == "==":
            return statement.actions
        reached = (self.groups.get(action, frozenset({action})) for action in statement.actions)
        return frozenset().union(*reached)

    def bits(self, mask: int) -> list[int]:
        """The indexes of the atoms in a mask, ascending."""
        found = []
        while mask:
            low = mask & -mask
            found.append(low.bit_length() - 1)
            mask ^= low
        return found

    @staticmethod
    def of(schema: Mapping[str, Any], statements: Iterable[Statement]) -> Universe:
        """Span the universe of a Cedar JSON schema, split as finely as the statements can tell apart.

        Action and resource pairs that a statement names and the schema does not are added: the vendor's
        published schema is an extract, and silence there must not hide a grant.
        """
        return _Builder(schema, tuple(statements)).build()


@dataclass
class _Builder:
    schema: Mapping[str, Any]
    statements: tuple[Statement, ...]
    pairs: dict[tuple[tuple[str, str], str], set[str]] = field(default_factory=dict)
    """(action, resource type) to the principal types; an empty set means any."""
    attributes: dict[str, set[str]] = field(default_factory=dict)
    groups: dict[tuple[str, str], set[tuple[str, str]]] = field(default_factory=dict)

    def build(self) -> Universe:
        for namespace, body in self.schema.items():
            self._read_namespace(namespace, body)
        self._add_what_only_statements_name()
        entities, values = self._named_entities(), self._tested_values()
        atoms = [
            Atom(*action, resource_type, entity, tests)
            for action, resource_type in sorted(self.pairs)
            for entity in sorted(entities.get(resource_type, set()) | {""})
            for tests in _variants(values.get(resource_type, {}))
        ]
        folder_mask = collection_mask = 0
        valid: dict[str, int] = {}
        for index, atom in enumerate(atoms):
            bit = 1 << index
            attributes = self.attributes.get(atom.resource_type, set())
            if FOLDER_ATTRIBUTE in attributes:
                folder_mask |= bit
            if COLLECTION_ATTRIBUTE in attributes or atom.resource_type == COLLECTION_TYPE:
                collection_mask |= bit
            for principal_type in self.pairs[(atom.action_type, atom.action), atom.resource_type]:
                valid[principal_type] = valid.get(principal_type, 0) | bit
        anyone = sum(
            1 << index
            for index, atom in enumerate(atoms)
            if not self.pairs[(atom.action_type, atom.action), atom.resource_type]
        )
        return Universe(
            atoms=tuple(atoms),
            folder_mask=folder_mask,
            collection_mask=collection_mask,
            valid_for={principal_type: mask | anyone for principal_type, mask in valid.items()},
            groups={action: frozenset(members) for action, members in self._closed_groups().items()},
            attributes={name: frozenset(found) for name, found in self.attributes.items()},
        )

    def _read_namespace(self, namespace: str, body: Mapping[str, Any]) -> None:
        def qualified(name: str) -> str:
            return name if "::" in name or not namespace else f"{namespace}::{name}"

        for name, entity in body.get("entityTypes", {}).items():
            shape = _record(entity.get("shape") or {}, body.get("commonTypes") or {})
            self.attributes.setdefault(qualified(name), set()).update(shape.get("attributes", {}))
        for name, action in body.get("actions", {}).items():
            uid = (qualified("Action"), name)
            for parent in action.get("memberOf") or ():
                parent_uid = (parent.get("type") or qualified("Action"), parent["id"])
                self.groups.setdefault(parent_uid, {parent_uid}).add(uid)
            applies = action.get("appliesTo") or {}
            for resource_type in applies.get("resourceTypes") or ():
                principals = self.pairs.setdefault((uid, qualified(resource_type)), set())
                principals.update(qualified(principal) for principal in applies.get("principalTypes") or ())

    def _closed_groups(self) -> dict[tuple[str, str], set[tuple[str, str]]]:
        closed = {parent: set(members) for parent, members in self.groups.items()}
        changed = True
        while changed:
            changed = False
            for members in closed.values():
                more = set().union(*(closed.get(member, set()) for member in members)) - members
                if more:
                    members |= more
                    changed = True
        return closed

    def _add_what_only_statements_name(self) -> None:
        known = {action for action, _ in self.pairs}
        known |= {action for statement in self.statements for action in statement.actions or ()}
        typed = {resource_type for _, resource_type in self.pairs}
        described = typed & self.attributes.keys()
        for statement in self.statements:
            resource_type = statement.resource_type
            if not resource_type:
                continue
            for attribute, _ in statement.contains + statement.equals:
                if resource_type not in described:
                    self.attributes.setdefault(resource_type, set()).add(attribute)
            namespace = resource_type.rpartition("::")[0]
            if statement.actions is not None:
                actions = statement.actions - set(self.groups)
            elif resource_type in typed:
                continue
            else:
                actions = frozenset(a for a in known if a[0] == f"{namespace}::Action")
            for action in actions:
                self.pairs.setdefault((action, resource_type), set())

    def _named_entities(self) -> dict[str, set[str]]:
        named: dict[str, set[str]] = {}
        for statement in self.statements:
            resource_type = statement.resource_type
            located = self.attributes.get(resource_type, set()) & PLACES
            if statement.resource_id is not None and not located and resource_type != COLLECTION_TYPE:
                named.setdefault(resource_type, set()).add(statement.resource_id)
        return named

    def _tested_values(self) -> dict[str, dict[str, set[str]]]:
        tested: dict[str, dict[str, set[str]]] = {}
        types = {resource_type for _, resource_type in self.pairs}
        for statement in self.statements:
            for attribute, literal in statement.equals:
                if attribute in PLACES:
                    continue
                for resource_type in {statement.resource_type} if statement.resource_type else types:
                    if attribute in self.attributes.get(resource_type, set()):
                        tested.setdefault(resource_type, {}).setdefault(attribute, set()).add(literal)
        return tested


def _record(shape: Mapping[str, Any], common: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record behind a shape: itself, or the common type that it names."""
    seen: set[str] = set()
    while "attributes" not in shape:
        name = str(shape.get("name") or shape.get("type") or "").rpartition("::")[2]
        if name in seen or name not in common:
            return {}
        seen.add(name)
        shape = common[name]
    return shape


def _variants(values: Mapping[str, set[str]]) -> list[tuple[tuple[str, str | None], ...]]:
    choices = [[(name, value) for value in (*sorted(found), None)] for name, found in sorted(values.items())]
    return [tuple(combination) for combination in itertools.product(*choices)]
