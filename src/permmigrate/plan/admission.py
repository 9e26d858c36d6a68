"""Whether a plan may be applied here and now: by its digest, on its account, in time, to the world it knew.

It compares values; reading the account and asking the person are `apply`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from permmigrate.model import PrincipalRef, RoleAssignment, RoleId
from permmigrate.plan.definitions import catalog_digest, found, same
from permmigrate.plan.operation import NEW_ROLE, Definition
from permmigrate.plan.value import GuardResult, Plan
from permmigrate.plan.world import World


def admit(
    plan: Plan, world: World, *, digest: str | None, now: str, acting_key: PrincipalRef
) -> tuple[GuardResult, ...]:
    """Judge the plan against the digest that was given, the moment (UTC, as in the plan) and the account.

    What the plan itself did before it was interrupted is not stale; anything else that changed is.
    """
    return (
        _digest(plan, digest),
        _same("account", plan.account_id, world.account_id, "the plan is for account"),
        _writer(plan, acting_key),
        GuardResult(
            "expiry",
            f"until {plan.expires}",
            now,
            plan.created <= now <= plan.expires,
            f"the plan holds from {plan.created} until {plan.expires}, and it is {now}",
        ),
        _catalog(plan, world),
        _fresh(plan, world),
    )


def _digest(plan: Plan, digest: str | None) -> GuardResult:
    if not digest:
        words = "no digest was given: it says which plan was reviewed"
        return GuardResult("digest", plan.digest, "missing", False, words)
    return _same("digest", plan.digest, digest.lower(), "the plan's digest is")


def _same(name: str, limit: str, measured: str, words: str) -> GuardResult:
    holds = limit == measured
    return GuardResult(
        name, limit, measured, holds, f"{words} {limit}" + ("" if holds else f", and not {measured}")
    )


def _writer(plan: Plan, acting_key: PrincipalRef) -> GuardResult:
    named = plan.acting_key or acting_key
    return _same("writing key", str(named), str(acting_key), "the plan is to be applied with")


def _catalog(plan: Plan, world: World) -> GuardResult:
    """Compare the catalogs; roles that the plan itself makes or deletes do not count."""
    measured = catalog_digest(world, plan.operations)
    return _same("catalog", plan.digests.catalog, measured, "the plan was made from the catalog")


def _fresh(plan: Plan, world: World) -> GuardResult:
    """Compare what everybody holds with what was read, less what the plan itself gives and takes."""
    changed = stale(plan, world)
    words = (
        f"nobody of {len(plan.held):,} was changed since {plan.captured_at}"
        if not changed
        else f"{len(changed):,} of {len(plan.held):,} were changed since {plan.captured_at}: "
        + ", ".join(changed[:3])
        + (f" and {len(changed) - 3:,} more" if len(changed) > 3 else "")
    )
    return GuardResult("unchanged since", "0 changed", f"{len(changed):,} changed", not changed, words)


def stale(plan: Plan, world: World) -> tuple[str, ...]:
    """The principals, roles and policies that are neither as the plan found them nor as it leaves them."""
    given: dict[PrincipalRef, set[RoleAssignment]] = {}
    definitions: list[Definition] = []
    ids = {
        subject.id: found(subject, world)[0]
        for subject in (each.subject for each in plan.operations)
        if isinstance(subject, Definition) and subject.id.startswith(NEW_ROLE)
    }
    for operation in plan.operations:
        subject = operation.subject
        if isinstance(subject, Definition):
            definitions.append(subject)
        else:
            given.setdefault(subject.principal, set()).add(_on_the_wire(subject, ids))
    nothing: frozenset[RoleAssignment] = frozenset()
    people = (
        str(who)
        for who, held in plan.held.items()
        if (world.held.get(who, nothing) ^ {_on_the_wire(each, ids) for each in held}) - given.get(who, set())
    )
    return (*people, *(each.id for each in definitions if not _stands(each, world)))


def _on_the_wire(assignment: RoleAssignment, ids: Mapping[str, str]) -> RoleAssignment:
    """The assignment with the id of a role that the plan knows by name only."""
    given = ids.get(assignment.role_id)
    return replace(assignment, role_id=RoleId(given)) if given else assignment


def _stands(definition: Definition, world: World) -> bool:
    live = found(definition, world)[1]
    return any(same(live, body) for body in (definition.before, definition.after))
