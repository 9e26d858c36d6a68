"""The Permissions API v2: what its endpoints share (spec: permissions.yml).

Wrong-scope assignments are accepted here as the vendor accepts them; that they do nothing is `decide`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from permmigrate.sandbox.columns import Assignment
from permmigrate.sandbox.context import Context
from permmigrate.sandbox.routes import Router
from permmigrate.sandbox.state import Role
from permmigrate.sandbox.wire import ApiError, Request, Response, invalid, missing, not_found

BASE: Final = "/v2/accounts/{account_id}/permissions"
PRINCIPAL_TYPES: Final = ("user", "group", "apiKey", "provisioningKey")
SCOPE_TYPES: Final = ("account", "prodenv")
PERMISSION_TYPES: Final = ("global", "content")
MANAGEMENT_TYPES: Final = ("system", "custom")
CONTENT_KINDS: Final = ("folder_id", "collection_id")
PAGE: Final = 100
"""Entries on a page when no knob says otherwise; the vendor's number is not documented."""


class Permissions:
    """The base of the handlers: authorisation, checked parameters and the rows that fit them."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._account = context.account

    def _add(
        self,
        router: Router,
        method: str,
        path: str,
        handler: Callable[[Request], Response],
        needs: tuple[str, tuple[str, ...]],
    ) -> None:
        """Add a route that a caller may use who may do the action on any of the kinds."""
        action, kinds = needs

        def guarded(request: Request) -> Response:
            may = self._context.decider.account_key_may
            if request.params["account_id"] != self._account.id or not any(
                may(self._context.caller.id, action, kind) for kind in kinds
            ):
                raise ApiError(403, "not allowed")
            return handler(request)

        router.add(method, BASE + path, "permissions", guarded)

    @property
    def page_size(self) -> int:
        return self._context.knobs.page_size or PAGE

    def choice(
        self, request: Request, name: str, allowed: tuple[str, ...], *, required: bool = False
    ) -> str | None:
        """A query parameter of an enumeration."""
        value = request.one(name)
        if not value:
            if required:
                raise missing(name)
            return None
        if value not in allowed:
            raise invalid(name, value)
        return value

    def principal(self, request: Request, *, required: bool) -> tuple[str, str] | None:
        """The principal in the query: its id is needed when its type is given, and it must exist."""
        kind, identity = request.one("principal_type"), request.one("principal_id")
        absent = [name for name, value in (("principal_type", kind), ("principal_id", identity)) if not value]
        if required and absent:
            raise missing(*absent)
        if kind and kind not in PRINCIPAL_TYPES:
            raise invalid("principal_type", kind)
        if not kind:
            return None
        if not identity:
            raise missing("principal_id")
        return self.known(kind, identity)

    def known(self, kind: object, identity: object) -> tuple[str, str]:
        """A principal of the account, or the 400 or 404 that says what is wrong with it."""
        absent = [n for n, v in (("principal_type", kind), ("principal_id", identity)) if not v]
        if absent:
            raise missing(*absent)
        if kind not in PRINCIPAL_TYPES:
            raise invalid("principal_type", kind)
        if not isinstance(identity, str):
            raise invalid("principal_id", identity)
        if not self._account.has_principal(str(kind), identity):
            raise not_found("principal_id", identity)
        return str(kind), identity

    def scope_id(self, scope_id: object) -> str | None:
        """An environment's id, `all`, or None; an unknown one is the documented 404."""
        if scope_id is None or scope_id == "":
            return None
        if not isinstance(scope_id, str):
            raise invalid("scope_id", scope_id)
        if scope_id != "all" and self._account.environment(scope_id) is None:
            raise not_found("scope_id", scope_id)
        return scope_id

    def content(self, request: Request) -> tuple[str, str] | None:
        """The folder or collection that a query asks for, by name or as `param_key` with `param_value`."""
        for kind in CONTENT_KINDS:
            if value := request.one(kind):
                return kind, value
        kinds, values = request.many("param_key"), request.many("param_value")
        if not kinds and not values:
            return None
        if len(kinds) != 1 or len(values) != 1 or kinds[0] not in CONTENT_KINDS:
            raise invalid("param_key", ",".join(kinds))
        return kinds[0], values[0]

    def rows(
        self,
        request: Request,
        *,
        principal: tuple[str, str] | None = None,
        role: str | None = None,
    ) -> Iterator[tuple[Role, Assignment]]:
        """The assignments that fit the query's scope and content, with their roles."""
        scope_type = self.choice(request, "scope_type", SCOPE_TYPES)
        return self.fitting(
            scope_type,
            self.scope_id(request.one("scope_id")),
            self.content(request),
            principal=principal,
            role=role,
        )

    def fitting(
        self,
        scope_type: str | None,
        scope_id: str | None,
        content: tuple[str, str] | None,
        *,
        principal: tuple[str, str] | None = None,
        role: str | None = None,
    ) -> Iterator[tuple[Role, Assignment]]:
        """As `rows`, from values. An environment's rows are its own and those for `all` environments."""
        for row in self._account.assignments.rows(principal=principal, role=role, content=content):
            held = self._account.roles[row.role_id]
            if scope_type not in (None, held.scope_type):
                continue
            if scope_id is not None and row.scope_id not in (scope_id, "all"):
                continue
            yield held, row

    @staticmethod
    def role_data(role: Role) -> dict[str, object]:
        """The specification's RoleResponseData."""
        answer: dict[str, object] = {
            "id": role.id,
            "name": role.name,
            "description": role.description,
            "management_type": role.management_type,
            "permission_type": role.permission_type,
            "scope_type": role.scope_type,
            "created_at": role.created_at,
            "updated_at": role.updated_at,
        }
        if role.parameters:
            answer["policy_parameters"] = list(role.parameters)
        return answer

    @classmethod
    def held_role(cls, role: Role, row: Assignment) -> dict[str, object]:
        """The specification's PrincipalRolesData: a role with the scope and content it is held at."""
        answer = cls.role_data(role)
        answer.pop("policy_parameters", None)
        if row.scope_id is not None:
            answer["scope_id"] = row.scope_id
        if row.content_kind:
            answer["policy_parameters"] = row.parameters
        answer["created_at"] = answer["updated_at"] = row.created_at
        return answer

    def wanted(
        self, kind: str, identity: str, role: Role, scope_id: object, parameters: object
    ) -> Assignment:
        """An assignment to add or remove, as it was asked for."""
        scope = self.scope_id(scope_id)
        name, value = "", ""
        if parameters:
            if not isinstance(parameters, Mapping) or len(parameters) != 1:
                raise invalid("policy_parameters", parameters)
            name, value = next(iter(parameters.items()))
            if name not in CONTENT_KINDS or not isinstance(value, str) or not value:
                raise invalid("policy_parameters", parameters)
        return Assignment(kind, identity, role.id, scope, name, value, self._context.epoch())

    def role(self, role_id: object) -> Role:
        """A role of the account, or the documented 404."""
        role = self._account.roles.get(role_id) if isinstance(role_id, str) else None
        if role is None:
            raise not_found("role_id", role_id)
        return role

    def apply(self, operation: str, rows: list[Assignment]) -> None:
        """Add or remove rows. What is held already, or not held, is no error."""
        for row in rows:
            if operation == "add":
                self._account.assignments.add(row)
            else:
                self._account.assignments.remove(row)

    @staticmethod
    def operation(fields: Mapping[str, Any]) -> str:
        operation = fields.get("operation")
        if not operation:
            raise missing("operation")
        if operation not in ("add", "remove"):
            raise invalid("operation", operation)
        return str(operation)
