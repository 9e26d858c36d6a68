"""Derivations as plain lines and as JSON: why somebody may do something, and who may."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, Final

from permmigrate.diff.derive import Case, Derivation, Side, Step
from permmigrate.diff.derive_finding import Explained
from permmigrate.diff.derive_who import Holders, WhoCan
from permmigrate.diff.value import Witness
from permmigrate.model import PrincipalRef, PrincipalType
from permmigrate.report.text import plural, visible
from permmigrate.snapshot import Snapshot

NAMES_SHOWN: Final = 5
WAYS_SHOWN: Final = 6


def derivation_lines(derivation: Derivation, cause_words: Mapping[str, str]) -> Iterator[str]:
    """A derivation for a terminal."""
    yield visible(f"{derivation.action}: {derivation.resource}")
    yield visible(f"by {derivation.name} ({derivation.principal})")
    if derivation.note:
        yield visible(f"note: {derivation.note}")
    for case in derivation.cases:
        yield ""
        if case.condition:
            yield visible(f"where {case.condition}: {case.verdict}")
        else:
            yield f"{case.verdict}"
        for title, side in (("before", case.before), ("after", case.after)):
            yield f"{title}: {side.decision}"
            yield from (visible(line) for line in _side_lines(side, cause_words))


def _side_lines(side: Side, cause_words: Mapping[str, str]) -> Iterator[str]:
    if not side.steps:
        yield "  nothing permits it"
    for (effect, way, cause), steps in groupby(side.steps, key=lambda s: (s.effect, s.way, s.cause)):
        yield f"  {effect}ted by {way}" if effect == "permit" else f"  forbidden by {way}"
        if cause:
            yield f"    row {cause}: {cause_words[cause]}" if cause in cause_words else f"    {cause}"
        for step in steps:
            yield f"    policy {step.policy_name}   {step.policy_id}"
            if not step.sure:
                yield f"      not sure: {step.reason}"
            if step.basis and step.sure:
                yield f"      by {step.basis}"
            yield from (f"      {line}" for line in step.statement.splitlines())
    for way, why in side.idle:
        yield f"  without effect: {way}: {why}"


def derivation_document(derivation: Derivation, cause_words: Mapping[str, str]) -> dict[str, Any]:
    """A derivation as JSON."""
    return {
        "principal": str(derivation.principal),
        "name": derivation.name,
        "action": derivation.action,
        "resource": derivation.resource,
        "note": derivation.note,
        "cases": [_case_document(case, cause_words) for case in derivation.cases],
    }


def _case_document(case: Case, cause_words: Mapping[str, str]) -> dict[str, Any]:
    return {
        "condition": case.condition,
        "verdict": case.verdict.value,
        "before": _side_document(case.before, cause_words),
        "after": _side_document(case.after, cause_words),
    }


def _side_document(side: Side, cause_words: Mapping[str, str]) -> dict[str, Any]:
    return {
        "decision": side.decision,
        "through": [_step_document(step, cause_words) for step in side.steps],
        "without_effect": [{"grant": way, "reason": why} for way, why in side.idle],
    }


def _step_document(step: Step, cause_words: Mapping[str, str]) -> dict[str, Any]:
    return {
        "effect": step.effect,
        "grant": step.way,
        "row": step.cause,
        "row_text": cause_words.get(step.cause, ""),
        "role": step.role_id,
        "group": step.group_id,
        "policy": step.policy_id,
        "policy_name": step.policy_name,
        "statement": step.statement,
        "sure": step.sure,
        "reason": step.reason,
        "baseline_row": step.basis,
    }


def who_lines(answer: WhoCan, snapshot: Snapshot) -> Iterator[str]:
    """Who may do something, for a terminal."""
    yield visible(f"{answer.action}: {answer.resource}")
    before, after = answer.count(before=True), answer.count(after=True)
    only_before = answer.count(before=True, after=False)
    only_after = answer.count(before=False, after=True)
    yield f"{before:,} before, {after:,} after; {only_before:,} only before, {only_after:,} only after"
    parts = (
        ("only after", False, True),
        ("only before", True, False),
        ("before and after", True, True),
    )
    for title, was, will in parts:
        found = [one for one in answer.holders if (one.may_before, one.may_after) == (was, will)]
        if found:
            yield ""
            yield f"{title}: {sum(len(one.principals) for one in found):,}"
        for one in found:
            yield from (visible(line) for line in _holder_lines(one, answer.conditions, snapshot))


def _holder_lines(one: Holders, conditions: tuple[str, ...], snapshot: Snapshot) -> Iterator[str]:
    names = [snapshot.principal_name(principal) for principal in one.principals[:NAMES_SHOWN]]
    kind = one.principals[0].type.label
    more = len(one.principals) - len(names)
    others = f" and {more:,} more" if more > 0 else ""
    yield f"  {plural(len(one.principals), kind)}: {', '.join(names)}{others}"
    for title, decisions, ways in (
        ("before", one.before, one.through_before),
        ("after", one.after, one.through_after),
    ):
        shown = "; ".join(ways[:WAYS_SHOWN])
        rest = f"; and {len(ways) - WAYS_SHOWN} more" if len(ways) > WAYS_SHOWN else ""
        yield f"    {title}: {_decided(decisions, conditions)}{' by ' if ways else ''}{shown}{rest}"


def _decided(decisions: tuple[str, ...], conditions: tuple[str, ...]) -> str:
    if len(set(decisions)) == 1:
        return decisions[0]
    found: dict[str, list[str]] = {}
    for decision, condition in zip(decisions, conditions, strict=True):
        found.setdefault(decision, []).append(condition)
    return ", ".join(f"{decision} where {' or '.join(where)}" for decision, where in sorted(found.items()))


def who_document(answer: WhoCan, snapshot: Snapshot) -> dict[str, Any]:
    """Who may do something, as JSON: every principal by name and id."""
    return {
        "action": answer.action,
        "resource": answer.resource,
        "conditions": list(answer.conditions),
        "counts": {
            "before": answer.count(before=True),
            "after": answer.count(after=True),
            "only_before": answer.count(before=True, after=False),
            "only_after": answer.count(before=False, after=True),
        },
        "holders": [
            {
                "before": list(one.before),
                "after": list(one.after),
                "through_before": list(one.through_before),
                "through_after": list(one.through_after),
                "principals": [_principal_document(principal, snapshot) for principal in one.principals],
            }
            for one in answer.holders
        ],
    }


def _principal_document(principal: PrincipalRef, snapshot: Snapshot) -> dict[str, Any]:
    found: dict[str, Any] = {"principal": str(principal), "name": snapshot.principal_name(principal)}
    if principal.type is PrincipalType.USER and principal.id in snapshot.user_by_id:
        found["email"] = snapshot.user_by_id[principal.id].email
    return found | {"dormant": snapshot.is_dormant(principal)}


def witness_lines(witness: Witness) -> Iterator[str]:
    """A witness as Cedar was asked it."""
    yield visible(f"principal  {witness.principal}")
    yield visible(f"action     {witness.action}")
    yield visible(f"resource   {witness.resource}")
    for name, value in witness.attributes.items():
        yield visible(f"             {name}: {value}")
    for name, value in witness.context.items():
        yield visible(f"context    {name}: {value}")
    yield f"Cedar says {witness.before} before, {witness.after} after"


def witness_document(witness: Witness | None) -> dict[str, Any] | None:
    """A witness as JSON."""
    if witness is None:
        return None
    return {
        "principal": witness.principal,
        "action": witness.action,
        "resource": witness.resource,
        "attributes": dict(witness.attributes),
        "context": dict(witness.context),
        "before": witness.before,
        "after": witness.after,
    }


def explained_lines(found: Explained, cause_words: Mapping[str, str]) -> Iterator[str]:
    """A finding for a terminal."""
    finding = found.finding
    yield visible(f"{finding.id}   {finding.verdict}, {finding.severity}")
    alike = f" and {plural(len(finding.others), 'other user')} alike" if finding.others else ""
    yield visible(f"{found.name} ({finding.principal}){alike}, {finding.region.label}")
    for capability in found.capabilities:
        yield visible(f"  {capability.severity:<8}  {capability.label}")
    if finding.reason:
        yield visible(f"not known: {finding.reason}")
    if found.witness is not None:
        yield "\nthe request that shows it"
        yield from (f"  {line}" for line in witness_lines(found.witness))
    yield ""
    yield from derivation_lines(found.derivation, cause_words)
    for sibling in found.causes:
        cause = sibling.cause
        yield visible(f"\n{cause.ref}: {cause.text}".lstrip("\n"))
        yield f"  makes {plural(cause.expansions, 'expansion')} and {plural(cause.reductions, 'reduction')}"
        for other in sibling.others[:NAMES_SHOWN]:
            yield visible(f"  {other.id}  {other.verdict}, {other.severity}: {other.region.label}")
        if len(sibling.others) > NAMES_SHOWN:
            yield f"  and {len(sibling.others) - NAMES_SHOWN:,} more"


def explained_document(found: Explained, cause_words: Mapping[str, str]) -> dict[str, Any]:
    """A finding as JSON."""
    finding = found.finding
    return {
        "id": finding.id,
        "verdict": finding.verdict.value,
        "severity": finding.severity.value,
        "principal": str(finding.principal),
        "name": found.name,
        "others": [str(other) for other in finding.others],
        "region": finding.region.label,
        "capabilities": [capability.label for capability in found.capabilities],
        "reason": finding.reason,
        "witness": witness_document(found.witness),
        "derivation": derivation_document(found.derivation, cause_words),
        "causes": [
            {
                "ref": sibling.cause.ref,
                "text": sibling.cause.text,
                "expansions": sibling.cause.expansions,
                "reductions": sibling.cause.reductions,
                "other_findings": [other.id for other in sibling.others],
            }
            for sibling in found.causes
        ],
    }
