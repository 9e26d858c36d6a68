"""What a finding says: through which grants, and why something is not known."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from permmigrate.entitlements import FolderTree, Grant, Holding, Place

REASONS_SHOWN: Final = 3

Paths = tuple[str, ...]
"""How something is granted, each way in words."""


def paths(grants: Iterable[Grant], atoms: int) -> Paths:
    """The grants that reach some of the atoms, in words; what had no effect says so."""
    found: dict[str, None] = {}
    for grant in grants:
        masks = grant.masks
        if (masks.touched | masks.forbid | masks.opaque_forbid) & atoms:
            verb = " forbids" if (masks.forbid | masks.opaque_forbid) & atoms else ""
            found[grant.text + verb] = None
        elif masks.inert & atoms:
            why = next((reason for mask, reason in grant.reasons if mask & atoms), "no effect")
            found[f"{grant.text}, without effect: {why}"] = None
    return tuple(found)


def reason(grants: Iterable[Grant], atoms: int) -> str:
    """Why a verdict is a maybe or an unknown: the first reasons, and how many more there are."""
    found: dict[str, None] = {}
    for grant in grants:
        unsure = grant.masks.maybe | grant.masks.opaque_permit | grant.masks.opaque_forbid
        for mask, why in grant.reasons:
            if mask & atoms & unsure:
                found[why] = None
    shown = list(found)[:REASONS_SHOWN]
    if len(found) > len(shown):
        shown.append(f"and {len(found) - len(shown)} more")
    return "; ".join(shown)


def reaching(holding: Holding, tree: FolderTree, place: Place) -> tuple[list[Grant], list[Grant]]:
    """The grants before and after that reach a place, the widest first."""
    before, after = list(holding.before.wide), list(holding.after.wide)
    if place.kind == "folder":
        for above in reversed(tree.ancestor_ids(tree.index[place.id])):
            before += holding.before.folders.get(above, ())
            after += holding.after.folders.get(above, ())
    elif place.kind:
        before += holding.before.collections.get(place.id, ())
        after += holding.after.collections.get(place.id, ())
    return before, after
