"""Read list files into rows, whatever they were saved as, with every problem of all of them.

It knows the columns of each list and nothing of the account.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final

from permmigrate.errors import InvalidFileError, Problem
from permmigrate.snapshot.lists import words
from permmigrate.snapshot.lists.files import (
    UTF8,
    RawRow,
    RawSheet,
    cell_name,
    clean,
    column_letters,
    sheets,
)
from permmigrate.snapshot.lists.headers import LOOKED_AT, Header, Tie, named, recognise
from permmigrate.snapshot.lists.row import ListRow, RawShare
from permmigrate.snapshot.lists.schema import SHARES, TABLES, ListTable
from permmigrate.snapshot.lists.sharerows import ShareReader

PROBLEMS_AT_MOST: Final = 1000
SAMPLES: Final = 3
_FILLED_DOWN: Final = frozenset({"environment"})
_SILENT: Final = ("readme", "choices", "instructions", "help")


@dataclass(frozen=True, slots=True)
class Reading:
    """How to read what is not there."""

    fill_down: bool = False
    """An empty environment, folder or person is that of the row above."""
    encoding: str = UTF8
    environment: str | None = None
    """The environment of rows that name none; empty: the only one there is; None: such rows are wrong."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One list that was found: where, what it is, and how it was understood."""

    file: str
    name: str
    """The sheet's name, or the key in a JSON object; empty in a text."""
    table: ListTable
    columns: tuple[tuple[str, str], ...]
    """(header as written, column it is read as)."""
    left_out: tuple[str, ...]
    """Headers that nothing is read from."""
    rows: int
    samples: tuple[str, ...]
    """The first rows in short."""

    @property
    def title(self) -> str:
        """`account.xlsx Users`, or `users.csv`."""
        return f"{self.file} {self.name}" if self.name else self.file


@dataclass(slots=True)
class Lists:
    """What the files say."""

    tables: dict[str, list[ListRow]] = field(default_factory=dict)
    """Rows of every list but shares, by the list's name."""
    shares: list[RawShare] = field(default_factory=list)
    sheets: list[Sheet] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    """What is worth knowing and no problem: sheets that were left out."""

    def rows(self, table: ListTable) -> Sequence[ListRow]:
        return self.tables.get(table.name, ())


def read(
    paths: Iterable[Path],
    *,
    tables: Sequence[ListTable] = TABLES,
    reading: Reading | None = None,
) -> Lists:
    """Read the files; what is wrong is in the lists' `problems`, in file order."""
    found, reading = Lists(), reading or Reading()
    for path in paths:
        before = len(found.sheets)
        seen = False
        try:
            with closing(sheets(path, encoding=reading.encoding)) as walked:
                for sheet in walked:
                    seen = _read_sheet(path, sheet, tables, found, reading) or seen
        except InvalidFileError as error:
            found.problems += error.problems
            continue
        if not seen:
            hint = f"the first row names the columns: {', '.join(c.name for c in tables[-1].columns)}"
            found.problems.append(Problem(path.name, 0, "is empty", hint))
        elif len(found.sheets) == before and not any(p.file == path.name for p in found.problems):
            hint = f"call its sheets {', '.join(table.title for table in tables)}"
            found.problems.append(Problem(path.name, 0, "holds no list that is known here", hint))
    return found


