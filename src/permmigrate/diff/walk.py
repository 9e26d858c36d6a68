"""Walk many principals' grants down the folder trees at once, and tell where each verdict begins.

Work happens only where a grant begins: at the scopes, and at the folders and collections that grants name. A
place is a number that comes before all that lies in it, so one sort brings every principal's stops into the
order of the trees.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from permmigrate.diff.automaton import Automaton
from permmigrate.diff.batches import Batch
from permmigrate.diff.parts import Numbers, Parts, numbered, repeated
from permmigrate.diff.profiles import Profiles
from permmigrate.entitlements import Entitlements
from permmigrate.entitlements.places import COLLECTION, FOLDER, SCOPE
from permmigrate.model import PrincipalRef, PrincipalType
from permmigrate.snapshot.shares import Ints

Wide = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Walk:
    """Some principals' stops in the order of principals and trees, and the findings that begin there."""

    slot: Ints
    """For each stop the principal, by its number among those walked."""
    place: Ints
    first: npt.NDArray[np.intp]
    """Where the entries of the stop begin: several holders may give something at one place."""
    parent: Ints
    """The nearest stop above; -1 for a scope."""
    step: Ints
    offer: Ints
    """For each entry what begins."""
    source: Ints
    """For each entry the number of its source; -1 for what no holder's content grants give."""
    entry: Ints
    """For each entry its number among all content grants; -1 likewise."""
    stop: npt.NDArray[np.intp]
    """For each finding its stop."""
    kind: Ints
    folders: Ints

    @property
    def stop_of_entry(self) -> Numbers:
        """The stop of each entry."""
        return np.repeat(np.arange(len(self.first)), np.diff(np.append(self.first, len(self.entry))))


