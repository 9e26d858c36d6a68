"""What the imitated account holds, as plain values that writes change in place.

Nothing here decides who may do what, and nothing speaks HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from permmigrate.sandbox.columns import Assignments, Folders


@dataclass(slots=True)
class Environment:
    """A product environment (`sub_account` on the wire)."""

    id: str
    name: str
    cloud_name: str
    description: str
    enabled: bool
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Key:
    """An API key of one environment."""

    id: str
    secret: str = field(repr=False)
    name: str
    environment_id: str
    enabled: bool
    created_at: int
    updated_at: int


@dataclass(slots=True)
class AccountKey:
    """An account management key (`provisioningKey` on the wire)."""

    id: str
    secret: str = field(repr=False)
    name: str


@dataclass(slots=True)
class User:
    """A user with the legacy role."""

    id: str
    first_name: str
    last_name: str
    name: str
    email: str
    role: str
    created_at: int
    updated_at: int
    last_login: int | None = None
    enabled: bool = True
    pending: bool = False
    environment_ids: list[str] | None = None
    """None when the user has every environment, tomorrow's too."""
    root: bool = False
    technical_role: str | None = None
    providers: tuple[str, ...] = ()
    two_factor: bool = False

    @property
    def status(self) -> str:
        return "pending" if self.pending else "active" if self.enabled else "disabled"

    def has(self, environment_id: str) -> bool:
        return self.environment_ids is None or environment_id in self.environment_ids


@dataclass(slots=True)
class Group:
    """A user group; members (keys of a dict) in the order they were added."""

    id: str
    name: str
    member_ids: dict[str, None]
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Role:
    """A system or custom role."""

    id: str
    name: str
    description: str | None
    management_type: str
    permission_type: str
    scope_type: str
    policy_ids: tuple[str, ...]
    parameters: tuple[str, ...]
    created_at: int
    updated_at: int

    @property
    def level(self) -> str:
        if self.permission_type == "content":
            return "collection" if "collection_id" in self.parameters else "folder"
        return "account" if self.scope_type == "account" else "environment"


@dataclass(slots=True)
class CustomPolicy:
    """A custom Cedar policy."""

    id: str
    name: str
    description: str | None
    scope_type: str
    scope_id: str | None
    statement: str
    enabled: bool
    created_at: int
    updated_at: int


@dataclass(slots=True)
class Asset:
    """An asset, enough of it to feel a permission."""

    id: str
    public_id: str
    folder: int
    """The folder's number, or ROOT."""
    environment: int
    resource_type: str
    access_control: str
    created_at: int
    bytes: int


@dataclass(slots=True)
class Account:
    """The whole account. `enforced` says whether keys are held to the roles they hold."""

    id: str
    name: str
    seed: int
    environments: list[Environment]
    keys: dict[str, Key]
    account_keys: dict[str, AccountKey]
    users: dict[str, User]
    groups: dict[str, Group]
    folders: Folders
    assets: list[Asset]
    roles: dict[str, Role]
    custom_policies: dict[str, CustomPolicy]
    system_policies: dict[str, dict[str, Any]]
    schema: dict[str, Any]
    enforced: bool
    assignments: Assignments = field(default_factory=Assignments)
    serial: int = 0
    """Counts what was created since the start, so that new ids are new."""

    def environment(self, environment_id: str) -> Environment | None:
        return next((e for e in self.environments if e.id == environment_id), None)

    def environment_number(self, environment_id: str) -> int:
        return next(n for n, e in enumerate(self.environments) if e.id == environment_id)

    def by_cloud(self, cloud_name: str) -> Environment | None:
        return next((e for e in self.environments if e.cloud_name == cloud_name), None)

    def has_principal(self, principal_type: str, principal_id: str) -> bool:
        tables: dict[str, dict[str, Any]] = {
            "user": self.users,
            "group": self.groups,
            "apiKey": self.keys,
            "provisioningKey": self.account_keys,
        }
        return principal_id in tables[principal_type]

    def groups_of(self, user_id: str) -> list[Group]:
        return [group for group in self.groups.values() if user_id in group.member_ids]
