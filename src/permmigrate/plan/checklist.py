"""What somebody does in the Console, where no API can: a list to tick off by hand, and the same as a sheet.

Each line carries the operation's id, so that what was done can be checked again against the account.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator
from typing import Final

from permmigrate.plan.operation import Definition, Kind, Operation, PolicyBody, RoleBody
from permmigrate.plan.value import Plan
from permmigrate.plan.words import name, where
from permmigrate.snapshot.tables_out import guarded

COLUMNS: Final = (
    "done",
    "by",
    "step",
    "action",
    "principal_type",
    "principal",
    "principal_id",
    "role",
    "role_id",
    "where",
    "because",
    "why by hand",
    "operation",
)
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>#|~])")


def steps(plan: Plan, *, everything: bool = False) -> tuple[tuple[Operation, str], ...]:
    """What is to be done by hand, with the reason; with everything, also what an API could do."""
    by_hand = tuple((each.operation, each.reason) for each in plan.by_hand)
    return by_hand + (tuple((each, "") for each in plan.operations) if everything else ())


def markdown(plan: Plan, *, everything: bool = False) -> str:
    """The list as Markdown: one box a step, grouped by principal."""
    found = sorted(steps(plan, everything=everything), key=lambda each: _order(each[0]))
    return "\n".join((*_head(plan, len(found)), *_boxes(found, plan))) + "\n"


def _order(operation: Operation) -> tuple[int, str, int, str]:
    who = operation.principal
    return (0 if who is None else 1, str(who or ""), operation.kind.phase, operation.id)


def _head(plan: Plan, count: int) -> Iterator[str]:
    yield f"# Console checklist for account {_plain(plan.account_id)}"
    yield ""
    yield f"Plan `{plan.digest}`, made {plan.created} from what was read {plan.captured_at}."
    yield f"{count:,} steps. Tick a box when it is done; give before you take away."
    yield "Console: Settings > Role Management, or the Share dialog of a folder or collection."
    yield ""


def _boxes(found: Iterable[tuple[Operation, str]], plan: Plan) -> Iterator[str]:
    last: object = ""
    for operation, reason in found:
        if operation.principal != last:
            if last != "":
                yield ""
            last = operation.principal
            title = name(operation.principal, plan) if operation.principal else "Roles and policies"
            yield f"## {_plain(title)}"
            yield ""
        because = f" (by {_plain(operation.cause)}{f'; {_plain(reason)}' if reason else ''})"
        yield f"- [ ] {_plain(_action(operation, plan))}{because} `{operation.id}`"
    yield ""


def _action(operation: Operation, plan: Plan) -> str:
    subject = operation.subject
    if isinstance(subject, Definition):
        match subject.after:
            case RoleBody() as body:
                made_of = ", ".join(body.policy_ids)
                return f"make the custom {body.scope_type.value} role {body.name} of {made_of}"
            case PolicyBody() as body:
                verb = "write" if operation.kind is Kind.CREATE_POLICY else "change"
                return f"{verb} the custom policy {body.name}: {body.statement}"
            case None:
                return f"{operation.kind} {subject.id}"
    verb = "give" if operation.kind.grants else "take away"
    return f"{verb} {plan.label('role', subject.role_id)}{where(subject, plan)}"


def _plain(text: str) -> str:
    """Text that Markdown shows as it is, on one line."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def rows(plan: Plan, *, everything: bool = False) -> Iterator[tuple[str, ...]]:
    """The list as rows of `COLUMNS`, the first two of them to be filled in."""
    found = sorted(steps(plan, everything=everything), key=lambda each: _order(each[0]))
    for number, (operation, reason) in enumerate(found, 1):
        who, subject = operation.principal, operation.subject
        assignment = None if isinstance(subject, Definition) else subject
        yield (
            "",
            "",
            str(number),
            _action(operation, plan),
            who.type.label if who else "",
            plan.label(who.type.value, who.id) if who else "",
            who.id if who else "",
            plan.label("role", assignment.role_id) if assignment else "",
            assignment.role_id if assignment else "",
            where(assignment, plan).strip() if assignment else "",
            operation.cause,
            reason,
            operation.id,
        )


def sheet(plan: Plan, *, everything: bool = False) -> str:
    """The list as CSV; cells that a spreadsheet would take for a formula are guarded."""
    out = io.StringIO()
    written = csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    written.writerow(COLUMNS)
    written.writerows([guarded(each) for each in row] for row in rows(plan, everything=everything))
    return out.getvalue()
