"""The rows of the mapping tables as frozen values, one class a table.

Nothing here reads a file or knows a catalog: a row is what a person wrote, checked for its words only.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import ClassVar, Final, TypeVar

from permmigrate.mapping.value import Granted, LegacyKind, RowRef
from permmigrate.model import Confidence

ANY: Final = "any"
WILDCARD: Final = "*"
NO_LEGACY_ROLE: Final = "(none)"
"""How a table writes "no legacy role on record", which snapshots hold as the empty string; so do rows."""

LEGACY_ROLES: Final = (
    "master_admin",
    "admin",
    "technical_admin",
    "billing",
    "reports",
    "media_library_admin",
    "media_library_user",
)
"""The seven values of the wire's `role` (spec: provisioning, UserRequest.role)."""

LEGACY_LEVELS: Final = ("can_view", "can_contribute", "can_edit", "can_manage")
"""The four legacy folder levels (vendor's sharing tutorial). Collection levels have no published names."""


class TargetType(StrEnum):
    """What a row gives: one role, the roles of an access bundle, or deliberately nothing."""

    ROLE = "role"
    BUNDLE = "bundle"
    NONE = "none"


class ScopeKind(StrEnum):
    """Where a row gives it."""

    ACCOUNT = "account"
    EACH = "each_environment"
    ALL = "all_environments"
    ONE = "environment"
    FOLDER = "folder"
    COLLECTION = "collection"


class MatchBy(StrEnum):
    """How an override finds its principals, the strongest first."""

    ID = "id"
    EMAIL = "email"
    EMAIL_DOMAIN = "email_domain"
    GROUP = "group"
    NAME = "name"

    @property
    def precedence(self) -> int:
        """0 wins over 1: an id says more than an e-mail address, which says more than a name."""
        return list(MatchBy).index(self)


@dataclass(frozen=True, slots=True)
class Scope:
    """A row's scope; `environment` is an id or a cloud name and is set for `environment:...` only."""

    kind: ScopeKind
    environment: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.environment}" if self.kind is ScopeKind.ONE else self.kind.value


@dataclass(frozen=True, slots=True)
class Target:
    """What a row gives and where."""

    type: TargetType
    name: str
    """A role id, a selector such as `folder/Editor`, or a bundle's name; empty for none."""
    scope: Scope


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a row stands and how sure it is."""

    ref: RowRef
    source: str
    confidence: Confidence
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What every row has."""

    origin: Origin

    @property
    def ref(self) -> RowRef:
        return self.origin.ref


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetRow(Row):
    """A row that translates legacy grants. Rows with the same key belong together."""

    KEY: ClassVar[tuple[str, ...]] = ()

    target: Target

    @property
    def key(self) -> tuple[str, ...]:
        return tuple(str(getattr(self, name)) for name in self.KEY)


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRoleRow(TargetRow):
    """user_roles.csv: a legacy role and one thing it becomes."""

    KEY: ClassVar = ("legacy_role",)

    legacy_role: str
    """The wire's word; empty for users without a legacy role on record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRow(TargetRow):
    """folder_levels.csv and collection_levels.csv: a level, for one kind of principal or for any."""

    KEY: ClassVar = ("level", "principal_type")

    level: str
    principal_type: str
    """`any`, `user`, `group` or `apiKey`; a row for one kind replaces the rows for any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKeyRow(TargetRow):
    """api_keys.csv: product-environment API keys by id or name, environment and state."""

    KEY: ClassVar = ("match", "environment", "enabled")

    match: str
    environment: str
    enabled: str
    """`any`, `yes` or `no`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountKeyRow(TargetRow):
    """account_keys.csv: account management keys by id or name."""

    KEY: ClassVar = ("match",)

    match: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OverrideRow(TargetRow):
    """overrides.csv: an exception for some principals, stronger than the tables."""

    KEY: ClassVar = ("principal_type", "match_by", "match", "applies_to", "legacy")

    principal_type: str
    """`any` or a wire word of PrincipalType."""
    match_by: MatchBy
    match: str
    applies_to: str
    """`any` or a LegacyKind."""
    legacy: str
    """A legacy role or level, `*`, or the empty string for users without a legacy role on record."""
    reason: str = ""
    expires: date | None = None
    """The last day the override holds."""

    def expired(self, today: date) -> bool:
        return self.expires is not None and self.expires < today

    def covers_grant(self, kind: LegacyKind, legacy: str) -> bool:
        if self.applies_to not in (ANY, kind.value):
            return False
        named = bool(self.legacy) or kind is LegacyKind.USER_ROLE
        return self.legacy == WILDCARD or (named and self.legacy == legacy)


@dataclass(frozen=True, slots=True, kw_only=True)
class BundleRow(Row):
    """bundles.csv: one role of an access bundle."""

    bundle: str
    role: str
    scope: Scope
    """`account` or `each_environment`: in the latter the row that names the bundle says which."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BaselineRow(Row):
    """legacy_baseline.csv: whether a legacy grant included a policy."""

    kind: LegacyKind
    legacy: str
    """A legacy role or level, `*`, or the empty string for users without a legacy role on record."""
    policy: str
    """A glob on policy ids, or `category:Category/Sub category` with globs."""
    granted: Granted


@dataclass(frozen=True, slots=True, kw_only=True)
class SeverityRow(Row):
    """severity.csv: how much a capability matters."""

    scope: str
    action: str
    resource: str
    severity: str
    reason: str = ""


R = TypeVar("R", bound=TargetRow)


def key_groups(rows: Iterable[R]) -> tuple[tuple[R, ...], ...]:
    """Put rows with the same key together, groups in the order of their first row."""
    groups: dict[tuple[str, ...], list[R]] = {}
    for row in rows:
        groups.setdefault(row.key, []).append(row)
    return tuple(tuple(group) for group in groups.values())
