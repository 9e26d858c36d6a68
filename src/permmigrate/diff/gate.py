"""Decide whether a comparison passes: how many expansions, of what severity, and how many administrators.

What is unknown counts as an expansion, and incomplete data never pass unless that is asked for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from permmigrate.diff.accepted import Acceptance, Accepted, is_over
from permmigrate.diff.value import Diff, Severity, Verdict


@dataclass(frozen=True, slots=True)
class Limits:
    """What is tolerated. Nothing set: everything passes."""

    most: Mapping[Severity, int] = field(default_factory=dict)
    """How many expansions of at least this severity are tolerated: `LOW` counts all of them."""
    promotions: int | None = None
    """How many principals may become administrators."""
    allow_incomplete: bool = False

    @property
    def are_set(self) -> bool:
        return bool(self.most) or self.promotions is not None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a gate found."""

    failures: tuple[str, ...]
    """Each limit that does not hold, with its numbers; empty when the gate is passed."""
    counted: Mapping[Severity, int]
    """Expansions and undecided findings by their own severity that no acceptance covers."""
    accepted: int
    """Expansions and undecided findings that were left out because somebody accepted them."""
    expired: tuple[Acceptance, ...]
    """Acceptances that have ended."""
    idle: tuple[Acceptance, ...]
    """Acceptances of findings that are not there any more."""
    outgrown: tuple[Acceptance, ...]
    """Acceptances of findings that hold for other people than when they were accepted."""
    promoted: int


def judge(diff: Diff, limits: Limits, accepted: Accepted, today: date) -> Outcome:
    """Hold a comparison against the limits, leaving out what is accepted on that day."""
    counted: Counter[Severity] = Counter()
    covered: set[str] = set()
    present: set[str] = set()
    for finding in diff.findings:
        if finding.verdict.is_expansion or finding.verdict is Verdict.UNKNOWN:
            present.add(finding.id)
            if accepted.covers(finding, today):
                covered.add(finding.id)
            else:
                counted[finding.severity] += 1
    promoted = sum(summary.admin_after and not summary.admin_before for summary in diff.principals)
    return Outcome(
        failures=tuple(_failures(diff, limits, counted, promoted)),
        counted={severity: counted[severity] for severity in Severity},
        accepted=len(covered),
        expired=accepted.expired(today),
        idle=tuple(entry for entry in accepted.entries if entry.finding not in present),
        outgrown=tuple(
            entry
            for entry in accepted.entries
            if entry.finding in present - covered and not is_over(entry, today)
        ),
        promoted=promoted,
    )


def _failures(diff: Diff, limits: Limits, counted: Mapping[Severity, int], promoted: int) -> list[str]:
    found: list[str] = []
    for severity, most in sorted(limits.most.items(), key=lambda limit: limit[0].rank):
        number = sum(count for each, count in counted.items() if each.rank <= severity.rank)
        if number > most:
            what = "expansions" if severity is Severity.LOW else f"expansions of severity {severity} or worse"
            found.append(f"{number:,} {what}, certain, possible or undecided, where {most:,} are allowed")
    if limits.promotions is not None and promoted > limits.promotions:
        found.append(f"{promoted:,} new administrators where {limits.promotions:,} are allowed")
    if limits.are_set and not diff.complete and not limits.allow_incomplete:
        found.append("the data are incomplete, so that nothing beyond what was found can be ruled out")
    return found
