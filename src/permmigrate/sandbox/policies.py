"""System, custom and effective policies (spec: permissions.yml)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from permmigrate.sandbox.columns import Assignment
from permmigrate.sandbox.decide import bind
from permmigrate.sandbox.permissions import PERMISSION_TYPES, SCOPE_TYPES, Permissions
from permmigrate.sandbox.public import refuse_cedar
from permmigrate.sandbox.roles import policy_data
from permmigrate.sandbox.routes import Router
from permmigrate.sandbox.state import CustomPolicy, Role
from permmigrate.sandbox.wire import (
    ApiError,
    Request,
    Response,
    decode_cursor,
    encode_cursor,
    invalid,
    missing,
    not_found,
)

_READ: Final = ("read", ("Role", "CustomPolicy"))
_ENTITY: Final = {"user": "User", "group": "Group", "apiKey": "APIKey", "provisioningKey": "APIKey"}


class Policies(Permissions):
    """The handlers."""

    def register(self, router: Router) -> None:
        self._add(router, "GET", "/policies/system", self.system, _READ)
        self._add(router, "GET", "/policies/effective", self.effective, _READ)
        self._add(router, "GET", "/policies/custom", self.customs, _READ)
        self._add(router, "POST", "/policies/custom", self.create, ("create", ("CustomPolicy",)))
        self._add(router, "GET", "/policies/custom/{policy_id}", self.custom, _READ)
        self._add(router, "PUT", "/policies/custom/{policy_id}", self.update, ("update", ("CustomPolicy",)))
        self._add(
            router, "DELETE", "/policies/custom/{policy_id}", self.delete, ("delete", ("CustomPolicy",))
        )

    def system(self, request: Request) -> Response:
        """All in one answer: the specification gives it a `next_cursor` but no way to send one back."""
        scope = self.choice(request, "scope_type", SCOPE_TYPES) or "account"
        permission = self.choice(request, "permission_type", PERMISSION_TYPES)
        data = [
            policy_data(policy, {})
            for policy in self._account.system_policies.values()
            if policy["scope_type"] == scope and permission in (None, policy["permission_type"])
        ]
        return Response.json({"data": data})

    def _scope(self, request: Request) -> tuple[str, str | None]:
        """The scope of a query: the account unless `prodenv` is said, and then its id is required."""
        scope_type = self.choice(request, "scope_type", SCOPE_TYPES) or "account"
        if scope_type == "account":
            return scope_type, None
        if not request.one("scope_id"):
            raise missing("scope_id")
        return scope_type, self.scope_id(request.one("scope_id"))

    def _in_scope(self, scope_type: str, scope_id: str | None) -> list[CustomPolicy]:
        return [
            policy
            for policy in self._account.custom_policies.values()
            if policy.scope_type == scope_type and (scope_id is None or policy.scope_id in (scope_id, "all"))
        ]

    def customs(self, request: Request) -> Response:
        enabled, cursor = request.flag("enabled"), request.one("cursor")
        found = [p for p in self._in_scope(*self._scope(request)) if enabled in (None, p.enabled)]
        found.sort(key=lambda policy: policy.id)
        if cursor:
            after = decode_cursor(cursor)
            if not isinstance(after, str):
                raise invalid("cursor", cursor)
            found = [policy for policy in found if policy.id > after]
        page = found[: self.page_size]
        answer: dict[str, object] = {"data": [self._data(policy) for policy in page]}
        if len(found) > len(page):
            answer["next_cursor"] = encode_cursor(page[-1].id)
        return Response.json(answer)

    def custom(self, request: Request) -> Response:
        return Response.json({"data": self._data(self._mine(request))})

    def create(self, request: Request) -> Response:
        policy = self._made(request.payload(), CustomPolicy("", "", None, "", None, "", True, 0, 0))
        for other in self._account.custom_policies.values():
            if (other.scope_type, other.scope_id) == (policy.scope_type, policy.scope_id) and normalised(
                other.statement
            ) == normalised(policy.statement):
                raise _exists(policy)
        policy.id = self._context.new_id("policy")[:24]
        policy.created_at = policy.updated_at
        self._account.custom_policies[policy.id] = policy
        return Response.json({"data": self._data(policy)}, 201)

    def update(self, request: Request) -> Response:
        policy, fields = self._mine(request), request.payload()
        if fields.get("enabled") is None:
            raise missing("enabled")
        changed = self._made(fields, policy)
        for other in self._account.custom_policies.values():
            if (other.scope_type, other.scope_id) == (changed.scope_type, changed.scope_id) and normalised(
                other.statement
            ) == normalised(changed.statement):
                raise _exists(changed)
        self._account.custom_policies[policy.id] = changed
        return Response.json({"data": self._data(changed)})

    def delete(self, request: Request) -> Response:
        del self._account.custom_policies[self._mine(request).id]
        return Response(204)

    def _mine(self, request: Request) -> CustomPolicy:
        policy = self._account.custom_policies.get(request.params["policy_id"])
        if policy is None:
            raise not_found("policy_id", request.params["policy_id"])
        return policy

    def _made(self, fields: Mapping[str, Any], before: CustomPolicy) -> CustomPolicy:
        """A checked policy from a body, with the id and birth of the one before it."""
        absent = [name for name in ("name", "policy_statement", "scope_type") if not fields.get(name)]
        if fields.get("scope_type") == "prodenv" and not fields.get("scope_id"):
            absent.append("scope_id")
        if absent:
            raise missing(*absent)
        if fields["scope_type"] not in SCOPE_TYPES:
            raise invalid("scope_type", fields["scope_type"])
        for name in ("name", "policy_statement", "description"):
            if not isinstance(fields.get(name), str | None):
                raise invalid(name, fields[name])
        enabled = fields.get("enabled")
        if not isinstance(enabled, bool | None):
            raise invalid("enabled", enabled)
        scope_id = self.scope_id(fields.get("scope_id")) if fields["scope_type"] == "prodenv" else None
        refuse_cedar(self._account, fields["policy_statement"])
        return CustomPolicy(
            before.id,
            fields["name"],
            fields.get("description"),
            fields["scope_type"],
            scope_id,
            normalised(fields["policy_statement"]),
            True if enabled is None else enabled,
            before.created_at,
            self._context.epoch(),
        )

    @staticmethod
    def _data(policy: CustomPolicy) -> dict[str, object]:
        answer: dict[str, object] = {
            "id": policy.id,
            "policy_statement": policy.statement,
            "description": policy.description,
            "scope_type": policy.scope_type,
            "name": policy.name,
            "enabled": policy.enabled,
            "created_at": policy.created_at,
            "updated_at": policy.updated_at,
        }
        if policy.scope_type == "prodenv":
            answer["scope_id"] = policy.scope_id
        return answer

    def effective(self, request: Request) -> Response:
        """Roles with their bound statements, and the enabled custom policies, of a scope."""
        scope_type, scope_id = self._scope(request)
        only = self.principal(request, required=False)
        principals = []
        for kind, identity in [only] if only else self._account.assignments.principals():
            rows = self.fitting(scope_type, scope_id, None, principal=(kind, identity))
            roles = [self._effective_role(role, row) for role, row in rows]
            if roles:
                principals.append({"principal_type": kind, "principal_id": identity, "roles": roles})
        named = f'"{only[1]}"' if only else ""
        customs = [
            {"id": policy.id, "policy_statement": policy.statement}
            for policy in self._in_scope(scope_type, scope_id)
            if policy.enabled and named in policy.statement
        ]
        return Response.json({"data": {"principals": principals, "custom_policies": customs}})

    def _effective_role(self, role: Role, row: Assignment) -> dict[str, object]:
        who = f'principal == Cloudinary::{_ENTITY[row.principal_type]}::"{row.principal_id}"'
        policies = [
            {
                "id": policy_id,
                "policy_statement": re.sub(
                    r"\(\s*principal\s*,",
                    lambda _: f"({who},",
                    bind(self._account.system_policies[policy_id]["policy"], row.parameters),
                ),
            }
            for policy_id in role.policy_ids
        ]
        return {"id": role.id, "system_policies": policies}


def normalised(statement: str) -> str:
    """A statement with every run of white space outside strings made one space, as the server keeps it."""
    parts = re.split(r'("(?:[^"\\]|\\.)*")', statement)
    return "".join(p if n % 2 else re.sub(r"\s+", " ", p) for n, p in enumerate(parts)).strip()


def _exists(policy: CustomPolicy) -> ApiError:
    return ApiError(409, "already exists for the scope", fields=[{"policy_statement": policy.statement}])
