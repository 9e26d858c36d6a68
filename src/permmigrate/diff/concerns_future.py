"""What is equal today and wider tomorrow: grants that reach environments, folders and people still to come.

Of identity providers it knows only the sign-in methods that the account lists: whether one of them really
writes groups is set in a place that no API shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from permmigrate.catalog import catalog_changes, refusal, scope_refusal
from permmigrate.diff.value import Concern, ConcernKind, Severity
from permmigrate.diff.verdicts import State, sides
from permmigrate.entitlements import AfterAssignment, Entitlements
from permmigrate.model import (
    ALL_ENVIRONMENTS,
    ContentKind,
    Group,
    GroupId,
    ManagementType,
    PrincipalRef,
    PrincipalType,
    RoleId,
    UserId,
)

IDENTITY_PROVIDER: Final = "saml"
"""The sign-in method at which groups may be written: the vendor's SAML provisioning page says that changed
attributes, groups among them, are written at each login."""

PLACES_SHOWN: Final = 10


def future_concerns(
    entitlements: Entitlements, severity_of: Callable[[RoleId], Severity]
) -> Iterator[Concern]:
    """Everything that will be wider tomorrow although nobody grants anything."""
    run = _Future(entitlements, severity_of)
    yield from run.all_environments()
    yield from run.parents()
    yield from run.provided_groups()
    yield from run.edited_roles()


@dataclass
class _Future:
    entitlements: Entitlements
    severity_of: Callable[[RoleId], Severity]

    @cached_property
    def _loose(self) -> tuple[AfterAssignment, ...]:
        """What is assigned otherwise than on a share's own folder or collection by a row of the tables."""
        return self.entitlements.assigned.loose

    def _has_effect(self, entry: AfterAssignment) -> bool:
        """Whether the vendor heeds the assignment; of a role that no catalog has, nobody knows."""
        a = entry.assignment
        role = self.entitlements.snapshot.catalog.roles.get(a.role_id)
        return role is None or not (
            refusal(role, a.principal.type) or scope_refusal(role, a.scope_id, a.folder_id, a.collection_id)
        )

    def all_environments(self) -> Iterator[Concern]:
        """Roles in all environments where the legacy reach was a list."""
        everywhere = (e for e in self._loose if e.assignment.scope_id == ALL_ENVIRONMENTS)
        for principal, entries in self._by_principal(everywhere).items():
            reach = self._legacy_reach(principal)
            if reach is not None:
                roles = self._roles(entries)
                text = f"{roles} in all environments, those made tomorrow too; before, {reach}"
                yield self._concern(principal, entries, text)

    def _legacy_reach(self, principal: PrincipalRef) -> str | None:
        """The environments that somebody was limited to, in words; None for those who had them all."""
        before = self.entitlements.earlier or self.entitlements.snapshot
        match principal.type:
            case PrincipalType.USER:
                user = before.user_by_id.get(principal.id)
                if user is None or user.all_environments or user.legacy_role == "master_admin":
                    return None
                names = [self._environment(each) for each in user.environment_ids]
                return f"access was limited to {', '.join(names)}" if names else "there was access to none"
            case PrincipalType.GROUP:
                names = [self._environment(each) for each in sorted(self._shared_in.get(principal, ()))]
                return f"shares were in {', '.join(names)} only" if names else "the group held nothing"
            case _:
                return None  # an API key works in its own environment, an account key had every one

    @cached_property
    def _shared_in(self) -> Mapping[PrincipalRef, set[str]]:
        before = self.entitlements.earlier or self.entitlements.snapshot
        found: dict[PrincipalRef, set[str]] = {}
        for share in before.shares:
            if share.principal.type is PrincipalType.GROUP:
                found.setdefault(share.principal, set()).add(share.content.environment_id)
        return found

    def parents(self) -> Iterator[Concern]:
        """Folder roles on a parent where the shares were on folders below it.

        The tables give a role on the shared folder itself, so only roles that are assigned already can.
        """
        translation = self.entitlements.translation
        rows = {str(row) for row in translation.uses} if translation is not None else set()
        wanted = [
            entry
            for entry in self._loose
            if entry.assignment.folder_id is not None and entry.cause not in rows and self._has_effect(entry)
        ]
        shares = self._shares_of({entry.assignment.principal for entry in wanted})
        for entry in wanted:
            holder = entry.assignment.principal
            for scope in self.entitlements.after.scopes(entry.assignment):
                below = self._below(entry, scope, shares.get((holder, scope), frozenset()))
                if below and not self._had_everywhere(entry, scope):
                    yield self._parent(entry, scope, below)

    def _shares_of(self, holders: set[PrincipalRef]) -> Mapping[tuple[PrincipalRef, str], frozenset[str]]:
        """The folders shared with each of some principals, a user's groups counted as the user."""
        before = self.entitlements.earlier or self.entitlements.snapshot
        through: dict[PrincipalRef, set[PrincipalRef]] = {holder: {holder} for holder in holders}
        for holder in holders:
            if holder.type is PrincipalType.USER:
                for group in before.groups_of.get(UserId(holder.id), ()):
                    through.setdefault(PrincipalRef(PrincipalType.GROUP, group), set()).add(holder)
        found: dict[tuple[PrincipalRef, str], set[str]] = {}
        for share in before.shares if holders else ():
            if share.content.kind is ContentKind.FOLDER:
                for holder in through.get(share.principal, ()):
                    found.setdefault((holder, share.content.environment_id), set()).add(share.content.id)
        return {key: frozenset(folders) for key, folders in found.items()}

    def _below(self, entry: AfterAssignment, scope: str, shared: frozenset[str]) -> list[str]:
        """The shared folders below the role's; none when the folder itself or one above was shared."""
        tree = self.entitlements.trees[scope]
        position = tree.index.get(entry.assignment.folder_id or "")
        if position is None or shared & set(tree.ancestor_ids(position)):
            return []
        places = sorted(tree.index[folder] for folder in shared if folder in tree.index)
        return [tree.paths[place] for place in places if position < place < tree.ends[position]]

    def _had_everywhere(self, entry: AfterAssignment, scope: str) -> bool:
        """Whether the holder could do all that the role permits in the whole environment anyway."""
        permitted = 0
        role = self.entitlements.snapshot.catalog.roles.get(entry.assignment.role_id)
        for _, masks, _ in self.entitlements.compiler.role(role.id).parts() if role is not None else ():
            permitted |= masks.permit
        for holding in self.entitlements.holdings(entry.assignment.principal):
            if holding.scope == scope:
                before, _ = sides(State().with_grants(holding.before.wide, ()))
                return role is not None and not permitted & holding.valid & ~before.sure
        return False

    def _parent(self, entry: AfterAssignment, scope: str, below: list[str]) -> Concern:
        tree = self.entitlements.trees[scope]
        path = tree.paths[tree.index[entry.assignment.folder_id or ""]]
        role = self._role(entry.assignment.role_id)
        text = f"{role} on {path} reaches every folder made below it tomorrow; before, only folders below it "
        return Concern(
            ConcernKind.FUTURE_SCOPE,
            entry.assignment.principal,
            self.severity_of(entry.assignment.role_id),
            f"{text}were shared",
            _some(f"{each} was shared" for each in below),
            (entry.cause,),
        )

    def provided_groups(self) -> Iterator[Concern]:
        """Groups that hold roles and have members whom an identity provider signs in."""
        provided = {group.id: (group, self._provided(group)) for group in self.entitlements.snapshot.groups}
        provided = {id_: found for id_, found in provided.items() if found[1]}
        groups = {PrincipalRef(PrincipalType.GROUP, id_) for id_ in provided}
        entries = self.entitlements.assigned.varied(groups)
        for principal, held in self._by_principal(entries).items():
            group, members = provided[GroupId(principal.id)]
            text = (
                f"{members} of {len(group.member_ids)} members sign in through SAML: an identity provider "
                "may write the group's members at each login, and whoever it adds holds what the group holds"
            )
            yield self._concern(principal, held, text)

    def _provided(self, group: Group) -> int:
        """How many members an identity provider signs in."""
        return sum(member in self._signed_in for member in group.member_ids)

    @cached_property
    def _signed_in(self) -> frozenset[UserId]:
        """The users whom an identity provider signs in."""
        users = self.entitlements.snapshot.users
        return frozenset(
            user.id for user in users if any(one.casefold() == IDENTITY_PROVIDER for one in user.providers)
        )

    def edited_roles(self) -> Iterator[Concern]:
        """Roles that the vendor changed between the two captures: what is assigned is no longer what was."""
        earlier, later = self.entitlements.earlier, self.entitlements.snapshot
        if earlier is None or earlier.catalog.digest == later.catalog.digest:
            return
        changed = frozenset(catalog_changes(earlier.catalog, later.catalog).roles)
        edited = {
            role.id
            for role in later.catalog.roles.values()
            if role.management_type is ManagementType.SYSTEM and role.id in changed
        }
        entries = (e for e in self._loose if e.assignment.role_id in edited)
        for principal, held in self._by_principal(entries).items():
            roles = self._roles(held)
            text = f"{roles}, which the vendor edited between the two captures and may edit again"
            yield self._concern(principal, held, text)

    def _concern(self, principal: PrincipalRef, entries: list[AfterAssignment], text: str) -> Concern:
        """One concern about several roles of a principal."""
        roles = {entry.assignment.role_id for entry in entries}
        return Concern(
            ConcernKind.FUTURE_SCOPE,
            principal,
            min(map(self.severity_of, roles), key=lambda severity: severity.rank),
            text,
            _some(self._role(entry.assignment.role_id) for entry in entries),
            tuple(dict.fromkeys(entry.cause for entry in entries)),
        )

    def _by_principal(self, entries: Iterable[AfterAssignment]) -> dict[PrincipalRef, list[AfterAssignment]]:
        """Those that have an effect, one of each role, cause and kind of place for each principal."""
        unlike: dict[tuple[object, ...], AfterAssignment] = {}
        for entry in entries:
            a = entry.assignment
            place = a.scope_id is None, a.folder_id is None, a.collection_id is None
            unlike.setdefault((a.principal.type, a.principal.id, a.role_id, entry.cause, *place), entry)
        found: dict[PrincipalRef, list[AfterAssignment]] = {}
        for entry in unlike.values():
            if self._has_effect(entry):
                found.setdefault(entry.assignment.principal, []).append(entry)
        return found

    def _environment(self, environment_id: str) -> str:
        environment = self.entitlements.snapshot.environment_by_id.get(environment_id)
        return (environment.name or environment.cloud_name) if environment else environment_id

    def _role(self, role_id: RoleId) -> str:
        role = self.entitlements.snapshot.catalog.roles.get(role_id)
        return f"{role.level} role {role.name}" if role else f"role {role_id}"

    def _roles(self, entries: list[AfterAssignment]) -> str:
        names = dict.fromkeys(self._role(entry.assignment.role_id) for entry in entries)
        return f"holds {next(iter(names)) if len(names) == 1 else f'{len(names)} roles'}"


def _some(texts: Iterator[str]) -> tuple[str, ...]:
    found = list(dict.fromkeys(texts))
    more = len(found) - PLACES_SHOWN
    return (*found[:PLACES_SHOWN], f"and {more} more") if more > 1 else tuple(found)
