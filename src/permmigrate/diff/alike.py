"""Users' findings that no group has: those alike are told once, with the first of the users they hold for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from permmigrate.diff.marks import Marks
from permmigrate.memory import trim
from permmigrate.snapshot.shares import Ints, Small, narrow

Column = npt.NDArray[Any]
_PARTS: Final = 8
"""A million findings are sorted a part at a time, by the highest bits of their marks: that takes less memory,
and less time."""
_ABOVE: Final = np.uint64(56)
_MANY: Final = 1 << 16
"""Numbers that are worth it."""
T = TypeVar("T")


class Columns(NamedTuple):
    """Parallel columns, one entry a finding."""

    principal: Small
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
        return Columns(narrow(principal), place, *map(narrow, small))


class Told(NamedTuple):
    """Findings that are told with their first user."""

    columns: Columns
    first_other: Ints
    """Where the other users of each begin in `others`, ..."""
    number_of_others: Small
    """... and how many there are."""
    others: Small


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

    def hold(self, finding: Ints, user: Small) -> None:
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
        finding, user, sizes, others = self._firsts()
        starts = np.cumsum(sizes, dtype=np.int32) - sizes
        nth, finding, user = _sorted([np.arange(len(starts), dtype=np.int32), finding, user])
        place, *small = (column.taken()[finding] for column in self._columns)
        columns = Columns(user, place.astype(np.int32), *small)
        return Told(columns, starts[nth], narrow(sizes[nth]), others)

    def _firsts(self) -> list[Column]:
        """The first pair of all that are alike, by finding and user, and how many more there are; and the
        users of the others, one after the other."""
        mark, finding, user = self._mark.taken(), self._finding.taken(), self._user.taken()
        parts = _PARTS if len(finding) >= _MANY else 1
        of_pair = (mark >> _ABOVE).astype(np.uint8)[finding] % parts

        def part(at: int) -> tuple[Ints, ...]:
            pairs = np.flatnonzero(of_pair == at)
            nth, who = finding[pairs], user[pairs].astype(np.int32)
            same = _numbered(mark[nth]) << 1 | self._dormant[who]
            nth, who, same = _sorted([nth, who, same])
            begins = np.ones(len(pairs), dtype=bool)
            begins[1:] = same[1:] != same[:-1]
            first = np.flatnonzero(begins)
            return nth[first], who[first], np.diff(np.append(first, len(pairs))) - 1, who[~begins]

        columns = Growing(np.int32), Growing(), Growing(np.int32), Growing()
        for found in _two_at_once(part, parts):
            for column, more in zip(columns, found, strict=True):
                column.add(more)
        return [column.taken() for column in columns]


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
    """A small number for each mark, the same for equal ones."""
    order = np.argsort(mark)
    ordered = mark[order]
    number = np.zeros(len(mark), dtype=np.int32)
    number[order[1:]] = np.cumsum(ordered[1:] != ordered[:-1], dtype=np.int32)
    return number


def _two_at_once(work: Callable[[int], T], parts: int) -> Iterator[T]:
    """What comes of each part, in order: numpy sorts two of them at once."""
    if parts == 1:
        yield work(0)
        return
    with ThreadPoolExecutor(2) as pool:
        yield from pool.map(work, range(parts))


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
