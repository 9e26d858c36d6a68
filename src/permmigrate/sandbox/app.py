"""The WSGI application: a request comes in, passes the knobs and the gate, and reaches its handler.

Handlers run one at a time, under a lock; delays are waited out before it is taken.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from permmigrate.sandbox.assets import Assets
from permmigrate.sandbox.context import Context, stable_id
from permmigrate.sandbox.environments import Environments
from permmigrate.sandbox.folder_details import FolderDetails
from permmigrate.sandbox.folders import Folders
from permmigrate.sandbox.groups import Groups
from permmigrate.sandbox.lag import Lag
from permmigrate.sandbox.middleware import Counter, Gate, Limits, Log
from permmigrate.sandbox.policies import Policies
from permmigrate.sandbox.principals import Principals
from permmigrate.sandbox.public import Public
from permmigrate.sandbox.roles import Roles
from permmigrate.sandbox.routes import Route, Router
from permmigrate.sandbox.sharing import Sharing
from permmigrate.sandbox.state import AccountKey, Key
from permmigrate.sandbox.storm import Storm, Strike
from permmigrate.sandbox.users import Users
from permmigrate.sandbox.wire import (
    MAX_BODY,
    ApiError,
    DroppedConnectionError,
    Request,
    Response,
    error_answer,
)

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

_APIS: Final = (
    Public,
    Policies,
    Principals,
    Roles,
    Environments,
    Users,
    Groups,
    Sharing,
    FolderDetails,
    Folders,
    Assets,
)
_REASONS: Final = {420: "Enhance Your Calm"}
_LAGGING: Final = ("/principal_roles/inspect", "/principal_roles", "/principals")
"""How paths end that show role assignments."""


class App:
    """The imitated service, as a WSGI callable."""

    def __init__(
        self, context: Context, *, ticks: Callable[[], float], sleep: Callable[[float], None]
    ) -> None:
        knobs = context.knobs
        self._context = context
        self._sleep = sleep
        self._lock = threading.RLock()
        self._gate = Gate(context.account)
        self._limits = Limits(knobs, ticks)
        self._failures, self._drops = Counter(knobs.fail_nth), Counter(knobs.drop_nth)
        self._storm = Storm(knobs)
        self._lag = Lag(knobs, context.account.assignments, ticks)
        self._writes = 0
        self._revoked: set[str] = set()
        self.events: dict[int, Callable[[], None]] = {}
        """What happens right after so many writes took effect."""
        if knobs.revoke_after:
            self.events[knobs.revoke_after] = lambda: self._revoked.add(context.caller.id)
        self.log = Log(knobs, context.now, ticks)
        self._router = Router()
        for api in _APIS:
            api(context).register(self._router)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        response = self.answer(_request(environ))
        body = response.body
        headers = list(response.headers.items())
        if isinstance(body, bytes):
            headers.append(("Content-Length", str(len(body))))
            body = [body]
        start_response(f"{response.status} {_reason(response.status)}", headers)
        return body

    def answer(self, request: Request) -> Response:
        """Answer one call and log it; raises DroppedConnectionError when the connection is to be dropped."""
        if self._context.knobs.latency:
            self._sleep(self._context.knobs.latency)
        route, params, methods = self._router.find(request.method, request.path)
        request = Request(
            request.method,
            request.path,
            request.query,
            request.authorization,
            request.content_type,
            request.body,
            params,
        )
        key: AccountKey | Key | None = None
        headers: dict[str, str] = {}
        status: int | None = None
        api = route.api if route else _api_of(request.path)
        given = request.basic()
        lane = f"{api} {given[0]}" if given else api
        drop = self._context.knobs.drop if request.is_write and self._drops.hit() else ""
        strike = self._storm.strike(is_write=request.is_write)
        try:
            if drop == "before":
                raise DroppedConnectionError("dropped before the write took effect")
            try:
                headers = self._limits.admit(api, lane)
                if self._failures.hit():
                    raise ApiError(500, "something went wrong")
                if strike and not strike.after:
                    return self._strike(strike)
                if route is None:
                    raise ApiError(405 if methods else 404, "method not allowed" if methods else "not found")
                with self._lock:
                    key = self._identify(route, request)
                    if key is not None and key.id in self._revoked:
                        raise ApiError(401, "invalid credentials")
                    self._context.serve_as(key)
                    response = self._handled(route, request)
                if strike:
                    response = self._strike(strike)
            except ApiError as error:
                response = error_answer(api, error)
            if drop == "after":
                raise DroppedConnectionError("dropped after the write took effect")
            status = response.status
            return Response(response.status, response.body, {**headers, **self._number(), **response.headers})
        finally:
            self.log.write(request, status, key.id if key else None, lane)

    def _number(self) -> dict[str, str]:
        """A number for the call, as services give one; that the vendor does is not documented."""
        return {"X-Request-Id": stable_id(self._context.account.seed, "request", self.log.count, 20)}

    def _strike(self, strike: Strike) -> Response:
        if strike.kind == "hang":
            self._sleep(self._context.knobs.hang)
            raise DroppedConnectionError("nobody waits for ever")
        return strike.answer()

    def _handled(self, route: Route, request: Request) -> Response:
        """Let the handler answer; what was written lately may not show yet."""
        if not request.is_write:
            with self._lag.reading() if request.path.endswith(_LAGGING) else nullcontext():
                return route.handler(request)
        response = route.handler(request)
        self._writes += 1
        if (event := self.events.pop(self._writes, None)) is not None:
            event()
        return response

    def _identify(self, route: Route, request: Request) -> AccountKey | Key | None:
        match route.api:
            case "public":
                return None
            case "provisioning":
                return self._gate.account_key(request)
            case "permissions":
                try:
                    return self._gate.account_key(request)
                except ApiError as error:
                    raise ApiError(401, "invalid credentials") from error
            case "upload":
                return self._gate.uploading_key(request, request.payload())
            case _:
                return self._gate.environment_key(request)


def _api_of(path: str) -> str:
    """Which API's error body an unknown path is answered with."""
    if path.startswith("/v2/"):
        return "permissions"
    return "provisioning" if path.startswith("/v1_1/provisioning/") else "admin"


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return _REASONS.get(status, "Unknown")


def _request(environ: WSGIEnvironment) -> Request:
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(str(environ.get("QUERY_STRING", "")), keep_blank_values=True):
        query.setdefault(name.removesuffix("[]"), []).append(value)
    return Request(
        method=str(environ["REQUEST_METHOD"]).upper(),
        path=_path(str(environ.get("PATH_INFO", ""))),
        query={name: tuple(values) for name, values in query.items()},
        authorization=str(environ.get("HTTP_AUTHORIZATION", "")),
        content_type=str(environ.get("CONTENT_TYPE", "")),
        body=_body(environ),
    )


def _path(text: str) -> str:
    """The path as text: WSGI hands over bytes dressed as Latin-1, some in-process clients real text."""
    try:
        return text.encode("latin-1").decode()
    except UnicodeError:
        return text


def _body(environ: dict[str, Any]) -> bytes:
    length = str(environ.get("CONTENT_LENGTH") or "0")
    size = int(length) if length.isdigit() else 0
    data: bytes = environ["wsgi.input"].read(min(size, MAX_BODY)) if size else b""
    return data
