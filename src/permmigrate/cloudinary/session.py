"""One call at a time: send it, and repeat it within bounds when the answer may change.

It knows nothing of users or roles. It repeats reads only; whoever writes needs other rules.
"""

from __future__ import annotations

import datetime
import random
import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote

import httpx

from permmigrate.cloudinary import answer
from permmigrate.cloudinary.credentials import KeyPair
from permmigrate.cloudinary.record import Record
from permmigrate.errors import MalformedAnswerError, ThrottledError, UnreachableError

Params = Mapping[str, str | int | bool]

_PAGES_AT_MOST: Final = 100_000
_FIRST_CONTACT: Final = 2
_STRIKES: Final = 5
"""So many calls in a row without an answer mean that the service is gone, not slow."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long one call is tried for: both bounds hold."""

    attempts: int = 6
    seconds: float = 120
    base: float = 0.5
    """The first pause without a Retry-After is up to this long; each next up to twice as long."""
    cap: float = 30


@dataclass(frozen=True, slots=True)
class Timing:
    """Where time and chance come from."""

    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] | None = None
    """None: a sleep that ends when the session is closed."""
    now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)
    chance: Callable[[], float] = random.random
    """A number in [0, 1)."""


class Session:
    """Sends reads through one client; safe to use from several threads."""

    def __init__(
        self,
        client: httpx.Client,
        *,
        secrets: tuple[str, ...] = (),
        patience: Patience | None = None,
        timing: Timing | None = None,
    ) -> None:
        self._client = client
        self._secrets = secrets
        self._patience = patience or Patience()
        self._timing = timing or Timing()
        self._lock = threading.Lock()
        self._calls = 0
        self._strikes = 0
        self._answered = False
        self._held_until = float("-inf")
        self._closed = threading.Event()

    @property
    def calls(self) -> int:
        return self._calls

    def close(self) -> None:
        """Let waiting calls give up; nothing is sent from now on."""
        self._closed.set()

    def read(
        self,
        endpoint: str,
        values: Mapping[str, str] | None = None,
        params: Params | None = None,
        *,
        key: KeyPair | None = None,
    ) -> Record:
        """Call `GET /path/{name}` with the values filled in, and return the answer's JSON object.

        Raises the ServiceError that fits. Without a key no credentials are sent.
        """
        response = self._patiently(endpoint, _path(endpoint, values or {}), params or {}, key)
        return Record(answer.content(endpoint, response, key, self._secrets), endpoint)

    def pages(
        self,
        endpoint: str,
        values: Mapping[str, str] | None = None,
        params: Params | None = None,
        *,
        key: KeyPair | None = None,
        cursor: str = "cursor",
    ) -> Iterator[Record]:
        """Yield page after page for as long as answers carry a new `next_cursor`."""
        asked: dict[str, str | int | bool] = dict(params or {})
        seen: set[str] = set()
        for _ in range(_PAGES_AT_MOST):
            page = self.read(endpoint, values, asked, key=key)
            yield page
            following = page.optional_text("next_cursor")
            if not following:
                return
            if following in seen:
                raise MalformedAnswerError(f"`{endpoint}` repeats a cursor", hint="its pages would never end")
            seen.add(following)
            asked[cursor] = following
        raise MalformedAnswerError(f"`{endpoint}` has more than {_PAGES_AT_MOST} pages")

    def _patiently(self, endpoint: str, path: str, params: Params, key: KeyPair | None) -> httpx.Response:
        patience, clock = self._patience, self._timing.clock
        deadline = clock() + patience.seconds
        for attempt in range(1, patience.attempts + 1):
            self._fail_fast(endpoint)
            self._wait(max(0.0, min(self._held_until, deadline) - clock()))
            outcome = self._attempt(endpoint, path, params, key)
            if isinstance(outcome, httpx.Response) and not answer.worth_repeating(outcome.status_code):
                self._strikes, self._answered = 0, True
                return outcome
            pause, asked = self._pause(outcome, attempt)
            if attempt >= self._attempts(outcome) or clock() + pause > deadline:
                error = answer.given_up(endpoint, outcome, attempt, asked)
                self._strikes += isinstance(error, UnreachableError | ThrottledError)
                raise error
            if asked is not None:
                with self._lock:
                    self._held_until = max(self._held_until, clock() + pause)
            self._wait(pause)
        raise AssertionError("patience has no attempts")

    def _attempts(self, outcome: httpx.Response | httpx.RequestError) -> int:
        """How often to try: a host that never answered and cannot be connected to is soon given up."""
        if isinstance(outcome, httpx.ConnectError) and not self._answered:
            return min(_FIRST_CONTACT, self._patience.attempts)
        return self._patience.attempts

    def _attempt(
        self, endpoint: str, path: str, params: Params, key: KeyPair | None
    ) -> httpx.Response | httpx.RequestError:
        headers = {"Authorization": key.authorization()} if key else {}
        with self._lock:
            self._calls += 1
        try:
            return self._client.get(path, params=dict(params), headers=headers)
        except httpx.DecodingError:
            raise MalformedAnswerError(f"`{endpoint}` answered with a body that cannot be decoded") from None
        except httpx.RequestError as error:
            return error

    def _pause(
        self, outcome: httpx.Response | httpx.RequestError, attempt: int
    ) -> tuple[float, float | None]:
        """How long to wait before the next attempt, and what the service asked for (None: nothing)."""
        spread = self._timing.chance()
        asked = self._retry_after(outcome) if isinstance(outcome, httpx.Response) else None
        if asked is not None:
            return asked + spread * min(1.0, asked / 10), asked
        return spread * min(self._patience.cap, self._patience.base * 2 ** (attempt - 1)), None

    def _retry_after(self, response: httpx.Response) -> float | None:
        value = response.headers.get("Retry-After", "").strip()
        if re.fullmatch(r"\d{1,9}", value):
            return float(value)
        try:
            when = parsedate_to_datetime(value)
        except ValueError:
            return None
        if when.tzinfo is None:
            when = when.replace(tzinfo=datetime.UTC)
        return max(0.0, (when - self._timing.now()).total_seconds())

    def _wait(self, seconds: float) -> None:
        if seconds > 0:
            (self._timing.sleep or self._closed.wait)(seconds)

    def _fail_fast(self, endpoint: str) -> None:
        if self._closed.is_set():
            raise UnreachableError(f"`{endpoint}` was not called: the session is closed")
        if self._strikes >= (_STRIKES if self._answered else 1):
            raise UnreachableError(
                f"`{endpoint}` was not called: the service had stopped answering",
                hint="try again later; nothing was changed",
            )


def _path(endpoint: str, values: Mapping[str, str]) -> str:
    """Fill a template; a value stays one path segment, except a folder's path, whose slashes are real."""
    method, _, template = endpoint.partition(" ")
    assert method == "GET", endpoint
    return re.sub(
        r"\{(\w+)\}",
        lambda match: quote(values[match[1]], safe="/" if match[1] == "folder" else ""),
        template,
    )
