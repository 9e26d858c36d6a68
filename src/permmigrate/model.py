"""The vendor's nouns as frozen values. No I/O and no rules live here.

Identifiers are text everywhere: API keys look like 15-digit numbers and must never become one.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NewType

AccountId = NewType("AccountId", str)
EnvironmentId = NewType("EnvironmentId", str)
UserId = NewType("UserId", str)
GroupId = NewType("GroupId", str)
FolderId = NewType("FolderId", str)
CollectionId = NewType("CollectionId", str)
RoleId = NewType("RoleId", str)
PolicyId = NewType("PolicyId", str)

ALL_ENVIRONMENTS: Final = "all"
"""The `scope_id` that covers every product environment, those of tomorrow included."""


class PrincipalType(StrEnum):
    """The wire's words for who can hold a role (spec: PrincipalTypeEnum)."""

    USER = "user"
    GROUP = "group"
    API_KEY = "apiKey"
    ACCOUNT_KEY = "provisioningKey"

    @property
    def label(self) -> str:
        return _PRINCIPAL_LABELS[self]


_PRINCIPAL_LABELS: Final = {
    PrincipalType.USER: "user",
    PrincipalType.GROUP: "group",
    PrincipalType.API_KEY: "API key",
    PrincipalType.ACCOUNT_KEY: "account key",
}


class ScopeType(StrEnum):
    """Where a role or policy applies (spec: ScopeTypeEnum)."""

    ACCOUNT = "account"
    ENVIRONMENT = "prodenv"


class PermissionType(StrEnum):
    """Whether a role or policy is global in its scope or bound to content."""

    GLOBAL = "global"
    CONTENT = "content"


class ManagementType(StrEnum):
    """Who maintains a role."""

    SYSTEM = "system"
    CUSTOM = "custom"


class ContentKind(StrEnum):
    """What a content role or a legacy share is bound to."""

    FOLDER = "folder"
    COLLECTION = "collection"

    @property
    def parameter(self) -> str:
        """The wire's name of the policy parameter: `folder_id` or `collection_id`."""
        return f"{self.value}_id"


class Confidence(StrEnum):
    """How sure a shipped or hand-made statement is. Only `OFFICIAL` is the vendor's own word."""

    OFFICIAL = "official"
    DOCUMENTED = "documented"
    THIRD_PARTY = "third-party"
    INFERRED = "inferred"
    CUSTOMER = "customer"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, order=True)
class PrincipalRef:
    """Who holds a role: the wire's `{type, id}`."""

    type: PrincipalType
    id: str

    def __str__(self) -> str:
        return f"{self.type.value}:{self.id}"

    def __hash__(self) -> int:
        return hash(self.id)  # an enumeration's own hash costs more than the rest together


@dataclass(frozen=True, slots=True, order=True)
class ContentRef:
    """One folder or collection of a product environment."""

    environment_id: EnvironmentId
    kind: ContentKind
    id: str
    """A folder's `external_id`, or a collection's id."""

    def __hash__(self) -> int:
        return hash(self.id)


@dataclass(frozen=True, slots=True)
class ProductEnvironment:
    """A product environment (the wire's `sub_account`)."""

    id: EnvironmentId
    name: str
    cloud_name: str
    enabled: bool
    created_at: str | None = None


