"""Marks: one number each for all that makes two users' findings alike, so that those alike are told once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

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
        for column in (essence, walk.folders[findings]):
            mark = _mixed_in(mark, column)
        length = np.diff(np.append(walk.first, len(walk.entry)))
        via = np.array([one.via for one in batch.sources], dtype=np.int64)
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
                told = _mixed_in(told, look[said])
                told = _mixed_in(told, np.where(source >= 0, via[source], 0))
                told = _mixed_in(told, walk.place[at[said]])
                target = rows[inner[said]]
                mark[target] = mixed(mark[target] + told)
                nth += 1
                more = length[at] > nth
                inner, at = inner[more], at[more]
            above = walk.parent[stop].astype(np.intp)
            up = above >= 0
            rows, stop = rows[up], above[up]
        return mark

    @cached_property
    def _looks(self) -> PairTable:
        return PairTable(self.profiles.look, self.automaton.lock)


def _mixed_in(mark: Marks, column: npt.NDArray[Any]) -> Marks:
    """Marks for what had these before and a number more each now."""
    with np.errstate(over="ignore"):
        return mixed(mark * np.uint64(0x9E3779B97F4A7C15) + column.astype(np.uint64) + np.uint64(1))
