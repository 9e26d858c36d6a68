"""What a run leaves: the operations that were not done, as a table for people and as a plan to try again.

Principals and definitions that others changed are in the table only: for them a plan has to be made anew.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

from permmigrate.apply.belief import Belief
from permmigrate.apply.outcome import Outcome, Result, Status
from permmigrate.model import RoleAssignment
from permmigrate.plan import Operation, Plan
from permmigrate.plan.batches import expected_of

COLUMNS: Final = (
    "operation",
    "what",
    "wave",
    "principal_type",
    "principal_id",
    "principal",
    "role",
    "scope",
    "content",
    "definition",
    "cause",
    "status",
    "reason",
)
_RETRIED: Final = (Status.FAILED, Status.UNSURE, Status.HELD_BACK, Status.NOT_REACHED)


def failed_csv(result: Result) -> str:
    """Every operation that was not done, one row each; empty when there is none."""
    rows = list(_rows(result))
    if not rows:
        return ""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(rows)
    return text.getvalue()


def _rows(result: Result) -> Iterator[list[str]]:
    plan = result.plan
    for identity, operation, outcome in result.left:
        told = [operation.cause, outcome.status.value, outcome.why]
        subject = operation.subject
        if not isinstance(subject, RoleAssignment):
            blanks = [""] * 6
            yield _safe([identity, operation.kind.value, str(operation.wave), *blanks, subject.id, *told])
            continue
        who = subject.principal
        content = subject.folder_id or subject.collection_id or ""
        yield _safe(
            [
                identity,
                operation.kind.value,
                str(operation.wave),
                who.type.value,
                who.id,
                plan.label(who.type.value, who.id),
                subject.role_id,
                subject.scope_id or "",
                content,
                "",
                *told,
            ]
        )


def _safe(cells: Sequence[str]) -> list[str]:
    """Cells that a spreadsheet does not take for formulas."""
    return [f"'{cell}" if cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell for cell in cells]


def retry_plan(
    plan: Plan, left: Sequence[tuple[Operation, Outcome]], belief: Belief, now: str
) -> Plan | None:
    """A plan of what can be tried again, from the account as it was left; None when there is nothing.

    It has another digest, so somebody looks at it, and its guards are asked again before it is applied.
    """
    again: list[Operation] = []
    for operation, outcome in left:
        if outcome.status in _RETRIED:
            item = belief.item(operation)
            again.append(operation if item.row is None else replace(operation, subject=item.row))
    if not again:
        return None
    named = sorted({operation.principal for operation in again if operation.principal is not None})
    return replace(
        plan,
        created=now,
        operations=tuple(sorted(again, key=Operation.sort_key)),
        held=belief.everything(named),
        guards=(),
        expected=expected_of(again, plan.expected.calls_an_hour),
        by_hand=(),
        left_out=(),
    )