def _read_sheet(
    path: Path, sheet: RawSheet, tables: Sequence[ListTable], found: Lists, reading: Reading
) -> bool:
    """Read one sheet; False when there is nothing in it."""
    first = [row for _, row in zip(range(LOOKED_AT), sheet.rows, strict=False)]
    if not first:
        return False
    if any(word in sheet.name.casefold().replace(" ", "") for word in _SILENT):
        return True
    alone = not sheet.name
    known = recognise(first, (sheet.name or path.stem,), tables, demand=alone or (len(tables) == 1 and bool(
        named(sheet.name))))  # fmt: skip
    match known:
        case None:
            found.notes.append(f"{path.name}: sheet `{sheet.name}` is no list that is known here; left out")
            return True
        case Tie():
            names = ", ".join(table.title for table in known.tables)
            where = cell_name(sheet.place, known.row.line)
            hint = "name the file or sheet after what it holds"
            message = f"it cannot be told what this list holds: {names}"
            found.problems.append(Problem(path.name, known.row.line, message, hint, where))
            return True
    wrong = _header_problems(path.name, sheet, known)
    if wrong:
        found.problems += wrong
        return True
    rows = chain(first[known.at + 1 :], sheet.rows)
    if known.table is SHARES:
        count, samples = _shares(path, sheet, known, rows, found, reading)
    else:
        count, samples = _rows(path, sheet, known, rows, found, reading)
    columns = tuple((known.row.cells[at], name) for name, at in sorted(known.columns.items(), key=_second))
    found.sheets.append(Sheet(path.name, sheet.name, known.table, columns, known.left_out, count, samples))
    return True


def _second(pair: tuple[str, int]) -> int:
    return pair[1]


def _header_problems(file: str, sheet: RawSheet, header: Header) -> list[Problem]:
    problems = []
    for at in header.twice():
        where = cell_name(sheet.place, header.row.line, column_letters(at))
        message = f"the column `{header.row.cells[at]}` is there twice"
        problems.append(Problem(file, header.row.line, message, "keep one", where))
    for group in header.missing:
        near = header.nearest(group)
        names = ", ".join(column.name for column in header.table.columns)
        hint = f"is it `{near}`?" if near else f"the columns of {header.table.name} are {names}"
        where = cell_name(sheet.place, header.row.line)
        problems.append(Problem(file, header.row.line, f"there is no column `{group[0]}`", hint, where))
    return problems


def _shares(
    path: Path, sheet: RawSheet, header: Header, rows: Iterator[RawRow], found: Lists, reading: Reading
) -> tuple[int, tuple[str, ...]]:
    how = (reading.environment, reading.fill_down)
    reader = ShareReader(path.name, sheet.place, header.columns, found.problems, *how)
    limit = len(found.problems) + PROBLEMS_AT_MOST
    count, more, start = 0, 0, len(found.shares)
    keep, share_of, problems = found.shares.append, reader.share, found.problems
    for row in rows:
        count += 1
        if len(problems) >= limit:
            more += 1
        elif (share := share_of(row)) is not None:
            keep(share)
    if more:
        problems.append(Problem(path.name, 0, f"{more} more rows were not looked at", "mend these first"))
    samples = tuple(
        " · ".join(
            text for text in (s.environment, s.content or s.content_name, s.principal, s.level) if text
        )
        for s in found.shares[start : start + SAMPLES]
    )
    return count, samples


def _rows(
    path: Path, sheet: RawSheet, header: Header, rows: Iterator[RawRow], found: Lists, reading: Reading
) -> tuple[int, tuple[str, ...]]:
    kept = found.tables.setdefault(header.table.name, [])
    start, count = len(kept), 0
    limit = len(found.problems) + PROBLEMS_AT_MOST
    above: Mapping[str, str] = {}
    has_environment = any(column.name == "environment" for column in header.table.columns)
    for row in rows:
        count += 1
        cells = row.cells
        values = {
            name: text
            for name, at in header.columns.items()
            if at < len(cells) and (text := clean(cells[at]))
        }
        if reading.environment and has_environment:
            values.setdefault("environment", reading.environment)
        if reading.fill_down:
            values = {name: above[name] for name in _FILLED_DOWN if name in above} | values
            above = values
        made = ListRow(values, header.columns, path.name, row.line, sheet.place)
        if len(found.problems) < limit:
            found.problems += _id_problems(header.table, made)
        kept.append(made)
    samples = tuple(
        " · ".join(row.get(c.name) for c in header.table.columns if row.get(c.name))
        for row in kept[start : start + SAMPLES]
    )
    return count, samples


def _id_problems(table: ListTable, row: ListRow) -> Iterator[Problem]:
    for column in table.columns:
        text = row.get(column.name)
        if column.is_id and text:
            for one in words.several(text) if column.many else (text,):
                if wrong := words.wrong_id(one):
                    yield row.problem(column.name, *wrong)
