"""How many calls may be on their way, and when the next one may go: concurrency and the account's allowance.

Each API and each key has a lane of its own, as each has its own limit. It sends nothing and reads no body.
What the service tells in its headers is believed; a part of every allowance is left to the customer's own
traffic.
"""

from __future__ import annotations

import datetime
import math
import threading
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Final

_HOUR: Final = 3600.0
_UNTOLD: Final = 60.0
"""How long to wait for an allowance whose renewal is not told."""
_MARGIN: Final = 1.0
"""Added to a told reset: the header has whole seconds."""
_FIRST: Final = 4
"""Calls at the same time in the beginning."""


@dataclass(slots=True)
class Lane:
    """What is known of one limit."""

    name: str
    allowance: int | None = None
    left: int | None = None
    """At least so many calls are left; None when it is not known."""
    reset: float = 0.0
    """When the allowance is renewed, by the local clock."""
    told: bool = False
    """Whether an answer came at all since nothing was known."""
    held_until: float = float("-inf")
    window: float = 0.0
    """The longest time to a reset that was told."""
    blind: int = 0
    """Calls sent since the last reset without an answer that tells what is left."""
    in_flight: int = 0
    sent: deque[float] = field(default_factory=deque)
    """When calls of the last hour were sent."""


@dataclass(frozen=True, slots=True)
class Ticket:
    """One call that may go."""

    lane: Lane
    number: int
    finished: int
    """How many calls of the lane had come back when it left."""
    sent: int
    """How many calls of the lane had been sent, itself included."""


class Limiter:
    """Lets calls go; safe to use from several threads."""

    def __init__(
        self,
        *,
        workers: int,
        share: float,
        clock: Callable[[], float],
        now: Callable[[], datetime.datetime],
        sleep: Callable[[float], None],
        stopped: Callable[[], bool],
        waiting: Callable[[str, float], None] = lambda lane, seconds: None,
    ) -> None:
        """`share` of each allowance is ours; `waiting` is told of every pause for an allowance."""
        self._workers = workers
        self._share = share
        self._clock, self._now, self._sleep, self._stopped = clock, now, sleep, stopped
        self._waiting = waiting
        self._lanes: dict[str, Lane] = {}
        self._counts: dict[str, list[int]] = {}
        self._changed = threading.Condition()
        self._width = float(min(_FIRST, workers))
        self._growing = True
        self._in_flight = 0
        self._number = 0
        self._cut_at = 0

    @property
    def width(self) -> int:
        """How many calls may be on their way at the same time."""
        return int(self._width)

    def enter(self, name: str) -> tuple[Ticket, float]:
        """Wait until a call of the lane may go; return its ticket and how long it waited for an allowance."""
        waited = 0.0
        while True:
            with self._changed:
                lane = self._lanes.setdefault(name, Lane(name))
                pause = self._pause(lane)
                if self._stopped() or (pause == 0 and self._in_flight < self.width):
                    return self._go(lane), waited
                if not pause:
                    self._changed.wait(0.5)
                    continue
            self._waiting(name, pause)
            self._sleep(pause)
            waited += pause

    def leave(self, ticket: Ticket, headers: Mapping[str, str] | None, *, strained: bool) -> None:
        """A call is back: with headers, or without an answer; strained when the service pushed back."""
        with self._changed:
            lane = ticket.lane
            self._in_flight -= 1
            lane.in_flight -= 1
            counts = self._counts[lane.name]
            counts[1] += 1
            if headers is not None:
                lane.told = True
                self._learn(lane, headers, overlap=counts[0] - ticket.finished - 1)
            self._adapt(ticket, strained=strained)
            self._changed.notify_all()

    def hold(self, name: str, seconds: float) -> None:
        """Let nothing go in a lane for so long: the service asked for it."""
        with self._changed:
            lane = self._lanes.setdefault(name, Lane(name))
            lane.held_until = max(lane.held_until, self._clock() + seconds)

    def _go(self, lane: Lane) -> Ticket:
        counts = self._counts.setdefault(lane.name, [0, 0])
        self._number += 1
        self._in_flight += 1
        lane.in_flight += 1
        counts[0] += 1
        lane.sent.append(self._clock())
        if lane.left is not None:
            lane.left -= 1
        elif lane.allowance is not None:
            lane.blind += 1
        return Ticket(lane, self._number, counts[1], counts[0])

    def _pause(self, lane: Lane) -> float | None:
        """How long the lane must rest: 0 when it need not, None when only an answer can tell."""
        now = self._clock()
        if lane.held_until > now:
            return lane.held_until - now
        if lane.reset <= now:
            lane.left = None
        if lane.left is None:
            return self._probe(lane, now)
        if lane.left > self._reserved(lane, now):
            return 0
        return None if lane.in_flight else lane.reset - now

    def _probe(self, lane: Lane, now: float) -> float | None:
        """While it is not known what is left, one call at a time, and no more of them than our share."""
        if lane.in_flight and (not lane.told or lane.allowance is not None):
            return None
        if lane.allowance is None or lane.blind < self._ours(lane.allowance):
            return 0
        lane.blind = 0
        lane.held_until = now + lane.window
        return lane.window

    def _ours(self, allowance: int) -> int:
        return max(1, math.floor(allowance * self._share))

    def _reserved(self, lane: Lane, now: float) -> int:
        """How many calls must stay with the customer: their share, less what they seem to have used."""
        assert lane.allowance is not None
        assert lane.left is not None
        while lane.sent and lane.sent[0] < now - _HOUR:
            lane.sent.popleft()
        others = max(0, lane.allowance - lane.left - len(lane.sent))
        return max(0, lane.allowance - self._ours(lane.allowance) - others)

    def _learn(self, lane: Lane, headers: Mapping[str, str], *, overlap: int) -> None:
        """Take over what an answer tells; up to `overlap` calls may have been counted after it."""
        allowance = _number(headers.get("X-FeatureRateLimit-Limit"))
        left = _number(headers.get("X-FeatureRateLimit-Remaining"))
        if allowance is None or left is None or allowance < 1:
            return
        lane.allowance = allowance
        lowest = left - overlap
        lane.left = lowest if lane.left is None else min(max(lane.left, lowest), left)
        until = self._until(headers)
        lane.reset = self._clock() + until
        lane.window = max(lane.window, until)
        lane.blind = 0

    def _until(self, headers: Mapping[str, str]) -> float:
        """The seconds until the told reset, by the service's own clock where the answer has it."""
        reset, date = _moment(headers.get("X-FeatureRateLimit-Reset")), _moment(headers.get("Date"))
        if reset is None:
            return _UNTOLD
        seconds = (reset - (date or self._now())).total_seconds() + _MARGIN
        return min(max(seconds, _MARGIN), _HOUR + _UNTOLD)

    def _adapt(self, ticket: Ticket, *, strained: bool) -> None:
        """Widen while all is well; halve once for all calls that were on their way when it was not."""
        if not strained:
            step = 1.0 if self._growing else 1 / self._width
            self._width = min(float(self._workers), self._width + step)
        elif ticket.number > self._cut_at:
            self._growing = False
            self._cut_at = self._number
            self._width = max(1.0, self._width / 2)


def _number(text: str | None) -> int | None:
    return int(text) if text and text.strip().isdigit() else None


def _moment(text: str | None) -> datetime.datetime | None:
    if not text:
        return None
    try:
        found = parsedate_to_datetime(text)
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.UTC)
