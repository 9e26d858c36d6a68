"""Custom policies: that they exist, forbid, cannot be decided, are switched off, or name nobody."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import partial
from typing import Final

from permmigrate.cedar import PrincipalConstraint, Statement, Unparsed, parse
from permmigrate.diff import Severity
from permmigrate.entitlements.custom import CEDAR_TYPES
from permmigrate.model import CustomPolicy, PrincipalType
from permmigrate.readiness.evidence import Evidence
from permmigrate.readiness.scoring import Issue, area, issue
from permmigrate.readiness.value import Area

UNDECIDED: Final = "Custom policies that cannot be decided"


def assess_area(evidence: Evidence) -> Area:
    """Judge the custom policies; each is a thing."""
    policies = evidence.snapshot.custom_policies
    return area(
        "policies", len(policies), _issues(evidence), _facts(evidence), evidence.unread_of("policies")
    )


def _issues(evidence: Evidence) -> Iterator[Issue]:
    policies = evidence.snapshot.custom_policies
    enabled = [policy for policy in policies if policy.enabled]
    if enabled:
        yield issue(
            Severity.MEDIUM,
            "Custom policies are in force",
            "They hold before and after the move, beside every role, and whoever edits them changes what the "
            "comparison says.",
            "Agree with their owner that they stay as they are until the move is verified.",
            enabled,
            _name,
        )
    if forbidding := [policy for policy in enabled if _forbids(policy)]:
        yield issue(
            Severity.HIGH,
            "Custom policies that forbid",
            "A forbid wins over every role: access that the mapping gives can be taken away again.",
            "Check in the comparison whom they stop, and decide whether they are still needed.",
            forbidding,
            _name,
        )
    undecided = {u.subject: u.reason for u in evidence.diff.uncertainties if u.kind == "statement"}
    if opaque := [(p, reason) for p in enabled if (reason := _unreadable(p) or undecided.get(p.name, ""))]:
        yield issue(
            Severity.HIGH,
            UNDECIDED,
            "Their text goes beyond what is decided exactly, so what they touch stays a maybe.",
            "Rewrite them with simpler conditions, or have their owner state in writing what they allow.",
            opaque,
            lambda pair: f"{_name(pair[0])}: {pair[1]}",
            [policy for policy, _ in opaque],
        )
    known = _known(evidence)
    if astray := [(policy, who) for policy in enabled if (who := _strangers(policy, known))]:
        yield issue(
            Severity.HIGH,
            "Custom policies that name principals who do not exist",
            "The user, group or key is not in the account: the policy does nothing for it, or was meant for "
            "somebody else.",
            "Correct the ids in the policies, or remove them.",
            astray,
            lambda pair: f"{_name(pair[0])}: {', '.join(pair[1])}",
            [policy for policy, _ in astray],
        )
    if disabled := [policy for policy in policies if not policy.enabled]:
        yield issue(
            Severity.LOW,
            "Disabled custom policies",
            "They are not part of the comparison; enabling one later changes what people may do.",
            "Delete those that nobody means to enable.",
            disabled,
            _name,
        )


def _name(policy: CustomPolicy) -> str:
    return policy.name or policy.id


def _statements(policy: CustomPolicy) -> tuple[Statement, ...]:
    parsed = parse(policy.statement)
    return () if isinstance(parsed, Unparsed) else parsed


def _forbids(policy: CustomPolicy) -> bool:
    return any(statement.effect == "forbid" for statement in _statements(policy))


def _unreadable(policy: CustomPolicy) -> str:
    parsed = parse(policy.statement)
    return f"not readable as Cedar: {parsed.reason}" if isinstance(parsed, Unparsed) else ""


def _known(evidence: Evidence) -> Mapping[str, tuple[str, Collection[str]]]:
    """The ids of each Cedar type of principal whose list was read in full. No API lists account keys."""
    snapshot = evidence.snapshot
    lists: Mapping[PrincipalType, tuple[Collection[str], tuple[str, ...]]] = {
        PrincipalType.USER: (snapshot.user_by_id, ("people",)),
        PrincipalType.GROUP: (snapshot.group_by_id, ("groups",)),
        PrincipalType.API_KEY: (snapshot.api_key_by_id, ("environments", "keys")),
    }
    return {
        CEDAR_TYPES[kind]: (kind.label, ids)
        for kind, (ids, reads) in lists.items()
        if not evidence.unread(*reads)
    }


def _strangers(policy: CustomPolicy, known: Mapping[str, tuple[str, Collection[str]]]) -> tuple[str, ...]:
    heads = (statement.principal for statement in _statements(policy))
    return tuple(dict.fromkeys(filter(None, map(partial(_stranger, known), heads))))


def _stranger(known: Mapping[str, tuple[str, Collection[str]]], head: PrincipalConstraint) -> str:
    if head.op not in ("==", "in") or head.type not in known:
        return ""
    label, ids = known[head.type]
    return "" if head.id in ids else f"{label} {head.id}"


def _facts(evidence: Evidence) -> Iterator[tuple[str, str]]:
    policies = evidence.snapshot.custom_policies
    yield "Custom policies", f"{len(policies):,}"
    yield "In force", f"{sum(policy.enabled for policy in policies):,}"
    yield "Statements", f"{sum(len(_statements(policy)) for policy in policies):,}"
