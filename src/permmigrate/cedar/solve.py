"""Whether two policy sets can ever decide one kind of request differently, and a request that shows it.

A question is about one principal type, one action and one resource type. Every witness is put to Cedar;
one that it does not confirm is no answer. Nothing here knows of roles, folders or people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Final

import z3

from permmigrate.cedar.encode import Encoder
from permmigrate.cedar.likes import TooManyError
from permmigrate.cedar.model import Reader
from permmigrate.cedar.request import Replay, Request, Side
from permmigrate.cedar.shapes import EMPTY, Schema, Uid
from permmigrate.cedar.symbols import (
    Entity,
    Record,
    Stored,
    Term,
    Text,
    Texts,
    conj,
    disj,
    evaluates,
    holds,
    is_bool,
    just,
    neg,
)
from permmigrate.cedar.world import CEDAR, Semantics, World

SHRINK_STEPS: Final = 200


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one check may take."""

    steps: int = 4_000_000
    """z3's own measure of work: a busy machine finds out as much as an idle one."""
    milliseconds: int = 20_000
    """For what steps do not count; never what ends a check on a machine of today."""


@dataclass(frozen=True, slots=True)
class Known:
    """Who asks, where that is one principal and not any."""

    id: str
    parents: frozenset[Uid] = frozenset()
    """Everything it is in."""
    attributes: Mapping[str, bool | str | None] = field(default_factory=dict)
    """Attributes whose value is known; None for one it does not have."""


@dataclass(frozen=True, slots=True)
class Case:
    """One way the resource may be: facts about its id, its texts and what its sets hold."""

    id: str | None = None
    """None for any but `other_than`."""
    other_than: frozenset[str] = frozenset()
    equals: Mapping[str, str] = field(default_factory=dict)
    differs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    holds: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Set attribute to strings that are in it."""
    lacks: Mapping[str, frozenset[str]] = field(default_factory=dict)
    whole: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Set attribute to all that is really in it, for the witness."""

    @property
    def pinned(self) -> frozenset[str]:
        """The attributes it speaks of."""
        tables = (self.equals, self.differs, self.holds, self.lacks, self.whole)
        return frozenset(name for table in tables for name in table)


@dataclass(frozen=True)
class Question:
    """One kind of request under several policy sets."""

    schema: Schema
    principal_type: str
    action: Uid
    resource_type: str
    sides: tuple[Side, ...]
    principal: Known | None = None
    cases: tuple[Case, ...] = ()
    """The resource is as one of these says; any at all when there are none."""
    apart: tuple[tuple[str, str], ...] = ()
    """Pairs of types of which the first surely never lies in the second."""


@dataclass(frozen=True, slots=True)
class Sat:
    """Such a request exists; Cedar itself decided it so."""

    request: Request
    case: Case | None = None


@dataclass(frozen=True, slots=True)
class Unsat:
    """No such request exists."""


class Why(StrEnum):
    """The kinds of not knowing."""

    TOO_LONG = "took too long"
    BEYOND = "beyond what is decided"
    UNCONFIRMED = "not confirmed by Cedar"


@dataclass(frozen=True, slots=True)
class Undecided:
    """Nobody knows, because."""

    why: Why
    reason: str


Answer = Sat | Unsat | Undecided
Wanted = Sequence[bool | None]
"""For each side whether it allows; None where it does not matter."""


LIMITS: Final = Limits()


def decide(
    question: Question,
    wanted: Wanted = (False, True),
    *,
    limits: Limits = LIMITS,
    semantics: Semantics = CEDAR,
) -> Answer:
    """Look for a request that each side decides as wanted: denied by the first and allowed by the second."""
    return Prepared(question, semantics).decide(wanted, limits)


