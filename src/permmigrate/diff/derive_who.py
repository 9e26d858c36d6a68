"""Who may do something to a resource, on both sides, and through what: people who came by it alike at once.

What a grant hands out is put to Cedar once and shared by everybody who holds the same; Cedar's own rule (a
permit, and no forbid) joins the grants of one principal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import cedarpy

from permmigrate.diff.derive import ALLOWED, DENIED, UNKNOWN, Askable
from permmigrate.diff.derive_ask import policies
from permmigrate.diff.derive_value import Spot, Way, Ways
from permmigrate.diff.derive_ways import WayFinder
from permmigrate.diff.derive_words import Question
from permmigrate.diff.witness_alike import Likeness, depths_of, relative
from permmigrate.diff.witness_request import MADE_UP, Request, RequestMaker, compatible, question
from permmigrate.entitlements import Entitlements
from permmigrate.model import PrincipalRef, PrincipalType
from permmigrate.snapshot import Snapshot

PERMITS: Final = 1
FORBIDS: Final = 2


class World(NamedTuple):
    """What matches of one way in both worlds: some permit, some forbid or nothing, as bits."""

    least: int
    most: int


def _decision(worlds: Iterable[World]) -> str:
    """Cedar's rule over all that a principal holds: a permit, and no forbid."""
    least = most = 0
    for world in worlds:
        least |= world.least
        most |= world.most
    return UNKNOWN if (least == PERMITS) != (most == PERMITS) else ALLOWED if least == PERMITS else DENIED


@dataclass(frozen=True, slots=True)
class Holders:
    """Principals of one kind for whom the answer is the same for the same reasons."""

    principals: tuple[PrincipalRef, ...]
    before: tuple[str, ...]
    """`allowed`, `denied` or `unknown` for each condition of the question."""
    after: tuple[str, ...]
    through_before: tuple[str, ...]
    """The ways with a permit or a forbid that matches, in words."""
    through_after: tuple[str, ...]

    @property
    def may_before(self) -> bool:
        """Whether it was allowed, or may have been, under some condition."""
        return any(decision != DENIED for decision in self.before)

    @property
    def may_after(self) -> bool:
        return any(decision != DENIED for decision in self.after)


@dataclass(frozen=True, slots=True)
class WhoCan:
    """The answer to who may do something, before and after."""

    action: str
    resource: str
    conditions: tuple[str, ...]
    holders: tuple[Holders, ...]
    """Those who may on some side, or may perhaps: the largest first."""

    def count(self, *, before: bool | None = None, after: bool | None = None) -> int:
        """How many principals may on the sides given, whatever holds on the others."""
        return sum(
            len(one.principals)
            for one in self.holders
            if before in (None, one.may_before) and after in (None, one.may_after)
        )


@dataclass(frozen=True, slots=True)
class _Class:
    """Principals who hold the same in a whole scope, in the same words."""

    ways: Ways
    members: tuple[PrincipalRef, ...]


class _Hit(NamedTuple):
    """What one way's policies make of a question."""

    way: Way
    worlds: tuple[World, ...]
    """For each condition."""
    words: str
    """The way in words; empty when nothing of it matches."""


class _Asked(NamedTuple):
    """A question as it is put to Cedar, once for each condition."""

    requests: tuple[Request, ...]
    depths: Mapping[tuple[str, str], int]
    key: tuple[object, ...]
    hits: dict[tuple[int, object], _Hit]
    """By way (its `id`: a hit keeps its way) and those whom the way does not tell apart."""


