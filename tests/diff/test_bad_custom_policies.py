"""A custom policy that is not Cedar: named with its place; it leaves its scope unknown, not the run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from cedar_agreement import TODAY

from permmigrate.diff.compare import compare
from permmigrate.diff.value import Diff, Verdict
from permmigrate.model import CustomPolicy, ScopeType
from random_accounts import Account, account

SAMPLES = json.loads((Path(__file__).parents[1] / "data/vendor_statements.json").read_text(encoding="utf-8"))
MALFORMED = [row for row in SAMPLES["statements"] if row["error"] is not None]


def compared(made: Account, *customs: CustomPolicy) -> Diff:
    snapshot = replace(made.snapshot, custom_policies=customs)
    return compare(snapshot, made.tables, today=TODAY, tool_version="0")


@pytest.mark.parametrize("row", MALFORMED, ids=[str(n) for n in range(len(MALFORMED))])
def test_a_malformed_policy_harms_its_own_scope_only(row: dict[str, str]) -> None:
    """Elsewhere every finding stays; there nothing is claimed; the report says what is wrong and where."""
    made = account(MADE)
    bad = CustomPolicy("bad", "Bad one", "", ScopeType.ENVIRONMENT, "env1", row["statement"])
    without, with_it = compared(made), compared(made, bad)

    elsewhere = [f for f in without.findings if f.region.environment_id != "env1"]
    assert elsewhere
    assert {f.id for f in elsewhere} == {f.id for f in with_it.findings if f.region.environment_id != "env1"}
    here = [f for f in with_it.findings if f.region.environment_id == "env1"]
    assert {Verdict.UNKNOWN} == {f.verdict for f in here}
    assert any(row["error"] in f.reason for f in here)
    assert all(row["error"] in f.reason or " more" in f.reason for f in here)
    (named,) = [u for u in with_it.uncertainties if u.subject == "Bad one"]
    assert named.reason == f"not readable as Cedar: {row['error']}"
    assert not with_it.complete


MADE = next(
    seed
    for seed in range(100)
    if len((made := account(seed)).snapshot.environments) == 2 and len(made.snapshot.users) > 2
)
