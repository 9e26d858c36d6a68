"""Who holds which role: principal_roles, inspect and a role's principals (spec: permissions.yml)."""

from __future__ import annotations

from bisect import bisect_right
from typing import Final

from permmigrate.sandbox.columns import Assignment
from permmigrate.sandbox.permissions import (
    MANAGEMENT_TYPES,
    PERMISSION_TYPES,
    SCOPE_TYPES,
    Permissions,
)
from permmigrate.sandbox.routes import Router
from permmigrate.sandbox.state import Role
from permmigrate.sandbox.wire import (
    Request,
    Response,
    decode_cursor,
    encode_cursor,
    invalid,
    missing,
)

_READ: Final = ("read", ("Role", "RoleAssignment"))
_ASSIGN: Final = ("assign", ("Role",))
_ROWS_A_PAGE: Final = 5_000
"""An inspect page ends early when its principals hold more rows than this together."""


class Principals(Permissions):
    """The handlers."""

    def register(self, router: Router) -> None:
        self._add(router, "GET", "/principal_roles/inspect", self.inspect, _READ)
        self._add(router, "POST", "/principal_roles/inspect", self.inspect_multiple, _READ)
        self._add(router, "GET", "/principal_roles", self.roles_of, _READ)
        self._add(router, "PUT", "/principal_roles", self.change_roles, _ASSIGN)
        self._add(router, "GET", "/roles/{role_id}/principals", self.principals_of, _READ)
        self._add(router, "PUT", "/roles/{role_id}/principals", self.change_principals, _ASSIGN)

    def roles_of(self, request: Request) -> Response:
        principal = self.principal(request, required=True)
        permission = self.choice(request, "permission_type", PERMISSION_TYPES, required=True)
        management = self.choice(request, "management_type", MANAGEMENT_TYPES)
        rows = self.rows(request, principal=principal)
        data = [
            self.held_role(role, row)
            for role, row in rows
            if role.permission_type == permission and management in (None, role.management_type)
        ]
        return Response.json({"data": data})

    def change_roles(self, request: Request) -> Response:
        fields = request.payload()
        operation = self.operation(fields)
        principal = fields.get("principal") or {}
        if not isinstance(principal, dict):
            raise invalid("principal", principal)
        kind, identity = self.known(principal.get("type"), principal.get("id"))
        roles = fields.get("roles")
        if not isinstance(roles, list) or not roles or not all(isinstance(role, dict) for role in roles):
            raise missing("roles")
        if any(not role.get("id") for role in roles):
            raise missing("role_id")
        rows = [
            self.wanted(kind, identity, self.role(r["id"]), r.get("scope_id"), r.get("policy_parameters"))
            for r in roles
        ]
        self.apply(operation, rows)
        return Response(200)

    def principals_of(self, request: Request) -> Response:
        role = self.role(request.params["role_id"])
        rows = list(self.rows(request, role=role.id))
        if request.flag("verbose"):
            return Response.stream("data", (self._verbose(row, role) for _, row in rows))
        unique = dict.fromkeys((row.principal_type, row.principal_id) for _, row in rows)
        return Response.stream("data", ({"id": identity, "type": kind} for kind, identity in unique))

    @staticmethod
    def _verbose(row: Assignment, role: Role) -> dict[str, object]:
        answer: dict[str, object] = {
            "id": row.principal_id,
            "type": row.principal_type,
            "role_id": row.role_id,
            "scope_type": role.scope_type,
            "created_at": row.created_at,
            "updated_at": row.created_at,
        }
        if row.scope_id is not None:
            answer["scope_id"] = row.scope_id
        if row.content_kind:
            answer["policy_parameters"] = row.parameters
        return answer

    def change_principals(self, request: Request) -> Response:
        fields = request.payload()
        role = self.role(request.params["role_id"])
        operation = self.operation(fields)
        principals = fields.get("principals")
        if not isinstance(principals, list) or not principals:
            raise missing("principals")
        if not all(isinstance(principal, dict) for principal in principals):
            raise invalid("principals", principals)
        rows = [
            self.wanted(
                *self.known(p.get("principal_type"), p.get("principal_id")),
                role,
                p.get("scope_id"),
                p.get("policy_parameters"),
            )
            for p in principals
        ]
        self.apply(operation, rows)
        return Response(200)

    def inspect(self, request: Request) -> Response:
        scope_type = self.choice(request, "scope_type", SCOPE_TYPES, required=True)
        scope_id = self.scope_id(request.one("scope_id"))
        content = self.content(request)
        principal = self.principal(request, required=False)
        everyone = [principal] if principal else self._account.assignments.principals()
        return self._inspected(everyone, scope_type, scope_id, content, request.one("cursor"))

    def inspect_multiple(self, request: Request) -> Response:
        fields = request.payload()
        scope_type, given = fields.get("scope_type"), fields.get("principals")
        absent = [n for n, v in (("scope_type", scope_type), ("principals", given)) if not v]
        if absent:
            raise missing(*absent)
        if scope_type not in SCOPE_TYPES:
            raise invalid("scope_type", scope_type)
        if not isinstance(given, list) or not all(isinstance(one, dict) for one in given):
            raise invalid("principals", given)
        parameters = fields.get("policy_parameters") or {}
        if not isinstance(parameters, dict) or len(parameters) > 1:
            raise invalid("policy_parameters", parameters)
        content = next(((str(k), str(v)) for k, v in parameters.items()), None)
        everyone = sorted({self.known(one.get("type"), one.get("id")) for one in given})
        scope_id = self.scope_id(fields.get("scope_id"))
        return self._inspected(everyone, str(scope_type), scope_id, content, fields.get("cursor"))

    def _inspected(
        self,
        everyone: list[tuple[str, str]],
        scope_type: str | None,
        scope_id: str | None,
        content: tuple[str, str] | None,
        cursor: object,
    ) -> Response:
        """A page of principals with their roles; the cursor is the last principal that was shown."""
        start = 0
        if cursor:
            after = decode_cursor(str(cursor))
            if not isinstance(after, list) or len(after) != 2:
                raise invalid("cursor", cursor)
            start = bisect_right(everyone, (after[0], after[1]))
        shown: list[dict[str, object]] = []
        last, rows, more = None, 0, False
        for kind, identity in everyone[start:]:
            held = [
                self.held_role(role, row)
                for role, row in self.fitting(scope_type, scope_id, content, principal=(kind, identity))
            ]
            if not held:
                continue
            if shown and (len(shown) == self.page_size or rows + len(held) > _ROWS_A_PAGE):
                more = True
                break
            shown.append({"type": kind, "id": identity, "roles": held})
            last, rows = [kind, identity], rows + len(held)
        answer: dict[str, object] = {"data": {"principals": shown}}
        if more:
            answer["next_cursor"] = encode_cursor(last)
        return Response.json(answer)
