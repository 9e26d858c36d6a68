"""Read reports back the way their readers' programs do: the page's data, the workbook's cells."""

from __future__ import annotations

import base64
import gzip
import json
import re
from functools import lru_cache
from html.parser import HTMLParser
from itertools import accumulate
from pathlib import Path
from typing import Any

import openpyxl

from permmigrate.report.island import SAFE


def islands(html: str) -> dict[str, Any]:
    """Every packed table of a page by its key."""
    found = re.findall(r'<script type="application/json" id="data-(\w+)">(.*?)</script>', html, re.S)
    back = {after: before for before, after in SAFE.items()}
    bytes_ = {key: base64.b85decode(json.loads(text).translate(back)) for key, text in found}
    packed = {key: json.loads(gzip.decompress(each)) for key, each in bytes_.items()}
    pool, _ = packed.pop("pool"), packed.pop("words")
    people = [pool["texts"][number] for number, *_ in packed.pop("people", [])]
    for table in packed.values():
        keys = [list(accumulate(each[1:])) if each[0] else each[1:] for each in table["keys"]]
        for each in table["columns"]:
            values = _values(each, pool, people)
            each["cells"] = [values[at] for at in keys[each["by"]]]
    return packed


def _values(column: dict[str, Any], pool: dict[str, Any], people: list[str]) -> list[Any]:
    if "numbers" in column:
        return list(accumulate(column["numbers"]))
    values = accumulate(column["values"])
    match column["kind"]:
        case "lines" | "list":
            lists = ([at // 2] if at % 2 == 0 else accumulate(pool["lists"][at // 2]) for at in values)
            return [[pool["texts"][part] for part in each] for each in lists]
        case "capabilities":
            return [list(accumulate(pool["lists"][at])) for at in values]
        case "people":
            return [[people[part] for part in accumulate(pool["lists"][at])] for at in values]
        case _:
            return [pool["texts"][at] for at in values]


def column(table: dict[str, Any], key: str) -> list[Any]:
    """One column of a packed table, unpacked."""
    return next(each["cells"] for each in table["columns"] if each["key"] == key)


class _Figures(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, int] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if "data-figure" in named:
            self.found[str(named["data-figure"])] = int(str(named["data-value"]))


def figures(html: str) -> dict[str, int]:
    """The numbers under the banner, as they stand in the page without a script."""
    parser = _Figures()
    parser.feed(html)
    return parser.found


def opened(path: Path) -> openpyxl.Workbook:
    """A workbook, to be read only: opened once as long as its file stays as it is."""
    return _opened(path, path.stat().st_mtime_ns)


@lru_cache(2)
def _opened(path: Path, written: int) -> openpyxl.Workbook:
    return openpyxl.load_workbook(path)


def sheets(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every sheet's rows of cell values, the header among them."""
    book = opened(path)
    return {sheet.title: [tuple(cell.value for cell in row) for row in sheet.iter_rows()] for sheet in book}


def cell_types(path: Path) -> set[str]:
    """The types of all cells that hold something: `s` text, `n` number, `f` formula."""
    book = opened(path)
    return {
        cell.data_type
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    }
