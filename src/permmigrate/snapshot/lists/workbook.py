"""Lists saved as a workbook: every visible sheet, merged cells filled down. It never computes a formula."""

from __future__ import annotations

import io
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from permmigrate.snapshot.lists.files import RawRow, RawSheet, broken, clean, read_bytes

_MERGED: Final = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]+)([0-9]+):([A-Z]+)([0-9]+)"')
_OVERLAP: Final = 256


def worksheets(path: Path) -> Iterator[RawSheet]:
    """Yield the visible sheets. Raises InvalidFileError, also while rows are walked."""
    from openpyxl.reader.excel import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    content = io.BytesIO(read_bytes(path))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # openpyxl names the extensions it leaves out
            book = load_workbook(content, read_only=True, data_only=True)  # type: ignore[no-untyped-call]
            shown = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
            for sheet in shown or book.worksheets:
                sheet.reset_dimensions()
                member = str(getattr(sheet, "_worksheet_path", "")).lstrip("/")
                merges = _merges(content, member)
                yield RawSheet(sheet.title, sheet.title, _rows(sheet.iter_rows(values_only=True), merges))
            book.close()
    except (
        InvalidFileException,
        zipfile.BadZipFile,
        zlib.error,
        EOFError,
        KeyError,
        ValueError,
        SyntaxError,
    ):
        raise broken(path, 0, "is not a workbook", "save it as .xlsx, without a password") from None


def _rows(values: Iterator[Sequence[Any]], merges: dict[tuple[int, int], int]) -> Iterator[RawRow]:
    """The rows with anything in them; a merged cell's text is in each of the rows it spans."""
    held: dict[int, tuple[int, str]] = {}
    for number, row in enumerate(values, 1):
        cells = [_cell(value) for value in row]
        blank = not any(cells)
        for column, (last, text) in held.items():
            if number <= last and column < len(cells) and not cells[column]:
                cells[column] = text
        if merges:
            for column, text in enumerate(cells):
                if (last := merges.get((number, column), 0)) and text:
                    held[column] = (last, text)
        if not blank:
            yield RawRow(number, cells)


def _merges(content: io.BytesIO, member: str) -> dict[tuple[int, int], int]:
    """Where cells are merged over several rows: (row, column of the first cell) to the last row."""
    found: dict[tuple[int, int], int] = {}
    with zipfile.ZipFile(content) as archive:
        if member not in archive.namelist():
            return found
        tail = b""
        with archive.open(member) as stream:
            while block := stream.read(1 << 20):
                for left, top, _, bottom in _MERGED.findall(tail + block):
                    if bottom != top:
                        found[int(top), _column(left)] = int(bottom)
                tail = block[-_OVERLAP:]
    return found


def _column(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number - 1


def _cell(value: Any) -> str:
    """A cell as text. A long number stays in the form that shows it was one, for the check of ids to see."""
    match value:
        case None:
            return ""
        case str():
            return clean(value)
        case bool():
            return "yes" if value else "no"
        case int() | float() if abs(value) >= 1e11:
            return f"{value:.2E}"
        case float() if value.is_integer():
            return str(int(value))
        case datetime() | date():
            return value.isoformat()
        case _:
            return str(value)
