"""Pack a table for the page: columns as dictionaries and indexes, gzipped, in base64. Same input, same bytes.

The page unpacks it with the browser's own DecompressionStream. Text is made visible here, because the page's
script writes it with `textContent` and nothing else.
"""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Mapping
from typing import Any

from permmigrate.report.table import Cell, Kind, Table
from permmigrate.report.text import visible


def pack(table: Table, layout: Mapping[str, Any]) -> str:
    """The table and how to show it, as base64 text."""
    document = {
        "key": table.key,
        "rows": len(table),
        "columns": [
            {
                "key": column.key,
                "label": column.label,
                "kind": column.kind.value,
                **_column(table, at, column.kind),
            }
            for at, column in enumerate(table.columns)
        ],
        "layout": layout,
    }
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"), sort_keys=True)
    return base64.b64encode(gzip.compress(text.encode(), compresslevel=9, mtime=0)).decode()


def _column(table: Table, at: int, kind: Kind) -> dict[str, Any]:
    cells = [row[at] for row in table.rows]
    if kind in (Kind.NUMBER, Kind.FLAG):
        return {"numbers": [int(cell) if isinstance(cell, int) else 0 for cell in cells]}
    numbers: dict[Cell, int] = {}
    indexes = [numbers.setdefault(cell, len(numbers)) for cell in cells]
    return {"values": [_shown(cell) for cell in numbers], "indexes": indexes}


def _shown(cell: Cell) -> Any:
    match cell:
        case str():
            return visible(cell)
        case tuple():
            return [visible(part) if isinstance(part, str) else part for part in cell]
        case int():
            return cell
