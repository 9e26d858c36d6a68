"""The values of a readiness report. They hold what was found; the modules beside them find it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from permmigrate.diff import Severity


class AreaVerdict(StrEnum):
    """How far one area of the account is from being moved."""

    READY = "ready"
    """Nothing to do, or only findings of low severity."""
    ATTENTION = "attention"
    """Findings of medium or high severity."""
    BLOCKED = "blocked"
    """A critical finding: do not move before it is settled."""
    UNKNOWN = "unknown"
    """Something of the area was not read, so nothing is promised."""


@dataclass(frozen=True, slots=True)
class ReadinessFinding:
    """One kind of thing to settle before the move."""

    severity: Severity
    title: str
    detail: str
    """What is wrong and what follows from it, in sentences."""
    action: str
    """What to do about it."""
    subjects: tuple[str, ...]
    """Who or what it concerns, sorted, named as in the account; `SUBJECTS_SHOWN` of them at most."""
    count: int
    """How many it concerns in all."""


@dataclass(frozen=True, slots=True)
class Area:
    """One part of the account and how ready it is."""

    key: str
    name: str
    verdict: AreaVerdict
    weight: int
    """Its part of the 100."""
    score: float
    """0 to 1 in whole hundredths: the share of the area's things that no finding of high severity or worse
    concerns, rounded down; 0 when blocked or unknown."""
    explanation: str
    """Where verdict and score come from, in sentences."""
    findings: tuple[ReadinessFinding, ...]
    """The worst first, then by count."""
    facts: tuple[tuple[str, str], ...]
    """Numbers of the area, as (label, text) pairs."""


@dataclass(frozen=True, slots=True)
class Readiness:
    """How ready an account is to move, and how the figure was reached."""

    account_id: str
    captured_at: str
    tool_version: str
    snapshot_digest: str
    mapping_digest: str
    catalog_digest: str
    catalog_source: str
    areas: tuple[Area, ...]
    score: int
    """0 to 100, rounded down: 100 only when every area has full marks."""
    arithmetic: tuple[tuple[str, str], ...]
    """The sum line by line: ("Keys", "weight 20 × score 0.50 = 10.00"), the total last."""
    complete: bool
    """Everything was read, placed and compared: no gap, no orphan, no unknown area, a complete comparison."""
