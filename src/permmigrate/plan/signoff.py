"""What people said of a comparison's expansions: signed or rejected, finding by finding, under one digest."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date

from permmigrate.diff import Diff, Verdict
from permmigrate.diff.accepted import Accepted
from permmigrate.model import PrincipalRef
from permmigrate.plan.value import Expansion, Standing


@dataclass(frozen=True)
class Signoff:
    """The decisions; a finding that is absent is unsigned."""

    standings: Mapping[str, Standing] = field(default_factory=dict)
    """By finding id."""

    @property
    def digest(self) -> str:
        """The sha256 of the decisions."""
        text = json.dumps(sorted(self.standings.items()), separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def of(self, finding_id: str) -> Standing:
        return self.standings.get(finding_id, Standing.UNSIGNED)

    @staticmethod
    def accepting(accepted: Accepted, today: date) -> Signoff:
        """The findings that a file of accepted findings covers on that day."""
        return Signoff(
            {
                entry.finding: Standing.SIGNED
                for entry in accepted.entries
                if accepted.covers(entry.finding, today)
            }
        )


def expansions_of(
    diff: Diff, signoff: Signoff, made: Collection[tuple[PrincipalRef | None, str]]
) -> tuple[Expansion, ...]:
    """The expansions that grants make, counted by principal and cause; `made` are the grants' own.

    What may be an expansion or is not known counts as one. What a row makes for a group it makes for every
    member, and is counted once, with the group.
    """
    counted: Counter[tuple[PrincipalRef, str, Standing]] = Counter()
    for finding in diff.findings:
        if not (finding.verdict.is_expansion or finding.verdict is Verdict.UNKNOWN):
            continue
        standing = signoff.of(finding.id)
        for cause in finding.causes:
            for principal in finding.principals:
                if (principal, cause) in made:
                    counted[principal, cause, standing] += 1
    return tuple(Expansion(*key, findings) for key, findings in sorted(counted.items()))
