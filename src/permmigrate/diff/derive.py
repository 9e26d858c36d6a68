"""Why a principal may do something, or may not: each policy that says so, and the way it came by.

Cedar itself says which statements match; this only traces them back.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import cedarpy

from permmigrate.diff.derive_ask import Sides, policies
from permmigrate.diff.derive_legacy import KEY_KINDS
from permmigrate.diff.derive_texts import bound, sentences
from permmigrate.diff.derive_value import Way, Ways, scope_type
from permmigrate.diff.derive_ways import WayFinder
from permmigrate.diff.derive_words import Question
from permmigrate.diff.value import Verdict
from permmigrate.diff.witness_request import Request, RequestMaker, question
from permmigrate.entitlements import Entitlements
from permmigrate.entitlements.custom import CEDAR_TYPES
from permmigrate.mapping import Granted
from permmigrate.model import PrincipalRef, PrincipalType
from permmigrate.snapshot import Snapshot

ALLOWED: Final = "allowed"
DENIED: Final = "denied"
UNKNOWN: Final = "unknown"
PERMIT: Final = "permit"
FORBID: Final = "forbid"


@dataclass(frozen=True, slots=True)
class Step:
    """One statement that matches the request, and how the principal came by it."""

    effect: str
    """`permit` or `forbid`."""
    way: str
    """In words: "group EMEA › folder role Editor on Brands"."""
    cause: str
    """The mapping row or vendor default behind it; empty for a custom policy."""
    role_id: str
    group_id: str
    policy_id: str
    policy_name: str
    statement: str
    """Cedar, with the folder or collection put in; empty when its text is not at hand."""
    sure: bool
    reason: str = ""
    """Why it is not known whether it was granted."""
    basis: str = ""
    """The row of the legacy baseline that says so."""


@dataclass(frozen=True, slots=True)
class Side:
    """One side's answer."""

    decision: str
    """`allowed`, `denied` or `unknown`."""
    steps: tuple[Step, ...]
    """What permits first, then what forbids."""
    idle: tuple[tuple[str, str], ...] = ()
    """(way, why) of what is granted here and has no effect."""


@dataclass(frozen=True, slots=True)
class Case:
    """The answer for resources of which a condition holds; empty for all of them."""

    condition: str
    before: Side
    after: Side
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Derivation:
    """Why one principal may do one thing to one resource, before and after."""

    principal: PrincipalRef
    name: str
    action: str
    """In words: "Delete assets"."""
    resource: str
    cases: tuple[Case, ...]
    note: str = ""
    """Why such principals do not ask this at all; empty when they do."""


class _Said(NamedTuple):
    """One statement that a way hands out."""

    way: Way
    clause_number: int
    effect: str
    text: str
    """Bound; empty when it is not at hand."""


@dataclass
class Askable:
    """Which atoms principals of a kind can ask for at all: by the schema, and by what no key can use."""

    entitlements: Entitlements

    def may(self, kind: PrincipalType, scope: str, atoms: Iterable[int]) -> bool:
        """Whether they can ask for one of the atoms; account keys ask what API keys may."""
        asks_as = PrincipalType.API_KEY if kind is PrincipalType.ACCOUNT_KEY else kind
        universe = self.entitlements.universe(scope)
        valid = universe.valid_for.get(CEDAR_TYPES[asks_as], universe.full)
        if kind in KEY_KINDS:
            valid &= ~self.entitlements.compiler.moot(KEY_KINDS[kind], scope_type(scope))
        return any(valid >> atom & 1 for atom in atoms)


