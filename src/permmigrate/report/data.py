"""The report as one canonical JSON document: the same rows and numbers, for machines and for git.

Text is as it was read, not made visible as on the page: a script must find the names that the account has.
A document may be very large: its rows are made while it is written, and never all at once.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, Final

from permmigrate.report import files
from permmigrate.report.matrices import Matrix
from permmigrate.report.table import Cell, Kind, Table
from permmigrate.report.value import DiffView, ReadinessView

SCHEMA: Final = 2
"""Grows when a reader of an older document would misread a newer one. `diff.schema.json` is its schema."""

_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_BATCH: Final = 500
_NO_DIGEST: Final = "0" * 64


@dataclass
class ValueSets:
    """Lists of numbers that many rows share; a row names one by its place."""

    capabilities: dict[Cell, int] = field(default_factory=dict)
    """Sets of places in `tables.capabilities`."""
    principals: dict[Cell, int] = field(default_factory=dict)
    """Sets of places in `tables.principals`."""

    def of(self, kind: Kind) -> dict[Cell, int] | None:
        return {Kind.CAPABILITIES: self.capabilities, Kind.PEOPLE: self.principals}.get(kind)


class Records(Iterable[dict[str, Any]]):
    """A table's rows as objects, made while they are looked at."""

    def __init__(self, table: Table, sets: ValueSets) -> None:
        self._table = table
        self._columns = [(column.key, sets.of(column.kind)) for column in table.columns]

    def __len__(self) -> int:
        return len(self._table)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for row in self._table.rows:
            yield {
                key: cell if known is None else known.setdefault(cell, len(known))
                for (key, known), cell in zip(self._columns, row, strict=True)
            }


def diff_document(view: DiffView) -> dict[str, Any]:
    """The comparison. `capabilities` and `others` of a finding are places in the lists of `value_sets`."""
    sets = ValueSets()
    return {
        **_common(view, "diff", sets),
        "compared_with": view.compared_with,
        "comparison": view.comparison,
        "known_summary": view.known_summary,
        "risks": [asdict(risk) for risk in view.risks],
        "matrices": {
            "outcomes_by_kind": _matrix(view.by_kind),
            "outcomes_by_legacy_role": _matrix(view.by_legacy_role),
            "roles_before_and_after": _matrix(view.roles),
            "thresholds": _matrix(view.thresholds),
        },
        "plan": asdict(view.plan) if view.plan else None,
        "assumptions": list(view.assumptions),
        "not_checked": list(view.not_checked),
        "value_sets": sets,
    }


def readiness_document(view: ReadinessView) -> dict[str, Any]:
    """The readiness: score, areas with their findings, arithmetic, and what was read."""
    return {
        **_common(view, "readiness", ValueSets()),
        "score": view.score,
        "areas": [asdict(area) | {"facts": dict(area.facts)} for area in view.areas],
        "arithmetic": [{"label": label, "expression": expression} for label, expression in view.arithmetic],
    }


def dump(document: dict[str, Any]) -> str:
    """The document as canonical JSON: sorted keys, no spaces, one line, UTF-8 safe, with its own digest."""
    parts = list(_parts(document))
    digest = hashlib.sha256("".join(part for part, hashed in parts if hashed).encode()).hexdigest()
    return "".join(part if hashed else part.replace(_NO_DIGEST, digest) for part, hashed in parts)


def write(document: dict[str, Any], path: Path) -> None:
    """Write what `dump` gives, never holding all of it; raises `UsageError` when it cannot be written."""

    def put(place: Path) -> None:
        with place.open("wb") as stream:
            _write(document, stream)

    files.write_with(path, put)


def _write(document: dict[str, Any], stream: BinaryIO) -> None:
    digest, gap = hashlib.sha256(), 0
    for part, hashed in _parts(document):
        content = part.encode()
        if hashed:
            digest.update(content)
        else:
            gap = stream.tell() + content.index(_NO_DIGEST.encode())
        stream.write(content)
    stream.seek(gap)
    stream.write(digest.hexdigest().encode())


def _parts(document: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """The text in pieces, and whether each counts for the digest: everything but the digest itself does."""
    opening = "{"
    for key in sorted({*document, "digest"}):
        if key == "digest":
            yield f'{opening}"digest":"{_NO_DIGEST}"', False
        else:
            yield f"{opening}{_text(key)}:", True
            yield from ((part, True) for part in _value(document[key]))
        opening = ","
    yield "}\n", True


def _value(value: Any) -> Iterator[str]:
    match value:
        case dict() if any(isinstance(each, Records) for each in value.values()):
            opening = "{"
            for key in sorted(value):
                yield f"{opening}{_text(key)}:"
                yield from _rows(value[key])
                opening = ","
            yield "}"
        case ValueSets():
            yield _text({"capabilities": list(value.capabilities), "principals": list(value.principals)})
        case _:
            yield _text(value)


def _rows(records: Records) -> Iterator[str]:
    opening, batch = "[", list[dict[str, Any]]()
    for record in records:
        batch.append(record)
        if len(batch) == _BATCH:
            yield opening + _text(batch)[1:-1]
            opening, batch = ",", []
    yield (opening + _text(batch)[1:-1] if batch else "[" * (opening == "[")) + "]"


def _text(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _common(view: DiffView | ReadinessView, kind: str, sets: ValueSets) -> dict[str, Any]:
    return {
        "schema": SCHEMA,
        "kind": kind,
        "account_id": view.account_id,
        "captured_at": view.captured_at,
        "illustrative_catalog": view.illustrative,
        "complete": view.complete,
        "banner": asdict(view.banner),
        "figures": {figure.key: figure.value for figure in view.figures},
        "read_summary": view.read_summary,
        "provenance": dict(view.provenance),
        "sizes": dict(view.sizes),
        "tables": {table.key: Records(table, sets) for table in view.tables},
    }


def _matrix(matrix: Matrix) -> dict[str, dict[str, int]]:
    return {label: dict(zip(matrix.columns, counts, strict=True)) for label, counts in matrix.rows}
