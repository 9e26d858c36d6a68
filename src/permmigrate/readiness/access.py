"""Plan and API access: whether permissions can be read by API, and whether roles exist already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from permmigrate.diff import Severity
from permmigrate.model import LedgerEntry, ReadStatus
from permmigrate.readiness.evidence import Evidence, describe
from permmigrate.readiness.scoring import Issue, area, issue, plural
from permmigrate.readiness.value import Area

_READS: Final = ("roles", "policies", "assignments")
"""The ledger's areas that are read from the Permissions API."""
_REFUSALS: Final = (401, 403, 404)
_ROLES_EXIST: Final = "no role is assigned yet"


def assess_area(evidence: Evidence) -> Area:
    """Judge the access; each endpoint is a check, and so is that no role is assigned yet."""
    endpoints = _endpoints(evidence)
    unread = () if _refused(endpoints) else evidence.unread(*_READS)
    issues = (*_answers(endpoints), *_assigned(evidence))
    return area("access", len(endpoints) + 1, issues, _facts(evidence, endpoints), unread)


Endpoints = Mapping[str, Sequence[LedgerEntry]]


def _endpoints(evidence: Evidence) -> Endpoints:
    found: dict[str, list[LedgerEntry]] = defaultdict(list)
    for name in _READS:
        for entry in evidence.ledger.get(name, ()):
            found[entry.endpoint].append(entry)
    return dict(sorted(found.items()))


def _refused(endpoints: Endpoints) -> bool:
    """Whether the Permissions API is closed to this account or key: nothing of it answered, and it said so.

    The vendor offers it to Enterprise accounts upon request (api-guide, Apr-20-2026); the Free plan has none.
    """
    gaps = [entry for lines in endpoints.values() for entry in lines if entry.status.is_gap]
    answered = any(not entry.status.is_gap for lines in endpoints.values() for entry in lines)
    said_no = any(map(_is_refusal, gaps))
    failed = any(e.status in (ReadStatus.FAILED, ReadStatus.UNREADABLE) and not _is_refusal(e) for e in gaps)
    return said_no and not answered and not failed


def _is_refusal(entry: LedgerEntry) -> bool:
    return entry.status is ReadStatus.DENIED or entry.http_status in _REFUSALS


def _answers(endpoints: Endpoints) -> Iterator[Issue]:
    gaps = [entry for lines in endpoints.values() for entry in lines if entry.status.is_gap]
    silent = [name for name, lines in endpoints.items() if any(entry.status.is_gap for entry in lines)]
    if _refused(endpoints):
        yield issue(
            Severity.CRITICAL,
            "The Permissions API does not answer for this account",
            "Every read of roles, policies and assignments was refused: the plan does not have the API, or "
            "the account key may not use it. A plan cannot be applied, nor verified, by API.",
            "Ask the vendor to open the Permissions API (Enterprise accounts get it upon request); without "
            "it, work through the Console checklist.",
            gaps,
            describe,
            silent,
        )
    elif gaps:
        yield issue(
            Severity.HIGH,
            "Parts of the Permissions API did not answer",
            "Some reads of roles, policies or assignments failed or were refused, so a plan may fail there.",
            "Check the roles of the account key, then take the snapshot again.",
            gaps,
            describe,
            silent,
        )


def _assigned(evidence: Evidence) -> Iterator[Issue]:
    snapshot = evidence.snapshot
    if snapshot.assignments:
        holders = {assignment.principal for assignment in snapshot.assignments}
        yield issue(
            Severity.HIGH,
            "Roles are assigned already",
            f"The snapshot holds {plural(len(snapshot.assignments), 'role assignment')}: the account may "
            "have been moved, in part or in full, and what they give is not part of a comparison by the "
            "mapping tables.",
            "If the account has been moved, compare with the roles really assigned; if not, find out who "
            "gave them.",
            holders,
            lambda holder: f"{holder.type.label} {snapshot.principal_name(holder)}",
            (_ROLES_EXIST,),
        )


def _facts(evidence: Evidence, endpoints: Endpoints) -> Iterator[tuple[str, str]]:
    for endpoint, lines in endpoints.items():
        answered = sum(not entry.status.is_gap for entry in lines)
        yield endpoint, f"{answered:,} of {plural(len(lines), 'read')} answered"
    yield "Role assignments", f"{len(evidence.snapshot.assignments):,}"
