"""What apply needs of a live account: to read what principals hold, and to change it, one call at a time.

Values and a protocol; the only thing behind it that speaks HTTP is `cloudinary.writer`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from permmigrate.model import (
    CustomPolicy,
    EnvironmentId,
    FolderId,
    PrincipalRef,
    Role,
    RoleAssignment,
    RoleId,
)
from permmigrate.plan import PolicyBody, RoleBody


@dataclass(frozen=True, slots=True)
class Assign:
    """One role given to, or taken from, principals, each at its own scope and content."""

    add: bool
    role_id: RoleId
    rows: tuple[RoleAssignment, ...]


@dataclass(frozen=True, slots=True)
class Invite:
    """Folder roles of one principal on one folder, through the Admin API of the environment."""

    add: bool
    environment_id: EnvironmentId
    folder_id: FolderId
    principal: PrincipalRef
    role_ids: tuple[RoleId, ...]


@dataclass(frozen=True, slots=True)
class CreateRole:
    """A custom role under an id that is chosen here, so that making it twice is a conflict."""

    id: RoleId
    body: RoleBody


@dataclass(frozen=True, slots=True)
class DeleteRole:
    """A custom role that nobody holds; one that is held stays (never `force`)."""

    id: RoleId


@dataclass(frozen=True, slots=True)
class CreatePolicy:
    """A custom policy; the service chooses its id."""

    body: PolicyBody


@dataclass(frozen=True, slots=True)
class UpdatePolicy:
    """A custom policy put in place of the whole of what is there."""

    id: str
    body: PolicyBody


@dataclass(frozen=True, slots=True)
class DeletePolicy:
    """A custom policy."""

    id: str


Write = Assign | Invite | CreateRole | DeleteRole | CreatePolicy | UpdatePolicy | DeletePolicy


class Verdict(StrEnum):
    """What an answer to a write says of its effect."""

    TOOK = "took effect"
    REFUSED = "refused"
    """For a call about several things: at least one of them was refused; of the others nothing is said."""
    LATER = "not looked at"
    """The call rate: it may be sent again."""
    UNSURE = "unsure"
    """No answer, or one that does not tell: only reading back does."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one write. A 401 is not an answer: it is raised."""

    verdict: Verdict
    status: int | None = None
    """None when no answer came."""
    why: str = ""
    request_id: str = ""
    """The service's own number for the call, when it gave one."""
    given_id: str = ""
    """The id of what was created."""


class Live(Protocol):
    """An account that can be read and changed. Reads raise ServiceError; so does a write that is not accepted
    for who sends it (CredentialsError)."""

    @property
    def account_id(self) -> str: ...
    @property
    def api_url(self) -> str: ...
    @property
    def account_key(self) -> str:
        """The id of the account key that acts; never its secret."""
        ...

    @property
    def calls(self) -> int:
        """How many requests were sent so far."""
        ...

    def environment_ids(self) -> tuple[EnvironmentId, ...]:
        """Every product environment of the account."""
        ...

    def held(
        self, principals: Sequence[PrincipalRef], scope: EnvironmentId | None
    ) -> Mapping[PrincipalRef, frozenset[RoleAssignment] | None]:
        """What each holds in the account (None) or in an environment, roles for all environments among them.

        A principal that the service does not know (any more) has None.
        """
        ...

    def folder_held(self, environment: EnvironmentId, folder: FolderId) -> frozenset[RoleAssignment]:
        """The roles given on a folder itself, as the Admin API tells them."""
        ...

    def roles(self) -> Mapping[RoleId, Role]:
        """Every role of the account, without its policies."""
        ...

    def role_body(self, role_id: RoleId) -> RoleBody | None:
        """A role's definition, or None when there is no such role."""
        ...

    def custom_policies(self, scope: EnvironmentId | None) -> tuple[CustomPolicy, ...]:
        """The custom policies of the account (None) or of an environment."""
        ...

    def write(self, write: Write) -> Answer:
        """Send one write once. Raises RefusedError, before a byte is sent, for what cannot have an effect."""
        ...
