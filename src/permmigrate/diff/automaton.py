"""What is granted at a place as a number, and what going one step down the tree makes of it, worked out once.

An account of a million grants has some hundred distinct states and a few thousand steps between them. A step
leads from the state above to the state here and carries the spans that begin here. No place and no principal
is known here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from permmigrate.diff.value import Verdict
from permmigrate.diff.verdicts import COMPARED, State, Verdicts, judge
from permmigrate.entitlements import Grant
from permmigrate.model import ScopeType
from permmigrate.snapshot.shares import Ints

Blame = tuple[tuple[str, int, int], ...]
"""Of each cause, sorted: what it permits or may permit, and all that it touches."""

COUNTED: Final = ("not known whether", "no baseline row")
"""How the reasons begin that are counted by what hangs on them: the legacy baseline's gaps."""


class Effect(NamedTuple):
    """Everything granted somewhere on both sides as far as it can make a difference."""

    state: State = State()
    before: Blame = ()
    after: Blame = ()
    reasons: tuple[tuple[str, int], ...] = ()
    """Why the legacy side is not known, and the atoms concerned."""

    def __or__(self, other: Effect) -> Effect:
        return Effect(
            State(*(mine | theirs for mine, theirs in zip(self.state, other.state, strict=True))),
            _blame((*self.before, *other.before)),
            _blame((*self.after, *other.after)),
            _reasons((*self.reasons, *other.reasons)),
        )

    @staticmethod
    def of(before: Iterable[Grant], after: Iterable[Grant]) -> Effect:
        """The effect of these grants, wherever they hold."""
        before, after = tuple(before), tuple(after)
        return Effect(
            State().with_grants(before, after),
            _blame(_blamed(before)),
            _blame(_blamed(after)),
            _reasons(_counted((*before, *after))),
        )


def _blamed(grants: Iterable[Grant]) -> Iterator[tuple[str, int, int]]:
    for grant in grants:
        if grant.cause:
            yield grant.cause, grant.masks.permit | grant.masks.maybe, grant.masks.touched


def _counted(grants: Iterable[Grant]) -> Iterator[tuple[str, int]]:
    for grant in grants:
        unsure = grant.masks.maybe | grant.masks.opaque_permit | grant.masks.opaque_forbid
        for mask, reason in grant.reasons:
            if mask & unsure and reason.startswith(COUNTED):
                yield reason, mask & unsure


def _blame(parts: Iterable[tuple[str, int, int]]) -> Blame:
    found: dict[str, tuple[int, int]] = {}
    for cause, permitted, touched in parts:
        known = found.get(cause, (0, 0))
        found[cause] = known[0] | permitted, known[1] | touched
    return tuple((cause, *found[cause]) for cause in sorted(found))