@dataclass(frozen=True, slots=True)
class User:
    """A user of the account, with the legacy role."""

    id: UserId
    name: str
    email: str
    legacy_role: str
    """As the wire has it; may be empty or a value this tool has never seen."""
    enabled: bool = True
    pending: bool = False
    all_environments: bool = True
    environment_ids: tuple[EnvironmentId, ...] = ()
    """The environments the user is limited to; empty when `all_environments`."""
    last_login: str | None = None
    created_at: str | None = None
    root: bool | None = None
    technical_role: str | None = None
    providers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Group:
    """A user group and its members, sorted by id."""

    id: GroupId
    name: str
    member_ids: tuple[UserId, ...] = ()


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A product-environment API key. Its secret is dropped at the parser and has no field."""

    id: str
    """The key value itself: the wire has no other id for it."""
    name: str
    environment_id: EnvironmentId
    enabled: bool = True
    created_at: str | None = None
    updated_at: str | None = None


@dataclass(frozen=True, slots=True)
class AccountKey:
    """An account management key (the wire's `provisioningKey`), known because it was used or holds a role."""

    id: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class Folder:
    """A folder. Its parent is the folder at the path without the last segment."""

    id: FolderId
    """The `external_id`."""
    environment_id: EnvironmentId
    path: str
    """`Brands/Aurora/2026`: no leading or trailing slash."""


@dataclass(frozen=True, slots=True)
class Collection:
    """A collection, known from share lists or from assignments: no API lists them with their shares."""

    id: CollectionId
    environment_id: EnvironmentId
    name: str


@dataclass(frozen=True, slots=True)
class Share:
    """A legacy folder or collection share: this principal, this level, this content."""

    content: ContentRef
    principal: PrincipalRef
    level: str
    """`can_view`, `can_contribute`, `can_edit`, `can_manage`, or whatever a collection list says."""
    source: str
    """`shares.csv:12` or the name of the API it came from."""


@dataclass(frozen=True, slots=True)
class OrphanShare:
    """A share whose person, group, folder or environment is not in the account: kept, never dropped."""

    fields: tuple[tuple[str, str], ...]
    """The row as it was written: (column, text) pairs."""
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class Policy:
    """A system policy of the catalog."""

    id: PolicyId
    name: str
    description: str
    scope_type: ScopeType
    permission_type: PermissionType
    statement: str
    """Cedar; content policies hold `<folder_id>` or `<collection_id>` where an id is bound."""
    category: str = ""
    sub_category: str = ""
    parameters: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Role:
    """A system or custom role. Names repeat across scopes: only the id tells roles apart."""

    id: RoleId
    name: str
    description: str
    management_type: ManagementType
    permission_type: PermissionType
    scope_type: ScopeType
    policy_ids: tuple[PolicyId, ...]
    parameters: tuple[str, ...] = ()

    @property
    def level(self) -> str:
        """`account`, `environment`, `folder` or `collection`: the four kinds of role there are."""
        if self.permission_type is PermissionType.CONTENT:
            return "collection" if "collection_id" in self.parameters else "folder"
        return "account" if self.scope_type is ScopeType.ACCOUNT else "environment"


@dataclass(frozen=True, slots=True)
class CustomPolicy:
    """A custom Cedar policy. It names its own principals, and it may forbid."""

    id: str
    name: str
    description: str
    scope_type: ScopeType
    scope_id: str | None
    """An environment id, `all`, or None at account scope."""
    statement: str
    enabled: bool = True


@dataclass(frozen=True, slots=True)
class RoleAssignment:
    """A role held by a principal at a scope (the wire's RoleToManage with its principal)."""

    principal: PrincipalRef
    role_id: RoleId
    scope_id: str | None = None
    """An environment id, `all`, or None at account scope."""
    folder_id: FolderId | None = None
    collection_id: CollectionId | None = None

    def sort_key(self) -> tuple[str, str, str, str, str, str]:
        return (
            self.principal.type.value,
            self.principal.id,
            self.role_id,
            self.scope_id or "",
            self.folder_id or "",
            self.collection_id or "",
        )


class ReadStatus(StrEnum):
    """What became of one thing the snapshot set out to read."""

    READ = "read"
    EMPTY = "empty"
    DENIED = "denied"
    FAILED = "failed"
    SKIPPED = "skipped"
    UNREADABLE = "unreadable"

    @property
    def is_gap(self) -> bool:
        """Whether something may be there that was not read."""
        return self in (ReadStatus.DENIED, ReadStatus.FAILED, ReadStatus.SKIPPED, ReadStatus.UNREADABLE)


@dataclass(frozen=True, slots=True)
class LedgerEntry:
    """One line of the completeness ledger."""

    area: str
    """people, groups, keys, folders, shares, roles, policies, assignments, catalog, environments."""
    endpoint: str
    """`GET /v1_1/provisioning/accounts/{account_id}/users`, or `list shares.csv`."""
    subject: str
    """What it was read for: an environment's name, a group's id, or empty."""
    status: ReadStatus
    count: int = 0
    http_status: int | None = None
    detail: str = ""
    read_at: str = ""
    """When the last answer to it came: UTC, ISO 8601, ends in `Z`; empty when none did."""
