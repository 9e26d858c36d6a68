"""System and custom roles, their policies and the Cedar schema; resolves what a mapping row names.

It never guesses an id: what the live catalog does not hold is an `UnknownTarget` with the nearest names.
"""

from __future__ import annotations

import difflib
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from permmigrate.model import (
    ManagementType,
    PermissionType,
    Policy,
    PolicyId,
    PrincipalType,
    Role,
    RoleId,
    ScopeType,
)

LEVELS: Final = ("account", "environment", "folder", "collection")
"""The four kinds of role; a selector `folder/Editor` names a role by its level and name."""

ILLUSTRATIVE_SOURCE: Final = "sandbox"
"""`Catalog.source` of the catalog that ships for the sandbox; labelled so wherever it shows."""
_LOCAL: Final = ("127.0.0.1", "localhost", "[::1]")


def is_illustrative(source: str) -> bool:
    """Whether a catalog of this source is the sandbox's and not the vendor's."""
    return source.startswith(ILLUSTRATIVE_SOURCE) or any(host in source for host in _LOCAL)


@dataclass(frozen=True, slots=True)
class UnknownTarget:
    """What a mapping row names is not in the catalog, or names more than one role."""

    name: str
    reason: str
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Catalog:
    """The roles, policies and Cedar schema of one account at one moment."""

    policies: Mapping[PolicyId, Policy]
    roles: Mapping[RoleId, Role]
    schema: Mapping[str, Any] = field(default_factory=dict)
    """Cedar's JSON schema as served by `public/schema`; empty when it could not be read."""
    source: str = ""
    """The address the system part was read from."""
    missing_policies: tuple[tuple[RoleId, PolicyId], ...] = ()
    """Policies that a role names and the catalog does not define."""
    planned: frozenset[RoleId] = frozenset()
    """The roles that are to be created: they are among `roles`, and not part of the digest."""
    aliases: Mapping[str, RoleId] = field(default_factory=dict)
    """Other names for roles: what stood for one before it was created."""

    @staticmethod
    def of(
        policies: Iterable[Policy],
        roles: Iterable[Role],
        schema: Mapping[str, Any] | None = None,
        source: str = "",
    ) -> Catalog:
        """Build a catalog in id order, noting every policy that a role names in vain."""
        by_policy = {policy.id: policy for policy in sorted(policies, key=lambda p: p.id)}
        by_role = {role.id: role for role in sorted(roles, key=lambda r: r.id)}
        missing = tuple(
            (role.id, policy_id)
            for role in by_role.values()
            for policy_id in role.policy_ids
            if policy_id not in by_policy
        )
        return Catalog(by_policy, by_role, dict(schema or {}), source, missing)

    @cached_property
    def digest(self) -> str:
        """The sha256 of what grants access: role contents, statements and schema, not their descriptions."""
        content = {
            "policies": {p.id: p.statement for p in self.policies.values()},
            "roles": {
                role.id: [role.permission_type, role.scope_type, list(role.policy_ids)]
                for role in self.roles.values()
                if role.id not in self.planned
            },
            "schema": self.schema,
        }
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def policies_of(self, role: Role) -> tuple[Policy, ...]:
        """The role's policies that the catalog defines, in the role's order."""
        return tuple(self.policies[pid] for pid in role.policy_ids if pid in self.policies)

    def resolve(self, target: str) -> Role | UnknownTarget:
        """Find the role that a mapping row names: an exact id, or `level/Name` such as `folder/Editor`.

        Names are compared without case. A selector that fits more than one role is not resolved.
        """
        role = self.roles.get(self.aliases.get(target, RoleId(target)))
        if role is not None:
            return role
        level, slash, name = target.partition("/")
        if slash and level in LEVELS:
            found = [
                role
                for role in self.roles.values()
                if role.level == level and role.name.casefold() == name.strip().casefold()
            ]
            if len(found) == 1:
                return found[0]
            if found:
                ids = ", ".join(role.id for role in found)
                return UnknownTarget(target, f"names {len(found)} roles", (ids,))
        return UnknownTarget(target, "is not in the catalog", self._near(target))

    def _near(self, target: str) -> tuple[str, ...]:
        selectors = {f"{role.level}/{role.name}": f"{role.level}/{role.name}" for role in self.roles.values()}
        names = selectors | {str(role_id): str(role_id) for role_id in self.roles}
        folded = {name.casefold(): name for name in names}
        near = difflib.get_close_matches(target.casefold(), folded, n=2, cutoff=0.6)
        return tuple(folded[name] for name in near)


def refusal(role: Role, principal_type: PrincipalType) -> str:
    """Why this kind of principal cannot hold this role, or the empty string when it can.

    The vendor accepts such an assignment and it has no effect (its roles overview: "if you assign a role
    that doesn't match the scope or access type, it has no effect"), so it must never be planned.
    """
    kind, level = principal_type, role.level
    if level == "account" and kind is PrincipalType.API_KEY:
        return "an account role has no effect on a product-environment API key"
    if level in ("folder", "collection") and kind is PrincipalType.ACCOUNT_KEY:
        return f"a {level} role has no effect on an account key"
    if level == "collection" and kind is PrincipalType.API_KEY:
        return "a collection role can be held by users and groups only"
    if level == "collection" and role.management_type is ManagementType.CUSTOM:
        return "custom collection roles do not exist: collection roles are system roles only"
    return ""


def scope_refusal(role: Role, scope_id: str | None, folder_id: str | None, collection_id: str | None) -> str:
    """Why this role has no effect at this scope, or the empty string when it has."""
    if role.scope_type is ScopeType.ACCOUNT:
        return "an account role cannot be bound to a product environment" if scope_id else ""
    if not scope_id:
        return "an environment role needs a product environment"
    if role.permission_type is PermissionType.GLOBAL:
        return ""
    if role.level == "folder" and not folder_id:
        return "a folder role needs a folder"
    if role.level == "collection" and not collection_id:
        return "a collection role needs a collection"
    return ""
