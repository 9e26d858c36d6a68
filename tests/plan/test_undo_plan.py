"""Undo plans: they restore what was there, and leave alone what others changed since."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from builders import group as group_of
from builders import snapshot
from builders import user as user_of
from permmigrate.model import CustomPolicy, ManagementType, PrincipalRef, Role, RoleAssignment, RoleId
from permmigrate.plan import Definition, Done, Kind, Limits, Operation, Plan, PolicyBody
from permmigrate.plan.undo import CHANGED_SINCE, UndoTerms, assumed, left_by, undo_plan
from permmigrate.plan.world import World, held_by
from plan_builders import adding, assigned, creating, plan, policy_body, removing, role_body, user

TERMS = UndoTerms(
    now=datetime(2026, 11, 22, 12, tzinfo=UTC), tool_version="1", captured_at="2026-11-22T11:00:00Z"
)
USERS = [user(f"u-{number}") for number in range(4)]
ROLES = ["cld::role::account::master_admin", "cld::role::account::admin", "cld::role::prodenv::ml_user"]


def world(held: Iterable[RoleAssignment] = (), **fields: Any) -> World:
    users = tuple(user_of(each.id) for each in USERS)
    groups = (group_of("g-1", "u-0"),)
    return World.of(snapshot(users=users, groups=groups, assignments=tuple(held), **fields))


def all_of(there: World) -> set[RoleAssignment]:
    return {each for held in there.held.values() for each in held}


def done_to(there: World, operations: Iterable[Operation]) -> World:
    """The account after assignments were given and taken."""
    held = all_of(there)
    for operation in operations:
        (held.add if operation.kind.grants else held.discard)(operation.assignment)
    return replace(there, held=held_by(held))


assignments = st.builds(
    lambda who, role: assigned(who, role, None if "account" in role else "env1"),
    st.sampled_from(USERS),
    st.sampled_from(ROLES),
)


def moving(held: set[RoleAssignment], changes: list[tuple[RoleAssignment, int]]) -> Plan:
    """A plan that gives what is not held and takes what is."""
    some = [(removing if each in held else adding)(each, wave) for each, wave in changes]
    of = held_by(held)
    return plan(some, {each.principal: of.get(each.principal, ()) for each, _ in changes})


@settings(deadline=None, max_examples=50)
@given(
    st.sets(assignments, max_size=6),
    st.lists(st.tuples(assignments, st.integers(1, 3)), max_size=8, unique_by=lambda row: row[0]),
    st.data(),
)
def test_undo_restores_exactly_what_was_there(
    held: set[RoleAssignment], changes: list[tuple[RoleAssignment, int]], data: st.DataObject
) -> None:
    """Whatever part of a plan was done, its undo leaves every assignment as it was before."""
    one, before = moving(held, changes), world(held)
    count = data.draw(st.integers(0, len(one.operations)))
    done = assumed(one)[:count]
    now = done_to(before, one.operations[:count])
    undo = undo_plan(one, done, now, TERMS)
    assert (one.digest, "undo", ()) == (undo.undoes, undo.purpose, undo.left_out)
    assert count == len(undo.operations)
    assert held == all_of(done_to(now, undo.operations))
    assert all(guard.holds for guard in undo.guards if guard.name in ("removals", "grants"))
    assert {who: frozenset(has) for who, has in undo.held.items()} == {
        who: now.held.get(who, frozenset()) for who in undo.held
    }
    assert all_of(left_by(one, done, before)) == all_of(now)


@settings(deadline=None, max_examples=50)
@given(
    st.sets(assignments, max_size=6),
    st.lists(st.tuples(assignments, st.integers(1, 3)), min_size=1, max_size=8, unique_by=lambda row: row[0]),
    assignments,
)
def test_undo_leaves_alone_whom_others_changed(
    held: set[RoleAssignment], changes: list[tuple[RoleAssignment, int]], other: RoleAssignment
) -> None:
    """A principal that somebody gave to or took from since keeps all and is named; others are undone."""
    one, before = moving(held, changes), world(held)
    now = done_to(before, one.operations)
    theirs = done_to(now, [(removing if other in all_of(now) else adding)(other)])
    undo = undo_plan(one, assumed(one), theirs, TERMS)
    touched = {each.principal for each, _ in changes}
    assert touched - {other.principal} == {each.principal for each in undo.operations}
    named = {(each.principal, each.reason) for each in undo.left_out}
    assert named == ({(other.principal, CHANGED_SINCE)} if other.principal in touched else set())


def test_what_changed_nothing_is_not_taken_back() -> None:
    """An assignment that was there when its turn came was somebody else's, and stays."""
    theirs = adding(assigned(USERS[0], ROLES[2], "env1"))
    one = plan([theirs])
    undo = undo_plan(one, [Done(theirs.id, True, True)], world([theirs.assignment]), TERMS)
    assert () == undo.operations
    assert () == undo.left_out


