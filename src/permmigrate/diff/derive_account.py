"""Make ready to answer questions about one account: both sides, and the words of the rows behind them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from functools import cached_property

from permmigrate.diff.derive import Derivations
from permmigrate.diff.derive_who import WhoIndex
from permmigrate.diff.derive_words import Reader
from permmigrate.diff.merge import merged
from permmigrate.entitlements import NO_ROW, NOT_CARRIED_OVER, UNREAD_SHARES, AfterAssignment, Entitlements
from permmigrate.mapping.custom_roles import with_new_roles
from permmigrate.mapping.tables import MappingTables
from permmigrate.mapping.translate import translate
from permmigrate.model import RoleAssignment
from permmigrate.snapshot import Snapshot


@dataclass
class Account:
    """One comparison that can be asked about."""

    entitlements: Entitlements
    tables: MappingTables

    @cached_property
    def reader(self) -> Reader:
        return Reader(self.entitlements)

    @cached_property
    def derivations(self) -> Derivations:
        return Derivations(self.entitlements)

    @cached_property
    def who(self) -> WhoIndex:
        return WhoIndex(self.entitlements, self.derivations.finder)

    @cached_property
    def cause_words(self) -> dict[str, str]:
        """What each cause says: the row in words, by `file:line`; vendor defaults by their own."""
        words = {str(ref): text for ref, text, *_ in self.tables.rows()}
        words[NO_ROW] = "a legacy grant that no row translates"
        words[NOT_CARRIED_OVER] = "a legacy grant that no assigned role carries over"
        words[UNREAD_SHARES] = "legacy folder and collection shares, of which no list was given"
        for role in self.entitlements.snapshot.catalog.roles.values():
            words[f"assigned {role.id}"] = f"{role.level} role {role.name}, as assigned already"
        return words

    @staticmethod
    def of(
        snapshot: Snapshot, tables: MappingTables, *, today: date, assigned: Snapshot | None = None
    ) -> Account:
        """The same two sides as `compare` takes."""
        if assigned is not None:
            after = tuple(_as_assigned(assignment) for assignment in assigned.assignments)
            both = merged(snapshot, assigned)
            return Account(Entitlements(both, tables, after, earlier=snapshot), tables)
        snapshot = with_new_roles(snapshot, tables)
        translation = translate(snapshot, tables, today=today)
        planned = tuple(AfterAssignment(p.assignment, str(p.row)) for p in translation.planned)
        asked = {entry.assignment for entry in planned}
        held = tuple(_as_assigned(one) for one in snapshot.assignments if one not in asked)
        return Account(Entitlements(snapshot, tables, planned + held, translation), tables)


def _as_assigned(assignment: RoleAssignment) -> AfterAssignment:
    return AfterAssignment(assignment, f"assigned {assignment.role_id}")
