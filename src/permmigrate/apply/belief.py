"""What every principal of a plan should hold by now: what was read for the plan, and what was done since.

It compares; it reads nothing and changes nothing. What an operation that is still open may have changed
counts neither way.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from permmigrate.model import ALL_ENVIRONMENTS, FolderId, PrincipalRef, RoleAssignment, RoleId
from permmigrate.plan import NEW_ROLE, Operation, Plan
from permmigrate.plan.operation import role_id_of

Place = tuple[str | None, FolderId | None]
"""Where holdings are read: the account (None), an environment, or one folder of it by the Admin API."""


@dataclass(frozen=True, slots=True)
class Item:
    """An operation of the run, its id, and its assignment with the role's id as the service has it."""

    id: str
    operation: Operation
    row: RoleAssignment | None = None

    @property
    def principal(self) -> PrincipalRef:
        assert self.row is not None
        return self.row.principal

    @property
    def held(self) -> RoleAssignment:
        assert self.row is not None
        return self.row


@dataclass(frozen=True, slots=True)
class Drift:
    """How what a principal holds differs from what it should hold."""

    missing: frozenset[RoleAssignment] = frozenset()
    extra: frozenset[RoleAssignment] = frozenset()
    gone: bool = False
    """Whether the service does not know the principal any more."""

    def __bool__(self) -> bool:
        return bool(self.missing or self.extra or self.gone)

    @property
    def words(self) -> str:
        if self.gone:
            return "it is not in the account any more"
        parts = [f"{len(self.missing)} missing: {_named(self.missing)}"] if self.missing else []
        parts += [f"{len(self.extra)} not expected: {_named(self.extra)}"] if self.extra else []
        return "; ".join(parts)


class Belief:
    """The expected state of everybody a plan names."""

    def __init__(self, plan: Plan) -> None:
        self._held: defaultdict[tuple[PrincipalRef, str | None], set[RoleAssignment]] = defaultdict(set)
        self._open: defaultdict[tuple[PrincipalRef, str | None], set[RoleAssignment]] = defaultdict(set)
        self.given: dict[str, str] = {}
        """The ids of roles and policies that were made, by the plan's names for them."""
        self._unnamed: defaultdict[RoleId, list[RoleAssignment]] = defaultdict(list)
        self._held_unnamed: defaultdict[RoleId, list[RoleAssignment]] = defaultdict(list)
        """What an undo plan made beforehand says is held, of roles that were not there yet."""
        self._scopes: defaultdict[PrincipalRef, set[str | None]] = defaultdict(set)
        for principal, rows in plan.held.items():
            for row in rows:
                self._held[principal, row.scope_id].add(row)
                self._scopes[principal].add(row.scope_id)
                if row.role_id.startswith(NEW_ROLE):
                    self._held_unnamed[row.role_id].append(row)

    def item(self, operation: Operation, id_: str | None = None) -> Item:
        """The operation as it can be done now; a role that is not made yet keeps the plan's name for it."""
        identity = id_ or operation.id
        if operation.principal is None:
            return Item(identity, operation)
        row = operation.assignment
        if operation.needs_role in self.given:
            row = replace(row, role_id=role_id_of(row, self.given))
        return Item(identity, operation, row)

    def open(self, items: Iterable[Item]) -> None:
        """From now on each may or may not have been done."""
        for item in items:
            if item.row is not None:
                self._open[item.principal, item.row.scope_id].add(item.row)
                self._scopes[item.principal].add(item.row.scope_id)
                if item.row.role_id.startswith(NEW_ROLE):
                    self._unnamed[item.row.role_id].append(item.row)

    def name(self, placeholder: str, given: str) -> None:
        """From now on it is known which id stands for the plan's name of something new."""
        self.given[placeholder] = given
        for row in self._unnamed.pop(RoleId(placeholder), ()):
            self._open[row.principal, row.scope_id].add(replace(row, role_id=RoleId(given)))
        for row in self._held_unnamed.pop(RoleId(placeholder), ()):
            held = self._held[row.principal, row.scope_id]
            held.remove(row)
            held.add(replace(row, role_id=RoleId(given)))

    def settle(self, row: RoleAssignment, *, held: bool) -> None:
        """It is known that the assignment is there, or that it is not."""
        key = (row.principal, row.scope_id)
        self._open[key].discard(row)
        if held:
            self._held[key].add(row)
        else:
            self._held[key].discard(row)

    def holds(self, row: RoleAssignment) -> bool:
        return row in self._held[row.principal, row.scope_id]

    def drift(self, principal: PrincipalRef, place: Place, live: frozenset[RoleAssignment] | None) -> Drift:
        """How what was read at a place differs from what should be there."""
        expected = self._at(self._held, principal, place)
        either = self._at(self._open, principal, place)
        return _differs(expected, either, live)

    def drift_anywhere(self, principal: PrincipalRef, live: frozenset[RoleAssignment]) -> Drift:
        """How all that a principal holds differs from all that it should hold."""
        scopes = self._scopes.get(principal, ())
        expected = {row for scope in scopes for row in self._held[principal, scope]}
        either = {row for scope in scopes for row in self._open[principal, scope]}
        return _differs(expected, either, live)

    def everything(
        self, principals: Iterable[PrincipalRef]
    ) -> dict[PrincipalRef, tuple[RoleAssignment, ...]]:
        """All that principals should hold by now, sorted as plans have it."""
        found: dict[PrincipalRef, list[RoleAssignment]] = {one: [] for one in principals}
        for (principal, _), rows in self._held.items():
            if principal in found:
                found[principal] += rows
        return {one: tuple(sorted(rows, key=RoleAssignment.sort_key)) for one, rows in found.items()}

    @staticmethod
    def _at(
        rows: Mapping[tuple[PrincipalRef, str | None], set[RoleAssignment]],
        principal: PrincipalRef,
        place: Place,
    ) -> set[RoleAssignment]:
        """The rows that reading a place shows: an environment shows those for all environments, too."""
        scope, folder = place
        found = rows.get((principal, scope), set())
        if folder is not None:
            return {row for row in found if row.folder_id == folder}
        if scope is not None and (everywhere := rows.get((principal, ALL_ENVIRONMENTS))):
            return found | everywhere
        return found


def _differs(
    expected: set[RoleAssignment], either: set[RoleAssignment], live: frozenset[RoleAssignment] | None
) -> Drift:
    if live is None:
        return Drift(gone=True)
    if live == expected:
        return Drift()
    return Drift(frozenset(expected - live - either), frozenset(live - expected - either))


def _named(rows: Iterable[RoleAssignment]) -> str:
    shown = sorted(rows, key=RoleAssignment.sort_key)[:3]
    names = [f"`{row.role_id}`" + (f" at `{where}`" if (where := _where(row)) else "") for row in shown]
    return ", ".join(names)


def _where(row: RoleAssignment) -> str:
    return row.folder_id or row.collection_id or row.scope_id or ""
