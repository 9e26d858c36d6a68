"""Finish a readiness for reading: its areas, findings and arithmetic, beside what the snapshot could read.

The score and its arithmetic are taken as given; only findings and areas are counted here.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from permmigrate.catalog import is_illustrative
from permmigrate.readiness.completeness import UNTRANSLATED
from permmigrate.readiness.policies import UNDECIDED
from permmigrate.report import evidence
from permmigrate.report.table import Column, Kind, Table
from permmigrate.report.text import listed, plural
from permmigrate.report.value import AreaView, Banner, Figure, ReadinessView, Shortfall
from permmigrate.snapshot import Snapshot

if TYPE_CHECKING:
    from permmigrate.readiness import Area, Readiness

_WORST_FIRST = ("blocked", "unknown", "attention", "ready")
_NOTES = {
    "blocked": "must be solved before the move",
    "attention": "worth looking at before the move",
    "unknown": "cannot be judged yet",
    "ready": "nothing to do",
}


def readiness_view(readiness: Readiness, snapshot: Snapshot) -> ReadinessView:
    """Finish a readiness for reading; `snapshot` is the one it was made from."""
    areas = tuple(_area(area) for area in readiness.areas)
    counts = Counter(area.verdict for area in areas)
    return ReadinessView(
        account_id=readiness.account_id,
        captured_at=readiness.captured_at,
        illustrative=is_illustrative(readiness.catalog_source),
        complete=readiness.complete,
        banner=_banner(readiness, areas, snapshot),
        figures=tuple(
            Figure(word, word, counts[word], f"{'area' if counts[word] == 1 else 'areas'}: {_NOTES[word]}")
            for word in _WORST_FIRST
        ),
        score=readiness.score,
        areas=areas,
        arithmetic=readiness.arithmetic,
        read_summary=evidence.read_summary(snapshot),
        tables=(
            _area_table(areas),
            _shortfall_table(areas),
            evidence.area_table(snapshot),
            evidence.gap_table(snapshot),
            evidence.orphan_table(snapshot),
            evidence.hygiene_table(snapshot),
            evidence.ledger_table(snapshot),
        ),
        digests=tuple((label, digest) for label, digest in _digests(readiness) if digest),
        provenance=(
            ("Account", readiness.account_id),
            ("Snapshot taken", readiness.captured_at),
            ("permmigrate", readiness.tool_version),
            ("API", snapshot.api_url or "not recorded"),
            ("Roles and policies from", readiness.catalog_source or "not recorded"),
            *((f"{label} digest", digest or "none") for label, digest in _digests(readiness)),
        ),
        sizes=evidence.size_rows(snapshot),
    )


def _digests(readiness: Readiness) -> tuple[tuple[str, str], ...]:
    return (
        ("Snapshot", readiness.snapshot_digest),
        ("Mapping", readiness.mapping_digest),
        ("Catalog", readiness.catalog_digest),
    )


def _area(area: Area) -> AreaView:
    found = sorted(area.findings, key=lambda f: (f.severity.rank, -f.count, f.title, f.detail))
    return AreaView(
        key=area.key,
        name=area.name,
        verdict=area.verdict.value,
        weight=area.weight,
        percent=round(area.score * 100),
        explanation=area.explanation,
        facts=area.facts,
        shortfalls=tuple(
            Shortfall(f.severity.value, f.title, f.detail, f.action, f.subjects, f.count) for f in found
        ),
    )


def _banner(readiness: Readiness, areas: tuple[AreaView, ...], snapshot: Snapshot) -> Banner:
    by = {word: [area.name for area in areas if area.verdict == word] for word in _WORST_FIRST}
    details = []
    if by["blocked"]:
        headline, tone = "NOT READY", "gained"
        verb = "is" if len(by["blocked"]) == 1 else "are"
        sentence = f"This account cannot move yet: {listed(by['blocked'])} {verb} blocked."
    elif by["unknown"] or not readiness.complete:
        headline, tone = "INCOMPLETE", "maybe"
        about = f" about {listed(by['unknown'])}" if by["unknown"] else ""
        sentence = (
            f"Nothing found blocks the move, but not enough is known{about} to call this account ready."
        )
    elif by["attention"]:
        headline, tone = "NEARLY READY", "maybe"
        sentence = f"Nothing blocks the move; {listed(by['attention'])} should be looked at first."
    else:
        headline, tone = "READY", "good"
        sentence = "This account is ready to move: nothing was found that would stop it."
    if headline == "INCOMPLETE":
        details += _what_is_missing(areas, snapshot, told=bool(by["unknown"]))
    elif orphans := evidence.orphan_sentence(snapshot):
        details.append(orphans)
    found = sum(len(area.shortfalls) for area in areas)
    if found:
        touched = sum(bool(area.shortfalls) for area in areas)
        details.append(f"{plural(found, 'finding')} in {plural(touched, 'area')}, each with what to do.")
    if snapshot.gaps:
        details.append(
            f"{plural(len(snapshot.gaps), 'read')} left a gap, so the score speaks of what was read."
        )
    return Banner(headline, tone, sentence, tuple(details))


def _what_is_missing(areas: tuple[AreaView, ...], snapshot: Snapshot, *, told: bool) -> list[str]:
    """Why not enough is known, beside what was not read; `told` when the sentence names areas already."""
    found = [s for area in areas for s in area.shortfalls if s.title in (UNTRANSLATED, UNDECIDED)]
    lines = [f"{each.title}: {each.count:,}." for each in found]
    if orphans := evidence.orphan_sentence(snapshot):
        lines.insert(0, orphans)
    if not lines and not told and not snapshot.gaps:
        lines.append("The comparison could not decide everything; its report says what is missing.")
    return lines


def _area_table(areas: tuple[AreaView, ...]) -> Table:
    columns = (
        Column("name", "Area", Kind.TEXT, 24),
        Column("verdict", "Verdict", Kind.STATE, 13),
        Column("percent", "Score %", Kind.NUMBER, 9),
        Column("weight", "Weight", Kind.NUMBER, 9),
        Column("findings", "Findings", Kind.NUMBER, 10),
        Column("explanation", "What it looks at, and what was found", Kind.TEXT, 80),
        Column("facts", "Facts", Kind.LINES, 44),
    )
    rows = tuple(
        (
            area.name,
            area.verdict,
            area.percent,
            area.weight,
            len(area.shortfalls),
            area.explanation,
            tuple(f"{label}: {value}" for label, value in area.facts),
        )
        for area in areas
    )
    return Table("areas", "Areas", "One area of the readiness and its share of the score.", columns, rows)


def _shortfall_table(areas: tuple[AreaView, ...]) -> Table:
    columns = (
        Column("severity", "Severity", Kind.SEVERITY, 17),
        Column("area", "Area", Kind.TEXT, 22),
        Column("title", "Finding", Kind.TEXT, 44),
        Column("detail", "Why it matters", Kind.TEXT, 60),
        Column("action", "What to do", Kind.TEXT, 60),
        Column("count", "How many", Kind.NUMBER, 10),
        Column("subjects", "Who or what", Kind.LIST, 44),
    )
    rank = {"critical": 0, "high": 1, "medium": 2, "low": 3}
    found = [(rank[s.severity], at, s, area.name) for at, area in enumerate(areas) for s in area.shortfalls]
    rows = tuple(
        (s.severity, name, s.title, s.detail, s.action, s.count, s.subjects)
        for _, _, s, name in sorted(found, key=lambda row: (row[0], row[1]))
    )
    return Table("findings", "Findings", "Something to solve or to look at before the move.", columns, rows)
