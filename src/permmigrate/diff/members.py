"""The groups' members as numbers, and for each finding of a group the members who have none of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from permmigrate.model import GroupId, PrincipalRef, PrincipalType
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.shares import Ints

Longs = npt.NDArray[np.int64]
Bits = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Groups:
    """The groups of a comparison, numbered in the order of its principals, and their members."""

    principals: int
    """How many principals there are."""
    group_of: Ints
    """For each principal the group's number; -1 for one that is no group."""
    members: tuple[Ints, ...]
    """Each group's members, by their numbers among the principals."""

    @staticmethod
    def of(
        snapshot: Snapshot, principals: Sequence[PrincipalRef], number_of: Mapping[PrincipalRef, int]
    ) -> Groups:
        """The groups among the principals."""
        numbers = [number for number, one in enumerate(principals) if one.type is PrincipalType.GROUP]
        group_of = np.full(len(principals), -1, dtype=np.int32)
        group_of[numbers] = np.arange(len(numbers), dtype=np.int32)
        members = []
        for number in numbers:
            ids = sorted(set(snapshot.group_by_id[GroupId(principals[number].id)].member_ids))
            known = (number_of.get(PrincipalRef(PrincipalType.USER, id_)) for id_ in ids)
            members.append(np.array([one for one in known if one is not None], dtype=np.int32))
        return Groups(len(principals), group_of, tuple(members))

    def member(self, group: Ints, who: Ints) -> Ints:
        """Which member of each group each user is, who is one."""
        keys, starts = self._sorted
        at = np.searchsorted(keys, group.astype(np.int64) * self.principals + who)
        return np.asarray(at - starts[group], dtype=np.int32)

    @cached_property
    def _sorted(self) -> tuple[Longs, Longs]:
        """Every group with each member as one number, sorted, and where each group's begin."""
        sizes = [len(one) for one in self.members]
        groups = np.repeat(np.arange(len(self.members), dtype=np.int64), sizes)
        flat = np.concatenate([*self.members, np.zeros(0, dtype=np.int32)])
        return groups * self.principals + flat, np.cumsum([0, *sizes])


@dataclass(frozen=True, eq=False)
class Members:
    """A bit for each member of each finding's group: set where the finding is told for the member too."""

    groups: Groups
    group: Ints
    """Each finding's group."""
    starts: Longs
    """Where each finding's bits begin."""
    bits: Bits

    @staticmethod
    def none_of(groups: Groups, group: Ints) -> Members:
        """Room for findings of these groups."""
        sizes = np.array([(len(one) + 7) // 8 for one in groups.members] or [0], dtype=np.int64)
        starts = np.concatenate([[0], np.cumsum(sizes[group])]).astype(np.int64)
        return Members(groups, group, starts, np.zeros(int(starts[-1]), dtype=np.uint8))

    def add(self, finding: npt.NDArray[np.intp], member: Ints) -> None:
        """Each pair at most once: list the members with these findings."""
        values = (1 << (member & 7)).astype(np.uint8)
        np.add.at(self.bits, self.starts[finding] + (member >> 3), values)

    def block(
        self, holder: int, who: Ints, holds: npt.NDArray[np.bool_], finding: Ints, part: Longs
    ) -> tuple[Longs, Bits]:
        """Where bits are to be set, and which, to list members of one group with its findings.

        A row for each member says in which parts it holds what is found there; a finding of -1 is none.
        """
        told = np.flatnonzero(finding >= 0)
        member = self.groups.member(np.full(len(who), self.groups.group_of[holder]), who)
        order = np.argsort(member)
        byte, first = np.unique(member[order] >> 3, return_index=True)
        values = holds[order].view(np.uint8) << (member[order] & 7).astype(np.uint8)[:, None]
        packed = np.add.reduceat(values, first, axis=0, dtype=np.uint8)
        return self.starts[finding[told]] + byte[:, None], packed[:, part[told]]

    def add_block(self, at: Longs, bits: Bits) -> None:
        """Set bits, each at most once."""
        self.bits[at] |= bits

    def of(self, finding: int) -> Ints:
        """The members that a finding stands for, as numbers of principals."""
        bits = np.unpackbits(self.bits[self.starts[finding] : self.starts[finding + 1]], bitorder="little")
        members = self.groups.members[self.group[finding]]
        return np.asarray(members[np.flatnonzero(bits[: len(members)])])
