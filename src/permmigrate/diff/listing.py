"""Which findings of a user are told with one of the user's groups, because the group has them too."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from permmigrate.diff.automaton import Automaton
from permmigrate.diff.batches import Batch
from permmigrate.diff.known import Known
from permmigrate.diff.members import Groups
from permmigrate.diff.parts import Numbers, ranges
from permmigrate.diff.walk import Walk
from permmigrate.snapshot.shares import Ints

Listed = list[tuple[Numbers, Ints]]
"""Findings of groups, and which member each is listed for."""


@dataclass(frozen=True, eq=False)
class Listing:
    """Looks users' findings up among those of their groups."""

    automaton: Automaton
    groups: Groups
    known: Known

    def of(self, batch: Batch, walk: Walk) -> tuple[Numbers, Listed]:
        """The findings of a walk that no group has, and the groups' findings that are somebody's too."""
        special = self._special(walk)[walk.stop]
        listed = np.zeros(len(walk.stop), dtype=bool)
        pairs = self._at_entries(batch, walk, np.flatnonzero(~special), listed)
        pairs += self._at_places(batch, walk, np.flatnonzero(special), listed)
        return np.flatnonzero(~listed), pairs

    def _special(self, walk: Walk) -> npt.NDArray[np.bool_]:
        """The stops where something begins that no holder's content grants give: scopes, custom policies."""
        special = np.zeros(len(walk.first), dtype=bool)
        special[np.searchsorted(walk.first, np.flatnonzero(walk.entry < 0), side="right") - 1] = True
        return special

    def _at_entries(self, batch: Batch, walk: Walk, left: Numbers, listed: npt.NDArray[np.bool_]) -> Listed:
        """What groups have at the very grants that make a stop."""
        length = np.diff(np.append(walk.first, len(walk.entry)))
        member = self._member_of_source(batch)
        pairs: Listed = []
        nth = 0
        while len(left):
            entry = walk.first[walk.stop[left]] + nth
            usable = np.flatnonzero(batch.in_group[walk.source[entry]])
            entry = entry[usable]
            stop = self.known.of_entry[walk.entry[entry]]
            pairs.append(self._list(walk, left[usable], stop, member[walk.source[entry]], listed))
            nth += 1
            left = left[~listed[left] & (length[walk.stop[left]] > nth)]
        return pairs

    def _at_places(self, batch: Batch, walk: Walk, left: Numbers, listed: npt.NDArray[np.bool_]) -> Listed:
        """What groups have at the places of stops, whatever makes these."""
        slot = walk.slot[walk.stop[left]]
        sources = np.flatnonzero(batch.in_group)
        first = np.searchsorted(batch.slot[sources], np.arange(len(batch.numbers) + 1))
        which, nth = ranges(first[slot], first[slot + 1])
        source, finding = sources[nth], left[which]
        group = self.groups.group_of[batch.lenses[source, 0]]
        stop = self.known.stops_at(group, walk.place[walk.stop[finding]])
        there = np.flatnonzero(stop >= 0)
        found = finding[there]
        hit, theirs = self.known.like(stop[there], self._essence(walk, found), walk.folders[found])
        once = np.unique(found[hit], return_index=True)[1]  # with the first group that has it
        hit, theirs = there[hit[once]], theirs[once]
        listed[finding[hit]] = True
        return [(theirs, self.groups.member(group[hit], batch.numbers[slot[which[hit]]]))]

    def _list(
        self,
        walk: Walk,
        finding: Numbers,
        stop: npt.NDArray[np.integer],
        member: Ints,
        listed: npt.NDArray[np.bool_],
    ) -> tuple[Numbers, Ints]:
        """Mark the findings that the groups' stops have too, for as many folders; theirs, and whose."""
        hit, theirs = self.known.like(stop, self._essence(walk, finding), walk.folders[finding])
        listed[finding[hit]] = True
        return theirs, member[hit]

    def _essence(self, walk: Walk, finding: Numbers) -> Ints:
        return self.automaton.essence_of[walk.kind[finding]]

    def _member_of_source(self, batch: Batch) -> Ints:
        """Which member of each source's group the principal is; 0 where the source is no group of its."""
        rows = np.flatnonzero(batch.in_group)
        member = np.zeros(len(batch.sources), dtype=np.int32)
        group = self.groups.group_of[batch.lenses[rows, 0]]
        member[rows] = self.groups.member(group, batch.numbers[batch.slot[rows]])
        return member
