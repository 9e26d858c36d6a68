"""The report as one canonical JSON document: the same rows and numbers, for machines and for git.

Text is as it was read, not made visible as on the page: a script must find the names that the account has.
"""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict
from typing import Any, Final

from permmigrate.report.matrices import Matrix
from permmigrate.report.value import DiffView, ReadinessView

SCHEMA: Final = 1
"""Grows when a reader of an older document would misread a newer one."""

_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")


def diff_document(view: DiffView) -> dict[str, Any]:
    """The comparison. A finding's `capabilities` are places in `tables.capabilities`, counted from 0."""
    return _sealed(
        {
            **_common(view, "diff"),
            "compared_with": view.compared_with,
            "known_summary": view.known_summary,
            "risks": [asdict(risk) for risk in view.risks],
            "matrices": {
                "outcomes_by_kind": _matrix(view.by_kind),
                "outcomes_by_legacy_role": _matrix(view.by_legacy_role),
                "roles_before_and_after": _matrix(view.roles),
            },
            "assumptions": list(view.assumptions),
            "not_checked": list(view.not_checked),
        }
    )


def readiness_document(view: ReadinessView) -> dict[str, Any]:
    """The readiness: score, areas with their findings, arithmetic, and what was read."""
    return _sealed(
        {
            **_common(view, "readiness"),
            "score": view.score,
            "areas": [asdict(area) | {"facts": dict(area.facts)} for area in view.areas],
            "arithmetic": [
                {"label": label, "expression": expression} for label, expression in view.arithmetic
            ],
        }
    )


def dump(document: dict[str, Any]) -> str:
    """The document as canonical JSON: sorted keys, no spaces, one line, UTF-8 safe."""
    text = json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return _LONE_SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", text) + "\n"


def _common(view: DiffView | ReadinessView, kind: str) -> dict[str, Any]:
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
        "tables": {table.key: list(table.records()) for table in view.tables},
    }


def _matrix(matrix: Matrix) -> dict[str, dict[str, int]]:
    return {label: dict(zip(matrix.columns, counts, strict=True)) for label, counts in matrix.rows}


def _sealed(document: dict[str, Any]) -> dict[str, Any]:
    """The document with the sha256 of everything else in it."""
    return document | {"digest": hashlib.sha256(dump(document).encode()).hexdigest()}
