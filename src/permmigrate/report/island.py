"""Pack the tables of a page: columns of numbers over one pool of texts, gzipped, in base 85.

Texts and lists stand once in the pool, whichever tables and rows use them. Columns that go together, as a
name goes with an id, stand once for each combination that there is, and a row names the combination. Numbers
that count upwards are written as steps from one to the next, because equal steps compress to almost nothing.
The page unpacks it with the browser's own DecompressionStream. Text is made visible here, because the page's
script writes it with `textContent` and nothing else. Same input, same bytes.
"""

from __future__ import annotations

import base64
import gzip
import json
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice, pairwise
from typing import Any, Final

from permmigrate.report.table import Cell, Column, Kind, Table
from permmigrate.report.text import visible

MOST_ROWS: Final = 150_000
"""Of one table on the page; the rest is counted there, and stands in the file beside."""

SAFE: Final = str.maketrans("&<>", ",./")
"""Of the 85 letters those that mean something in HTML, and what stands for them."""

_NUMBERED: Final = (Kind.NUMBER, Kind.FLAG)
_LINES: Final = (Kind.LINES, Kind.LIST)
_LISTS: Final = (*_LINES, Kind.CAPABILITIES, Kind.PEOPLE)


class Packer:
    """Packs the tables of one page; take the pool when all of them are packed."""

    def __init__(self, *, most: int = MOST_ROWS) -> None:
        self.most = most
        self._texts: dict[str, int] = {}
        self._lists: dict[tuple[int, ...], int] = {}

    def table(self, table: Table, layout: Mapping[str, Any]) -> str:
        """A table and how to show it, as text: its first rows, at most so many."""
        keys = _keys(table, layout)
        for row in islice(table.rows, self.most):
            for key in keys:
                key.add(row)
        numbers: list[list[int]] = []
        columns: dict[str, Any] = {}
        for key in keys:
            listed, combinations = key.packed()
            for at, column in enumerate(key.columns):
                cells = [combination[at] for combination in combinations]
                columns[column.key] = self._column(column, cells) | {"by": len(numbers)}
            numbers.append(listed)
        document = {
            "key": table.key,
            "rows": min(len(table), self.most),
            "keys": numbers,
            "columns": [columns[column.key] for column in table.columns],
            "layout": layout,
        }
        return _squeezed(document)

    def words(self, words: Mapping[str, Any]) -> str:
        """Whatever else the script looks up."""
        return _squeezed(words)

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

    def _column(self, column: Column, cells: Iterable[Cell]) -> dict[str, Any]:
        values = _steps(self.number(cell, column.kind) for cell in cells)
        head = {"key": column.key, "label": column.label, "kind": column.kind.value}
        return {**head, "numbers" if column.kind in _NUMBERED else "values": values}

    def number(self, cell: Cell, kind: Kind) -> int:
        """What the pool knows a cell by: a number's own, a text's, or a list's in its own count.

        Lines are most often one: twice the text's number then, and twice the list's and one otherwise.
        """
        if kind in _NUMBERED:
            return int(cell) if isinstance(cell, int) else 0
        if kind not in _LISTS:
            return self.text(str(cell))
        parts = cell if isinstance(cell, tuple) else (cell,)
        numbers = tuple(part if isinstance(part, int) else self.text(part) for part in parts)
        if kind in _LINES and len(numbers) == 1:
            return 2 * numbers[0]
        found = self._lists.setdefault(numbers, len(self._lists))
        return 2 * found + 1 if kind in _LINES else found


class _Key:
    """Columns that go together while their rows come in, and which of their combinations each row has."""

    def __init__(self, columns: Sequence[Column], places: Sequence[int]) -> None:
        self.columns = columns
        self._places = places
        self._known: dict[tuple[Cell, ...], int] = {}
        self._numbers = array("q")

    def add(self, row: tuple[Cell, ...]) -> None:
        cells = tuple([row[place] for place in self._places])
        self._numbers.append(self._known.setdefault(cells, len(self._known)))

    def packed(self) -> tuple[list[int], list[tuple[Cell, ...]]]:
        """Which combination each row has, and the combinations in their order.

        They are numbered as they came or sorted, and the numbers, after a 0, or after a 1 the steps between
        them, are written: whichever compresses best.
        """
        came = list(self._known)
        order = sorted(came, key=lambda cells: [str(cell) for cell in cells])
        rank = {self._known[cells]: number for number, cells in enumerate(order)}
        ways = [(self._numbers.tolist(), came), ([rank[number] for number in self._numbers], order)]
        written = [
            ([how, *numbers], cells)
            for listed, cells in ways
            for how, numbers in enumerate((listed, _steps(listed)))
        ]
        return min(written, key=lambda way: len(zlib.compress(_text(way[0]))))


def _keys(table: Table, layout: Mapping[str, Any]) -> list[_Key]:
    """The columns as the layout puts them together, each other one for itself."""
    place = {column.key: at for at, column in enumerate(table.columns)}
    groups = [[key for key in group if key in place] for group in layout.get("together", ())]
    alone = [[key] for key in place if not any(key in group for group in groups)]
    return [
        _Key([table.columns[place[key]] for key in group], [place[key] for key in group])
        for group in (*groups, *alone)
    ]


def _steps(numbers: Iterable[int]) -> list[int]:
    """The first number, then how far it is from each to the next."""
    found: Sequence[int] = tuple(numbers)
    return [*found[:1], *(after - before for before, after in pairwise(found))]


def _squeezed(document: Any) -> str:
    packed = gzip.compress(_text(document), compresslevel=9, mtime=0)
    return base64.b85encode(packed).decode().translate(SAFE)


def _text(document: Any) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
