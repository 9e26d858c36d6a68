"""The one shape every renderer takes: a titled table of typed columns. It lays nothing out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

Cell = str | int | tuple[str, ...] | tuple[int, ...]
"""Text, a number, a yes or no (bool), lines of text, or places in the table of capabilities or principals."""


class Kind(StrEnum):
    """What a column holds; decides alignment, format and whether a cell is a number."""

    TEXT = "text"
    ID = "id"
    NUMBER = "number"
    FLAG = "flag"
    LINES = "lines"
    LIST = "list"
    """Lines that may be very many: they never make a row taller."""
    CAPABILITIES = "capabilities"
    PEOPLE = "people"
    """Places in the principals table."""
    SEVERITY = "severity"
    VERDICT = "verdict"
    STATE = "state"
    """A word of a small closed set that is not a verdict: `read`, `denied`, `ready`."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its key in JSON, its heading for people and how wide it wants to be."""

    key: str
    label: str
    kind: Kind = Kind.TEXT
    width: int = 18
    """Characters, for a sheet."""


@dataclass(frozen=True, slots=True)
class Table:
    """Rows in their final order. Every renderer shows these rows and no others."""

    key: str
    title: str
    about: str
    """One sentence on what a row is."""
    columns: tuple[Column, ...]
    rows: Sequence[tuple[Cell, ...]]

    def __len__(self) -> int:
        return len(self.rows)

    @property
    def file(self) -> str:
        """The file beside the reports that has all rows when a page or a sheet has not."""
        return f"{self.key}.csv"

    def values(self, key: str) -> list[Cell]:
        """One column's cells, top to bottom."""
        at = [column.key for column in self.columns].index(key)
        return [row[at] for row in self.rows]

    def records(self) -> Iterator[dict[str, Cell]]:
        """Each row as column key to cell."""
        keys = [column.key for column in self.columns]
        for row in self.rows:
            yield dict(zip(keys, row, strict=True))