@dataclass
class Derivations:
    """Answers about one comparison."""

    entitlements: Entitlements
    ways: WayFinder | None = None

    def __post_init__(self) -> None:
        self.finder = self.ways or WayFinder(self.entitlements)
        self.requests = RequestMaker(self.entitlements)
        self.askable = Askable(self.entitlements)

    def why(self, principal: PrincipalRef, asked: Question) -> Derivation:
        """Derive both sides' answers; alike conditions are told together."""
        found = self.finder.of(principal, asked.spot)
        cases = [
            self._case(principal, found, self.requests.of(asked.scope, atom, asked.spot), condition)
            for atom, condition in zip(asked.atoms, asked.conditions, strict=True)
        ]
        return Derivation(
            principal=principal,
            name=self.entitlements.snapshot.principal_name(principal),
            action=asked.action,
            resource=asked.resource,
            cases=_together(cases),
            note=self._note(principal, asked),
        )

    def _note(self, principal: PrincipalRef, asked: Question) -> str:
        if self.askable.may(principal.type, asked.scope, asked.atoms):
            return ""
        return f"no {principal.type.label} can ask this here: it is not compared"

    def _case(self, principal: PrincipalRef, ways: Ways, request: Request, condition: str) -> Case:
        snapshots = self.finder.legacy.snapshot, self.entitlements.snapshot
        sides = [
            self._side(principal, found, request, snapshot)
            for found, snapshot in zip(ways, snapshots, strict=True)
        ]
        worlds = Sides(*_worlds(sides[0]), *_worlds(sides[1]))
        return Case(condition, sides[0], sides[1], worlds.verdict)

    def _side(
        self, principal: PrincipalRef, ways: Sequence[Way], request: Request, snapshot: Snapshot
    ) -> Side:
        said = [one for way in ways for one in _said(way)]
        who = self.requests.who(principal, snapshot)
        entities = self.requests.entities(who, [request])
        matching = set[str]()
        for effect in (PERMIT, FORBID):
            texts = tuple(dict.fromkeys(one.text for one in said if one.effect == effect and one.text))
            result = cedarpy.is_authorized(question(who, request), policies(texts), entities)
            matching |= {texts[int(name.removeprefix("policy"))] for name in result.diagnostics.reasons}
        steps = [_step(one) for one in said if not one.text or one.text in matching]
        steps.sort(key=lambda step: (step.effect == FORBID, not step.sure))
        idle = tuple((way.text, way.no_effect) for way in ways if way.no_effect)
        return Side(_decision(steps), tuple(dict.fromkeys(steps)), idle)


def _said(way: Way) -> Iterator[_Said]:
    """The statements of a way, bound; what cannot be read may permit or forbid."""
    for number, clause in enumerate(way.policies.clauses):
        if not clause.text:
            yield _Said(way, number, PERMIT, "")
            if way.policies.least:
                yield _Said(way, number, FORBID, "")
        for sentence in sentences(clause.text):
            if sentence.effect == PERMIT or clause.granted is Granted.YES or way.policies.least:
                yield _Said(way, number, sentence.effect, bound(sentence.text, way.content))


def _step(said: _Said) -> Step:
    way, clause = said.way, said.way.policies.clauses[said.clause_number]
    return Step(
        effect=said.effect,
        way=way.text,
        cause=way.cause,
        role_id=way.role_id,
        group_id=way.group_id,
        policy_id=clause.policy_id,
        policy_name=clause.name,
        statement=said.text,
        sure=clause.granted is Granted.YES,
        reason=clause.reason,
        basis=clause.basis,
    )


def _decision(steps: Sequence[Step]) -> str:
    """Cedar's rule over the statements that match: a permit, and no forbid."""
    least, most = _both_worlds(steps)
    return UNKNOWN if least != most else ALLOWED if least else DENIED


def _both_worlds(steps: Sequence[Step]) -> tuple[bool, bool]:
    permits = [step for step in steps if step.effect == PERMIT]
    forbids = [step for step in steps if step.effect == FORBID]
    least = any(step.sure for step in permits) and not forbids
    return least, bool(permits) and not any(step.sure for step in forbids)


def _worlds(side: Side) -> tuple[bool, bool]:
    return _both_worlds(side.steps)


def _together(cases: list[Case]) -> tuple[Case, ...]:
    """The cases with those of the same answers and reasons told as one."""
    found: dict[tuple[Side, Side], list[Case]] = {}
    for case in cases:
        found.setdefault((case.before, case.after), []).append(case)
    if len(found) == 1:
        return (Case("", cases[0].before, cases[0].after, cases[0].verdict),)
    return tuple(
        Case(" or ".join(case.condition for case in alike), alike[0].before, alike[0].after, alike[0].verdict)
        for alike in found.values()
    )
