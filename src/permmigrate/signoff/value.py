"""The values of a sign-off: what is to be decided, and what was. Nothing here reads a file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final


class Decision(StrEnum):
    """What an owner says of a cluster of expansions."""

    APPROVE = "approve"
    REJECT = "reject"
    ASK = "ask"
    """Not decided yet: somebody has a question."""


LOCKED: Final = ("Cluster", "Worst", "Expansions", "Undecided", "Who", "How many", "Where", "Because of")
"""The headings of the cells nobody may change, in their order."""
EDITED: Final = ("Owner", "Decision", "Comment", "Date")
"""The headings of the cells people fill in."""


@dataclass(frozen=True, slots=True)
class Clause:
    """One cluster of expansions that somebody has to decide about."""

    id: str
    contents: str
    """The digest of its findings: a decision holds for exactly these."""
    severity: str
    environment: str
    region: str
    causes: tuple[str, ...]
    locked: tuple[str, ...]
    """The texts of the cells nobody may change, in the order of `LOCKED`."""
    findings: tuple[str, ...]
    """The ids of the expansions and undecided findings in it."""

    @property
    def row_hash(self) -> str:
        """What a sheet carries in a hidden cell, so that a changed row shows."""
        return hashlib.sha256(
            "\n".join((self.contents, *self.locked)).encode("utf-8", "surrogatepass")
        ).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Decided:
    """What was said about one cluster."""

    cluster: str
    contents: str
    decision: Decision | None
    """None: nothing was said yet."""
    owner: str = ""
    comment: str = ""
    date: str = ""
    """`YYYY-MM-DD`, or empty."""
    where: str = ""
    """The file and cell it was read from."""


@dataclass(frozen=True)
class Signed:
    """All decisions about one comparison."""

    account_id: str
    diff_digest: str
    decided: tuple[Decided, ...]
    """Sorted by cluster."""
    findings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The ids of the findings in each decided cluster."""

    def of(self, cluster: str) -> Decided | None:
        return next((each for each in self.decided if each.cluster == cluster), None)

    @property
    def standings(self) -> Mapping[str, Decision]:
        """What was decided about each finding; what was only asked about is not there."""
        return {
            finding: each.decision
            for each in self.decided
            if each.decision in (Decision.APPROVE, Decision.REJECT)
            for finding in self.findings.get(each.cluster, ())
        }
