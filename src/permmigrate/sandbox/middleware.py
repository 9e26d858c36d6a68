"""What happens to every request before its handler: identity, limits, failures, delays, drops and the log.

It never looks into the account beyond its keys, and it never writes a secret anywhere.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import math
import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final

from permmigrate.sandbox.knobs import Knobs
from permmigrate.sandbox.state import Account, AccountKey, Key
from permmigrate.sandbox.wire import ApiError, Request

DEFAULT_LIMIT: Final = 10_000_000
"""What the rate-limit headers say when no limit is set: so much that nobody needs to wait."""
_SECRET_PARAMETERS: Final = ("signature", "api_secret", "secret", "password", "token")
_UNSIGNED: Final = ("file", "cloud_name", "resource_type", "api_key", "signature")
_REMEMBERED: Final = 20_000


class Gate:
    """Who is calling: account keys by Basic auth, environment keys by Basic auth or by signature."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def account_key(self, request: Request) -> AccountKey:
        """The account key of a call to `/accounts/{account_id}/...`, or the documented 401."""
        given = request.basic()
        key = self._account.account_keys.get(given[0]) if given else None
        if given is None or key is None or not _same(given[1], key.secret):
            raise ApiError(401, "Invalid credentials")
        return key

    def environment_key(self, request: Request) -> Key:
        """The API key of a call to `/{cloud_name}/...`, or a 401 that says what was wrong."""
        given = request.basic()
        if given is None:
            raise ApiError(401, "Authorization required")
        key = self._key(given[0], request.params["cloud_name"])
        if not _same(given[1], key.secret):
            raise ApiError(401, "api_secret mismatch")
        return key

    def uploading_key(self, request: Request, fields: Mapping[str, Any]) -> Key:
        """The key of an upload: by Basic auth, or by the signature over the fields."""
        if request.basic() is not None:
            return self.environment_key(request)
        if not fields.get("api_key") or not fields.get("signature") or not fields.get("timestamp"):
            raise ApiError(401, "Authorization required")
        key = self._key(str(fields["api_key"]), request.params["cloud_name"])
        if str(fields["signature"]).lower() not in _signatures(fields, key.secret):
            raise ApiError(401, "Invalid Signature")
        return key

    def _key(self, key_id: str, cloud_name: str) -> Key:
        environment = self._account.by_cloud(cloud_name)
        key = self._account.keys.get(key_id)
        if environment is None or (key is not None and key.environment_id != environment.id):
            raise ApiError(401, "cloud_name mismatch")
        if key is None:
            raise ApiError(401, "unknown api_key")
        if not key.enabled:
            raise ApiError(401, "disabled api_key")
        if not environment.enabled:
            raise ApiError(401, "cloud_name is disabled")
        return key


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


def _signatures(fields: Mapping[str, Any], secret: str) -> set[str]:
    """The signatures the vendor's SDKs may send: SHA-1 or SHA-256, `&` in values escaped or not."""
    pairs = [
        (name, str(value)) for name, value in sorted(fields.items()) if name not in _UNSIGNED and value != ""
    ]
    plain = "&".join(f"{name}={value}" for name, value in pairs) + secret
    escaped = "&".join(f"{name}={value.replace('&', '%26')}" for name, value in pairs) + secret
    return {
        digest(text.encode()).hexdigest()
        for text in (plain, escaped)
        for digest in (hashlib.sha1, hashlib.sha256)  # the vendor's scheme, not ours
    }


class Limits:
    """Sliding windows over calls, as the rate-limit headers and the refusal tell them.

    Each API and each key has a window of its own: `lane` names them.
    The moment of the reset is real time, as the `Date` header is, wherever the account's own clock stands.
    """

    def __init__(
        self,
        knobs: Knobs,
        ticks: Callable[[], float],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._limit = knobs.rate_limit
        self._status = knobs.limit_status
        self._ticks = ticks
        self._now = now
        self._calls: dict[str, deque[float]] = {}
        self._served: dict[str, int] = {}
        self._lock = threading.Lock()

    def admit(self, api: str, lane: str) -> dict[str, str]:
        """Count a call and return the headers that go with its answer; past the limit raise 420 or 429."""
        with self._lock:
            if self._limit is None:
                served = self._served[lane] = self._served.get(lane, 0) + 1
                return self._headers(DEFAULT_LIMIT, max(DEFAULT_LIMIT - served, 0), 3600.0)
            calls, seconds = self._limit
            tick, earlier = self._ticks(), self._calls.setdefault(lane, deque())
            while earlier and earlier[0] <= tick - seconds:
                earlier.popleft()
            wait = earlier[0] + seconds - tick if earlier else seconds
            if len(earlier) >= calls:
                classic = api in ("admin", "upload")
                status = self._status or (420 if classic else 429)
                message = "Rate Limit Exceeded" if status == 420 else "Too many requests"
                headers = self._headers(calls, 0, wait) | {"Retry-After": str(max(1, math.ceil(wait)))}
                raise ApiError(status, message, headers=headers)
            earlier.append(tick)
            return self._headers(calls, calls - len(earlier), wait)

    def _headers(self, limit: int, remaining: int, reset_in: float) -> dict[str, str]:
        reset = (self._now() + timedelta(seconds=reset_in)).replace(microsecond=0)
        return {
            "X-FeatureRateLimit-Limit": str(limit),
            "X-FeatureRateLimit-Remaining": str(remaining),
            "X-FeatureRateLimit-Reset": format_datetime(reset.astimezone(UTC), usegmt=True),
        }


class Counter:
    """Every nth time, yes."""

    def __init__(self, nth: int) -> None:
        self._nth = nth
        self._count = 0
        self._lock = threading.Lock()

    def hit(self) -> bool:
        with self._lock:
            self._count += 1
            return self._nth > 0 and self._count % self._nth == 0


class Log:
    """One record a request: kept in memory for tests, and a JSON line in a file when one is named."""

    def __init__(self, knobs: Knobs, now: Callable[[], datetime], ticks: Callable[[], float]) -> None:
        self._file: int | None = None
        if knobs.log is not None:
            self._file = os.open(knobs.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            weakref.finalize(self, os.close, self._file)
        self._now = now
        self._ticks = ticks
        self._lock = threading.Lock()
        self.records: deque[dict[str, object]] = deque(maxlen=_REMEMBERED)
        self.count = 0

    def write(self, request: Request, status: int | None, key_id: str | None, lane: str) -> None:
        """Record a call; `status` is None when the connection was dropped. Never a body, never a secret."""
        query = {
            name: ["***"] if name in _SECRET_PARAMETERS else list(values)
            for name, values in request.query.items()
        }
        with self._lock:
            self.count += 1
            record: dict[str, object] = {
                "time": self._now().astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
                "n": self.count,
                "tick": round(self._ticks(), 4),
                "method": request.method,
                "path": request.path,
                "query": query,
                "status": status,
                "key": key_id,
                "lane": lane,
            }
            self.records.append(record)
            if self._file is not None:
                os.write(self._file, json.dumps(record, ensure_ascii=False).encode() + b"\n")
