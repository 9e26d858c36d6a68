"""What role assignments let their holders do, directly and through groups; and what no row translated."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from permmigrate.catalog import refusal, scope_refusal
from permmigrate.entitlements.assigned import AfterAssignment, Assigned, reaches
from permmigrate.entitlements.before import ACCOUNT_SCOPE, NO_ROW, Before, Placed
from permmigrate.entitlements.compiled import Compiler
from permmigrate.entitlements.grants import Grant, Masks, Place, bound, is_own
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


@dataclass
class After:
    """The new side: a fixed list of assignments, wherever they come from."""

    snapshot: Snapshot
    compiler: Compiler
    assignments: Assigned
    before: Before
    translation: Translation | None

    def grants(
        self, principal: PrincipalRef, contents: Collection[ContentRef] | None = None
    ) -> Iterator[Placed]:
        """Everything the principal may do: by its own assignments and by its groups'.

        With `contents`, of what holds on a folder or collection that it was given on only that on these.
        """
        yield from self._held(principal, contents)
        yield from self._unknown(principal, principal, contents)
        for group in self.groups(principal):
            yield from self._through(group, contents)
            yield from self._unknown(group, principal, contents)

    def given(self, holder: PrincipalRef, principal: PrincipalRef, content: ContentRef) -> Iterator[Placed]:
        """What a holder was given on one folder or collection, as it reaches the principal through it, and
        what no row translates of it. It may have parts that hold elsewhere."""
        via = "" if holder == principal else self._via(holder)
        for entry in self.assignments.on(holder, content):
            for _, (scope, g) in self._bind(entry):
                yield scope, Grant(g.place, g.masks, via + g.text, g.cause, g.reasons)
        yield from self._unknown(holder, principal, (content,))

    def _via(self, group: PrincipalRef) -> str:
        return f"group {self.snapshot.group_by_id[GroupId(group.id)].name} › "

    def _through(self, group: PrincipalRef, contents: Collection[ContentRef] | None) -> Iterator[Placed]:
        via = self._via(group)
        for scope, g in self._held(group, contents):
            yield scope, Grant(g.place, g.masks, via + g.text, g.cause, g.reasons)

    def groups(self, principal: PrincipalRef) -> tuple[PrincipalRef, ...]:
        """The groups whose roles count for the principal."""
        if principal.type is not PrincipalType.USER:
            return ()
        ids = self.snapshot.groups_of.get(UserId(principal.id), ())
        return tuple(PrincipalRef(PrincipalType.GROUP, group_id) for group_id in ids)

    def _held(self, holder: PrincipalRef, contents: Collection[ContentRef] | None) -> Iterator[Placed]:
        for entry in self.assignments.of(holder, None if self.strays else contents):
            wanted = contents is None or reaches(entry.assignment, contents)
            for place, placed in self._bind(entry):
                if wanted or not is_own(place):
                    yield placed

    @cached_property
    def strays(self) -> bool:
        """Whether something given on a folder or collection may hold elsewhere; as far as is known, nothing
        does but a role that nobody knows."""
        roles = self.snapshot.catalog.roles
        unknown = (one.assignment.role_id not in roles for one in self.assignments.on_content)
        return self.compiler.strays or any(unknown)

    def why_not(self, assignment: RoleAssignment, role: Role) -> str:
        """Why an assignment that the vendor accepts has no effect, or the empty string."""
        return (
            refusal(role, assignment.principal.type)
            or scope_refusal(role, assignment.scope_id, assignment.folder_id, assignment.collection_id)
            or ("" if self.scopes(assignment) else NOWHERE)
        )

    @cached_property
    def ineffective(self) -> Mapping[str, int]:
        """Why assignments have no effect although the vendor accepts them, and how many."""
        alike: dict[object, list[RoleAssignment]] = {}
        for entry in self.assignments.loose:
            one = entry.assignment
            who = one.principal if one.principal.type is PrincipalType.API_KEY else one.principal.type
            key = (who, one.role_id, one.scope_id, one.folder_id, one.collection_id)
            alike.setdefault(key, []).append(one)
        found: Counter[str] = Counter()
        for several in alike.values():
            role = self.snapshot.catalog.roles.get(several[0].role_id)
            if role is not None:
                there = sum(self.snapshot.has(one.principal) for one in several)
                found[self.why_not(several[0], role)] += there
        found[NOWHERE] += sum(
            not self.scopes(one.assignment) for one in self.assignments.on_content_of_keys()
        )
        return {reason: count for reason, count in found.items() if reason and count}

    def _bind(self, entry: AfterAssignment) -> Iterator[tuple[Place, Placed]]:
        """The grants of an assignment, each with its place as the role has it."""
        assignment = entry.assignment
        role = self.snapshot.catalog.roles.get(assignment.role_id)
        if role is None:
            yield from self._bind_unknown_role(entry)
            return
        if self.why_not(assignment, role):
            return
        content = {"folder": assignment.folder_id, "collection": assignment.collection_id}
        for scope in self.scopes(assignment):
            text = f"{role.level} role {role.name}{self._where(role, scope, content.get(role.level))}"
            for place, masks, reasons in self.compiler.role(role.id).parts():
                here = bound(place, content)
                if here is not None:
                    yield place, (scope, Grant(here, masks, text, entry.cause, reasons))

    def _where(self, role: Role, scope: str, content_id: str | None) -> str:
        if content_id is None:
            return ""
        content = ContentRef(self.snapshot.environment_by_id[scope].id, ContentKind(role.level), content_id)
        return f" on {self.snapshot.content_labels.get(content, content_id)}"

    def _bind_unknown_role(self, entry: AfterAssignment) -> Iterator[tuple[Place, Placed]]:
        role_id = entry.assignment.role_id
        for scope in self.scopes(entry.assignment):
            scope_type = ScopeType.ENVIRONMENT if scope else ScopeType.ACCOUNT
            masks = Masks(opaque_permit=self.compiler.universes[scope_type].full)
            reason = f"role `{role_id}` is not in the catalog"
            reasons = ((masks.opaque_permit, reason),)
            yield Place(), (scope, Grant(Place(), masks, f"role {role_id}", entry.cause, reasons))

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

    def untranslated(self, holder: PrincipalRef) -> list[Untranslated]:
        """What of a holder's legacy grants no row translates."""
        return self._untranslated.get(holder, [])

    def _unknown(
        self, holder: PrincipalRef, principal: PrincipalRef, contents: Collection[ContentRef] | None
    ) -> Iterator[Placed]:
        """What a legacy grant gave and no row translates may or may not be there after the move."""
        user = self.snapshot.user_by_id[principal.id] if principal.type is PrincipalType.USER else None
        for missing in self.untranslated(holder):
            if missing.content is None:
                legacy = self.before.role_grants(holder)
            elif contents is None or self.strays or missing.content in contents:
                legacy = self.before.share_grants(holder, user, (missing.content,))
            else:
                continue
            reason = f"{missing.legacy} is not translated: {missing.reason}"
            for scope, grant in legacy:
                masks = Masks(opaque_permit=grant.masks.touched | grant.masks.inert)
                reasons = ((masks.opaque_permit, reason),)
                text = f"{missing.legacy}, untranslated"
                yield scope, Grant(grant.place, masks, text, cause_of(missing), reasons)


def cause_of(missing: Untranslated) -> str:
    """What to blame for a legacy grant that was not translated."""
    return str(missing.row) if missing.row else NO_ROW


NOWHERE: Final = "the product environment is not the key's own, or is not in the account"
