"""Custom roles and policies: what is there, and which write makes it what a plan wants.

What to do with one that others changed is not decided here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from permmigrate.apply.live import (
    CreatePolicy,
    CreateRole,
    DeletePolicy,
    DeleteRole,
    Live,
    UpdatePolicy,
    Write,
)
from permmigrate.model import EnvironmentId, ManagementType, RoleId
from permmigrate.plan import Body, Kind, Operation, PolicyBody, RoleBody
from permmigrate.plan.definitions import policy_body, same
from permmigrate.plan.undo import PLACEHOLDERS


@dataclass(frozen=True, slots=True)
class Found:
    """A definition as it is on the service."""

    id: str = ""
    """Its id there; empty when it is not there."""
    body: Body | None = None


class Definitions:
    """Reads definitions of a live account and says what to write."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def find(self, operation: Operation, identity: str, given: str) -> Found:
        """What is there now; `given` is the id that the service gave to it earlier, if it did."""
        definition = operation.definition
        body = definition.after or definition.before
        if isinstance(body, RoleBody):
            return self._role(operation, body, identity, given)
        assert isinstance(body, PolicyBody)
        return self._policy(operation, body, given)

    def _role(self, operation: Operation, body: RoleBody, identity: str, given: str) -> Found:
        name = operation.definition.id
        if operation.kind is Kind.DELETE_ROLE and not name.startswith(PLACEHOLDERS):
            role_id = RoleId(name)
        else:
            role_id = RoleId(given) if given else self._named(body) or chosen_id(body, identity)
        there = self._live.role_body(role_id)
        return Found(role_id, there) if there is not None else Found()

    def _named(self, body: RoleBody) -> RoleId | None:
        """A custom role of the same kind and name: there can be only one. Case does not count."""
        for role in self._live.roles().values():
            if (
                role.management_type is ManagementType.CUSTOM
                and role.name.casefold() == body.name.casefold()
                and (role.permission_type, role.scope_type) == (body.permission_type, body.scope_type)
            ):
                return role.id
        return None

    def _policy(self, operation: Operation, body: PolicyBody, given: str) -> Found:
        name = operation.definition.id
        wanted = given or ("" if name.startswith(PLACEHOLDERS) else name)
        scope = EnvironmentId(body.scope_id) if body.scope_id else None
        for there in self._live.custom_policies(scope):
            if there.id == wanted or (not wanted and same(policy_body(there), body)):
                return Found(there.id, policy_body(there))
        return Found()


def write_for(operation: Operation, identity: str, found: Found) -> Write:
    """The write that does the operation on what was found."""
    after = operation.definition.after
    match operation.kind, after:
        case Kind.CREATE_ROLE, RoleBody():
            return CreateRole(chosen_id(after, identity), after)
        case Kind.CREATE_POLICY, PolicyBody():
            return CreatePolicy(after)
        case Kind.UPDATE_POLICY, PolicyBody():
            return UpdatePolicy(found.id, after)
        case Kind.DELETE_ROLE, _:
            return DeleteRole(RoleId(found.id))
        case Kind.DELETE_POLICY, _:
            return DeletePolicy(found.id)
        case _:
            raise TypeError(f"{operation.kind} is no operation on a definition")


def chosen_id(role: RoleBody, identity: str) -> RoleId:
    """The id to make a role under: the same each time, so that making it twice is a conflict."""
    slug = re.sub(r"[^a-z0-9]+", "_", role.name.lower()).strip("_")[:40] or "role"
    return RoleId(f"{slug}_{identity[:8]}")
