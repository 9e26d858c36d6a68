"""Every finding that is stated as fact replays on Cedar, and one that is not so does not."""

from __future__ import annotations

import json
from collections.abc import Iterator

import cedarpy
import pytest
from cedar_agreement import sides
from engine_claims import claims

from permmigrate.diff import verdicts
from permmigrate.diff.derive_ask import Sides
from permmigrate.diff.derive_value import Spot
from permmigrate.diff.value import Verdict, Witness
from permmigrate.diff.verdicts import Side
from permmigrate.diff.witness import Refuted, Witnesses
from permmigrate.diff.witness_request import Request as Asked
from permmigrate.entitlements import Entitlements
from permmigrate.model import PrincipalRef
from random_accounts import account
from reference import Oracle, Request
from sampling import times

pytestmark = pytest.mark.sampled

ACCOUNTS = times(15, 40)


def refuted(seed: int) -> int:
    """How many claims about one account do not replay, atom by atom."""
    engine, _ = sides(account(seed))
    witnesses = Witnesses(engine)
    return sum(bool(witnesses.refuted(*claim)) for claim in claims(engine))


def test_every_finding_of_random_accounts_replays(capsys: pytest.CaptureFixture[str]) -> None:
    """Each gained, lost and maybe has a witness, and so has every other request that it stands for."""
    shown = replayed = 0
    found: set[Verdict] = set()
    for seed in range(ACCOUNTS):
        engine, _ = sides(account(seed))
        witnesses = Witnesses(engine)
        for claim in claims(engine):
            witness = witnesses.of(*claim)
            assert isinstance(witness, Witness), f"account({seed}): {witness}"
            assert witnesses.refuted(*claim) == 0, f"account({seed}): {claim}"
            assert _words(claim.verdict) >= {(witness.before, witness.after)}
            shown += 1
            found.add(claim.verdict)
        replayed += witnesses.replayed
    with capsys.disabled():
        print(f"\n{ACCOUNTS} accounts: {shown} findings shown, {replayed} requests replayed")
    assert {Verdict.GAINED, Verdict.LOST, Verdict.MAYBE_GAINED, Verdict.MAYBE_LOST} == found


def _words(verdict: Verdict) -> set[tuple[str, str]]:
    maybe = "allow or deny"
    return {
        Verdict.GAINED: {("deny", "allow")},
        Verdict.LOST: {("allow", "deny")},
        Verdict.MAYBE_GAINED: {(maybe, "allow")},
        Verdict.MAYBE_LOST: {(maybe, "deny")},
    }[verdict]


def test_cedars_answers_are_the_oracles() -> None:
    """The witnesses' answers are those of the tests' own second opinion, for whatever may be asked."""
    compared, found = 0, set[str]()
    for seed in range(times(8, 24)):
        engine, oracle = sides(account(seed))
        witnesses = Witnesses(engine)
        for number, (principal, scope, request, verdict) in enumerate(_questions(engine, oracle)):
            if number % 7 == seed % 7:
                [said] = witnesses.decide(principal, _spot(oracle, scope, request), [_asked(request)])
                assert verdict == said.verdict, f"account({seed}): {principal} {scope} {request}"
                compared += 1
                found.add(verdict)
    assert compared > times(600, 2000)
    assert len(found) == 6


def _questions(engine: Entitlements, oracle: Oracle) -> Iterator[tuple[PrincipalRef, str, Request, str]]:
    for principal in engine.principals:
        for scope in engine.scopes:
            for request, answer in oracle.answers(principal, scope):
                if not answer.moot and not answer.excused:
                    yield principal, scope, request, answer.verdict


def _spot(oracle: Oracle, scope: str, request: Request) -> Spot:
    folders = oracle.ancestors(scope, request.folder) if request.folder else []
    return Spot(scope, tuple(folders), request.collections)


def _asked(request: Request) -> Asked:
    return Asked(
        request.action_type,
        request.action,
        request.resource_type,
        request.resource_id,
        json.loads(request.entity),
    )


