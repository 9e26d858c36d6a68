"""Read reports back the way their readers' programs do: the page's data, the workbook's cells."""

from __future__ import annotations

import base64
import gzip
import json
import re
from html.parser import HTMLParser
from itertools import accumulate
from pathlib import Path
from typing import Any

import openpyxl


def islands(html: str) -> dict[str, Any]:
    """Every packed table of a page by its key."""
    found = re.findall(r'<script type="application/json" id="data-(\w+)">(.*?)</script>', html, re.S)
    packed = {key: json.loads(gzip.decompress(base64.b64decode(json.loads(text)))) for key, text in found}
    pool = packed.pop("pool")
    people = [pool["texts"][number] for number, *_ in packed.pop("people", [])]
    for table in packed.values():
        for each in table["columns"]:
            if "indexes" in each:
                each["cells"] = _cells(each, pool, people)
    return packed


def _cells(column: dict[str, Any], pool: dict[str, Any], people: list[str]) -> list[Any]:
    meant = {"capabilities": range(1_000_000), "people": people}.get(column["kind"], pool["texts"])
    if column["lists"]:
        values = [
            [meant[part] for part in accumulate(pool["lists"][at])] for at in accumulate(column["values"])
        ]
    else:
        values = [pool["texts"][at] for at in accumulate(column["values"])]
    return [values[at] for at in accumulate(column["indexes"])]


def column(table: dict[str, Any], key: str) -> list[Any]:
    """One column of a packed table, unpacked."""
    packed = next(each for each in table["columns"] if each["key"] == key)
    return packed["numbers"] if "numbers" in packed else packed["cells"]


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


def sheets(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every sheet's rows of cell values, the header among them."""
    book = openpyxl.load_workbook(path)
    return {sheet.title: [tuple(cell.value for cell in row) for row in sheet.iter_rows()] for sheet in book}


def cell_types(path: Path) -> set[str]:
    """The types of all cells that hold something: `s` text, `n` number, `f` formula."""
    book = openpyxl.load_workbook(path)
    return {
        cell.data_type
        for sheet in book
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    }