@dataclass
class WhoIndex:
    """Answers about one comparison. `prepare` does what all questions about a scope share."""

    entitlements: Entitlements
    finder: WayFinder
    _classes: dict[str, tuple[_Class, ...]] = field(default_factory=dict)
    _class_of: dict[str, dict[PrincipalRef, int]] = field(default_factory=dict)
    _known: dict[tuple[object, ...], tuple[World, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.requests = RequestMaker(self.entitlements)
        self.likeness = Likeness(self.requests.policy_texts)
        self.askable = Askable(self.entitlements)

    def prepare(self, scope: str) -> None:
        """Sort the scope's principals by what they hold all over it."""
        if scope in self._classes:
            return
        found: dict[tuple[object, ...], list[PrincipalRef]] = {}
        for principal in self.entitlements.principals:
            found.setdefault(self._signature(principal, scope), []).append(principal)
        classes = tuple(
            _Class(self.finder.wide(members[0], scope), tuple(members)) for members in found.values()
        )
        self._classes[scope] = classes
        self._class_of[scope] = {p: number for number, one in enumerate(classes) for p in one.members}

    def _signature(self, principal: PrincipalRef, scope: str) -> tuple[object, ...]:
        """What the answers of a principal can hang on, apart from what is granted on the spot."""
        ways = self.finder.wide(principal, scope)
        if any(way.policies.personal for side in ways for way in side):
            return (principal,)
        role = ""
        if principal.type is PrincipalType.USER:
            user = self.finder.legacy.snapshot.user_by_id.get(principal.id)
            role = (
                f"{user.legacy_role} {user.all_environments or scope in user.environment_ids}"
                if user
                else "-"
            )
        sides = (tuple((way.text, way.cause, way.no_effect) for way in side) for side in ways)
        return (principal.type, role, *sides)

    def who_can(self, asked: Question) -> WhoCan:
        """Everybody who may on some side, or may perhaps."""
        self.prepare(asked.scope)
        put = self._put(asked)
        able = {kind for kind in PrincipalType if self.askable.may(kind, asked.scope, asked.atoms)}
        groups: dict[tuple[object, ...], list[PrincipalRef]] = {}
        for key, members in self._alike(asked.spot).items():
            if members[0].type not in able:
                continue
            answer = self._answer(members[0], self._ways(key, members[0], asked.spot), put)
            if any(decision != DENIED for side in answer[:2] for decision in side):
                groups.setdefault((members[0].type, *answer), []).extend(members)
        holders = (
            Holders(tuple(sorted(members)), *key[1:])  # type: ignore[arg-type]
            for key, members in groups.items()
        )
        order = sorted(holders, key=lambda one: (-len(one.principals), one.principals))
        return WhoCan(asked.action, asked.resource, asked.conditions, tuple(order))

    def _put(self, asked: Question) -> _Asked:
        """The question's requests, told apart by their ids where those are made up, and what they hang on."""
        made = [self.requests.of(asked.scope, atom, asked.spot) for atom in asked.atoms]
        placed = self.requests.is_placed(made[0].resource_type)
        key = tuple(self.likeness.of_request(asked.spot, request, placed=placed) for request in made)
        if self.likeness.named is None:
            key = (asked.spot, asked.atoms)
        apart = len(made) > 1 and made[0].resource_id.startswith(MADE_UP)
        requests = (
            request._replace(resource_id=f"{request.resource_id} {number}") if apart else request
            for number, request in enumerate(made)
        )
        return _Asked(tuple(requests), depths_of(asked.spot), key, {})

    def _alike(self, spot: Spot) -> dict[tuple[int, object], list[PrincipalRef]]:
        """The principals by their class and what they hold on the spot, themselves or by which groups."""
        classes, class_of = self._classes[spot.scope], self._class_of[spot.scope]
        direct, through = self._on(spot)
        found: dict[tuple[int, object], list[PrincipalRef]] = {}
        special: set[PrincipalRef] = set()
        for principal in direct:
            if principal in class_of:
                found[class_of[principal], principal] = [principal]
                special.add(principal)
        for principal, groups in through.items():
            if principal not in special and principal in class_of:
                found.setdefault((class_of[principal], tuple(groups)), []).append(principal)
        special |= through.keys()
        for number, one in enumerate(classes):
            rest = [p for p in one.members if p not in special] if special else list(one.members)
            if rest:
                found[number, ()] = rest
        return found

    def _on(self, spot: Spot) -> tuple[set[PrincipalRef], dict[PrincipalRef, list[str]]]:
        """Who holds something on the spot's folders and collections, and which groups' members do."""
        holders = {*self.finder.legacy.shared_at(spot), *self.finder.roles.assigned_at(spot)}
        through: dict[PrincipalRef, list[str]] = {}
        sides = {id(one): one for one in (self.finder.legacy.snapshot, self.entitlements.snapshot)}
        for holder in sorted(holders):
            if holder.type is PrincipalType.GROUP:
                for side, snapshot in enumerate(sides.values()):
                    group = snapshot.group_by_id.get(holder.id)
                    for member in group.member_ids if group else ():
                        ref = PrincipalRef(PrincipalType.USER, member)
                        through.setdefault(ref, []).append(f"{side} {holder.id}")
        return holders, through

    def _ways(self, key: tuple[int, object], principal: PrincipalRef, spot: Spot) -> Ways:
        """What bears on principals of one key; the wide part is the same object for all of a class."""
        wide = self._classes[spot.scope][key[0]].ways
        if not key[1] and not self.finder.legacy.gap:
            return wide
        local = self.finder.local(principal, spot)
        return Ways(wide.before + local.before, wide.after + local.after)

    def _answer(
        self, principal: PrincipalRef, ways: Ways, asked: _Asked
    ) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        decisions: list[tuple[str, ...]] = []
        through: list[tuple[str, ...]] = []
        for side, snapshot in zip(ways, self._snapshots, strict=True):
            hits = [hit for way in side if (hit := self._hit(principal, way, asked, snapshot)).words]
            joined = zip(*(hit.worlds for hit in hits), strict=True)
            decided = tuple(map(_decision, joined)) if hits else (DENIED,) * len(asked.requests)
            decisions.append(decided)
            through.append(tuple(dict.fromkeys(hit.words for hit in hits)))
        return decisions[0], decisions[1], through[0], through[1]

    @property
    def _snapshots(self) -> tuple[Snapshot, Snapshot]:
        return self.finder.legacy.snapshot, self.entitlements.snapshot

    def _hit(self, principal: PrincipalRef, way: Way, asked: _Asked, snapshot: Snapshot) -> _Hit:
        """What a way's policies make of the requests; asked once for all whom they do not tell apart."""
        alike = principal.type if not way.policies.personal else (principal, snapshot is self._snapshots[0])
        hit = asked.hits.get((id(way), alike))
        if hit is None:
            worlds = self._worlds(principal, alike, way, asked, snapshot)
            permits = any(PERMITS in world for world in worlds)
            words = way.text if permits else f"{way.text} forbids" if any(map(any, worlds)) else ""
            hit = asked.hits[id(way), alike] = _Hit(way, worlds, words)
        return hit

    def _worlds(
        self, principal: PrincipalRef, alike: object, way: Way, asked: _Asked, snapshot: Snapshot
    ) -> tuple[World, ...]:
        policies = way.policies
        if not policies.clauses:
            return ()
        key = (alike, policies.least, policies.most, relative(way, asked.depths), asked.key)
        if key not in self._known:
            least = self._ask(principal, way.least, asked, snapshot)
            same = policies.least == policies.most
            most = least if same else self._ask(principal, way.most, asked, snapshot)
            self._known[key] = tuple(map(World, least, most))
        return self._known[key]

    def _ask(self, principal: PrincipalRef, text: str, asked: _Asked, snapshot: Snapshot) -> list[int]:
        """Whether the text forbids each request, or else permits it."""
        if not text:
            return [0] * len(asked.requests)
        who = self.requests.who(principal, snapshot)
        found = [0] * len(asked.requests)
        for numbers in compatible(asked.requests):
            batch = [asked.requests[number] for number in numbers]
            results = cedarpy.is_authorized_batch(
                [question(who, request) for request in batch],
                policies((text,)),
                self.requests.entities(who, batch),
            )
            for number, result in zip(numbers, results, strict=True):
                found[number] = PERMITS if result.allowed else FORBIDS if result.diagnostics.reasons else 0
        return found
