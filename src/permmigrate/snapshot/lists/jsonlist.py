"""Lists saved as JSON: a list of objects, or an object of such lists. What is broken has a line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from permmigrate.snapshot.lists.files import ITEM, RawRow, RawSheet, broken, clean, first_bad_line, read_bytes

_BLANK: Final = re.compile(r"[ \t\r\n]*")
_DECODER: Final = json.JSONDecoder()


def tables(path: Path) -> Iterator[RawSheet]:
    """Yield the tables of the file. Raises InvalidFileError."""
    content = read_bytes(path)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise broken(path, first_bad_line(content), "is not UTF-8 text", "save it as UTF-8") from None
    document = _Document(path, text)
    position = document.skip(0)
    if document.at(position) == "[":
        keys, end = document.keys(position)
        document.demand_end(end)
        yield RawSheet("", ITEM, document.rows(position, keys))
        return
    if document.at(position) != "{":
        raise document.broken(position, "is not a list of objects", _FORM)
    for name, begin in document.members(position):
        keys, _ = document.keys(begin)
        yield RawSheet(name, f"{name} {ITEM}", document.rows(begin, keys))


_FORM: Final = 'write [{"environment": ..., "folder": ...}, ...] or {"users": [...], "shares": [...]}'


class _Document:
    """Walks a text item by item, so that a million of them are never in memory as values at once."""

    def __init__(self, path: Path, text: str) -> None:
        self._path = path
        self._text = text

    def at(self, position: int) -> str:
        return self._text[position : position + 1]

    def skip(self, position: int) -> int:
        match = _BLANK.match(self._text, position)
        return match.end() if match else position

    def broken(self, position: int, message: str, hint: str) -> Exception:
        return broken(self._path, self._text.count("\n", 0, position) + 1, message, hint)

    def demand_end(self, position: int) -> None:
        if self.skip(position) != len(self._text):
            raise self.broken(
                position, "is followed by more than the end of the list", "keep one document in a file"
            )

    def members(self, position: int) -> Iterator[tuple[str, int]]:
        """The name of each list in the object, and where it begins."""
        position = self.skip(position + 1)
        while self.at(position) != "}":
            name, after = self._value(position)
            after = self.skip(after)
            if not isinstance(name, str) or self.at(after) != ":":
                raise self.broken(position, "is not JSON from here on", "check commas and quotation marks")
            begin = self.skip(after + 1)
            if self.at(begin) != "[":
                raise self.broken(begin, f"`{name}` is not a list of objects", _FORM)
            yield name, begin
            _, end = self.keys(begin)
            position = self._next(position, end, "}")
        self.demand_end(position + 1)

    def keys(self, begin: int) -> tuple[list[str], int]:
        """Every key of the list's objects, in the order of their first use, and where the list ends."""
        found: dict[str, None] = {}
        end = begin + 1
        for item, after in self._items(begin):
            found.update(dict.fromkeys(item))
            end = after
        return list(found), self.skip(end) + 1

    def rows(self, begin: int, keys: list[str]) -> Iterator[RawRow]:
        """The keys as a header (row 0), then each object that says anything."""
        if keys:
            yield RawRow(0, list(keys))
        for number, (item, _) in enumerate(self._items(begin), 1):
            cells = [_cell(item.get(key)) for key in keys]
            if any(cells):
                yield RawRow(number, cells)

    def _items(self, begin: int) -> Iterator[tuple[dict[str, Any], int]]:
        position = self.skip(begin + 1)
        while self.at(position) != "]":
            item, after = self._value(position)
            if not isinstance(item, dict):
                raise self.broken(position, "is not an object", 'write {"environment": ..., "folder": ...}')
            yield item, after
            position = self._next(position, after, "]")

    def _value(self, position: int) -> tuple[Any, int]:
        try:
            return _DECODER.raw_decode(self._text, position)
        except (ValueError, RecursionError):
            raise self.broken(
                position, "is not JSON from here on", "check commas and quotation marks"
            ) from None

    def _next(self, begin: int, end: int, close: str) -> int:
        position = self.skip(end)
        if self.at(position) == ",":
            return self.skip(position + 1)
        if self.at(position) != close:
            raise self.broken(begin, f"is not followed by `,` or `{close}`", "the file may be cut off")
        return position


def _cell(value: Any) -> str:
    """A value as text; several become lines. A long number stays in the form that shows it was one."""
    match value:
        case None:
            return ""
        case str():
            return clean(value)
        case bool():
            return "yes" if value else "no"
        case list():
            return "\n".join(map(_cell, value))
        case int() | float() if abs(value) >= 1e11:
            return f"{value:.2E}"
        case float() if value.is_integer():
            return str(int(value))
        case _:
            return str(value)
