"""One careful call at a time, and what its headers tell: allowances, the clock, how long an answer takes.

It repeats a call once when the connection was lost or the service broke, and asks nothing more of an API that
said to wait.
"""

from __future__ import annotations

import datetime
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import quote

import httpx

from permmigrate.cloudinary import answer
from permmigrate.cloudinary.credentials import KeyPair
from permmigrate.cloudinary.diagnosis import Allowance
from permmigrate.cloudinary.record import Record
from permmigrate.errors import MalformedAnswerError, ServiceError, ThrottledError

_TRIES: Final = 2


@dataclass(frozen=True, slots=True)
class Clock:
    """Where time comes from."""

    now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.UTC)
    ticks: Callable[[], float] = time.monotonic


class Probe:
    """Asks, counts and remembers what headers said."""

    def __init__(self, client: httpx.Client, secrets: tuple[str, ...], clock: Clock) -> None:
        self._client = client
        self._secrets = secrets
        self._clock = clock
        self.calls = 0
        self.allowances: dict[str, Allowance] = {}
        self._told_to_wait: set[str] = set()
        self._latencies: list[float] = []
        self._ahead: list[float] = []

    @property
    def latency(self) -> float:
        return statistics.median(self._latencies) if self._latencies else 0.0

    @property
    def ahead(self) -> float | None:
        """By how many seconds our clock is ahead of the service's; a `Date` has whole seconds."""
        return round(statistics.median(self._ahead), 1) if self._ahead else None

    def ask(
        self,
        lane: str,
        endpoint: str,
        values: Mapping[str, str] | None = None,
        params: Mapping[str, str | int | bool] | None = None,
        key: KeyPair | None = None,
        body: Mapping[str, str | bool] | None = None,
    ) -> Record | ServiceError:
        """Call `GET /path/{name}` and return the answer's object, or the error that it amounts to."""
        if lane in self._told_to_wait:
            return ThrottledError(f"`{endpoint}` was not called: its API had said to wait")
        method, _, path = endpoint.partition(" ")
        for name, value in (values or {}).items():
            path = path.replace("{" + name + "}", quote(value, safe=""))
        for attempt in range(1, _TRIES + 1):
            try:
                outcome = self._send(
                    lane,
                    self._client.build_request(
                        method,
                        path,
                        params=dict(params or {}),
                        json=dict(body) if body else None,
                        headers={"Authorization": key.authorization()} if key else {},
                    ),
                )
            except httpx.DecodingError:
                return MalformedAnswerError(f"`{endpoint}` answered with a body that cannot be decoded")
            if isinstance(outcome, httpx.ConnectError) or attempt == _TRIES:
                break
            if isinstance(outcome, httpx.Response) and outcome.status_code < 500:
                break
        if isinstance(outcome, httpx.Response) and outcome.status_code in answer.THROTTLED:
            self._told_to_wait.add(lane)
        if not isinstance(outcome, httpx.Response) or answer.worth_repeating(outcome.status_code):
            return answer.given_up(endpoint, outcome, attempt, _seconds(outcome))
        try:
            return Record(answer.content(endpoint, outcome, key, self._secrets), endpoint)
        except ServiceError as error:
            return error

    def _send(self, lane: str, request: httpx.Request) -> httpx.Response | httpx.RequestError:
        self.calls += 1
        began, asked_at = self._clock.ticks(), self._clock.now()
        try:
            response = self._client.send(request)
        except httpx.DecodingError:
            raise
        except httpx.RequestError as error:
            return error
        took = self._clock.ticks() - began
        self._latencies.append(took)
        self._learn(lane, response.headers, asked_at + datetime.timedelta(seconds=took / 2))
        return response

    def _learn(self, lane: str, headers: Mapping[str, str], local: datetime.datetime) -> None:
        date = _moment(headers.get("Date"))
        if date is not None:
            # the date was cut to whole seconds: half of one is the fairest guess of what was cut off
            self._ahead.append((local - date).total_seconds() - 0.5)
        limit, remaining = (headers.get(f"X-FeatureRateLimit-{name}", "") for name in ("Limit", "Remaining"))
        if limit.isdigit() and remaining.isdigit() and int(limit):
            reset = _moment(headers.get("X-FeatureRateLimit-Reset"))
            resets_in = max(0.0, (reset - (date or local)).total_seconds()) if reset else None
            self.allowances[lane] = Allowance(lane, int(limit), int(remaining), resets_in)


def _seconds(outcome: httpx.Response | httpx.RequestError) -> float | None:
    """The Retry-After, where it is a number of seconds."""
    value = outcome.headers.get("Retry-After", "") if isinstance(outcome, httpx.Response) else ""
    return float(value) if value.strip().isdigit() else None


def _moment(text: str | None) -> datetime.datetime | None:
    if not text:
        return None
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
