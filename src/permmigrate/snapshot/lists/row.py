"""A row of a list, checked by itself, and the places its problems have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from permmigrate.errors import Problem
from permmigrate.snapshot.lists.files import cell_name, column_letters


@dataclass(frozen=True, slots=True)
class ListRow:
    """A row of any list but shares: what it says, column by column, and where."""

    values: Mapping[str, str]
    """Only the columns that are there and not empty."""
    columns: Mapping[str, int]
    file: str
    line: int
    place: str = ""
    """The sheet, as in `files.RawSheet.place`."""

    def get(self, column: str) -> str:
        return self.values.get(column, "")

    @property
    def source(self) -> str:
        """`users.csv:12`, `account.xlsx Users!12` or `users.json item 12`."""
        where = cell_name(self.place, self.line)
        return f"{self.file} {where}" if where else f"{self.file}:{self.line}"

    def problem(self, column: str, message: str, hint: str = "") -> Problem:
        """A problem with one of the row's cells."""
        at = self.columns.get(column)
        letters = column_letters(at) if at is not None else ""
        return Problem(self.file, self.line, message, hint, cell_name(self.place, self.line, letters))


@dataclass(frozen=True, slots=True)
class RawShare:
    """A row of a list, checked by itself: texts as written, but for level and types in our spelling."""

    environment: str
    """Empty when the list has no such column."""
    content_type: str
    content: str
    content_name: str
    principal_type: str
    principal: str
    level: str
    file: str
    line: int
    sheet: str = ""

    @property
    def source(self) -> str:
        """`shares.csv:12`, `shares.xlsx Sheet1!12` or `shares.json item 12`."""
        return f"{self.file} {self.cell()}" if self.sheet else f"{self.file}:{self.line}"

    def cell(self, column: str = "") -> str:
        """`Sheet1!12` or `Sheet1!B12`, `item 12`, or nothing in a text, where the line is enough."""
        return cell_name(self.sheet, self.line, column)

    def fields(self) -> tuple[tuple[str, str], ...]:
        """The row as (column, text) pairs."""
        return tuple((name, getattr(self, name)) for name in SHARE_COLUMNS)


SHARE_COLUMNS = (
    "environment",
    "content_type",
    "content",
    "content_name",
    "principal_type",
    "principal",
    "level",
)
"""The columns of a share list in full; `folder`, `collection`, `user` and `group` are short for pairs."""
