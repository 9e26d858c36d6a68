"""Custom roles and policies as what defines them, and whether two definitions mean the same.

The service may write a statement in another way than it was given: what counts is what Cedar reads in it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from functools import lru_cache

import cedarpy

from permmigrate.model import CustomPolicy, ManagementType, Role, RoleId
from permmigrate.plan.operation import (
    NEW_POLICY,
    NEW_ROLE,
    Body,
    Definition,
    Kind,
    Operation,
    PolicyBody,
    RoleBody,
)
from permmigrate.plan.world import World


def role_body(role: Role) -> RoleBody:
    """What defines the role."""
    return RoleBody(
        role.name, role.description, role.permission_type, role.scope_type, tuple(sorted(role.policy_ids))
    )


def policy_body(policy: CustomPolicy) -> PolicyBody:
    """What defines the policy."""
    return PolicyBody(
        policy.name,
        policy.description,
        policy.scope_type,
        policy.scope_id,
        policy.statement,
        policy.enabled,
    )


@lru_cache(maxsize=4096)
def meaning(statement: str) -> str:
    """A statement without its layout and its comments; text that is not Cedar without its spaces' number."""
    try:
        return json.dumps(json.loads(cedarpy.policies_to_json_str(statement)), sort_keys=True)
    except ValueError:
        return " ".join(statement.split())


def same(one: Body | None, other: Body | None) -> bool:
    """Whether two definitions give the same access under the same name; descriptions do not count."""
    match one, other:
        case None, None:
            return True
        case RoleBody(), RoleBody():
            return (
                _kind(one) == _kind(other)
                and one.name == other.name
                and set(one.policy_ids) == set(other.policy_ids)
            )
        case PolicyBody(), PolicyBody():
            return (
                (one.name, one.scope_type, one.scope_id, one.enabled)
                == (other.name, other.scope_type, other.scope_id, other.enabled)
            ) and meaning(one.statement) == meaning(other.statement)
        case _:
            return False


def _kind(body: RoleBody) -> tuple[str, str]:
    return (body.permission_type, body.scope_type)


def namesake(body: RoleBody, world: World) -> Role | None:
    """The account's custom role of that name and kind: the service lets there be one only.

    Names are compared without case, so that two roles which people would mix up are not made.
    """
    for role in world.catalog.roles.values():
        if (
            role.management_type is ManagementType.CUSTOM
            and role.id not in world.catalog.planned
            and (role.permission_type, role.scope_type) == _kind(body)
            and role.name.casefold() == body.name.casefold()
        ):
            return role
    return None


def catalog_digest(world: World, operations: Iterable[Operation]) -> str:
    """The digest of the account's catalog without the roles that operations make or delete.

    It is the same before, during and after they are done, as long as nothing else changes.
    """
    own = {
        RoleId(found(each.definition, world)[0])
        for each in operations
        if each.kind in (Kind.CREATE_ROLE, Kind.DELETE_ROLE)
    }
    catalog = world.catalog
    there = own & catalog.roles.keys()
    return replace(catalog, planned=catalog.planned | there).digest if there else catalog.digest


def found(definition: Definition, world: World) -> tuple[str, Body | None]:
    """What there is now of a definition, and its id: by its id, or by its name where only a name is known.

    A name is all that is known of what is to be created, and of what an undo plan made beforehand deletes.
    """
    wanted = definition.after or definition.before
    by_name = definition.before is None or definition.id.startswith((NEW_ROLE, NEW_POLICY))
    if isinstance(wanted, PolicyBody):
        for policy in world.policies:
            body = policy_body(policy)
            if policy.id == definition.id or (by_name and same(body, wanted)):
                return policy.id, body
        return "", None
    by_id = world.catalog.roles.get(RoleId(definition.id))
    there = by_id if by_id and by_id.id not in world.catalog.planned else None
    role = there or (namesake(wanted, world) if isinstance(wanted, RoleBody) and by_name else None)
    return (role.id, role_body(role)) if role else ("", None)
