"""The after side's ways: role assignments with their roles' policies, and what no row translated."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from permmigrate.catalog import refusal, scope_refusal
from permmigrate.diff.derive_legacy import LegacyWays, numbers_of
from permmigrate.diff.derive_texts import Bundle, Clause
from permmigrate.diff.derive_value import NOTHING, Spot, Way
from permmigrate.entitlements import ACCOUNT_SCOPE, NO_ROW, AfterAssignment, Entitlements
from permmigrate.mapping import Granted, Untranslated
from permmigrate.mapping.planned import Planned
from permmigrate.model import (
    ALL_ENVIRONMENTS,
    ContentKind,
    ContentRef,
    EnvironmentId,
    PrincipalRef,
    PrincipalType,
    Role,
    RoleAssignment,
    RoleId,
    UserId,
)
from permmigrate.snapshot.shares import Ints, among, ordered_by


@runtime_checkable
class InColumns(Protocol):
    """Assignments of which those for shares are columns."""

    planned: Planned | None
    loose: tuple[AfterAssignment, ...]
    """All others."""


@dataclass
class RoleWays:
    """Finds them for one comparison; what many principals share is made once."""

    entitlements: Entitlements
    legacy: LegacyWays
    _bundles: dict[RoleId, Bundle] = field(default_factory=dict)
    _last_ways: dict[tuple[int, bool], tuple[Way, ...]] = field(default_factory=dict)
    _last: tuple[Spot | None, Mapping[PrincipalRef, list[AfterAssignment]]] = (None, {})
    _perhaps_bundles: dict[tuple[str, str], Bundle] = field(default_factory=dict)

    def holders(self, principal: PrincipalRef) -> tuple[PrincipalRef, ...]:
        """The principal and the groups it is in."""
        if principal.type is not PrincipalType.USER:
            return (principal,)
        groups = self.entitlements.snapshot.groups_of.get(UserId(principal.id), ())
        return (principal, *(PrincipalRef(PrincipalType.GROUP, group) for group in groups))

    def wide(self, principal: PrincipalRef, scope: str) -> Iterator[Way]:
        """By the roles that the principal and its groups hold in a whole scope."""
        for holder in self.holders(principal):
            for entry in self._by_holder.get(holder, ()):
                yield from self.ways(entry, scope, principal)
            for missing in self._untranslated.get(holder, ()):
                if missing.content is None:
                    for way in self.legacy.by_role(holder, scope):
                        yield self._perhaps(missing, way, holder, principal)
                elif missing.content.environment_id == scope:
                    yield from self._missing_share(missing, holder, principal, local=False)

    def local(self, principal: PrincipalRef, spot: Spot) -> Iterator[Way]:
        """By the roles that they hold on the spot's folders and collections."""
        holders = self.holders(principal)
        everybodys = self._last[0] == spot
        assigned = self._last[1] if everybodys else self._assigned_to(holders, spot)
        for holder in holders:
            for entry in assigned.get(holder, ()):
                if not everybodys:
                    yield from self.ways(entry, spot.scope, principal)
                    continue
                key = (id(entry), holder == principal)
                if key not in self._last_ways:
                    self._last_ways[key] = tuple(self.ways(entry, spot.scope, principal))
                yield from self._last_ways[key]
        for holder in holders if self._untranslated else ():
            for missing in self._untranslated.get(holder, ()):
                if missing.content is not None and missing.content in spot.contents:
                    yield from self._missing_share(missing, holder, principal, local=True)

    def ways(self, entry: AfterAssignment, scope: str, principal: PrincipalRef) -> Iterator[Way]:
        """An assignment as it reaches the principal in a scope; it is the principal's or its group's."""
        assignment = entry.assignment
        role = self.entitlements.snapshot.catalog.roles.get(assignment.role_id)
        if scope not in self.scopes(assignment):
            return
        group = assignment.principal.id if assignment.principal != principal else ""
        via = f"group {self.entitlements.snapshot.group_by_id[group].name} › " if group else ""
        if role is None:
            bundle = self.role_bundle(assignment.role_id)
            yield Way(f"{via}role {assignment.role_id}", entry.cause, bundle, (), assignment.role_id, group)
            return
        text = f"{via}{role.level} role {role.name}{self._where(role, assignment, scope)}"
        why = refusal(role, assignment.principal.type) or scope_refusal(
            role, assignment.scope_id, assignment.folder_id, assignment.collection_id
        )
        bundle = NOTHING if why else self.role_bundle(role.id)
        given = (("folder", assignment.folder_id), ("collection", assignment.collection_id))
        content = tuple((kind, str(content_id)) for kind, content_id in given if content_id)
        yield Way(text, entry.cause, bundle, content, role.id, group, why)

    def _where(self, role: Role, assignment: RoleAssignment, scope: str) -> str:
        content = {"folder": assignment.folder_id, "collection": assignment.collection_id}.get(role.level)
        if not content:
            return ""
        ref = ContentRef(EnvironmentId(scope), ContentKind(role.level), content)
        return f" on {self.entitlements.snapshot.content_labels.get(ref, content)}"

    def scopes(self, assignment: RoleAssignment) -> tuple[str, ...]:
        """The scopes an assignment reaches among those there are; for an API key, its own only."""
        if assignment.scope_id is None:
            return (ACCOUNT_SCOPE,)
        snapshot = self.entitlements.snapshot
        reached: Iterable[str] = snapshot.environment_by_id
        if assignment.scope_id != ALL_ENVIRONMENTS:
            reached = {str(assignment.scope_id)} & snapshot.environment_by_id.keys()
        if assignment.principal.type is PrincipalType.API_KEY:
            key = snapshot.api_key_by_id.get(assignment.principal.id)
            reached = [scope for scope in reached if key is not None and scope == key.environment_id]
        return tuple(reached)

    def role_bundle(self, role_id: RoleId) -> Bundle:
        """The policies of a role, unbound; anything at all for a role that the catalog does not have."""
        if role_id not in self._bundles:
            bundle = Bundle.of(self._clauses(role_id))
            known = role_id in self.entitlements.snapshot.catalog.roles
            self._bundles[role_id] = bundle if known else bundle._replace(least="")
        return self._bundles[role_id]

    def _clauses(self, role_id: RoleId) -> Iterator[Clause]:
        catalog = self.entitlements.snapshot.catalog
        role = catalog.roles.get(role_id)
        if role is None:
            yield Clause("", "", "", Granted.UNKNOWN, f"role `{role_id}` is not in the catalog")
            return
        for policy_id in role.policy_ids:
            policy = catalog.policies.get(policy_id)
            if policy is None:
                yield Clause.unreadable(policy_id, policy_id, "is not in the catalog")
            else:
                yield Clause.of(policy)

    # ------------------------------------------------------------------ where assignments are

    @cached_property
    def _sorted(
        self,
    ) -> tuple[dict[PrincipalRef, list[AfterAssignment]], dict[ContentRef, list[AfterAssignment]]]:
        """The assignments by holder, and by content those that can have an effect nowhere else."""
        by_holder: dict[PrincipalRef, list[AfterAssignment]] = {}
        by_content: dict[ContentRef, list[AfterAssignment]] = {}
        columns, last = self._columns, None
        for entry in columns.loose if columns else self.entitlements.assignments:
            assignment = entry.assignment
            content_id = assignment.folder_id or assignment.collection_id
            both = assignment.folder_id and assignment.collection_id
            if content_id and not both and self.role_bundle(assignment.role_id).local:
                kind = ContentKind.FOLDER if assignment.folder_id else ContentKind.COLLECTION
                for scope in self.scopes(assignment):
                    content = ContentRef(EnvironmentId(scope), kind, content_id)
                    by_content.setdefault(content, []).append(entry)
            else:
                if last is not assignment.principal:
                    last = assignment.principal
                    entries = by_holder.setdefault(last, [])
                entries.append(entry)
        return by_holder, by_content

    @property
    def _by_holder(self) -> Mapping[PrincipalRef, list[AfterAssignment]]:
        return self._sorted[0]

    @cached_property
    def _columns(self) -> InColumns | None:
        """The assignments where some are columns, and those hold only where they are bound."""
        columns = self.entitlements.assignments
        if not isinstance(columns, InColumns) or columns.planned is None:
            return None
        local = all(self.role_bundle(slot.role_id).local for slot in columns.planned.slots)
        return columns if local else None

    @cached_property
    def _rows(self) -> tuple[Ints, npt.NDArray[np.intp]]:
        """The rows of the columns by content, and where those of each content begin."""
        assert self._columns is not None
        assert self._columns.planned is not None
        planned = self._columns.planned
        return ordered_by(planned.shares.content[planned.share], len(planned.shares.contents))

    def assigned_on(self, content: ContentRef) -> list[AfterAssignment]:
        """The assignments on one folder or collection itself."""
        return [*self._sorted[1].get(content, ()), *self._planned(self._planned_on(content))]

    def _planned(self, rows: Ints) -> Iterator[AfterAssignment]:
        if self._columns is not None and self._columns.planned is not None:
            for one in map(self._columns.planned.of_share, rows.tolist()):
                yield AfterAssignment(one.assignment, str(one.row))

    def _planned_on(self, content: ContentRef) -> Ints:
        """The rows of the columns that are about one folder or collection."""
        planned = self._columns.planned if self._columns else None
        number = planned.shares.content_number.get(content) if planned else None
        if number is None:
            return np.zeros(0, dtype=np.int32)
        order, starts = self._rows
        return order[starts[number] : starts[number + 1]]

    def _assigned_to(
        self, holders: tuple[PrincipalRef, ...], spot: Spot
    ) -> Mapping[PrincipalRef, list[AfterAssignment]]:
        """What is assigned on a spot to these holders: of others nothing is made."""
        found: dict[PrincipalRef, list[AfterAssignment]] = {}
        planned = self._columns.planned if self._columns else None
        wanted = numbers_of(holders, planned.shares.principal_number) if planned else []
        for content in spot.contents:
            for entry in self._sorted[1].get(content, ()):
                if entry.assignment.principal in holders:
                    found.setdefault(entry.assignment.principal, []).append(entry)
            if planned is not None and wanted:
                rows = self._planned_on(content)
                rows = rows[among(planned.shares.principal[planned.share[rows]], wanted)]
                for entry in self._planned(rows):
                    found.setdefault(entry.assignment.principal, []).append(entry)
        return found

    def assigned_at(self, spot: Spot) -> Mapping[PrincipalRef, list[AfterAssignment]]:
        """The assignments on a spot's folders and collections, by holder; the last spot's are kept."""
        if self._last[0] != spot:
            found: dict[PrincipalRef, list[AfterAssignment]] = {}
            for content in spot.contents:
                for entry in self.assigned_on(content):
                    found.setdefault(entry.assignment.principal, []).append(entry)
            self._last = (spot, found)
            self._last_ways.clear()
        return self._last[1]

    # ------------------------------------------------------------------ what no row translated

    @cached_property
    def _untranslated(self) -> Mapping[PrincipalRef, list[Untranslated]]:
        found: dict[PrincipalRef, list[Untranslated]] = {}
        translation = self.entitlements.translation
        for missing in translation.untranslated if translation else ():
            found.setdefault(missing.principal, []).append(missing)
        return found

    def _missing_share(
        self, missing: Untranslated, holder: PrincipalRef, principal: PrincipalRef, *, local: bool
    ) -> Iterator[Way]:
        """An untranslated share, of which it is not known whether anything held it back."""
        assert missing.content is not None
        for share in self.legacy.shares_on(missing.content):
            if share.principal == holder:
                bundle = self.legacy.share_bundle(share.content.kind, share.level, None)
                if bundle.local is local:
                    yield self._perhaps(missing, self.legacy.share_way(share, None), holder, principal)

    def _perhaps(self, missing: Untranslated, way: Way, holder: PrincipalRef, principal: PrincipalRef) -> Way:
        """What a legacy grant gave, of which it is not known whether it is there after the move."""
        group = holder.id if holder != principal else ""
        via = f"group {self.entitlements.snapshot.group_by_id[group].name} › " if group else ""
        reason = f"{missing.legacy} is not translated: {missing.reason}"
        key = (reason, way.policies.most)
        if key not in self._perhaps_bundles:
            unsure = (replace(c, granted=Granted.UNKNOWN, reason=reason) for c in way.policies.clauses)
            self._perhaps_bundles[key] = Bundle.of(unsure)._replace(least="")
        cause = str(missing.row) if missing.row else NO_ROW
        text = f"{via}{missing.legacy}, untranslated"
        return Way(text, cause, self._perhaps_bundles[key], way.content, group_id=group)
