"""Count what the findings amount to: by cause, by verdict, by what is not known."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, NamedTuple

import numpy as np

from permmigrate.diff.findings import Findings
from permmigrate.diff.value import Cause, Coverage, Finding, Severity, Uncertainty, Verdict
from permmigrate.diff.verdicts import COMPARED
from permmigrate.entitlements import Entitlements
from permmigrate.mapping import Translation
from permmigrate.mapping.tables import MappingTables
from permmigrate.model import PrincipalRef
from permmigrate.snapshot import Snapshot

INCOMPLETE: Final = ("gap", "unmapped", "orphan share", "statement", "not assigned")
"""The kinds of uncertainty that leave the data, not only its meaning, in doubt."""


@dataclass(slots=True)
class _Tally:
    expansions: int = 0
    sole: int = 0
    reductions: int = 0
    severity: Severity = Severity.LOW


def causes_of(findings: Sequence[Finding], words: Mapping[str, tuple[str, str]]) -> tuple[Cause, ...]:
    """Rank the causes by the expansions they make, most first; `words` has each one's text and confidence."""
    tallies: dict[str, _Tally] = {}
    for alike in _grouped(findings):
        for ref in alike.causes:
            tally = tallies.setdefault(ref, _Tally())
            if alike.verdict.is_expansion:
                tally.expansions += alike.number
                tally.sole += alike.number if len(alike.causes) == 1 else 0
                tally.severity = min(tally.severity, alike.severity, key=lambda s: s.rank)
            elif alike.verdict.is_reduction:
                tally.reductions += alike.number
    principals = _principals_of(findings)
    causes = [
        Cause(
            ref=ref,
            text=words.get(ref, (ref, ""))[0],
            confidence=words.get(ref, ("", "unknown"))[1],
            expansions=tally.expansions,
            sole_expansions=tally.sole,
            reductions=tally.reductions,
            principals=principals[ref],
            severity=tally.severity,
        )
        for ref, tally in tallies.items()
    ]
    return tuple(sorted(causes, key=lambda c: (-c.expansions, -c.reductions, c.ref)))


class _Alike(NamedTuple):
    """Findings that count the same."""

    number: int
    verdict: Verdict
    causes: tuple[str, ...]
    severity: Severity
    """The worst of them."""


def _grouped(findings: Sequence[Finding]) -> Iterator[_Alike]:
    """The findings by what they count as: columns are counted, and values one by one."""
    if not isinstance(findings, Findings):
        for finding in findings:
            yield _Alike(1, finding.verdict, finding.causes, finding.severity)
        return
    for finding in findings.extra:
        yield _Alike(1, finding.verdict, finding.causes, finding.severity)
    severities = tuple(Severity)
    worst = findings.worst_of_kind.tolist()
    for kind, number, severity in zip(findings.kinds, findings.used.tolist(), worst, strict=True):
        if number:
            yield _Alike(number, COMPARED[kind.verdict], kind.causes, severities[severity])


def _principals_of(findings: Sequence[Finding]) -> Mapping[str, int]:
    """For how many principals some finding of each cause holds."""
    if not isinstance(findings, Findings):
        return {ref: len(found) for ref, found in _held(findings).items()}
    columns: dict[str, list[int]] = {}
    for number, (causes, unknown) in enumerate(findings.gathered.cause_sets):
        for ref in causes:
            if not (unknown and findings.is_revised):
                columns.setdefault(ref, []).append(number)
    caused = findings.gathered.caused
    held = {ref: np.asarray(caused[:, numbers].any(axis=1)) for ref, numbers in columns.items()}
    if findings.is_revised:
        numbers_of = {one: number for number, one in enumerate(findings.entitlements.principals)}
        for ref, principals in _held(
            (*(finding for _, finding in findings.unknown), *findings.extra)
        ).items():
            column = held.setdefault(ref, np.zeros(len(caused), dtype=bool))
            column[[numbers_of[one] for one in principals]] = True
    return {ref: int(column.sum()) for ref, column in held.items()}


def _held(findings: Iterable[Finding]) -> Mapping[str, set[PrincipalRef]]:
    """For whom findings of each cause hold."""
    held: dict[str, set[PrincipalRef]] = {}
    for finding in findings:
        for ref in finding.causes:
            held.setdefault(ref, set()).update(finding.principals)
    return held


