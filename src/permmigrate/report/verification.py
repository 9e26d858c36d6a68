"""The evidence of a verification: one static page, one workbook and one document with the same numbers."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from xlsxwriter import Workbook

from permmigrate.report.books import write_book
from permmigrate.report.notices import letter_environment
from permmigrate.report.sheets import Look, Writer, fill
from permmigrate.report.table import Column, Kind, Table
from permmigrate.report.text import plural
from permmigrate.verify import Standing, Verification

SCHEMA: Final = 1
SHOWN: Final = 500
"""Deviations on the page; the workbook and the document have all."""

_SENTENCES: Final = {
    "AS PLANNED": "Everybody the plan names holds what it gives them and what they had besides, and no more.",
    "NOT AS PLANNED": "The account is not what the plan makes of it.",
    "INCOMPLETE": "Nothing wrong was found, but not everything could be read.",
}
_TONES: Final = {"AS PLANNED": "good", "NOT AS PLANNED": "bad", "INCOMPLETE": "maybe"}
_COLUMNS: Final = (
    Column("standing", "Standing", Kind.STATE, 20),
    Column("kind", "Kind", Kind.STATE, 12),
    Column("name", "Who or what", Kind.TEXT, 40),
    Column("principal_id", "Principal id", Kind.ID, 34),
    Column("what", "Assignment or definition", Kind.TEXT, 60),
    Column("reason", "Why", Kind.TEXT, 50),
    Column("cause", "Mapping row", Kind.ID, 24),
    Column("operation", "Operation", Kind.ID, 20),
)


@dataclass(frozen=True, slots=True)
class VerificationView:
    """The verification as finished values."""

    headline: str
    tone: str
    sentence: str
    figures: tuple[tuple[str, int], ...]
    facts: tuple[tuple[str, str], ...]
    gaps: tuple[str, ...]
    table: Table
    shown: int = SHOWN


def view_of(found: Verification, tool_version: str) -> VerificationView:
    """Finish a verification for reading."""
    rows = tuple(
        (
            each.standing.value,
            each.principal.type.label if each.principal else "definition",
            each.name,
            each.principal.id if each.principal else "",
            each.what,
            each.reason,
            each.cause,
            each.operation,
        )
        for each in found.deviations
    )
    steady = "yes" if found.steady else "no: it still changed when patience ran out"
    return VerificationView(
        headline=found.headline,
        tone=_TONES[found.headline],
        sentence=_SENTENCES[found.headline],
        figures=tuple((standing.value, count) for standing, count in found.counts.items()),
        facts=(
            ("Account", found.account_id),
            ("Plan", found.plan_digest),
            ("Plan made", found.plan_created),
            ("Read live", found.read_at),
            ("Two readings agreed", steady),
            ("Left alone and as it was", plural(found.untouched, "assignment")),
            ("permmigrate", tool_version),
        ),
        gaps=found.gaps,
        table=Table(
            "deviations", "Deviations", "One thing that is not as the plan makes it.", _COLUMNS, rows
        ),
    )


def page(view: VerificationView, templates: Path) -> str:
    """The page: readable without a script, for mail and for paper."""
    return letter_environment(templates).get_template("verify.html.j2").render(view=view)


def document(view: VerificationView) -> dict[str, Any]:
    """The same for machines."""
    found: dict[str, Any] = {
        "schema": SCHEMA,
        "kind": "verification",
        "headline": view.headline,
        "figures": {label.replace(" ", "_"): count for label, count in view.figures},
        "facts": dict(view.facts),
        "gaps": list(view.gaps),
        "deviations": list(view.table.records()),
    }
    return found | {"digest": hashlib.sha256(_text(found).encode()).hexdigest()}


def dump(found: dict[str, Any]) -> str:
    """The document as canonical JSON."""
    return _text(found) + "\n"


def _text(found: dict[str, Any]) -> str:
    return json.dumps(found, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def workbook(view: VerificationView, path: Path) -> None:
    """Write the workbook, whole or not at all. Raises `UsageError`."""

    def put(book: Workbook) -> None:
        writer = Writer(Look(book), {})
        fill(book.add_worksheet("Summary"), writer, _summary(view))
        fill(book.add_worksheet("Deviations"), writer, view.table)
        fill(book.add_worksheet("Completeness"), writer, _lines("Not read", view.gaps))

    write_book(path, put)


def _summary(view: VerificationView) -> Table:
    columns = (Column("what", "What", Kind.TEXT, 30), Column("value", "Value", Kind.TEXT, 70))
    rows = [("Outcome", view.headline), ("", view.sentence)]
    rows += [(label, f"{count:,}") for label, count in view.figures]
    return Table("summary", "Summary", "The verification.", columns, (*rows, *view.facts))


def _lines(label: str, lines: Sequence[str]) -> Table:
    return Table(
        "lines",
        label,
        "One line.",
        (Column("line", label, Kind.TEXT, 100),),
        tuple((line,) for line in lines),
    )


def lines(found: Verification, most: int) -> list[str]:
    """The verification for a terminal: the counts, then the first deviations."""
    counted = ", ".join(f"{count:,} {standing.value}" for standing, count in found.counts.items())
    told = [f"{found.headline}: {counted}"]
    signs = {Standing.MISSING: "-", Standing.EXTRA: "+", Standing.CHANGED: "~", Standing.UNREAD: "?"}
    for each in found.deviations[:most]:
        row = f" [{each.cause}]" if each.cause else ""
        told.append(f"  {signs[each.standing]} {each.name}: {each.what}: {each.reason}{row}")
    if len(found.deviations) > most:
        told.append(f"  and {len(found.deviations) - most:,} more in the report")
    told += [f"  not read: {gap}" for gap in found.gaps]
    return told