@dataclass
class Walker:
    """Walks principals of one comparison."""

    entitlements: Entitlements
    automaton: Automaton
    profiles: Profiles
    parts: Parts

    def __post_init__(self) -> None:
        self.places = self.entitlements.places
        self.content = self.entitlements.content
        self._marks = np.zeros(0, dtype=bool)

    @cached_property
    def _bits(self) -> int:
        """How many bits a place takes in a stop's key; the slot comes above them."""
        return len(self.places).bit_length()

    @cached_property
    def _in_folder(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.places.kind == FOLDER)

    @cached_property
    def _in_collection(self) -> npt.NDArray[np.bool_]:
        return np.asarray(self.places.kind == COLLECTION)

    @cached_property
    def _nobodys(self) -> dict[PrincipalType, tuple[int, ...]]:
        return {type_: self.profiles.nobodys(type_) for type_ in PrincipalType}

    @cached_property
    def _roots(self) -> Ints:
        return np.array([self.places.starts[scope] for scope in self.entitlements.scopes], dtype=np.int32)

    def walk(self, batch: Batch, source: Numbers, part: Numbers) -> Walk:
        """Walk the subjects of a batch along these parts of what their sources hold, by their numbers."""
        key, offer, source_of, entry = self._entries(batch, source, part)
        order, key, first = _runs(key)
        offer, source_of, entry = offer[order], source_of[order], entry[order]
        effect = self._joined(self.profiles.effect_of[offer], first)
        slot, place = (key >> self._bits).astype(np.int32), (key & (1 << self._bits) - 1).astype(np.int32)
        roots = np.searchsorted(key, self._keys_of_roots(len(batch.principals)))
        parent = self._parents(place, key, roots)
        step = self._steps(batch.principals, slot, place, parent, effect)
        stop, kind, folders = self._findings(place, parent, step)
        return Walk(slot, place, first, parent, step, offer, source_of, entry, stop, kind, folders)

    def _keys_of_roots(self, slots: int) -> Wide:
        return (np.arange(slots)[:, None] << self._bits | self._roots).ravel()

    def _entries(self, batch: Batch, source: Numbers, part: Numbers) -> tuple[Wide, Ints, Ints, Ints]:
        """Everything that begins anywhere: of the scopes, of holders' content grants, and single ones."""
        profiles = batch.profiles
        wide = np.array([profile.wide for profile in profiles], dtype=np.int32).ravel()
        key, offer, source_of, entry = self._content_entries(batch, source, part)
        extras = numbered(
            [(at, *extra) for at, profile in enumerate(profiles) for extra in profile.extras], 3
        )
        roots, none = self._keys_of_roots(len(profiles)), np.full(len(wide) + len(extras), -1, dtype=np.int32)
        return (
            np.concatenate([roots, extras[:, 0].astype(np.int64) << self._bits | extras[:, 1], key]),
            np.concatenate([wide, extras[:, 2], offer]),
            np.concatenate([none, source_of]),
            np.concatenate([none, entry]),
        )

    def _content_entries(self, batch: Batch, source: Numbers, part: Numbers) -> tuple[Wide, Ints, Ints, Ints]:
        which, entry = self.parts.entries_of(part)
        source_of, place = source[which], self.content.place[entry]
        reach = np.array([profile.reach for profile in batch.profiles], dtype=bool)
        lenses = np.where(reach[batch.slot], batch.lenses[:, 1:2], batch.lenses[:, 2:3])
        lens = lenses.ravel()[source_of * lenses.shape[1] + self.places.scope[place]]
        combination = self.content.combination[entry] * np.int32(2) + self._in_collection[place]
        offer = self.profiles.offered(combination, lens)
        if len(self.profiles.nothing):
            given = np.flatnonzero(~np.isin(offer, self.profiles.nothing))
            offer, source_of, entry, place = offer[given], source_of[given], entry[given], place[given]
        key = (batch.slot.astype(np.int64) << self._bits)[source_of] | place
        return key, offer, source_of.astype(np.int32), entry.astype(np.int32)

    def _joined(self, effect: Ints, first: npt.NDArray[np.intp]) -> Ints:
        """What begins at each stop: of several entries, all of it."""
        joined = effect[first]
        length = np.diff(np.append(first, len(effect)))
        several, nth = np.flatnonzero(length > 1), 1
        while len(several):
            joined[several] = self.automaton.join(joined[several], effect[first[several] + nth])
            nth += 1
            several = several[length[several] > nth]
        return joined

    def _parents(self, place: Ints, key: Wide, roots: Numbers) -> Ints:
        """The nearest stop above each stop.

        Most lie in no other folder where anything begins: they come after all that lies within the stops
        before them. The others climb the tree, and look at marks only, which stay in the processor's caches.
        """
        within = np.flatnonzero(key[1:] < np.maximum.accumulate(key + self.parts.size[place])[:-1]) + 1
        parent = np.repeat(roots.astype(np.int32), np.diff(np.append(roots, len(place))))
        parent[roots] = -1
        marks = self._room(int(key[-1]) + 1)
        marks[key] = True
        above, climbing = self.places.parent, within
        base, at = key[within] - place[within], above[place[within]]
        found = np.empty(len(place), dtype=np.int64)
        while len(climbing):
            seen = base + at
            met = marks[seen]
            found[climbing[met]] = seen[met]
            left = np.flatnonzero(~met)
            climbing, base, at = climbing[left], base[left], above[at[left]]
        marks[key] = False
        parent[within] = np.searchsorted(key, found[within])
        return parent

    def _room(self, keys: int) -> npt.NDArray[np.bool_]:
        """Room to mark so many keys, clean; whoever marks some wipes them off again."""
        if len(self._marks) < keys:
            self._marks = np.zeros(keys, dtype=bool)
        return self._marks

    def _steps(
        self, principals: Sequence[PrincipalRef], slot: Ints, place: Ints, parent: Ints, effect: Ints
    ) -> Ints:
        """The step that leads to each stop, from the scopes downwards."""
        nobodys = np.array([self._nobodys[one.type] for one in principals], dtype=np.int32)
        step = np.full(len(place), -1, dtype=np.int32)
        state = np.full(len(place), -1, dtype=np.int32)
        ready = np.flatnonzero(parent < 0)
        above = nobodys[slot[ready], self.places.scope[place[ready]]]
        waiting = np.flatnonzero(parent >= 0)
        while True:
            step[ready] = self.automaton.step(above, effect[ready])
            state[ready] = self.automaton.leads_to[step[ready]]
            if not len(waiting):
                return step
            above = state[parent[waiting]]
            known = above >= 0
            ready, above, waiting = waiting[known], above[known], waiting[~known]

    def _findings(self, place: Ints, parent: Ints, step: Ints) -> tuple[npt.NDArray[np.intp], Ints, Ints]:
        """The findings of all stops: the stop, the kind, and how many folders each holds for."""
        first, span, first_kind, kind = self.automaton.flat
        count = self.automaton.span_counts[step]
        stop, nth = repeated(count)
        at = first[step[stop]] + nth
        folders = self._extents(place, parent, step, stop, span[at])
        which, nth = repeated(first_kind[at + 1] - first_kind[at])
        return stop[which], kind[first_kind[at[which]] + nth], folders[which]

    def _extents(self, place: Ints, parent: Ints, step: Ints, stop: npt.NDArray[np.intp], span: Ints) -> Ints:
        """How many folders of a span's subtree keep its verdict for all its atoms."""
        own = self.places.size[place]
        in_folder = self._in_folder[place]
        below = np.flatnonzero(in_folder & in_folder[parent])
        own -= np.bincount(parent[below], weights=own[below], minlength=len(own)).astype(np.int32)
        bits = len(place).bit_length()
        by_parent = parent[below].astype(np.int64) << bits | below
        by_parent.sort()
        below = by_parent & (1 << bits) - 1
        children = np.bincount(parent[below], minlength=len(own))
        starts = np.cumsum(children) - children
        extent = own[stop]
        state = self.automaton.leads_to[step]
        spans = np.flatnonzero(children[stop] > 0)
        stops = stop[spans]
        while len(spans):
            which, nth = repeated(children[stops])
            child = below[starts[stops[which]] + nth]
            kept = np.flatnonzero(self.automaton.keeps(state[child], span[spans[which]]))
            spans, stops = spans[which[kept]], child[kept]
            extent += np.bincount(spans, weights=own[stops], minlength=len(extent)).astype(np.int32)
            more = np.flatnonzero(children[stops] > 0)
            spans, stops = spans[more], stops[more]
        return extent


def _runs(key: Wide) -> tuple[Wide, Wide, npt.NDArray[np.intp]]:
    """The order of entries by their keys, and for each stop its key and where its entries begin."""
    bits = len(key).bit_length()
    packed = key << bits | np.arange(len(key))
    packed.sort()
    order, key = packed & (1 << bits) - 1, packed >> bits
    first = np.flatnonzero(np.concatenate([key[:1] == key[:1], key[1:] != key[:-1]]))
    return order, key[first], first


__all__ = ["SCOPE", "Walk", "Walker"]
