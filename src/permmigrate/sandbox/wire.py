"""Requests, answers, errors and cursors of the imitated APIs, as values over WSGI.

It knows the shapes that the vendor's specifications give and nothing of accounts or permissions.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from email.parser import BytesParser
from email.policy import HTTP
from typing import Any, Final
from urllib.parse import parse_qsl

JSON: Final = "application/json; charset=utf-8"
MAX_BODY: Final = 64 * 1024 * 1024
READ_ONLY_POSTS: Final = ("/public/validate", "/principal_roles/inspect", "/folders/search")
"""The reads that are spelled POST, by the end of their path."""
READ_ONLY_PUTS: Final = ("/folders/by_id", "/folders/by_path", "/folders/descendants")
"""The reads that are spelled PUT, by the end of their path."""


class ApiError(Exception):
    """An answer that refuses: the status and message of the vendor's error body."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        fields: Sequence[object] | None = None,
        code: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.fields = fields
        self.code = code
        self.headers = dict(headers or {})


class DroppedConnectionError(ConnectionError):
    """The connection is to be closed without an answer (the `drop` knob)."""


def missing(*fields: str) -> ApiError:
    """The 400 for fields that were not given."""
    return ApiError(400, "missing fields", fields=list(fields))


def invalid(name: str, value: object) -> ApiError:
    """The 400 for a field whose value is not allowed."""
    return ApiError(400, "invalid request", fields=[{name: value}])


def not_found(name: str, value: object) -> ApiError:
    """The 404 that names what was not found."""
    return ApiError(404, "not found", fields=[{name: value}])


def denied(environment_id: str, action: str) -> ApiError:
    """The 403 of the data plane, in the vendor's words."""
    return ApiError(
        403,
        f'[prodenv:{environment_id}] Request forbidden due to missing permissions (actions=["{action}"])',
    )


@dataclass(frozen=True, slots=True)
class Request:
    """One call as it arrived."""

    method: str
    path: str
    query: Mapping[str, tuple[str, ...]]
    authorization: str
    content_type: str
    body: bytes
    params: Mapping[str, str] = field(default_factory=dict)
    """The values of the route's placeholders."""

    @property
    def is_write(self) -> bool:
        spelled = {"POST": READ_ONLY_POSTS, "PUT": READ_ONLY_PUTS}.get(self.method, ())
        return self.method not in ("GET", "HEAD") and not self.path.endswith(spelled)

    def one(self, name: str) -> str | None:
        """The last value of a query parameter, or None."""
        values = self.query.get(name)
        return values[-1] if values else None

    def many(self, name: str) -> list[str]:
        """Every value of a list parameter, however it was spelled (`a=1&a=2`, `a[]=1`, `a=1,2`)."""
        values = self.query.get(name, ())
        if len(values) == 1 and "," in values[0]:
            return [part for part in values[0].split(",") if part]
        return [value for value in values if value]

    def flag(self, name: str) -> bool | None:
        """A boolean query parameter, None when absent; anything but true and false is refused."""
        value = self.one(name)
        if value is None or value == "":
            return None
        if value.lower() not in ("true", "false", "1", "0"):
            raise invalid(name, value)
        return value.lower() in ("true", "1")

    def number(self, name: str) -> int | None:
        """A positive whole number in the query, None when absent."""
        value = self.one(name)
        if value is None or value == "":
            return None
        if not value.isdigit() or int(value) < 1:
            raise invalid(name, value)
        return int(value)

    def basic(self) -> tuple[str, str] | None:
        """The key and secret of HTTP Basic authentication, or None."""
        scheme, _, encoded = self.authorization.partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            key, colon, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return None
        return (key, secret) if colon else None

    def payload(self) -> dict[str, Any]:
        """The body's fields, from JSON, a form or multipart; a body that is none of these is refused."""
        kind = self.content_type.partition(";")[0].strip().lower()
        if kind == "multipart/form-data":
            return dict(self._multipart())
        if kind == "application/x-www-form-urlencoded":
            try:
                return dict(parse_qsl(self.body.decode(), keep_blank_values=True))
            except UnicodeDecodeError as error:
                raise ApiError(400, "Invalid form") from error
        if not self.body:
            return {}
        try:
            found = json.loads(self.body)
        except (ValueError, UnicodeDecodeError) as error:
            raise ApiError(400, "Invalid JSON") from error
        if not isinstance(found, dict):
            raise ApiError(400, "Invalid JSON")
        return found

    def _multipart(self) -> Iterator[tuple[str, Any]]:
        head = f"Content-Type: {self.content_type}\r\n\r\n".encode()
        for part in BytesParser(policy=HTTP).parsebytes(head + self.body).iter_parts():
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            if not isinstance(name, str) or not isinstance(content, bytes):
                raise ApiError(400, "Invalid multipart body")
            if part.get_filename() is not None:
                yield name, content
            else:
                yield name, content.decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Response:
    """One answer; `body` is bytes, or chunks for answers too long to hold."""

    status: int
    body: bytes | Iterable[bytes] = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    @staticmethod
    def json(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
        return Response(status, dump(value), {"Content-Type": JSON, **(headers or {})})

    @staticmethod
    def stream(key: str, items: Iterable[object]) -> Response:
        """`{"<key>": [...]}`, written while it is made."""
        return Response(200, _array(key, items), {"Content-Type": JSON})


def dump(value: object) -> bytes:
    """One spelling of JSON, the same for the same value."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


def _array(key: str, items: Iterable[object]) -> Iterator[bytes]:
    yield b"{" + dump(key) + b":["
    chunk = bytearray()
    for number, item in enumerate(items):
        if number:
            chunk += b","
        chunk += dump(item)
        if len(chunk) > 65536:
            yield bytes(chunk)
            chunk.clear()
    yield bytes(chunk) + b"]}"


_CODES: Final = {
    400: ("user_error", "ACCOUNTS_00005"),
    401: ("user_error", "ACCOUNTS_00006"),
    403: ("user_error", "ACCOUNTS_00006"),
    404: ("server_error", "ACCOUNTS_00003"),
    409: ("user_error", "ACCOUNTS_00006"),
}
"""Category and code by status, as in the specification's examples."""


def error_answer(api: str, error: ApiError) -> Response:
    """The documented error body: the Permissions API has a category and a code, the others a message."""
    if api != "permissions":
        return Response.json({"error": {"message": error.message}}, error.status, error.headers)
    category, code = _CODES.get(error.status, ("server_error", "ACCOUNTS_00001"))
    body: dict[str, object] = {"category": category, "code": error.code or code, "message": error.message}
    if error.fields is not None:
        body["details"] = {"fields": list(error.fields)}
    return Response.json({"error": body}, error.status, error.headers)


def encode_cursor(value: object) -> str:
    """An opaque cursor that says where the next page begins."""
    return base64.urlsafe_b64encode(dump(value)).decode().rstrip("=")


def decode_cursor(cursor: str) -> Any:
    """What a cursor of ours holds; one that is not ours is refused."""
    try:
        return json.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (ValueError, UnicodeDecodeError) as error:
        raise invalid("cursor", cursor) from error
