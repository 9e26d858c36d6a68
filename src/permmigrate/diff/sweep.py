"""Walk one principal's grants down the folder tree and report where each verdict begins.

Work happens only where a grant begins: the scope itself, the folders and collections that grants name.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from permmigrate.diff.value import Verdict
from permmigrate.diff.verdicts import COMPARED, State, Verdicts, judge
from permmigrate.entitlements import FolderTree, Grant, Holding, Place

WIDE = Place()


class Span(NamedTuple):
    """A set of atoms with one verdict, at the topmost place where it begins."""

    verdict: Verdict
    place: Place
    atoms: int
    folders: int
    """Folders it holds for: the subtree less what deeper grants take out; 0 when not a folder."""
    before: tuple[Grant, ...]
    """Every grant on the before side that reaches the place."""
    after: tuple[Grant, ...]


@dataclass(slots=True)
class _Stop:
    """A folder where some grant begins."""

    position: int
    end: int
    state: State
    verdicts: Verdicts
    upper: Verdicts
    """The verdicts of the nearest stop above, or of the whole scope."""
    before: tuple[Grant, ...]
    after: tuple[Grant, ...]
    own: int
    """Folders of the subtree that no deeper stop holds."""


def sweep(holding: Holding, tree: FolderTree, folder_mask: int, collection_mask: int) -> Iterator[Span]:
    """Yield the findings of one principal in one scope, each region minimal: where it begins, once."""
    before, after = tuple(holding.before.wide), tuple(holding.after.wide)
    state = State().with_grants(before, after)
    top = judge(state)
    for verdict in COMPARED:
        atoms = top.of(verdict) & holding.valid
        if atoms:
            yield Span(verdict, WIDE, atoms, 0, before, after)
    stops = _stops(holding, tree, state, top, before, after)
    for number, stop in enumerate(stops):
        place = Place("folder", tree.ids[stop.position])
        for verdict in COMPARED:
            atoms = stop.verdicts.of(verdict) & ~stop.upper.of(verdict) & holding.valid & folder_mask
            if atoms:
                folders = _extent(stops, number, verdict, atoms)
                yield Span(verdict, place, atoms, folders, stop.before, stop.after)
    yield from _collections(holding, state, top, collection_mask)


def _stops(
    holding: Holding,
    tree: FolderTree,
    state: State,
    top: Verdicts,
    before: tuple[Grant, ...],
    after: tuple[Grant, ...],
) -> list[_Stop]:
    names = holding.before.folders.keys() | holding.after.folders.keys()
    stops: list[_Stop] = []
    path: list[_Stop] = []
    for position, name in sorted((tree.index[name], name) for name in names):
        while path and path[-1].end <= position:
            path.pop()
        own_before = holding.before.folders.get(name, [])
        own_after = holding.after.folders.get(name, [])
        upper = path[-1] if path else None
        here = (upper.state if upper else state).with_grants(own_before, own_after)
        stop = _Stop(
            position=position,
            end=tree.ends[position],
            state=here,
            verdicts=judge(here),
            upper=upper.verdicts if upper else top,
            before=(upper.before if upper else before) + tuple(own_before),
            after=(upper.after if upper else after) + tuple(own_after),
            own=tree.size(position),
        )
        if upper:
            upper.own -= stop.own
        stops.append(stop)
        path.append(stop)
    return stops


def _extent(stops: list[_Stop], number: int, verdict: Verdict, atoms: int) -> int:
    """How many folders of the subtree keep the verdict for all these atoms."""
    start = stops[number]
    total, skip_to = start.own, start.position
    for stop in stops[number + 1 :]:
        if stop.position >= start.end:
            break
        if stop.position < skip_to:
            continue
        if atoms & ~stop.verdicts.of(verdict):
            skip_to = stop.end
        else:
            total += stop.own
    return total


def _collections(holding: Holding, state: State, top: Verdicts, collection_mask: int) -> Iterator[Span]:
    for name in sorted(holding.before.collections.keys() | holding.after.collections.keys()):
        own_before = holding.before.collections.get(name, [])
        own_after = holding.after.collections.get(name, [])
        verdicts = judge(state.with_grants(own_before, own_after))
        before = (*holding.before.wide, *own_before)
        after = (*holding.after.wide, *own_after)
        for verdict in COMPARED:
            atoms = verdicts.of(verdict) & ~top.of(verdict) & holding.valid & collection_mask
            if atoms:
                yield Span(verdict, Place("collection", name), atoms, 0, before, after)
