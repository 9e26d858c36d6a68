"""When the next call may go: what headers tell, what is left to others, how wide to go."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from permmigrate.cloudinary.limiter import Limiter

NOW = datetime.datetime(2026, 11, 22, 8, 0, tzinfo=datetime.UTC)


@dataclass
class Service:
    """A limit of so many calls an hour, renewed at the full hour, some of it used by others."""

    allowance: int
    used: int = 0
    tells_date: bool = True
    time: float = 0
    most: int = 0
    ours: int = 0
    slept: list[float] = field(default_factory=list)

    def limiter(self, share: float = 0.5, workers: int = 16) -> Limiter:
        return Limiter(
            workers=workers,
            share=share,
            clock=lambda: self.time,
            now=lambda: NOW + datetime.timedelta(seconds=self.time),
            sleep=self.sleep,
            stopped=lambda: False,
        )

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        before, self.time = self.time, self.time + seconds
        if int(before // 3600) != int(self.time // 3600):
            self.used = self.ours = 0

    def call(self) -> dict[str, str]:
        self.used += 1
        self.ours += 1
        self.most = max(self.most, self.ours)
        reset = NOW + datetime.timedelta(seconds=(self.time // 3600 + 1) * 3600)
        return self.headers(reset)

    def headers(self, reset: datetime.datetime) -> dict[str, str]:
        told = {
            "X-FeatureRateLimit-Limit": str(self.allowance),
            "X-FeatureRateLimit-Remaining": str(max(0, self.allowance - self.used)),
            "X-FeatureRateLimit-Reset": format_datetime(reset, usegmt=True),
        }
        now = NOW + datetime.timedelta(seconds=self.time)
        return told | ({"Date": format_datetime(now, usegmt=True)} if self.tells_date else {})


def run(service: Service, limiter: Limiter, calls: int, headers: Callable[[], dict[str, str] | None]) -> None:
    for _ in range(calls):
        ticket, _ = limiter.enter("admin k")
        limiter.leave(ticket, headers(), strained=False)


@pytest.mark.parametrize("share", [0.1, 0.5, 1.0])
@pytest.mark.parametrize("tells_date", [True, False])
def test_an_hours_share_is_used_and_then_waited_for(share: float, tells_date: bool) -> None:
    """Three shares' worth of calls take two waits, and no hour has more than the share."""
    service = Service(100, tells_date=tells_date)

    run(service, service.limiter(share), int(300 * share), service.call)

    assert int(100 * share) == service.most
    assert 2 == len(service.slept)


def test_what_others_use_is_theirs() -> None:
    """Others who use half leave us our half; others who use more leave us what is left."""
    half, more = Service(100, used=50), Service(100, used=80)
    for service in (half, more):
        limiter = service.limiter()
        while not service.slept:
            run(service, limiter, 1, service.call)

    assert (50, 20) == (half.most, more.most)


def test_without_headers_only_the_width_limits() -> None:
    """A service that tells nothing is not waited for."""
    service = Service(1)

    run(service, service.limiter(), 500, dict)

    assert [] == service.slept


def test_lanes_do_not_share() -> None:
    """One key's spent share does not hold another key's calls."""
    service = Service(2)
    limiter = service.limiter()
    for lane in ("a", "b", "c"):
        service.used = 0
        ticket, waited = limiter.enter(lane)
        limiter.leave(ticket, service.call(), strained=False)
        assert 0 == waited


def test_a_lost_answer_counts_as_a_call() -> None:
    """A call that got no answer may have been counted by the service: it counts here too."""
    service = Service(10)
    limiter = service.limiter()
    run(service, limiter, 1, service.call)
    run(service, limiter, 4, lambda: None)

    _, waited = limiter.enter("admin k")

    assert waited > 3000


@given(st.lists(st.sampled_from(["go", "back", "lost"]), max_size=80), st.integers(2, 40))
def test_calls_side_by_side_never_exceed_the_share(moves: list[str], allowance: int) -> None:
    """However calls and answers interleave, no hour has more than the share (at least one call)."""
    service = Service(allowance)
    limiter = service.limiter(workers=8)
    run(service, limiter, 1, service.call)
    under_way = []
    for move in moves:
        if move == "go" and len(under_way) < limiter.width:
            if under_way and limiter._pause(limiter._lanes["admin k"]) != 0:
                continue
            ticket, _ = limiter.enter("admin k")
            under_way.append((ticket, service.call()))
        elif move != "go" and under_way:
            ticket, headers = under_way.pop(0 if move == "back" else -1)
            limiter.leave(ticket, headers if move == "back" else None, strained=False)
        assert service.most <= max(1, allowance // 2)


def test_the_width_grows_while_all_is_well_and_halves_when_not() -> None:
    """It begins small, doubles by the round, and a push back halves it once for all calls under way."""
    service = Service(10_000)
    limiter = service.limiter(workers=16)
    assert 4 == limiter.width
    run(service, limiter, 12, dict)
    assert 16 == limiter.width

    tickets = [limiter.enter("admin k")[0] for _ in range(8)]
    for ticket in tickets:
        limiter.leave(ticket, {}, strained=True)

    assert 8 == limiter.width
    run(service, limiter, 3, dict)
    assert 8 == limiter.width


@pytest.mark.parametrize(
    "headers",
    [
        {"X-FeatureRateLimit-Limit": "x", "X-FeatureRateLimit-Remaining": "1"},
        {"X-FeatureRateLimit-Limit": "0", "X-FeatureRateLimit-Remaining": "0"},
        {"X-FeatureRateLimit-Limit": "-5", "X-FeatureRateLimit-Remaining": "5"},
        {"X-FeatureRateLimit-Remaining": "5"},
    ],
)
def test_senseless_headers_are_passed_over(headers: dict[str, str]) -> None:
    """What is no number, or no limit, limits nothing."""
    service = Service(1)

    run(service, service.limiter(), 50, lambda: headers)

    assert [] == service.slept


def test_a_reset_that_is_not_told_is_guessed_and_asked_for_again() -> None:
    """Without a moment a minute is waited, and one call asks whether there is more."""
    service = Service(4)
    limiter = service.limiter()
    told = {"X-FeatureRateLimit-Limit": "4", "X-FeatureRateLimit-Remaining": "2"}

    run(service, limiter, 3, lambda: told)

    assert [60] == service.slept


def test_a_hold_holds_its_lane() -> None:
    """What Retry-After asked for is waited by every call of the lane, and by no other."""
    service = Service(100)
    limiter = service.limiter()
    limiter.hold("admin k", 30)

    assert (0, 30) == (limiter.enter("other")[1], limiter.enter("admin k")[1])
