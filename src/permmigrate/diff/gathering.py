"""Gather the findings of all principals, each told once: with a group for its members, or with the first of
those who hold the same along the same paths.

Groups are walked first. A finding of a user that one of the user's groups has too is listed there; those that
users have in common down to the last path are listed with the first of them. Nothing is put in words here.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, repeat
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
import numpy.typing as npt

from permmigrate.diff.automaton import Automaton, PairTable
from permmigrate.diff.marks import Marks, alike, mixed_in
from permmigrate.diff.members import Groups, Members
from permmigrate.diff.profiles import Profile, Profiles, Source
from permmigrate.diff.value import Verdict
from permmigrate.diff.verdicts import COMPARED
from permmigrate.diff.walk import Walk, Walker
from permmigrate.entitlements import Entitlements
from permmigrate.entitlements.content import mixed
from permmigrate.model import PrincipalType
from permmigrate.snapshot.shares import Ints

BATCH: Final = 1 << 17
"""Entries walked at once: enough to keep numpy busy, few enough for the processor's caches."""
SLOTS: Final = 64
"""Principals walked at once at most."""
THREADS: Final = 2
"""Walks side by side: numpy lets others work while it does. What comes out does not depend on it."""
Column = npt.NDArray[Any]
Listed = list[tuple[npt.NDArray[np.intp], Ints]]
"""Findings of groups, and which member each is listed for."""
T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class Gathered:
    """Parallel columns, one entry a finding, in no particular order."""

    principal: Ints
    place: Ints
    kind: Ints
    folders: Ints
    state: Ints
    """For each finding the state it was found in: what is granted there, and to which kind of principal."""
    group: Ints
    """For a group's finding its number among them, which says where its members' marks are; else -1."""
    members: Members
    first_other: npt.NDArray[np.int64]
    """For each finding where its other users begin in `others`; one more than there are findings."""
    others: Ints
    counts: npt.NDArray[np.int64]
    """Of each principal, how many findings of each verdict hold for it."""
    caused: npt.NDArray[np.bool_]
    """Of each principal, whether a finding of each set of causes holds for it."""
    cause_sets: tuple[tuple[tuple[str, ...], bool], ...]
    """The sets, each once for findings with a verdict and once for unknown ones."""
    decided: int

    def others_of(self, at: int) -> Ints:
        """The users for whom a finding holds beside its principal, by their numbers."""
        if self.group[at] >= 0:
            return self.members.of(int(self.group[at]))
        return self.others[self.first_other[at] : self.first_other[at + 1]]


@dataclass
class _Known:
    """The groups' own stops and findings, to look users' findings up in."""

    key: npt.NDArray[np.int64]
    """Group's number times the number of places, plus the place: sorted."""
    step: Ints
    first: npt.NDArray[np.intp]
    """The first finding of each stop."""
    of_entry: Ints
    """The stop of each content grant of a group."""
    folders: Ints


class _Batch(NamedTuple):
    """Principals that are walked together."""

    numbers: Ints
    profiles: tuple[Profile, ...]
    sources: tuple[list[Source], ...]

    @staticmethod
    def of(batch: Sequence[tuple[int, Profile, list[Source]]]) -> _Batch:
        numbers, profiles, sources = zip(*batch, strict=True)
        return _Batch(np.array(numbers, dtype=np.int32), profiles, sources)


