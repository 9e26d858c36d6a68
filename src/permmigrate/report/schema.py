"""The JSON Schema of the reports' documents, made from the columns that the tables really have.

The files that ship are what it makes; a test compares them. It describes shape and closed sets of words, not
what they mean.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from permmigrate.diff import Severity, Verdict
from permmigrate.report.data import SCHEMA
from permmigrate.report.table import Column, Kind, Table
from permmigrate.report.value import DiffView, ReadinessView

_TEXT: Final[dict[str, Any]] = {"type": "string"}
_COUNT: Final[dict[str, Any]] = {"type": "integer", "minimum": 0}
_TEXTS: Final[dict[str, Any]] = {"type": "array", "items": _TEXT}
_DIGEST: Final[dict[str, Any]] = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_SEVERITY: Final[dict[str, Any]] = {"enum": [severity.value for severity in Severity]}
_COUNTS: Final[dict[str, Any]] = {"type": "object", "additionalProperties": _COUNT}
_CELLS: Final[dict[Kind, dict[str, Any]]] = {
    Kind.TEXT: _TEXT,
    Kind.ID: _TEXT,
    Kind.STATE: _TEXT,
    Kind.NUMBER: {"type": "integer"},
    Kind.FLAG: {"type": "boolean"},
    Kind.LINES: _TEXTS,
    Kind.LIST: _TEXTS,
    Kind.CAPABILITIES: _COUNT | {"description": "A place in value_sets.capabilities."},
    Kind.PEOPLE: _COUNT | {"description": "A place in value_sets.principals."},
    Kind.SEVERITY: _SEVERITY,
    Kind.VERDICT: {"enum": [verdict.value for verdict in Verdict]},
}


def schema_of(view: DiffView | ReadinessView) -> dict[str, Any]:
    """The schema of the document of a view; it depends on no row of it."""
    diff = isinstance(view, DiffView)
    properties = _common(view) | (_diff() if isinstance(view, DiffView) else _readiness())
    name = "comparison" if diff else "readiness"
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"A {name} of permmigrate",
        "description": f"Schema {SCHEMA}. Text is as it was read from the account.",
        **_object(properties),
    }


def dump(schema: Mapping[str, Any]) -> str:
    """The schema as its file's text."""
    return json.dumps(schema, indent=2) + "\n"


def _object(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Exactly these fields."""
    return {
        "type": "object",
        "properties": dict(sorted(properties.items())),
        "required": sorted(properties),
        "additionalProperties": False,
    }


def _common(view: DiffView | ReadinessView) -> dict[str, Any]:
    banner = {"headline": _TEXT, "tone": _TEXT, "sentence": _TEXT, "details": _TEXTS}
    return {
        "schema": {"const": SCHEMA},
        "kind": {"const": "diff" if isinstance(view, DiffView) else "readiness"},
        "digest": _DIGEST | {"description": "The sha256 of the text without this field."},
        "account_id": _TEXT,
        "captured_at": _TEXT,
        "illustrative_catalog": {"type": "boolean"},
        "complete": {"type": "boolean"},
        "banner": _object(banner),
        "figures": _object({figure.key: _COUNT for figure in view.figures}),
        "read_summary": _TEXT,
        "provenance": {"type": "object", "additionalProperties": _TEXT},
        "sizes": _COUNTS,
        "tables": _object({table.key: _table(table) for table in view.tables}),
    }


def _table(table: Table) -> dict[str, Any]:
    row = _object({column.key: _cell(column) for column in table.columns})
    return {"type": "array", "description": table.about, "items": row}


def _cell(column: Column) -> dict[str, Any]:
    return {"title": column.label, **_CELLS[column.kind]}


def _diff() -> dict[str, Any]:
    risk = {"severity": _SEVERITY, "title": _TEXT, "detail": _TEXT, "subjects": _TEXTS}
    matrix = {"type": "object", "additionalProperties": _COUNTS}
    names = ("outcomes_by_kind", "outcomes_by_legacy_role", "roles_before_and_after", "thresholds")
    plan = {
        "sentence": _TEXT,
        "operations": _COUNT,
        "by_hand": _COUNT,
        "left_out": _COUNT,
        "holds": {"type": "boolean"},
    }
    places = {"type": "array", "items": {"type": "array", "items": _COUNT}}
    return {
        "compared_with": _TEXT,
        "comparison": _DIGEST | {"description": "What a sign-off is about."},
        "known_summary": _TEXT,
        "risks": {"type": "array", "items": _object(risk)},
        "matrices": _object(dict.fromkeys(names, matrix)),
        "plan": {"anyOf": [{"type": "null"}, _object(plan)]},
        "assumptions": _TEXTS,
        "not_checked": _TEXTS,
        "value_sets": _object({"capabilities": places, "principals": places}),
    }


def _readiness() -> dict[str, Any]:
    shortfall = {
        "severity": _SEVERITY,
        "title": _TEXT,
        "detail": _TEXT,
        "action": _TEXT,
        "subjects": _TEXTS,
        "count": _COUNT,
    }
    percent = {"type": "integer", "minimum": 0, "maximum": 100}
    area = {
        "key": _TEXT,
        "name": _TEXT,
        "verdict": _TEXT,
        "weight": _COUNT,
        "percent": percent,
        "explanation": _TEXT,
        "facts": {"type": "object", "additionalProperties": _TEXT},
        "shortfalls": {"type": "array", "items": _object(shortfall)},
    }
    line = {"label": _TEXT, "expression": _TEXT}
    return {
        "score": percent,
        "areas": {"type": "array", "items": _object(area)},
        "arithmetic": {"type": "array", "items": _object(line)},
    }
