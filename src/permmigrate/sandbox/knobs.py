"""The ways in which the sandbox can be made to behave badly on request.

Knobs change how answers travel (pages, delays, failures, limits), never what the account holds.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_UNITS: Final = {"ms": 0.001, "s": 1.0, "": 1.0}


@dataclass(frozen=True, slots=True)
class Knobs:
    """Everything off by default. Build it from text with `Knobs.parse`."""

    page_size: int | None = None
    """The most entries on any page, and the number when none is asked for."""
    latency: float = 0.0
    """Seconds before each answer."""
    fail_nth: int = 0
    """Every nth request answers 500 and has no effect."""
    rate_limit: tuple[int, float] | None = None
    """Calls allowed in how many seconds; more are answered 420 (Admin) or 429 (account APIs)."""
    limit_status: int | None = None
    """420 or 429 to answer that from every API."""
    drop: str = ""
    """`before` or `after`: close the connection before or after a write took effect."""
    drop_nth: int = 1
    """Only every nth write is dropped."""
    log: Path | None = field(default=None)
    """A file that gets one JSON line a request."""

    def __post_init__(self) -> None:
        if self.page_size is not None and self.page_size < 1:
            raise ValueError(f"page size `{self.page_size}` is below 1")
        if self.latency < 0:
            raise ValueError(f"latency `{self.latency}` is below 0")
        if self.fail_nth < 0 or self.drop_nth < 1:
            raise ValueError("every nth request needs an n of 1 or more")
        if self.drop not in ("", "before", "after"):
            raise ValueError(f"drop `{self.drop}` is neither before nor after")
        if self.limit_status not in (None, 420, 429):
            raise ValueError(f"limit status `{self.limit_status}` is neither 420 nor 429")
        if self.rate_limit is not None and (self.rate_limit[0] < 1 or self.rate_limit[1] <= 0):
            raise ValueError("a rate limit needs at least one call in a time above 0")

    @staticmethod
    def parse(
        *,
        page_size: int | None = None,
        latency: str = "",
        fail_nth: int = 0,
        rate_limit: str = "",
        limit_status: int | None = None,
        drop: str = "",
        log: Path | None = None,
    ) -> Knobs:
        """Read the knobs as options spell them: `20ms`, a limit of `100/1`, a drop `after` or `after:5`.

        Raises ValueError with a message for people.
        """
        when, _, nth = drop.partition(":")
        if nth and not nth.isdigit():
            raise ValueError(f"drop `{drop}` is not of the form before|after or before|after:N")
        return Knobs(
            page_size=page_size,
            latency=_seconds(latency),
            fail_nth=fail_nth,
            rate_limit=_limit(rate_limit),
            limit_status=limit_status,
            drop=when,
            drop_nth=int(nth) if nth else 1,
            log=log,
        )


def _seconds(text: str) -> float:
    if not text:
        return 0.0
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|)", text.strip())
    if match is None:
        raise ValueError(f"latency `{text}` is not of the form 20ms or 0.5s")
    return float(match[1]) * _UNITS[match[2]]


def _limit(text: str) -> tuple[int, float] | None:
    if not text:
        return None
    match = re.fullmatch(r"(\d+)/(\d+(?:\.\d+)?)", text.strip())
    if match is None:
        raise ValueError(f"rate limit `{text}` is not of the form CALLS/SECONDS")
    return int(match[1]), float(match[2])
