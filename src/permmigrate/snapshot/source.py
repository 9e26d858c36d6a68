"""What a snapshot is captured from: the `Source` protocol and the values its reads come back as.

A read never raises for what the service refuses it: the refusal is part of the `Reading`. Only a 401 and
a bug leave a source as an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from permmigrate.errors import ServiceError
from permmigrate.model import (
    ApiKey,
    CustomPolicy,
    EnvironmentId,
    Folder,
    Group,
    Policy,
    ProductEnvironment,
    Role,
    RoleAssignment,
    User,
    UserId,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Reading(Generic[T]):
    """What came of one read: its rows, and the error that ended it early, if one did."""

    endpoint: str
    """`GET /v1_1/provisioning/accounts/{account_id}/users`."""
    rows: tuple[T, ...]
    subject: str = ""
    """What it was read for: an environment's name, a person's e-mail, or empty."""
    error: ServiceError | None = None
    note: str = ""
    """How it was read, when that is worth a line in the ledger."""
    at: str = ""
    """When its last answer came: UTC, ISO 8601, ends in `Z`; empty when none did."""


@dataclass(frozen=True, slots=True)
class ListedUser:
    """A user as the list of users has it."""

    user: User
    environments_known: bool
    """False when the list does not say which environments a limited user has."""


@dataclass(frozen=True, slots=True)
class ListedGroup:
    """A group as the list of groups has it."""

    group: Group
    members_known: bool


@dataclass(frozen=True, slots=True)
class SystemCatalog:
    """The vendor's public roles and policies."""

    policies: tuple[Policy, ...]
    roles: tuple[Role, ...]


@dataclass(frozen=True, slots=True)
class RoleContents:
    """A role with the policies it is made of."""

    role: Role
    policies: tuple[Policy, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """A list that does not end as it did when it was read, or of which that could not be told."""

    area: str
    endpoint: str
    subject: str
    error: ServiceError | None = None


class Source(Protocol):
    """An account that can be read, by several threads. Batches come back in the order they were asked for."""

    @property
    def account_id(self) -> str: ...
    @property
    def api_url(self) -> str: ...
    @property
    def account_key(self) -> str:
        """The id of the account key that reads."""
        ...

    @property
    def admin_clouds(self) -> frozenset[str]:
        """The cloud names whose Admin API can be called."""
        ...

    @property
    def calls(self) -> int:
        """How many requests were sent so far."""
        ...

    @property
    def gone(self) -> bool:
        """Whether the service stopped answering, so that nothing more is asked."""
        ...

    def stop(self) -> None:
        """Give up what is waiting; whatever is asked from now on fails."""
        ...

    def changes(self) -> tuple[Change, ...]:
        """Look again at the ends of people, groups and assignments: which are not as they were read."""
        ...

    def reread(self, area: str) -> None:
        """Let the next reads of an area ask anew."""
        ...

    def environments(self) -> Reading[ProductEnvironment]: ...
    def users(self) -> Reading[ListedUser]: ...
    def environments_of(
        self, users: Sequence[User], environments: Sequence[ProductEnvironment]
    ) -> Iterator[Reading[EnvironmentId]]:
        """What each user has of the account's environments."""
        ...

    def groups(self) -> Reading[ListedGroup]: ...
    def members_of(self, groups: Sequence[Group]) -> Iterator[Reading[UserId]]: ...
    def api_keys(self, environments: Sequence[ProductEnvironment]) -> Iterator[Reading[ApiKey]]: ...
    def folders(
        self, environment: ProductEnvironment, found: Callable[[int], None]
    ) -> Iterator[Reading[Folder]]:
        """The environment's folders, and one more reading for each part of the tree that failed.

        `found` is told how many folders there are so far.
        """
        ...

    def system_catalog(self) -> Reading[SystemCatalog]: ...
    def cedar_schema(self) -> Reading[Mapping[str, Any]]: ...
    def roles(self) -> Iterator[Reading[Role]]:
        """The account's roles without their policies."""
        ...

    def role_contents(self, roles: Sequence[Role]) -> Iterator[Reading[RoleContents]]: ...
    def custom_policies(self, environments: Sequence[ProductEnvironment]) -> Iterator[Reading[CustomPolicy]]:
        """The account's own first, then those of each environment."""
        ...

    def assignments(self, environments: Sequence[ProductEnvironment]) -> Iterator[Reading[RoleAssignment]]:
        """The account's own first, then those of each environment."""
        ...