class Prepared:
    """A question as terms, which can be asked in several ways."""

    def __init__(self, question: Question, semantics: Semantics = CEDAR) -> None:
        self.question = question
        self.refused: Undecided | None = None
        self.laws: list[Term] = []
        schema = question.schema
        self.world = World(schema, Texts(), semantics)
        for pair in question.apart:
            self.world.apart(*pair)
        sort = self.world.texts.sort
        known = question.principal
        who = known.id if known else z3.Const("principal id", sort)
        self.principal = self.world.entity(question.principal_type, who)
        if known:
            self.world.lies_in(self.principal, known.parents)
        self.resource = self.world.entity(question.resource_type, z3.Const("resource id", sort))
        context = self.world.stored("context", (), schema.contexts.get(question.action, EMPTY))
        assert isinstance(context, Record)
        self.context = replace(context, open=not schema.closed)
        variables = {
            "principal": just(self.principal),
            "action": just(self.world.entity(*question.action)),
            "resource": just(self.resource),
            "context": just(self.context),
        }
        encoder = Encoder(self.world, variables, question.action)
        self._replay = Replay(question.sides, schema.action_parents)
        self._matches: dict[int, Term] = {}
        self.allowed = [self._allowed(encoder, side) for side in question.sides]
        self.cases = [self._case(case) for case in question.cases]
        self._state_facts()

    def _allowed(self, encoder: Encoder, side: Side) -> Term:
        permits, forbids = [side.permit], [side.forbid]
        for policy in side.policies:
            if id(policy) not in self._matches:
                self._matches[id(policy)] = encoder.matches(policy)
            (permits if policy["effect"] == "permit" else forbids).append(self._matches[id(policy)])
        if not self.world.semantics.forbid:
            return disj(*permits)
        return conj(disj(*permits), neg(disj(*forbids)))

    def _state_facts(self) -> None:
        world, known = self.world, self.question.principal
        for entity in (self.principal, self.resource):
            world.fact(world.exists(entity))
        for name, value in (known.attributes if known else {}).items():
            if world.schema.attribute(self.principal.type, name) is not None:
                world.fact(self._is(self.principal, name, value))
        try:
            self.laws = world.axioms()
        except TooManyError:
            self.refused = Undecided(Why.TOO_LONG, "too many `like` patterns together")

    def _case(self, case: Case) -> Term:
        same, resource = self.world.texts.same, self.resource
        terms = [] if case.id is None else [same(resource.id, case.id)]
        terms += [neg(same(resource.id, other)) for other in sorted(case.other_than)]
        terms += [self._is(resource, name, value) for name, value in case.equals.items()]
        terms += [neg(self._is(resource, n, v)) for n, vs in case.differs.items() for v in sorted(vs)]
        terms += [self._has(resource, n, v) for n, vs in case.holds.items() for v in sorted(vs)]
        terms += [neg(self._has(resource, n, v)) for n, vs in case.lacks.items() for v in sorted(vs)]
        return conj(*terms)

    def _is(self, entity: Entity, name: str, value: bool | str | None) -> Term:
        """Whether the attribute is there and has the value; with None, whether it is not there."""
        found = self.world.attribute(entity, name)
        match value:
            case None:
                return neg(evaluates(found))
            case bool():
                return conj(is_bool(found), holds(found) if value else neg(holds(found)))
            case str():
                texts = [(guard, held.term) for guard, held in found if isinstance(held, Text)]
                return disj(*(conj(guard, self.world.texts.same(term, value)) for guard, term in texts))

    def _has(self, entity: Entity, name: str, value: str) -> Term:
        """Whether the set attribute is there and holds the text."""
        sets = [(g, held) for g, held in self.world.attribute(entity, name) if isinstance(held, Stored)]
        return disj(*(conj(guard, self.world.member(held, Text(value))) for guard, held in sets))

    def decide(self, wanted: Wanted, limits: Limits = LIMITS) -> Answer:
        """Look for a request that each side decides as wanted."""
        goal = conj(
            *(
                term if want else neg(term)
                for term, want in zip(self.allowed, wanted, strict=True)
                if want is not None
            ),
            disj(*self.cases) if self.cases else True,
        )
        if goal is False:
            return Unsat()
        if self.refused is not None:
            return self.refused
        solver = self._solver
        solver.set("timeout", limits.milliseconds)
        solver.set("rlimit", limits.steps)
        solver.push()
        if goal is not True:
            solver.add(goal)
        outcome = solver.check()
        model = solver.model() if outcome == z3.sat else None
        why = "" if model is not None else solver.reason_unknown()
        solver.pop()
        if outcome == z3.unsat:
            return Unsat()
        if model is None:
            return Undecided(Why.TOO_LONG, f"the solver gave up: {why}")
        return self._confirmed(Reader(self.world, model), wanted)

    @cached_property
    def _solver(self) -> Any:
        """One that knows the laws; goals come and go."""
        solver = z3.SimpleSolver(ctx=self.world.texts.context)
        solver.add(*self.laws)
        return solver

    def _confirmed(self, reader: Reader, wanted: Wanted) -> Answer:
        """The model as a request, if Cedar decides it as wanted."""
        question = self.question
        case = next((c for c, t in zip(question.cases, self.cases, strict=True) if reader.true(t)), None)
        request = reader.request(self.principal, question.action, self.resource, self.context)
        request = _completed(request, question.principal, case)
        if self._replay.shows(request, wanted):
            return Sat(self._shrunk(request, wanted, case), case)
        if self.world.imprecise:
            return Undecided(Why.BEYOND, "; ".join(self.world.imprecise))
        return Undecided(Why.UNCONFIRMED, "Cedar does not confirm the request that the solver found")

    def _shrunk(self, request: Request, wanted: Wanted, case: Case | None) -> Request:
        """The request without what it does not need."""
        question = self.question
        pinned = {request.resource: frozenset(()) if case is None else case.pinned}
        if question.principal is not None:
            known = frozenset({"parents", *question.principal.attributes})
            pinned[request.principal] = known | pinned.get(request.principal, frozenset())
        for _ in range(SHRINK_STEPS):
            for less in request.smaller(pinned):
                if self._replay.shows(less, wanted):
                    request = less
                    break
            else:
                break
        return request


def _completed(request: Request, known: Known | None, case: Case | None) -> Request:
    """The request with what is known in full: what the principal is in, where the resource lies."""
    entities = []
    for entity in request.entities:
        if known is not None and entity.uid == request.principal:
            entity = replace(entity, parents=tuple(sorted(known.parents)))
        if case is not None and entity.uid == request.resource:
            whole = {name: list(values) for name, values in case.whole.items()}
            entity = replace(entity, attributes={**entity.attributes, **whole})
        entities.append(entity)
    return replace(request, entities=tuple(entities))
