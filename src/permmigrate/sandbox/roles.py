"""System and custom roles (spec: permissions.yml, tag Roles)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from permmigrate.sandbox.decide import bind
from permmigrate.sandbox.permissions import (
    CONTENT_KINDS,
    MANAGEMENT_TYPES,
    PERMISSION_TYPES,
    SCOPE_TYPES,
    Permissions,
)
from permmigrate.sandbox.routes import Router
from permmigrate.sandbox.state import Role
from permmigrate.sandbox.wire import ApiError, Request, Response, invalid, missing

CATALOG_TIME: Final = 1_719_475_215
"""When the vendor made its system policies, by the specification's examples."""


class Roles(Permissions):
    """The handlers."""

    def register(self, router: Router) -> None:
        self._add(router, "GET", "/roles", self.roles, ("read", ("Role",)))
        self._add(router, "POST", "/roles", self.create, ("create", ("Role",)))
        self._add(router, "GET", "/roles/{role_id}", self.get, ("read", ("Role",)))
        self._add(router, "PUT", "/roles/{role_id}", self.update, ("update", ("Role",)))
        self._add(router, "DELETE", "/roles/{role_id}", self.delete, ("delete", ("Role",)))

    def roles(self, request: Request) -> Response:
        permission = self.choice(request, "permission_type", PERMISSION_TYPES, required=True)
        scope = self.choice(request, "scope_type", SCOPE_TYPES)
        management = self.choice(request, "management_type", MANAGEMENT_TYPES)
        parameters = self._wanted_parameters(request)
        data = [
            self.role_data(role)
            for role in self._account.roles.values()
            if role.permission_type == permission
            and scope in (None, role.scope_type)
            and management in (None, role.management_type)
            and parameters <= set(role.parameters)
        ]
        return Response.json({"data": data})

    @staticmethod
    def _wanted_parameters(request: Request) -> set[str]:
        """`policy_parameters` is JSON in the query, by the specification; a bare name is taken too."""
        text = request.one("policy_parameters")
        if not text:
            return set()
        try:
            wanted = json.loads(text) if text.startswith("[") else request.many("policy_parameters")
        except ValueError as error:
            raise invalid("policy_parameters", text) from error
        if not all(name in CONTENT_KINDS for name in wanted):
            raise invalid("policy_parameters", text)
        return set(wanted)

    def get(self, request: Request) -> Response:
        role, content = self.role(request.params["role_id"]), self.content(request)
        return Response.json({"data": self.full(role, dict([content]) if content else {})})

    def full(self, role: Role, parameters: Mapping[str, str]) -> dict[str, object]:
        """A role with its policies, the folder or collection bound where one is given."""
        policies = [self._account.system_policies[policy_id] for policy_id in role.policy_ids]
        return {"policies": [policy_data(policy, parameters) for policy in policies], **self.role_data(role)}

    def create(self, request: Request) -> Response:
        fields = request.payload()
        absent = [name for name in ("name", "permission_type", "scope_type") if not fields.get(name)]
        if absent:
            raise missing(*absent)
        for name, allowed in (("permission_type", PERMISSION_TYPES), ("scope_type", SCOPE_TYPES)):
            if fields[name] not in allowed:
                raise invalid(name, fields[name])
        if fields["permission_type"] == "content" and fields["scope_type"] == "account":
            raise invalid("scope_type", fields["scope_type"])
        name = _name(fields)
        role_id = fields.get("id") or f"{_slug(name)}_{self._context.new_id('role')[:8]}"
        if not isinstance(role_id, str):
            raise invalid("id", role_id)
        now = self._context.epoch()
        role = Role(
            role_id, name, None, "custom", fields["permission_type"], fields["scope_type"], (), (), now, now
        )
        self._define(role, fields)
        if role_id in self._account.roles:
            raise ApiError(409, "already exists", fields=[{"id": role_id}])
        self._refuse_taken_name(role)
        self._account.roles[role_id] = role
        return Response.json({"data": self.full(role, {})}, 201)

    def update(self, request: Request) -> Response:
        role, fields = self._mine(request), request.payload()
        if not fields.get("name"):
            raise missing("name")
        changed = Role(
            role.id,
            _name(fields),
            None,
            "custom",
            role.permission_type,
            role.scope_type,
            (),
            (),
            role.created_at,
            self._context.epoch(),
        )
        self._define(changed, fields)
        self._refuse_taken_name(changed)
        self._account.roles[role.id] = changed
        return Response.json({"data": self.full(changed, {})})

    def delete(self, request: Request) -> Response:
        role = self._mine(request)
        held = next(iter(self._account.assignments.rows(role=role.id)), None)
        if held is not None and not request.flag("force"):
            raise ApiError(403, "role has associated principals", fields=[{"role_id": role.id}])
        self._account.assignments.drop_role(role.id)
        del self._account.roles[role.id]
        return Response(204)

    def _mine(self, request: Request) -> Role:
        role = self.role(request.params["role_id"])
        if role.management_type == "system":
            raise ApiError(403, "not allowed")
        return role

    def _define(self, role: Role, fields: Mapping[str, Any]) -> None:
        """Set description and policies: what is not given is emptied, since a PUT replaces the whole role."""
        description = fields.get("description")
        if description is not None and not isinstance(description, str):
            raise invalid("description", description)
        ids = fields.get("system_policy_ids") or []
        if not isinstance(ids, list):
            raise invalid("system_policy_ids", ids)
        parameters: set[str] = set()
        for policy_id in ids:
            policy = self._account.system_policies.get(policy_id) if isinstance(policy_id, str) else None
            if (
                policy is None
                or policy["permission_type"] != role.permission_type
                or policy["scope_type"] != role.scope_type
            ):
                raise invalid("system_policy_ids", policy_id)
            parameters.update(policy.get("policy_parameters") or ())
        if "collection_id" in parameters:
            raise invalid("system_policy_ids", "collection roles are system roles only")
        role.description = description
        role.policy_ids = tuple(dict.fromkeys(ids))
        role.parameters = tuple(sorted(parameters))

    def _refuse_taken_name(self, role: Role) -> None:
        """Names are unique among custom roles of one kind; system roles share theirs across scopes."""
        for other in self._account.roles.values():
            if (
                other.id != role.id
                and other.management_type == "custom"
                and (other.name, other.permission_type, other.scope_type)
                == (role.name, role.permission_type, role.scope_type)
            ):
                raise ApiError(409, "already exists", fields=[{"name": role.name}])


def policy_data(policy: Mapping[str, Any], parameters: Mapping[str, str]) -> dict[str, object]:
    """The specification's SystemPolicyResponseData."""
    answer: dict[str, object] = {
        "id": policy["id"],
        "name": policy["name"],
        "description": policy["description"],
        "scope_type": policy["scope_type"],
        "permission_type": policy["permission_type"],
        "policy_statement": bind(policy["policy"], parameters),
        "category": policy["category"],
        "sub_category": policy["sub_category"],
        "created_at": CATALOG_TIME,
        "updated_at": CATALOG_TIME,
    }
    if policy.get("policy_parameters"):
        answer["policy_parameters"] = list(policy["policy_parameters"])
    return answer


def _name(fields: Mapping[str, Any]) -> str:
    if not isinstance(fields["name"], str):
        raise invalid("name", fields["name"])
    return fields["name"]


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") or "role"
