"""From the issues of an area to its verdict, its score and the figure. All arithmetic is here.

An area's score is the share of its things (users, groups, keys, shares, policies, checks) that no issue of
high severity or worse concerns, rounded down to hundredths; an area without things has full marks. A critical
issue blocks the area and a gap in what it was read from makes it unknown: both count 0. The figure is the sum
of weight times score, rounded down.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Hashable, Iterable
from dataclasses import dataclass
from heapq import nsmallest
from typing import Final, TypeVar

from permmigrate.diff import Severity
from permmigrate.readiness.value import Area, AreaVerdict, ReadinessFinding

_DIGITS: Final = re.compile("([0-9]{1,18})")

SUBJECTS_SHOWN: Final = 200
"""A finding names so many of those it concerns, and counts them all."""

_ATTENTION: Final = (Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM)
_COUNTING: Final = (Severity.CRITICAL, Severity.HIGH)

T = TypeVar("T", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Section:
    """An area of the report before anything is known of it."""

    key: str
    name: str
    weight: int
    thing: str
    """What is counted: `user`, `folder share`."""
    reads: tuple[str, ...] = ()
    """The ledger's areas it is read from; a gap in one of them makes it unknown."""


SECTIONS: Final = (
    Section("people", "People", 20, "user", ("people",)),
    Section("groups", "Groups", 10, "group", ("groups",)),
    Section("keys", "Keys", 20, "key", ("environments", "keys")),
    Section("folders", "Folders", 15, "folder share", ("environments", "folders", "shares")),
    Section("collections", "Collections", 5, "collection share", ("environments", "shares")),
    Section("policies", "Custom policies", 10, "custom policy", ("policies",)),
    Section("access", "Plan and API access", 5, "check"),
    Section("completeness", "Data completeness", 15, "check"),
)
"""The weights are a judgement, not the vendor's: people and keys are what breaks on the first morning,
folders are what most people see, and what was not read or mapped puts all the rest in doubt."""

SECTION: Final = {section.key: section for section in SECTIONS}


@dataclass(frozen=True, slots=True)
class Issue:
    """A finding, and the things of its area that it takes marks from."""

    finding: ReadinessFinding
    things: Collection[Hashable]


def issue(
    severity: Severity,
    title: str,
    detail: str,
    action: str,
    concerned: Collection[T],
    label: Callable[[T], str] = str,
    things: Collection[Hashable] | None = None,
) -> Issue:
    """Make an issue; `things` are those concerned unless the area counts something else."""
    names = nsmallest(SUBJECTS_SHOWN, map(label, concerned), key=lambda name: (natural(name), name))
    finding = ReadinessFinding(severity, title, detail, action, tuple(names), len(concerned))
    return Issue(finding, concerned if things is None else things)


def area(
    key: str,
    things: int,
    issues: Iterable[Issue],
    facts: Iterable[tuple[str, str]],
    unread: tuple[str, ...] = (),
) -> Area:
    """Judge one area; `unread` says what of it was not read."""
    section = SECTION[key]
    found = sorted(issues, key=lambda i: (i.finding.severity.rank, -i.finding.count, i.finding.title))
    findings = tuple(each.finding for each in found)
    marked: set[Hashable] = set()
    for each in found:
        if each.finding.severity in _COUNTING:
            marked.update(each.things)
    verdict = _verdict(findings, unread)
    counts = verdict in (AreaVerdict.READY, AreaVerdict.ATTENTION)
    percent = (100 * (things - len(marked)) // things if things else 100) if counts else 0
    return Area(
        key=key,
        name=section.name,
        verdict=verdict,
        weight=section.weight,
        score=percent / 100,
        explanation=_explanation(section, verdict, things, len(marked), findings, unread),
        findings=findings,
        facts=tuple(facts),
    )


def _verdict(findings: tuple[ReadinessFinding, ...], unread: tuple[str, ...]) -> AreaVerdict:
    if unread:
        return AreaVerdict.UNKNOWN
    worst = findings[0].severity if findings else Severity.LOW
    if worst is Severity.CRITICAL:
        return AreaVerdict.BLOCKED
    return AreaVerdict.ATTENTION if worst in _ATTENTION else AreaVerdict.READY


def _explanation(
    section: Section,
    verdict: AreaVerdict,
    things: int,
    marked: int,
    findings: tuple[ReadinessFinding, ...],
    unread: tuple[str, ...],
) -> str:
    critical = [finding.title for finding in findings if finding.severity is Severity.CRITICAL]
    blocks = "; ".join(critical)
    match verdict:
        case AreaVerdict.UNKNOWN:
            rest = f" and {len(unread) - 3:,} more" if len(unread) > 3 else ""
            also = f" What was read is blocked by: {blocks}." if critical else ""
            return f"Not everything was read: {'; '.join(unread[:3])}{rest}. What is unknown counts 0.{also}"
        case AreaVerdict.BLOCKED:
            return f"Blocked by: {blocks}. What is blocked counts 0."
        case _ if not things:
            return f"There is no {section.thing} to move: full marks."
        case _:
            whole = plural(things, section.thing)
            have = "has" if things - marked == 1 else "have"
            return f"{things - marked:,} of {whole} {have} no finding of high severity or worse."


def figure(areas: Iterable[Area]) -> tuple[int, tuple[tuple[str, str], ...]]:
    """Add the areas up: the figure, and the sum line by line in hundredths that add up as shown."""
    lines: list[tuple[str, str]] = []
    parts: list[int] = []
    for each in areas:
        hundredths = each.weight * round(100 * each.score)
        parts.append(hundredths)
        counts = each.verdict in (AreaVerdict.READY, AreaVerdict.ATTENTION)
        why = "" if counts else f" ({each.verdict.value} counts 0)"
        text = f"weight {each.weight} × score {each.score:.2f} = {_decimal(hundredths)}{why}"
        lines.append((each.name, text))
    total = sum(parts)
    added = " + ".join(map(_decimal, parts))
    lines.append(("Readiness", f"{added} = {_decimal(total)}, rounded down to {total // 100}"))
    return total // 100, tuple(lines)


def _decimal(hundredths: int) -> str:
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def natural(text: str) -> tuple[str | int, ...]:
    """A key that sorts as people count: line 9 before line 10, upper case like lower."""
    parts = _DIGITS.split(text.casefold())
    return tuple(int(part) if at % 2 else part for at, part in enumerate(parts))


def plural(count: int, one: str) -> str:
    """`1 policy`, `2,300 policies`."""
    many = f"{one[:-1]}ies" if one.endswith("cy") else f"{one}s"
    return f"{count:,} {one if count == 1 else many}"
