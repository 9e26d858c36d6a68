"""Show a finding by one concrete request, and replay it on Cedar under each side's policies.

It decides nothing by masks: the roles' and shares' own policy texts do, with what they are bound to put in.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from permmigrate.cedar import Located
from permmigrate.diff.derive_ask import Decision, Sides, Worlds, decisions
from permmigrate.diff.derive_value import Spot
from permmigrate.diff.derive_ways import WayFinder
from permmigrate.diff.value import Verdict, Witness
from permmigrate.diff.witness_alike import Likeness
from permmigrate.diff.witness_request import Request, RequestMaker, compatible, entity, placed
from permmigrate.entitlements import Entitlements, Place
from permmigrate.entitlements.custom import CEDAR_TYPES
from permmigrate.model import PrincipalRef

ANYWHERE: Final = "anywhere~"
"""The folder and collection in which shares that were never read may be; nothing known is on it."""


@dataclass(frozen=True, slots=True)
class Refuted:
    """A request that should have shown a verdict, and did not when it was replayed."""

    claimed: Verdict
    witness: Witness
    reason: str


@dataclass
class Witnesses:
    """Makes and replays the witnesses of one comparison; policies are parsed once."""

    entitlements: Entitlements
    replayed: int = 0
    """How many requests were put to Cedar, each under both sides."""
    _decided: dict[tuple[object, ...], Sides] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ways = WayFinder(self.entitlements)
        self.requests = RequestMaker(self.entitlements)
        self.likeness = Likeness(self.requests.policy_texts)

    def of(
        self, principal: PrincipalRef, scope: str, place: Place, atoms: int, verdict: Verdict
    ) -> Witness | Refuted:
        """The smallest request for one of the atoms (a mask) at the top of a place, replayed."""
        number = self._smallest(scope, place, atoms)
        spot = self.spot(scope, place, number)
        request = self.requests.of(scope, number, spot)
        [sides] = self.decide(principal, spot, [request])
        witness = _witness(principal, request, sides)
        if sides.verdict is verdict:
            return witness
        return Refuted(verdict, witness, f"replayed on Cedar it is {sides.verdict}, not {verdict}")

    def refuted(self, principal: PrincipalRef, scope: str, place: Place, atoms: int, verdict: Verdict) -> int:
        """Which of the atoms do not show the verdict when every one of them is replayed; a mask."""
        found = 0
        by_spot: dict[Spot, list[int]] = {}
        for number in self.entitlements.universe(scope).bits(atoms):
            by_spot.setdefault(self.spot(scope, place, number), []).append(number)
        for spot, numbers in by_spot.items():
            requests = [self.requests.of(scope, number, spot) for number in numbers]
            for number, sides in zip(numbers, self.decide(principal, spot, requests), strict=True):
                if sides.verdict is not verdict:
                    found |= 1 << number
        return found

    def rebound(self, witness: Witness, principal: PrincipalRef, scope: str, place: Place) -> Witness:
        """The same request by another principal at another place, where the same is known to hold."""
        spot = self._spot_of(scope, place)
        resource_type = witness.resource.partition('::"')[0]
        resource, attributes = witness.resource, witness.attributes
        if self.requests.is_placed(resource_type):
            resource_id = self.requests.resource_id(resource_type, spot)
            resource = entity(resource_type, resource_id)
            attributes = placed(attributes, resource_type, resource_id, spot)
        who = entity(CEDAR_TYPES[principal.type], principal.id)
        return replace(witness, principal=who, resource=resource, attributes=attributes)

    def decide(self, principal: PrincipalRef, spot: Spot, requests: Sequence[Request]) -> list[Sides]:
        """Cedar's decisions on requests about one spot; questions that are one to Cedar are put once."""
        ways = self.ways.of(principal, spot)
        keys = [
            self.likeness.key(
                principal, spot, ways, request, placed=self.requests.is_placed(request.resource_type)
            )
            or (principal, spot, request[:4], str(request.attributes))
            for request in requests
        ]
        missing = [number for number, key in enumerate(keys) if key not in self._decided]
        if missing:
            worlds = Worlds.of(*ways)
            for numbers in compatible([requests[number] for number in missing]):
                asked = [missing[number] for number in numbers]
                sides = self._decide(principal, worlds, [requests[number] for number in asked])
                self._decided.update(zip((keys[number] for number in asked), sides, strict=True))
            self.replayed += len(missing)
        return [self._decided[key] for key in keys]

    def _decide(self, principal: PrincipalRef, worlds: Worlds, asked: list[Request]) -> Iterator[Sides]:
        snapshots = [self.ways.legacy.snapshot, self.entitlements.snapshot]
        found: list[list[Decision]] = []
        for side, snapshot in enumerate(snapshots):
            who = self.requests.who(principal, snapshot)
            if side == 0 or snapshot is not snapshots[0]:
                entities = self.requests.entities(who, asked)
            least, most = worlds[2 * side : 2 * side + 2]
            found.append(decisions(least, who, asked, entities))
            found.append(found[-1] if least == most else decisions(most, who, asked, entities))
        return (Sides(*four) for four in zip(*found, strict=True))

    def spot(self, scope: str, place: Place, number: int) -> Spot:
        """Where a resource of an atom is, at the top of a place."""
        if place.kind or not self.ways.legacy.gap or not scope:
            return self._spot_of(scope, place)
        atom = self.entitlements.universe(scope).atoms[number]
        located = self.entitlements.universe(scope).located(atom.resource_type)
        return Spot(
            scope,
            (ANYWHERE,) if Located.FOLDER in located else (),
            (ANYWHERE,) if Located.COLLECTION in located else (),
        )

    def _spot_of(self, scope: str, place: Place) -> Spot:
        if place.kind == "folder":
            tree = self.entitlements.trees[scope]
            return Spot(scope, tree.ancestor_ids(tree.index[place.id]))
        return Spot(scope, (), (place.id,) if place.kind else ())

    def _smallest(self, scope: str, place: Place, atoms: int) -> int:
        """The atom with the fewest attributes to say, the plainest resource first."""
        universe = self.entitlements.universe(scope)
        return min(
            universe.bits(atoms), key=lambda n: (len(universe.atoms[n].tests), universe.atoms[n].entity_id, n)
        )


def _witness(principal: PrincipalRef, request: Request, sides: Sides) -> Witness:
    return Witness(
        principal=entity(CEDAR_TYPES[principal.type], principal.id),
        action=entity(request.action_type, request.action),
        resource=entity(request.resource_type, request.resource_id),
        attributes=request.attributes,
        context={},
        before=_words(sides.before_least, sides.before_most),
        after=_words(sides.after_least, sides.after_most),
    )


def _words(least: Decision, most: Decision) -> str:
    if least is None or most is None:
        return "no decision"
    if least == most:
        return "allow" if least else "deny"
    return "allow or deny"
