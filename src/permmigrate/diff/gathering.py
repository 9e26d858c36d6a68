"""Gather the findings of all principals, each told once: with a group for its members, or with the first of
those who hold the same along the same paths.

Groups are walked first. What a user holds through one group alone is looked at once for all who hold it so;
each user is walked for the rest only. A finding of a user that one of the user's groups has too is listed
there; those that users have in common down to the last path are listed with the first of them. Of many users
one half is walked in a copy of this process. Nothing is put in words here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from permmigrate.beside import at_once
from permmigrate.diff.alike import Alike, Columns
from permmigrate.diff.audiences import Audience, Audiences, Bools
from permmigrate.diff.automaton import Automaton, Kind, Stated
from permmigrate.diff.batches import FEW, Batch, batches, subjects
from permmigrate.diff.held import CauseSet, Held, Table
from permmigrate.diff.known import Known
from permmigrate.diff.listing import Listing
from permmigrate.diff.marks import Marker
from permmigrate.diff.members import Bits, Groups, Members
from permmigrate.diff.parts import Parts
from permmigrate.diff.profiles import Profiles
from permmigrate.diff.sharing import Sharing, columns_of
from permmigrate.diff.walk import Walk, Walker
from permmigrate.entitlements import Entitlements
from permmigrate.memory import trim
from permmigrate.model import PrincipalType
from permmigrate.snapshot.shares import Ints, Small

MANY: Final = 1 << 20
"""Parts of content grants that users hold, from which on they are walked in halves: it is a second's work."""

MINE: Final = 0.52
"""How much of the work is done in this process: in a copy it takes a little longer."""


@dataclass(frozen=True, eq=False)
class Gathered:
    """Parallel columns, one entry a finding, in no particular order."""

    principal: Small
    place: Ints
    kind: Small
    folders: Small
    state: Small
    """For each finding the state it was found in: what is granted there, and to which kind of principal."""
    members: Members
    """Whom the first findings hold for, which are the groups'."""
    first_other: Ints
    """For each of the users' findings, which follow, where its other users begin in `others`, ..."""
    number_of_others: Small
    """... and how many there are."""
    others: Small
    counts: npt.NDArray[np.int64]
    """Of each principal, how many findings of each verdict hold for it."""
    caused: npt.NDArray[np.bool_]
    """Of each principal, whether a finding of each set of causes holds for it."""
    cause_sets: tuple[CauseSet, ...]
    """The sets, each once for findings with a verdict and once for unknown ones."""
    decided: int

    def others_of(self, at: int) -> Small:
        """The users for whom a finding holds beside its principal, by their numbers."""
        after = at - self.groups
        if after < 0:
            return self.members.of(at)
        if after < self.users:
            first = int(self.first_other[after])
            return self.others[first : first + int(self.number_of_others[after])]
        return self.others[:0]

    @property
    def groups(self) -> int:
        """How many findings are groups'; they come first."""
        return len(self.members.group)

    @property
    def users(self) -> int:
        """How many are users'; they come next."""
        return len(self.first_other)


