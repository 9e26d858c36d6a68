"""The values of a verification. What is as planned is counted; what is not is listed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from permmigrate.model import PrincipalRef


class Standing(StrEnum):
    """How one thing stands against the plan."""

    AS_PLANNED = "as planned"
    MISSING = "missing"
    """The plan gave it, and it is not there."""
    EXTRA = "extra"
    """It is there, and by the plan it should not be."""
    CHANGED = "changed by others"
    """What the plan left alone is not as it was, or what the plan made is not what it made."""
    UNREAD = "not readable"
    """Nothing that was read can tell."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """One thing that is not as planned, or of which it cannot be told."""

    standing: Standing
    principal: PrincipalRef | None
    """None for the definition of a role or policy."""
    name: str
    """Who, in words; for a definition what it is called."""
    what: str
    """The assignment or definition in words: "folder role Editor on Brands (Production)"."""
    reason: str
    cause: str = ""
    """The mapping row behind the operation, when there is one."""
    operation: str = ""
    """The operation's id in the plan and the journal, when there is one."""

    def sort_key(self) -> tuple[str, ...]:
        kind = self.principal.type.value if self.principal else ""
        return (_ORDER[self.standing], kind, self.name, self.what, self.reason)


_ORDER = {standing: str(number) for number, standing in enumerate(Standing)}


@dataclass(frozen=True)
class Verification:
    """A live account against one plan."""

    account_id: str
    plan_digest: str
    plan_created: str
    read_at: str
    """When the live account was read: UTC, ISO 8601."""
    steady: bool
    """Whether two readings in a row said the same."""
    gaps: tuple[str, ...]
    """What could not be read of what matters here, in words."""
    as_planned: int
    """Operations of the plan whose effect is there."""
    untouched: int
    """Assignments that the plan left alone and that are as they were."""
    deviations: tuple[Deviation, ...]
    """Sorted: missing, extra, changed by others, not readable."""

    @property
    def counts(self) -> Mapping[Standing, int]:
        """How many of each, every standing present."""
        found = Counter(deviation.standing for deviation in self.deviations)
        return {
            standing: self.as_planned if standing is Standing.AS_PLANNED else found[standing]
            for standing in Standing
        }

    @property
    def headline(self) -> str:
        """`AS PLANNED`, `NOT AS PLANNED`, or `INCOMPLETE` when nothing is wrong and not all could be told."""
        if any(deviation.standing is not Standing.UNREAD for deviation in self.deviations):
            return "NOT AS PLANNED"
        return "INCOMPLETE" if self.deviations or self.gaps or not self.steady else "AS PLANNED"
