"""Which grants reach one principal at one place, looked up: what holders have at a place is remembered.

The members of a group share what the group has. What is remembered is bounded; forgetting costs time only.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from permmigrate.diff.profiles import AFTER, BEFORE, Offer, Profile, Profiles, Source
from permmigrate.diff.words import reaching
from permmigrate.entitlements import Grant, Place
from permmigrate.entitlements.assigned import is_on_content
from permmigrate.entitlements.before import Placed
from permmigrate.entitlements.content import Untold
from permmigrate.entitlements.grants import is_own
from permmigrate.entitlements.places import COLLECTION
from permmigrate.model import ContentKind, ContentRef, EnvironmentId, PrincipalRef, PrincipalType, User

REMEMBERED: Final = 1 << 14
"""How many lists of grants, and how many principals, are kept at most."""
PLACES: Final = 1 << 20
"""And how many places of holders."""
SHARING: Final = (PrincipalType.USER, PrincipalType.GROUP)
Sides = tuple[list[Grant], list[Grant]]
Part = tuple[tuple[Grant, ...], tuple[Grant, ...]]


class _Holder(NamedTuple):
    source: Source
    places: frozenset[int]
    """Where the holder has anything."""


class _Person(NamedTuple):
    profile: Profile
    extras: dict[int, int]
    holders: tuple[_Holder, ...]
    """The principal itself and its groups."""
    reach: tuple[bool, ...]


@dataclass
class Standing:
    """Answers for every principal and place of a comparison, both by their numbers."""

    profiles: Profiles
    _people: dict[int, _Person | None] = field(default_factory=dict)
    _places: dict[int, frozenset[int]] = field(default_factory=dict)
    _parts: dict[tuple[int, int, int, int], Part] = field(default_factory=dict)
    _paths: dict[int, tuple[int, ...]] = field(default_factory=dict)
    _offers: dict[tuple[int, int, bool], Offer | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.entitlements = self.profiles.entitlements
        self._room = PLACES

    def at(self, principal: int, place: int) -> Sides:
        """The grants before and after that reach a place, the widest first."""
        person = self._person(principal)
        if person is None:
            return self._looked_for(principal, place)
        scope = int(self.entitlements.places.scope[place])
        wide = self.profiles.offers[person.profile.wide[scope]]
        before, after = list(wide.before), list(wide.after)
        within = person.reach[scope]
        for at in self._path(place):
            for holder in person.holders:
                if at in holder.places:
                    part = self._part(principal, holder.source, at, within=within)
                    before += part[0]
                    after += part[1]
            if at in person.extras:
                extra = self.profiles.offers[person.extras[at]]
                before += extra.before
                after += extra.after
        return before, after

    def wordless(self, principal: int, place: int) -> Sides:
        """The same as far as masks and reasons go, for fewer look-ups: words may be missing, and what is
        there twice may be there once."""
        person = self._person(principal)
        if person is None:
            return self._looked_for(principal, place)
        scope = int(self.entitlements.places.scope[place])
        found = [self.profiles.offers[person.profile.wide[scope]]]
        for at in self._path(place):
            for holder in person.holders:
                if at in holder.places:
                    offer = self._offer(holder.source, at, within=person.reach[scope])
                    if offer is None:
                        return self.at(principal, place)
                    found.append(offer)
            if at in person.extras:
                found.append(self.profiles.offers[person.extras[at]])
        before = [grant for offer in found for grant in offer.before]
        return before, [grant for offer in found for grant in offer.after]

    def _offer(self, source: Source, at: int, *, within: bool) -> Offer | None:
        """What a holder's grants at one place are; None where words would tell their order."""
        content = self.entitlements.content
        rows = slice(content.starts[source.holder], content.starts[source.holder + 1])
        row = content.place[rows].searchsorted(np.int32(at))
        combination = int(content.combination[rows][row])
        lens = source.within if within else source.beyond
        key = (combination, lens, int(self.entitlements.places.kind[at]) == COLLECTION)
        if key not in self._offers:
            sorts = Counter(map(type, content.sorts[combination]))
            plain = Untold not in sorts and max(sorts.values()) == 1
            code, eye = np.array([[combination * 2 + key[2]], [lens]], dtype=np.int32)
            self._offers[key] = (
                self.profiles.offers[int(self.profiles.offered(code, eye)[0])] if plain else None
            )
        return self._offers[key]

    def _looked_for(self, principal: int, place: int) -> Sides:
        """The same with nothing remembered, for grants that do not hold where they were given."""
        who = self.entitlements.principals[principal]
        scope, where = self.entitlements.places.of(place)
        holding = self.entitlements.reaching(who, scope, where)
        return reaching(holding, self.entitlements.trees[scope], where)

    def _path(self, place: int) -> tuple[int, ...]:
        """The places below the scope that lead to a place, the place itself the last."""
        found = self._paths.get(place)
        if found is None:
            parent, at = self.entitlements.places.parent, place
            above: list[int] = []
            while parent[at] >= 0:
                above.append(at)
                at = int(parent[at])
            found = self._paths[place] = tuple(reversed(above))
        return found

    @cached_property
    def _is_plain(self) -> bool:
        """Whether all that is given on a folder or collection holds there and nowhere else, and nothing that
        is not given there does but custom policies."""
        entitlements = self.entitlements
        compiler, assigned = entitlements.compiler, entitlements.assigned
        if entitlements.after.strays or compiler.named_folders or compiler.named_collections:
            return False
        roles = {one.assignment.role_id for one in assigned.loose if is_on_content(one.assignment)}
        roles |= {slot.role_id for slot in assigned.planned.slots} if assigned.planned else set()
        known = roles & entitlements.snapshot.catalog.roles.keys()
        return all(is_own(place) for role in known for place, _, _ in compiler.role(role).parts())

    def _person(self, number: int) -> _Person | None:
        """What belongs to a principal; None where only the long way round is right."""
        if number not in self._people:
            if len(self._people) >= REMEMBERED:
                self._people.clear()
            self._people[number] = self._made(number) if self._is_plain else None
        return self._people[number]

    def _made(self, number: int) -> _Person | None:
        principal = self.entitlements.principals[number]
        sources = self.profiles.sources(principal)
        sides = [(one.holder, self.profiles.eyes[one.within].side) for one in sources]
        before = [holder for holder, side in sides if side != AFTER and principal.type in SHARING]
        after = [holder for holder, side in sides if side != BEFORE]
        present = self.entitlements.before.snapshot.has(principal)
        sharers = self.entitlements.before.sharers(principal) if present else ()
        numbers, groups = self.profiles.holders, self.entitlements.after.groups(principal)
        if before != [numbers.get(one) for one in sharers]:
            return None
        if after != [number, *(numbers.get(one) for one in groups)]:
            return None
        profile = self.profiles.profile(principal)
        holders = tuple(_Holder(one, self._places_of(one.holder)) for one in sources)
        return _Person(profile, dict(profile.extras), holders, self.profiles.reach(principal))

    def _places_of(self, holder: int) -> frozenset[int]:
        found = self._places.get(holder)
        if found is None:
            content = self.entitlements.content
            rows = slice(content.starts[holder], content.starts[holder + 1])
            found = frozenset(content.place[rows].tolist())
            self._room -= len(found)
            if self._room < 0:
                self._places.clear()
                self._people.clear()
                self._room = PLACES
            self._places[holder] = found
        return found

    def _part(self, principal: int, source: Source, at: int, *, within: bool) -> Part:
        """What a holder's grants at one place are to a principal, before and after."""
        lens = source.within if within else source.beyond
        key = (source.holder, at, lens, source.via)
        found = self._parts.get(key)
        if found is None:
            if len(self._parts) >= REMEMBERED:
                self._parts.clear()
            found = self._parts[key] = self._found(
                principal, source.holder, at, self.profiles.eyes[lens].side
            )
        return found

    def _found(self, number: int, holding: int, at: int, side: int) -> Part:
        entitlements = self.entitlements
        principal, holder = entitlements.principals[number], entitlements.principals[holding]
        scope, place = entitlements.places.of(at)
        content = ContentRef(EnvironmentId(scope), ContentKind(place.kind), place.id)
        before: tuple[Grant, ...] = ()
        if side != AFTER and principal.type in SHARING:
            shared = entitlements.before.share_grants(holder, self._legacy_user(principal), (content,))
            before = _there(shared, scope, place)
        after: tuple[Grant, ...] = ()
        if side != BEFORE:
            after = _there(entitlements.after.given(holder, principal, content), scope, place)
        return before, after

    def _legacy_user(self, principal: PrincipalRef) -> User | None:
        if principal.type is not PrincipalType.USER:
            return None
        return self.entitlements.before.snapshot.user_by_id[principal.id]


def _there(placed: Iterable[Placed], scope: str, place: Place) -> tuple[Grant, ...]:
    return tuple(grant for where, grant in placed if where == scope and grant.place == place)
