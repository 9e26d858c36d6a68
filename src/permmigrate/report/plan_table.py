"""The plan beside a comparison, as rows: what would be done, by whom, and what holds it back.

When it was made and its digest are left out: they change from day to day, and `plan.json` has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from permmigrate.report.table import Cell, Column, Kind, Table
from permmigrate.report.value import PlanView

if TYPE_CHECKING:
    from permmigrate.plan import Plan
    from permmigrate.plan.operation import Operation

_COLUMNS = (
    Column("how", "How", Kind.STATE, 12),
    Column("wave", "Wave", Kind.NUMBER, 8),
    Column("step", "Step", Kind.STATE, 18),
    Column("principal_kind", "Kind", Kind.STATE, 12),
    Column("principal", "Principal", Kind.TEXT, 28),
    Column("what", "What", Kind.TEXT, 48),
    Column("cause", "Because of", Kind.ID, 26),
    Column("reason", "Why not by the plan", Kind.TEXT, 50),
    Column("principal_id", "Principal id", Kind.ID, 34),
)
_GUARD_COLUMNS = (
    Column("state", "State", Kind.STATE, 12),
    Column("guard", "Guard", Kind.TEXT, 28),
    Column("measured", "Measured", Kind.TEXT, 24),
    Column("limit", "Limit", Kind.TEXT, 24),
    Column("sentence", "In words", Kind.TEXT, 80),
)


def tables(plan: Plan | None) -> tuple[Table, Table]:
    """The steps in their order, and the guards; both empty when there is no plan."""
    steps = tuple(_steps(plan)) if plan else ()
    guards = tuple(
        ("holds" if guard.holds else "fails", guard.name, guard.measured, guard.limit, guard.sentence)
        for guard in (plan.guards if plan else ())
    )
    about = "One step of the plan, a step to do by hand, or something left out on purpose."
    return (
        Table("plan", "Plan", about, _COLUMNS, steps),
        Table(
            "guards", "Guards", "A limit the plan is held to, and what was measured.", _GUARD_COLUMNS, guards
        ),
    )


def overview(plan: Plan | None, refused: str) -> PlanView | None:
    """The plan in one breath; `refused` says why there is none. None when nothing was to be planned."""
    from permmigrate.plan.words import summary

    if plan is None:
        return PlanView(f"There is no plan: {refused}.", 0, 0, 0, holds=False) if refused else None
    return PlanView(
        sentence=f"{summary(plan)}.",
        operations=len(plan.operations),
        by_hand=len(plan.by_hand),
        left_out=len(plan.left_out),
        holds=all(guard.holds for guard in plan.guards),
    )


def _steps(plan: Plan) -> Iterator[tuple[Cell, ...]]:
    for operation in plan.operations:
        yield _step("planned", operation, plan, "")
    for step in plan.by_hand:
        yield _step("by hand", step.operation, plan, step.reason)
    for one in plan.left_out:
        who = one.principal
        named = (who.type.label, plan.label(who.type.value, who.id), who.id) if who else ("", "", "")
        yield ("left out", 0, "", named[0], named[1], one.what, one.cause, one.reason, named[2])


def _step(how: str, operation: Operation, plan: Plan, reason: str) -> tuple[Cell, ...]:
    from permmigrate.plan.words import what

    who = operation.principal
    return (
        how,
        operation.wave,
        operation.kind.value,
        who.type.label if who else "",
        plan.label(who.type.value, who.id) if who else "",
        what(operation, plan),
        operation.cause,
        reason,
        who.id if who else "",
    )
