"""The groups' own findings, to look users' findings up in: what a group has is told once, with the group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from permmigrate.diff.automaton import Automaton, PairTable
from permmigrate.diff.parts import Numbers
from permmigrate.diff.walk import Walk
from permmigrate.snapshot.shares import Ints


@dataclass(frozen=True, eq=False)
class Known:
    """All stops of all groups in their order, with the findings of each."""

    places: int
    """How many places there are."""
    key: npt.NDArray[np.int64]
    """Group's number times the number of places, plus the place: sorted."""
    step: Ints
    first: Ints
    """The first finding of each stop."""
    of_entry: Ints
    """The stop of each content grant of a group."""
    folders: Ints
    """Of each finding."""
    in_step: PairTable
    """One more than the place of an essence among the findings of a step; 0 where it is not there."""

    @staticmethod
    def of(automaton: Automaton, places: int, entries: int, walks: Iterable[tuple[Ints, Walk]]) -> Known:
        """What the groups' walks found; each comes with the group's number for each slot."""
        of_entry = np.full(entries, -1, dtype=np.int32)
        keys, steps, firsts, folders = [], [], [], []
        stops = findings = 0
        for group, walk in walks:
            given = np.flatnonzero(walk.entry >= 0)
            of_entry[walk.entry[given]] = stops + walk.stop_of_entry[given]
            keys.append(group[walk.slot].astype(np.int64) * places + walk.place)
            count = np.bincount(walk.stop, minlength=len(walk.place))
            firsts.append((findings + np.cumsum(count) - count).astype(np.int32))
            steps.append(walk.step)
            folders.append(walk.folders)
            stops, findings = stops + len(walk.place), findings + len(walk.stop)
        none = np.zeros(0, dtype=np.int32)
        return Known(
            places,
            np.concatenate([*keys, none.astype(np.int64)]),
            np.concatenate([*steps, none]),
            np.concatenate([*firsts, none]),
            of_entry,
            np.concatenate([*folders, none]),
            PairTable(automaton.place_in_step),
        )

    def like(self, stop: npt.NDArray[Any], essence: Ints, folders: Ints) -> tuple[Numbers, Numbers]:
        """Which of some findings a group has at these stops too, for as many folders; and the group's."""
        at = self.in_step(self.step[stop], essence)
        hit = np.flatnonzero(at > 0)
        theirs = self.first[stop[hit]] + at[hit] - 1
        same = np.flatnonzero(self.folders[theirs] == folders[hit])
        return hit[same], theirs[same]

    def stops_at(self, group: Ints, place: Ints) -> npt.NDArray[np.int64]:
        """The stop of each group at each place; -1 where it has none, or where the group is -1."""
        if not len(self.key):
            return np.full(len(group), -1, dtype=np.int64)
        key = group.astype(np.int64) * self.places + place
        at = np.minimum(np.searchsorted(self.key, key), len(self.key) - 1)
        return np.where((group >= 0) & (self.key[at] == key), at, -1)
