"""The comparison by columns finds what the plain one finds: every finding, every field, every count."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from cedar_agreement import TODAY
from plain_compare import PlainComparison

from permmigrate.diff.compare import compare, entitled
from permmigrate.diff.sensitivity import rated
from permmigrate.diff.solve import settled
from permmigrate.diff.value import Diff, Verdict
from permmigrate.mapping import RowRef
from permmigrate.mapping.rows import Origin
from permmigrate.mapping.sensitivity import SensitivityRow
from permmigrate.model import Confidence
from random_accounts import Account, account
from sampling import some

pytestmark = pytest.mark.sampled

SEEDS = some(range(300, 360), 15)
FEW = SEEDS[:16] if len(SEEDS) > 16 else SEEDS[:6]


def plain(made: Account) -> PlainComparison:
    sides = entitled(made.snapshot, made.tables, today=TODAY, assigned=made.assigned)
    return PlainComparison(sides, made.tables).run()


def fast(made: Account) -> Diff:
    return compare(made.snapshot, made.tables, today=TODAY, tool_version="0", assigned=made.assigned)


def unsettled(made: Account) -> Diff:
    """What the columns hold, before anything is settled."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("permmigrate.diff.compare.settled", lambda diff, *_: diff)
        return fast(made)


@pytest.mark.parametrize("seed", SEEDS)
def test_both_find_the_same(seed: int) -> None:
    """Findings with every field in the same order, and everything that is counted from them."""
    made = account(seed)
    expected, found = plain(made), unsettled(made)

    assert expected.sorted == tuple(replace(finding, witness=None) for finding in found.findings)
    assert len(expected.sorted) == len(found.findings)
    assert expected.capabilities == found.capabilities
    assert expected.decided == found.decided
    counts = Counter(finding.verdict for finding in expected.sorted)
    assert all(counts[v] == found.counts[v] for v in Verdict if v is not Verdict.UNCHANGED)
    assert sum(not counts for counts in expected.counts.values()) == found.counts[Verdict.UNCHANGED]
    for summary in found.principals:
        assert +expected.counts[summary.principal] == Counter(summary.counts)
    assert {ref: len(touched) for ref, touched in expected.touched.items()} == {
        cause.ref: cause.principals for cause in found.causes
    }


@pytest.mark.parametrize("seed", FEW)
def test_columns_are_settled_and_rated_as_values_are(seed: int) -> None:
    """What comes after the comparison does the same to columns as to plain values."""
    row = SensitivityRow(
        origin=Origin(RowRef("sensitivity.csv", 2), "test", Confidence.CUSTOMER),
        environment="*",
        folder="**/*b*",
        label="secret",
        steps=2,
    )
    made = account(seed)
    made = replace(made, tables=replace(made.tables, sensitivities=(row,)))
    sides = entitled(made.snapshot, made.tables, today=TODAY, assigned=made.assigned)
    start = unsettled(replace(made, tables=replace(made.tables, sensitivities=())))
    values = replace(start, findings=tuple(start.findings), principals=tuple(start.principals))
    PlainComparison(sides, made.tables).run()  # what was compiled on the way tells what is undecided
    expected = rated(settled(values, sides), (row,), sides)

    found = fast(made)

    assert expected.findings == tuple(found.findings)
    assert expected.causes == found.causes
    assert expected.counts == found.counts
    assert expected.principals == tuple(found.principals)
    assert expected.uncertainties == found.uncertainties


def test_the_columns_answer_as_a_sequence() -> None:
    """By place, from the end, by slices, and for one verdict alone."""
    found = unsettled(account(300)).findings

    assert found[0] == next(iter(found))
    assert found[-1] == tuple(found)[-1]
    assert found[1:4] == tuple(found)[1:4]
    assert found == tuple(found)
    assert found != tuple(found)[1:]
    assert [] != found
