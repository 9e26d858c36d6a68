"""Find the override that speaks of a principal's grant: the strongest match, then the first in the file.

Expired overrides are as if they were not there.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from permmigrate.mapping.globs import matches_name
from permmigrate.mapping.rows import ANY, MatchBy, OverrideRow, key_groups
from permmigrate.mapping.tables import MappingTables
from permmigrate.mapping.value import LegacyKind
from permmigrate.model import PrincipalRef, PrincipalType, UserId
from permmigrate.snapshot import Snapshot

OverrideGroup = tuple[OverrideRow, ...]
"""Rows with the same key: they apply together."""


class Overrides:
    """The overrides in force on a day, looked up by principal."""

    def __init__(self, tables: MappingTables, snapshot: Snapshot, today: date) -> None:
        in_force = key_groups(row for row in tables.overrides if not row.expired(today))
        self._snapshot = snapshot
        self._place = {group[0].key: place for place, group in enumerate(in_force)}
        self._exact: dict[tuple[MatchBy, str], list[OverrideGroup]] = {}
        self._globs: list[OverrideGroup] = []
        for group in in_force:
            row = group[0]
            if row.match_by in (MatchBy.GROUP, MatchBy.NAME):
                self._globs.append(group)
            else:
                text = row.match if row.match_by is MatchBy.ID else row.match.casefold()
                self._exact.setdefault((row.match_by, text), []).append(group)
        self._account_keys = {key.id: key.name for key in snapshot.account_keys}
        self._of: dict[PrincipalRef, tuple[OverrideGroup, ...]] = {}

    def __bool__(self) -> bool:
        return bool(self._place)

    def of(self, principal: PrincipalRef) -> tuple[OverrideGroup, ...]:
        """Every override group that matches the principal, the one that wins first."""
        found = self._of.get(principal)
        if found is None:
            matching = (
                g for g in self._candidates(principal) if g[0].principal_type in (ANY, principal.type.value)
            )
            found = tuple(sorted(matching, key=lambda g: (g[0].match_by.precedence, self._place[g[0].key])))
            self._of[principal] = found
        return found

    def best(self, principal: PrincipalRef, kind: LegacyKind, legacy: str) -> OverrideGroup:
        """The group that decides this grant; empty when the tables do."""
        return next((group for group in self.of(principal) if group[0].covers_grant(kind, legacy)), ())

    def _candidates(self, principal: PrincipalRef) -> Iterator[OverrideGroup]:
        yield from self._exact.get((MatchBy.ID, principal.id), ())
        email = self._email(principal).casefold()
        if email:
            yield from self._exact.get((MatchBy.EMAIL, email), ())
            yield from self._exact.get((MatchBy.EMAIL_DOMAIN, email.rpartition("@")[2]), ())
        if self._globs:
            name, groups = self._name(principal), self._groups(principal)
            for group in self._globs:
                row = group[0]
                if row.match_by is MatchBy.NAME:
                    if name and matches_name(row.match, name):
                        yield group
                elif any(row.match == id_ or matches_name(row.match, called) for id_, called in groups):
                    yield group

    def _email(self, principal: PrincipalRef) -> str:
        user = self._snapshot.user_by_id.get(principal.id) if principal.type is PrincipalType.USER else None
        return user.email if user else ""

    def _name(self, principal: PrincipalRef) -> str:
        match principal.type:
            case PrincipalType.USER:
                user = self._snapshot.user_by_id.get(principal.id)
                return user.name if user else ""
            case PrincipalType.GROUP:
                group = self._snapshot.group_by_id.get(principal.id)
                return group.name if group else ""
            case PrincipalType.API_KEY:
                key = self._snapshot.api_key_by_id.get(principal.id)
                return key.name if key else ""
            case PrincipalType.ACCOUNT_KEY:
                return self._account_keys.get(principal.id, "")

    def _groups(self, principal: PrincipalRef) -> tuple[tuple[str, str], ...]:
        """(id, name) of the groups a user is in; a group is in itself."""
        match principal.type:
            case PrincipalType.USER:
                ids = self._snapshot.groups_of.get(UserId(principal.id), ())
                return tuple((id_, self._snapshot.group_by_id[id_].name) for id_ in ids)
            case PrincipalType.GROUP:
                return ((principal.id, self._name(principal)),)
            case PrincipalType.API_KEY | PrincipalType.ACCOUNT_KEY:
                return ()
