"""What a translation made of the shares, as columns: a million assignments that are values when looked at.

The plain sequences and mappings of `Translation` are these. Nothing is translated here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from permmigrate.mapping.value import PlannedAssignment, RowRef
from permmigrate.mapping.words import level_words
from permmigrate.model import (
    CollectionId,
    ContentKind,
    ContentRef,
    EnvironmentId,
    FolderId,
    PrincipalRef,
    RoleAssignment,
    RoleId,
)
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.shares import Ints, Shares, ordered_by

Grant = tuple[PrincipalRef, ContentRef | None]
"""A legacy grant: who holds it, and what it is on (None for a role or a key)."""


@dataclass(frozen=True, slots=True)
class Slot:
    """A role that shares are translated to on their own content, and the rows that say so."""

    role_id: RoleId
    row: RowRef
    bundle_row: RowRef | None = None


@dataclass(frozen=True, eq=False)
class Planned(Sequence[PlannedAssignment]):
    """All planned assignments in order; those on a share's own content are two numbers each."""

    snapshot: Snapshot
    single: tuple[PlannedAssignment, ...]
    """Those that hold scope-wide, sorted."""
    slots: tuple[Slot, ...]
    share: Ints
    """For each of the others the share it comes from."""
    slot: npt.NDArray[np.unsignedinteger]
    """And which slot it is."""

    def __len__(self) -> int:
        return len(self.single) + len(self.share)

    @overload
    def __getitem__(self, at: int) -> PlannedAssignment: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[PlannedAssignment]: ...
    def __getitem__(self, at: int | slice) -> PlannedAssignment | Sequence[PlannedAssignment]:
        if isinstance(at, slice):
            return tuple(map(self._make, self._order[at].tolist()))
        return self._make(int(self._order[at]))

    def __iter__(self) -> Iterator[PlannedAssignment]:
        return map(self._make, self._order.tolist())

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment] # it would have to be that of a tuple

    @property
    def shares(self) -> Shares:
        return self.snapshot.share_columns

    def _make(self, number: int) -> PlannedAssignment:
        """The assignment of a number: the single ones come first, then those of shares."""
        if number < len(self.single):
            return self.single[number]
        return self.of_share(number - len(self.single))

    def of_share(self, number: int) -> PlannedAssignment:
        """The assignment in one row of the columns."""
        shares, at = self.shares, self.share[number]
        content, slot = shares.contents[shares.content[at]], self.slots[self.slot[number]]
        on_folder = content.kind is ContentKind.FOLDER
        assignment = RoleAssignment(
            shares.principals[shares.principal[at]],
            slot.role_id,
            content.environment_id,
            FolderId(content.id) if on_folder else None,
            None if on_folder else CollectionId(content.id),
        )
        label = self.snapshot.content_labels.get(content) or content.id
        legacy = f"{level_words(shares.levels[shares.level[at]])} on {label} ({shares.source(at)})"
        return PlannedAssignment(assignment, slot.row, legacy, slot.bundle_row)

    @cached_property
    def _order(self) -> npt.NDArray[np.intp]:
        """Numbers in the order of the assignments' sort keys."""
        shares, alone = self.shares, [one.assignment for one in self.single]
        who = [(one.type.value, one.id) for one in shares.principals]
        who += [(one.principal.type.value, one.principal.id) for one in alone]
        roles = [*(slot.role_id for slot in self.slots), *(one.role_id for one in alone)]
        where: list[tuple[str, str, str]] = [
            (one.environment_id, *((one.id, "") if one.kind is ContentKind.FOLDER else ("", one.id)))
            for one in shares.contents
        ]
        where += [(one.scope_id or "", "", "") for one in alone]
        keys = [
            _laid_out(where, len(alone), shares.content[self.share]),
            _laid_out(roles, len(alone), self.slot),
            _laid_out(who, len(alone), shares.principal[self.share]),
        ]
        return np.lexsort(keys)

    def asks_for(self, assignment: RoleAssignment) -> bool:
        """Whether this very assignment is among the planned ones."""
        if not assignment.folder_id and not assignment.collection_id:
            return assignment in self._single
        kind = ContentKind.FOLDER if assignment.folder_id else ContentKind.COLLECTION
        id_ = assignment.folder_id or assignment.collection_id or ""
        content = ContentRef(EnvironmentId(assignment.scope_id or ""), kind, id_)
        number = self.shares.content_number.get(content, -1)
        return any(
            self.shares.content[self.share[at]] == number
            and self.slots[self.slot[at]].role_id == assignment.role_id
            and self.of_share(at).assignment == assignment
            for at in self.rows_of(assignment.principal)
        )

    @cached_property
    def _single(self) -> frozenset[RoleAssignment]:
        return frozenset(one.assignment for one in self.single)

    @cached_property
    def _by_principal(self) -> tuple[Ints, npt.NDArray[np.intp]]:
        return ordered_by(self.shares.principal[self.share], len(self.shares.principals))

    def rows_of(self, principal: PrincipalRef, contents: Collection[ContentRef] | None = None) -> list[int]:
        """The rows of the columns that are a principal's: all, or those on some contents."""
        if contents is not None and not contents:
            return []
        number = self.shares.principal_number.get(principal)
        if number is None:
            return []
        order, starts = self._by_principal
        rows = order[starts[number] : starts[number + 1]]
        if contents is not None:
            rows = rows[self.shares.among(self.share[rows], contents)]
        return [int(row) for row in rows]


def _laid_out(values: Sequence[Any], alone: int, numbers: npt.NDArray[np.integer]) -> npt.NDArray[np.int32]:
    """The rank of each single assignment's value (the last ones), then of each numbered one."""
    places = {value: place for place, value in enumerate(sorted(set(values)))}
    ranks = np.array([places[value] for value in values], dtype=np.int32)
    return np.concatenate([ranks[len(ranks) - alone :], ranks[numbers]])


@dataclass(frozen=True, eq=False)
class GrantRows(Mapping[Grant, RowRef]):
    """Which row translated each legacy grant."""

    single: Mapping[PrincipalRef, RowRef]
    """Roles and keys."""
    shares: Shares
    rows: tuple[RowRef, ...]
    row: npt.NDArray[np.signedinteger]
    """For each share the number of the row that answered for its principal and content; -1 for none."""

    def __getitem__(self, grant: Grant) -> RowRef:
        principal, content = grant
        if content is None:
            return self.single[principal]
        number = self.shares.content_number.get(content, -1)
        found = self.shares.rows_of(principal)
        for at in found[self.shares.content[found] == number].tolist():
            if self.row[at] >= 0:
                return self.rows[int(self.row[at])]
        raise KeyError(grant)

    def __iter__(self) -> Iterator[Grant]:
        for principal in self.single:
            yield principal, None
        for at in self._firsts.tolist():
            shares = self.shares
            yield shares.principals[shares.principal[at]], shares.contents[shares.content[at]]

    def __len__(self) -> int:
        return len(self.single) + len(self._firsts)

    @cached_property
    def _firsts(self) -> npt.NDArray[np.intp]:
        """One answered share of each principal and content."""
        answered = np.flatnonzero(self.row >= 0)
        codes = self.shares.grant_codes[answered]
        return answered[np.sort(np.unique(codes, return_index=True)[1])]
