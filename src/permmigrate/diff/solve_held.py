"""What a principal holds in a region, as numbers: where something begins, and what is granted there.

Grants count here by what they let their holder do, not by their words. Nothing is decided.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from permmigrate.diff.profiles import Profiles
from permmigrate.diff.value import Verdict
from permmigrate.diff.verdicts import State, judge
from permmigrate.entitlements import Grant, Place
from permmigrate.model import PrincipalRef
from permmigrate.snapshot.shares import Ints

KEPT: Final = 4_096
"""How many sorts of what is granted somewhere are kept at hand."""
PEOPLE: Final = 256
"""And how many principals' grants: findings come principal by principal."""
Undecided = tuple[tuple[Grant, int], ...]
"""Grants with something undecided, each with the number of the place it is given on; -1 for none."""


class Granted(NamedTuple):
    """What is granted somewhere, as far as settling can tell."""

    number: int
    """The same for all places where the same is granted."""
    state: State
    unknown: int
    """The atoms that are unknown."""
    wide: tuple[Undecided, Undecided]
    """Of the scope, before and after."""
    within: tuple[Undecided, Undecided]
    """Of the folders and collections on the way, the nearest first."""

    @property
    def undecided(self) -> Undecided:
        """All that is not decided, before and then after."""
        return self.wide[0] + self.within[0] + self.wide[1] + self.within[1]


class Turn(NamedTuple):
    """A place where something begins, without the deeper places where more does."""

    place: int
    granted: Granted
    upper: int
    """The nearest one above it in the same region, by its number there; -1 for the topmost."""
    own: int
    """How many folders it has for itself; 0 when it is no folder."""


class Held(NamedTuple):
    """Everything a principal holds."""

    places: Ints
    """Where something is given on a folder or collection, ascending; several things may be at one place."""
    offers: Ints
    """What, by the numbers that profiles give it."""
    wide: tuple[int, ...]
    """What each scope offers."""

    def between(self, low: int, high: int) -> Iterable[tuple[int, tuple[int, ...]]]:
        """The places from one to before another, and what is given there."""
        first, last = self.places.searchsorted(np.array([low, high], dtype=np.int32)).tolist()
        found: dict[int, tuple[int, ...]] = {}
        for at, one in zip(self.places[first:last].tolist(), self.offers[first:last].tolist(), strict=True):
            found[at] = (*found.get(at, ()), one)
        return found.items()


@dataclass
class Holdings:
    """Answers for one comparison."""

    profiles: Profiles
    _held: dict[PrincipalRef, Held] = field(default_factory=dict)
    _granted: dict[tuple[int, tuple[int, ...], int], Granted] = field(default_factory=dict)
    _opens: dict[int, bool] = field(default_factory=dict)
    """Of each offer, whether something in it is not decided."""
    _made: int = 0

    def __post_init__(self) -> None:
        self.places = self.profiles.entitlements.places

    def of(self, principal: PrincipalRef) -> Held:
        """All that a principal holds, in every scope."""
        found = self._held.get(principal)
        if found is None:
            if len(self._held) >= PEOPLE:
                self._held.clear()
            found = self._held[principal] = self._gathered(principal)
        return found

    def _gathered(self, principal: PrincipalRef) -> Held:
        profile, offered = self.profiles.profile(principal), self.profiles.content_of(principal)
        extras = np.array(profile.extras, dtype=np.int32).reshape(-1, 2).T
        place = np.concatenate([*(one.place for one in offered), extras[0]])
        offer = np.concatenate([*(one.offer for one in offered), extras[1]])
        given = np.flatnonzero(~np.isin(offer, self.profiles.nothing)) if self.profiles.nothing else ...
        place, offer = place[given], offer[given]
        order = np.argsort(place, kind="stable")
        return Held(place[order], offer[order], profile.wide)

    def begins(self, principal: PrincipalRef, scope: str) -> tuple[Sequence[int], tuple[str, ...]]:
        """Where in a scope a principal has something: the positions of folders, and the collections."""
        root, folders = self.places.starts[scope], len(self.places.trees[scope].ids)
        held = self.of(principal).places
        low, middle, high = np.searchsorted(
            held, [root, root + 1 + folders, root + self._extent(scope)]
        ).tolist()
        return (
            array("i", dict.fromkeys((held[low:middle] - root - 1).tolist())),
            tuple(self.places.of(at)[1].id for at in dict.fromkeys(held[middle:high].tolist())),
        )

    def turns(self, principal: PrincipalRef, scope: str, place: Place) -> list[Turn]:
        """The turns of a region, the topmost first: itself and what begins inside it."""
        held, places = self.of(principal), self.places
        top, root = places.number(scope, place), places.starts[scope]
        end = top + max(int(places.size[top]), 1) if place.kind else root + self._extent(scope)
        granted = self._at_top(held, root, top)
        found = [Turn(top, granted, -1, int(places.size[top]))]
        path = [(end, 0)]
        for at, offers in held.between(top + 1, end):
            while path[-1][0] <= at:
                path.pop()
            upper, size = path[-1][1], int(places.size[at])
            above = found[upper]
            if above.own:
                found[upper] = above._replace(own=above.own - size)
            if size:
                path.append((at + size, len(found)))
            found.append(Turn(at, self._below(above.granted, offers, at), upper, size))
        return found

    def _extent(self, scope: str) -> int:
        return 1 + len(self.places.trees[scope].ids) + len(self.places.collections[scope])

    def _at_top(self, held: Held, root: int, top: int) -> Granted:
        """What is granted at the top of a region, the grants of everything above it among it."""
        way, parent = [], self.places.parent
        while top != root:
            way.append(top)
            top = int(parent[top])
        granted = self._below(None, (held.wide[int(self.places.scope[root])],), root)
        for at in reversed(way):
            for _, offers in held.between(at, at + 1):
                granted = self._below(granted, offers, at)
        return granted

    def _below(self, above: Granted | None, offers: tuple[int, ...], at: int) -> Granted:
        """What is granted where these offers begin; with nothing above, in a whole scope."""
        at = at if above is not None and self._is_open(offers) else -1
        key = (-1 if above is None else above.number, offers, at)
        found = self._granted.get(key)
        if found is None:
            if len(self._granted) >= KEPT:
                self._granted.clear()
            found = self._granted[key] = self._joined(above, offers, at)
        return found

    def _is_open(self, offers: tuple[int, ...]) -> bool:
        """Whether something in the offers is not decided."""
        for one in offers:
            if one not in self._opens:
                offer = self.profiles.offers[one]
                self._opens[one] = bool(_open(offer.before) or _open(offer.after))
        return any(self._opens[one] for one in offers)

    def _joined(self, above: Granted | None, offers: tuple[int, ...], at: int) -> Granted:
        state = State() if above is None else above.state
        begins: list[Undecided] = [(), ()]
        for one in (self.profiles.offers[number] for number in offers):
            state = state.with_grants(one.before, one.after)
            for side, grants in enumerate((one.before, one.after)):
                begins[side] += tuple((grant, at) for grant in _open(grants))
        self._made += 1
        unknown = judge(state).of(Verdict.UNKNOWN)
        if above is None:
            return Granted(self._made, state, unknown, (begins[0], begins[1]), ((), ()))
        within = begins[0] + above.within[0], begins[1] + above.within[1]
        return Granted(self._made, state, unknown, above.wide, within)


def _open(grants: Iterable[Grant]) -> tuple[Grant, ...]:
    return tuple(one for one in grants if one.masks.opaque_permit or one.masks.opaque_forbid)
