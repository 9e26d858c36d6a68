"""Derivations say what Cedar says, name statements that really match, and agree with the list of who may."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import cedarpy
import pytest
from cedar_agreement import TODAY, Atoms, sides

from permmigrate.diff.compare import entitled
from permmigrate.diff.derive import ALLOWED, DENIED, Derivations
from permmigrate.diff.derive_value import Spot
from permmigrate.diff.derive_ways import WayFinder
from permmigrate.diff.derive_who import WhoIndex
from permmigrate.diff.derive_words import Question
from permmigrate.diff.value import Verdict
from permmigrate.entitlements import Entitlements
from permmigrate.model import PrincipalRef
from random_accounts import account
from reference import Oracle, Request
from sampling import times

pytestmark = pytest.mark.sampled


def questions(
    engine: Entitlements, oracle: Oracle, random: Random
) -> Iterator[tuple[PrincipalRef, str, Request, str]]:
    """Some of what each principal may ask in each scope, with the oracle's verdict."""
    for principal in engine.principals:
        for scope in engine.scopes:
            answers = [
                (request, answer.verdict)
                for request, answer in oracle.answers(principal, scope)
                if not answer.moot and not answer.excused
            ]
            for request, verdict in random.sample(answers, min(12, len(answers))):
                yield principal, scope, request, verdict


def asked(engine: Entitlements, oracle: Oracle, scope: str, request: Request) -> Question:
    """A request of the oracle as a question."""
    folders = oracle.ancestors(scope, request.folder) if request.folder else []
    atom = Atoms(engine.universe(scope)).number(request)
    spot = Spot(scope, tuple(folders), request.collections)
    return Question(scope, spot, (atom,), ("",), request.action, request.resource_type)


def test_derivations_agree_with_cedar(capsys: pytest.CaptureFixture[str]) -> None:
    """On random questions about random accounts the verdict of `why` is the oracle's."""
    compared, found = 0, set[str]()
    for seed in range(times(6, 16)):
        engine, oracle = sides(account(seed))
        derivations = Derivations(engine)
        for principal, scope, request, verdict in questions(engine, oracle, Random(seed)):
            derivation = derivations.why(principal, asked(engine, oracle, scope, request))
            [case] = derivation.cases
            assert verdict == case.verdict, f"account({seed}): {principal} {scope} {request}"
            assert ("" == derivation.note) or case.before.decision == case.after.decision == DENIED
            compared += 1
            found.add(verdict)
    with capsys.disabled():
        print(f"\nwhy: {compared} random questions answered as Cedar does")
    assert compared > times(500, 1500)
    assert {verdict.value for verdict in Verdict} == found


def test_every_step_matches_by_itself() -> None:
    """A statement that is named as permitting or forbidding does so when it is the only one."""
    checked = 0
    for seed in range(times(4, 10)):
        engine, oracle = sides(account(seed))
        derivations = Derivations(engine)
        for principal, scope, request, _ in questions(engine, oracle, Random(seed)):
            question = asked(engine, oracle, scope, request)
            derivation = derivations.why(principal, question)
            [made] = [derivations.requests.of(scope, atom, question.spot) for atom in question.atoms]
            for case in derivation.cases:
                for side in (case.before, case.after):
                    for step in side.steps:
                        if step.statement:
                            text = step.statement.replace("forbid", "permit", 1)
                            assert _allows(derivations, engine, principal, made, text), step
                            checked += 1
                    if side.decision == ALLOWED:
                        assert "permit" == side.steps[0].effect
                        assert side.steps[0].sure
    assert checked > times(80, 200)


def _allows(
    derivations: Derivations, engine: Entitlements, principal: PrincipalRef, made: object, text: str
) -> bool:
    from permmigrate.diff.witness_request import question

    for snapshot in (derivations.finder.legacy.snapshot, engine.snapshot):
        who = derivations.requests.who(principal, snapshot)
        entities = derivations.requests.entities(who, [made])
        if cedarpy.is_authorized(question(who, made), text, entities).allowed:
            return True
    return False


def test_ways_are_the_same_when_those_of_everybody_are_known() -> None:
    """One principal's are found by its own grants, or among everybody's."""
    ways = 0
    for seed in range(500, 520):
        made = account(seed)
        engine = entitled(made.snapshot, made.tables, today=TODAY, assigned=made.assigned)
        alone, known = WayFinder(engine), WayFinder(engine)
        for scope, tree in engine.trees.items():
            for position in range(len(tree.ids)):
                spot = Spot(scope, tree.ancestor_ids(position), engine.places.collections[scope][:1])
                known.legacy.shared_at(spot)
                known.roles.assigned_at(spot)
                for principal in engine.principals:
                    found = alone.local(principal, spot)
                    ways += len(found.before) + len(found.after)
                    assert found == known.local(principal, spot)
    assert ways > 200


def test_who_can_agrees_with_why(capsys: pytest.CaptureFixture[str]) -> None:
    """The list of who may has each principal once, with the answers and grants that `why` gives it."""
    compared = may = 0
    for seed in range(times(6, 18)):
        engine, oracle = sides(account(seed))
        derivations = Derivations(engine)
        index = WhoIndex(engine, derivations.finder)
        everything = list(questions(engine, oracle, Random(seed)))
        for _, scope, request, _ in Random(seed).sample(everything, min(24, len(everything))):
            question = asked(engine, oracle, scope, request)
            answer = index.who_can(question)
            listed = {principal: one for one in answer.holders for principal in one.principals}
            assert len(listed) == sum(len(one.principals) for one in answer.holders)
            for principal in engine.principals:
                derivation = derivations.why(principal, question)
                [case] = derivation.cases
                compared += 1
                if principal not in listed:
                    denied = case.before.decision == case.after.decision == DENIED
                    assert denied or derivation.note, f"account({seed}): {principal} {request}"
                    continue
                may += 1
                one = listed[principal]
                assert ((case.before.decision,), (case.after.decision,)) == (one.before, one.after)
                for side, through in ((case.before, one.through_before), (case.after, one.through_after)):
                    ways = {step.way for step in side.steps}
                    assert ways >= {way.removesuffix(" forbids") for way in through}
    with capsys.disabled():
        print(f"\nwho-can: {compared} principals compared with why, {may} of them may")
    assert may > times(100, 300)


def test_questions_put_anew_are_answered_alike() -> None:
    """What the list of who may keeps between questions changes no answer."""
    for seed in (5, 19):
        engine, oracle = sides(account(seed))
        derivations = Derivations(engine)
        kept, anew = WhoIndex(engine, derivations.finder), WhoIndex(engine, derivations.finder)
        anew.likeness.__dict__["named"] = None
        for _, scope, request, _ in questions(engine, oracle, Random(seed)):
            question = asked(engine, oracle, scope, request)
            assert anew.who_can(question) == kept.who_can(question)
