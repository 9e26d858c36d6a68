"""From one set of legacy grants over one scope to the roles that lose nothing and add least."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from permmigrate.model import ContentKind, PolicyId, PrincipalType, RoleId, ScopeType
from permmigrate.suggest.offers import Offers, single_id
from permmigrate.suggest.scale import ByPlace, Problem
from permmigrate.suggest.search import cheapest
from permmigrate.suggest.value import Cost


@dataclass(frozen=True, slots=True)
class Question:
    """What a set of legacy grants permitted over one scope, and who holds it."""

    scope: ScopeType
    level: str
    """The level of the roles that answer it."""
    holder: PrincipalType
    before: ByPlace
    kind: ContentKind | None = None
    """What the share is on; None for roles and keys."""
    given: tuple[RoleId, ...] = ()
    """What the tables give for it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What to give for a question."""

    roles: tuple[RoleId, ...]
    cost: Cost
    given_cost: Cost
    policies: tuple[PolicyId, ...] = ()
    """The policies of the role to be created; then `roles` is empty."""
    without: Cost | None = None
    """What the best of the catalog would have cost, where a new role is better."""
    keeps: bool = False
    """Whether what is given already is as good as anything."""
    proved: bool = True
    unknown: bool = False
    """Whether nobody knows anything the grant surely permitted: then what is given stays."""


def answer(offers: Offers, question: Question, *, new_roles: bool, keep_doubtful: bool) -> Answer:
    """Find what loses nothing for certain and adds least; what is given already wins ties.

    With `keep_doubtful`, what may have been had is not to be lost either.
    """
    kind = question.kind
    candidates = offers.roles(question.level, question.holder)
    permitted = [offers.permitted((role.id,), kind) for role in candidates]
    given = offers.permitted(question.given, kind)
    names = offers.policies(question.level) if new_roles and kind is not ContentKind.COLLECTION else ()
    singles = [offers.permitted((single_id(name),), kind) for name in names]
    scale = offers.scale(question.scope, question.holder)
    problem = Problem.of(scale, question.before, (*permitted, given, *singles))
    given_cost = problem.cost(given)
    if problem.is_unknown:
        return Answer(question.given, given_cost, given_cost, keeps=True, unknown=True)
    required = problem.before.sure | (problem.before.maybe if keep_doubtful else 0)
    options = [problem.option(side, penalty=n) for n, side in enumerate(permitted)]
    found = cheapest(required, options, scale.severities)
    roles = tuple(sorted(candidates[number].id for number in found.chosen))
    cost = problem.cost(offers.permitted(roles, kind))
    best = Answer(roles, cost, given_cost, proved=found.proved)
    if names and (len(roles) > 1 or cost.rank(keep_doubtful) > Cost().rank(keep_doubtful)):
        needed = _needed(problem, required, names, singles)
        made = problem.cost(offers.permitted(map(single_id, needed), kind))
        weights = made.rank(keep_doubtful), cost.rank(keep_doubtful)
        if needed and (weights[0] < weights[1] or (weights[0] == weights[1] and len(roles) > 1)):
            best = Answer((), made, given_cost, needed, without=cost)
    if given_cost.rank(keep_doubtful) <= best.cost.rank(keep_doubtful):
        return Answer(question.given, given_cost, given_cost, keeps=True, proved=best.proved)
    return best


def weigh(offers: Offers, question: Question) -> Cost:
    """What the roles given cost for a question."""
    given = offers.permitted(question.given, question.kind)
    scale = offers.scale(question.scope, question.holder)
    return Problem.of(scale, question.before, (given,)).cost(given)


def _needed(
    problem: Problem, required: int, names: Sequence[PolicyId], singles: Sequence[ByPlace]
) -> tuple[PolicyId, ...]:
    """Policies that together permit what is required and nothing else, none of them to spare."""
    covers = {
        name: side.sure
        for name, single in zip(names, singles, strict=True)
        if (side := problem.after(single)).sure and not side.sure & ~required
    }
    chosen: list[PolicyId] = []
    left = required
    while left:
        name = max(sorted(covers), key=lambda n: (covers[n] & left).bit_count(), default=None)
        if name is None or not covers[name] & left:
            break
        chosen.append(name)
        left &= ~covers[name]
    for name in tuple(chosen):
        others = 0
        for other in chosen:
            others |= covers[other] if other != name else 0
        if not covers[name] & ~others:
            chosen.remove(name)
    return tuple(sorted(chosen))
