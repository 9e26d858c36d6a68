"""Translate every legacy grant into role assignments, by the mapping tables.

Each grant ends as assignments with the row that made them, as a row that deliberately gives nothing, or as
`Untranslated` with a reason. A grant whose rows work only in part is both. Existing assignments are not
looked at, and orphan shares stay in the snapshot: they have no principal to translate for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

import numpy as np
import numpy.typing as npt

from permmigrate.mapping.custom_roles import with_new_roles
from permmigrate.mapping.lookup import Lookup, unmapped
from permmigrate.mapping.planned import GrantRows, Planned, Slot
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
    Share,
)
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.shares import Ints, firsts, numbered

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


@dataclass(frozen=True, eq=False)
class _Outcome:
    """What becomes of shares of one kind: of one level in one environment, held by one sort of principal."""

    recipe: Recipe
    slots: tuple[Slot, ...]
    """Roles on the share's own content."""
    wide: tuple[tuple[Step, _Place], ...]
    """Roles elsewhere."""
    failures: tuple[tuple[str, RowRef | None], ...]
    answered: RowRef | None
    kind: LegacyKind


class _Run:
    """One translation under way."""

    def __init__(self, snapshot: Snapshot, tables: MappingTables, today: date) -> None:
        self.snapshot = snapshot
        self.rows = Lookup(tables, snapshot, today)
        self.planned: dict[str, PlannedAssignment] = {}
        """By the assignment's sort key as one text, which sorts like it and several times as fast."""
        self.untranslated: list[Untranslated] = []
        self.row_by_principal: dict[PrincipalRef, RowRef] = {}
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
            self.grant(principal, found, own, legacy, LegacyKind.USER_ROLE, user.legacy_role)

    def api_keys(self) -> None:
        for key in self.snapshot.api_keys:
            legacy = f"API key {key.name or key.id} ({'enabled' if key.enabled else 'disabled'})"
            principal = PrincipalRef(PrincipalType.API_KEY, key.id)
            found = self.rows.of_api_key(principal, key)
            self.grant(principal, found, (key.environment_id,), legacy, LegacyKind.API_KEY, "")

    def account_keys(self) -> None:
        for key in self.snapshot.account_keys:
            principal = PrincipalRef(PrincipalType.ACCOUNT_KEY, key.id)
            found = self.rows.of_account_key(principal, key.name)
            legacy = f"account key {key.name or key.id}"
            self.grant(principal, found, self.all_ids, legacy, LegacyKind.ACCOUNT_KEY, "")

    def shares(self) -> None:
        """Translate all shares: each kind of them once, then each share by its number."""
        outcomes, number = self._outcomes()
        for found, times in zip(outcomes, np.bincount(number, minlength=len(outcomes)), strict=True):
            self.served[found.recipe] += int(times)
        self.of_share = number
        self.outcomes = outcomes
        wide = np.array([bool(found.wide or found.failures) for found in outcomes], dtype=bool)
        for at in np.flatnonzero(wide[number]).tolist() if wide.any() else ():
            self._one_by_one(at, outcomes[number[at]])

    def _outcomes(self) -> tuple[list[_Outcome], Ints]:
        """What becomes of shares that have all that counts in common, and the number of each share's.

        What counts is the environment, kind and level; and who holds it, where exceptions name people, else
        of which type that is.
        """
        shares = self.snapshot.share_columns
        environment_ids = sorted({content.environment_id for content in shares.contents})
        place = {id_: at for at, id_ in enumerate(environment_ids)}
        content = np.array([place[one.environment_id] for one in shares.contents], dtype=np.int64)
        content = content * len(ContentKind) + shares.kinds
        types = list(PrincipalType)
        who = np.array([types.index(one.type) for one in shares.principals], dtype=np.int64)
        if self.rows.has_overrides:
            who = np.arange(len(shares.principals), dtype=np.int64)
        code = (
            who[shares.principal] * (len(content) and int(content.max()) + 1) + content[shares.content]
        ) * (len(shares.levels)) + shares.level
        distinct, number = numbered(code)
        return [self._outcome(shares[at]) for at in firsts(number, len(distinct)).tolist()], number

    def _outcome(self, share: Share) -> _Outcome:
        content, kind = share.content, _SHARED[share.content.kind]
        found = self.rows.of_value(share.principal, kind, share.level)
        wide: list[tuple[Step, _Place]] = []
        slots: dict[RoleId, Slot] = {}
        answered: RowRef | None = None
        failures: dict[tuple[str, RowRef | None], None] = {}
        for step in found.steps:
            for place in self.places(step, share.principal, content, (content.environment_id,)):
                if isinstance(place, str):
                    failures[place, step.row] = None
                    continue
                answered = answered or step.row
                if step.scope.kind in (ScopeKind.FOLDER, ScopeKind.COLLECTION):
                    slots.setdefault(step.role.id, Slot(step.role.id, step.row, step.bundle_row))
                else:
                    wide.append((step, place))
        failures |= dict.fromkeys((str(each), each.row) for each in found.obstacles)
        if not found.rows:
            failures[unmapped(kind, share.level), None] = None
        return _Outcome(
            found, tuple(slots.values()), tuple(wide), tuple(failures), answered or found.nothing, kind
        )

    def _one_by_one(self, at: int, found: _Outcome) -> None:
        """Put on record what a share comes to beside roles on its own content."""
        share = self.snapshot.share_columns[at]
        label = self.snapshot.content_labels.get(share.content) or share.content.id
        legacy = f"{level_words(share.level)} on {label} ({share.source})"
        for step, place in found.wide:
            self._plan(share.principal, step, place, legacy)
        self.untranslated += (
            Untranslated(share.principal, share.content, legacy, reason, row, found.kind, share.level)
            for reason, row in found.failures
        )

    def _bound(self) -> tuple[tuple[Slot, ...], Ints, npt.NDArray[np.unsignedinteger]]:
        """The roles on the shares' own content: all slots, and for each role its share and its slot.

        Where a principal has several shares of one content, each role is given once, for the first of them.
        """
        shares = self.snapshot.share_columns
        slots = {slot: None for found in self.outcomes for slot in found.slots}
        number = {slot: at for at, slot in enumerate(slots)}
        lengths = np.array([len(found.slots) for found in self.outcomes], dtype=np.int32)
        table = np.array(
            [number[slot] for found in self.outcomes for slot in found.slots],
            dtype=np.min_scalar_type(len(slots)),
        )
        times = lengths[self.of_share]
        share = np.repeat(np.arange(len(times), dtype=np.int32), times)
        ends = np.cumsum(lengths, dtype=np.int32)[self.of_share] - np.cumsum(times, dtype=np.int32)
        slot = table[np.arange(len(share), dtype=np.int32) + np.repeat(ends, times)]
        roles = {role: at for at, role in enumerate(dict.fromkeys(slot.role_id for slot in slots))}
        role = np.array([roles[one.role_id] for one in slots], dtype=np.int64)
        again = np.zeros(len(times), dtype=bool)
        again[shares.repeated] = True
        at = np.flatnonzero(again[share])
        codes = shares.grant_codes[share[at]] * max(len(roles), 1) + role[slot[at]]
        kept = np.ones(len(share), dtype=bool)
        kept[at] = False
        kept[at[np.unique(codes, return_index=True)[1]]] = True
        return tuple(slots), share[kept], slot[kept]

    def _answers(self) -> GrantRows:
        """Which row answered each legacy grant; of several shares of one content, the first that has one."""
        shares = self.snapshot.share_columns
        rows = list(dict.fromkeys(found.answered for found in self.outcomes if found.answered))
        row = np.array(
            [rows.index(found.answered) if found.answered else -1 for found in self.outcomes],
            dtype=np.min_scalar_type(~len(rows)),
        )[self.of_share]
        several = shares.repeated
        grants, number = numbered(shares.grant_codes[several])
        answered = np.flatnonzero(row[several] >= 0)[::-1]
        of_grant = np.full(len(grants), -1, dtype=row.dtype)
        of_grant[number[answered]] = row[several[answered]]  # the one written last: the first share's
        row[several] = of_grant[number]
        return GrantRows(self.row_by_principal, shares, tuple(rows), row)

    def grant(
        self,
        principal: PrincipalRef,
        found: Recipe,
        own: tuple[EnvironmentId, ...],
        legacy: str,
        kind: LegacyKind,
        value: str,
    ) -> None:
        """Put a role or key on record; `own` are the environments it holds for."""
        self.served[found] += 1
        answered: RowRef | None = None
        failures: list[tuple[str, RowRef | None]] = []
        for step in found.steps:
            for place in self.places(step, principal, None, own):
                if isinstance(place, str):
                    failures.append((place, step.row))
                    continue
                answered = answered or step.row
                self._plan(principal, step, place, legacy)
        answered = answered or found.nothing
        if answered:
            self.row_by_principal[principal] = answered
        if failures or found.obstacles or not found.rows:
            failures += ((str(each), each.row) for each in found.obstacles)
            failures += [] if found.rows else [(unmapped(kind, value), None)]
            self.untranslated += (
                Untranslated(principal, None, legacy, reason, row, kind, value)
                for reason, row in dict.fromkeys(failures)
            )

    def _plan(self, principal: PrincipalRef, step: Step, place: _Place, legacy: str) -> None:
        key = "\0".join((principal.type, principal.id, step.role.id, *place))
        if key not in self.planned:
            assignment = _assignment(principal, step.role.id, place)
            self.planned[key] = PlannedAssignment(assignment, step.row, legacy, step.bundle_row)

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
        single = tuple(self.planned[key] for key in sorted(self.planned))
        return Translation(
            planned=Planned(self.snapshot, single, *self._bound()),
            untranslated=tuple(sorted(self.untranslated, key=_untranslated_order)),
            row_by_grant=self._answers(),
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