def _reasons(parts: Iterable[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    found: dict[str, int] = {}
    for reason, mask in parts:
        found[reason] = found.get(reason, 0) | mask
    return tuple(sorted(found.items()))


class Asker(NamedTuple):
    """What a kind of principal can ask for in one kind of scope."""

    scope: ScopeType
    valid: int
    masks: tuple[int, int, int]
    """The atoms that can be asked about in the scope, in a folder, in a collection (as `places` numbers)."""


class Kind(NamedTuple):
    """A kind of finding: everything about one but whom it is of and where."""

    asker: int
    verdict: int
    """Its number in `COMPARED`."""
    atoms: int
    causes: tuple[str, ...]
    reasons: tuple[str, ...]
    """Those that are counted."""

    @property
    def essence(self) -> tuple[int, int, tuple[str, ...]]:
        """What makes findings of two principals the same."""
        return self.verdict, self.atoms, self.causes


Stated = tuple[int, Effect]
"""Whose state it is, and what is granted."""


class PairTable:
    """A function of two small numbers that is computed once for each pair that occurs; never negative."""

    DENSE: Final = 1 << 24
    """Cells of the table at most: beyond, pairs are looked up one distinct pair at a time."""

    def __init__(self, compute: Callable[[int, int], int]) -> None:
        self._compute = compute
        self._table = np.full((64, 64), -1, dtype=np.int32)
        self._sparse: dict[tuple[int, int], int] = {}

    def __call__(self, first: npt.NDArray[Any], second: npt.NDArray[Any]) -> Ints:
        if not len(first):
            return np.zeros(0, dtype=np.int32)
        table = self._table
        if first.max() < table.shape[0] and second.max() < table.shape[1]:
            found = table.ravel().take(first.astype(np.int64) * table.shape[1] + second)
            missing = np.flatnonzero(found < 0)
        else:
            found, missing = np.empty(len(first), dtype=np.int32), np.arange(len(first))
        if len(missing):
            found[missing] = self._filled(first[missing], second[missing])
        return np.asarray(found)

    def _filled(self, first: npt.NDArray[Any], second: npt.NDArray[Any]) -> Ints:
        """The values of pairs of which some are not known yet."""
        code = first.astype(np.int64) << 32 | second.astype(np.int64)
        distinct, inverse = np.unique(code, return_inverse=True)
        dense = self._has_room(int(first.max()), int(second.max()))
        values = []
        for one in distinct.tolist():
            row, column = one >> 32, one & 0xFFFFFFFF
            value = int(self._table[row, column]) if dense else self._sparse.get((row, column), -1)
            if value < 0:
                value = self._compute(row, column)
                if dense:
                    self._table[row, column] = value
                else:
                    self._sparse[row, column] = value
            values.append(value)
        return np.array(values, dtype=np.int32)[inverse]

    def _has_room(self, row: int, column: int) -> bool:
        """Make room for the pair, unless that would take too much of it."""
        rows, columns = self._table.shape
        if row < rows and column < columns:
            return True
        while row >= rows:
            rows *= 2
        while column >= columns:
            columns *= 2
        if rows * columns > self.DENSE:
            return False
        table = np.full((rows, columns), -1, dtype=np.int32)
        table[: self._table.shape[0], : self._table.shape[1]] = self._table
        self._table = table
        return True


@dataclass
class Automaton:
    """All states, steps and spans that were met, numbered in the order they were met."""

    askers: tuple[Asker, ...]
    states: list[Stated] = field(default_factory=list)
    """The first ones are nobody's: nothing is granted yet."""
    effects: list[tuple[Effect, int]] = field(default_factory=list)
    """What begins at a place, and the place's kind."""
    spans: list[tuple[int, int]] = field(default_factory=list)
    """Verdict (its number in `COMPARED`) and atoms of all spans of one principal kind."""
    kinds: list[Kind] = field(default_factory=list)
    essences: list[tuple[int, int, tuple[str, ...]]] = field(default_factory=list)
    steps: list[tuple[int, tuple[tuple[int, tuple[int, ...]], ...]]] = field(default_factory=list)
    """Of each step the state it leads to, and the spans that begin, each with the kinds of its findings."""

    def __post_init__(self) -> None:
        self._state_numbers: dict[Stated, int] = {}
        self._effect_numbers: dict[tuple[Effect, int], int] = {}
        self._span_numbers: dict[tuple[int, int], int] = {}
        self._kind_numbers: dict[Kind, int] = {}
        self._essence_numbers: dict[tuple[int, int, tuple[str, ...]], int] = {}
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self._flat = Flat()
        self.join = PairTable(self._join)
        self.step = PairTable(self._step)
        self.keeps = PairTable(self._keeps)
        for asker in range(len(self.askers)):
            self.state(asker, Effect())

    def effect(self, effect: Effect, kind: int) -> int:
        """The number of what begins at a place of a kind."""
        return _numbered(self._effect_numbers, self.effects, (effect, kind))

    def _join(self, first: int, second: int) -> int:
        """What begins where both begin."""
        (one, kind), (other, _) = self.effects[first], self.effects[second]
        return self.effect(one | other, kind)

    def state(self, asker: int, effect: Effect) -> int:
        """The number of what somebody is granted at a place."""
        return _numbered(self._state_numbers, self.states, (asker, effect))

    def _step(self, state: int, effect: int) -> int:
        asker, above = self.states[state]
        begins, kind = self.effects[effect]
        here = above | begins
        nothing = state < len(self.askers)
        upper = Verdicts(0, 0, 0, 0, 0) if nothing else judge(above.state)
        mask = self.askers[asker].valid & self.askers[asker].masks[kind]
        found: list[tuple[int, tuple[int, ...]]] = []
        verdicts = judge(here.state)
        for number, verdict in enumerate(COMPARED):
            atoms = verdicts.of(verdict) & ~upper.of(verdict) & mask
            if atoms:
                span = _numbered(self._span_numbers, self.spans, (number, atoms))
                found.append((span, tuple(self._kinds(asker, number, verdict, atoms, here))))
        self.steps.append((self.state(asker, here), tuple(found)))
        return len(self.steps) - 1

    def _kinds(self, asker: int, number: int, verdict: Verdict, atoms: int, here: Effect) -> Iterator[int]:
        """The findings of a span: its atoms parted by the set of causes behind each."""
        blamed = here.before if verdict.is_reduction else here.after
        parts: dict[tuple[str, ...], int] = {(): atoms}
        for cause, permitted, touched in blamed:
            behind = touched if verdict is Verdict.UNKNOWN else permitted
            split: dict[tuple[str, ...], int] = {}
            for causes, held in parts.items():
                if held & behind:
                    split[(*causes, cause)] = held & behind
                if held & ~behind:
                    split[causes] = split.get(causes, 0) | (held & ~behind)
            parts = split
        sure = verdict in (Verdict.GAINED, Verdict.LOST)
        for causes, held in parts.items():
            reasons = () if sure else tuple(reason for reason, mask in here.reasons if mask & held)
            yield self.kind(Kind(asker, number, held, causes, reasons))

    def kind(self, kind: Kind) -> int:
        """The number of a kind."""
        _numbered(self._essence_numbers, self.essences, kind.essence)
        return _numbered(self._kind_numbers, self.kinds, kind)

    def _keeps(self, state: int, span: int) -> int:
        """Whether a span's verdict holds for all its atoms in a state further down."""
        verdict, atoms = self.spans[span]
        return int(not atoms & ~judge(self.states[state][1].state).of(COMPARED[verdict]))

    def place_in_step(self, step: int, essence: int) -> int:
        """One more than the place of an essence among the findings of a step; 0 where it is not there."""
        wanted = self.essences[essence]
        kinds = [kind for _, found in self.steps[step][1] for kind in found]
        essences = [self.kinds[kind].essence for kind in kinds]
        return essences.index(wanted) + 1 if wanted in essences else 0

    def _column(self, name: str, size: int, make: Callable[[int], int]) -> npt.NDArray[np.int32]:
        """An array over everything numbered so far, made longer as there is more."""
        known = self._arrays.get(name, np.zeros(0, dtype=np.int32))
        if len(known) < size:
            more = np.fromiter(map(make, range(len(known), size)), dtype=np.int32)
            known = self._arrays[name] = np.concatenate([known, more])
        return known

    @property
    def leads_to(self) -> Ints:
        """The state each step leads to."""
        return self._column("leads_to", len(self.steps), lambda step: self.steps[step][0])

    @property
    def span_counts(self) -> Ints:
        """How many spans begin with each step."""
        return self._column("span_counts", len(self.steps), lambda step: len(self.steps[step][1]))

    @property
    def essence_of(self) -> Ints:
        """The number of each kind's essence."""
        return self._column(
            "essence_of", len(self.kinds), lambda kind: self._essence_numbers[self.kinds[kind].essence]
        )

    @property
    def verdict_of(self) -> Ints:
        """The number of each kind's verdict."""
        return self._column("verdict_of", len(self.kinds), lambda kind: self.kinds[kind].verdict)

    @property
    def flat(self) -> tuple[Ints, Ints, Ints, Ints]:
        """The spans and kinds of all steps one after another: see `Flat.columns`."""
        for _, spans in self.steps[self._flat.steps :]:
            self._flat.add(spans)
        return self._flat.columns


class Flat:
    """Spans by step and kinds by span as columns that grow."""

    def __init__(self) -> None:
        self.steps = 0
        self._lists: tuple[list[int], ...] = ([], [], [], [])
        self._made: tuple[Ints, ...] | None = None

    def add(self, spans: tuple[tuple[int, tuple[int, ...]], ...]) -> None:
        first, span, first_kind, kind = self._lists
        first.append(len(span))
        for number, kinds in spans:
            span.append(number)
            first_kind.append(len(kind))
            kind.extend(kinds)
        self.steps += 1
        self._made = None

    @property
    def columns(self) -> tuple[Ints, Ints, Ints, Ints]:
        """Where the spans of each step begin, the spans, where each one's kinds begin, and the kinds."""
        if self._made is None:
            first, span, first_kind, kind = (np.array(one, dtype=np.int32) for one in self._lists)
            ends = np.array([len(kind)], dtype=np.int32)
            self._made = first, span, np.concatenate([first_kind, ends]), kind
        first, span, first_kind, kind = self._made
        return first, span, first_kind, kind


def _numbered(numbers: dict[Any, int], listed: list[Any], value: Any) -> int:
    number = numbers.get(value)
    if number is None:
        number = numbers[value] = len(listed)
        listed.append(value)
    return number
