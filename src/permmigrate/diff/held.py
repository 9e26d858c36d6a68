"""How much of what was found holds for each principal, wherever it is told."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from permmigrate.diff.automaton import Automaton
from permmigrate.diff.batches import Batch
from permmigrate.diff.value import Verdict
from permmigrate.diff.verdicts import COMPARED
from permmigrate.diff.walk import Walk
from permmigrate.entitlements import Entitlements
from permmigrate.snapshot.shares import Ints

Table = npt.NDArray[np.int32]
CauseSet = tuple[tuple[str, ...], bool]
"""Causes, and whether findings of them are unknown ones."""


class Held:
    """A table with a row for each principal: findings by verdict, stops by scope, findings by causes."""

    def __init__(self, entitlements: Entitlements, automaton: Automaton) -> None:
        self._entitlements = entitlements
        self._automaton = automaton
        self._causes = len(COMPARED) + len(entitlements.scopes)
        """The column of the first set of causes."""
        self._table = np.zeros((len(entitlements.principals), self._causes), dtype=np.int32)
        self._anything = np.zeros((len(entitlements.principals), len(entitlements.scopes)), dtype=bool)
        self._cause_sets: dict[CauseSet, int] = {}
        self._columns: list[int] = []

    def add(self, batch: Batch, walk: Walk) -> None:
        """Count what a walk found for the batch's principals themselves."""
        column, slot = self.columns(walk.place, walk.kind), walk.slot[walk.stop]
        counts = self.counted(np.concatenate([walk.slot, slot, slot]), column, len(batch.numbers))
        self.add_counts(batch.numbers, counts)
        self._anything[batch.numbers] |= np.array([profile.held for profile in batch.profiles], dtype=bool)

    def add_counts(self, who: Ints, counts: Table) -> None:
        """Add counts, a row for each principal; some may come more than once."""
        missing = counts.shape[1] - self._table.shape[1]
        if missing > 0:
            self._table = np.pad(self._table, ((0, 0), (0, missing)))
        np.add.at(self._table[:, : counts.shape[1]], who, counts)

    def columns(self, place: Ints, kind: Ints) -> Ints:
        """The columns in which stops at these places count, then those of findings of these kinds, twice."""
        scope = self._entitlements.places.scope[place] + np.int32(len(COMPARED))
        return np.concatenate([scope, self._automaton.verdict_of[kind], self._column_of_kind[kind]])

    def counted(self, row: npt.NDArray[np.integer], column: Ints, rows: int) -> Table:
        """A table of how often each column comes in each row."""
        width = self._width
        cells = np.bincount(row * np.int64(width) + column, minlength=rows * width)
        return cells.astype(np.int32).reshape(rows, width)

    @property
    def _width(self) -> int:
        return self._causes + len(self._cause_sets)

    @property
    def _column_of_kind(self) -> Ints:
        """The column of each kind's set of causes."""
        with self._automaton.lock:
            for one in self._automaton.kinds[len(self._columns) :]:
                key = one.causes, COMPARED[one.verdict] is Verdict.UNKNOWN
                number = self._cause_sets.setdefault(key, len(self._cause_sets))
                self._columns.append(self._causes + number)
            return np.array(self._columns, dtype=np.int32)

    @property
    def counts(self) -> npt.NDArray[np.int64]:
        """Of each principal, how many findings of each verdict hold for it."""
        return self._table[:, : len(COMPARED)].astype(np.int64)

    @property
    def cause_sets(self) -> tuple[CauseSet, ...]:
        """The sets, each once for findings with a verdict and once for unknown ones."""
        return tuple(self._cause_sets)

    @property
    def caused(self) -> npt.NDArray[np.bool_]:
        """Of each principal, whether a finding of each set of causes holds for it."""
        found = np.zeros((len(self._table), len(self._cause_sets)), dtype=bool)
        found[:, : self._table.shape[1] - self._causes] = self._table[:, self._causes :] > 0
        return found

    @property
    def decided(self) -> int:
        """How many questions were decided: where anything is held at all, each that can be asked there."""
        entitlements = self._entitlements
        valid: dict[object, list[int]] = {}
        for type_ in {one.type for one in entitlements.principals}:
            masks = (entitlements.valid(type_, scope) for scope in entitlements.scopes)
            valid[type_] = [mask.bit_count() for mask in masks]
        asked = np.array([valid[one.type] for one in entitlements.principals], dtype=np.int64)
        stops = self._table[:, len(COMPARED) : self._causes]
        return int((stops * ((stops > 1) | self._anything) * asked.reshape(stops.shape)).sum())
