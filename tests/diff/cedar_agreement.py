"""Put one account to the engine and to Cedar, and tell where their answers differ."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import date

from permmigrate.cedar import Universe
from permmigrate.diff.decide import state_at, verdict_at
from permmigrate.diff.value import Verdict
from permmigrate.entitlements import AfterAssignment, Entitlements, Holding
from permmigrate.mapping.translate import translate
from permmigrate.model import PrincipalRef
from random_accounts import Account
from reference import OTHER, Oracle, Request

TODAY = date(2026, 11, 22)


@dataclass
class Agreement:
    """What became of one account."""

    compared: int = 0
    decisions: int = 0
    excused: int = 0
    """Requests where the engine said `unknown` about a statement it need not decide."""
    verdicts: Counter[str] = field(default_factory=Counter)
    moot: int = 0
    """Requests that nobody of the principal's kind can make."""
    wrong: list[tuple[PrincipalRef, str, Request, str, str]] = field(default_factory=list)
    """(principal, scope, request, expected, said by the engine); a request forgotten is `not compared`."""


def sides(account: Account) -> tuple[Entitlements, Oracle]:
    """The engine and the oracle for one account."""
    snapshot, tables, assigned = account.snapshot, account.tables, account.assigned
    if assigned is None:
        translation = translate(snapshot, tables, today=TODAY)
        after = tuple(AfterAssignment(p.assignment, str(p.row)) for p in translation.planned)
        return (
            Entitlements(snapshot, tables, after, translation),
            Oracle(snapshot, tables, translation, opaque=account.opaque),
        )
    after = tuple(AfterAssignment(a, a.role_id) for a in assigned.assignments)
    later = replace(snapshot, catalog=assigned.catalog, custom_policies=assigned.custom_policies)
    return (
        Entitlements(later, tables, after, earlier=snapshot),
        Oracle(snapshot, tables, assigned=assigned, opaque=account.opaque),
    )


def disagreements(account: Account, *, of: slice = slice(None)) -> Agreement:
    """Compare every verdict on every request of every principal, or of some, in every scope."""
    engine, oracle = sides(account)
    result = Agreement()
    for principal in engine.principals[of]:
        holdings = {holding.scope: holding for holding in engine.holdings(principal)}
        for scope in engine.scopes:
            _compare(engine, oracle, principal, scope, holdings.get(scope), result)
    result.decisions = oracle.decisions
    return result


def _compare(
    engine: Entitlements,
    oracle: Oracle,
    principal: PrincipalRef,
    scope: str,
    holding: Holding | None,
    result: Agreement,
) -> None:
    atoms = Atoms(engine.universe(scope))
    states = {}
    for request, answer in oracle.answers(principal, scope):
        said = Verdict.UNCHANGED
        if holding is not None:
            tree = engine.trees[scope]
            folder = request.folder if request.folder in tree.index else None  # no grant names it here
            place = (folder, request.collections)
            if place not in states:
                states[place] = state_at(holding, tree, *place)
            atom = atoms.number(request)
            asked = bool(holding.valid >> atom & 1)
            if asked == answer.moot:
                expected, found = ("moot", "compared") if asked else (answer.verdict, "not compared")
                result.wrong.append((principal, scope, request, expected, found))
            if answer.moot or not asked:
                result.moot += answer.moot
                continue
            said = verdict_at(states[place], atom)
        result.compared += 1
        result.verdicts[said] += 1
        if said == answer.verdict:
            continue
        if answer.excused and said is Verdict.UNKNOWN:
            result.excused += 1
        else:
            result.wrong.append((principal, scope, request, answer.verdict, said.value))


class Atoms:
    """Finds the engine's number of a request."""

    def __init__(self, universe: Universe) -> None:
        self._found: dict[tuple[object, ...], int] = {}
        self._numbers: dict[tuple[str, str, str, str], list[tuple[int, dict[str, str | None]]]] = {}
        for index, atom in enumerate(universe.atoms):
            key = (atom.action_type, atom.action, atom.resource_type, atom.entity_id)
            self._numbers.setdefault(key, []).append((index, dict(atom.tests)))

    def number(self, request: Request) -> int:
        """The number of the atom that the request is, wherever its resource lies."""
        key = (request.action_type, request.action, request.resource_type, request.tests)
        key += (request.resource_id if request.named else "",)
        if key not in self._found:
            self._found[key] = self._number(request)
        return self._found[key]

    def _number(self, request: Request) -> int:
        entity = request.resource_id if request.named else ""
        found = self._numbers[request.action_type, request.action, request.resource_type, entity]
        values = dict(request.tests)
        fitting = [
            (sum(value is not None for value in tests.values()), index)
            for index, tests in found
            if all(value in (None, values[name]) for name, value in tests.items())
        ]
        assert values == {} or OTHER not in {v for _, tests in found for v in tests.values()}
        return max(fitting)[1]
