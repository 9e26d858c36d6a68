"""Translate every legacy grant into role assignments, by the mapping tables.

Each grant ends as assignments with the row that made them, as a row that deliberately gives nothing, or as
`Untranslated` with a reason. A grant whose rows work only in part is both. Existing assignments are not
looked at, and orphan shares stay in the snapshot: they have no principal to translate for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date

from permmigrate.mapping.custom_roles import with_new_roles
from permmigrate.mapping.lookup import Lookup, unmapped
from permmigrate.mapping.recipes import Recipe, Step
from permmigrate.mapping.rows import ScopeKind
from permmigrate.mapping.tables import MappingTables
from permmigrate.mapping.value import LegacyKind, PlannedAssignment, RowRef, Translation, Untranslated
from permmigrate.mapping.words import level_words
from permmigrate.model import (
    ALL_ENVIRONMENTS,
    CollectionId,
    ContentKind,
    ContentRef,
    EnvironmentId,
    FolderId,
    PrincipalRef,
    PrincipalType,
    RoleAssignment,
    RoleId,
)
from permmigrate.snapshot import Snapshot

_Place = tuple[str, str, str]
"""Scope id, folder id, collection id; empty for none."""

_SHARED: dict[ContentKind, LegacyKind] = {
    ContentKind.FOLDER: LegacyKind.FOLDER_LEVEL,
    ContentKind.COLLECTION: LegacyKind.COLLECTION_LEVEL,
}


def translate(snapshot: Snapshot, tables: MappingTables, *, today: date) -> Translation:
    """Translate a snapshot's users, keys and shares; overrides that expired before `today` are ignored.

    A role of custom_roles.csv is planned by its stand-in `new-role/<name>` until the account has it.
    """
    run = _Run(with_new_roles(snapshot, tables), tables, today)
    run.users()
    run.api_keys()
    run.account_keys()
    run.shares()
    return run.result()


class _Run:
    """One translation under way."""

    def __init__(self, snapshot: Snapshot, tables: MappingTables, today: date) -> None:
        self.snapshot = snapshot
        self.rows = Lookup(tables, snapshot, today)
        self.planned: dict[str, PlannedAssignment] = {}
        """By the assignment's sort key as one text, which sorts like it and several times as fast."""
        self.untranslated: list[Untranslated] = []
        self.row_by_grant: dict[tuple[PrincipalRef, ContentRef | None], RowRef] = {}
        self.served: Counter[Recipe] = Counter()
        self.environments = frozenset(snapshot.environment_by_id)
        self.all_ids = tuple(environment.id for environment in snapshot.environments)
        self.id_of = {e.cloud_name.casefold(): e.id for e in snapshot.environments} | {
            e: e for e in self.all_ids
        }

    def users(self) -> None:
        for user in self.snapshot.users:
            legacy = f"legacy role `{user.legacy_role}`" if user.legacy_role else "no legacy role"
            own = self.all_ids if user.all_environments else user.environment_ids
            principal = PrincipalRef(PrincipalType.USER, user.id)
            found = self.rows.of_value(principal, LegacyKind.USER_ROLE, user.legacy_role)
            self.grant(principal, None, found, own, legacy, LegacyKind.USER_ROLE, user.legacy_role)

    def api_keys(self) -> None:
        for key in self.snapshot.api_keys:
            legacy = f"API key {key.name or key.id} ({'enabled' if key.enabled else 'disabled'})"
            principal = PrincipalRef(PrincipalType.API_KEY, key.id)
            found = self.rows.of_api_key(principal, key)
            self.grant(principal, None, found, (key.environment_id,), legacy, LegacyKind.API_KEY, "")

    def account_keys(self) -> None:
        for key in self.snapshot.account_keys:
            principal = PrincipalRef(PrincipalType.ACCOUNT_KEY, key.id)
            found = self.rows.of_account_key(principal, key.name)
            legacy = f"account key {key.name or key.id}"
            self.grant(principal, None, found, self.all_ids, legacy, LegacyKind.ACCOUNT_KEY, "")

    def shares(self) -> None:
        labels, of_value = self.snapshot.content_labels, self.rows.of_value
        levels: dict[str, str] = {share.level: level_words(share.level) for share in self.snapshot.shares}
        for share in self.snapshot.shares:
            content, kind = share.content, _SHARED[share.content.kind]
            legacy = f"{levels[share.level]} on {labels.get(content) or content.id} ({share.source})"
            found = of_value(share.principal, kind, share.level)
            self.grant(share.principal, content, found, (content.environment_id,), legacy, kind, share.level)

    def grant(
        self,
        principal: PrincipalRef,
        content: ContentRef | None,
        found: Recipe,
        own: tuple[EnvironmentId, ...],
        legacy: str,
        kind: LegacyKind,
        value: str,
    ) -> None:
        """Put one legacy grant on record; `own` are the environments it holds for."""
        self.served[found] += 1
        answered: RowRef | None = None
        failures: list[tuple[str, RowRef | None]] = []
        for step in found.steps:
            for place in self.places(step, principal, content, own):
                if isinstance(place, str):
                    failures.append((place, step.row))
                    continue
                answered = answered or step.row
                key = "\0".join((principal.type, principal.id, step.role.id, *place))
                if key not in self.planned:
                    assignment = _assignment(principal, step.role.id, place)
                    self.planned[key] = PlannedAssignment(assignment, step.row, legacy, step.bundle_row)
        answered = answered or found.nothing
        if answered:
            self.row_by_grant.setdefault((principal, content), answered)
        if failures or found.obstacles or not found.rows:
            failures += ((str(each), each.row) for each in found.obstacles)
            failures += [] if found.rows else [(unmapped(kind, value), None)]
            self.untranslated += (
                Untranslated(principal, content, legacy, reason, row, kind, value)
                for reason, row in dict.fromkeys(failures)
            )

    def places(
        self, step: Step, principal: PrincipalRef, content: ContentRef | None, own: tuple[EnvironmentId, ...]
    ) -> Iterable[_Place | str]:
        """Where a step gives its role, or why there is no such place."""
        scope = step.scope
        match scope.kind:
            case ScopeKind.FOLDER | ScopeKind.COLLECTION:
                assert content is not None
                if content.environment_id not in self.environments:
                    return (_no_environment(content.environment_id),)
                on_folder = scope.kind is ScopeKind.FOLDER
                return (
                    (content.environment_id, content.id, "")
                    if on_folder
                    else (content.environment_id, "", content.id),
                )
            case ScopeKind.ACCOUNT:
                return (("", "", ""),)
            case ScopeKind.ALL:
                return ((ALL_ENVIRONMENTS, "", ""),)
            case ScopeKind.ONE:
                return (self.one_place(scope.environment, principal, own),)
            case ScopeKind.EACH:
                if not own:
                    return ("no product environment is known for the grant",)
                return [
                    (each, "", "") if each in self.environments else _no_environment(each) for each in own
                ]

    def one_place(self, named: str, principal: PrincipalRef, own: tuple[EnvironmentId, ...]) -> _Place | str:
        found = self.id_of.get(named) or self.id_of.get(named.casefold())
        if found is None:
            return f"environment `{named}` is not in the account"
        if principal.type is PrincipalType.API_KEY and found not in own:
            return f"an API key works in its own environment only, not in `{named}`"
        return found, "", ""

    def result(self) -> Translation:
        uses: Counter[RowRef] = Counter()
        for served, times in self.served.items():
            for row in served.rows:
                uses[row] += times
        return Translation(
            planned=tuple(self.planned[key] for key in sorted(self.planned)),
            untranslated=tuple(sorted(self.untranslated, key=_untranslated_order)),
            row_by_grant=self.row_by_grant,
            uses=dict(sorted(uses.items())),
        )


def _assignment(principal: PrincipalRef, role_id: RoleId, place: _Place) -> RoleAssignment:
    scope_id, folder_id, collection_id = place
    folder = FolderId(folder_id) if folder_id else None
    collection = CollectionId(collection_id) if collection_id else None
    return RoleAssignment(principal, role_id, scope_id or None, folder, collection)


def _no_environment(environment_id: str) -> str:
    return f"environment `{environment_id}` is not in the account"


def _untranslated_order(each: Untranslated) -> tuple[PrincipalRef, str, str, str, str, str]:
    content = each.content
    place = (content.environment_id, content.kind.value, content.id) if content else ("", "", "")
    return (each.principal, *place, each.legacy, each.reason)
