"""Which list a sheet is, and where its columns stand: by its headers, and by its name where those are few.

It never settles a tie by chance: a sheet that may be two lists is a problem of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Final

from permmigrate.snapshot.lists.files import RawRow
from permmigrate.snapshot.lists.schema import TABLES, ListTable, tidy

LOOKED_AT: Final = 10
"""The header is one of the first so many rows with anything in them; titles may stand above it."""
_ENOUGH: Final = 3
"""So many known columns make a sheet a list, though it lacks one."""


@dataclass(frozen=True, slots=True)
class Header:
    """A sheet's header, understood."""

    table: ListTable
    row: RawRow
    at: int
    """Which of the rows looked at it is."""
    columns: Mapping[str, int]
    """Where each known column stands."""

    @property
    def left_out(self) -> tuple[str, ...]:
        """The headers that nothing is read from."""
        used = set(self.columns.values())
        return tuple(name for at, name in enumerate(self.row.cells) if name and at not in used)

    @property
    def missing(self) -> tuple[tuple[str, ...], ...]:
        """The columns that must be there and are not; of each group one would do."""
        return tuple(group for group in self.table.needed if not any(one in self.columns for one in group))

    def twice(self) -> tuple[int, ...]:
        """Where a header that we read is there a second time, in the same words."""
        names = [tidy(name) for name in self.row.cells]
        read = {names[at] for at in self.columns.values()}
        return tuple(at for at, name in enumerate(names) if name in read and names.index(name) != at)

    def nearest(self, group: Sequence[str]) -> str:
        """The header that may be meant by a missing column, or nothing."""
        words = {word for name in group for word in self.table.column(name).words}
        for name in self.left_out:
            if get_close_matches(tidy(name), words, n=1, cutoff=0.75):
                return name
        return ""


@dataclass(frozen=True, slots=True)
class Tie:
    """A sheet that may be several lists."""

    row: RawRow
    tables: tuple[ListTable, ...]


def recognise(
    rows: Sequence[RawRow], names: Sequence[str], tables: Sequence[ListTable] = TABLES, *, demand: bool
) -> Header | Tie | None:
    """Find the header among the first rows, and the list it belongs to.

    `names` are what the sheet and the file are called. None means: no list at all; with `demand`
    there is one, however little of it is known.
    """
    hinted = next((table for name in names if (table := named(name))), None)
    if hinted not in tables:
        hinted = None
    found: list[tuple[tuple[bool, int], Header]] = []
    for at, row in enumerate(rows[:LOOKED_AT]):
        for table in tables:
            header = Header(table, row, at, _columns(table, row.cells))
            if header.columns:
                rank = (not header.missing, len(header.columns) + (table is hinted))
                found.append((rank, header))
    if not found:
        first = hinted or tables[0]
        return Header(first, rows[0], 0, {}) if rows and (demand or hinted) else None
    best = max(rank for rank, _ in found)
    first_at = min(header.at for rank, header in found if rank == best)
    winners = [header for rank, header in found if rank == best and header.at == first_at]
    if len(winners) > 1:
        return Tie(winners[0].row, tuple(header.table for header in winners))
    (winner,) = winners
    if winner.missing and not demand and winner.table is not hinted and len(winner.columns) < _ENOUGH:
        return None
    return winner


def named(name: str) -> ListTable | None:
    """The list that a sheet or file of this name holds: the longest of our words that is part of it."""
    text = tidy(name)
    found = [(len(word), table) for word, table in _names().items() if word in text]
    return max(found, key=lambda pair: pair[0])[1] if found else None


@cache
def _names() -> Mapping[str, ListTable]:
    return {tidy(word): table for table in TABLES for word in (table.name, table.title, *table.aliases)}


@cache
def _words(table: ListTable) -> Mapping[str, tuple[str, int]]:
    """Header word to its column and how good a word it is (0 is best); a word belongs to one column."""
    found: dict[str, tuple[str, int]] = {}
    for column in table.columns:
        for rank, word in enumerate(column.words):
            if word not in found or rank < found[word][1]:
                found[word] = (column.name, rank)
    return found


def _columns(table: ListTable, cells: Sequence[str]) -> Mapping[str, int]:
    words = _words(table)
    best: dict[str, tuple[int, int]] = {}
    for at, cell in enumerate(cells):
        text = tidy(cell)
        meant = words.get(text) or words.get(text.removesuffix("s"))
        if text and meant:
            name, rank = meant
            if name not in best or rank < best[name][0]:
                best[name] = (rank, at)
    return {name: at for name, (_, at) in best.items()}
