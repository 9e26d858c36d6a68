"""What an account lacks and what it has too much of, by its mapping: as changes, in no order yet.

Nothing is given that would have no effect, that cannot be named on the wire, or whose role cannot be made;
each is left out with its reason or left to be done by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from permmigrate.catalog import refusal, scope_refusal
from permmigrate.mapping import Translation
from permmigrate.model import (
    ContentKind,
    PrincipalRef,
    PrincipalType,
    RoleAssignment,
    RoleId,
)
from permmigrate.plan.definitions import meaning, namesake, policy_body, role_body, same
from permmigrate.plan.fitness import Reach
from permmigrate.plan.operation import NEW_POLICY, NEW_ROLE, Definition, Kind, PolicyBody
from permmigrate.plan.rejected import Rejections
from permmigrate.plan.value import LeftOut
from permmigrate.plan.waves import Change
from permmigrate.plan.world import World
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.lists.ids import is_made_up

NOT_MAPPED: Final = "not in the mapping"
"""The cause of a removal."""
BREAK_GLASS: Final = "it is a break-glass principal, which no plan touches"

REJECTED: Final = (
    "what it would widen was rejected: give its holder something else by another mapping row, or nothing"
)


@dataclass
class Wishes:
    """Collects changes; `now` is the account, `world` the same with the roles that are to be made."""

    now: Snapshot
    world: World
    reach: Reach
    rejections: Rejections
    protected: frozenset[PrincipalRef] = frozenset()
    shares_known: bool = True
    """Whether all legacy shares were listed: what the mapping wants of folders is not known otherwise."""
    changes: list[Change] = field(default_factory=list)
    by_hand: list[tuple[Change, str]] = field(default_factory=list)
    _left_out: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    _misfits: dict[tuple[RoleId, PrincipalType, bool, bool, bool], str] = field(default_factory=dict)
    _short: set[PrincipalRef] = field(default_factory=set)
    """Who will not get all that the mapping wants for it."""
    _roles: dict[RoleId, str] = field(default_factory=dict)
    """Roles to be made that are needed, and why they cannot be made."""

    def __post_init__(self) -> None:
        self._folders = frozenset(folder.id for folder in self.now.folders)
        self._folders_known = not any(entry.area == "folders" for entry in self.now.gaps)

    @property
    def left_out(self) -> list[LeftOut]:
        return [
            LeftOut(None, f"{count:,} × {what}" if count > 1 else what, cause, reason)
            for (what, cause, reason), count in self._left_out.items()
        ]

    def grants(self, translation: Translation) -> None:
        """Add what the mapping wants and nobody holds."""
        held = frozenset(self.now.assignments)
        for planned in translation.planned:
            if planned.assignment not in held:
                self._grant(planned.assignment, str(planned.row))
        for missing in translation.untranslated:
            what = f"legacy grant {missing.kind} {missing.value}".rstrip() if missing.kind else "legacy grant"
            self._left_out[what, str(missing.row or ""), missing.reason] += 1

    def _grant(self, assignment: RoleAssignment, cause: str) -> None:
        reason = (
            self._gone(assignment)
            or self._misfit(assignment)
            or (REJECTED if self.rejections.takes_out(assignment, cause) else "")
            or self._unmakeable(assignment.role_id, cause)
        )
        if reason:
            self._left_out[f"role {assignment.role_id}", cause, reason] += 1
            self._short.add(assignment.principal)
            return
        self._add(Kind.ASSIGN, assignment, cause)

    def _add(self, kind: Kind, assignment: RoleAssignment, cause: str) -> None:
        if assignment.principal in self.protected:
            self._left_out[f"{kind} {assignment.role_id}", cause, BREAK_GLASS] += 1
            return
        reason = self._made_up(assignment)
        if self.reach is Reach.ADMIN and not reason:
            on_key = assignment.principal.type is PrincipalType.API_KEY and assignment.folder_id
            if on_key and assignment.scope_id in self.now.environment_by_id:
                kind = Kind.ASSIGN_FOLDER if kind.grants else Kind.REMOVE_FOLDER
            else:
                reason = "the account has no Permissions API"
        change = Change(kind, cause, assignment)
        if reason:
            self.by_hand.append((change, reason))
            self._short.add(assignment.principal)
        else:
            self.changes.append(change)

    def _made_up(self, assignment: RoleAssignment) -> str:
        for identity in (
            assignment.principal.id,
            assignment.scope_id or "",
            assignment.folder_id or "",
            assignment.collection_id or "",
        ):
            if is_made_up(identity):
                return "it is known by name only, from a list: no call can name it"
        return ""

    def _gone(self, assignment: RoleAssignment) -> str:
        if not self.now.has(assignment.principal):
            return f"the {assignment.principal.type.label} is no longer in the account"
        if assignment.folder_id and self._folders_known and assignment.folder_id not in self._folders:
            return "the folder is no longer in the account"
        return ""

    def _misfit(self, assignment: RoleAssignment) -> str:
        key = (
            assignment.role_id,
            assignment.principal.type,
            bool(assignment.scope_id),
            bool(assignment.folder_id),
            bool(assignment.collection_id),
        )
        if key not in self._misfits:
            role = self.world.catalog.roles.get(assignment.role_id)
            self._misfits[key] = (
                "the role is not in the catalog"
                if role is None
                else refusal(role, assignment.principal.type)
                or scope_refusal(role, assignment.scope_id, assignment.folder_id, assignment.collection_id)
            )
        return self._misfits[key]

    def _unmakeable(self, role_id: RoleId, cause: str) -> str:
        """Plan to make a role the first time it is needed; say why it cannot be made."""
        if not role_id.startswith(NEW_ROLE):
            return ""
        if role_id not in self._roles:
            body = role_body(self.world.catalog.roles[role_id])
            self._roles[role_id] = reason = self._obstacle(role_id)
            if not reason:
                self.changes.append(Change(Kind.CREATE_ROLE, cause, Definition(role_id, None, body)))
        return self._roles[role_id]

    def _obstacle(self, role_id: RoleId) -> str:
        if self.reach is Reach.ADMIN:
            return "the account has no Permissions API to make a custom role with"
        body = role_body(self.world.catalog.roles[role_id])
        if not body.policy_ids:
            return "the role would have no policy"
        there = namesake(body, self.world)
        if there is None or same(role_body(there), body):
            return ""
        wanted, has = set(body.policy_ids), set(there.policy_ids)
        return (
            f"there is a custom role of that name already (`{there.id}`), with other policies: "
            f"{len(has - wanted):,} more and {len(wanted - has):,} fewer; give the new one another name"
        )

    def removals(self, translation: Translation) -> None:
        """Add what principals of the mapping hold beyond what it wants.

        Whoever the mapping does not speak of, has a legacy grant that could not be translated, or will not be
        given all that the mapping wants, keeps what it has. Grants come first.
        """
        wanted = {planned.assignment for planned in translation.planned}
        named = {principal for principal, _ in translation.row_by_grant}
        short = frozenset(self._short)
        unsure = {missing.principal for missing in translation.untranslated}
        for assignment in self.now.assignments:
            who = assignment.principal
            if assignment in wanted or who not in named:
                continue
            reason = ""
            if assignment.role_id not in self.world.catalog.roles:
                reason = "the catalog does not have the role: it may be another name of one that is wanted"
            elif who in unsure:
                reason = "a legacy grant of the same principal is not translated"
            elif who in short:
                reason = "something that it should be given first is not planned"
            elif (assignment.folder_id or assignment.collection_id) and not self.shares_known:
                reason = "the legacy shares are not all known"
            if reason:
                self._left_out[f"keeps role {assignment.role_id}", NOT_MAPPED, reason] += 1
            else:
                self._add(Kind.REMOVE, assignment, NOT_MAPPED)

    def policies(self, wanted: Iterable[PolicyBody], cause: str) -> None:
        """Add custom policies that are not there or say something else, whatever their layout."""
        for body in sorted(wanted, key=lambda each: (each.name, each.scope_id or "")):
            there = {
                policy.id: policy_body(policy)
                for policy in self.now.custom_policies
                if policy.scope_type is body.scope_type and policy.scope_id == body.scope_id
            }
            named = [(id_, each) for id_, each in there.items() if each.name == body.name]
            if any(same(each, body) for _, each in named):
                continue
            twin = [id_ for id_, each in there.items() if meaning(each.statement) == meaning(body.statement)]
            if twin and not named:
                reason = (
                    f"custom policy {twin[0]} of another name says the same, and the service takes no second"
                )
                self._left_out[f"custom policy {body.name}", cause, reason] += 1
                continue
            if len(named) > 1:
                reason = f"{len(named)} custom policies have that name: {', '.join(id_ for id_, _ in named)}"
                self._left_out[f"custom policy {body.name}", cause, reason] += 1
            elif named:
                identity, before = named[0]
                self.changes.append(Change(Kind.UPDATE_POLICY, cause, Definition(identity, before, body)))
            else:
                definition = Definition(f"{NEW_POLICY}{body.scope_id or 'account'}/{body.name}", None, body)
                self.changes.append(Change(Kind.CREATE_POLICY, cause, definition))


def content_key(assignment: RoleAssignment) -> tuple[str, ContentKind] | None:
    """The folder or collection of an assignment."""
    if assignment.folder_id:
        return assignment.folder_id, ContentKind.FOLDER
    return (assignment.collection_id, ContentKind.COLLECTION) if assignment.collection_id else None
