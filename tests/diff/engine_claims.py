"""Everything the engine states about an account, place by place, taken from its decisions at one place."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from permmigrate.diff.decide import state_at
from permmigrate.diff.value import Verdict
from permmigrate.diff.verdicts import COMPARED, judge
from permmigrate.entitlements import Entitlements, Place
from permmigrate.model import PrincipalRef


class Claim(NamedTuple):
    """One principal's verdict on some atoms at one place."""

    principal: PrincipalRef
    scope: str
    place: Place
    atoms: int
    verdict: Verdict


def claims(engine: Entitlements) -> Iterator[Claim]:
    """What is stated as fact or as a maybe: scope-wide, and wherever some grant is."""
    for principal in engine.principals:
        for holding in engine.holdings(principal):
            scope, universe, tree = holding.scope, engine.universe(holding.scope), engine.trees[holding.scope]
            at = [(Place(), state_at(holding, tree), holding.valid)]
            for name in sorted(holding.before.folders.keys() | holding.after.folders.keys()):
                inside = holding.valid & universe.folder_mask
                at.append((Place("folder", name), state_at(holding, tree, name), inside))
            for name in sorted(holding.before.collections.keys() | holding.after.collections.keys()):
                inside = holding.valid & universe.collection_mask
                at.append((Place("collection", name), state_at(holding, tree, None, (name,)), inside))
            for place, state, inside in at:
                for verdict in COMPARED:
                    atoms = judge(state).of(verdict) & inside
                    if atoms and verdict is not Verdict.UNKNOWN:
                        yield Claim(principal, scope, place, atoms, verdict)
