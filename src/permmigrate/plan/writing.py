"""A plan as the lines of its file: every member in one order, one line for each thing to look for."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any, Final

from permmigrate.model import (
    PrincipalRef,
    RoleAssignment,
)
from permmigrate.plan.operation import Body, Definition, Operation, PolicyBody, RoleBody
from permmigrate.plan.value import SCHEMA_VERSION, ByHand, Expansion, LeftOut, Plan

FORMAT: Final = "permmigrate plan"
LIMITS: Final = ("expansions", "grants", "master_admins", "promotions", "removals")

compact: Final[Callable[[Any], str]] = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode
"""JSON without spaces, sorted, in ASCII."""


def lines(plan: Plan) -> Iterator[str]:
    """The members after the digest, alphabetically, the long ones with a line for each entry."""
    yield from _rows("admins_before", map(str, plan.admins_before))
    yield from _rows("by_hand", (_by_hand(each) for each in plan.by_hand))
    yield from _rows("expansions", (_expansion(each) for each in plan.expansions))
    yield from _rows("guards", ([g.name, g.limit, g.measured, g.holds, g.sentence] for g in plan.guards))
    yield from _rows("held", (_held(who, held) for who, held in plan.held.items()))
    yield from _rows("labels", (list(pair) for pair in plan.labels.items()))
    yield from _rows("left_out", (_left_out(each) for each in plan.left_out))
    yield from _rows("operations", _groups(plan.operations))
    head = {
        "admin_roles": list(plan.admin_roles),
        "account_id": plan.account_id,
        "acting_key": str(plan.acting_key) if plan.acting_key else None,
        "api_url": plan.api_url,
        "captured_at": plan.captured_at,
        "created": plan.created,
        "digests": {
            "assigned": plan.digests.assigned,
            "catalog": plan.digests.catalog,
            "mapping": plan.digests.mapping,
            "signoff": plan.digests.signoff,
            "snapshot": plan.digests.snapshot,
        },
        "environments": plan.environments,
        "expected": {
            "calls_an_hour": plan.expected.calls_an_hour,
            "reads": plan.expected.reads,
            "writes": plan.expected.writes,
        },
        "expires": plan.expires,
        "format": FORMAT,
        "limits": {name: getattr(plan.limits, name) for name in LIMITS},
        "protected": list(map(str, plan.protected)),
        "purpose": plan.purpose,
        "required_admins": list(map(str, plan.required_admins)),
        "schema": SCHEMA_VERSION,
        "tool_version": plan.tool_version,
        "undoes": plan.undoes,
    }
    yield ",\n".join(f"{compact(name)}:{compact(value)}" for name, value in sorted(head.items()))
    yield "\n"


def _rows(name: str, rows: Iterable[Any]) -> Iterator[str]:
    yield f'"{name}":['
    comma = "\n"
    for row in rows:
        yield comma + compact(row)
        comma = ",\n"
    yield "],\n"


def _groups(operations: Iterable[Operation]) -> Iterator[dict[str, Any]]:
    """Operations that differ in their principal and content only share a line."""
    for key, group in groupby(operations, key=_group_key):
        if isinstance(key, Operation):
            yield _definition(key)
            continue
        kind, wave, cause, role_id, scope_id, content = key
        yield {
            "cause": cause,
            "content": content,
            "kind": kind,
            "role": role_id,
            "scope": scope_id,
            "to": list(_to([operation.assignment for operation in group])),
            "wave": wave,
        }


def _group_key(operation: Operation) -> Any:
    subject = operation.subject
    if isinstance(subject, Definition):
        return operation
    row = (subject.role_id, subject.scope_id, _content(subject))
    return (operation.kind, operation.wave, operation.cause, *row)


def _to(assignments: Iterable[RoleAssignment]) -> Iterator[list[str]]:
    """Each principal, and its folders or collections after it if there are any."""
    for (who, bound), rows in groupby(
        assignments, key=lambda row: (row.principal, _content(row) is not None)
    ):
        named = [who.type.value, who.id]
        if bound:
            yield [*named, *(row.folder_id or row.collection_id or "" for row in rows)]
        else:
            yield from (named for _ in rows)


def _content(assignment: RoleAssignment) -> str | None:
    return "folder" if assignment.folder_id else "collection" if assignment.collection_id else None


def _definition(operation: Operation) -> dict[str, Any]:
    definition = operation.definition
    return {
        "after": _body(definition.after),
        "before": _body(definition.before),
        "cause": operation.cause,
        "id": definition.id,
        "kind": operation.kind,
        "wave": operation.wave,
    }


def _body(body: Body | None) -> dict[str, Any] | None:
    match body:
        case None:
            return None
        case RoleBody():
            return {
                "description": body.description,
                "name": body.name,
                "permission_type": body.permission_type,
                "policy_ids": list(body.policy_ids),
                "scope_type": body.scope_type,
            }
        case PolicyBody():
            return {
                "description": body.description,
                "enabled": body.enabled,
                "name": body.name,
                "scope_id": body.scope_id,
                "scope_type": body.scope_type,
                "statement": body.statement,
            }


def _held(who: PrincipalRef, held: tuple[RoleAssignment, ...]) -> list[Any]:
    """A principal and its roles; one held on several folders or collections has them after it."""
    rows: list[list[str | None]] = []
    for key, group in groupby(held, key=lambda row: (row.role_id, row.scope_id, _content(row))):
        if key[2] is None:
            rows += ([*key] for _ in group)
        else:
            rows.append([*key, *(row.folder_id or row.collection_id for row in group)])
    return [who.type.value, who.id, rows]


def _by_hand(each: ByHand) -> list[Any]:
    return [each.reason, next(_groups([each.operation]))]


def _expansion(each: Expansion) -> list[Any]:
    return [str(each.principal), each.cause, each.standing, each.findings]


def _left_out(each: LeftOut) -> list[Any]:
    return [str(each.principal) if each.principal else None, each.what, each.cause, each.reason]
