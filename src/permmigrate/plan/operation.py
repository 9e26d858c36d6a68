"""One change of an account as a value: what is done to whom, in what order, and what takes it back.

What an operation was made under is in its plan; doing one is `apply`'s business.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from permmigrate.model import PermissionType, PolicyId, PrincipalRef, RoleAssignment, RoleId, ScopeType

NEW_ROLE: Final = "new-role/"
"""How a role that the plan itself creates is named until the service has given it an id."""
NEW_POLICY: Final = "new-policy/"
"""Likewise a custom policy."""

Held = tuple[RoleAssignment, ...]
"""What a principal held when it was read, sorted by `RoleAssignment.sort_key`."""


class Kind(StrEnum):
    """What an operation does. Within a wave they are done in this order: add before remove."""

    CREATE_ROLE = "create role"
    CREATE_POLICY = "create policy"
    UPDATE_POLICY = "update policy"
    ASSIGN = "assign role"
    ASSIGN_FOLDER = "assign folder role"
    """Through the Admin API of the environment, where the account has no Permissions API."""
    REMOVE = "remove role"
    REMOVE_FOLDER = "remove folder role"
    DELETE_POLICY = "delete policy"
    """In undo plans only: what the plan created."""
    DELETE_ROLE = "delete role"
    """Likewise."""

    @property
    def phase(self) -> int:
        """Its place within a wave."""
        return _PHASES[self]

    @property
    def inverse(self) -> Kind:
        """What takes it back."""
        return _INVERSES[self]

    @property
    def grants(self) -> bool:
        return self in (Kind.ASSIGN, Kind.ASSIGN_FOLDER)

    @property
    def revokes(self) -> bool:
        return self in (Kind.REMOVE, Kind.REMOVE_FOLDER)

    @property
    def by_admin_api(self) -> bool:
        return self in (Kind.ASSIGN_FOLDER, Kind.REMOVE_FOLDER)


_PHASES: Final = {kind: place for place, kind in enumerate(Kind)}
_PAIRS: Final = (
    (Kind.CREATE_ROLE, Kind.DELETE_ROLE),
    (Kind.CREATE_POLICY, Kind.DELETE_POLICY),
    (Kind.UPDATE_POLICY, Kind.UPDATE_POLICY),
    (Kind.ASSIGN, Kind.REMOVE),
    (Kind.ASSIGN_FOLDER, Kind.REMOVE_FOLDER),
)
_INVERSES: Final = dict(_PAIRS) | {there: here for here, there in _PAIRS}


@dataclass(frozen=True, slots=True)
class RoleBody:
    """What defines a custom role (spec: CreateRole)."""

    name: str
    description: str
    permission_type: PermissionType
    scope_type: ScopeType
    policy_ids: tuple[PolicyId, ...]
    """Sorted: a role is a set of policies."""


@dataclass(frozen=True, slots=True)
class PolicyBody:
    """What defines a custom policy (spec: CustomPolicy)."""

    name: str
    description: str
    scope_type: ScopeType
    scope_id: str | None
    statement: str
    enabled: bool = True


Body = RoleBody | PolicyBody


@dataclass(frozen=True, slots=True)
class Definition:
    """A custom role or policy that an operation creates, changes or deletes.

    `before` is the precondition: the definition as it was read, or None for "there is none".
    """

    id: str
    """The id on the wire; `new-role/NAME` or `new-policy/NAME` for what is not there yet."""
    before: Body | None
    after: Body | None


@dataclass(frozen=True, slots=True)
class Operation:
    """One change. What it was made under is in `Plan.held` (assignments) or in its own `before`."""

    kind: Kind
    wave: int
    """From 1; 1 is the canary."""
    cause: str
    """The mapping row behind it, `user_roles.csv:17`, or the reason in words."""
    subject: RoleAssignment | Definition

    @property
    def id(self) -> str:
        """Sixteen hex digits that depend on what is done to what, not on the wave or the cause."""
        return hashlib.sha256(f"{self.kind}\0{self._subject_text}".encode()).hexdigest()[:16]

    @property
    def assignment(self) -> RoleAssignment:
        """The assignment given or taken. Raises TypeError for an operation on a definition."""
        if not isinstance(self.subject, RoleAssignment):
            raise TypeError(f"{self.kind} has no assignment")
        return self.subject

    @property
    def definition(self) -> Definition:
        """The definition made or changed. Raises TypeError for an operation on an assignment."""
        if not isinstance(self.subject, Definition):
            raise TypeError(f"{self.kind} has no definition")
        return self.subject

    @property
    def principal(self) -> PrincipalRef | None:
        """Whom it is about; None for a definition."""
        return self.subject.principal if isinstance(self.subject, RoleAssignment) else None

    @property
    def needs_role(self) -> str | None:
        """The `new-role/NAME` that must have been created before, if there is one."""
        if isinstance(self.subject, RoleAssignment) and self.subject.role_id.startswith(NEW_ROLE):
            return self.subject.role_id
        return None

    @property
    def _subject_text(self) -> str:
        if isinstance(self.subject, Definition):
            return self.subject.id
        return assignment_text(self.subject)

    def sort_key(self) -> str:
        """Flat text in the order operations are done: a million operations are sorted by it."""
        head = f"{self.wave:06d}\0{self.kind.phase}\0"
        if isinstance(self.subject, Definition):
            return f"{head}{self.subject.id}"
        a = self.subject
        if self.kind.by_admin_api:  # one call takes the roles of one principal on one folder
            place = f"{a.scope_id or ''}\0{a.folder_id or ''}"
            return f"{head}{place}\0{a.principal.type.value}\0{a.principal.id}\0{a.role_id}\0{self.cause}"
        content = "f" if a.folder_id else "c" if a.collection_id else ""
        return (
            f"{head}{a.role_id}\0{a.scope_id or ''}\0{content}\0{self.cause}\0"
            f"{a.principal.type.value}\0{a.principal.id}\0{a.folder_id or a.collection_id or ''}"
        )


def assignment_text(assignment: RoleAssignment) -> str:
    """One assignment as one text: equal texts are equal assignments."""
    return "\0".join(assignment.sort_key())


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one operation, as a journal knows it: enough to take it back.

    For an assignment, `before` and `after` say whether it was held; for a definition, what it was. Equal
    means that the operation changed nothing, and then there is nothing to take back.
    """

    operation_id: str
    before: Body | bool | None
    after: Body | bool | None
    given_id: str = ""
    """The id the service gave to what was created."""

    @property
    def changed(self) -> bool:
        return self.before != self.after


def role_id_of(assignment: RoleAssignment, given: Mapping[str, str]) -> RoleId:
    """The role's id on the wire, from `given` for a created role. Raises KeyError when it is not known."""
    role_id = assignment.role_id
    return RoleId(given[role_id]) if role_id.startswith(NEW_ROLE) else role_id
