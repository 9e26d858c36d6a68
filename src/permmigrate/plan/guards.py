"""Hold a plan to its limits, at its end and at every moment between; say each guard with its numbers.

It judges and does nothing: a plan whose guards do not hold can be shown, and is never applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from permmigrate.errors import GuardError
from permmigrate.model import PrincipalRef, PrincipalType, RoleAssignment, RoleId, UserId
from permmigrate.plan.moments import ActingKey, BreakGlass, MasterAdmins, Promotions, RequiredAdmins
from permmigrate.plan.operation import Definition, Kind, Operation, RoleBody
from permmigrate.plan.value import GuardResult, Plan, Standing
from permmigrate.plan.walk import Walk
from permmigrate.plan.world import World

REJECTED_STAY: Final = (
    "; others that the same grants make were approved, so that only another mapping can tell"
)


def check(
    plan: Plan,
    world: World,
    *,
    acting_key: PrincipalRef | None = None,
    operations: Sequence[Operation] | None = None,
) -> tuple[GuardResult, ...]:
    """Judge what the operations (the plan's, or some of them) would make of the account as it is.

    `acting_key` is the key that would write, where the plan does not say it.
    """
    some = plan.operations if operations is None else tuple(operations)
    return (*_moments(plan, world, acting_key or plan.acting_key, some), *_totals(plan, some))


def refuse(results: Iterable[GuardResult]) -> None:
    """Raise GuardError when a guard does not hold, with the sentence of each that does not."""
    failures = tuple(result.sentence for result in results if not result.holds)
    if failures:
        count = "a guard does not hold" if len(failures) == 1 else f"{len(failures)} guards do not hold"
        raise GuardError(
            count, hint="make a plan that keeps to its limits, or say other limits", failures=failures
        )


def _moments(
    plan: Plan, world: World, acting_key: PrincipalRef | None, operations: Sequence[Operation]
) -> tuple[GuardResult, ...]:
    walk = Walk(world, plan.admin_roles, created_by(plan.operations))
    guards = (
        MasterAdmins(plan.limits.master_admins),
        RequiredAdmins(plan.required_admins),
        ActingKey(acting_key, _returned(plan, acting_key)),
        BreakGlass(plan.protected),
        Promotions(plan.limits.promotions, plan.admins_before),
    )
    watched = frozenset(
        {*((acting_key,) if acting_key else ()), *plan.protected, *_groups_of(plan.protected, world)}
    )
    for guard in guards:
        guard.look(walk, None, 0)
    for number, operation in enumerate(operations, 1):
        if walk.concerns(operation, watched):
            walk.do(operation)
            for guard in guards:
                guard.look(walk, operation, number)
    return tuple(guard.result(walk) for guard in guards)


def _returned(plan: Plan, key: PrincipalRef | None) -> frozenset[RoleAssignment]:
    """What an undo plan takes from the key that executes it."""
    if plan.undoes is None:
        return frozenset()
    taken = (each for each in plan.operations if each.kind.revokes and each.principal == key)
    return frozenset(each.assignment for each in taken)


def created_by(operations: Iterable[Operation]) -> dict[RoleId, RoleBody]:
    """The roles that operations create, by what stands for their ids."""
    return {
        RoleId(subject.id): subject.after
        for subject in (each.subject for each in operations if each.kind is Kind.CREATE_ROLE)
        if isinstance(subject, Definition) and isinstance(subject.after, RoleBody)
    }


def _groups_of(principals: Iterable[PrincipalRef], world: World) -> list[PrincipalRef]:
    users = (who.id for who in principals if who.type is PrincipalType.USER)
    return [
        PrincipalRef(PrincipalType.GROUP, group)
        for user in users
        for group in sorted(world.groups_of.get(UserId(user), ()))
    ]


def _totals(plan: Plan, operations: Sequence[Operation]) -> tuple[GuardResult, ...]:
    grants = sum(each.kind.grants for each in operations)
    takes = (Kind.DELETE_POLICY, Kind.DELETE_ROLE)
    removals = sum(each.kind.revokes or each.kind in takes for each in operations)
    made = {(each.principal, each.cause) for each in operations if each.kind.grants}
    standing = dict.fromkeys(Standing, 0)
    for expansion in plan.expansions:
        if (expansion.principal, expansion.cause) in made:
            standing[expansion.standing] += expansion.findings
    limits = plan.limits
    return (
        _most("removals", removals, limits.removals, "takes {} away where {}"),
        _most("grants", grants, limits.grants, "gives {} where {}"),
        _most(
            "unsigned expansions",
            standing[Standing.UNSIGNED],
            limits.expansions,
            "makes {} expansions that nobody signed where {}",
        ),
        _most(
            "rejected expansions",
            standing[Standing.REJECTED],
            0,
            "makes {} expansions that were rejected where {}"
            + (REJECTED_STAY if standing[Standing.REJECTED] else ""),
        ),
    )


def _most(name: str, measured: int, limit: int | None, words: str) -> GuardResult:
    """A limit on a number of things that operations do; something done and undone counts as well."""
    allowed = (
        "any number may be" if limit is None else "none may be" if not limit else f"at most {limit:,} may be"
    )
    return GuardResult(
        name,
        "no limit" if limit is None else f"at most {limit:,}",
        f"{measured:,}",
        limit is None or measured <= limit,
        f"the plan {words.format(f'{measured:,}', allowed)}",
    )
