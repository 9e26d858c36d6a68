"""The findings as SARIF 2.1.0: each points at the line of the mapping table that makes it.

For code scanning on pull requests. It holds the rows of the report in their order, up to what such services
take in one run, and always says how many there are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final

from permmigrate.report.text import visible
from permmigrate.report.value import DiffView

MOST_RESULTS: Final = 25_000
"""What GitHub's code scanning takes in one run."""
MOST_CHARACTERS: Final = 1_000
"""Of one message."""

_TABLES: Final = ("expansions", "undecided", "reductions")
_ROW: Final = re.compile(r"([\w.-]+\.csv):(\d+)")
_RULES: Final = {
    "gained": ("Gained", "Access that exists after and did not exist before."),
    "maybe gained": ("MaybeGained", "Access that exists after; whether it existed before is not known."),
    "unknown": ("Unknown", "Access about which neither yes nor no can be said."),
    "lost": ("Lost", "Access that existed before and does not exist after."),
    "maybe lost": ("MaybeLost", "Access that may have existed before and does not exist after."),
}
_LEVELS: Final = {"gained": "error", "maybe gained": "warning", "unknown": "warning"}
_RANKS: Final = {"critical": 100.0, "high": 75.0, "medium": 50.0, "low": 25.0}
_SECURITY: Final = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0"}


def sarif_document(view: DiffView, *, mappings: str = "mappings") -> dict[str, Any]:
    """One SARIF run. `mappings` is the folder of the mapping tables as the repository knows it."""
    total = sum(len(view.table(key)) for key in _TABLES)
    results = [result for _, result in zip(range(MOST_RESULTS), _results(view, mappings), strict=False)]
    notes = []
    if total > len(results):
        text = f"{total - len(results):,} of {total:,} findings are left out here; diff.json has them all"
        notes.append({"level": "warning", "message": {"text": text}})
    if not view.complete:
        text = "the data are incomplete: nothing beyond these findings can be ruled out"
        notes.append({"level": "warning", "message": {"text": text}})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": _driver(view)},
                "columnKind": "unicodeCodePoints",
                "invocations": [{"executionSuccessful": True, "toolExecutionNotifications": notes}],
                "properties": {
                    "headline": view.banner.headline,
                    "complete": view.complete,
                    "counts": {figure.key: figure.value for figure in view.figures},
                    "findings": total,
                },
                "results": results,
            }
        ],
    }


def dump(document: dict[str, Any]) -> str:
    """The document as indented JSON in ASCII with sorted keys."""
    return json.dumps(document, sort_keys=True, indent=1, allow_nan=False) + "\n"


def _driver(view: DiffView) -> dict[str, Any]:
    version = dict(view.provenance)["permmigrate"]
    rules = [
        {"id": word.replace(" ", "-"), "name": name, "shortDescription": {"text": text}}
        for word, (name, text) in _RULES.items()
    ]
    return {"name": "permmigrate", "semanticVersion": version, "rules": rules}


def _results(view: DiffView, mappings: str) -> Iterator[dict[str, Any]]:
    numbers = {word: number for number, word in enumerate(_RULES)}
    for key in _TABLES:
        for row in view.table(key).records():
            verdict, severity = str(row["verdict"]), str(row["severity"])
            causes = [str(cause) for cause in row["causes"]]  # type: ignore[union-attr]
            yield {
                "ruleId": verdict.replace(" ", "-"),
                "ruleIndex": numbers[verdict],
                "level": _LEVELS.get(verdict, "note"),
                "rank": _RANKS[severity],
                "message": {"text": _message(row)},
                "locations": list(_locations(causes, mappings)),
                "partialFingerprints": {"permmigrateFinding/v1": str(row["id"])},
                "properties": {
                    "severity": severity,
                    "security-severity": _SECURITY[severity],
                    "principals": 1 + int(row["people"]),  # type: ignore[arg-type]
                },
            }


def _message(row: dict[str, Any]) -> str:
    others = f" and {row['people']:,} more" if row["people"] else ""
    where = f" on {row['region']}" + (f" ({row['environment']})" if row["region_kind"] == "folder" else "")
    parts = [f"{row['principal_kind']} {row['principal']}{others}: {row['verdict']}, {row['can']}{where}"]
    parts += [f"{side}: " + ("; ".join(row[side]) or "nothing") for side in ("before", "after")]
    parts += [str(row["reason"])] * bool(row["reason"])
    text = visible(". ".join(parts))
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def _locations(causes: list[str], mappings: str) -> Iterator[dict[str, Any]]:
    """The mapping rows as places in files; a result without any points at the folder's first table."""
    rows = [found for cause in causes if (found := _ROW.fullmatch(cause))]
    for found in rows:
        yield _place(f"{mappings}/{found[1]}", int(found[2]))
    if not rows:
        named = [{"name": visible(cause)} for cause in causes] or [{"name": "no mapping row"}]
        yield _place(f"{mappings}/user_roles.csv", 1) | {"logicalLocations": named}


def _place(uri: str, line: int) -> dict[str, Any]:
    return {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": line}}}
