"""Members to whom a group's grants come to the same, wherever nothing else of theirs touches these.

One walk serves an audience: what it finds holds for each member in the parts that the member holds through
this group alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from permmigrate.diff.batches import Batch, Subject
from permmigrate.diff.members import Bits
from permmigrate.diff.parts import Numbers, Parts
from permmigrate.snapshot.shares import Ints

Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Audience:
    """Members who look at one group's grants alike."""

    subject: Subject
    """The first of them, with nothing but what the group has."""
    _numbers: list[int] = field(default_factory=list)
    _alone: list[Bits] = field(default_factory=list)

    @property
    def holder(self) -> int:
        """The group's number among the principals."""
        return self.subject.sources[0].holder

    def add(self, number: int, alone: Bits) -> None:
        """A member, and a bit for each of the group's parts: whether it is held through this group alone."""
        self._numbers.append(number)
        self._alone.append(alone)

    @property
    def numbers(self) -> Ints:
        """The members, by their numbers among the principals."""
        return np.array(self._numbers, dtype=np.int32)

    def alone(self, parts: Parts) -> Bools:
        """A row for each member: which of the group's parts."""
        count = int(parts.starts[self.holder + 1] - parts.starts[self.holder])
        return np.unpackbits(np.stack(self._alone), axis=1, count=count).view(bool)


class Audiences:
    """All audiences of a comparison, collected member by member."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._by_eyes: dict[object, Audience] = {}

    def apart(self, batch: Batch) -> tuple[Numbers, Numbers, Bools]:
        """All parts of the sources of a batch's users: the source, the part, and whether it is to be walked
        for them, because something else of theirs touches it."""
        holders = batch.lenses[:, 0]
        source, part = self._parts.held_by(holders)
        single = np.array([bool(profile.extras) for profile in batch.profiles], dtype=bool)
        whole = (holders == batch.numbers[batch.slot]) | single[batch.slot]
        alone = self._parts.alone(batch.slot[source], part)
        return source, part, whole[source] | ~alone

    def add(self, batch: Batch, apart: Bools) -> None:
        """Let a batch's users join the audiences of their groups with the parts that are not to be walked."""
        alone, holders = ~apart, batch.lenses[:, 0]
        ends = np.cumsum(self._parts.starts[holders + 1] - self._parts.starts[holders]).tolist()
        numbers, slots = batch.numbers.tolist(), batch.slot.tolist()
        for source, slot, start, end in zip(batch.sources, slots, [0, *ends], ends, strict=False):
            parts = np.packbits(alone[start:end])
            if parts.any():
                profile = batch.profiles[slot]
                eyes = (source.holder, source.within, source.beyond, source.is_group, id(profile))
                audience = self._by_eyes.get(eyes)
                if audience is None:
                    subject = Subject(numbers[slot], profile, (source,))
                    audience = self._by_eyes[eyes] = Audience(subject)
                audience.add(numbers[slot], parts)

    def __iter__(self) -> Iterator[Audience]:
        """Group by group."""
        return iter(sorted(self._by_eyes.values(), key=lambda one: one.holder))
