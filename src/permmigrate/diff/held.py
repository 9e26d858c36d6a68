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
    """A table with a row for each principal: stops by scope, then findings by kind."""

    def __init__(self, entitlements: Entitlements, automaton: Automaton) -> None:
        self._entitlements = entitlements
        self._automaton = automaton
        self._scopes = len(entitlements.scopes)
        self._table = np.zeros((len(entitlements.principals), self._scopes), dtype=np.int32)
        self._anything = np.zeros((len(entitlements.principals), self._scopes), dtype=bool)

    def add(self, batch: Batch, walk: Walk) -> None:
        """Count what a walk found for the batch's principals themselves."""
        row = np.concatenate([walk.slot, walk.slot[walk.stop]])
        counts = self.counted(row, self.columns(walk.place, walk.kind), len(batch.numbers))
        self.add_counts(batch.numbers, counts)
        self._anything[batch.numbers] |= np.array([profile.held for profile in batch.profiles], dtype=bool)

    def add_counts(self, who: Ints, counts: Table) -> None:
        """Add counts, a row for each principal; some may come more than once."""
        self._widen(counts.shape[1])
        np.add.at(self._table[:, : counts.shape[1]], who, counts)

    def _widen(self, width: int) -> None:
        missing = width - self._table.shape[1]
        if missing > 0:
            self._table = np.pad(self._table, ((0, 0), (0, missing)))

    def columns(self, place: Ints, kind: Ints) -> Ints:
        """The columns in which stops at these places count, then those of findings of these kinds."""
        scope = self._entitlements.places.scope[place].astype(np.int32)
        return np.concatenate([scope, kind + np.int32(self._scopes)])

    def counted(self, row: npt.NDArray[np.integer], column: Ints, rows: int) -> Table:
        """A table of how often each column comes in each row."""
        width = self._scopes + len(self._automaton.kinds)
        cells = np.bincount(row * np.int64(width) + column, minlength=rows * width)
        return cells.astype(np.int32).reshape(rows, width)

    def counts(self) -> npt.NDArray[np.int64]:
        """Of each principal, how many findings of each verdict hold for it."""
        found = np.zeros((len(self._table), len(COMPARED)), dtype=np.int64)
        for column, kind in zip(self._table.T[self._scopes :], self._automaton.kinds, strict=False):
            found[:, kind.verdict] += column
        return found

    def caused(self) -> tuple[tuple[CauseSet, ...], npt.NDArray[np.bool_]]:
        """The sets of causes, each once for findings with a verdict and once for unknown ones; and of each
        principal, whether a finding of each set holds for it."""
        sets = [(kind.causes, COMPARED[kind.verdict] is Verdict.UNKNOWN) for kind in self._automaton.kinds]
        numbers = {one: number for number, one in enumerate(dict.fromkeys(sets))}
        found = np.zeros((len(self._table), len(numbers)), dtype=bool)
        for column, one in zip(self._table.T[self._scopes :], sets, strict=False):
            found[:, numbers[one]] |= column > 0
        return tuple(numbers), found

    def decided(self) -> int:
        """How many questions were decided: where anything is held at all, each that can be asked there."""
        entitlements = self._entitlements
        valid: dict[object, list[int]] = {}
        for type_ in {one.type for one in entitlements.principals}:
            masks = (entitlements.valid(type_, scope) for scope in entitlements.scopes)
            valid[type_] = [mask.bit_count() for mask in masks]
        asked = np.array([valid[one.type] for one in entitlements.principals], dtype=np.int64)
        stops = self._table[:, : self._scopes]
        return int((stops * ((stops > 1) | self._anything) * asked.reshape(stops.shape)).sum())

    @property
    def parts(self) -> tuple[Table, npt.NDArray[np.bool_]]:
        """All that was counted, for `join` of another."""
        return self._table, self._anything

    def join(self, table: Table, anything: npt.NDArray[np.bool_], kind: Ints) -> None:
        """Add what another counted; each of its kinds has this number here."""
        self._anything |= anything
        self._widen(self._scopes + len(self._automaton.kinds))
        self._table[:, : self._scopes] += table[:, : self._scopes]
        found = table[:, self._scopes :]
        self._table[:, self._scopes + kind[: found.shape[1]]] += found
