"""One call at a time: send it when it may go, and repeat it within bounds when the answer may change.

It knows nothing of users or roles. It repeats reads only; a write is sent again when the answer says that it
was not looked at, and never when no answer came.
"""

from __future__ import annotations

import datetime
import random
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import quote

import httpx

from permmigrate.cloudinary import answer
from permmigrate.cloudinary.credentials import KeyPair
from permmigrate.cloudinary.limiter import Limiter
from permmigrate.cloudinary.record import Record
from permmigrate.errors import MalformedAnswerError, ThrottledError, UnreachableError

Params = Mapping[str, str | int | bool]

_FIRST_CONTACT: Final = 2
_APIS: Final = (
    ("/v1_1/provisioning/", "provisioning"),
    ("/v2/accounts/permissions/public/", "public"),
    ("/v2/", "permissions"),
)
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


@dataclass(frozen=True, slots=True)
class Sent:
    """One request and what came of it: what a log may show. It holds no header and no body."""

    number: int
    endpoint: str
    path: str
    """The path as it was sent, ids filled in."""
    params: Params
    attempt: int
    status: int | None
    """None when no answer came."""
    seconds: float
    waited: float
    """Seconds held back before it was sent, for the account's call rate."""
    left: str
    """What the service said is left of the allowance; empty when it did not."""


