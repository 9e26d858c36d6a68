"""The tables of what is behind the findings: causes, what changing them would do, and mapping coverage."""

from __future__ import annotations

from collections.abc import Mapping

from permmigrate.diff import Diff
from permmigrate.report.table import Column, Kind, Table


def table(diff: Diff, changes: Mapping[str, tuple[str, ...]], *, planned: bool) -> Table:
    """Mapping rows, or roles assigned already, by the expansions they make, most first.

    `changes` says of those that were weighed what giving less would do.
    """
    columns = (
        Column("ref", "Row" if planned else "Cause", Kind.ID, 24),
        Column("text", "What it says", Kind.TEXT, 60),
        Column("confidence", "Confidence", Kind.STATE, 13),
        Column("severity", "Worst", Kind.SEVERITY, 17),
        Column("expansions", "Expansions", Kind.NUMBER, 12),
        Column("sole_expansions", "By it alone", Kind.NUMBER, 12),
        Column("principals", "Principals", Kind.NUMBER, 11),
        Column("reductions", "Reductions", Kind.NUMBER, 11),
        Column("changes", "What changing it does", Kind.LINES, 60),
    )
    causes = sorted(diff.causes, key=lambda c: (-c.expansions, -c.sole_expansions, -c.reductions, c.ref))
    rows = tuple(
        (
            c.ref,
            c.text,
            c.confidence,
            c.severity.value,
            c.expansions,
            c.sole_expansions,
            c.principals,
            c.reductions,
            changes.get(c.ref, ()),
        )
        for c in causes
    )
    about = "A mapping row or vendor default" if planned else "An assigned role or vendor default"
    return Table("causes", "Causes", f"{about}, and what follows from it.", columns, rows)


def coverage(diff: Diff) -> Table:
    """Every mapping row and how often it was used; a row never used is dead."""
    columns = (
        Column("ref", "Row", Kind.ID, 24),
        Column("text", "What it says", Kind.TEXT, 60),
        Column("state", "State", Kind.STATE, 10),
        Column("uses", "Used", Kind.NUMBER, 9),
        Column("confidence", "Confidence", Kind.STATE, 13),
        Column("source", "Source", Kind.TEXT, 50),
    )
    rows = tuple(
        (row.ref, row.text, "used" if row.uses else "not used", row.uses, row.confidence, row.source)
        for row in sorted(diff.coverage, key=lambda r: _file_and_line(r.ref))
    )
    return Table(
        "coverage",
        "Mapping",
        "One row of the mapping tables and how many grants it translated.",
        columns,
        rows,
    )


def _file_and_line(ref: str) -> tuple[str, int]:
    name, colon, line = ref.rpartition(":")
    numbered = colon and line.isascii() and line.isdigit()
    return (name, int(line)) if numbered else (ref, 0)
