"""Users' findings that no group has: those alike are told once, with the first of the users they hold for."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from permmigrate.diff.marks import Marks
from permmigrate.diff.parts import ranges
from permmigrate.memory import trim
from permmigrate.snapshot.shares import Ints

Column = npt.NDArray[Any]


class Columns(NamedTuple):
    """Parallel columns, one entry a finding."""

    principal: Ints
    place: Ints
    kind: Ints
    folders: Ints
    state: Ints
    """For each finding the state it was found in: what is granted there, and to which kind of principal."""

    def of(self, rows: Column) -> Columns:
        """Those of some findings."""
        return Columns(*(column[rows] for column in self))

    @staticmethod
    def joined(parts: list[Columns]) -> Columns:
        """Columns of several parts as one; the parts are let go."""
        return Columns(*joined(parts, len(Columns._fields)))


class Told(NamedTuple):
    """Findings that are told with their first user."""

    columns: Columns
    first_other: Ints
    """Where the other users of each begin; one more than there are findings."""
    others: Ints


class Alike:
    """Collects findings and whom they hold for: those who can act today apart from those who cannot.

    A million of them is a common number: columns are kept as narrow as they can be, and let go early.
    """

    def __init__(self, dormant: npt.NDArray[np.bool_]) -> None:
        self._dormant = dormant
        self._columns: list[tuple[Column, ...]] = []
        self._marks: list[tuple[Marks]] = []
        self._pairs: list[tuple[Ints, Ints]] = []
        self._number = 0

    def add(self, found: Columns, mark: Marks) -> Ints:
        """Findings with their marks, whoever's they are; the numbers they get here."""
        self._columns.append(tuple(map(_narrow, found[1:])))
        self._marks.append((mark,))
        first, self._number = self._number, self._number + len(mark)
        return np.arange(first, self._number, dtype=np.int32)

    def hold(self, finding: Ints, user: Ints) -> None:
        """Say for whom findings hold, pair by pair."""
        self._pairs.append((finding, _narrow(user)))

    def told(self) -> Told:
        """Each finding once, by its first user; nothing is left here."""
        same = _numbered(joined(self._marks, 1, np.uint64)[0])
        pairs = [*joined(self._pairs, 2)]
        pairs.append(same[pairs[0]] << 1 | self._dormant[pairs[1]])
        del same
        finding, user, same = _sorted(pairs)
        begins = np.ones(len(same), dtype=bool)
        begins[1:] = same[1:] != same[:-1]
        del same
        heads, others = np.flatnonzero(begins), user[~begins]
        sizes = np.diff(np.append(heads, len(begins))) - 1
        ends = np.cumsum(sizes)
        nth = np.arange(len(heads), dtype=np.int32)
        nth, finding, user = _sorted([nth, finding[heads], user[heads]])
        del heads, begins
        sizes, ends = sizes[nth], ends[nth]
        first_other = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int32)
        others = others[ranges(ends - sizes, ends)[1]]
        columns = (column[finding].astype(np.int32) for column in joined(self._columns, 4))
        return Told(Columns(user, *columns), first_other, others)


def _narrow(column: Ints) -> Column:
    return column.astype(np.uint16) if column.max(initial=0) <= 0xFFFF else column


def _numbered(mark: Marks) -> Ints:
    """A small number for each mark, the same for equal ones. They are sorted an eighth at a time."""
    number = np.zeros(len(mark), dtype=np.int32)
    eighth, first = (mark >> np.uint64(61)).astype(np.uint8), 0
    for one in range(8):
        rows = np.flatnonzero(eighth == one)
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
        made.append((packed & ((1 << width) - 1)).astype(np.int32))
        packed >>= width
    return tuple(made)


def joined(parts: list[Any], width: int, dtype: npt.DTypeLike = np.int32) -> tuple[Column, ...]:
    """Columns of several parts as one; the parts are let go, column by column."""
    columns: list[list[Column]] = [[] for _ in range(width)]
    while parts:
        for column, piece in zip(columns, parts.pop(0), strict=True):
            column.append(piece)
    made = []
    for column in columns:
        made.append(np.concatenate(column) if column else np.zeros(0, dtype=dtype))
        column.clear()
    trim()
    return tuple(made)
