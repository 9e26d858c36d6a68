"""The rows of a hand-made list, whatever it was saved as: CSV, XLSX or JSON. Cells stay text.

It knows nothing of shares. A file that cannot be a table at all raises InvalidFileError; what is odd about
one cell is left to the reader of rows, who sees the cell's own words.
"""

from __future__ import annotations

import codecs
import csv
import io
import json
import re
import warnings
import zipfile
import zlib
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from permmigrate.errors import InvalidFileError, Problem

SUFFIXES: Final = (".csv", ".tsv", ".txt", ".xlsx", ".json")
ITEM: Final = "item"
"""Stands for the sheet's name where rows are the items of a JSON list."""

_AS_UTF8: Final = "save it as “CSV UTF-8”"


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row: its cells by position, and where it stands."""

    line: int
    """The line of a text, the row of a sheet, or the number of a JSON item; from 1."""
    sheet: str
    """The sheet's name in a workbook, `ITEM` in JSON, or empty."""
    cells: Sequence[str]


def column_letters(index: int) -> str:
    """`A` for 0, `Z` for 25, `AA` for 26."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def rows(path: Path, known: Sequence[str]) -> Generator[RawRow, None, None]:
    """Yield the header first, then every row that has anything in it. Raises InvalidFileError.

    `known` are the columns hoped for: they order the fields of JSON objects and choose a workbook's sheet.
    """
    match path.suffix.lower():
        case ".xlsx":
            found = _workbook(path, known)
        case ".json":
            found = _json(path, known)
        case ".csv" | ".tsv" | ".txt":
            found = _text(path)
        case _:
            raise _broken(
                path, 0, "is not a list this tool reads", f"save it as one of {', '.join(SUFFIXES)}"
            )
    with closing(found):
        for row in found:
            if any(row.cells):
                yield row


def tidy(name: str) -> str:
    """A column's name without case, spaces and signs: `Content Type` and `content_type` are one."""
    return re.sub(r"[\s_\-]+", "", name).casefold()


def _broken(path: Path, line: int, message: str, hint: str) -> InvalidFileError:
    problem = Problem(path.name, line, message, hint)
    return InvalidFileError(f"the share list `{path}` cannot be read", problems=(problem,))


def _unreadable(path: Path, error: OSError) -> InvalidFileError:
    return _broken(path, 0, (error.strerror or "input/output error").lower(), "check the path")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None


def _text(path: Path) -> Generator[RawRow, None, None]:
    """Stream the rows; the separator is the one that the first row has most of."""
    try:
        with path.open("rb") as raw:
            if raw.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
                raise _broken(path, 0, "is saved as UTF-16", _AS_UTF8)
        file = path.open("r", encoding="utf-8-sig", newline="")
    except OSError as error:
        raise _unreadable(path, error) from None
    start = 1
    with file:
        try:
            head = file.readline()
            while head and not head.strip():
                head, start = file.readline(), start + 1
            delimiter = max(",;\t", key=head.count)
            reader = csv.reader(chain([head], file), delimiter=delimiter, strict=True)
            offset = start - 1
            for cells in reader:
                yield RawRow(start, "", [cell.strip() for cell in cells])
                start = reader.line_num + 1 + offset
        except csv.Error as error:
            hint = "check the quotation marks"
            raise _broken(path, start, f"is not a well-formed row: {error}", hint) from None
        except UnicodeDecodeError:
            raise _broken(path, _first_bad_line(path), "is not UTF-8 text", _AS_UTF8) from None
        except OSError as error:
            raise _unreadable(path, error) from None


def _first_bad_line(path: Path) -> int:
    content = path.read_bytes()
    try:
        content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        return content.count(b"\n", 0, error.start) + 1
    return 0


def _json(path: Path, known: Sequence[str]) -> Generator[RawRow, None, None]:
    """A list of objects, read one after the other so that what is broken has a line."""
    content = _bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise _broken(path, _first_bad_line(path), "is not UTF-8 text", "save it as UTF-8") from None
    decoder, blank = json.JSONDecoder(), re.compile(r"[ \t\r\n]*")

    def broken(position: int, message: str, hint: str) -> InvalidFileError:
        return _broken(path, text.count("\n", 0, position) + 1, message, hint)

    def skip(position: int) -> int:
        match = blank.match(text, position)
        return match.end() if match else position

    position = skip(0)
    if text[position : position + 1] != "[":
        raise broken(position, "is not a list of objects", 'write [{"environment": ...}, ...]')
    yield RawRow(0, ITEM, list(known))
    number, position = 0, skip(position + 1)
    while text[position : position + 1] != "]":
        number, begin = number + 1, position
        try:
            item, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            raise broken(begin, "is not JSON from here on", "check commas and quotation marks") from None
        if not isinstance(item, dict):
            raise broken(begin, "is not an object", 'write {"environment": ..., "content": ..., ...}')
        named = {tidy(name): value for name, value in item.items()}
        yield RawRow(number, ITEM, [_cell(named.get(tidy(name))) for name in known])
        position = skip(position)
        if text[position : position + 1] == ",":
            position = skip(position + 1)
        elif text[position : position + 1] != "]":
            raise broken(begin, "is not followed by `,` or `]`", "the file may be cut off")
    if skip(position + 1) != len(text):
        raise broken(position, "is followed by more than the end of the list", "keep one list in a file")


def _workbook(path: Path, known: Sequence[str]) -> Generator[RawRow, None, None]:
    """The first sheet whose first row has a column hoped for, else the first sheet."""
    from openpyxl.reader.excel import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    content = io.BytesIO(_bytes(path))
    hoped = {tidy(name) for name in known}
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # openpyxl names the extensions it leaves out
            book = load_workbook(content, read_only=True, data_only=True)  # type: ignore[no-untyped-call]
            sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"] or book.worksheets
            chosen = sheets[0]
            for sheet in sheets:
                sheet.reset_dimensions()
                header = next(sheet.iter_rows(min_row=1, max_row=1, values_only=True), ())
                if hoped & {tidy(_cell(value)) for value in header}:
                    chosen = sheet
                    break
            for number, values in enumerate(chosen.iter_rows(values_only=True), 1):
                yield RawRow(number, chosen.title, [_cell(value) for value in values])
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
        raise _broken(path, 0, "is not a workbook", "save it as .xlsx, without a password") from None


def _cell(value: Any) -> str:
    """A cell as text. A long number stays in the form that shows it was one, for the check of ids to see."""
    match value:
        case None:
            return ""
        case str():
            return value.strip()
        case bool():
            return str(value)
        case int() | float() if abs(value) >= 1e11:
            return f"{value:.2E}"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)
