"""The after side's role assignments, wherever they come from: those planned for shares stay columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby
from operator import attrgetter
from typing import Final, overload

import numpy as np

from permmigrate.mapping import PlannedAssignment
from permmigrate.mapping.planned import Planned
from permmigrate.model import ContentRef, PrincipalRef, PrincipalType, RoleAssignment
from permmigrate.snapshot import Snapshot

PRINCIPAL: Final = attrgetter("assignment.principal")
"""Who an `AfterAssignment` is for."""


@dataclass(frozen=True, slots=True)
class AfterAssignment:
    """A role assignment on the after side, and what to blame for it."""

    assignment: RoleAssignment
    cause: str


def as_assigned(assignment: RoleAssignment) -> AfterAssignment:
    """An assignment that is there already."""
    return AfterAssignment(assignment, f"assigned {assignment.role_id}")


def is_on_content(assignment: RoleAssignment) -> bool:
    """Whether an assignment is bound to a folder or collection."""
    return assignment.folder_id is not None or assignment.collection_id is not None


def reaches(assignment: RoleAssignment, contents: Collection[ContentRef]) -> bool:
    """Whether an assignment is wide, or on one of the contents; in all environments, on one of that id."""
    if not is_on_content(assignment):
        return True
    id_ = assignment.folder_id if assignment.folder_id is not None else assignment.collection_id
    return any(content.id == id_ for content in contents)


@dataclass(frozen=True, eq=False)
class Assigned(Sequence[AfterAssignment]):
    """What is planned, in its order, then what is held."""

    planned: Planned | None
    held: tuple[AfterAssignment, ...]

    def __len__(self) -> int:
        return len(self.planned or ()) + len(self.held)

    @overload
    def __getitem__(self, at: int) -> AfterAssignment: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[AfterAssignment]: ...
    def __getitem__(self, at: int | slice) -> AfterAssignment | Sequence[AfterAssignment]:
        if isinstance(at, slice):
            return tuple(self[one] for one in range(*at.indices(len(self))))
        planned = self.planned or ()
        at = at + len(self) if at < 0 else at
        if at >= len(planned):
            return self.held[at - len(planned)]
        one = planned[at]
        return AfterAssignment(one.assignment, str(one.row))

    def __iter__(self) -> Iterator[AfterAssignment]:
        for one in self.planned or ():
            yield AfterAssignment(one.assignment, str(one.row))
        yield from self.held

    @cached_property
    def loose(self) -> tuple[AfterAssignment, ...]:
        """Those that are not columns: planned scope-wide, or held."""
        single = self.planned.single if self.planned else ()
        words = {row: str(row) for row in {id(one.row): one.row for one in single}.values()}
        return (*(AfterAssignment(one.assignment, words[one.row]) for one in single), *self.held)

    @cached_property
    def on_content(self) -> tuple[AfterAssignment, ...]:
        """Those of the loose ones that are bound to a folder or collection."""
        return tuple(one for one in self.loose if is_on_content(one.assignment))

    @cached_property
    def _loose_by_principal(self) -> dict[PrincipalRef, tuple[list[AfterAssignment], list[AfterAssignment]]]:
        """The single planned ones and the held ones of each principal."""
        found: dict[PrincipalRef, tuple[list[AfterAssignment], list[AfterAssignment]]] = {}
        alone = len(self.planned.single) if self.planned else 0
        for side, part in enumerate((self.loose[:alone], self.loose[alone:])):
            for principal, ones in groupby(part, PRINCIPAL):
                found.setdefault(principal, ([], []))[side].extend(ones)
        return found

    def of(
        self, principal: PrincipalRef, contents: Collection[ContentRef] | None = None
    ) -> list[AfterAssignment]:
        """Everything a principal is assigned, in order: all, or what is wide or on some of the contents."""
        single, held = self._loose_by_principal.get(principal, ([], []))
        if contents is not None:
            held = [one for one in held if reaches(one.assignment, contents)]
        if self.planned is None:
            return held
        rows = [self.planned.of_share(row) for row in self.planned.rows_of(principal, contents)]
        if not rows:
            return [*single, *held]
        bound = [AfterAssignment(one.assignment, str(one.row)) for one in rows]
        return [*sorted((*single, *bound), key=lambda one: one.assignment.sort_key()), *held]

    def on(self, principal: PrincipalRef, content: ContentRef) -> list[AfterAssignment]:
        """What a principal is assigned on one folder or collection, in order."""
        held = (one for found in self._loose_by_principal.get(principal, ()) for one in found)
        loose = [one for one in held if is_on_content(one.assignment) and reaches(one.assignment, (content,))]
        if self.planned is None:
            return loose
        rows = [self.planned.of_share(row) for row in self.planned.rows_of(principal, (content,))]
        bound = [AfterAssignment(one.assignment, str(one.row)) for one in rows]
        return [*sorted(bound, key=lambda one: one.assignment.sort_key()), *loose]

    def varied(self, principals: Collection[PrincipalRef]) -> list[AfterAssignment]:
        """What some principals are assigned: all that are values, and of those in columns one of each role
        and row for each principal."""
        if self.planned is None:
            return [one for one in self.held if one.assignment.principal in principals]
        shares = self.planned.shares
        wanted = np.array([one in principals for one in shares.principals], dtype=bool)
        rows = np.flatnonzero(wanted[shares.principal[self.planned.share]])[::-1]
        first = np.full((len(wanted), len(self.planned.slots)), -1, dtype=np.int64)
        first[shares.principal[self.planned.share[rows]], self.planned.slot[rows]] = rows
        some = [self.planned.of_share(row) for row in first[first >= 0].tolist()]
        single = (one for one in self.planned.single if one.assignment.principal in principals)
        planned = sorted((*single, *some), key=lambda one: one.assignment.sort_key())
        held = (one for one in self.held if one.assignment.principal in principals)
        return [*(AfterAssignment(one.assignment, str(one.row)) for one in planned), *held]

    def on_content_of_keys(self) -> Iterator[AfterAssignment]:
        """What is in columns although it is for a key: people and groups hold all the rest."""
        if self.planned is not None:
            shares, people = self.planned.shares, (PrincipalType.USER, PrincipalType.GROUP)
            of_key = np.array([one.type not in people for one in shares.principals], dtype=bool)
            for row in np.flatnonzero(of_key[shares.principal[self.planned.share]]).tolist():
                one = self.planned.of_share(row)
                yield AfterAssignment(one.assignment, str(one.row))

    @staticmethod
    def of_plan(planned: Sequence[PlannedAssignment], snapshot: Snapshot) -> Assigned:
        """What the tables ask for, and what is assigned beside it. Raises TypeError for a plan that
        `translate` did not make."""
        if not isinstance(planned, Planned):
            raise TypeError("a plan is what translate makes")
        held = (one for one in snapshot.assignments if not planned.asks_for(one))
        return Assigned(planned, tuple(as_assigned(one) for one in held))

    @staticmethod
    def listed(assignments: Sequence[AfterAssignment]) -> Assigned:
        """These assignments."""
        return assignments if isinstance(assignments, Assigned) else Assigned(None, tuple(assignments))