@dataclass
class Gathering:
    """One comparison's findings on their way."""

    entitlements: Entitlements
    automaton: Automaton
    profiles: Profiles

    def __post_init__(self) -> None:
        self.principals = self.entitlements.principals
        self.parts = Parts.of(self.entitlements.content, self.entitlements.places)
        self.walker = Walker(self.entitlements, self.automaton, self.profiles, self.parts)
        self.held = Held(self.entitlements, self.automaton)
        self.groups = Groups.of(self.entitlements.snapshot, self.principals, self.profiles.holders)

    def run(self) -> Gathered:
        """Walk everybody, groups first."""
        trim()
        known, of_groups = self._groups()
        group = self.groups.group_of[of_groups.principal]
        users = self._users(known, group)
        keys = [self._plain(type_) for type_ in (PrincipalType.API_KEY, PrincipalType.ACCOUNT_KEY)]
        del known
        told, first_other, number_of_others, others = users.alike.told()
        parts = [of_groups, told, *keys]
        del of_groups, told, keys
        columns = Columns.joined(parts)
        trim()
        self.held.join(*users.held.parts, np.arange(len(self.automaton.kinds), dtype=np.int32))
        cause_sets, caused = self.held.caused()
        return Gathered(
            *(*columns, users.members, first_other, number_of_others, others),
            *(self.held.counts(), caused, cause_sets, self.held.decided()),
        )

    def _numbers(self, type_: PrincipalType) -> list[int]:
        return [number for number, one in enumerate(self.principals) if one.type is type_]

    def _batches(self, numbers: Sequence[int]) -> Iterator[Batch]:
        return batches(self.principals, subjects(self.principals, numbers, self.profiles), self.parts)

    def _whole(self, batch: Batch) -> Walk:
        """Walk everything that the subjects hold."""
        return self.walker.walk(batch, *self.parts.held_by(batch.lenses[:, 0]))

    def _plain(self, type_: PrincipalType) -> Columns:
        """The findings of principals that stand for themselves."""
        found = []
        for batch in self._batches(self._numbers(type_)):
            walk = self._whole(batch)
            self.held.add(batch, walk)
            found.append(columns_of(self.automaton, batch, walk))
        return Columns.joined(found)

    def _groups(self) -> tuple[Known, Columns]:
        found = []

        def walks() -> Iterator[tuple[Ints, Walk]]:
            for batch in self._batches(self._numbers(PrincipalType.GROUP)):
                walk = self._whole(batch)
                self.held.add(batch, walk)
                found.append(columns_of(self.automaton, batch, walk))
                yield self.groups.group_of[batch.numbers], walk

        places, entries = len(self.entitlements.places), len(self.entitlements.content.place)
        return Known.of(self.automaton, places, entries, walks()), Columns.joined(found)

    def _users(self, known: Known, group: Ints) -> _Users:
        """What users hold and none of their groups has; the groups' findings are these groups'."""
        some, others = self._halves()
        if not others:
            return self._walked(some, known, group)
        mine, theirs = at_once(
            lambda: self._walked(some, known, group),
            lambda: self._walked(others, known, group).sent(self.automaton),
        )
        mine.join(theirs, self.automaton)
        return mine

    def _halves(self) -> tuple[list[int], list[int]]:
        """The users, those of one legacy role together, in two lists that are about as much work; few are
        all in the first. Groups look alike to people of one role."""
        held = np.diff(self.parts.starts)
        work = held.copy()
        for holder, members in zip(self._numbers(PrincipalType.GROUP), self.groups.members, strict=True):
            work[members] += held[holder]
        users = self._numbers(PrincipalType.USER)
        users.sort(key=lambda number: self.profiles.role(self.principals[number]) or "")
        done = np.cumsum(work[users])
        if not users or done[-1] < MANY:
            return users, []
        middle = int(np.searchsorted(done, int(done[-1] * MINE))) + 1
        return sorted(users[:middle]), sorted(users[middle:])

    def _walked(self, users: Sequence[int], known: Known, group: Ints) -> _Users:
        """What some users hold: what touches each other first, then the rest."""
        found = _Users(
            Alike(self._dormant),
            Members.none_of(self.groups, group),
            Held(self.entitlements, self.automaton),
        )
        audiences = Audiences(self.parts)
        listing = Listing(self.automaton, self.groups, known)
        marker = Marker(self.entitlements, self.automaton, self.profiles)
        sharing = Sharing(self.parts, known, marker, found.members, found.held)
        for batch in self._batches(users):
            source, part, wanted = audiences.apart(batch)
            walk = self.walker.walk(batch, source[wanted], part[wanted])
            found.held.add(batch, walk)
            audiences.add(batch, wanted)
            left, listed = listing.of(batch, walk)
            columns = columns_of(self.automaton, batch, walk, left)
            found.alike.hold(found.alike.add(columns, marker.of(batch, walk, left)), columns.principal)
            for theirs, member in listed:
                found.members.add(theirs, member)
        trim()
        for batch, some in self._of_audiences(list(audiences)):
            source, part = self.parts.held_by(batch.lenses[:, 0])
            alone = [audience.alone(self.parts) for audience in some]
            anyone = np.concatenate([one.any(axis=0) for one in alone])
            walk = self.walker.walk(batch, source[anyone], part[anyone])
            shares = sharing.shares(batch, some, alone, walk)
            found.held.add_counts(shares.who, shares.counts)
            found.alike.hold(found.alike.add(shares.columns, shares.marks)[shares.finding], shares.user)
            for at, bits in shares.told:
                found.members.add_block(at, bits)
        return found

    def _of_audiences(self, audiences: Sequence[Audience]) -> Iterator[tuple[Batch, Sequence[Audience]]]:
        rest = iter(audiences)
        some = (one.subject for one in audiences)
        for batch in batches(self.principals, some, self.parts, FEW):
            yield batch, list(islice(rest, len(batch.numbers)))

    @property
    def _dormant(self) -> Bools:
        return np.array(list(map(self.entitlements.snapshot.is_dormant, self.principals)), dtype=bool)


class _Users(NamedTuple):
    """What was found for users."""

    alike: Alike
    members: Members
    """To whom the groups' findings are told."""
    held: Held

    def sent(self, automaton: Automaton) -> Iterator[Any]:
        """All of it and what its numbers mean, piece by piece; nothing is left here."""
        yield _Sent(automaton.states, automaton.kinds, self.members.bits, *self.held.parts)
        yield from self.alike.taken()

    def join(self, sent: list[Any], automaton: Automaton) -> None:
        """Add what was found for other users, whose states and kinds are numbered otherwise."""
        found: _Sent = sent.pop(0)
        state = np.array([automaton.state(*one) for one in found.states], dtype=np.int32)
        kind = np.array([automaton.kind(one) for one in found.kinds], dtype=np.int32)
        self.alike.join(sent, kind, state)
        np.bitwise_or(self.members.bits, found.bits, out=self.members.bits)
        self.held.join(found.table, found.anything, kind)


class _Sent(NamedTuple):
    """What was found for users beside the pairs, and how it is numbered."""

    states: Sequence[Stated]
    kinds: Sequence[Kind]
    bits: Bits
    table: Table
    anything: Bools
