"""Take back what a plan did: the inverse operations, as a plan like any other.

It takes back only what was really changed, and only where the account is still as the plan left it: whatever
somebody changed since is named and left alone.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from permmigrate.model import PrincipalRef, RoleAssignment, RoleId
from permmigrate.plan.batches import expected_of
from permmigrate.plan.definitions import catalog_digest, found, same
from permmigrate.plan.guards import check
from permmigrate.plan.operation import (
    NEW_POLICY,
    NEW_ROLE,
    Body,
    Definition,
    Done,
    Kind,
    Operation,
)
from permmigrate.plan.value import LeftOut, Limits, Plan, moment
from permmigrate.plan.walk import Walk
from permmigrate.plan.world import World

CHANGED_SINCE: Final = "it was changed since, and what others did is not taken back"
PLACEHOLDERS: Final = (NEW_ROLE, NEW_POLICY)


@dataclass(frozen=True, kw_only=True)
class UndoTerms:
    """What an undo plan is made under."""

    now: datetime
    tool_version: str
    captured_at: str
    """When the account was read that the plan is made for."""
    expires_after: timedelta = timedelta(hours=24)
    acting_key: PrincipalRef | None = None


def assumed(plan: Plan) -> tuple[Done, ...]:
    """What a plan's operations will have done, if nothing comes between: for an undo plan beforehand."""
    held = {row for rows in plan.held.values() for row in rows}
    pairs = zip(plan.ids, plan.operations, strict=True)
    return tuple(_assumed(identity, operation, held) for identity, operation in pairs)


def _assumed(identity: str, operation: Operation, held: Container[RoleAssignment]) -> Done:
    subject = operation.subject
    if isinstance(subject, Definition):
        return Done(identity, subject.before, subject.after)
    return Done(identity, subject in held, operation.kind.grants)


def undo_plan(plan: Plan, done: Iterable[Done], world: World, terms: UndoTerms) -> Plan:
    """Plan to take back what `done` says was changed; `world` is the account as it is now, or will be.

    A principal that holds anything else than the plan left it with is left out, with every operation on it;
    so is a role or policy that is defined in another way now.
    """
    undoing = _Undoing(plan, {each.operation_id: each for each in done}, world)
    operations = tuple(undoing.operations())
    named = {each.principal for each in operations if each.principal is not None}
    grants = sum(each.kind.grants for each in operations)
    before = Walk(world.with_held(plan.held), plan.admin_roles, {})
    undo = Plan.of(
        account_id=plan.account_id,
        purpose="undo",
        undoes=plan.digest,
        created=moment(terms.now),
        expires=moment(terms.now + terms.expires_after),
        tool_version=terms.tool_version,
        api_url=plan.api_url,
        digests=replace(plan.digests, catalog=catalog_digest(world, operations)),
        captured_at=terms.captured_at,
        acting_key=terms.acting_key or plan.acting_key,
        required_admins=plan.required_admins,
        protected=plan.protected,
        admins_before={*plan.admins_before, *before.admins()},
        admin_roles=plan.admin_roles,
        limits=Limits(
            master_admins=min(plan.limits.master_admins, len(before.masters())),
            removals=len(operations) - grants,
            grants=grants,
        ),
        expected=plan.expected,
        operations=operations,
        held={who: world.held.get(who, ()) for who in named},
        expansions=(),
        left_out=undoing.left_out,
        environments=plan.environments,
        labels=plan.labels,
    )
    expected = expected_of(undo.operations, plan.expected.calls_an_hour)
    return replace(undo, expected=expected, guards=check(undo, world))


def left_by(plan: Plan, done: Iterable[Done], world: World) -> World:
    """The account as the plan leaves it, when this was done and nobody does anything else."""
    undoing = _Undoing(plan, {each.operation_id: each for each in done}, world)
    return world.with_held({who: undoing.expected(who) for who in plan.held})


@dataclass
class _Undoing:
    """Turns operations round, newest wave first."""

    plan: Plan
    done: Mapping[str, Done]
    world: World
    left_out: list[LeftOut] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._pairs = tuple(
            (operation, self.done[identity])
            for identity, operation in zip(self.plan.ids, self.plan.operations, strict=True)
            if identity in self.done
        )
        self._given = {
            operation.definition.id: done.given_id
            for operation, done in self._pairs
            if operation.principal is None and done.given_id
        }
        self._of: dict[PrincipalRef, list[tuple[RoleAssignment, Done]]] = {}
        for operation, done in self._pairs:
            if operation.principal is not None:
                row = (self._named(operation.assignment), done)
                self._of.setdefault(operation.principal, []).append(row)
        self._last = max((operation.wave for operation in self.plan.operations), default=1)

    def _named(self, assignment: RoleAssignment) -> RoleAssignment:
        """The assignment with the id that a created role was given."""
        given = self._given.get(assignment.role_id)
        return replace(assignment, role_id=RoleId(given)) if given else assignment

    def expected(self, who: PrincipalRef) -> frozenset[RoleAssignment]:
        """What the principal holds if nobody but the plan changed it."""
        held = set(self.plan.held.get(who, ()))
        for assignment, done in self._of.get(who, ()):
            (held.add if done.after else held.discard)(assignment)
        return frozenset(held)

    def operations(self) -> Iterator[Operation]:
        nothing: frozenset[RoleAssignment] = frozenset()
        changed = {who for who in self._of if self.world.held.get(who, nothing) != self.expected(who)}
        self.left_out += [
            LeftOut(who, "everything the plan did", "", CHANGED_SINCE)
            for who in changed
            if any(done.changed for _, done in self._of[who])
        ]
        taken: set[RoleAssignment] = set()
        definitions: list[tuple[Operation, Done]] = []
        for operation, done in self._pairs:
            if not done.changed:
                continue
            if operation.principal is None:
                definitions.append((operation, done))
            elif operation.principal not in changed:
                subject = self._named(operation.assignment)
                taken.add(subject)
                yield self._turned(operation, done, subject)
        for operation, done in definitions:
            turned = self._definition(operation, done, taken)
            if isinstance(turned, Definition):
                yield self._turned(operation, done, turned)
            else:
                self.left_out.append(LeftOut(None, operation.definition.id, operation.cause, turned))

    def _turned(self, operation: Operation, done: Done, subject: RoleAssignment | Definition) -> Operation:
        wave = self._last + 1 - operation.wave
        return Operation(operation.kind.inverse, wave, f"undoes {done.operation_id}", subject)

    def _definition(self, operation: Operation, done: Done, taken: set[RoleAssignment]) -> Definition | str:
        """The definition turned round, or why it is left as it is."""
        identity = done.given_id or operation.definition.id
        before, after = _body(done.before), _body(done.after)
        live = found(Definition(identity, after, before), self.world)[1]
        if not identity.startswith(PLACEHOLDERS) and not same(live, after):
            return CHANGED_SINCE
        holders = {
            assignment.principal
            for held in self.world.held.values()
            for assignment in held
            if assignment.role_id == identity and assignment not in taken
        }
        if operation.kind is Kind.CREATE_ROLE and holders:
            return f"{len(holders):,} hold it to whom the plan did not give it, or who were changed"
        return Definition(identity, after, before)


def _body(state: Body | bool | None) -> Body | None:
    return None if isinstance(state, bool) else state
