"""What a principal brings to the comparison: what it holds scope-wide, and whose content grants count for it.

People of one legacy role with the same assignments bring the same: it is worked out once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from permmigrate.diff.automaton import Asker, Automaton, Effect, PairTable
from permmigrate.diff.words import paths
from permmigrate.entitlements import ACCOUNT_SCOPE, Entitlements, Grant, Holding, Masks, Place
from permmigrate.entitlements.assigned import is_on_content
from permmigrate.entitlements.compiled import FOLDER_OR_COLLECTION, legacy_words
from permmigrate.entitlements.content import Given, Shared, Sort, Untold
from permmigrate.entitlements.grants import is_own
from permmigrate.entitlements.places import COLLECTION, SCOPE
from permmigrate.mapping.words import level_words
from permmigrate.model import GroupId, PrincipalRef, PrincipalType, ScopeType, User
from permmigrate.snapshot.shares import Ints

BOTH, BEFORE, AFTER = range(3)
"""The sides on which a holder's content grants count for a principal."""


class Lens(NamedTuple):
    """How content grants look to somebody: what shares are worth depends on who uses them."""

    role: str | None
    """A user's legacy role; None for a group itself and for keys."""
    reachable: bool
    side: int


class Source(NamedTuple):
    """A holder whose content grants count for a principal."""

    holder: int
    """The number of a principal."""
    within: int
    """The lens for what lies in reach."""
    beyond: int
    """And for what does not."""
    via: int
    """0 for the principal itself, else the number of the group's name."""
    is_group: bool
    """Whether it is a group that the principal is in after the migration."""


class Profile(NamedTuple):
    """What a principal holds elsewhere than on the content that grants are given on."""

    wide: tuple[int, ...]
    """What begins at each scope: the number of an offer."""
    held: tuple[bool, ...]
    """Whether there is anything at all in each scope."""
    reach: tuple[bool, ...]
    """Whether legacy shares could work in each scope."""
    extras: tuple[tuple[int, int], ...]
    """Places and offers of what begins at single places all the same: custom policies that name a folder."""


class Offer(NamedTuple):
    """Grants that begin together at one place."""

    effect: int
    before: tuple[Grant, ...]
    after: tuple[Grant, ...]
    told: bool
    """Whether the grants' words say all; else the place, the group and the source belong to them."""


class Offered(NamedTuple):
    """What one source offers, place by place."""

    source: Source
    place: Ints
    offer: Ints


_PEOPLE: Final = (PrincipalType.USER, PrincipalType.GROUP)
UNTOLD: Final = "untranslated: "
"""How the words of what no row translates begin in an offer."""


