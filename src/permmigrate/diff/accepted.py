"""Findings that somebody looked at and accepted, with a reason and an end: a file for git.

It holds ids and words only. What it accepts is taken out of a gate's count, never out of a report.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Final

from permmigrate.diff.value import Diff, Finding
from permmigrate.errors import InvalidFileError, Problem
from permmigrate.mapping.reading import Cells, read_table

COLUMNS: Final = ("finding", "people", "expires", "accepted_by", "reason", "what")
HEAD: Final = """\
# Expansions that were looked at and accepted. A gate counts what is not in this list.
# Take out what is not accepted. Each line wants a reason; after `expires` (YYYY-MM-DD) it counts again.
"""
_ID: Final = re.compile("f[0-9a-f]{12}")
_PEOPLE: Final = re.compile("p[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Acceptance:
    """One accepted finding."""

    finding: str
    """The finding's id."""
    people: str
    """Whom else it held for when it was accepted, as `people_of` says it."""
    expires: date | None
    """The last day it is accepted; None for no end."""
    accepted_by: str
    reason: str
    line: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """The accepted findings of one file."""

    entries: tuple[Acceptance, ...] = ()
    _by_finding: dict[str, Acceptance] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._by_finding.update((entry.finding, entry) for entry in self.entries)

    def covers(self, finding: Finding, today: date) -> bool:
        """Whether the finding is accepted on that day, for just these people."""
        entry = self._by_finding.get(finding.id)
        return entry is not None and not is_over(entry, today) and entry.people == people_of(finding)

    def expired(self, today: date) -> tuple[Acceptance, ...]:
        return tuple(entry for entry in self.entries if is_over(entry, today))


def is_over(entry: Acceptance, today: date) -> bool:
    """Whether the acceptance has ended before that day."""
    return entry.expires is not None and entry.expires < today


def people_of(finding: Finding) -> str:
    """`p` and twelve hex digits for the others that a finding holds for: who joins was not accepted."""
    text = "\n".join(finding.others)
    return "p" + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:12]


def load(path: Path) -> Accepted:
    """Read a file of accepted findings; raises `InvalidFileError` with every problem as `file:line`."""
    problems: list[Problem] = []
    try:
        found = [_entry(cells) for cells in read_table(path, COLUMNS, problems)]
    except OSError as error:
        raise InvalidFileError(f"cannot read `{path}`: {error.strerror or error}") from error
    lines: dict[str, int] = {}
    for entry in found:
        if entry.finding in lines:
            message = f"accepts finding `{entry.finding}` again, after line {lines[entry.finding]}"
            problems.append(Problem(path.name, entry.line, message, "keep one of the two lines"))
        lines.setdefault(entry.finding, entry.line)
    if problems:
        raise InvalidFileError(f"`{path}` cannot be used", problems=tuple(sorted(problems)))
    return Accepted(tuple(found))


def _entry(cells: Cells) -> Acceptance:
    finding = cells.required("finding", "an id such as `f0123456789ab`, as the reports show it").lower()
    if finding and not _ID.fullmatch(finding):
        cells.wrong(f"`{finding}` is not the id of a finding", "copy it from the report, as text")
    people = cells.required("people", "as `diff --write-baseline` wrote it").lower()
    if people and not _PEOPLE.fullmatch(people):
        cells.wrong(f"`{people}` does not stand for people", "copy it as `diff --write-baseline` wrote it")
    return Acceptance(
        finding=finding,
        people=people,
        expires=cells.day("expires"),
        accepted_by=cells.optional("accepted_by"),
        reason=cells.required("reason", "say why this is acceptable"),
        line=cells.ref.line,
    )


def write(diff: Diff, kept: Accepted, today: date) -> str:
    """The text of a file of every expansion: what was accepted keeps its words, the rest waits for them.

    An expansion without words makes the file unreadable on purpose: nobody accepted it yet.
    """
    words = {entry.finding: entry for entry in kept.entries}
    out = io.StringIO()
    out.write(HEAD)
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(COLUMNS)
    for finding in _expansions(diff):
        entry = words.get(finding.id) if kept.covers(finding, today) else None
        rows.writerow(
            (
                finding.id,
                people_of(finding),
                entry.expires.isoformat() if entry and entry.expires else "",
                entry.accepted_by if entry else "",
                entry.reason if entry else "",
                in_words(finding, diff),
            )
        )
    return out.getvalue()


def in_words(finding: Finding, diff: Diff) -> str:
    """`gained, critical: user u-17, Delete assets and 3 more, on Brands/Aurora`."""
    labels = [diff.capabilities[number].label for number in finding.capabilities]
    more = f" and {len(labels) - 1:,} more" if len(labels) > 1 else ""
    can = f"{labels[0]}{more}" if labels else "not known"
    return (
        f"{finding.verdict}, {finding.severity}: {finding.principal.type.label} {finding.principal.id}, "
        f"{can}, on {finding.region.label}"
    )


def _expansions(diff: Diff) -> Iterable[Finding]:
    return (finding for finding in diff.findings if finding.verdict.is_expansion)
