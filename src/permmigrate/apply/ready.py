"""Whether a plan may be applied now: everything is asked before the first write, and answered together.

The guards are the plan's; this puts them to the account as it was just read.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from permmigrate.apply.past import Past
from permmigrate.apply.run import Asked
from permmigrate.catalog import refusal, scope_refusal
from permmigrate.errors import RefusedError
from permmigrate.model import PrincipalRef
from permmigrate.plan import GuardResult, Operation, Plan
from permmigrate.plan.admission import admit
from permmigrate.plan.guards import check
from permmigrate.plan.world import World

FRESH: Final = "unchanged since"
"""The guard that a run may pass by leaving out whom others changed."""
AT_THE_END: Final = ("master admins", "required admins")
"""The guards that ask how many there are when all is done; they measure a plain number."""


def examine(
    plan: Plan,
    world: World,
    *,
    digest: str | None,
    now: str,
    acting_key: PrincipalRef,
    asked: Asked,
    past: Past | None = None,
) -> tuple[GuardResult, ...]:
    """Every guard with its numbers, for what is still to be done. `past` is what earlier runs did."""
    changed = {identity for identity, done in past.done.items() if done.changed} if past else set()
    left = [each for identity, each in zip(plan.ids, plan.operations, strict=True) if identity not in changed]
    asked_for = set(map(id, asked.part(plan)))
    part = [each for each in left if id(each) in asked_for]
    results = list(admit(plan, world, digest=digest, now=now, acting_key=acting_key))
    if asked.keep_going or past:
        results = [result for result in results if result.name != FRESH]
    results += check(plan, world, acting_key=acting_key, operations=left)
    if len(part) < len(left):
        now_ = check(plan, world, acting_key=acting_key, operations=())
        partly = check(plan, world, acting_key=acting_key, operations=part)
        results += [each for each in partly if not each.holds and not _no_worse(each, now_)]
    results.append(_fitting(part, world))
    if asked.wave is not None:
        results.append(_earlier(plan, world, asked.wave))
    if asked.only:
        results.append(_named(plan, asked))
    return tuple(results)


def _no_worse(result: GuardResult, before: Iterable[GuardResult]) -> bool:
    """Whether a part of a plan leaves at least as many administrators as there are: the rest makes more."""
    return any(
        each.name == result.name
        and each.name in AT_THE_END
        and not each.holds
        and int(result.measured) >= int(each.measured)
        for each in before
    )


def _fitting(operations: Iterable[Operation], world: World) -> GuardResult:
    """The vendor accepts what does not fit, and it has no effect: none of it is sent."""
    misfits = []
    for operation in operations:
        if not operation.kind.grants or operation.needs_role:
            continue
        row = operation.assignment
        role = world.catalog.roles.get(row.role_id)
        if role is None:
            misfits.append(f"role `{row.role_id}` is not in the account's catalog")
        elif why := refusal(role, row.principal.type) or scope_refusal(
            role, row.scope_id, row.folder_id, row.collection_id
        ):
            misfits.append(f"`{row.role_id}` for {row.principal}: {why}")
    words = f"{len(misfits):,} grants would have no effect"
    if misfits:
        words += f": {sorted(misfits)[0]}"
    return GuardResult("roles that fit", "0 without effect", f"{len(misfits):,}", not misfits, words)


def _earlier(plan: Plan, world: World, wave: int) -> GuardResult:
    missing = sum(
        (row in world.held.get(row.principal, frozenset())) != operation.kind.grants
        for operation in plan.operations
        if operation.wave < wave and operation.principal is not None and not operation.needs_role
        for row in (operation.assignment,)
    )
    words = f"{missing:,} operations of the waves before wave {wave} are not done"
    return GuardResult("earlier waves", "0 left", f"{missing:,} left", not missing, words)


def _named(plan: Plan, asked: Asked) -> GuardResult:
    named = sorted(who for who in asked.only if who not in plan.held)
    words = "the plan does nothing for " + ", ".join(map(str, named)) if named else "all are in the plan"
    return GuardResult("principals asked for", "in the plan", f"{len(named):,} are not", not named, words)


def refuse(results: Iterable[GuardResult]) -> None:
    """Raise the GuardError of the guards that do not hold, if there are any."""
    from permmigrate.plan import guards

    guards.refuse(results)


def find_principal(plan: Plan, text: str) -> PrincipalRef:
    """The principal of the plan that a person means: `user:ID`, an id, or what people call it.

    Raises RefusedError when it is none, or more than one.
    """
    found = [
        who
        for who in plan.held
        if text in (str(who), who.id) or text.casefold() == plan.label(who.type.value, who.id).casefold()
    ]
    if len(found) != 1:
        count = "nothing" if not found else f"{len(found)} principals"
        raise RefusedError(
            f"`{text}` names {count} in the plan", hint="name it as `user:ID`, as `plan show` does"
        )
    return found[0]
