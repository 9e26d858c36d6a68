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
    storm: float = 0.0
    """The share of calls that are spoilt: 420, 429, 500, 502, a lost connection, an answer that is no JSON;
    a write before or after it took effect."""
    storm_seed: int = 1
    hang: float = 0.0
    """In a storm, so many seconds without an answer are a way to be spoilt, too."""
    stale_reads: int = 0
    """So many reads of role assignments after a change still show what was there before."""
    stale_seconds: float = 0.0
    """For so long after a change its reads show what was there before."""
    revoke_after: int = 0
    """After so many writes the account key that wrote is not accepted any more."""
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
        if not 0 <= self.storm <= 1:
            raise ValueError(f"a storm of `{self.storm}` is not a share between 0 and 1")
        if min(self.hang, self.stale_reads, self.stale_seconds, self.revoke_after) < 0:
            raise ValueError("times and numbers of calls are 0 or more")
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
        storm: str = "",
        stale: str = "",
        revoke_after: int = 0,
        log: Path | None = None,
    ) -> Knobs:
        """Read the knobs as options spell them: `20ms`, a limit of `100/1`, a drop `after` or `after:5`.

        A storm is a share and perhaps a seed, `0.3:7`; what is stale is so for `3` reads or for `2s`.

        Raises ValueError with a message for people.
        """
        when, _, nth = drop.partition(":")
        share, _, seed = storm.partition(":")
        if not re.fullmatch(r"(\d*\.?\d+(:\d+)?)?", storm):
            raise ValueError(f"storm `{storm}` is not of the form SHARE or SHARE:SEED")
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
            storm=float(share or 0),
            storm_seed=int(seed or 1),
            stale_reads=int(stale) if stale.isdigit() else 0,
            stale_seconds=0.0 if stale.isdigit() else _seconds(stale),
            revoke_after=revoke_after,
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