@dataclass
class Gathering:
    """One comparison's findings on their way."""

    entitlements: Entitlements
    automaton: Automaton
    profiles: Profiles

    def __post_init__(self) -> None:
        self.walker = Walker(self.entitlements, self.automaton, self.profiles)
        self.principals = self.entitlements.principals
        self.counts = np.zeros((len(self.principals), len(COMPARED)), dtype=np.int64)
        self.caused = np.zeros((len(self.principals), 64), dtype=bool)
        self.cause_sets: dict[tuple[tuple[str, ...], bool], int] = {}
        self.decided = 0
        self.groups = Groups.of(self.entitlements.snapshot, self.principals, self.profiles.holders)
        self._essence_in_step = PairTable(self._place_in_step, self.automaton.lock)
        self._looks = PairTable(self.profiles.look, self.automaton.lock)
        self._cause_set: list[int] = []
        """The number of each kind's set of causes."""

    def run(self) -> Gathered:
        """Walk everybody, groups first."""
        numbers = {type_: self._numbers_of(type_) for type_ in PrincipalType}
        known, found = self._groups(numbers[PrincipalType.GROUP])
        members = Members.none_of(self.groups, self.groups.group_of[found[0]])
        users = self._users(numbers[PrincipalType.USER], known, members)
        heads, first_other, others = alike(users[-1])
        listed = [column[heads] for column in users[:5]]
        keys = [self._plain(numbers[one]) for one in (PrincipalType.API_KEY, PrincipalType.ACCOUNT_KEY)]
        parts = [found, listed, *keys]
        principal, place, kind, folders, state = (
            np.concatenate(column) for column in zip(*parts, strict=True)
        )
        own = len(found[0])
        group = np.full(len(principal), -1, dtype=np.int32)
        group[:own] = np.arange(own, dtype=np.int32)
        starts = np.zeros(len(principal) + 1, dtype=np.int64)
        starts[own : own + len(first_other)] = first_other
        starts[own + len(first_other) :] = first_other[-1]
        return Gathered(
            *(principal, place, kind, folders, state, group, members, starts, users[0][others]),
            *(self.counts, self.caused, tuple(self.cause_sets), self.decided),
        )

    def _numbers_of(self, type_: PrincipalType) -> list[int]:
        return [number for number, one in enumerate(self.principals) if one.type is type_]

    def _batches(self, numbers: Sequence[int]) -> Iterator[_Batch]:
        """These principals, some at a time."""
        batch: list[tuple[int, Profile, list[Source]]] = []
        size = 0
        for number in numbers:
            principal = self.principals[number]
            profile, sources = self.profiles.profile(principal), self.profiles.sources(principal)
            entries = self.walker.entries_of(sources) + len(profile.wide) + len(profile.extras)
            if batch and (size + entries > BATCH or len(batch) == SLOTS):
                yield _Batch.of(batch)
                batch, size = [], 0
            batch.append((number, profile, sources))
            size += entries
        if batch:
            yield _Batch.of(batch)

    def _walked(
        self, numbers: Sequence[int], work: Callable[[_Batch, Walk], T]
    ) -> Iterator[tuple[_Batch, T]]:
        """Walk these principals and work on each walk, two at a time; the outcomes come in order."""

        def walk(batch: _Batch) -> tuple[Walk, T]:
            principals = [self.principals[number] for number in batch.numbers.tolist()]
            walked = self.walker.walk(principals, batch.profiles, batch.sources)
            return walked, work(batch, walked)

        with ThreadPoolExecutor(THREADS) as pool:
            under_way: deque[tuple[_Batch, Future[tuple[Walk, T]]]] = deque()
            for batch in chain(self._batches(numbers), repeat(None, THREADS)):
                if batch is not None:
                    under_way.append((batch, pool.submit(walk, batch)))
                if under_way and (batch is None or len(under_way) > THREADS):
                    done, future = under_way.popleft()
                    walked, outcome = future.result()
                    self._count(done.numbers, done.profiles, walked)
                    yield done, outcome

    def _count(self, numbers: Ints, profiles: Sequence[Profile], walk: Walk) -> None:
        """Count what holds for each principal, wherever it will be listed."""
        places, scopes = self.entitlements.places, len(self.entitlements.scopes)
        stops = np.bincount(
            walk.slot.astype(np.int64) * scopes + places.scope[walk.place], minlength=len(numbers) * scopes
        ).reshape(-1, scopes)
        held = (stops > 1) | np.array([profile.held for profile in profiles], dtype=bool)
        types = [self.principals[number].type for number in numbers]
        valid = {
            type_: np.array(
                [self.entitlements.valid(type_, one).bit_count() for one in self.entitlements.scopes],
                dtype=np.int64,
            )
            for type_ in set(types)
        }
        self.decided += int((stops * held * np.array([valid[type_] for type_ in types])).sum())
        kinds = len(self.automaton.kinds)
        found = np.bincount(
            walk.slot[walk.stop].astype(np.int64) * kinds + walk.kind, minlength=len(numbers) * kinds
        ).reshape(len(numbers), kinds)
        self._make_room()
        for kind in np.flatnonzero(found.any(axis=0)).tolist():
            self.counts[numbers, self.automaton.kinds[kind].verdict] += found[:, kind]
            self.caused[numbers, self._cause_set[kind]] |= found[:, kind] > 0

    def _make_room(self) -> None:
        """Number the sets of causes of all kinds there are, with a column for each."""
        for one in self.automaton.kinds[len(self._cause_set) :]:
            key = one.causes, COMPARED[one.verdict] is Verdict.UNKNOWN
            self._cause_set.append(self.cause_sets.setdefault(key, len(self.cause_sets)))
        width = self.caused.shape[1]
        if len(self.cause_sets) > width:
            wider = np.zeros((len(self.principals), 2 * len(self.cause_sets)), dtype=bool)
            wider[:, :width] = self.caused
            self.caused = wider

    def _plain(self, numbers: Sequence[int]) -> tuple[Column, ...]:
        """The findings of principals that stand for themselves."""
        return _concatenated([part for _, part in self._walked(numbers, self._columns)], 5)

    def _columns(self, batch: _Batch, walk: Walk) -> tuple[Column, ...]:
        """Principal, place, kind, folders and state of a walk's findings."""
        state = self.automaton.leads_to[walk.step[walk.stop]]
        return batch.numbers[walk.slot[walk.stop]], walk.place[walk.stop], walk.kind, walk.folders, state

    def _groups(self, numbers: Sequence[int]) -> tuple[_Known, tuple[Column, ...]]:
        of_entry = np.full(len(self.entitlements.content.place), -1, dtype=np.int32)
        stops: list[tuple[Column, ...]] = []
        parts: list[tuple[Column, ...]] = []
        before = findings = 0
        for batch, walk in self._walked(numbers, lambda _, walk: walk):
            who = batch.numbers
            stop = np.repeat(np.arange(len(walk.first)), np.diff(np.append(walk.first, len(walk.entry))))
            given = np.flatnonzero(walk.entry >= 0)
            of_entry[walk.entry[given]] = before + stop[given]
            key = (
                self.groups.group_of[who[walk.slot]].astype(np.int64) * len(self.entitlements.places)
                + walk.place
            )
            count = np.bincount(walk.stop, minlength=len(key))
            stops.append((key, walk.step, findings + np.cumsum(count) - count))
            parts.append(self._columns(batch, walk))
            before, findings = before + len(key), findings + len(walk.stop)
        found = _concatenated(parts, 5)
        key, step, first = _concatenated(stops, 3)
        return _Known(key.astype(np.int64), step, first.astype(np.intp), of_entry, found[3]), found

    def _place_in_step(self, step: int, essence: int) -> int:
        """One more than the place of an essence among the findings of a step; 0 where it is not there."""
        wanted = self.automaton.essences[essence]
        kinds = [kind for _, found in self.automaton.steps[step][1] for kind in found]
        essences = [self.automaton.kinds[kind].essence for kind in kinds]
        return essences.index(wanted) + 1 if wanted in essences else 0

    def _users(self, numbers: Sequence[int], known: _Known, members: Members) -> tuple[Column, ...]:
        """The findings that no group of the user has, with a number for all that makes two of them alike."""
        parts = []
        for _, (part, listed) in self._walked(numbers, lambda b, w: self._of_users(b, w, known)):
            parts.append(part)
            for theirs, member in listed:
                members.add(theirs, member)
        return _concatenated(parts, 6)

    def _of_users(self, batch: _Batch, walk: Walk, known: _Known) -> tuple[tuple[Column, ...], Listed]:
        """The columns of what no group has, and what is listed with groups."""
        left, listed = self._unlisted(batch, walk, known)
        columns = tuple(column[left] for column in self._columns(batch, walk))
        return (*columns, self._mark(columns[0], walk, left)), listed

    def _unlisted(self, batch: _Batch, walk: Walk, known: _Known) -> tuple[npt.NDArray[np.intp], Listed]:
        """List findings with a group where one of the user's groups has them; the others."""
        essence = self.automaton.essence_of[walk.kind]
        length = np.diff(np.append(walk.first, len(walk.entry)))
        special = self._special(walk)
        ordinal = np.array([one.group for one in walk.sources], dtype=np.int32)
        member = self._member_of_source(batch, walk)
        left = np.flatnonzero(~special[walk.stop])
        nth = 0
        listed = np.zeros(len(walk.stop), dtype=bool)
        pairs: Listed = []
        while len(left):
            entry = walk.first[walk.stop[left]] + nth
            source = walk.source[entry]
            usable = np.flatnonzero(ordinal[source] >= 0)
            stop = known.of_entry[walk.entry[entry[usable]]]
            usual = left[usable], stop, member[source[usable]]
            pairs.append(self._list(*usual, essence, walk.folders, known, listed))
            nth += 1
            left = left[~listed[left] & (length[walk.stop[left]] > nth)]
        rest = np.flatnonzero(special[walk.stop])
        of_slot = [self._groups_after(number) for number in batch.numbers.tolist()]
        for at in range(max(map(len, of_slot), default=0) if len(rest) else 0):
            group = np.array([found[at] if at < len(found) else -1 for found in of_slot], dtype=np.int64)
            rest = rest[~listed[rest]]
            slot = walk.slot[walk.stop[rest]]
            key = group[slot] * len(self.entitlements.places) + walk.place[walk.stop[rest]]
            at_key = np.minimum(np.searchsorted(known.key, key), len(known.key) - 1)
            there = np.flatnonzero((group[slot] >= 0) & (known.key[at_key] == key))
            who = batch.numbers[slot[there]]
            members = self.groups.member(group[slot[there]].astype(np.int32), who)
            found = rest[there], at_key[there], members
            pairs.append(self._list(*found, essence, walk.folders, known, listed))
        return np.flatnonzero(~listed), pairs

    def _special(self, walk: Walk) -> npt.NDArray[np.bool_]:
        """The stops where something begins that no holder's content grants give: scopes, custom policies."""
        stop = np.repeat(np.arange(len(walk.first)), np.diff(np.append(walk.first, len(walk.entry))))
        special = np.zeros(len(walk.first), dtype=bool)
        special[stop[walk.entry < 0]] = True
        return special

    def _groups_after(self, number: int) -> list[int]:
        groups = self.entitlements.after.groups(self.principals[number])
        return [int(self.groups.group_of[self.profiles.holders[one]]) for one in groups]

    def _list(
        self,
        finding: npt.NDArray[np.intp],
        stop: npt.NDArray[np.integer],
        member: Ints,
        essence: Ints,
        folders: Ints,
        known: _Known,
        listed: npt.NDArray[np.bool_],
    ) -> tuple[npt.NDArray[np.intp], Ints]:
        """Mark the findings that the groups' stops have too, to the number of folders; theirs, and whose."""
        at = self._essence_in_step(known.step[stop], essence[finding])
        hit = np.flatnonzero(at > 0)
        theirs = known.first[stop[hit]] + at[hit] - 1
        same = np.flatnonzero(known.folders[theirs] == folders[finding[hit]])
        hit, theirs = hit[same], theirs[same]
        listed[finding[hit]] = True
        return theirs, member[hit]

    def _member_of_source(self, batch: _Batch, walk: Walk) -> Ints:
        """Which member of each source's group the principal is; 0 where the source is no group of its."""
        slots = np.repeat(np.arange(len(batch.numbers)), walk.sources_of)
        rows = [at for at, one in enumerate(walk.sources) if one.group >= 0]
        member = np.zeros(len(walk.sources), dtype=np.int32)
        group = np.array([self.groups.group_of[walk.sources[at].holder] for at in rows], dtype=np.int32)
        member[rows] = self.groups.member(group, batch.numbers[slots[rows]])
        return member

    def _mark(self, who: Ints, walk: Walk, left: npt.NDArray[np.intp]) -> Marks:
        """One number for all that makes two users' findings alike: where, what, why, and every path."""
        essence = self.automaton.essence_of[walk.kind[left]]
        dormant = self._dormant[who]
        mark = mixed_in(np.zeros(len(left), dtype=np.uint64), walk.place[walk.stop[left]])
        for column in (essence, walk.folders[left], dormant):
            mark = mixed_in(mark, column)
        length = np.diff(np.append(walk.first, len(walk.entry)))
        via = np.array([one.via for one in walk.sources], dtype=np.int64)
        origin = np.append(self.entitlements.content.origin, np.uint64(0))  # the last one is for no entry
        rows, stop = np.arange(len(left)), walk.stop[left]
        while len(rows):
            inner, at, nth = np.arange(len(rows)), stop, 0
            while len(inner):
                entry = walk.first[at] + nth
                look = self._looks(walk.offer[entry], essence[rows[inner]])
                said = np.flatnonzero(look > 0)
                source, given = walk.source[entry[said]], walk.entry[entry[said]]
                told = mixed_in(np.where(look[said] & 1, origin[given], np.uint64(0)), look[said])
                told = mixed_in(told, np.where(source >= 0, via[source], 0))
                told = mixed_in(told, walk.place[at[said]])
                target = rows[inner[said]]
                mark[target] = mixed(mark[target] + told)
                nth += 1
                more = length[at] > nth
                inner, at = inner[more], at[more]
            above = walk.parent[stop].astype(np.intp)
            up = above >= 0
            rows, stop = rows[up], above[up]
        return mark

    @cached_property
    def _dormant(self) -> Column:
        snapshot = self.entitlements.snapshot
        return np.array([snapshot.is_dormant(one) for one in self.principals], dtype=np.int64)


def _concatenated(parts: list[tuple[Column, ...]], width: int) -> tuple[Column, ...]:
    """Columns of several parts as one; the parts are let go, column by column."""
    columns: list[list[Column]] = [[] for _ in range(width)]
    while parts:
        for column, piece in zip(columns, parts.pop(0), strict=True):
            column.append(piece)
    made = []
    for column in columns:
        made.append(np.concatenate(column) if column else np.zeros(0, dtype=np.int32))
        column.clear()
    return tuple(made)
