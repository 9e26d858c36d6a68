"""What people said of a comparison's expansions: signed or rejected, finding by finding, under one digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from permmigrate.diff import Diff
from permmigrate.diff.accepted import Accepted
from permmigrate.diff.findings import in_brief
from permmigrate.plan.value import Standing


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
    def accepting(accepted: Accepted, diff: Diff, today: date) -> Signoff:
        """The findings of a comparison that a file of accepted findings covers on that day."""
        return Signoff(
            {
                finding.id: Standing.SIGNED
                for finding in in_brief(diff.findings)
                if accepted.covers(finding, today)
            }
        )
