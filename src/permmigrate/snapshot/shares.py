"""Legacy shares as columns: a million of them as a sequence of `Share` values that are made when looked at.

It holds what it is given in the order it is given; `ordered` sorts. It knows nothing of files.
"""

from __future__ import annotations

from array import array
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, overload

import numpy as np
import numpy.typing as npt

from permmigrate.model import ContentKind, ContentRef, PrincipalRef, Share

Ints = npt.NDArray[np.int32]
Small = npt.NDArray[np.integer]
"""Numbers in as few bytes each as do: see `narrow`."""

_DIGITS: Final = "0123456789"
_DENSE: Final = 1 << 20
"""Codes up to here are looked up in a table."""
LONGEST: Final = 9
"""Digits of a line number that surely fits 32 bits."""


@dataclass(frozen=True, eq=False)
class Shares(Sequence[Share]):
    """Parallel columns of small numbers; the tuples say what the numbers mean."""

    contents: tuple[ContentRef, ...]
    principals: tuple[PrincipalRef, ...]
    levels: tuple[str, ...]
    origins: tuple[str, ...]
    """Sources without the number at their end: `shares.csv:`."""
    content: Ints
    principal: Ints
    level: Small
    origin: Small
    line: Ints
    """The number at the end of the source; -1 for none."""

    def __len__(self) -> int:
        return len(self.content)

    @overload
    def __getitem__(self, at: int) -> Share: ...
    @overload
    def __getitem__(self, at: slice) -> Shares: ...
    def __getitem__(self, at: int | slice) -> Share | Shares:
        if isinstance(at, slice):
            return self.at(np.arange(len(self), dtype=np.int32)[at])
        return Share(
            self.contents[self.content[at]],
            self.principals[self.principal[at]],
            self.levels[self.level[at]],
            self.source(at),
        )

    def __iter__(self) -> Iterator[Share]:
        contents, principals, levels, origins = self.contents, self.principals, self.levels, self.origins
        for content, principal, level, origin, line in zip(
            *(column.tolist() for column in self.columns), strict=True
        ):
            source = origins[origin] if line < 0 else f"{origins[origin]}{line}"
            yield Share(contents[content], principals[principal], levels[level], source)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str | bytes):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment] # it would have to be that of a tuple

    def __repr__(self) -> str:
        return f"<{len(self):,} shares>"

    def source(self, at: int) -> str:
        """Where one share was read, as it was written."""
        origin, line = self.origins[self.origin[at]], int(self.line[at])
        return origin if line < 0 else f"{origin}{line}"

    @property
    def columns(self) -> tuple[Ints, Ints, Small, Small, Ints]:
        return self.content, self.principal, self.level, self.origin, self.line

    def at(self, rows: npt.NDArray[Any]) -> Shares:
        """The shares in these rows, in this order."""
        columns = (column[rows] for column in self.columns)
        return Shares(self.contents, self.principals, self.levels, self.origins, *columns)

    def ordered(self) -> Shares:
        """The same shares by content, principal, level and source."""
        keys = [
            _ranks(self.levels)[self.level],
            _ranks([(one.type.value, one.id) for one in self.principals])[self.principal],
            _ranks([(one.environment_id, one.kind.value, one.id) for one in self.contents])[self.content],
        ]
        order = np.lexsort(keys)
        if self._has_ties(keys, order):
            order = np.lexsort([_ranks([self.source(at) for at in range(len(self))]), *keys])
        return self if bool(np.all(order[:-1] < order[1:])) else self.at(order)

    @staticmethod
    def _has_ties(keys: list[Ints], order: npt.NDArray[np.intp]) -> bool:
        """Whether two shares differ in their source only: reading all sources takes the longest."""
        same = np.ones(max(len(order) - 1, 0), dtype=bool)
        for key in keys:
            ordered = key[order]
            same &= ordered[:-1] == ordered[1:]
        return bool(same.any())

    @cached_property
    def _by_principal(self) -> tuple[Ints, npt.NDArray[np.intp]]:
        return ordered_by(self.principal, len(self.principals))

    @property
    def grant_codes(self) -> npt.NDArray[np.int64]:
        """One number for each principal and content, the same for shares of one level and another."""
        return self.principal.astype(np.int64) * len(self.contents) + self.content

    @cached_property
    def repeated(self) -> npt.NDArray[np.intp]:
        """The shares of a principal that has several of the same content."""
        codes = self.grant_codes
        ordered = np.sort(codes)
        several = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
        return np.flatnonzero(np.isin(codes, several)) if len(several) else several

    @cached_property
    def kinds(self) -> npt.NDArray[np.int8]:
        """The place of each content's kind among the kinds there are."""
        kinds = list(ContentKind)
        return np.fromiter(map(kinds.index, (one.kind for one in self.contents)), np.int8, len(self.contents))

    @cached_property
    def principal_number(self) -> dict[PrincipalRef, int]:
        return {principal: number for number, principal in enumerate(self.principals)}

    @cached_property
    def content_number(self) -> dict[ContentRef, int]:
        return dict(zip(self.contents, range(len(self.contents)), strict=True))

    def rows_of(self, principal: PrincipalRef, contents: Collection[ContentRef] | None = None) -> Ints:
        """Where a principal's shares are, in their order: all, or those of some contents."""
        number = self.principal_number.get(principal)
        if number is None or (contents is not None and not contents):
            return np.zeros(0, dtype=np.int32)
        order, starts = self._by_principal
        rows = order[starts[number] : starts[number + 1]]
        return rows if contents is None else rows[self.among(rows, contents)]

    def among(self, rows: npt.NDArray[Any], contents: Collection[ContentRef]) -> npt.NDArray[np.bool_]:
        """Which of some shares are of some contents."""
        wanted = [self.content_number[one] for one in contents if one in self.content_number]
        return among(self.content[rows], wanted)

    @staticmethod
    def of(shares: Iterable[Share]) -> Shares:
        """The shares as columns, in the order they come."""
        if isinstance(shares, Shares):
            return shares
        gathered = Gathered()
        for share in shares:
            gathered.add(share.content, share.principal, share.level, share.source)
        return gathered.finished()


