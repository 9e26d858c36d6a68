"""Users' findings that no group has: those alike are told once, with the first of the users they hold for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from permmigrate.diff.marks import Marks
from permmigrate.memory import trim
from permmigrate.snapshot.shares import Ints

Column = npt.NDArray[Any]
Small = npt.NDArray[np.integer]
"""Small numbers: of two bytes each, where that is enough."""
_PARTS: Final = 8
"""A million findings are sorted a part at a time: that takes less memory, and less time."""


class Columns(NamedTuple):
    """Parallel columns, one entry a finding."""

    principal: Ints
    place: Ints
    kind: Small
    folders: Small
    state: Small
    """For each finding the state it was found in: what is granted there, and to which kind of principal."""

    @staticmethod
    def joined(parts: list[Columns]) -> Columns:
        """Columns of several parts as one; the parts are let go, column by column."""
        pieces = [[part[at] for part in parts] for at in range(len(Columns._fields))]
        parts.clear()
        made = []
        for column in pieces:
            made.append(np.concatenate([*column, np.zeros(0, dtype=np.int32)]))
            column.clear()
        trim()
        principal, place, *small = made
        return Columns(principal, place, *map(_narrow, small))


class Told(NamedTuple):
    """Findings that are told with their first user."""

    columns: Columns
    first_other: Ints
    """Where the other users of each begin in `others`, ..."""
    end_of_others: Ints
    """... and where they end."""
    others: Ints


class Alike:
    """Collects findings and whom they hold for: those who can act today apart from those who cannot.

    A million of them is a common number: columns are kept as narrow as they can be, and let go early.
    """

    def __init__(self, dormant: npt.NDArray[np.bool_]) -> None:
        self._dormant = dormant
        self._columns = [Growing() for _ in Columns._fields[1:]]
        self._mark = Growing(np.uint64)
        self._finding, self._user = Growing(np.int32), Growing()

    def add(self, found: Columns, mark: Marks) -> Ints:
        """Findings with their marks, whoever's they are; the numbers they get here."""
        first = len(self._mark)
        for column, more in zip(self._columns, found[1:], strict=True):
            column.add(more)
        self._mark.add(mark)
        return np.arange(first, len(self._mark), dtype=np.int32)

    def hold(self, finding: Ints, user: Ints) -> None:
        """Say for whom findings hold, pair by pair."""
        self._finding.add(finding)
        self._user.add(user)

    def taken(self) -> Iterator[Column]:
        """All that was collected, column by column; nothing is left here."""
        return (column.taken() for column in self._all.values())

    def join(self, taken: list[Column], kind: Ints, state: Ints) -> None:
        """Add what was taken from another, and let go of it; its kinds and states have these numbers here."""
        numbers = {"kind": kind, "state": state}
        first = np.int32(len(self._mark))
        for name, column in self._all.items():
            more = taken.pop(0)
            if name in numbers:
                more = numbers[name][more]
            column.add(more + first if name == "finding" else more)

    @property
    def _all(self) -> dict[str, Growing]:
        names = (*Columns._fields[1:], "mark", "finding", "user")
        return dict(zip(names, (*self._columns, self._mark, self._finding, self._user), strict=True))

    def told(self) -> Told:
        """Each finding once, by its first user; nothing is left here."""
        same = _numbered(self._mark.taken())
        finding, user = self._finding.taken(), self._user.taken()
        same = same[finding] << 1 | self._dormant[user]
        heads = Growing(np.int32), Growing(np.int32), Growing(np.int32)
        others = Growing(np.int32)
        some = len(same) // _PARTS + 1
        for low in range(0, int(same.max(initial=-1)) + 1, some):
            pairs = np.flatnonzero((same >= low) & (same < low + some))
            in_part = _sorted([finding[pairs], user[pairs].astype(np.int32), same[pairs]])
            begins = np.ones(len(pairs), dtype=bool)
            begins[1:] = in_part[2][1:] != in_part[2][:-1]
            first = np.flatnonzero(begins)
            sizes = np.diff(np.append(first, len(pairs))) - 1
            for column, more in zip(heads, (in_part[0][first], in_part[1][first], sizes), strict=True):
                column.add(more)
            others.add(in_part[1][~begins])
        del same, finding, user
        sizes = heads[2].taken()
        ends = np.cumsum(sizes, dtype=np.int32)
        in_order = [np.arange(len(ends), dtype=np.int32), heads[0].taken(), heads[1].taken()]
        nth, finding, user = _sorted(in_order)
        place, *small = (column.taken()[finding] for column in self._columns)
        return Told(
            Columns(user, place.astype(np.int32), *small), ends[nth] - sizes[nth], ends[nth], others.taken()
        )


def _narrow(column: Column) -> Column:
    """Small numbers in two bytes each, if they fit."""
    return column.astype(np.uint16 if column.max(initial=0) <= 0xFFFF else np.int32)


class Growing:
    """A column of numbers that grows without being copied, and is as narrow as it can be."""

    STEP: Final = 1 << 18

    def __init__(self, dtype: npt.DTypeLike = np.uint16) -> None:
        self._numbers = np.empty(0, dtype=dtype)
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def add(self, more: Column) -> None:
        """Some more numbers, none of them negative."""
        if self._numbers.dtype == np.uint16 and more.max(initial=0) > 0xFFFF:
            self._numbers = self._numbers.astype(np.int32)
        end = self._length + len(more)
        if end > len(self._numbers):
            self._numbers.resize(max(end, len(self._numbers) + self.STEP), refcheck=False)
        self._numbers[self._length : end] = more
        self._length = end

    def taken(self) -> Column:
        """All numbers; nothing is left here."""
        numbers, self._numbers = self._numbers, self._numbers[:0].copy()
        numbers.resize(self._length, refcheck=False)
        self._length = 0
        return numbers


def _numbered(mark: Marks) -> Ints:
    """A small number for each mark, the same for equal ones. They are numbered a part at a time."""
    number = np.zeros(len(mark), dtype=np.int32)
    bounds, first = [np.uint64((one << 64) // _PARTS) for one in range(_PARTS)], 0
    for low, high in zip(bounds, [*bounds[1:], None], strict=True):
        rows = np.flatnonzero((mark >= low) & (mark < high) if high is not None else mark >= low)
        rows = rows[np.argsort(mark[rows])]
        ordered = mark[rows]
        number[rows[:1]] = first
        number[rows[1:]] = np.cumsum(ordered[1:] != ordered[:-1], dtype=np.int32) + np.int32(first)
        first = int(number[rows[-1]]) + 1 if len(rows) else first
    return number


def _sorted(columns: list[Ints]) -> tuple[Ints, ...]:
    """Columns of small numbers, sorted by the last, then by those before, and in this order; they are let go.

    They are sorted as one number, where they fit.
    """
    bits = [int(one.max(initial=0)).bit_length() for one in columns]
    if sum(bits) > 63:
        order = np.lexsort(columns)
        return tuple(one[order] for one in columns)
    packed = np.zeros(len(columns[0]), dtype=np.int64)
    for width in reversed(bits):
        packed <<= width
        packed |= columns.pop()
    packed.sort()
    made = []
    for width in bits:
        column = np.empty(len(packed), dtype=np.int32)
        made.append(np.bitwise_and(packed, (1 << width) - 1, out=column, casting="unsafe"))
        packed >>= width
    return tuple(made)
