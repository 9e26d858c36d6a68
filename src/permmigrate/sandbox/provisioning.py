"""What the handlers of the Provisioning API v1_1 share (spec: provisioning.yml).

Answers hold secrets where the specification's do; the roles of the new system are not here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from permmigrate.sandbox.context import Context
from permmigrate.sandbox.routes import Router
from permmigrate.sandbox.state import Environment, User
from permmigrate.sandbox.wire import ApiError, Request, Response

BASE: Final = "/v1_1/provisioning/accounts/{account_id}"
OK: Final = {"message": "ok"}
MAX_IDS: Final = 100
_ACTIONS: Final = {"GET": "read", "POST": "create", "PUT": "update", "DELETE": "delete"}


class Provisioning:
    """The base of the handlers: who may call, and what a path names."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._account = context.account

    def add(
        self,
        router: Router,
        method: str,
        path: str,
        kind: str,
        handler: Callable[[Request], Response],
        action: str = "",
    ) -> None:
        """Add a route for callers who may do the method's action (or the one named) on a kind of thing."""
        wanted = action or _ACTIONS[method]

        def guarded(request: Request) -> Response:
            if request.params["account_id"] != self._account.id:
                raise absent()
            environment_id = request.params.get("sub_account_id")
            may = self._context.decider.account_key_may
            if not may(self._context.caller.id, wanted, kind, environment_id):
                raise ApiError(403, "not allowed")
            return handler(request)

        router.add(method, BASE + path, "provisioning", guarded)

    def find_environment(self, request: Request) -> Environment:
        environment = self._account.environment(request.params["sub_account_id"])
        if environment is None:
            raise absent()
        return environment

    def find_user(self, request: Request) -> User:
        user = self._account.users.get(request.params["user_id"])
        if user is None:
            raise absent()
        return user


def page_of(request: Request, items: list[Any], largest: int | None) -> list[Any]:
    """The page that is asked for; everything when none is and no knob says less."""
    page = request.number("page")
    size = request.number("page_size")
    if page is None and size is None and largest is None:
        return items
    size = min(size or largest or 100, largest or 1_000_000)
    start = ((page or 1) - 1) * size
    return items[start : start + size]


def conflict(name: str) -> ApiError:
    return ApiError(409, f"{name} already exists")


def absent() -> ApiError:
    return ApiError(404, "not found")


def text(fields: dict[str, Any], name: str, *, required: bool = False) -> str | None:
    value = fields.get(name)
    if value is None or value == "":
        if required:
            raise ApiError(400, f"{name} is required")
        return None
    if not isinstance(value, str):
        raise ApiError(400, f"Invalid {name}")
    return value


def flag(fields: dict[str, Any], name: str, default: bool) -> bool:
    value = fields.get(name, default)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ApiError(400, f"Invalid {name}")
    return value
