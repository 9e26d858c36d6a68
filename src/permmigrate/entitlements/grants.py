"""What a grant lets its holder do, as masks over a universe, with its why. No look-ups happen here."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from permmigrate.cedar import Rule
from permmigrate.mapping import Granted


class Masks(NamedTuple):
    """Sets of atoms (bits of one universe) that a grant touches at one place."""

    permit: int = 0
    maybe: int = 0
    """Permitted or not: nobody knows what the legacy grant included."""
    forbid: int = 0
    opaque_permit: int = 0
    """A superset of what a statement outside the atoms, or an untranslated grant, may permit."""
    opaque_forbid: int = 0
    inert: int = 0
    """What the grant would have permitted had it had any effect."""

    def __or__(self, other: Masks) -> Masks:
        return Masks(*(mine | theirs for mine, theirs in zip(self, other, strict=True)))

    @property
    def touched(self) -> int:
        """Every atom that the grant may have permitted."""
        return self.permit | self.maybe | self.opaque_permit


def rule_masks(rule: Rule, granted: Granted = Granted.YES) -> Masks:
    """The masks of one statement that its holder has surely, perhaps, or in name only."""
    if granted in (Granted.NO, Granted.MOOT):
        return Masks()
    if rule.effect == "forbid":
        sure = granted is Granted.YES and not rule.opaque
        return Masks(forbid=rule.mask) if sure else Masks(opaque_forbid=rule.mask)
    if rule.opaque:
        return Masks(opaque_permit=rule.mask)
    return Masks(permit=rule.mask) if granted is Granted.YES else Masks(maybe=rule.mask)


class Place(NamedTuple):
    """Where a grant holds: scope-wide when `kind` is empty, else a folder's subtree or a collection."""

    kind: str = ""
    """Empty, `folder` or `collection`."""
    id: str = ""
    """The folder's or collection's id, or a placeholder such as `<folder_id>`."""


PLACEHOLDERS: Final = frozenset({"<folder_id>", "<collection_id>"})


def bound(place: Place, content: Mapping[str, str | None]) -> Place | None:
    """The place with its placeholder replaced by the folder or collection (by kind) something is given on.

    None where there is nothing to put there: no folder is called `<folder_id>`, so the grant has no effect.
    """
    if place.id not in PLACEHOLDERS:
        return place
    content_id = content.get(place.kind)
    return place._replace(id=content_id) if content_id else None


def is_own(place: Place) -> bool:
    """Whether a part of a role or share holds on the content it is given on, and not elsewhere."""
    return place.id in PLACEHOLDERS


@dataclass(frozen=True, slots=True, eq=False)
class Grant:
    """One reason why a principal may do something somewhere."""

    place: Place
    masks: Masks
    text: str
    """The path in words: "group EMEA > folder role Editor on Brands"."""
    cause: str
    """Which mapping row, or which vendor default, is behind it."""
    reasons: tuple[tuple[int, str], ...] = ()
    """(atoms, why nobody knows) for the maybe and opaque parts."""
    shared: bool = False
    """The same grant stands on both sides: a custom policy."""


@dataclass(slots=True)
class GrantSet:
    """All grants of one principal in one scope on one side, by where they hold."""

    wide: list[Grant] = field(default_factory=list)
    folders: dict[str, list[Grant]] = field(default_factory=dict)
    collections: dict[str, list[Grant]] = field(default_factory=dict)

    def add(self, grant: Grant) -> None:
        if grant.place.kind == "folder":
            self.folders.setdefault(grant.place.id, []).append(grant)
        elif grant.place.kind == "collection":
            self.collections.setdefault(grant.place.id, []).append(grant)
        else:
            self.wide.append(grant)

    def extend(self, grants: Iterable[Grant]) -> None:
        for grant in grants:
            self.add(grant)

    def __iter__(self) -> Iterator[Grant]:
        yield from self.wide
        for grants in self.folders.values():
            yield from grants
        for grants in self.collections.values():
            yield from grants


@dataclass(frozen=True, slots=True)
class Holding:
    """One principal in one scope, before and after."""

    scope: str
    """An environment id, or empty for the account."""
    valid: int
    """The atoms that a principal of this type can ask for at all."""
    before: GrantSet
    after: GrantSet
