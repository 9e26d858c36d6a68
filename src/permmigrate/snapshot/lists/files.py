"""The rows of a hand-made list, whatever it was saved as: CSV, XLSX or JSON. Cells stay text.

It knows nothing of what lists say. A file that cannot be a table at all raises InvalidFileError; what is odd
about one cell is left to the reader of rows, who sees the cell's own words.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Final

from permmigrate.errors import InvalidFileError, Problem

SUFFIXES: Final = (".csv", ".tsv", ".txt", ".xlsx", ".json")
ITEM: Final = "item"
"""Stands for the sheet's name where rows are the items of a JSON list."""
UTF8: Final = "utf-8-sig"

_AS_UTF8: Final = (
    "save it as “CSV UTF-8”, or name its encoding: `--encoding cp1252` for Excel in Western Europe"
)
_FORMULA: Final = frozenset("=+-@")
_INVISIBLE: Final = "\ufeff\u200b\u200c\u200d\u2060"


@dataclass(frozen=True, slots=True)
class RawRow:
    """One row: its cells by position, and where it stands."""

    line: int
    """The line of a text, the row of a sheet, or the number of a JSON item; from 1."""
    cells: list[str]


@dataclass(frozen=True, slots=True)
class RawSheet:
    """One table of a file; its rows can be walked once, before the next sheet is asked for."""

    name: str
    """The sheet's name, the key in a JSON object, or empty."""
    place: str
    """What a cell's place begins with: the sheet's name, `ITEM`, or empty where a line is enough."""
    rows: Iterator[RawRow]
    """Rows with anything in them."""


def column_letters(index: int) -> str:
    """`A` for 0, `Z` for 25, `AA` for 26."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def cell_name(place: str, line: int, column: str = "") -> str:
    """`Sheet1!B12` or `Sheet1!12`, `users item 12`, or nothing in a text, where the line is enough."""
    if place.endswith(ITEM):
        return f"{place} {line}"
    return f"{place}!{column}{line}" if place else ""


def sheets(path: Path, *, encoding: str = UTF8) -> Generator[RawSheet, None, None]:
    """Yield the tables of a file. Raises InvalidFileError, also while rows are walked."""
    match path.suffix.lower():
        case ".xlsx":
            from permmigrate.snapshot.lists.workbook import worksheets

            yield from worksheets(path)
        case ".json":
            from permmigrate.snapshot.lists.jsonlist import tables

            yield from tables(path)
        case ".csv" | ".tsv" | ".txt":
            with closing(_text(path, encoding)) as rows:
                yield RawSheet("", "", rows)
        case _:
            hint = f"save it as one of {', '.join(SUFFIXES)}"
            raise broken(path, 0, "is not a list this tool reads", hint)


def broken(path: Path, line: int, message: str, hint: str) -> InvalidFileError:
    """The error for a file that is no table."""
    problem = Problem(path.name, line, message, hint)
    return InvalidFileError(f"the list `{path}` cannot be read", problems=(problem,))


def read_bytes(path: Path) -> bytes:
    """The file's content. Raises InvalidFileError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from None


def clean(text: str) -> str:
    """A cell's text without blanks and invisible signs at its ends, and without the `'` of `'=1+1`.

    That quote keeps a spreadsheet from computing; what exports write and people copy has it.
    """
    text = text.strip().strip(_INVISIBLE).strip()
    return text[1:] if text[:1] == "'" and text[1:2] in _FORMULA else text


def _unreadable(path: Path, error: OSError) -> InvalidFileError:
    return broken(path, 0, (error.strerror or "input/output error").lower(), "check the path")


def _text(path: Path, encoding: str) -> Generator[RawRow, None, None]:
    """Stream the rows; the separator is what `sep=` says, or what the first row has most of."""
    try:
        if _starts_as_utf16(path):
            encoding = "utf-16"
        file = path.open("r", encoding=encoding, newline="")
    except OSError as error:
        raise _unreadable(path, error) from None
    start = 1
    with file:
        try:
            head = file.readline()
            while head and not head.strip():
                head, start = file.readline(), start + 1
            if head[:4].lower() == "sep=" and len(head.rstrip("\r\n")) == 5:
                delimiter, head, start = head[4], file.readline(), start + 1
            else:
                delimiter = max(",;\t", key=head.count)
            reader = csv.reader(chain([head], file), delimiter=delimiter, strict=True)
            offset = start - 1
            for cells in reader:
                row = [cell.strip() for cell in cells]
                if any(row):
                    yield RawRow(start, row)
                start = reader.line_num + 1 + offset
        except csv.Error as error:
            hint = "check the quotation marks"
            raise broken(path, start, f"is not a well-formed row: {error}", hint) from None
        except UnicodeError:
            line = first_bad_line(path.read_bytes(), encoding)
            name = "UTF-8" if encoding == UTF8 else encoding.upper()
            raise broken(path, line, f"is not {name} text", _AS_UTF8) from None
        except OSError as error:
            raise _unreadable(path, error) from None


def _starts_as_utf16(path: Path) -> bool:
    with path.open("rb") as raw:
        return raw.read(2) in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def first_bad_line(content: bytes, encoding: str = UTF8) -> int:
    """The first line that cannot be decoded, or 0."""
    try:
        content.decode(encoding)
    except UnicodeDecodeError as error:
        return content.count(b"\n", 0, error.start) + 1
    except UnicodeError:
        return 0
    return 0