class Session:
    """Sends reads through one client; safe to use from several threads."""

    def __init__(
        self,
        client: httpx.Client,
        *,
        secrets: tuple[str, ...] = (),
        patience: Patience | None = None,
        timing: Timing | None = None,
        workers: int = 16,
        rate_share: float = 1.0,
        sent: Callable[[Sent], None] = lambda _: None,
        waiting: Callable[[str, float], None] = lambda lane, seconds: None,
    ) -> None:
        """`rate_share` of each hourly allowance is used at most; `sent` is told of every request."""
        self._client = client
        self._origin = str(client.base_url).rstrip("/")
        self._headers = dict(client.headers)
        self._extensions = {"timeout": client.timeout.as_dict()}
        self._sent = sent
        self._secrets = secrets
        self._patience = patience or Patience()
        self._timing = timing or Timing()
        self._lock = threading.Lock()
        self._calls = 0
        self._strikes = 0
        self._answered = False
        self._closed = threading.Event()
        self._limiter = Limiter(
            workers=workers,
            share=rate_share,
            clock=self._timing.clock,
            now=self._timing.now,
            sleep=self._wait,
            stopped=self._closed.is_set,
            waiting=waiting,
        )

    @property
    def calls(self) -> int:
        return self._calls

    @property
    def timing(self) -> Timing:
        return self._timing

    @property
    def secrets(self) -> tuple[str, ...]:
        return self._secrets

    @property
    def gone(self) -> bool:
        """Whether the service stopped answering, so that nothing more is sent."""
        return self._strikes >= (_STRIKES if self._answered else 1)

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
        response = self.fetch(endpoint, values, params, key=key)
        return Record(answer.content(endpoint, response, key, self._secrets), endpoint)

    def fetch(
        self,
        endpoint: str,
        values: Mapping[str, str] | None = None,
        params: Params | None = None,
        *,
        key: KeyPair | None = None,
        body: Mapping[str, Any] | None = None,
        take: Callable[[httpx.Response], None] | None = None,
    ) -> httpx.Response:
        """Call `METHOD /path/{name}` and return the answer that repeating would not change.

        `take` is given it before anything else happens and before another call may go in its place, so that
        never more answers than there are workers are on their way or not yet written down. Raises
        ThrottledError, UnreachableError or ServiceError when patience ended without an answer.
        """
        call = _Call(endpoint, _path(endpoint, values or {}), params or {}, key, body, take=take)
        return self._patiently(call)

    def deliver(
        self,
        endpoint: str,
        values: Mapping[str, str],
        *,
        key: KeyPair,
        body: Mapping[str, Any] | None,
        opening: Mapping[str, Any],
    ) -> httpx.Response | httpx.RequestError:
        """Send a write; return its answer, or why none came. `opening` is what the transport's key asks for.

        Only a 420 or 429 is sent again, within patience: it says that nothing was done. Everything else is
        for the caller to look into.
        """
        call = _Call(endpoint, _path(endpoint, values), {}, key, body, opening)
        patience, clock = self._patience, self._timing.clock
        deadline = clock() + patience.seconds
        for attempt in range(1, patience.attempts + 1):
            self._fail_fast(endpoint)
            outcome, waited = self._attempt(call, attempt)
            deadline += waited
            if not isinstance(outcome, httpx.Response) or outcome.status_code not in answer.THROTTLED:
                break
            pause, _ = self._pause(outcome, attempt)
            if attempt == patience.attempts or clock() + pause > deadline:
                break
            self._limiter.hold(call.lane, pause)
            self._wait(pause)
        return outcome

    def _patiently(self, call: _Call) -> httpx.Response:
        patience, clock = self._patience, self._timing.clock
        deadline = clock() + patience.seconds
        for attempt in range(1, patience.attempts + 1):
            self._fail_fast(call.endpoint)
            outcome, waited = self._attempt(call, attempt)
            deadline += waited
            if isinstance(outcome, httpx.Response) and not answer.worth_repeating(outcome.status_code):
                return outcome
            pause, asked = self._pause(outcome, attempt)
            if attempt >= self._attempts(outcome) or clock() + pause > deadline:
                error = answer.given_up(call.endpoint, outcome, attempt, asked)
                self._strikes += isinstance(error, UnreachableError | ThrottledError)
                raise error
            if asked is not None:
                self._limiter.hold(call.lane, pause)
            self._wait(pause)
        raise AssertionError("patience has no attempts")

    def _attempts(self, outcome: httpx.Response | httpx.RequestError) -> int:
        """How often to try: a host that never answered and cannot be connected to is soon given up."""
        if isinstance(outcome, httpx.ConnectError) and not self._answered:
            return min(_FIRST_CONTACT, self._patience.attempts)
        return self._patience.attempts

    def _attempt(self, call: _Call, attempt: int) -> tuple[httpx.Response | httpx.RequestError, float]:
        """Send it once it may go; return what came, and how long it was held back."""
        ticket, waited = self._limiter.enter(call.lane)
        outcome: httpx.Response | httpx.RequestError | None = None
        started = ended = self._timing.clock()
        number = 0
        try:
            self._fail_fast(call.endpoint)
            with self._lock:
                self._calls += 1
                number = self._calls
            outcome = self._send(call)
            ended = self._timing.clock()
            if isinstance(outcome, httpx.Response) and not answer.worth_repeating(outcome.status_code):
                self._strikes, self._answered = 0, True
                if call.take is not None:
                    call.take(outcome)
        finally:
            response = outcome if isinstance(outcome, httpx.Response) else None
            strained = response is None or answer.worth_repeating(response.status_code)
            self._limiter.leave(ticket, response.headers if response else None, strained=strained)
            if number:
                self._note(call, number, attempt, response, ended - started, waited)
        return outcome, waited

    def _send(self, call: _Call) -> httpx.Response | httpx.RequestError:
        method, _, _ = call.endpoint.partition(" ")
        url = self._origin + call.path
        if call.params:
            url = f"{url}?{httpx.QueryParams(call.params)}"
        headers = self._headers | ({"Authorization": call.key.authorization()} if call.key else {})
        request = httpx.Request(
            method, url, headers=headers, json=call.body, extensions={**self._extensions, **call.opening}
        )
        try:
            return self._client.send(request)
        except httpx.DecodingError:
            raise MalformedAnswerError(
                f"`{call.endpoint}` answered with a body that cannot be decoded"
            ) from None
        except httpx.RequestError as error:
            return error

    def _note(
        self,
        call: _Call,
        number: int,
        attempt: int,
        response: httpx.Response | None,
        seconds: float,
        waited: float,
    ) -> None:
        left = response.headers.get("X-FeatureRateLimit-Remaining", "") if response else ""
        status = response.status_code if response else None
        params = {**call.params, **(call.body or {})}
        self._sent(Sent(number, call.endpoint, call.path, params, attempt, status, seconds, waited, left))

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
        if self.gone:
            raise UnreachableError(
                f"`{endpoint}` was not called: the service had stopped answering",
                hint="try again later; nothing was changed",
            )


@dataclass(frozen=True, slots=True)
class _Call:
    """What is asked of whom."""

    endpoint: str
    path: str
    params: Params
    key: KeyPair | None
    body: Mapping[str, Any] | None
    opening: Mapping[str, Any] = field(default_factory=dict)
    """What goes with a write past the transport's guard; it does not leave the program."""
    take: Callable[[httpx.Response], None] | None = None

    @property
    def lane(self) -> str:
        """The API and the key: each has a limit of its own."""
        api = "admin"
        for start, name in _APIS:
            if self.path.startswith(start):
                api = name
                break
        return f"{api} {self.key.key if self.key else 'without a key'}"


def _path(endpoint: str, values: Mapping[str, str]) -> str:
    """Fill a template; a value stays one path segment, except a folder's path, whose slashes are real."""
    method, _, template = endpoint.partition(" ")
    assert method in ("GET", "PUT", "POST", "DELETE"), endpoint
    return re.sub(
        r"\{(\w+)\}",
        lambda match: quote(values[match[1]], safe="/" if match[1] == "folder" else ""),
        template,
    )
