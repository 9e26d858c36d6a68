"""What a suggestion changes for the whole account: findings before and after, and why some are left.

It counts two comparisons and decides nothing; the lines and the document hold the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from permmigrate.diff import Diff, Severity, Verdict
from permmigrate.mapping.rows import NO_LEGACY_ROLE, OverrideRow, TargetRow
from permmigrate.mapping.tables import MappingTables
from permmigrate.model import Confidence
from permmigrate.suggest.phrases import cost_words, counted, given_at, policies
from permmigrate.suggest.value import Choice, Cost, Suggestion

COUNTED = (Verdict.GAINED, Verdict.MAYBE_GAINED, Verdict.LOST, Verdict.MAYBE_LOST, Verdict.UNKNOWN)


@dataclass(frozen=True, slots=True)
class Leftover:
    """Findings that the suggested tables still leave, by the row behind them, and why."""

    cause: str
    """As in a finding: `folder_levels.csv:4`, or `assigned <role>`."""
    findings: int
    severity: Severity
    """The worst among them."""
    why: tuple[str, ...]


@dataclass(frozen=True)
class Outcome:
    """A suggestion with what the two sets of tables make of the account."""

    suggestion: Suggestion
    before: Mapping[Verdict, int]
    """Findings with the tables that were given, by verdict."""
    after: Mapping[Verdict, int]
    """Findings with the suggested ones."""
    leftovers: tuple[Leftover, ...]
    """Why something is still added, or may be; the most findings first."""
    losses: tuple[Leftover, ...]
    """Why something is still lost, or may be."""

    @staticmethod
    def of(suggestion: Suggestion, tables: MappingTables, before: Diff, after: Diff) -> Outcome:
        """Count both comparisons; `tables` are the suggested ones, which `after` was made with."""
        return Outcome(
            suggestion,
            {verdict: before.counts[verdict] for verdict in COUNTED},
            {verdict: after.counts[verdict] for verdict in COUNTED},
            _leftovers(suggestion, tables, after, losses=False),
            _leftovers(suggestion, tables, after, losses=True),
        )


def _leftovers(
    suggestion: Suggestion, tables: MappingTables, diff: Diff, *, losses: bool
) -> tuple[Leftover, ...]:
    found: dict[str, list[Severity]] = {}
    for finding in diff.findings:
        if finding.verdict.is_reduction if losses else finding.verdict.is_expansion:
            for cause in finding.causes:
                found.setdefault(cause, []).append(finding.severity)
    rows = {str(row.ref): row for row in tables.target_rows()}
    choices = {(choice.file, key): choice for choice in suggestion.choices for key in choice.keys}
    made = [
        Leftover(
            cause,
            len(severities),
            min(severities, key=lambda s: s.rank),
            tuple(dict.fromkeys(_reasons(cause, rows.get(cause), choices, losses=losses))),
        )
        for cause, severities in found.items()
    ]
    return tuple(sorted(made, key=lambda each: (-each.findings, each.cause)))


def _reasons(
    cause: str,
    row: TargetRow | None,
    choices: Mapping[tuple[str, tuple[str, ...]], Choice],
    *,
    losses: bool,
) -> Iterator[str]:
    if row is None:
        yield f"{cause}: no row of the tables decides it"
        return
    choice = choices.get((row.ref.file, tuple(cell or NO_LEGACY_ROLE for cell in row.key)))
    if choice is None:
        kept = isinstance(row, OverrideRow) or row.origin.confidence is Confidence.CUSTOMER
        yield "somebody's decision, left as it is" if kept else "nobody in the snapshot holds such a grant"
        return
    if losses:
        cost = choice.cost
        if cost.lost:
            yield f"nothing that can be given holds {counted(cost.lost)} of what was had"
        if cost.maybe_lost:
            yield f"nobody knows whether {counted(cost.maybe_lost)} were had: legacy_baseline.csv can say so"
        return
    yield from choice.left


def lines(outcome: Outcome) -> Iterator[str]:
    """The outcome as text: what changes, what it comes to, and what is left."""
    suggestion = outcome.suggestion
    if suggestion.changed:
        yield from _table(suggestion.changed)
    else:
        yield "nothing in the tables can be made better"
    for role in suggestion.new_roles:
        yield f"new {role.level} role {role.name}: {policies(role)}"
    for words in suggestion.kept:
        yield f"left alone: {words}"
    yield ""
    for verdict in COUNTED:
        yield f"{verdict.value:<13} {outcome.before[verdict]:>7,} → {outcome.after[verdict]:,}"
    for title, found in (("still added", outcome.leftovers), ("still lost", outcome.losses)):
        if found:
            yield ""
            yield f"{title}, or may be, by row, and why:"
            for leftover in found:
                yield f"  {leftover.cause}: {leftover.findings:,}, the worst {leftover.severity}"
                yield from (f"    {reason}" for reason in leftover.why)


def _table(choices: tuple[Choice, ...]) -> Iterator[str]:
    """One line a choice: what it is, how many hold it, what it adds each before and after, what to give."""
    cells = [
        (choice.who, f"{choice.holders:,}", _adds(choice.given_cost), _adds(choice.cost), _gives(choice))
        for choice in choices
    ]
    head = ("legacy grant", "held by", "adds now", "would add", "give")
    widths = [max(len(row[n]) for row in (head, *cells)) for n in range(4)]
    for row in (head, *cells):
        yield "  ".join((*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[4]))
        if row is head:
            yield "  ".join((*("-" * width for width in widths), "-" * len(head[4])))


def _adds(cost: Cost) -> str:
    maybe = f", maybe {counted(cost.maybe_gained)}" if cost.maybe_gained else ""
    lost = f"; loses {counted(cost.lost)}" if cost.lost else ""
    return counted(cost.gained) + maybe + lost


def _gives(choice: Choice) -> str:
    return "; ".join(given_at(pick.label, pick.scope) for pick in choice.picks) or "nothing"


def document(outcome: Outcome) -> dict[str, Any]:
    """The outcome as JSON."""
    suggestion = outcome.suggestion
    return {
        "snapshot": suggestion.snapshot_digest,
        "catalog": suggestion.catalog_digest,
        "custom_roles_allowed": suggestion.custom_roles,
        "choices": [_choice(choice) for choice in suggestion.choices],
        "new_roles": [
            {"name": role.name, "level": role.level, "policies": list(role.policies)}
            for role in suggestion.new_roles
        ],
        "left_alone": list(suggestion.kept),
        "findings": {
            verdict.value: {"before": outcome.before[verdict], "after": outcome.after[verdict]}
            for verdict in COUNTED
        },
        "still_added": [_leftover(each) for each in outcome.leftovers],
        "still_lost": [_leftover(each) for each in outcome.losses],
    }


def _choice(choice: Choice) -> dict[str, Any]:
    return {
        "legacy": choice.who,
        "table": choice.file,
        "keys": [list(key) for key in choice.keys],
        "held_by": choice.holders,
        "changed": choice.changed,
        "now": list(choice.given),
        "give": [{"role": pick.target, "scope": str(pick.scope)} for pick in choice.picks],
        "cost_now": _cost(choice.given_cost),
        "cost": _cost(choice.cost),
        "cost_in_words": cost_words(choice.cost),
        "why": choice.why,
        "left": list(choice.left),
    }


def _cost(cost: Cost) -> dict[str, list[dict[str, str]]]:
    kinds = {
        "gained": cost.gained,
        "maybe_gained": cost.maybe_gained,
        "lost": cost.lost,
        "maybe_lost": cost.maybe_lost,
    }
    return {
        kind: [{"severity": item.severity.value, "capability": item.label} for item in items]
        for kind, items in kinds.items()
    }


def _leftover(each: Leftover) -> dict[str, Any]:
    return {
        "cause": each.cause,
        "findings": each.findings,
        "severity": each.severity.value,
        "why": list(each.why),
    }
