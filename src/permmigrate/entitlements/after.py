"""What role assignments let their holders do, directly and through groups; and what no row translated."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from permmigrate.catalog import refusal, scope_refusal
from permmigrate.entitlements.before import ACCOUNT_SCOPE, NO_ROW, Before, Placed
from permmigrate.entitlements.compiled import Compiler
from permmigrate.entitlements.grants import Grant, Masks, Place, bound
from permmigrate.mapping import Translation, Untranslated
from permmigrate.model import (
    ALL_ENVIRONMENTS,
    ContentKind,
    ContentRef,
    GroupId,
    PrincipalRef,
    PrincipalType,
    Role,
    RoleAssignment,
    ScopeType,
    UserId,
)
from permmigrate.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class AfterAssignment:
    """A role assignment on the after side, and what to blame for it."""

    assignment: RoleAssignment
    cause: str


@dataclass
class After:
    """The new side: a fixed list of assignments, wherever they come from."""

    snapshot: Snapshot
    compiler: Compiler
    assignments: tuple[AfterAssignment, ...]
    before: Before
    translation: Translation | None
    ineffective: dict[str, int] = field(default_factory=dict)
    """Why assignments have no effect although the vendor accepts them, and how many."""
    _bound: dict[PrincipalRef, tuple[Placed, ...]] = field(default_factory=dict)

    def grants(self, principal: PrincipalRef) -> Iterator[Placed]:
        """Everything the principal may do: by its own assignments and by its groups'."""
        yield from self._held(principal)
        yield from self._unknown(principal, principal)
        if principal.type is PrincipalType.USER:
            for group_id in self.snapshot.groups_of.get(UserId(principal.id), ()):
                group = PrincipalRef(PrincipalType.GROUP, group_id)
                yield from self._through(group)
                yield from self._unknown(group, principal)

    def _held(self, holder: PrincipalRef) -> tuple[Placed, ...]:
        if holder not in self._bound:
            entries = self._by_principal.get(holder, ())
            self._bound[holder] = tuple(placed for entry in entries for placed in self._bind(entry))
        return self._bound[holder]

    def _through(self, group: PrincipalRef) -> tuple[Placed, ...]:
        if group not in self._via_group:
            via = f"group {self.snapshot.group_by_id[GroupId(group.id)].name} › "
            self._via_group[group] = tuple(
                (scope, Grant(g.place, g.masks, via + g.text, g.cause, g.reasons))
                for scope, g in self._held(group)
            )
        return self._via_group[group]

    @cached_property
    def _via_group(self) -> dict[PrincipalRef, tuple[Placed, ...]]:
        return {}

    @cached_property
    def _by_principal(self) -> Mapping[PrincipalRef, list[AfterAssignment]]:
        found: dict[PrincipalRef, list[AfterAssignment]] = {}
        for entry in self.assignments:
            found.setdefault(entry.assignment.principal, []).append(entry)
        return found

    def _bind(self, entry: AfterAssignment) -> Iterator[Placed]:
        assignment = entry.assignment
        role = self.snapshot.catalog.roles.get(assignment.role_id)
        if role is None:
            yield from self._bind_unknown_role(entry)
            return
        why_not = refusal(role, assignment.principal.type) or scope_refusal(
            role, assignment.scope_id, assignment.folder_id, assignment.collection_id
        )
        scopes = self.scopes(assignment)
        if not why_not and not scopes:
            why_not = "the product environment is not the key's own, or is not in the account"
        if why_not:
            self.ineffective[why_not] = self.ineffective.get(why_not, 0) + 1
            return
        content = {"folder": assignment.folder_id, "collection": assignment.collection_id}
        for scope in scopes:
            text = f"{role.level} role {role.name}{self._where(role, scope, content.get(role.level))}"
            for place, masks, reasons in self.compiler.role(role.id).parts():
                here = bound(place, content)
                if here is not None:
                    yield scope, Grant(here, masks, text, entry.cause, reasons)

    def _where(self, role: Role, scope: str, content_id: str | None) -> str:
        if content_id is None:
            return ""
        content = ContentRef(self.snapshot.environment_by_id[scope].id, ContentKind(role.level), content_id)
        return f" on {self.snapshot.content_labels.get(content, content_id)}"

    def _bind_unknown_role(self, entry: AfterAssignment) -> Iterator[Placed]:
        role_id = entry.assignment.role_id
        for scope in self.scopes(entry.assignment):
            scope_type = ScopeType.ENVIRONMENT if scope else ScopeType.ACCOUNT
            masks = Masks(opaque_permit=self.compiler.universes[scope_type].full)
            reason = f"role `{role_id}` is not in the catalog"
            yield (
                scope,
                Grant(Place(), masks, f"role {role_id}", entry.cause, ((masks.opaque_permit, reason),)),
            )

    def scopes(self, assignment: RoleAssignment) -> tuple[str, ...]:
        """The scopes an assignment reaches among those the snapshot knows; for an API key, its own only."""
        if assignment.scope_id is None:
            return (ACCOUNT_SCOPE,)
        reached = tuple(
            environment.id
            for environment in self.snapshot.environments
            if assignment.scope_id in (ALL_ENVIRONMENTS, environment.id)
        )
        if assignment.principal.type is PrincipalType.API_KEY:
            key = self.snapshot.api_key_by_id.get(assignment.principal.id)
            return tuple(scope for scope in reached if key is not None and scope == key.environment_id)
        return reached

    @cached_property
    def _untranslated(self) -> Mapping[PrincipalRef, list[Untranslated]]:
        found: dict[PrincipalRef, list[Untranslated]] = {}
        for missing in self.translation.untranslated if self.translation else ():
            found.setdefault(missing.principal, []).append(missing)
        return found

    def _unknown(self, holder: PrincipalRef, principal: PrincipalRef) -> Iterator[Placed]:
        """What a legacy grant gave and no row translates may or may not be there after the move."""
        user = self.snapshot.user_by_id[principal.id] if principal.type is PrincipalType.USER else None
        for missing in self._untranslated.get(holder, ()):
            legacy = (
                self.before.role_grants(holder)
                if missing.content is None
                else self.before.share_grants(holder, user, missing.content)
            )
            reason = f"{missing.legacy} is not translated: {missing.reason}"
            cause = str(missing.row) if missing.row else NO_ROW
            for scope, grant in legacy:
                masks = Masks(opaque_permit=grant.masks.touched | grant.masks.inert)
                reasons = ((masks.opaque_permit, reason),)
                yield scope, Grant(grant.place, masks, f"{missing.legacy}, untranslated", cause, reasons)
