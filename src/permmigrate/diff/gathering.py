"""Gather the findings of all principals, each told once: with a group for its members, or with the first of
those who hold the same along the same paths.

Groups are walked first. What a user holds through one group alone is looked at once for all who hold it so;
each user is walked for the rest only. A finding of a user that one of the user's groups has too is listed
there; those that users have in common down to the last path are listed with the first of them. Nothing is put
in words here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from permmigrate.diff.alike import Alike, Columns, Small
from permmigrate.diff.audiences import Audience, Audiences, Bools
from permmigrate.diff.automaton import Automaton
from permmigrate.diff.batches import FEW, Batch, batches, side_by_side, subjects
from permmigrate.diff.held import CauseSet, Held
from permmigrate.diff.known import Known
from permmigrate.diff.listing import Listed, Listing
from permmigrate.diff.marks import Marker, Marks
from permmigrate.diff.members import Groups, Members
from permmigrate.diff.parts import Parts
from permmigrate.diff.profiles import Profiles
from permmigrate.diff.sharing import Shares, Sharing, columns_of
from permmigrate.diff.walk import Walk, Walker
from permmigrate.entitlements import Entitlements
from permmigrate.memory import trim
from permmigrate.model import PrincipalType
from permmigrate.snapshot.shares import Ints


@dataclass(frozen=True, eq=False)
class Gathered:
    """Parallel columns, one entry a finding, in no particular order."""

    principal: Ints
    place: Ints
    kind: Small
    folders: Small
    state: Small
    """For each finding the state it was found in: what is granted there, and to which kind of principal."""
    members: Members
    """Whom the first findings hold for, which are the groups'."""
    first_other: Ints
    """For each of the users' findings, which follow, where its other users begin in `others`, ..."""
    end_of_others: Ints
    """... and where they end."""
    others: Ints
    counts: npt.NDArray[np.int64]
    """Of each principal, how many findings of each verdict hold for it."""
    caused: npt.NDArray[np.bool_]
    """Of each principal, whether a finding of each set of causes holds for it."""
    cause_sets: tuple[CauseSet, ...]
    """The sets, each once for findings with a verdict and once for unknown ones."""
    decided: int

    def others_of(self, at: int) -> Ints:
        """The users for whom a finding holds beside its principal, by their numbers."""
        after = at - self.groups
        if after < 0:
            return self.members.of(at)
        if after < self.users:
            return self.others[self.first_other[after] : self.end_of_others[after]]
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
        members = Members.none_of(self.groups, self.groups.group_of[of_groups.principal])
        alike = self._users(known, members)
        keys = [self._plain(type_) for type_ in (PrincipalType.API_KEY, PrincipalType.ACCOUNT_KEY)]
        del known
        told, first_other, end_of_others, others = alike.told()
        parts = [of_groups, told, *keys]
        del of_groups, told, keys
        columns = Columns.joined(parts)
        trim()
        held = self.held
        return Gathered(
            *(*columns, members, first_other, end_of_others, others),
            *(held.counts, held.caused, held.cause_sets, held.decided),
        )

    def _batches(self, type_: PrincipalType) -> Iterator[Batch]:
        numbers = (number for number, one in enumerate(self.principals) if one.type is type_)
        return batches(self.principals, subjects(self.principals, numbers, self.profiles), self.parts)

    def _whole(self, batch: Batch) -> Walk:
        """Walk everything that the subjects hold."""
        return self.walker.walk(batch, *self.parts.held_by(batch.lenses[:, 0]))

    def _plain(self, type_: PrincipalType) -> Columns:
        """The findings of principals that stand for themselves."""
        found = []
        for batch, walk in side_by_side(self._batches(type_), self._whole):
            self.held.add(batch, walk)
            found.append(columns_of(self.automaton, batch, walk))
        return Columns.joined(found)

    def _groups(self) -> tuple[Known, Columns]:
        found = []

        def walks() -> Iterator[tuple[Ints, Walk]]:
            for batch, walk in side_by_side(self._batches(PrincipalType.GROUP), self._whole):
                self.held.add(batch, walk)
                found.append(columns_of(self.automaton, batch, walk))
                yield self.groups.group_of[batch.numbers], walk

        places, entries = len(self.entitlements.places), len(self.entitlements.content.place)
        return Known.of(self.automaton, places, entries, walks()), Columns.joined(found)

    def _users(self, known: Known, members: Members) -> Alike:
        """What users hold and none of their groups has: what touches each other first, then the rest."""
        alike, audiences = Alike(self._dormant), Audiences(self.parts, len(self.entitlements.places))
        listing = Listing(self.automaton, self.groups, known)
        marker = Marker(self.entitlements, self.automaton, self.profiles)
        sharing = Sharing(self.parts, known, marker, members, self.held)

        def apart(batch: Batch) -> _Apart:
            source, part, wanted = audiences.apart(batch)
            walk = self.walker.walk(batch, source[wanted], part[wanted])
            left, listed = listing.of(batch, walk)
            columns = columns_of(self.automaton, batch, walk, left)
            return _Apart(walk, wanted, listed, columns, marker.of(batch, walk, left))

        for batch, found in side_by_side(self._batches(PrincipalType.USER), apart):
            self.held.add(batch, found.walk)
            audiences.add(batch, found.wanted)
            alike.hold(alike.add(found.columns, found.marks), found.columns.principal)
            for theirs, member in found.listed:
                members.add(theirs, member)

        trim()

        def shared(batch: tuple[Batch, Sequence[Audience]]) -> Shares:
            return sharing.shares(*batch, self._whole(batch[0]))

        for _, shares in side_by_side(self._of_audiences(list(audiences)), shared):
            self.held.add_counts(shares.who, shares.counts)
            alike.hold(alike.add(shares.columns, shares.marks)[shares.finding], shares.user)
            for at, bits in shares.told:
                members.add_block(at, bits)
        return alike

    def _of_audiences(self, audiences: Sequence[Audience]) -> Iterator[tuple[Batch, Sequence[Audience]]]:
        rest = iter(audiences)
        some = (one.subject for one in audiences)
        for batch in batches(self.principals, some, self.parts, FEW):
            yield batch, list(islice(rest, len(batch.numbers)))

    @property
    def _dormant(self) -> Bools:
        return np.array(list(map(self.entitlements.snapshot.is_dormant, self.principals)), dtype=bool)


class _Apart(NamedTuple):
    """What users have that touches something else of theirs."""

    walk: Walk
    wanted: Bools
    """Which of all their parts these are."""
    listed: Listed
    columns: Columns
    marks: Marks
