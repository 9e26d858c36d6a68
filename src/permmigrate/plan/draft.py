"""Draft a plan: from a snapshot, the mapping tables and the comparison of both to operations under guards.

It only computes. What it cannot plan it says; what it must not plan it refuses.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Final

from permmigrate.diff import Diff, Severity
from permmigrate.diff.capabilities import CapabilityIndex
from permmigrate.diff.people import Summaries
from permmigrate.entitlements.compiled import Compiler
from permmigrate.mapping.custom_roles import extended
from permmigrate.mapping.tables import MappingTables
from permmigrate.mapping.translate import translate
from permmigrate.model import (
    ContentKind,
    ContentRef,
    EnvironmentId,
    PrincipalRef,
    RoleAssignment,
    RoleId,
    ScopeType,
)
from permmigrate.plan.batches import expected_of
from permmigrate.plan.fitness import SHARES, Reach, reach_of, require_fit
from permmigrate.plan.guards import check
from permmigrate.plan.operation import Operation, PolicyBody
from permmigrate.plan.rejected import Rejections, expansions_of
from permmigrate.plan.signoff import Signoff
from permmigrate.plan.value import ByHand, Digests, Expected, Limits, Plan, moment
from permmigrate.plan.waves import PRINCIPALS_A_WAVE, in_waves
from permmigrate.plan.wishes import Wishes, content_key
from permmigrate.plan.world import World, held_by
from permmigrate.snapshot import Snapshot

CALLS_AN_HOUR: Final = 2_000


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What a plan is made under, beside its contents."""

    now: datetime
    tool_version: str
    today: date
    """The day overrides expire against."""
    expires_after: timedelta = timedelta(hours=24)
    signoff: Signoff | None = None
    acting_key: PrincipalRef | None = None
    required_admins: tuple[PrincipalRef, ...] = ()
    protected: tuple[PrincipalRef, ...] = ()
    limits: Limits = field(default_factory=Limits)
    remove_extra: bool = False
    """Take away what principals of the mapping hold beyond it: for cutting back after the move."""
    allow_incomplete: bool = False
    wave_size: int = PRINCIPALS_A_WAVE
    calls_an_hour: int = CALLS_AN_HOUR


def as_assigned(snapshot: Snapshot, assigned: Snapshot) -> Snapshot:
    """The legacy side of one snapshot with roles, policies and catalog of a later one: what to compare."""
    return replace(
        snapshot,
        catalog=assigned.catalog,
        custom_policies=assigned.custom_policies,
        assignments=assigned.assignments,
    )


def draft(
    snapshot: Snapshot,
    tables: MappingTables,
    diff: Diff,
    terms: Terms,
    *,
    assigned: Snapshot | None = None,
    policies: Sequence[PolicyBody] = (),
) -> Plan:
    """Plan what brings the account to what the mapping wants.

    `snapshot` has the legacy side; who holds what is read from it too, or from `assigned`, a later snapshot
    of the same account. `diff` compares `snapshot` (or `as_assigned` of both) with the tables. Principals
    named as protected are left alone. Raises RefusedError when these are not fit to plan from.
    """
    require_fit(snapshot, assigned, tables, diff, allow_incomplete=terms.allow_incomplete)
    now = assigned or snapshot
    base = as_assigned(snapshot, assigned) if assigned else snapshot
    translation = translate(base, tables, today=terms.today)
    reach = reach_of(now)
    world = World.of(now, knows_assignments=reach is Reach.PERMISSIONS)
    world = replace(world, catalog=extended(world.catalog, tables.custom_roles))
    signoff = terms.signoff or Signoff()
    rejections = Rejections.of(diff, signoff, base)
    shares_known = not any(entry.area == SHARES for entry in snapshot.gaps)
    wishes = Wishes(now, world, reach, rejections, frozenset(terms.protected), shares_known)
    wishes.grants(translation)
    if terms.remove_extra:
        wishes.removals(translation)
    wishes.policies(policies, "custom policies")
    operations = tuple(in_waves(wishes.changes, world, terms.wave_size))
    wishes.changes.clear()
    by_hand = tuple(
        ByHand(Operation(change.kind, 1, change.cause, change.subject), reason)
        for change, reason in wishes.by_hand
    )
    plan = Plan.of(
        account_id=now.account_id,
        purpose="cut back" if terms.remove_extra else "move",
        created=moment(terms.now),
        expires=moment(terms.now + terms.expires_after),
        tool_version=terms.tool_version,
        api_url=now.api_url,
        digests=_digests(snapshot, assigned, tables, terms.signoff),
        captured_at=now.captured_at,
        acting_key=terms.acting_key,
        required_admins=terms.required_admins,
        protected=terms.protected,
        admins_before=_admins_before(diff),
        admin_roles=admin_roles(world, tables),
        limits=terms.limits,
        expected=Expected(0, 0, terms.calls_an_hour),
        operations=operations,
        held=held_for(operations, now.assignments),
        expansions=expansions_of(diff, signoff, operations, rejections),
        by_hand=by_hand,
        left_out=wishes.left_out,
        environments=_cloud_names(operations, now),
        labels=labels_for((*operations, *(each.operation for each in by_hand)), now, world),
    )
    expected = expected_of(plan.operations, terms.calls_an_hour)
    return replace(plan, expected=expected, guards=check(plan, world))


