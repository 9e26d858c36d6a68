"""What widens is counted in columns as if every finding had been looked at."""

from __future__ import annotations

from collections import Counter

import pytest
from cedar_agreement import TODAY

from permmigrate.diff.compare import compare
from permmigrate.diff.findings import Findings
from permmigrate.diff.widening import is_widening, pairs_of, widening
from random_accounts import account


@pytest.mark.parametrize("seed", range(400, 412))
def test_the_counts_are_those_of_the_findings(seed: int) -> None:
    """For everybody a finding holds for, and each of its causes: in columns, and of plain values alike."""
    made = account(seed)
    found = compare(made.snapshot, made.tables, today=TODAY, tool_version="0", assigned=made.assigned)
    expected = Counter(
        pair for finding in found.findings if is_widening(finding.verdict) for pair in pairs_of(finding)
    )
    assert isinstance(found.findings, Findings)
    assert expected == widening(found.findings) == widening(tuple(found.findings))
