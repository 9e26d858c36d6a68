"""Every finding that is stated carries a request that shows it, and what Cedar does not show is unknown."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from cedar_agreement import TODAY
from test_small_account import captured

from permmigrate.diff import verdicts
from permmigrate.diff.compare import compare
from permmigrate.diff.findings import Findings
from permmigrate.diff.replay import REFUTED
from permmigrate.diff.value import Diff, Finding, Verdict, Witness
from permmigrate.diff.verdicts import COMPARED
from permmigrate.diff.witness import Refuted, Witnesses
from permmigrate.mapping.tables import load
from permmigrate.resources import mappings_dir
from random_accounts import account
from sampling import some

pytestmark = pytest.mark.sampled

SEEDS = some(range(700, 720), 8)


def compared(seed: int) -> Diff:
    made = account(seed)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("permmigrate.diff.compare.settled", lambda diff, *_: diff)
        return compare(made.snapshot, made.tables, today=TODAY, tool_version="0", assigned=made.assigned)


calm = cache(compared)
"""Of nothing but the engine as it is."""


def shown(findings: Findings) -> Counter[Verdict]:
    """How many findings of each verdict have the very witness that asking about each alone gives."""
    alone = Witnesses(findings.entitlements)
    found: Counter[Verdict] = Counter()
    for at in range(len(findings.gathered.principal)):
        kind = findings.kinds[findings.gathered.kind[at]]
        finding = findings._at(at)
        if finding.verdict is Verdict.UNKNOWN:
            assert finding.witness is None
            continue
        scope, place = findings.entitlements.places.of(int(findings.gathered.place[at]))
        asked = alone.of(finding.principal, scope, place, kind.atoms, COMPARED[kind.verdict])
        assert isinstance(asked, Witness), f"{finding}: {asked}"
        assert asked == finding.witness
        found[finding.verdict] += 1
    return found


def test_every_finding_of_random_accounts_is_shown() -> None:
    """Asked about by itself, each finding gets the witness it was given with the others of its sort."""
    found: Counter[Verdict] = Counter()
    for seed in SEEDS:
        findings = compared(seed).findings
        assert isinstance(findings, Findings)
        found += shown(findings)
    assert {Verdict.GAINED, Verdict.LOST, Verdict.MAYBE_GAINED, Verdict.MAYBE_LOST} == set(found)


def test_every_finding_of_the_small_account_is_shown(tmp_path: Path) -> None:
    """With the shipped tables; what was settled afterwards has witnesses of its own."""
    diff = compare(captured("legacy", tmp_path), load(mappings_dir()), today=TODAY, tool_version="0")
    assert isinstance(diff.findings, Findings)

    assert all(shown(diff.findings)[verdict] for verdict in (Verdict.GAINED, Verdict.LOST))
    for finding in diff.findings:
        assert (finding.witness is None) is (finding.verdict is Verdict.UNKNOWN)


def refusing(verdict: Verdict) -> object:
    """A way to ask that bears nothing out of one verdict."""
    ask = Witnesses.of

    def of(self: Witnesses, *claim: object) -> Witness | Refuted:
        found = ask(self, *claim)  # type: ignore[arg-type] # as it was given
        if isinstance(found, Witness) and claim[-1] is verdict:
            return Refuted(verdict, found, "replayed on Cedar it is unchanged")
        return found

    return of


def plain(finding: Finding) -> Finding:
    return replace(finding, witness=None, verdict=Verdict.UNKNOWN, reason="", id="")


@pytest.mark.parametrize("verdict", [Verdict.GAINED, Verdict.LOST, Verdict.MAYBE_GAINED, Verdict.MAYBE_LOST])
def test_what_cedar_does_not_show_is_unknown(verdict: Verdict, monkeypatch: pytest.MonkeyPatch) -> None:
    """All findings of the sort, with the reason; everything that is counted follows."""
    touched = 0
    for seed in range(700, 708):
        before = calm(seed)
        with monkeypatch.context() as patched:
            patched.setattr(Witnesses, "of", refusing(verdict))
            after = compared(seed)
        gone = [finding for finding in before.findings if finding.verdict is verdict]
        made = [finding for finding in after.findings if finding.reason.startswith(REFUTED)]

        assert not after.counts[verdict]
        assert Counter(map(plain, gone)) == Counter(map(plain, made))
        assert all(finding.verdict is Verdict.UNKNOWN and not finding.witness for finding in made)
        assert after.counts[Verdict.UNKNOWN] == before.counts[Verdict.UNKNOWN] + len(gone)
        assert after.counts[Verdict.UNCHANGED] == before.counts[Verdict.UNCHANGED]
        for one, other in zip(before.principals, after.principals, strict=True):
            was, now = Counter(one.counts), Counter(other.counts)
            assert now[Verdict.UNKNOWN] == was[Verdict.UNKNOWN] + was[verdict]
            assert not now[verdict]
        told = [one for one in after.uncertainties if one.kind == "witness"]
        assert [len(gone)] * bool(gone) == [one.findings for one in told]
        touched += len(gone)
    assert touched


MUTATIONS = {
    "limited users reach everything": (
        "permmigrate.entitlements.before.Before.reach",
        lambda self, user: tuple(e.id for e in self.snapshot.environments),
    ),
    "a maybe is a yes": (
        "permmigrate.diff.verdicts.sides",
        lambda state: (
            verdicts.Side(state.before_permit | state.before_maybe, state.before_permit | state.before_maybe),
            verdicts.Side(state.after_permit | state.after_maybe, state.after_permit | state.after_maybe),
        ),
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_engine_is_found_out(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What it states wrongly of some account comes out as unknown, and is counted."""
    verdicts.judge.cache_clear()
    monkeypatch.setattr(*MUTATIONS[name])
    found = [
        one for seed in some(range(40), 12) for one in compared(seed).uncertainties if one.kind == "witness"
    ]
    verdicts.judge.cache_clear()

    assert found
    assert all(one.findings for one in found)
