"""Rows as CSV text that a spreadsheet opens as what it is: in UTF-8, quoted, and without a live formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from permmigrate.report.text import visible

MARK: Final = "\ufeff"
"""Tells Excel that the text is UTF-8."""
_STARTS_FORMULA: Final = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
"""The full-width signs are formulas for an Excel that is set to an East Asian language."""


def csv_text(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """The whole file as text."""
    return MARK + "".join(csv_lines([heads, *rows]))


def csv_lines(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Each row as a line; a cell that begins like a formula, with or without space, gets an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    for row in rows:
        writer.writerow([_tame(cell) for cell in row])
        yield out.getvalue()
        out.seek(0)
        out.truncate()


def _tame(cell: str) -> str:
    shown = visible(cell)
    return f"'{shown}" if shown.lstrip().startswith(_STARTS_FORMULA) else shown
