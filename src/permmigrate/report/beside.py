"""The tables that are too long for a page or a sheet, each as a CSV file beside it, with every row.

Cells are text as on the sheets; what a spreadsheet would take for a formula gets an apostrophe before it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Final

from permmigrate.report import files
from permmigrate.report.csvtext import MARK, csv_lines
from permmigrate.report.island import MOST_ROWS
from permmigrate.report.sheets import MAX_ROWS, words_of
from permmigrate.report.table import Cell, Kind, Table
from permmigrate.report.value import DiffView, ReadinessView

HOLDS: Final = {"html": MOST_ROWS, "xlsx": MAX_ROWS}
"""Rows of one table."""
BETWEEN: Final = " | "
"""Between the lines of one cell."""


def write(
    view: DiffView | ReadinessView, folder: Path, formats: Collection[str], *, most: int | None = None
) -> tuple[Path, ...]:
    """Write every table that one of the formats cannot hold, and return where they are.

    `most` limits the rows of any of them, instead of what a page and a sheet hold.
    """
    limits = [most or limit for name, limit in HOLDS.items() if name in formats]
    if not limits:
        return ()
    most = min(limits)
    words = words_of(view.tables)
    return tuple(_write(table, folder / table.file, words) for table in view.tables if len(table) > most)


def _write(table: Table, path: Path, words: Mapping[Kind, list[str]]) -> Path:
    def put(place: Path) -> None:
        with place.open("w", encoding="utf-8", errors="replace", newline="") as stream:
            stream.write(MARK)
            stream.writelines(csv_lines(_lines(table, words)))

    files.write_with(path, put)
    return path


def _lines(table: Table, words: Mapping[Kind, list[str]]) -> Iterator[list[str]]:
    yield [column.label for column in table.columns]
    kinds = [column.kind for column in table.columns]
    for row in table.rows:
        yield [_text(cell, kind, words) for cell, kind in zip(row, kinds, strict=True)]


def _text(cell: Cell, kind: Kind, words: Mapping[Kind, list[str]]) -> str:
    if kind is Kind.FLAG:
        return "yes" if cell else "no"
    if not isinstance(cell, tuple):
        return str(cell)
    return BETWEEN.join(words[kind][part] if isinstance(part, int) else part for part in cell)
