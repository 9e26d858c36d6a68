"""The rows of a hand-made list, whatever it was saved as: CSV, XLSX or JSON. Cells stay text.

It knows nothing of shares. A file that cannot be a table at all raises InvalidFileError; what is odd about
one cell is left to the reader of rows, who sees the cell's own words.
"""

from __future__ import annotations

import csv
import io
import json
import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from permmigrate.errors import InvalidFileError, Problem

SUFFIXES: Final = (".csv", ".tsv", ".txt", ".xlsx", ".json")


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row: its cells by position, and where it stands."""

    line: int
    sheet: str
    """The sheet's name in a workbook, or empty."""
    cells: Sequence[str]


def column_letters(index: int) -> str:
    """`A` for 0, `Z` for 25, `AA` for 26."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def rows(path: Path, known: Sequence[str]) -> Iterator[RawRow]:
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
    return (row for row in found if any(row.cells))


def tidy(name: str) -> str:
    """A column's name without case, spaces and signs: `Content Type` and `content_type` are one."""
    return re.sub(r"[\s_\-]+", "", name).casefold()


def _broken(path: Path, line: int, message: str, hint: str) -> InvalidFileError:
    problem = Problem(path.name, line, message, hint)
    return InvalidFileError(f"the share list `{path}` cannot be read", problems=(problem,))


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise _broken(path, 0, (error.strerror or "input/output error").lower(), "check the path") from None


def _decoded(path: Path) -> str:
    content = _bytes(path)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise _broken(path, 0, "is saved as UTF-16", "save it as “CSV UTF-8”")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _broken(path, line, "is not UTF-8 text", "save it as “CSV UTF-8”") from None


def _text(path: Path) -> Iterator[RawRow]:
    text = _decoded(path)
    first = text.lstrip("\r\n").partition("\n")[0]
    delimiter = max(",;\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    start = 1
    try:
        for cells in reader:
            yield RawRow(start, "", [cell.strip() for cell in cells])
            start = reader.line_num + 1
    except csv.Error as error:
        raise _broken(
            path, start, f"is not a well-formed row: {error}", "check the quotation marks"
        ) from None


def _json(path: Path, known: Sequence[str]) -> Iterator[RawRow]:
    """A list of objects; every object's line is found by reading them one after the other."""
    text = _decoded(path)
    decoder, blank = json.JSONDecoder(), re.compile(r"\s*")

    def skip(position: int) -> int:
        match = blank.match(text, position)
        return match.end() if match else position

    position, line, counted = skip(0), 1, 0
    if text[position : position + 1] != "[":
        raise _broken(path, 1, "is not a list of objects", 'write [{"environment": ...}, ...]')
    yield RawRow(0, "", list(known))
    position = skip(position + 1)
    while text[position : position + 1] != "]":
        line, counted = line + text.count("\n", counted, position), position
        try:
            item, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError):
            raise _broken(
                path, line, "is not JSON from here on", "check commas and quotation marks"
            ) from None
        yield RawRow(line, "", _fields(path, line, item, known))
        position = skip(position)
        if text[position : position + 1] == ",":
            position = skip(position + 1)
        elif text[position : position + 1] != "]":
            raise _broken(path, line, "is not followed by `,` or `]`", "the file may be cut off")
    if skip(position + 1) != len(text):
        raise _broken(path, line, "is followed by more than the end of the list", "keep one list in a file")


def _fields(path: Path, line: int, item: Any, known: Sequence[str]) -> list[str]:
    if not isinstance(item, dict):
        raise _broken(path, line, "is not an object", 'write {"environment": ..., "content": ..., ...}')
    named = {tidy(name): value for name, value in item.items()}
    return [_cell(named.get(tidy(name))) for name in known]


def _workbook(path: Path, known: Sequence[str]) -> Iterator[RawRow]:
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
