"""Pack the tables of a page: columns of numbers over one pool of texts, gzipped, in base64.

Texts and lists stand once in the pool, whichever tables and rows use them. Numbers that count upwards are
written as steps from one to the next, because equal steps compress to almost nothing. The page unpacks it
with the browser's own DecompressionStream. Text is made visible here, because the page's script writes it
with `textContent` and nothing else. Same input, same bytes.
"""

from __future__ import annotations

import base64
import gzip
import json
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any, Final

from permmigrate.report.table import Cell, Column, Kind, Table
from permmigrate.report.text import visible

MOST_ROWS: Final = 250_000
"""Of one table on the page; the rest is counted there, and stands in the file beside."""

_NUMBERED: Final = (Kind.NUMBER, Kind.FLAG)
_LISTS: Final = (Kind.LINES, Kind.LIST, Kind.CAPABILITIES, Kind.PEOPLE)


class Packer:
    """Packs the tables of one page; take the pool when all of them are packed."""

    def __init__(self, *, most: int = MOST_ROWS) -> None:
        self.most = most
        self._texts: dict[str, int] = {}
        self._lists: dict[tuple[int, ...], int] = {}
        self._known: dict[Cell, int] = {}

    def table(self, table: Table, layout: Mapping[str, Any]) -> str:
        """A table and how to show it, as base64 text: its first rows, at most so many."""
        columns = [_Filling(column, self) for column in table.columns]
        for row in islice(table.rows, self.most):
            for column, cell in zip(columns, row, strict=True):
                column.add(cell)
        document = {
            "key": table.key,
            "rows": min(len(table), self.most),
            "columns": [column.document() for column in columns],
            "layout": layout,
        }
        return _squeezed(document)

    def people(self, table: Table) -> str:
        """What a number in a column of people stands for: name, what it is known by, and id."""
        keys = [column.key for column in table.columns]
        places = [keys.index(key) for key in ("principal", "principal_detail", "principal_id")]
        return _squeezed([[self.text(str(row[place])) for place in places] for row in table.rows])

    def pool(self) -> str:
        """Every text and list that the tables name by number."""
        return _squeezed({"texts": list(self._texts), "lists": [_steps(each) for each in self._lists]})

    def text(self, text: str) -> int:
        """The text's number."""
        return self._texts.setdefault(visible(text), len(self._texts))

    def number(self, cell: Cell, *, is_list: bool) -> int:
        """The number of a text or, in its own count, of a list."""
        found = self._known.get(cell)
        if found is None:
            found = self._known[cell] = self._list(cell) if is_list else self.text(str(cell))
        return found

    def _list(self, cell: Cell) -> int:
        parts = cell if isinstance(cell, tuple) else (cell,)
        numbers = tuple(part if isinstance(part, int) else self.text(part) for part in parts)
        return self._lists.setdefault(numbers, len(self._lists))


class _Filling:
    """One column while its rows come in."""

    def __init__(self, column: Column, packer: Packer) -> None:
        self.column = column
        self._packer = packer
        self._is_list = column.kind in _LISTS
        self._places: dict[int, int] = {}
        self._numbers = array("q")

    def add(self, cell: Cell) -> None:
        if self.column.kind in _NUMBERED:
            self._numbers.append(int(cell) if isinstance(cell, int) else 0)
            return
        number = self._packer.number(cell, is_list=self._is_list)
        self._numbers.append(self._places.setdefault(number, len(self._places)))

    def document(self) -> dict[str, Any]:
        head = {"key": self.column.key, "label": self.column.label, "kind": self.column.kind.value}
        if self.column.kind in _NUMBERED:
            return {**head, "numbers": self._numbers.tolist()}
        return {
            **head,
            "lists": self._is_list,
            "values": _steps(self._places),
            "indexes": _steps(self._numbers),
        }


def _steps(numbers: Iterable[int]) -> list[int]:
    """The first number, then how far it is from each to the next."""
    found: Sequence[int] = tuple(numbers)
    return [*found[:1], *(after - before for before, after in pairwise(found))]


def _squeezed(document: Any) -> str:
    text = json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=9, mtime=0)).decode()