def counts_of(findings: Sequence[Finding], unchanged: int) -> Mapping[Verdict, int]:
    """Findings by verdict; unchanged is the number of principals for whom none holds."""
    counts: Counter[Verdict] = Counter()
    for alike in _grouped(findings):
        counts[alike.verdict] += alike.number
    return {v: unchanged if v is Verdict.UNCHANGED else counts[v] for v in Verdict}


def coverage_of(translation: Translation | None, tables: MappingTables) -> tuple[Coverage, ...]:
    """How often each row was used; nothing when the tables were not what made the after side."""
    if translation is None:
        return ()
    uses = translation.uses
    return tuple(
        Coverage(str(ref), text, uses.get(ref, 0), source, confidence)
        for ref, text, source, confidence in tables.rows()
    )


def uncertainties_of(
    entitlements: Entitlements,
    findings: Findings,
    assigned: Snapshot | None,
    expired_overrides: tuple[Uncertainty, ...] = (),
) -> tuple[Uncertainty, ...]:
    """Everything that could not be read, mapped or decided, the most consequential first within its kind."""
    found = [
        *_gaps(entitlements.snapshot, "" if assigned is None else "before: "),
        *(_gaps(assigned, "after: ") if assigned is not None else ()),
        *_untranslated(entitlements.translation),
        *_statements(entitlements),
        *_orphans(entitlements.snapshot),
        *_assignments(entitlements, assigned),
        *expired_overrides,
        *_baseline(findings),
    ]
    return tuple(found)


def _gaps(snapshot: Snapshot, prefix: str) -> Iterator[Uncertainty]:
    for entry in snapshot.gaps:
        subject = f"{entry.area}: {entry.subject}" if entry.subject else entry.area
        yield Uncertainty("gap", prefix + subject, f"{entry.status.value}: {entry.detail or entry.endpoint}")


def _untranslated(translation: Translation | None) -> Iterator[Uncertainty]:
    if translation is None:
        return
    for missing in translation.untranslated:
        subject = f"{missing.principal}: {missing.legacy}"
        yield Uncertainty("unmapped", subject, missing.reason)


def _statements(entitlements: Entitlements) -> Iterator[Uncertainty]:
    compiler = entitlements.compiler
    names = {custom.id: custom.name for custom in compiler.custom_policies}
    for policy_id, reason in sorted(compiler.unparsed.items()):
        yield Uncertainty("statement", names.get(policy_id, policy_id), f"not readable as Cedar: {reason}")
    for policy_id, reason in sorted(compiler.opaque.items()):
        yield Uncertainty("statement", names.get(policy_id, policy_id), f"{reason}: not decided")
    for role_id, policy_id in entitlements.snapshot.catalog.missing_policies:
        yield Uncertainty("statement", policy_id, f"role `{role_id}` names it and the catalog lacks it")


def _orphans(snapshot: Snapshot) -> Iterator[Uncertainty]:
    for orphan in snapshot.orphan_shares:
        yield Uncertainty("orphan share", orphan.source, orphan.reason)


def _assignments(entitlements: Entitlements, assigned: Snapshot | None) -> Iterator[Uncertainty]:
    for reason, count in sorted(entitlements.after.ineffective.items()):
        yield Uncertainty("assignment", f"{count} role assignments", f"have no effect: {reason}")
    if assigned is not None and not assigned.assignments:
        reason = (
            "no role is assigned in the later snapshot: the account has not moved, or roles were not read"
        )
        yield Uncertainty("not assigned", "the later snapshot", reason)


def expired(tables: MappingTables, today: date) -> tuple[Uncertainty, ...]:
    """The overrides that no longer apply, which a person may still count on."""
    return tuple(
        Uncertainty("override", str(row.ref), f"expired on {row.expires.isoformat()} and no longer applies")
        for row in tables.overrides
        if row.expires is not None and row.expires < today
    )


def _baseline(findings: Findings) -> Iterator[Uncertainty]:
    """What the legacy baseline does not know, and how many findings hang on it."""
    reasons: Counter[str] = Counter()
    for kind, number in zip(findings.kinds, findings.used.tolist(), strict=True):
        for reason in kind.reasons if number else ():
            reasons[reason] += number
    for reason, count in sorted(reasons.items(), key=lambda item: (-item[1], item[0])):
        yield Uncertainty("baseline", "legacy baseline", reason, count)
