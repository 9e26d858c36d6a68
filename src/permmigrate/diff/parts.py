"""The parts of everybody's content grants: each is what they cover from one topmost place down.

Where no other part of a principal's touches one, the principal fares there as all do to whom its holder's
grants come to the same, and need not be walked by itself. No grant is looked into here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from permmigrate.entitlements.content import Content
from permmigrate.entitlements.places import Places
from permmigrate.snapshot.shares import Ints

Numbers = npt.NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class Parts:
    """Parallel columns of parts, by holder and place; and each entry's part."""

    starts: Numbers
    """Where each principal's parts begin; one more than there are principals."""
    entries: Ints
    """Where the content grants of each part begin; one more than there are parts."""
    top: Ints
    """The topmost place of each."""
    of_entry: Ints
    """The part of each content grant."""
    size: Ints
    """How many places lie in each place, itself included."""

    @staticmethod
    def of(content: Content, places: Places) -> Parts:
        """Part what every holder has; content grants come by holder and place."""
        size = np.maximum(places.size, 1)
        key = np.repeat(np.arange(len(content.starts) - 1), np.diff(content.starts)) * len(places)
        key += content.place
        begins = np.ones(len(key), dtype=bool)
        begins[1:] = key[1:] >= np.maximum.accumulate(key + size[content.place])[:-1]
        first = np.flatnonzero(begins)
        return Parts(
            np.searchsorted(first, content.starts),
            np.append(first, len(key)).astype(np.int32),
            content.place[first],
            np.cumsum(begins, dtype=np.int32) - 1,
            size,
        )

    def held_by(self, holders: npt.NDArray[Any]) -> tuple[Numbers, Numbers]:
        """All parts of these holders: which of the holders each is of, and the part."""
        return ranges(self.starts[holders], self.starts[holders + 1])

    def entries_of(self, part: npt.NDArray[Any]) -> tuple[Numbers, Numbers]:
        """All content grants of these parts: which of the parts each is of, and the grant."""
        return ranges(self.entries[part].astype(np.intp), self.entries[part + 1])

    def alone(self, slot: npt.NDArray[Any], part: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
        """Which of these parts no other one of the same slot touches."""
        bits, of_place = len(part).bit_length(), len(self.size).bit_length()
        packed = (slot.astype(np.int64) << of_place | self.top[part]) << bits | np.arange(len(part))
        packed.sort()
        nth, key = packed & ((1 << bits) - 1), packed >> bits
        end = key + self.size[key & ((1 << of_place) - 1)]
        begins = np.ones(len(part) + 1, dtype=bool)
        begins[1:-1] = key[1:] >= np.maximum.accumulate(end)[:-1]
        found = np.empty(len(part), dtype=bool)
        found[nth] = begins[:-1] & begins[1:]
        return found


def ranges(first: Numbers, end: npt.NDArray[np.integer]) -> tuple[Numbers, Numbers]:
    """The numbers of some ranges one after the other: which range each is of, and the number."""
    which, nth = repeated(end - first)
    return which, first[which] + nth


def repeated(count: npt.NDArray[Any]) -> tuple[Numbers, Numbers]:
    """Each number as often as its count says, and the how manieth of it that is."""
    total = np.cumsum(count, dtype=np.int64)
    which = np.repeat(np.arange(len(count)), count)
    return which, np.arange(len(which)) - (total - count)[which]


def numbered(rows: Sequence[Sequence[int]], width: int) -> Ints:
    """Rows of small numbers as a table, which has its width even without rows."""
    return np.array(rows, dtype=np.int32).reshape(len(rows), width)
