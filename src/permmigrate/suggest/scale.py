"""What sets of atoms amount to: capabilities that count, each once, with a severity and a name.

All actions on one feature of the Console count as one, and so do all variants of one request.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

from permmigrate.cedar import Universe
from permmigrate.cedar.words import FEATURE, action_of, label_of, resource_of
from permmigrate.diff import Severity
from permmigrate.entitlements import Masks, Place
from permmigrate.mapping.tables import MappingTables
from permmigrate.model import ScopeType
from permmigrate.suggest.search import Option
from permmigrate.suggest.value import Cost, Item, Items, item_order

WIDE: Final = Place()
HERE: Final = "here"
"""Stands for the folder or collection that a share is on."""

_WHERE: Final = "where"


def where(place: Place, policy_id: str) -> Place:
    """The part of a place where the undecided condition of a policy holds."""
    return Place(f"{_WHERE}/{place.kind}/{place.id}", policy_id)


def _around(place: Place) -> tuple[Place, ...]:
    """The places that a place lies in."""
    part, _, rest = place.kind.partition("/")
    outer = Place(*rest.split("/", 1)) if part == _WHERE else WIDE
    return tuple(dict.fromkeys((WIDE, outer, place)))


ByPlace = Mapping[Place, Masks]
"""What some grants together permit, where."""


class Side(NamedTuple):
    """One side of a comparison, all places in one integer."""

    sure: int
    maybe: int


@dataclass(frozen=True)
class Scale:
    """One universe with the units that its atoms are counted in, for one kind of principal."""

    universe: Universe
    scope: ScopeType
    valid: int
    """The atoms that such a principal can ask for at all."""
    tables: MappingTables

    @cached_property
    def units(self) -> tuple[tuple[Item, int], ...]:
        """Each unit with its atoms, the worst first."""
        atoms: dict[tuple[str, str], int] = {}
        items: dict[tuple[str, str], Item] = {}
        for bit in self.universe.bits(self.valid):
            atom = self.universe.atoms[bit]
            resource = resource_of(atom)
            key = ("", resource) if resource.startswith(FEATURE) else (action_of(atom), resource)
            atoms[key] = atoms.get(key, 0) | 1 << bit
            item = Item(Severity(self.tables.severity(self.scope, atom.action, resource)), label_of(atom))
            items[key] = min(items.get(key, item), item, key=item_order)
        return tuple(
            sorted(((items[key], atoms[key]) for key in atoms), key=lambda u: (*item_order(u[0]), u[1]))
        )

    @cached_property
    def severities(self) -> tuple[int, ...]:
        """The units of each severity, as masks, the worst first."""
        return tuple(
            sum(1 << number for number, (item, _) in enumerate(self.units) if item.severity is severity)
            for severity in Severity
        )

    def touched(self, atoms: int) -> int:
        """The units that some of the atoms belong to."""
        return sum(1 << number for number, (_, mask) in enumerate(self.units) if mask & atoms)

    def items(self, atoms: int) -> Items:
        """The units that some of the atoms belong to, in words."""
        return tuple(dict.fromkeys(item for item, mask in self.units if mask & atoms))

    def askable(self, place: Place) -> int:
        """The atoms that can be asked for at a place."""
        kind = {"folder": self.universe.folder_mask, "collection": self.universe.collection_mask}
        mask = self.valid
        for around in _around(place):
            mask &= kind.get(around.kind, mask)
        return mask


@dataclass(frozen=True)
class Problem:
    """One set of legacy grants over one scope: what must be kept, and how assignments are weighed."""

    scale: Scale
    places: tuple[Place, ...]
    """Every place that anything in question is about; the whole scope first."""
    before: Side

    @staticmethod
    def of(scale: Scale, before: ByPlace, candidates: tuple[ByPlace, ...]) -> Problem:
        """Line up the places of the legacy side and of everything that may be given for it."""
        named = {place for side in (before, *candidates) for place in side} - {WIDE}
        places = (WIDE, *sorted(named))
        return Problem(scale, places, _legacy(scale, places, before))

    @property
    def is_unknown(self) -> bool:
        """Whether nothing is sure and something may have been."""
        return not self.before.sure and bool(self.before.maybe)

    def after(self, given: ByPlace) -> Side:
        """What assignments permit, surely and perhaps."""
        sure = maybe = 0
        for offset, masks in self._at_places(given):
            permitted = masks.permit & ~masks.forbid
            sure |= (permitted & ~masks.opaque_forbid) << offset
            perhaps = masks.maybe | masks.opaque_permit | masks.opaque_forbid & masks.permit
            maybe |= (perhaps & ~masks.forbid & ~(permitted & ~masks.opaque_forbid)) << offset
        return Side(sure, maybe)

    def cost(self, given: ByPlace) -> Cost:
        """What a holder gains and loses by assignments."""
        before, after = self.before, self.after(given)
        possible = after.sure | after.maybe
        nothing = ~(before.sure | before.maybe)
        return Cost(
            gained=self._items(after.sure & nothing),
            maybe_gained=self._items(after.sure & before.maybe | after.maybe & nothing),
            lost=self._items(before.sure & ~possible),
            maybe_lost=self._items(before.sure & after.maybe | before.maybe & ~possible),
        )

    def option(self, given: ByPlace, penalty: int = 0) -> Option:
        """A candidate as the search takes it."""
        sure = self.after(given).sure
        gained = sure & ~(self.before.sure | self.before.maybe)
        units = (
            self.scale.touched(self._atoms(gained)),
            self.scale.touched(self._atoms(sure & self.before.maybe)),
        )
        return Option(sure, *units, penalty)

    def _items(self, flat: int) -> Items:
        return self.scale.items(self._atoms(flat))

    def _atoms(self, flat: int) -> int:
        """The atoms of all places together."""
        width, found = len(self.scale.universe.atoms), 0
        for number in range(len(self.places)):
            found |= flat >> number * width & self.scale.universe.full
        return found

    def _at_places(self, side: ByPlace) -> list[tuple[int, Masks]]:
        return _at_places(self.scale, self.places, side)


def _at_places(scale: Scale, places: tuple[Place, ...], side: ByPlace) -> list[tuple[int, Masks]]:
    """The masks in force at each place, with where its bits begin."""
    width, found = len(scale.universe.atoms), []
    for number, place in enumerate(places):
        here = Masks()
        for around in _around(place):
            here |= side.get(around, Masks())
        askable = scale.askable(place)
        found.append((number * width, Masks(*(mask & askable for mask in here))))
    return found


def _legacy(scale: Scale, places: tuple[Place, ...], before: ByPlace) -> Side:
    """What must not be lost, and what may have been had: a forbid that is not decided lessens neither."""
    sure = maybe = 0
    for offset, masks in _at_places(scale, places, before):
        sure |= (masks.permit & ~masks.forbid) << offset
        maybe |= ((masks.maybe | masks.opaque_permit) & ~masks.permit & ~masks.forbid) << offset
    return Side(sure, maybe)
