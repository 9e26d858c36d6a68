"""A plan in words: `+` gives, `-` takes away, `~` changes, `!` a guard that does not hold, and the totals."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby, islice
from typing import Any, Final

from permmigrate.model import ALL_ENVIRONMENTS, PrincipalRef, RoleAssignment
from permmigrate.plan.operation import Definition, Kind, Operation
from permmigrate.plan.value import Plan, Wave

PRINCIPALS_SHOWN: Final = 8
OPERATIONS_SHOWN: Final = 6
OTHERS_SHOWN: Final = 10
_SIGNS: Final = {
    Kind.CREATE_ROLE: "~",
    Kind.CREATE_POLICY: "~",
    Kind.UPDATE_POLICY: "~",
    Kind.ASSIGN: "+",
    Kind.ASSIGN_FOLDER: "+",
    Kind.REMOVE: "-",
    Kind.REMOVE_FOLDER: "-",
    Kind.DELETE_POLICY: "~",
    Kind.DELETE_ROLE: "~",
}


def totals(operations: Iterable[Operation]) -> dict[str, int]:
    """How many operations grant, revoke and change."""
    counted = {"grant": 0, "revoke": 0, "change": 0}
    names = {"+": "grant", "-": "revoke", "~": "change"}
    for operation in operations:
        counted[names[_SIGNS[operation.kind]]] += 1
    return counted


def lines(plan: Plan, *, everything: bool = False) -> Iterator[str]:
    """The whole plan; long lists are folded unless everything is asked for."""
    yield f"Plan {plan.digest}"
    yield f"  {plan.purpose} of account {plan.account_id}" + (
        f", taking back plan {plan.undoes}" if plan.undoes else ""
    )
    yield f"  made {plan.created} from what was read {plan.captured_at}, expires {plan.expires}"
    for wave in plan.waves:
        yield ""
        yield from _wave(wave, plan, everything=everything)
    yield from _section(
        "By hand (`permmigrate plan checklist` lists it):",
        (f"{_SIGNS[e.operation.kind]} {sentence(e.operation, plan)}: {e.reason}" for e in plan.by_hand),
        everything=everything,
    )
    yield from _section(
        "Left out:",
        (
            f"{one.what}{f' of {name(one.principal, plan)}' if one.principal else ''}"
            f"{f' ({one.cause})' if one.cause else ''}: {one.reason}"
            for one in plan.left_out
        ),
        everything=everything,
    )
    yield ""
    yield "Guards:"
    for guard in plan.guards:
        yield f"  {'ok' if guard.holds else '! '} {guard.name}: {guard.sentence}"
    yield ""
    yield summary(plan)


def summary(plan: Plan) -> str:
    """`12 to grant, 3 to revoke, 1 to change, in 2 waves; 40 writing calls of about 64, 2 minutes at ...`."""
    counted = ", ".join(f"{number:,} to {verb}" for verb, number in totals(plan.operations).items())
    waves = sum(1 for _ in plan.waves)
    expected = plan.expected
    return (
        f"{counted}, in {waves:,} wave{'' if waves == 1 else 's'}; {expected.writes:,} writing calls "
        f"of about {expected.writes + expected.reads:,}, {duration(expected.seconds)} "
        f"at {expected.calls_an_hour:,} calls an hour"
    )


def duration(seconds: int) -> str:
    """`under a minute`, `12 minutes`, `3 h 20 min`."""
    minutes = -(-seconds // 60)
    if minutes <= 1:
        return "under a minute"
    return f"{minutes} minutes" if minutes < 120 else f"{minutes // 60} h {minutes % 60:02d} min"


def _wave(wave: Wave, plan: Plan, *, everything: bool) -> Iterator[str]:
    canary = ", the canary" if wave.is_canary and plan.purpose != "undo" else ""
    yield f"Wave {wave.number}{canary}: {len(wave.operations):,} operations"
    ordered = sorted(wave.operations, key=lambda each: str(each.principal or ""))
    groups = [(who, list(each)) for who, each in groupby(ordered, key=lambda each: each.principal)]
    shown = len(groups) if everything else PRINCIPALS_SHOWN
    for who, operations in groups[:shown]:
        if who is not None:
            yield f"  {name(who, plan)}"
        most = len(operations) if everything or who is None else OPERATIONS_SHOWN
        for operation in operations[:most]:
            yield f"    {_SIGNS[operation.kind]} {what(operation, plan)}   [{operation.cause}]"
        if len(operations) > most:
            yield f"      and {len(operations) - most:,} more (--all)"
    if len(groups) > shown:
        rest = sum(len(each) for _, each in groups[shown:])
        yield f"  and {rest:,} operations of {len(groups) - shown:,} more (--all)"


def _section(title: str, entries: Iterable[str], *, everything: bool) -> Iterator[str]:
    waiting = iter(entries)
    shown = list(waiting) if everything else list(islice(waiting, OTHERS_SHOWN))
    if shown:
        yield ""
        yield title
        yield from (f"  {entry}" for entry in shown)
        rest = sum(1 for _ in waiting)
        if rest:
            yield f"  and {rest:,} more (--all)"


def name(who: PrincipalRef, plan: Plan) -> str:
    """`user Ada Lovelace (u-17)`."""
    label = plan.label(who.type.value, who.id)
    return f"{who.type.label} {label}" + (f" ({who.id})" if label != who.id else "")


def what(operation: Operation, plan: Plan) -> str:
    """`Editor (folder) on Brands/Aurora in Production`, or the definition that is made or changed."""
    subject = operation.subject
    if isinstance(subject, Definition):
        body = subject.after or subject.before
        return f"{operation.kind} {body.name if body else subject.id} ({subject.id})"
    return f"{plan.label('role', subject.role_id)}{where(subject, plan)}"


def where(assignment: RoleAssignment, plan: Plan) -> str:
    """` on Brands/Aurora in Production`; empty for the account."""
    found = ""
    if assignment.folder_id:
        found += f" on {plan.label('folder', assignment.folder_id)}"
    if assignment.collection_id:
        found += f" on collection {plan.label('collection', assignment.collection_id)}"
    if assignment.scope_id == ALL_ENVIRONMENTS:
        return f"{found} in all environments, tomorrow's too"
    return found + (f" in {plan.label('environment', assignment.scope_id)}" if assignment.scope_id else "")


def sentence(operation: Operation, plan: Plan) -> str:
    """The whole operation: what, where and to whom."""
    who = operation.principal
    if who is None:
        return what(operation, plan)
    verb, to = ("give", "to") if operation.kind.grants else ("take", "from")
    return f"{verb} {what(operation, plan)} {to} {name(who, plan)}"


def document(plan: Plan, *, everything: bool = False) -> dict[str, Any]:
    """The same for programs; the operations themselves when everything is asked for."""
    shown: dict[str, Any] = {
        "digest": plan.digest,
        "account_id": plan.account_id,
        "purpose": plan.purpose,
        "undoes": plan.undoes,
        "created": plan.created,
        "expires": plan.expires,
        "totals": totals(plan.operations),
        "expected": {
            "writing_calls": plan.expected.writes,
            "reading_calls": plan.expected.reads,
            "seconds": plan.expected.seconds,
            "calls_an_hour": plan.expected.calls_an_hour,
        },
        "waves": [
            {
                "number": wave.number,
                "canary": wave.is_canary,
                "operations": len(wave.operations),
                "principals": len({each.principal for each in wave.operations} - {None}),
            }
            for wave in plan.waves
        ],
        "guards": [
            {
                "name": guard.name,
                "limit": guard.limit,
                "measured": guard.measured,
                "holds": guard.holds,
                "sentence": guard.sentence,
            }
            for guard in plan.guards
        ],
        "by_hand": len(plan.by_hand),
        "left_out": [
            {
                "principal": str(one.principal) if one.principal else None,
                "what": one.what,
                "cause": one.cause,
                "reason": one.reason,
            }
            for one in plan.left_out
        ],
    }
    if everything:
        shown["operations"] = [
            {
                "id": each.id,
                "kind": each.kind,
                "wave": each.wave,
                "cause": each.cause,
                "principal": str(each.principal) if each.principal else None,
                "text": sentence(each, plan),
            }
            for each in plan.operations
        ]
    return shown
