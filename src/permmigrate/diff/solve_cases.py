"""What questions to the solver have in common: atoms that differ in values only, and cases as keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from permmigrate.cedar import Atom
from permmigrate.cedar.solve import Case
from permmigrate.cedar.universe import COLLECTION_ATTRIBUTE, FOLDER_ATTRIBUTE, Universe
from permmigrate.diff.solve_texts import Pairs


def alike(universe: Universe, atoms: Sequence[int]) -> list[list[Atom]]:
    """The atoms in lists of those that differ in attribute values only."""
    found: dict[tuple[str, ...], list[Atom]] = {}
    for number in atoms:
        atom = universe.atoms[number]
        key = (atom.action_type, atom.action, atom.resource_type, atom.entity_id)
        found.setdefault(key, []).append(atom)
    return list(found.values())


def variants(universe: Universe, atom: Atom) -> int:
    """How many atoms there are of an action on an entity, by the attribute values they test."""
    key = (atom.action_type, atom.action, atom.entity_id)
    same = universe.of_type(atom.resource_type)
    return sum((one.action_type, one.action, one.entity_id) == key for _, one in same)


def other_values(universe: Universe, atom: Atom) -> Mapping[str, frozenset[str]]:
    """For each attribute that policies test, the values they name."""
    found: dict[str, set[str]] = {name: set() for name, _ in atom.tests}
    for _, one in universe.of_type(atom.resource_type):
        for name, value in one.tests:
            if value is not None:
                found.setdefault(name, set()).add(value)
    return {name: frozenset(values) for name, values in found.items()}


def always(cases: Sequence[Case]) -> tuple[Pairs, Pairs]:
    """What every case's sets hold, and what none's does."""
    surely, never = set[tuple[str, str]](), set[tuple[str, str]]()
    for name in (FOLDER_ATTRIBUTE, COLLECTION_ATTRIBUTE):
        if all(name in case.holds for case in cases):
            held = frozenset.intersection(*(case.holds[name] for case in cases))
            lacked = frozenset.intersection(*(case.lacks[name] for case in cases))
            surely |= {(name, one) for one in held}
            never |= {(name, one) for one in lacked}
    return frozenset(surely), frozenset(never)


def nameless(case: Case) -> Case:
    """The case where nothing looks at the resource: which one it is does not matter."""
    return replace(case, id=None, other_than=frozenset())


def case_key(case: Case) -> tuple[object, ...]:
    """All that a case says, to look it up by."""
    tables = (case.differs, case.holds, case.lacks)
    return (
        case.id,
        tuple(sorted(case.other_than)),
        tuple(sorted(case.equals.items())),
        *(tuple(sorted((name, tuple(sorted(values))) for name, values in table.items())) for table in tables),
    )
