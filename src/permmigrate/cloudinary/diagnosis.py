"""What a doctor's visit finds: checks, the permissions system, allowances and the request budget, as values.

It holds no secret and asks nothing; `document` is its JSON form.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from permmigrate.model import Confidence


class Finding(StrEnum):
    """How a check went."""

    OK = "ok"
    NOTE = "note"
    """Worth knowing; a snapshot is whole without it."""
    WARNING = "warning"
    """A snapshot works, and something should be mended."""
    MISSING = "missing"
    """Credentials that a whole snapshot needs are not there."""
    FAILED = "failed"
    """The service refuses or does not answer what a whole snapshot needs."""
    UNCHECKED = "not checked"
    """Something before it failed."""


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    area: str
    """`credentials`, `reach`, `Provisioning API`, `Permissions API`, `Admin API`, `folder roles`, ..."""
    subject: str
    finding: Finding
    detail: str
    remedy: str = ""
    """What to do; empty only when there is nothing to do."""
    endpoint: str = ""
    status: int | None = None
    """The HTTP status, when an answer came."""


@dataclass(frozen=True, slots=True)
class Feature:
    """Whether a part of the service answers this account and these keys."""

    name: str
    answer: str
    """`answers`, `answers in part`, `refused`, `not there`, `no answer` or `not asked`."""


@dataclass(frozen=True, slots=True)
class Indication:
    """One thing that speaks for or against the new permissions system."""

    text: str
    speaks_for: str
    """`new`, `legacy` or `neither`."""
    source: str
    confidence: Confidence


@dataclass(frozen=True, slots=True)
class System:
    """Which permissions system the account seems to be on; never the vendor's word."""

    answer: str
    """`new`, `legacy` or `unknown`."""
    confidence: Confidence
    indications: tuple[Indication, ...]
    official_test: str = (
        "Console: when Settings lists `Role Management`, the account is on Roles and Permissions. "
        "This page is the vendor's only test; no API tells"
    )


@dataclass(frozen=True, slots=True)
class Allowance:
    """What the service last told of a limit (`X-FeatureRateLimit-*`)."""

    lane: str
    """The API, and for the Admin API the cloud name: limits are told apart by these."""
    limit: int
    remaining: int
    resets_in: float | None
    """Seconds, by the service's clock; None when it does not say."""


@dataclass(frozen=True, slots=True)
class Line:
    """How often one endpoint will be called."""

    endpoint: str
    lane: str
    calls: int
    basis: str
    exact: bool = True
    """False when it is extrapolated."""


@dataclass(frozen=True, slots=True)
class Budget:
    """What a snapshot will cost."""

    lines: tuple[Line, ...]
    share: float
    """The part of each allowance that a snapshot takes at most."""
    workers: int
    latency: float
    """Seconds an answer took, the median of the doctor's own calls."""
    waiting: float
    """Seconds of waiting for allowances to be renewed."""

    @property
    def calls(self) -> int:
        return sum(line.calls for line in self.lines)

    @property
    def exact(self) -> bool:
        return all(line.exact for line in self.lines)

    @property
    def seconds(self) -> float:
        return self.calls * self.latency / self.workers + self.waiting


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Everything a visit found."""

    account_id: str | None
    api_url: str
    checks: tuple[Check, ...]
    system: System
    allowances: tuple[Allowance, ...]
    clock_ahead: float | None
    """By how many seconds this machine's clock is ahead of the service's; None when no answer had a date."""
    budget: Budget | None
    """None when too little could be read to tell."""
    calls: int
    """How many calls the visit itself made."""

    def count(self, finding: Finding) -> int:
        return sum(check.finding is finding for check in self.checks)

    @property
    def ready(self) -> bool:
        """Whether a snapshot would be whole, as far as can be told before it."""
        return not (self.count(Finding.FAILED) or self.count(Finding.MISSING))

    @property
    def features(self) -> tuple[Feature, ...]:
        """What of the service answers, in the order it was asked."""
        asked = [check for check in self.checks if check.endpoint or check.finding is Finding.UNCHECKED]
        areas = dict.fromkeys(check.area for check in asked if check.area != "reach")
        return tuple(
            Feature(area, _answer([check for check in asked if check.area == area])) for area in areas
        )


def _answer(checks: Sequence[Check]) -> str:
    """What an area's checks come to."""
    good = sum(check.finding is Finding.OK for check in checks)
    if good == len(checks):
        return "answers"
    if good:
        return "answers in part"
    statuses = {check.status for check in checks}
    if statuses <= {401, 403, None} and statuses != {None}:
        return "refused"
    if 404 in statuses:
        return "not there"
    return "not asked" if all(check.finding is Finding.UNCHECKED for check in checks) else "no answer"


def document(diagnosis: Diagnosis, version: str) -> dict[str, Any]:
    """The diagnosis as JSON; names are kept within a schema number."""
    budget = diagnosis.budget
    return {
        "schema": 1,
        "tool_version": version,
        "account_id": diagnosis.account_id,
        "api_url": diagnosis.api_url,
        "ready": diagnosis.ready,
        "calls_made": diagnosis.calls,
        "clock_ahead_seconds": diagnosis.clock_ahead,
        "checks": [asdict(check) for check in diagnosis.checks],
        "features": [asdict(feature) for feature in diagnosis.features],
        "permissions_system": asdict(diagnosis.system),
        "allowances": [asdict(allowance) for allowance in diagnosis.allowances],
        "budget": budget
        and {
            "calls": budget.calls,
            "exact": budget.exact,
            "seconds": round(budget.seconds, 1),
            "seconds_waiting": round(budget.waiting, 1),
            "share": budget.share,
            "workers": budget.workers,
            "endpoints": [asdict(line) for line in budget.lines],
        },
    }
