"""What became of every operation of a run: nothing that was not done goes unnamed.

Values only; the words for people are made here, and printed elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from permmigrate.errors import ExitCode
from permmigrate.model import PrincipalRef
from permmigrate.plan import Operation, Plan


class Status(StrEnum):
    """What became of one operation."""

    DONE = "done"
    ALREADY = "already so"
    """It was as wanted before anything was sent."""
    FAILED = "failed"
    UNSURE = "unsure"
    """It was sent, and nobody could tell what it did; resuming finds out."""
    STALE = "changed by others"
    HELD_BACK = "held back"
    """Something it needs was not done."""
    NOT_REACHED = "not reached"

    @property
    def is_good(self) -> bool:
        return self in (Status.DONE, Status.ALREADY)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one operation, and why."""

    status: Status
    why: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is."""

    wave: int
    waves: int
    done: int
    """Operations that need nothing more."""
    total: int
    calls: int
    doing: str


@dataclass(frozen=True)
class Result:
    """What became of a run."""

    plan: Plan
    outcomes: Mapping[str, Outcome]
    """By operation id; only those that were asked for."""
    calls: int
    stopped: str = ""
    """Why it ended early; empty when it did not."""
    head: str = ""
    """The hash of the journal's last line."""
    verified: tuple[int, ...] = ()
    """The waves that were read back and found as planned."""
    changed: Mapping[PrincipalRef, str] = field(default_factory=dict)
    """Whom others changed, and how; they were not touched from then on."""
    retry: Plan | None = None
    """A plan of what can be tried again; None when there is nothing."""

    @property
    def counts(self) -> Counter[Status]:
        return Counter(outcome.status for outcome in self.outcomes.values())

    @property
    def left(self) -> Iterator[tuple[str, Operation, Outcome]]:
        """Every operation that was not done, in the plan's order."""
        for identity, operation in self.plan.by_id.items():
            outcome = self.outcomes.get(identity)
            if outcome is not None and not outcome.status.is_good:
                yield identity, operation, outcome

    @property
    def exit_code(self) -> ExitCode:
        """0: all done and as planned; 7: something was done; 6: others had changed it; else 4."""
        counts = self.counts
        if not self.stopped and not self.changed and all(status.is_good for status in counts):
            return ExitCode.OK
        if counts[Status.DONE] or counts[Status.UNSURE]:
            return ExitCode.PARTLY_APPLIED
        if self.changed and not counts[Status.FAILED] and not self.stopped:
            return ExitCode.REFUSED
        return ExitCode.SERVICE