def _admins_before(diff: Diff) -> Iterable[PrincipalRef]:
    if isinstance(diff.principals, Summaries):
        return diff.principals.administrators_before
    return (each.principal for each in diff.principals if each.admin_before)


def _digests(
    snapshot: Snapshot, assigned: Snapshot | None, tables: MappingTables, signoff: Signoff | None
) -> Digests:
    return Digests(
        snapshot=snapshot.digest,
        mapping=tables.digest,
        catalog=(assigned or snapshot).catalog.digest,
        signoff=signoff.digest if signoff else None,
        assigned=assigned.digest if assigned else None,
    )


def held_for(
    operations: Iterable[Operation], assignments: Iterable[RoleAssignment]
) -> dict[PrincipalRef, Iterable[RoleAssignment]]:
    """What everybody that operations name holds; nothing is an answer."""
    held = held_by(assignments)
    named = {operation.principal for operation in operations} - {None}
    return {who: held.get(who, ()) for who in named if who is not None}


def admin_roles(world: World, tables: MappingTables) -> frozenset[RoleId]:
    """The account roles that surely allow something critical to the account, by `severity.csv`."""
    compiler = Compiler(world.catalog, world.policies, tables)
    critical = CapabilityIndex(compiler.universes, tables).atoms_of(ScopeType.ACCOUNT, Severity.CRITICAL)
    return frozenset(
        role.id
        for role in world.catalog.roles.values()
        if role.scope_type is ScopeType.ACCOUNT
        and any(masks.permit & critical for _, masks, _ in compiler.role(role.id).parts())
    )


def _cloud_names(operations: Iterable[Operation], now: Snapshot) -> Mapping[str, str]:
    named = {each.assignment.scope_id for each in operations if each.principal is not None}
    return {each.id: each.cloud_name for each in now.environments if each.id in named}


def labels_for(operations: Iterable[Operation], now: Snapshot, world: World) -> Mapping[str, str]:
    """What people call whatever the operations name."""
    found: dict[str, str] = {}
    contents: dict[tuple[str, ContentKind], str] = {}
    for operation in operations:
        who = operation.principal
        if who is None:
            continue
        assignment = operation.assignment
        found.setdefault(str(who), now.principal_name(who))
        role = world.catalog.roles.get(assignment.role_id)
        if role is not None:
            found[f"role:{role.id}"] = f"{role.name} ({role.level})"
        if content := content_key(assignment):
            contents[content] = assignment.scope_id or ""
    found |= {f"environment:{each.id}": each.name or each.cloud_name for each in now.environments}
    for (identity, kind), environment in contents.items():
        label = now.content_labels.get(ContentRef(EnvironmentId(environment), kind, identity))
        if label:
            found[f"{kind.value}:{identity}"] = label
    return found
