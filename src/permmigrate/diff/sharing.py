"""What one walk finds for an audience, handed out to its members."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from permmigrate.diff.alike import Columns
from permmigrate.diff.audiences import Audience, Bools
from permmigrate.diff.automaton import Automaton
from permmigrate.diff.batches import Batch
from permmigrate.diff.held import Held, Table
from permmigrate.diff.known import Known
from permmigrate.diff.marks import Marker, Marks
from permmigrate.diff.members import Bits, Longs, Members
from permmigrate.diff.parts import Numbers, Parts, ranges
from permmigrate.diff.walk import Walk
from permmigrate.snapshot.shares import Ints


class Shares(NamedTuple):
    """What a batch of audiences comes to."""

    who: Ints
    """Members, each as often as it is in audiences of the batch."""
    counts: Table
    """A row for each of them: what to count for it."""
    told: list[tuple[Longs, Bits]]
    """Bits of the groups' findings to set."""
    columns: Columns
    """Findings that the groups have not."""
    marks: Marks
    finding: Ints
    """Of these, the number of one, ..."""
    user: Ints
    """... and a user for whom it holds."""


@dataclass(frozen=True, eq=False)
class Sharing:
    """Looks at the walks of audiences; every slot of a batch is one."""

    parts: Parts
    known: Known
    marker: Marker
    members: Members
    held: Held

    def shares(
        self, batch: Batch, audiences: Sequence[Audience], alone: Sequence[Bools], walk: Walk
    ) -> Shares:
        """What each member gets: of each audience the parts are told that each member holds alone."""
        found = _Inside.of(self.parts, batch, walk)
        who = np.concatenate([audience.numbers for audience in audiences])
        theirs = self._theirs(batch, walk, found)
        left = np.flatnonzero(theirs < 0)
        columns = columns_of(self.marker.automaton, batch, walk, found.findings[left])
        marks = self.marker.of(batch, walk, found.findings[left])
        bounds = found.bounds(np.arange(len(audiences) + 1))
        of_left = np.searchsorted(left, bounds)
        told, finding, user = [], [], []
        for at, (audience, holds) in enumerate(zip(audiences, alone, strict=True)):
            part = found.part[bounds[at] : bounds[at + 1]] - found.first_part[at]
            same = theirs[bounds[at] : bounds[at + 1]]
            told.append(self.members.block(audience.holder, audience.numbers, holds, same, part))
            member, nth = np.nonzero(holds[:, part[same < 0]])
            finding.append(of_left[at] + nth)
            user.append(audience.numbers[member])
        return Shares(
            who,
            self._counts(walk, found, alone),
            told,
            columns,
            marks,
            np.concatenate(finding).astype(np.int32),
            np.concatenate(user),
        )

    def _theirs(self, batch: Batch, walk: Walk, found: _Inside) -> Ints:
        """The group's own finding that is the same as each one; -1 without one."""
        stop = walk.stop[found.findings]
        theirs = np.full(len(stop), -1, dtype=np.int32)
        usable = np.flatnonzero(batch.in_group[walk.slot[stop]])
        essence = self.marker.automaton.essence_of[walk.kind[found.findings[usable]]]
        at = self.known.of_entry[walk.entry[walk.first[stop[usable]]]]
        hit, same = self.known.like(at, essence, walk.folders[found.findings[usable]])
        theirs[usable[hit]] = same
        return theirs

    def _counts(self, walk: Walk, found: _Inside, alone: Sequence[Bools]) -> Table:
        """What to count for each member: all that its audience has, without what it does not hold alone."""
        stops = len(found.stops)
        column = self.held.columns(walk.place[found.stops], walk.kind[found.findings])
        members, parts = np.cumsum([0, *map(len, alone)]), found.first_part[-1]
        row, lacking = _lacking(alone, members, found.first_part)
        slot = np.repeat(np.arange(len(alone)), np.diff(found.first_part)) + members[-1]
        at_stop, stop = ranges(*_bounds(found.part_of_stop, parts)[:, lacking])
        at_finding, finding = ranges(*_bounds(found.part, parts)[:, lacking])
        rows = slot[found.part_of_stop], slot[found.part], row[at_stop], row[at_finding]
        columns = column, column[stop], column[stops + finding]
        counts = self.held.counted(np.concatenate(rows), np.concatenate(columns), members[-1] + len(alone))
        everything = np.repeat(counts[members[-1] :], np.diff(members), axis=0)
        return everything - counts[: members[-1]]


def _lacking(alone: Sequence[Bools], first_row: Numbers, first_part: Numbers) -> tuple[Numbers, Numbers]:
    """Every part that a member does not hold alone: the member's row and the part, through the batch."""
    found = [np.nonzero(~holds) for holds in alone]
    rows = [member + first for (member, _), first in zip(found, first_row, strict=False)]
    return np.concatenate(rows), np.concatenate(
        [part + first for (_, part), first in zip(found, first_part, strict=False)]
    )


def _bounds(part: Numbers, parts: int) -> Numbers:
    """Where what lies in each part begins and ends, in a sorted column of parts."""
    ends = np.cumsum(np.bincount(part, minlength=parts))
    return np.stack([np.append(0, ends[:-1]), ends])


class _Inside(NamedTuple):
    """What a walk found in parts; the parts are counted through the batch, slot by slot."""

    first_part: Numbers
    """The first part of each slot; one more than there are slots."""
    stops: Numbers
    part_of_stop: Numbers
    findings: Numbers
    part: Numbers
    """Of each finding."""

    @staticmethod
    def of(parts: Parts, batch: Batch, walk: Walk) -> _Inside:
        starts, ends = parts.starts[batch.lenses[:, 0]], parts.starts[batch.lenses[:, 0] + 1]
        first_part = np.concatenate([[0], np.cumsum(ends - starts)])
        entry = walk.entry[walk.first]
        stops = np.flatnonzero(entry >= 0)
        part = np.full(len(entry), -1, dtype=np.intp)
        part[stops] = parts.of_entry[entry[stops]] + (first_part[:-1] - starts)[walk.slot[stops]]
        findings = np.flatnonzero(part[walk.stop] >= 0)
        return _Inside(first_part, stops, part[stops], findings, part[walk.stop[findings]])

    def bounds(self, slots: Numbers) -> Numbers:
        """Where the findings of each slot begin."""
        return np.searchsorted(self.part, self.first_part[slots])


def columns_of(
    automaton: Automaton, batch: Batch, walk: Walk, findings: Numbers | slice = slice(None)
) -> Columns:
    """Findings of a walk as columns: all, or some by their numbers in it."""
    stop = walk.stop[findings]
    return Columns(
        batch.numbers[walk.slot[stop]],
        walk.place[stop],
        walk.kind[findings],
        walk.folders[findings],
        automaton.leads_to[walk.step[stop]],
    )
