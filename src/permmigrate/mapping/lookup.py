"""Which rows speak of a legacy grant: an override, or the table of its kind.

It looks nothing up twice: a million shares ask a handful of questions.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from permmigrate.mapping.globs import matches, matches_name
from permmigrate.mapping.overrides import Overrides
from permmigrate.mapping.recipes import Recipe, recipe
from permmigrate.mapping.rows import ANY, NO_LEGACY_ROLE, ApiKeyRow, TargetRow, key_groups
from permmigrate.mapping.tables import MappingTables
from permmigrate.mapping.value import LegacyKind, RowRef
from permmigrate.model import ApiKey, PrincipalRef, PrincipalType
from permmigrate.snapshot import Snapshot


class Lookup:
    """Which rows speak of a grant, and their recipe; each kind of grant is worked out once."""

    def __init__(self, tables: MappingTables, snapshot: Snapshot, today: date) -> None:
        self._tables = tables
        self._snapshot = snapshot
        self._overrides = Overrides(tables, snapshot, today)
        self._api_keys = key_groups(tables.api_keys)
        self._account_keys = key_groups(tables.account_keys)
        self._plain: dict[tuple[LegacyKind, PrincipalType, str], Recipe] = {}
        self._cooked: dict[tuple[LegacyKind, PrincipalType, tuple[RowRef, ...]], Recipe] = {}

    @property
    def has_overrides(self) -> bool:
        """Whether it may matter who holds a grant."""
        return bool(self._overrides)

    def of_value(self, principal: PrincipalRef, kind: LegacyKind, value: str) -> Recipe:
        """The recipe of a user's legacy role or of a share's level."""
        if self._overrides:
            override = self._overrides.best(principal, kind, value)
            if override:
                return self._recipe(override, kind, principal.type)
        key = (kind, principal.type, value)
        found = self._plain.get(key)
        if found is None:
            found = self._plain[key] = self._recipe(
                self._by_value(kind, principal.type, value), kind, principal.type
            )
        return found

    def of_api_key(self, principal: PrincipalRef, key: ApiKey) -> Recipe:
        """The recipe of an API key: an override, or the first key group that matches it."""
        rows: tuple[TargetRow, ...] = self._overrides.best(principal, LegacyKind.API_KEY, "")
        rows = rows or next((group for group in self._api_keys if self._fits(group[0], key)), ())
        return self._recipe(rows, LegacyKind.API_KEY, principal.type)

    def of_account_key(self, principal: PrincipalRef, name: str) -> Recipe:
        """The recipe of an account key: an override, or the first key group that matches its id or name."""
        rows: tuple[TargetRow, ...] = self._overrides.best(principal, LegacyKind.ACCOUNT_KEY, "")
        rows = rows or next(
            (group for group in self._account_keys if _named(group[0].match, principal.id, name)), ()
        )
        return self._recipe(rows, LegacyKind.ACCOUNT_KEY, principal.type)

    def _by_value(self, kind: LegacyKind, holder: PrincipalType, value: str) -> tuple[TargetRow, ...]:
        if kind is LegacyKind.USER_ROLE:
            return tuple(row for row in self._tables.user_roles if row.legacy_role == value)
        levels = (
            self._tables.folder_levels if kind is LegacyKind.FOLDER_LEVEL else self._tables.collection_levels
        )
        own = tuple(row for row in levels if row.level == value and row.principal_type == holder.value)
        return own or tuple(row for row in levels if row.level == value and row.principal_type == ANY)

    def _fits(self, row: ApiKeyRow, key: ApiKey) -> bool:
        if row.enabled not in (ANY, "yes" if key.enabled else "no"):
            return False
        environment = self._snapshot.environment_by_id.get(key.environment_id)
        cloud_name = environment.cloud_name if environment else ""
        return _named(row.match, key.id, key.name) and _named(row.environment, key.environment_id, cloud_name)

    def _recipe(self, rows: tuple[TargetRow, ...], kind: LegacyKind, holder: PrincipalType) -> Recipe:
        key = (kind, holder, tuple(row.ref for row in rows))
        found = self._cooked.get(key)
        if found is None:
            found = self._cooked[key] = recipe(rows, kind, holder, self._tables, self._snapshot.catalog)
        return found


def _named(pattern: str, id_: str, name: str) -> bool:
    return matches(pattern, id_) or matches_name(pattern, name)


TABLE_OF: Final = {
    LegacyKind.USER_ROLE: "user_roles.csv",
    LegacyKind.FOLDER_LEVEL: "folder_levels.csv",
    LegacyKind.COLLECTION_LEVEL: "collection_levels.csv",
    LegacyKind.API_KEY: "api_keys.csv",
    LegacyKind.ACCOUNT_KEY: "account_keys.csv",
}


def unmapped(kind: LegacyKind, value: str) -> str:
    """Say that no row speaks of such a grant."""
    match kind:
        case LegacyKind.USER_ROLE:
            what = f"translates legacy role `{value}`" if value else "translates users without a legacy role"
        case LegacyKind.FOLDER_LEVEL | LegacyKind.COLLECTION_LEVEL:
            what = f"translates level `{value}`"
        case LegacyKind.API_KEY | LegacyKind.ACCOUNT_KEY:
            what = "matches the key"
    return f"no row of {TABLE_OF[kind]} {what}"


def unmapped_hint(kind: LegacyKind, value: str) -> str:
    """Say how to make a row that speaks of such a grant."""
    if kind is LegacyKind.USER_ROLE and not value:
        return f"add a row with `{NO_LEGACY_ROLE}` as legacy_role; target type `none` is an answer too"
    return "add a row; target type `none` is an answer too"