def test_questions_that_are_put_once_would_be_answered_alike() -> None:
    """Putting every question to Cedar anew changes no answer."""
    saved = 0
    for seed in range(20):
        engine, _ = sides(account(seed))
        once, anew = Witnesses(engine), Witnesses(engine)
        anew.likeness.__dict__["named"] = None
        for claim in claims(engine):
            assert anew.of(*claim) == once.of(*claim)
        saved += anew.replayed - once.replayed
    assert saved > 50


def test_a_claim_that_is_not_so_is_refuted() -> None:
    """The same request under another verdict comes back as refuted, with what Cedar said."""
    engine, _ = sides(account(0))
    witnesses = Witnesses(engine)
    claim = next(found for found in claims(engine) if found.verdict is Verdict.LOST)
    wrong = claim._replace(verdict=Verdict.GAINED)

    false = witnesses.of(*wrong)

    assert isinstance(false, Refuted)
    assert ("allow", "deny") == (false.witness.before, false.witness.after)
    assert "replayed on Cedar it is lost, not gained" == false.reason
    assert claim.atoms == witnesses.refuted(*wrong)


MUTATIONS = {
    "forbid is ignored": (
        "permmigrate.diff.verdicts.sides",
        lambda state: (
            Side(state.before_permit, state.before_permit | state.before_maybe),
            Side(state.after_permit, state.after_permit | state.after_maybe),
        ),
    ),
    "group roles are not for members": (
        "permmigrate.entitlements.after.After._through",
        lambda self, group, contents: (),
    ),
    "limited users reach everything": (
        "permmigrate.entitlements.before.Before.reach",
        lambda self, user: tuple(e.id for e in self.snapshot.environments),
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_engine_is_refuted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The witnesses do not share the engine's rules: take one out of the engine, and a finding is refuted."""
    verdicts.judge.cache_clear()
    monkeypatch.setattr(*MUTATIONS[name])
    assert any(refuted(seed) for seed in range(40))
    verdicts.judge.cache_clear()


def test_a_witness_is_a_request_that_cedar_takes() -> None:
    """Principal, action and resource read as Cedar entities, and the resource has all its folders."""
    engine, _ = sides(account(3))
    witnesses = Witnesses(engine)
    for claim in claims(engine):
        witness = witnesses.of(*claim)
        assert isinstance(witness, Witness)
        request = {
            "principal": witness.principal,
            "action": witness.action,
            "resource": witness.resource,
            "context": dict(witness.context),
        }
        answer = cedarpy.is_authorized(request, "permit(principal, action, resource);", [])
        assert cedarpy.Decision.Allow is answer.decision
        if claim.place.kind == "folder":
            tree = engine.trees[claim.scope]
            above = list(tree.ancestor_ids(tree.index[claim.place.id]))
            assert above == witness.attributes["ancestor_ids"]


def test_a_witness_is_carried_over_to_alike_findings() -> None:
    """For another principal and place, the request is the one that would have been made for them."""
    carried = 0
    for seed in range(20):
        engine, _ = sides(account(seed))
        witnesses = Witnesses(engine)
        first: dict[tuple[object, ...], Witness] = {}
        for claim in claims(engine):
            witness = witnesses.of(*claim)
            assert isinstance(witness, Witness)
            key = (bool(claim.scope), claim.atoms, claim.verdict, claim.place.kind)
            known = first.setdefault(key, witness)
            assert witness == witnesses.rebound(known, claim.principal, claim.scope, claim.place)
            carried += known is not witness
    assert carried > 50


def test_the_six_verdicts_follow_from_four_decisions() -> None:
    """Allowed, denied and either on each side; an answer that Cedar could not give makes it unknown."""
    no, yes, either = (False, False), (True, True), (False, True)
    table = {
        (no, yes): Verdict.GAINED,
        (yes, no): Verdict.LOST,
        (either, yes): Verdict.MAYBE_GAINED,
        (either, no): Verdict.MAYBE_LOST,
        **dict.fromkeys([(no, either), (yes, either), (either, either)], Verdict.UNKNOWN),
        (yes, yes): Verdict.UNCHANGED,
        (no, no): Verdict.UNCHANGED,
    }
    assert table == {(a, b): Sides(*a, *b).verdict for a in (no, yes, either) for b in (no, yes, either)}
    assert Verdict.UNKNOWN is Sides(None, None, True, True).verdict