@dataclass
class Profiles:
    """Answers for every principal of a comparison."""

    entitlements: Entitlements
    automaton: Automaton
    offers: list[Offer] = field(default_factory=list)
    lenses: dict[Lens, int] = field(default_factory=dict)
    eyes: list[Lens] = field(default_factory=list)
    """The lenses by their numbers."""
    _profiles: dict[object, Profile] = field(default_factory=dict)
    names: dict[str, int] = field(default_factory=lambda: {"": 0})
    """Through whom something is held, in words."""
    _groups: dict[tuple[GroupId, str, int], Source | None] = field(default_factory=dict)
    _pairs_of_lenses: dict[tuple[str | None, int], tuple[int, int]] = field(default_factory=dict)
    variants: dict[object, int] = field(default_factory=dict)
    """The words of offers in findings, numbered from 1: see `look`."""
    _nothing: list[int] = field(default_factory=list)
    _looked_at: int = 0
    _effects: Ints = field(default_factory=lambda: np.zeros(0, dtype=np.int32))

    @property
    def effect_of(self) -> Ints:
        """The effect of each offer."""
        if len(self._effects) < len(self.offers):
            self._effects = np.array([offer.effect for offer in self.offers], dtype=np.int32)
        return self._effects

    @cached_property
    def offered(self) -> PairTable:
        """The offer of a combination of content grants (twice its number, plus one in a collection)
        through a lens."""
        return PairTable(self._offered)

    def _offered(self, combination: int, lens: int) -> int:
        sorts = self.entitlements.content.sorts[combination >> 1]
        kind = ("folder", "collection")[combination & 1]
        eye = self.eyes[lens]
        before = [g for s in sorts for g in self._before(s, kind, eye)] if eye.side != AFTER else []
        after = [g for s in sorts for g in self._after(s, kind, eye)] if eye.side != BEFORE else []
        return self._offer(before, after, COLLECTION - 1 + (combination & 1), told=False)

    def _before(self, sort: Sort, kind: str, eye: Lens) -> Iterable[Grant]:
        if isinstance(sort, Shared):
            words = legacy_words(FOLDER_OR_COLLECTION[sort.kind], sort.level)
            parts = self.entitlements.before.share_parts(sort.kind, sort.level, eye.role, eye.reachable)
            for place, masks, reasons in parts:
                if is_own(place) and place.kind == kind:
                    yield Grant(Place(), masks, words, sort.cause, reasons)

    def _after(self, sort: Sort, kind: str, eye: Lens) -> Iterable[Grant]:
        match sort:
            case Given():
                role = self.entitlements.snapshot.catalog.roles[sort.role_id]
                for place, masks, reasons in self.entitlements.compiler.role(sort.role_id).parts():
                    if is_own(place) and place.kind == kind:
                        yield Grant(Place(), masks, f"{role.level} role {role.name}", sort.cause, reasons)
            case Untold():
                before = self.entitlements.before
                for level in sort.levels:
                    for place, masks, _ in before.share_parts(sort.kind, level, eye.role, eye.reachable):
                        if is_own(place) and place.kind == kind:
                            opaque = Masks(opaque_permit=masks.touched | masks.inert)
                            yield Grant(Place(), opaque, UNTOLD + level_words(sort.level), sort.cause)
            case _:
                return

    @property
    def nothing(self) -> list[int]:
        """The offers of content grants that grant nothing at all."""
        for number in range(self._looked_at, len(self.offers)):
            offer = self.offers[number]
            if not (offer.told or offer.before or offer.after):
                self._nothing.append(number)
        self._looked_at = len(self.offers)
        return self._nothing

    def _offer(self, before: Iterable[Grant], after: Iterable[Grant], kind: int, *, told: bool) -> int:
        before, after = tuple(before), tuple(after)
        effect = self.automaton.effect(Effect.of(before, after), kind)
        self.offers.append(Offer(effect, before, after, told))
        return len(self.offers) - 1

    def look(self, offer: int, essence: int) -> int:
        """A number for an offer's words in a finding; 0 for none, odd where sources belong to them."""
        found, atoms = self.offers[offer], self.automaton.essences[essence][1]
        words = paths(found.before, atoms), paths(found.after, atoms)
        if not any(words):
            return 0
        number = self.variants.setdefault((found.told, words), len(self.variants) + 1)
        sourced = not found.told and bool(words[0] or any(one.startswith(UNTOLD) for one in words[1]))
        return 2 * number + sourced

    @cached_property
    def askers(self) -> tuple[Asker, ...]:
        """One for each type of principal in the account, then in environments."""
        return askers(self.entitlements)

    def nobodys(self, type_: PrincipalType) -> tuple[int, ...]:
        """The empty state of a type of principal in each scope."""
        at = list(PrincipalType).index(type_)
        return tuple(at + (len(PrincipalType) if scope else 0) for scope in self.entitlements.scopes)

    def lens(self, role: str | None, reachable: bool, side: int) -> int:
        found = Lens(role, reachable, side)
        if found not in self.lenses:
            self.lenses[found] = len(self.lenses)
            self.eyes.append(found)
        return self.lenses[found]

    @cached_property
    def holders(self) -> dict[PrincipalRef, int]:
        return {principal: number for number, principal in enumerate(self.entitlements.principals)}

    def reach(self, principal: PrincipalRef) -> tuple[bool, ...]:
        """Which scopes a principal's legacy shares could work in."""
        user = self._user(principal)
        if user is None:
            return (True,) * len(self.entitlements.scopes)
        within = self.entitlements.before.reach(user)
        return tuple(scope in within for scope in self.entitlements.scopes)

    def role(self, principal: PrincipalRef) -> str | None:
        """A user's legacy role."""
        user = self._user(principal)
        return user.legacy_role if user is not None else None

    def _user(self, principal: PrincipalRef) -> User | None:
        if principal.type is not PrincipalType.USER:
            return None
        earlier = self.entitlements.before.snapshot
        return earlier.user_by_id.get(principal.id) or self.entitlements.snapshot.user_by_id[principal.id]

    def sources(self, principal: PrincipalRef) -> list[Source]:
        """The principal itself and its groups of either side, in order."""
        before, after = self.entitlements.before.snapshot, self.entitlements.after.snapshot
        present = before.has(principal)
        own = BOTH if present else AFTER
        user = self._user(principal)
        if user is None:
            return [Source(self.holders[principal], *self._lenses(None, own), 0, is_group=False)]
        role = user.legacy_role
        found = [Source(self.holders[principal], *self._lenses(role, own), 0, is_group=False)]
        sides = dict.fromkeys(after.groups_of.get(user.id, ()), AFTER)
        for group in before.groups_of.get(user.id, ()) if present else ():
            sides[group] = BOTH if group in sides else BEFORE
        through = (self._through(group, role, side) for group, side in sides.items())
        found += [source for source in through if source is not None]
        return found

    def _through(self, group: GroupId, role: str, side: int) -> Source | None:
        """A group that users of a legacy role are in; None for one that nobody knows."""
        key = (group, role, side)
        if key not in self._groups:
            principal = PrincipalRef(PrincipalType.GROUP, group)
            holder = self.holders.get(principal)
            self._groups[key] = None
            if holder is not None:
                lenses, via = self._lenses(role, side), self._via(principal, side != BEFORE)
                self._groups[key] = Source(holder, *lenses, via, is_group=side != BEFORE)
        return self._groups[key]

    def _lenses(self, role: str | None, side: int) -> tuple[int, int]:
        """The lenses for what lies in reach and for what does not."""
        found = self._pairs_of_lenses.get((role, side))
        if found is None:
            found = self.lens(role, True, side), self.lens(role, False, side)
            self._pairs_of_lenses[role, side] = found
        return found

    def _via(self, group: PrincipalRef, later: bool) -> int:
        """The number of a group's name on one side."""
        snapshot = self.entitlements.snapshot if later else self.entitlements.before.snapshot
        text = f"group {snapshot.principal_name(group)} › "
        return self.names.setdefault(text, len(self.names))

    def content_of(self, principal: PrincipalRef) -> list[Offered]:
        """What every source of a principal offers it on single folders and collections."""
        content, places = self.entitlements.content, self.entitlements.places
        reach, found = np.array(self.reach(principal), dtype=bool), []
        for one in self.sources(principal):
            rows = slice(content.starts[one.holder], content.starts[one.holder + 1])
            place = content.place[rows]
            lens = np.where(reach[places.scope[place]], one.within, one.beyond)
            combination = content.combination[rows] * np.int32(2) + (places.kind[place] == COLLECTION)
            found.append(Offered(one, place, self.offered(combination, lens)))
        return found

    def profile(self, principal: PrincipalRef) -> Profile:
        """What the principal holds scope-wide and at places that no grant was given on."""
        key = self._signature(principal)
        found = self._profiles.get(key)
        if found is None:
            found = self._profiles[key] = self._make(principal)
        return found

    def _signature(self, principal: PrincipalRef) -> object:
        """What a profile depends on; the principal itself where that is all there is to say."""
        entitlements = self.entitlements
        if principal.type not in _PEOPLE or entitlements.after.strays:
            return principal
        before, after = entitlements.before.snapshot, entitlements.after
        present, user = before.has(principal), self._user(principal)
        translation = entitlements.translation
        row = translation.row_by_grant.get((principal, None)) if translation else None
        earlier = before.groups_of.get(user.id, ()) if user else ()
        later = after.snapshot.groups_of.get(user.id, ()) if user else ()
        missing = [one for one in after.untranslated(principal) if one.content is None]
        return (
            principal.type,
            present,
            user and user.legacy_role,
            self.reach(principal),
            row,
            self._wide_assignments(principal),
            tuple((one.row, one.legacy, one.reason) for one in missing),
            tuple(group for group in later if group in self._telling_groups),
            entitlements.custom.heads(principal),
            bool(later),
            bool(earlier),
        )

    def _wide_assignments(self, principal: PrincipalRef) -> tuple[tuple[str, str | None, str], ...]:
        found = self.entitlements.assigned.of(principal, ())
        return tuple((one.assignment.role_id, one.assignment.scope_id, one.cause) for one in found)

    @cached_property
    def _telling_groups(self) -> frozenset[str]:
        """The groups through which something holds scope-wide."""
        assigned = (one.assignment for one in self.entitlements.assigned.loose)
        return frozenset(
            one.principal.id
            for one in assigned
            if one.principal.type is PrincipalType.GROUP and not is_on_content(one)
        )

    def _make(self, principal: PrincipalRef) -> Profile:
        held = {holding.scope: holding for holding in self.entitlements.holdings_of(principal, ())}
        wide, extras = [], []
        for scope in self.entitlements.scopes:
            holding = held.get(scope)
            before = holding.before.wide if holding else []
            after = holding.after.wide if holding else []
            wide.append(self._offer(before, after, SCOPE, told=True))
            if holding:
                extras += list(self._extras(scope, holding))
        holds = tuple(scope in held for scope in self.entitlements.scopes)
        return Profile(tuple(wide), holds, self.reach(principal), tuple(extras))

    def _extras(self, scope: str, holding: Holding) -> Iterable[tuple[int, int]]:
        for kind, before, after in (
            ("folder", holding.before.folders, holding.after.folders),
            ("collection", holding.before.collections, holding.after.collections),
        ):
            for id_ in sorted(before.keys() | after.keys()):
                offer = self._offer(
                    before.get(id_, ()),
                    after.get(id_, ()),
                    COLLECTION if kind == "collection" else COLLECTION - 1,
                    told=True,
                )
                yield self.entitlements.places.number(scope, Place(kind, id_)), offer


def askers(entitlements: Entitlements) -> tuple[Asker, ...]:
    """What each type of principal can ask for, in the account and in environments."""
    found = []
    for scope_type in (ScopeType.ACCOUNT, ScopeType.ENVIRONMENT):
        universe = entitlements.compiler.universes[scope_type]
        masks = universe.full, universe.folder_mask, universe.collection_mask
        scope = ACCOUNT_SCOPE if scope_type is ScopeType.ACCOUNT else "any"
        found += [Asker(scope_type, entitlements.valid(type_, scope), masks) for type_ in PrincipalType]
    return tuple(found)