class Gathered:
    """Shares on their way into columns, one by one or many at a time."""

    def __init__(self) -> None:
        self._contents: dict[ContentRef, int] = {}
        self._principals: dict[PrincipalRef, int] = {}
        self._levels: dict[str, int] = {}
        self._origins: dict[str, int] = {}
        self._columns = tuple(array("i") for _ in range(5))

    def __len__(self) -> int:
        return len(self._columns[0])

    def add(self, content: ContentRef, principal: PrincipalRef, level: str, source: str) -> None:
        origin, line = parted(source)
        row = self.content(content), self.principal(principal), self.level(level), self.origin(origin), line
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)

    def add_columns(self, *columns: Ints) -> None:
        """Add many at once: contents, principals, levels and origins by the numbers that the methods below
        give, and lines."""
        for column, values in zip(self._columns, columns, strict=True):
            column.frombytes(values.tobytes())

    def content(self, content: ContentRef) -> int:
        return self._contents.setdefault(content, len(self._contents))

    def contents(self, contents: Iterable[ContentRef]) -> list[int]:
        """The numbers of many."""
        known, number = self._contents, self._contents.setdefault
        return [number(content, len(known)) for content in contents]

    def principal(self, principal: PrincipalRef) -> int:
        return self._principals.setdefault(principal, len(self._principals))

    def level(self, level: str) -> int:
        return self._levels.setdefault(level, len(self._levels))

    def origin(self, origin: str) -> int:
        return self._origins.setdefault(origin, len(self._origins))

    def finished(self) -> Shares:
        """The shares gathered; there is nothing to add after."""
        content, principal, level, origin, line = (np.asarray(column) for column in self._columns)
        return Shares(
            tuple(self._contents),
            tuple(self._principals),
            tuple(self._levels),
            tuple(self._origins),
            *(content, principal, narrow(level), narrow(origin), line),
        )


def narrow(numbers: npt.NDArray[Any]) -> Small:
    """Numbers, none of them negative, in as few bytes each as do; those that need it keep four."""
    most = numbers.max(initial=0)
    fitting = (dtype for dtype in (np.uint8, np.uint16) if most <= np.iinfo(dtype).max)
    return numbers.astype(next(fitting, np.int32))


def among(numbers: Ints, wanted: Collection[int]) -> npt.NDArray[np.bool_]:
    """Which numbers are among a few."""
    found = np.zeros(len(numbers), dtype=bool)
    for one in wanted:
        found |= numbers == one
    return found


def firsts(numbers: Ints, many: int) -> npt.NDArray[np.intp]:
    """Where each number comes first, of so many of which each comes."""
    found = np.zeros(many, dtype=np.intp)
    found[numbers[::-1]] = np.arange(len(numbers))[::-1]  # of several, the one written last: the first
    return found


def ordered_by(numbers: Ints, many: int) -> tuple[Ints, npt.NDArray[np.intp]]:
    """The rows in the order of their numbers, of which there are so many, and where those of each begin."""
    small = numbers.astype(np.min_scalar_type(many))  # up to 16 bits are sorted by counting them
    order = np.argsort(small, kind="stable").astype(np.int32)
    return order, np.append(0, np.cumsum(np.bincount(numbers, minlength=many)))


def numbered(codes: npt.NDArray[Any]) -> tuple[npt.NDArray[Any], Ints]:
    """The distinct codes, sorted, and the place of each among them. None is negative."""
    largest = int(codes.max(initial=-1))
    if largest > _DENSE:
        distinct = np.unique(codes)
        return distinct, np.searchsorted(distinct, codes).astype(np.int32)
    places = np.zeros(largest + 1, dtype=np.int32)
    places[codes] = 1
    distinct = np.flatnonzero(places).astype(codes.dtype)
    places[distinct] = np.arange(len(distinct), dtype=np.int32)
    return distinct, places[codes]


def parted(source: str) -> tuple[str, int]:
    """A source as the text before a number at its end and the number, -1 where it has none."""
    head = source.rstrip(_DIGITS)
    tail = source[len(head) :]
    return (head, int(tail)) if tail and tail[0] != "0" and len(tail) <= LONGEST else (source, -1)


def _ranks(values: Sequence[Any]) -> Ints:
    """Each value's place among all of them, sorted; equal values have one place."""
    places = {value: place for place, value in enumerate(sorted(set(values)))}
    return np.array([places[value] for value in values], dtype=np.int32)
