"""Marks: one number each for all that makes two users' findings alike, so that those alike are told once.

They are made of what is said, not of the order in which it was met: marks of two walks can be compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from permmigrate.diff.automaton import Automaton, PairTable
from permmigrate.diff.batches import Batch
from permmigrate.diff.parts import Numbers
from permmigrate.diff.profiles import Profiles
from permmigrate.diff.walk import Walk
from permmigrate.entitlements import Entitlements
from permmigrate.entitlements.content import mixed

Marks = npt.NDArray[np.uint64]
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
"""Keeps small numbers apart when they are added to others."""


@dataclass(frozen=True)
class Marker:
    """Marks the findings of walks: by where, what, why, and every path of the grants behind them."""

    entitlements: Entitlements
    automaton: Automaton
    profiles: Profiles

    def of(self, batch: Batch, walk: Walk, findings: Numbers) -> Marks:
        """The marks of these findings of a walk, by their numbers in it."""
        essence, stop = self.automaton.essence_of[walk.kind[findings]], walk.stop[findings]
        mark = _mixed_in(np.zeros(len(findings), dtype=np.uint64), walk.place[stop])
        for column in (self._essences.of(essence), walk.folders[findings]):
            mark = _mixed_in(mark, column)
        length = np.diff(np.append(walk.first, len(walk.entry)))
        via = self._names.of(np.array([one.via for one in batch.sources], dtype=np.intp))
        rows, origin = np.arange(len(findings)), self.entitlements.content.origin
        while len(rows):
            inner, at, nth = np.arange(len(rows)), stop, 0
            while len(inner):
                entry = walk.first[at] + nth
                look = self._looks(walk.offer[entry], essence[rows[inner]])
                said = np.flatnonzero(look > 0)
                source, given = walk.source[entry[said]], walk.entry[entry[said]]
                told = np.zeros(len(said), dtype=np.uint64)
                sourced = np.flatnonzero((look[said] & 1 == 1) & (given >= 0))
                told[sourced] = origin[given[sourced]]
                told += self._words.of(look[said] >> 1)
                told += np.where(source >= 0, via[source], np.uint64(0))
                told += walk.place[at[said]].astype(np.uint64) * _ODD
                target = rows[inner[said]]
                mark[target] = mixed(mark[target] + mixed(told))
                nth += 1
                more = length[at] > nth
                inner, at = inner[more], at[more]
            above = walk.parent[stop].astype(np.intp)
            up = above >= 0
            rows, stop = rows[up], above[up]
        return mark

    @cached_property
    def _looks(self) -> PairTable:
        return PairTable(self.profiles.look)

    @cached_property
    def _essences(self) -> _Said:
        return _Said(lambda: self.automaton.essences)

    @cached_property
    def _names(self) -> _Said:
        return _Said(lambda: list(self.profiles.names))

    @cached_property
    def _words(self) -> _Said:
        return _Said(lambda: [None, *self.profiles.variants])


class _Said:
    """A mark for each of some values, by its number; values are added at the end."""

    def __init__(self, values: Callable[[], Sequence[object]]) -> None:
        self._values = values
        self._marks = np.zeros(0, dtype=np.uint64)

    def of(self, number: npt.NDArray[np.integer]) -> Marks:
        """The marks of these."""
        if number.max(initial=-1) >= len(self._marks):
            more = map(_mark, self._values()[len(self._marks) :])
            self._marks = np.append(self._marks, np.fromiter(more, dtype=np.uint64))
        return np.asarray(self._marks[number])


def _mark(value: object) -> int:
    return int.from_bytes(hashlib.blake2b(repr(value).encode(), digest_size=8).digest(), "big")


def _mixed_in(mark: Marks, column: npt.NDArray[Any]) -> Marks:
    """Marks for what had these before and a number more each now."""
    with np.errstate(over="ignore"):
        return mixed(mark * _ODD + column.astype(np.uint64) + np.uint64(1))
