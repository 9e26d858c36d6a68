"""Legacy shares from lists that people keep, because no API gives them.

It reads rows and says everything that is wrong with them at once; it does not know the account.
Whether the people and folders exist is `resolve`'s question.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from sys import intern
from typing import Final, NoReturn

from permmigrate.errors import InvalidFileError, Problem
from permmigrate.model import ContentKind, PrincipalType
from permmigrate.snapshot.shareresolve import Resolved, resolve
from permmigrate.snapshot.sharetable import ITEM, RawRow, column_letters, rows, tidy

__all__ = ["COLUMNS", "RawShare", "Resolved", "read", "resolve"]

COLUMNS: Final = (
    "environment",
    "content_type",
    "content",
    "content_name",
    "principal_type",
    "principal",
    "level",
)
OPTIONAL: Final = frozenset({"content_name"})
FOLDER_LEVELS: Final = ("can_view", "can_contribute", "can_edit", "can_manage")
"""The legacy folder levels (the vendor's sharing tutorial); those of collections are not known."""
PROBLEMS_AT_MOST: Final = 1000

_IDS: Final = frozenset({"environment", "content", "principal"})
_SHORTENED = re.compile(r"\d([.,]\d+)?E\+\d{2}|\d{8,}[.,]0+", re.IGNORECASE)
_PLAIN: Final = {
    "content_type": tuple(ContentKind),
    "principal_type": (PrincipalType.USER, PrincipalType.GROUP),
}


@dataclass(frozen=True, slots=True)
class RawShare:
    """A row of a list, checked by itself: texts as written, but for level and types in our spelling."""

    environment: str
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
        return _cell_name(self.sheet, self.line, column)

    def fields(self) -> tuple[tuple[str, str], ...]:
        """The row as (column, text) pairs."""
        return tuple((name, getattr(self, name)) for name in COLUMNS)


def read(path: Path) -> tuple[RawShare, ...]:
    """Read a share list. Raises InvalidFileError with every problem found, in file order."""
    problems: list[Problem] = []
    found: list[RawShare] = []
    more = 0
    with closing(rows(path, COLUMNS)) as table:
        header = next(table, None)
        if header is None:
            hint = f"the first row names the columns: {', '.join(COLUMNS)}"
            _fail(path, [Problem(path.name, 0, "is empty", hint)])
        checker = _Checker(path.name, _columns(path, header), problems)
        for row in table:
            if len(problems) >= PROBLEMS_AT_MOST:
                more += 1
            elif (share := checker.share(row)) is not None:
                found.append(share)
    if more:
        problems.append(Problem(path.name, 0, f"{more} more rows were not looked at", "mend these first"))
    if problems:
        _fail(path, problems)
    return tuple(found)


def _fail(path: Path, problems: Sequence[Problem]) -> NoReturn:
    count = f"{len(problems)} problems" if len(problems) != 1 else "one problem"
    raise InvalidFileError(f"the share list `{path}` has {count}", problems=tuple(problems))


def _columns(path: Path, header: RawRow) -> Mapping[str, int]:
    """Where each known column stands; unknown columns are left alone unless one that we need is missing."""
    problems: list[Problem] = []
    named: dict[str, int] = {}
    for index, name in enumerate(header.cells):
        if name and named.setdefault(tidy(name), index) != index and tidy(name) in map(tidy, COLUMNS):
            problems.append(
                _problem(path.name, header, index, f"the column `{name}` is there twice", "keep one")
            )
    for column in COLUMNS:
        if tidy(column) not in named and column not in OPTIONAL:
            near = get_close_matches(column, [name.lower() for name in header.cells if name], n=1)
            hint = f"is it `{near[0]}`?" if near else f"the columns are {', '.join(COLUMNS)}"
            problems.append(Problem(path.name, header.line, f"there is no column `{column}`", hint))
    if problems:
        _fail(path, problems)
    return {column: named[tidy(column)] for column in COLUMNS if tidy(column) in named}


class _Checker:
    """Checks rows cell by cell, each distinct text once: lists repeat themselves a great deal."""

    def __init__(self, file: str, columns: Mapping[str, int], problems: list[Problem]) -> None:
        self._file = file
        self._columns = columns
        self._problems = problems
        self._width = max(columns.values()) + 1
        self._ids: dict[str, str] = {}
        self._words: dict[tuple[str, str, str], tuple[str, str, str]] = {}
        self._at = tuple(columns[name] for name in COLUMNS if name not in OPTIONAL)

    def share(self, row: RawRow) -> RawShare | None:
        """The row's share, or None after its problems were noted."""
        cells = row.cells
        if len(cells) < self._width:
            cells = [*cells, *[""] * (self._width - len(cells))]
        environment, kind, content, who, principal, level = (cells[at] for at in self._at)
        ids, words = self._ids, self._words.get((kind, who, level))
        if words is None or not (environment in ids and content in ids and principal in ids):
            if not self._sound(row, cells):
                return None
            words = self._words[kind, who, level] = (kind.casefold(), who.casefold(), _level(level))
            for text in (environment, content, principal):
                ids.setdefault(text, text)
        at = self._columns.get("content_name")
        name = cells[at] if at is not None else ""
        path = ids[content] if words[0] != ContentKind.FOLDER else intern(content.strip("/") or "/")
        return RawShare(
            ids[environment], words[0], path, intern(name), words[1], ids[principal], words[2],
            self._file, row.line, row.sheet,
        )  # fmt: skip

    def _sound(self, row: RawRow, cells: Sequence[str]) -> bool:
        before = len(self._problems)
        values = {name: cells[at] for name, at in self._columns.items()}

        def wrong(column: str, message: str, hint: str) -> None:
            self._problems.append(_problem(self._file, row, self._columns[column], message, hint))

        for column, text in values.items():
            if not text and column not in OPTIONAL:
                wrong(column, f"`{column}` is empty", "every row needs one")
            elif column in _IDS and _SHORTENED.fullmatch(text):
                wrong(column, f"`{text}` is a number that a spreadsheet cut short", _AS_TEXT)
        for column, allowed in _PLAIN.items():
            text = values[column]
            if text and text.casefold() not in allowed:
                wrong(column, f"`{text}` is not a {column.replace('_', ' ')}", _one_of(text, allowed))
        level = _level(values["level"])
        folder = values["content_type"].casefold() == ContentKind.FOLDER
        if level and folder and level not in FOLDER_LEVELS:
            wrong("level", f"`{values['level']}` is not a folder level", _one_of(level, FOLDER_LEVELS))
        return len(self._problems) == before


_AS_TEXT: Final = "format the column as text before the ids go in, and paste the id again from the Console"


def _level(text: str) -> str:
    """`Can view`, `can-view` and `View` are all `can_view`."""
    word = re.sub(r"[\s\-]+", "_", text.casefold())
    return f"can_{word}" if f"can_{word}" in FOLDER_LEVELS else word


def _one_of(text: str, allowed: Iterable[str]) -> str:
    words = [str(word) for word in allowed]
    near = get_close_matches(text.casefold(), words, n=1)
    return f"did you mean `{near[0]}`?" if near else "use one of " + ", ".join(f"`{word}`" for word in words)


def _problem(file: str, row: RawRow, index: int, message: str, hint: str) -> Problem:
    return Problem(file, row.line, message, hint, _cell_name(row.sheet, row.line, column_letters(index)))


def _cell_name(sheet: str, line: int, column: str) -> str:
    if sheet == ITEM:
        return f"item {line}"
    return f"{sheet}!{column}{line}" if sheet else ""