def test_the_last_wave_is_taken_back_first() -> None:
    """Waves go backwards, and within a wave what was taken is given back before anything is taken."""
    first, taken, last = (
        adding(assigned(USERS[0], ROLES[2], "env1")),
        removing(assigned(USERS[0], ROLES[2], "env2")),
        adding(assigned(USERS[1], ROLES[2], "env1"), wave=2),
    )
    one = plan([first, taken, last], {USERS[0]: [taken.assignment]})
    undo = undo_plan(one, assumed(one), world([first.assignment, last.assignment]), TERMS)
    assert [
        (1, Kind.REMOVE, last.assignment),
        (2, Kind.ASSIGN, taken.assignment),
        (2, Kind.REMOVE, first.assignment),
    ] == [(each.wave, each.kind, each.assignment) for each in undo.operations]
    assert f"undoes {last.id}" == undo.operations[0].cause


# definitions

BODY = role_body("Uploader", "cld::policy::global::upload_presets::manage")
GIVEN = RoleId("uploader_1")


def made() -> tuple[Plan, list[Done]]:
    """A plan that makes a role and gives it to a user, done; the service gave the role an id."""
    role, grant = creating(BODY), adding(assigned(USERS[0], "new-role/Uploader", "env1"))
    one = plan([role, grant])
    return one, [Done(role.id, None, BODY, GIVEN), Done(grant.id, False, True)]


def with_role(there: World, policies: tuple[str, ...] = BODY.policy_ids) -> World:
    role = Role(
        GIVEN,
        BODY.name,
        "",
        ManagementType.CUSTOM,
        BODY.permission_type,
        BODY.scope_type,
        tuple(policies),  # type: ignore[arg-type]
    )
    catalog = replace(there.catalog, roles={**there.catalog.roles, GIVEN: role})
    return replace(there, catalog=catalog)


def test_a_role_that_was_made_is_taken_and_then_deleted() -> None:
    """The undo names it by the id it was given, and knows what it must still be."""
    one, done = made()
    now = with_role(world([assigned(USERS[0], GIVEN, "env1")]))
    undo = undo_plan(one, done, now, TERMS)
    first, last = undo.operations
    assert (Kind.REMOVE, GIVEN) == (first.kind, first.assignment.role_id)
    assert (Kind.DELETE_ROLE, Definition(GIVEN, BODY, None)) == (last.kind, last.definition)


def test_a_role_that_others_hold_or_changed_is_not_deleted() -> None:
    """Somebody else's use or edit of a role keeps it."""
    one, done = made()
    ours, other = assigned(USERS[0], GIVEN, "env1"), assigned(USERS[3], GIVEN, "env1")
    shared = undo_plan(one, done, with_role(world([ours, other])), TERMS)
    assert [Kind.REMOVE] == [each.kind for each in shared.operations]
    assert "1 hold it" in shared.left_out[0].reason
    edited = undo_plan(one, done, with_role(world([ours]), ("cld::policy::global::ml::access",)), TERMS)
    assert [Kind.REMOVE] == [each.kind for each in edited.operations]
    assert CHANGED_SINCE == edited.left_out[0].reason


def test_an_undo_plan_beforehand_names_roles_by_what_stands_for_them() -> None:
    """Written before anything is done, it has no ids of the service's yet."""
    one, _ = made()
    undo = undo_plan(one, assumed(one), left_by(one, assumed(one), world()), TERMS)
    assert ["remove role", "delete role"] == [each.kind for each in undo.operations]
    assert "new-role/Uploader" == undo.operations[1].definition.id


def kept(body: PolicyBody) -> CustomPolicy:
    return CustomPolicy("p-1", body.name, "", body.scope_type, body.scope_id, body.statement)


def test_a_policy_gets_its_old_text_back() -> None:
    """However the server laid out the new text; a text that somebody changed since stays."""
    old, new = policy_body(statement="forbid(principal, action, resource);"), policy_body()
    change = Operation(Kind.UPDATE_POLICY, 1, "policies", Definition("p-1", old, new))
    one = plan([change])
    laid_out = replace(new, statement=new.statement.replace(",", ",\n  "))
    undo = undo_plan(one, assumed(one), world(custom_policies=(kept(laid_out),)), TERMS)
    (back,) = undo.operations
    assert (Kind.UPDATE_POLICY, Definition("p-1", new, old)) == (back.kind, back.definition)
    theirs = replace(new, statement="permit(principal, action, resource is Cloudinary::Asset);")
    assert () == undo_plan(one, assumed(one), world(custom_policies=(kept(theirs),)), TERMS).operations


def test_undo_is_held_to_the_admins_there_were_before() -> None:
    """An account without master admins by role may lose those the plan made; one with two may not."""
    master = [assigned(who, ROLES[0], None) for who in USERS[:2]]
    one = plan(map(adding, master), limits=Limits(promotions=2))
    undo = undo_plan(one, assumed(one), world(master), TERMS)
    assert 0 == undo.limits.master_admins
    assert all(guard.holds for guard in undo.guards)
    taking = plan(map(removing, master), {each.principal: [each] for each in master})
    back = undo_plan(taking, assumed(taking), world(), TERMS)
    assert 2 == back.limits.master_admins
    promoted: set[PrincipalRef] = set(back.admins_before)
    assert set(USERS[:2]) == promoted
    assert all(guard.holds for guard in back.guards)
