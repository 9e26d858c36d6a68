"""The `Snapshot` value. It sorts itself when built and answers look-ups; files and crawls live elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from permmigrate.catalog import Catalog
from permmigrate.model import (
    AccountId,
    AccountKey,
    ApiKey,
    Collection,
    ContentRef,
    CustomPolicy,
    Folder,
    Group,
    GroupId,
    LedgerEntry,
    OrphanShare,
    PrincipalRef,
    PrincipalType,
    ProductEnvironment,
    RoleAssignment,
    Share,
    User,
    UserId,
)
from permmigrate.snapshot.labels import ContentLabels
from permmigrate.snapshot.shares import Shares

SCHEMA_VERSION: Final = 1


@dataclass(frozen=True)
class Snapshot:
    """One account at one moment. Build it with `Snapshot.of`, which sorts every table."""

    account_id: AccountId
    captured_at: str
    """UTC, ISO 8601, ends in `Z`."""
    tool_version: str
    api_url: str
    environments: tuple[ProductEnvironment, ...]
    users: tuple[User, ...]
    groups: tuple[Group, ...]
    api_keys: tuple[ApiKey, ...]
    account_keys: tuple[AccountKey, ...]
    folders: tuple[Folder, ...]
    collections: tuple[Collection, ...]
    shares: Sequence[Share]
    """`Shares`, unless somebody put something else there."""
    orphan_shares: tuple[OrphanShare, ...]
    catalog: Catalog
    custom_policies: tuple[CustomPolicy, ...]
    assignments: tuple[RoleAssignment, ...]
    ledger: tuple[LedgerEntry, ...]
    digest: str = ""
    """The sha256 its file carries; empty for a snapshot that was never saved."""

    @cached_property
    def environment_by_id(self) -> Mapping[str, ProductEnvironment]:
        return {environment.id: environment for environment in self.environments}

    @cached_property
    def user_by_id(self) -> Mapping[str, User]:
        return {user.id: user for user in self.users}

    @cached_property
    def group_by_id(self) -> Mapping[str, Group]:
        return {group.id: group for group in self.groups}

    @cached_property
    def api_key_by_id(self) -> Mapping[str, ApiKey]:
        return {key.id: key for key in self.api_keys}

    @cached_property
    def groups_of(self) -> Mapping[UserId, tuple[GroupId, ...]]:
        """The ids of the groups each user belongs to, sorted; users in no group are absent."""
        found: dict[UserId, list[GroupId]] = {}
        for group in self.groups:
            for member in group.member_ids:
                found.setdefault(member, []).append(group.id)
        return {user: tuple(sorted(ids)) for user, ids in found.items()}

    @cached_property
    def share_columns(self) -> Shares:
        """The shares as columns."""
        return Shares.of(self.shares)

    @cached_property
    def content_labels(self) -> Mapping[ContentRef, str]:
        """What to call each folder (its path) and collection (its name)."""
        return ContentLabels(self.folders, self.collections)

    @property
    def gaps(self) -> tuple[LedgerEntry, ...]:
        """What could not be read; a snapshot with gaps proves no absence."""
        return tuple(entry for entry in self.ledger if entry.status.is_gap)

    def principal_name(self, principal: PrincipalRef) -> str:
        """The name people know the principal by, or its id."""
        match principal.type:
            case PrincipalType.USER:
                user = self.user_by_id.get(principal.id)
                return (user.name or user.email) if user else principal.id
            case PrincipalType.GROUP:
                group = self.group_by_id.get(principal.id)
                return group.name if group else principal.id
            case PrincipalType.API_KEY:
                key = self.api_key_by_id.get(principal.id)
                return key.name if key and key.name else principal.id
            case PrincipalType.ACCOUNT_KEY:
                names = {key.id: key.name for key in self.account_keys}
                return names.get(principal.id) or principal.id

    def has(self, principal: PrincipalRef) -> bool:
        """Whether the snapshot lists the principal."""
        match principal.type:
            case PrincipalType.USER:
                return principal.id in self.user_by_id
            case PrincipalType.GROUP:
                return principal.id in self.group_by_id
            case PrincipalType.API_KEY:
                return principal.id in self.api_key_by_id
            case PrincipalType.ACCOUNT_KEY:
                return any(key.id == principal.id for key in self.account_keys)

    def is_dormant(self, principal: PrincipalRef) -> bool:
        """Whether the principal cannot act today: a disabled or pending user, a disabled key."""
        match principal.type:
            case PrincipalType.USER:
                user = self.user_by_id.get(principal.id)
                return user is not None and (user.pending or not user.enabled)
            case PrincipalType.API_KEY:
                key = self.api_key_by_id.get(principal.id)
                return key is not None and not key.enabled
            case _:
                return False

    @staticmethod
    def of(
        *,
        account_id: str,
        captured_at: str,
        tool_version: str,
        api_url: str = "",
        environments: tuple[ProductEnvironment, ...] = (),
        users: tuple[User, ...] = (),
        groups: tuple[Group, ...] = (),
        api_keys: tuple[ApiKey, ...] = (),
        account_keys: tuple[AccountKey, ...] = (),
        folders: tuple[Folder, ...] = (),
        collections: tuple[Collection, ...] = (),
        shares: Iterable[Share] = (),
        orphan_shares: tuple[OrphanShare, ...] = (),
        catalog: Catalog,
        custom_policies: tuple[CustomPolicy, ...] = (),
        assignments: tuple[RoleAssignment, ...] = (),
        ledger: tuple[LedgerEntry, ...] = (),
        digest: str = "",
    ) -> Snapshot:
        """Build a snapshot with every table in one order, whatever order it was read in."""
        return Snapshot(
            account_id=AccountId(account_id),
            captured_at=captured_at,
            tool_version=tool_version,
            api_url=api_url,
            environments=tuple(sorted(environments, key=lambda e: e.id)),
            users=tuple(sorted(users, key=lambda u: u.id)),
            groups=tuple(sorted(groups, key=lambda g: g.id)),
            api_keys=tuple(sorted(api_keys, key=lambda k: (k.environment_id, k.id))),
            account_keys=tuple(sorted(account_keys, key=lambda k: k.id)),
            folders=tuple(sorted(folders, key=lambda f: (f.environment_id, f.path, f.id))),
            collections=tuple(sorted(collections, key=lambda c: (c.environment_id, c.id))),
            shares=Shares.of(shares).ordered(),
            orphan_shares=tuple(sorted(orphan_shares, key=lambda o: (o.source, o.fields))),
            catalog=catalog,
            custom_policies=tuple(sorted(custom_policies, key=lambda p: p.id)),
            assignments=tuple(sorted(assignments, key=RoleAssignment.sort_key)),
            ledger=tuple(sorted(ledger, key=lambda e: (e.area, e.endpoint, e.subject))),
            digest=digest,
        )
