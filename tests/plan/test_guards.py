"""Every guard refuses a plan that breaks it at the end, and one that breaks it only on the way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import group as a_group
from builders import sandbox_catalog, snapshot
from builders import user as a_user
from permmigrate.errors import ExitCode, GuardError
from permmigrate.model import CustomPolicy, PermissionType, PrincipalRef, RoleAssignment, RoleId, ScopeType
from permmigrate.plan import (
    Definition,
    Expansion,
    GuardResult,
    Kind,
    Limits,
    Operation,
    Plan,
    PolicyBody,
    Standing,
)
from permmigrate.plan.guards import check, refuse
from permmigrate.plan.walk import MASTER_ADMIN, Walk
from permmigrate.plan.world import World
from plan_builders import account_key, adding, assigned, creating, group, plan, removing, role_body, user

ADMIN = "cld::role::account::admin"
ADA, BOB, CAT, DAN = map(user, ("ada", "bob", "cat", "dan"))
CREW = group("crew")
KEY = account_key("key-1")
CATALOG = sandbox_catalog()


def master(who: PrincipalRef) -> RoleAssignment:
    return assigned(who, MASTER_ADMIN, None)


def world(held: Iterable[RoleAssignment] = (), **fields: Any) -> World:
    """Four users who can act and one who cannot; the crew is Ada and Cat."""
    users = (*(a_user(each) for each in ("ada", "bob", "cat", "dan")), a_user("eve", enabled=False))
    return World.of(
        snapshot(users=users, groups=(a_group("crew", "ada", "cat"),), assignments=tuple(held), **fields)
    )


def judged(one: Plan, there: World, name: str) -> GuardResult:
    """One guard's result; that the others hold shows which guard it was."""
    results = {result.name: result for result in check(one, there)}
    assert all(result.holds for other, result in results.items() if other != name), results
    return results[name]


def planned(operations: Iterable[Operation], **fields: Any) -> Plan:
    """A plan that its limits allow everything but too few master admins."""
    limits = Limits(removals=None, expansions=None, promotions=None)
    return plan(operations, **{"limits": limits} | fields)


FINE = world([master(ADA), master(BOB)])


def test_a_plan_that_does_nothing_wrong_holds() -> None:
    """With two master admins and nothing taken, every guard holds."""
    assert all(result.holds for result in check(plan([adding(assigned(CAT))]), FINE))


# name: plan that breaks it at the end, plan that breaks it only on the way, world
BREAKING: dict[str, tuple[Plan, Plan, World]] = {
    "master admins": (
        planned([removing(master(ADA))]),
        planned([removing(master(ADA)), adding(master(ADA), wave=2)]),
        FINE,
    ),
    "required admins": (
        planned([removing(master(ADA))], required_admins=[ADA]),
        planned([removing(master(ADA)), adding(master(ADA), wave=2)], required_admins=[ADA]),
        world([master(ADA), master(BOB), master(CAT)]),
    ),
    "acting key": (
        planned([removing(master(KEY))], acting_key=KEY),
        planned([removing(master(KEY)), adding(master(KEY), wave=2)], acting_key=KEY),
        world([master(ADA), master(BOB), master(KEY)]),
    ),
    "break-glass principals": (
        planned([removing(assigned(CAT))], protected=[CAT]),
        planned([removing(assigned(CREW)), adding(assigned(CREW), wave=2)], protected=[CAT]),
        world([master(ADA), master(BOB), assigned(CAT), assigned(CREW)]),
    ),
    "admin promotions": (
        planned(
            [adding(assigned(DAN, ADMIN, None))], admin_roles=[RoleId(ADMIN)], limits=Limits(removals=None)
        ),
        planned(
            [adding(assigned(DAN, ADMIN, None)), removing(assigned(DAN, ADMIN, None), wave=2)],
            admin_roles=[RoleId(ADMIN)],
            limits=Limits(removals=None),
        ),
        FINE,
    ),
    "removals": (
        plan([removing(assigned(CAT))]),
        plan([removing(assigned(CAT)), adding(assigned(CAT), wave=2)]),
        world([master(ADA), master(BOB), assigned(CAT)]),
    ),
    "grants": (
        plan([adding(assigned(CAT))], limits=Limits(grants=0)),
        plan(
            [adding(assigned(CAT)), removing(assigned(CAT), wave=2)], limits=Limits(grants=0, removals=None)
        ),
        FINE,
    ),
    "unsigned expansions": (
        plan(
            [adding(assigned(CAT), cause="user_roles.csv:9")],
            expansions=[Expansion(CAT, "user_roles.csv:9", Standing.UNSIGNED, 3)],
        ),
        plan(
            [adding(assigned(CAT), cause="user_roles.csv:9"), removing(assigned(CAT), wave=2)],
            expansions=[Expansion(CAT, "user_roles.csv:9", Standing.UNSIGNED, 3)],
            limits=Limits(removals=None),
        ),
        FINE,
    ),
    "rejected expansions": (
        plan(
            [adding(assigned(CAT), cause="user_roles.csv:9")],
            expansions=[Expansion(CAT, "user_roles.csv:9", Standing.REJECTED, 1)],
        ),
        plan(
            [adding(assigned(CAT), cause="user_roles.csv:9"), removing(assigned(CAT), wave=2)],
            expansions=[Expansion(CAT, "user_roles.csv:9", Standing.REJECTED, 1)],
            limits=Limits(removals=None, expansions=None),
        ),
        FINE,
    ),
}


@pytest.mark.parametrize("name", BREAKING)
def test_a_guard_refuses_what_breaks_it(name: str) -> None:
    """Each guard fails alone on its plan, at the end and in between, and exit 6 says it with its numbers."""
    at_the_end, on_the_way, there = BREAKING[name]
    for one in (at_the_end, on_the_way):
        result = judged(one, there, name)
        assert not result.holds
        with pytest.raises(GuardError) as raised:
            refuse(check(one, there))
        assert ExitCode.REFUSED == raised.value.exit_code
        assert (result.sentence,) == raised.value.failures
        assert any(letter.isdigit() for letter in result.sentence)


def test_the_moment_is_named() -> None:
    """A guard that breaks on the way says after which operation, and whose."""
    one = planned([adding(assigned(CAT)), removing(master(ADA)), adding(master(ADA), wave=2)])
    sentence = judged(one, FINE, "master admins").sentence
    assert (
        "1 effective master admins are left after operation 2 (wave 1: remove role, user:ada), not 2"
        == sentence
    )


def test_the_acting_keys_guard_names_its_remedy() -> None:
    """What to do is said with the key's own name, to be copied."""
    at_the_end, _, there = BREAKING["acting key"]
    sentence = judged(at_the_end, there, "acting key").sentence
    assert "`plan make --protect provisioningKey:key-1`, or write with another key" in sentence


def test_several_guards_are_told_together() -> None:
    """All that does not hold is said at once."""
    one = plan([removing(master(ADA)), removing(master(BOB))])
    with pytest.raises(GuardError, match="2 guards do not hold") as raised:
        refuse(check(one, FINE))
    assert 2 == len(raised.value.failures)


@pytest.mark.parametrize(
    ("held", "count"),
    [
        ([master(ADA), master(user("eve"))], 1),
        ([master(CREW)], 2),
        ([master(CREW), master(ADA)], 2),
        ([master(KEY), assigned(BOB, MASTER_ADMIN, "env-1"), assigned(DAN, ADMIN, None)], 0),
    ],
    ids=[
        "who cannot log in does not count",
        "members of a group count",
        "a person counts once",
        "keys do not",
    ],
)
def test_who_is_an_effective_master_admin(held: list[RoleAssignment], count: int) -> None:
    """People who can log in and hold the role for the account, themselves or through a group."""
    assert count == len(Walk(world(held), (), {}).masters())


def test_a_custom_role_with_every_policy_makes_a_master_admin() -> None:
    """What counts is what a role is made of: one that the plan makes with all of it counts as well."""
    everything = CATALOG.roles[MASTER_ADMIN].policy_ids
    body = replace(role_body("All", *everything), scope_type=ScopeType.ACCOUNT)
    given = adding(assigned(BOB, "new-role/All", None))
    one = planned([creating(body), given])
    assert judged(one, world([master(ADA)]), "master admins").holds
    less = replace(body, policy_ids=everything[1:])
    assert not judged(planned([creating(less), given]), world([master(ADA)]), "master admins").holds


def forbidding(statement: str, scope: ScopeType = ScopeType.ACCOUNT, *, enabled: bool = True) -> CustomPolicy:
    return CustomPolicy(
        "p-1", "No", "", scope, None if scope is ScopeType.ACCOUNT else "env1", statement, enabled
    )


@pytest.mark.parametrize(
    ("statement", "left"),
    [
        ('forbid(principal == Cloudinary::User::"ada", action, resource);', 1),
        ('forbid(principal in Cloudinary::Group::"crew", action, resource is Cloudinary::User);', 1),
        ('forbid(principal in Cloudinary::Group::"other", action, resource);', 2),
        ("forbid(principal is Cloudinary::User, action, resource);", 0),
        ("forbid(principal, action, resource) unless { principal has root };", 0),
        ("forbid(principal is Cloudinary::APIKey, action, resource);", 2),
        ("permit(principal, action, resource);", 2),
        ("forbid(principal, action, resource is Cloudinary::Asset);", 2),
        ('forbid(principal, action, resource == Cloudinary::Feature::"cld::global::reports::view");', 2),
        ('forbid(principal, action, resource == Cloudinary::Feature::"cld::global::roles::view");', 0),
        ("forbid(principal, action, resource is Cloudinary::Feature);", 0),
        ("this is not Cedar", 0),
    ],
)
def test_who_is_forbidden_to_manage_people_is_no_effective_admin(statement: str, left: int) -> None:
    """A forbid on people, roles or everything counts for whom it may name; one on other things does not."""
    there = world([master(ADA), master(BOB)], custom_policies=(forbidding(statement),))
    assert left == len(Walk(there, (), {}).masters())
    for harmless in (
        forbidding(statement, enabled=False),
        forbidding(statement, ScopeType.ENVIRONMENT),
    ):
        assert 2 == len(
            Walk(world([master(ADA), master(BOB)], custom_policies=(harmless,)), (), {}).masters()
        )


def policy_change(kind: Kind, before: str | None, after: str | None, wave: int = 1) -> Operation:
    def body(statement: str | None) -> PolicyBody | None:
        return statement and PolicyBody("No", "", ScopeType.ACCOUNT, None, statement)  # type: ignore[return-value]

    return Operation(kind, wave, "policies", Definition("p-1", body(before), body(after)))


LOCK = "forbid(principal, action, resource);"
OPEN = "permit(principal, action, resource);"


@pytest.mark.parametrize("name", ["master admins", "required admins", "break-glass principals"])
def test_a_policy_that_a_plan_makes_counts_at_once(name: str) -> None:
    """A plan that forbids everything and takes that back in its next wave breaks the guards on the way."""
    there = world([master(ADA), master(BOB)])
    one = planned(
        [
            policy_change(Kind.CREATE_POLICY, None, LOCK),
            policy_change(Kind.DELETE_POLICY, LOCK, None, wave=2),
        ],
        required_admins=[ADA],
        protected=[BOB],
    )
    results = {result.name: result for result in check(one, there)}
    assert not results[name].holds
    changed = planned(
        [
            policy_change(Kind.UPDATE_POLICY, OPEN, LOCK),
            policy_change(Kind.UPDATE_POLICY, LOCK, OPEN, wave=2),
        ],
        required_admins=[ADA],
        protected=[BOB],
    )
    results = {r.name: r for r in check(changed, world([master(ADA), master(BOB)], custom_policies=()))}
    assert not results[name].holds


def test_the_acting_key_may_swap_one_role_for_a_wider_one() -> None:
    """What counts is what the key may do: add before remove loses nothing, the other way round does."""
    narrow, wide = assigned(KEY, ADMIN, None), master(KEY)
    there = world([master(ADA), master(BOB), narrow])
    swap = planned([adding(wide), removing(narrow)], acting_key=KEY)
    assert set(CATALOG.roles[RoleId(ADMIN)].policy_ids) <= set(CATALOG.roles[MASTER_ADMIN].policy_ids)
    assert judged(swap, there, "acting key").holds
    late = planned([removing(narrow), adding(wide, wave=2)], acting_key=KEY)
    assert not judged(late, there, "acting key").holds


def test_all_environments_stand_for_one() -> None:
    """A key that holds a role in all environments does not lose it in one."""
    role = "cld::role::prodenv::admin"
    one, everywhere = assigned(KEY, role, "env-1"), assigned(KEY, role, "all")
    swap = planned([adding(everywhere), removing(one)], acting_key=KEY)
    assert judged(swap, world([master(ADA), master(BOB), one]), "acting key").holds


def test_the_acting_key_can_be_said_when_the_plan_does_not() -> None:
    """A plan without a key holds for now, and is checked once the key is known."""
    one = planned([removing(master(KEY))])
    there = world([master(ADA), master(BOB), master(KEY)])
    assert judged(one, there, "acting key").holds
    results = {result.name: result for result in check(one, there, acting_key=KEY)}
    assert not results["acting key"].holds


def test_a_role_the_catalog_does_not_have_is_a_right_of_its_own() -> None:
    """A key that loses a role nobody knows the policies of has lost something."""
    there = world([master(ADA), master(BOB), assigned(KEY, "unheard_of", None)])
    one = planned([removing(assigned(KEY, "unheard_of", None))], acting_key=KEY)
    assert not judged(one, there, "acting key").holds


def test_a_group_that_is_given_more_leaves_its_protected_members_untouched() -> None:
    """Break-glass principals may gain through a group; only taking and forbidding touch them."""
    assert judged(planned([adding(assigned(CREW))], protected=[CAT]), FINE, "break-glass principals").holds


def test_who_was_an_administrator_is_not_promoted() -> None:
    """Giving a role back to an administrator of before, or to one of now, is no promotion."""
    one = plan([adding(master(CAT)), adding(assigned(ADA, ADMIN, None))], admins_before=[CAT])
    assert judged(one, FINE, "admin promotions").holds
    assert not judged(plan([adding(master(CAT))]), FINE, "admin promotions").holds


def test_a_promoted_group_counts_with_its_members() -> None:
    """A group that administers makes administrators of everybody in it."""
    one = plan([adding(master(CREW))], limits=Limits(promotions=1))
    result = judged(one, world([master(ADA), master(BOB)]), "admin promotions")
    assert ("at most 1", "2") == (result.limit, result.measured)


def test_promotions_one_after_the_other_add_up() -> None:
    """That never two of them are administrators at the same moment makes it no fewer."""
    turns = [
        operation
        for wave, who in enumerate((CAT, DAN), 1)
        for operation in (adding(master(who), 2 * wave), removing(master(who), 2 * wave + 1))
    ]
    result = judged(plan(turns, limits=Limits(removals=None, promotions=1)), FINE, "admin promotions")
    assert (False, "2") == (result.holds, result.measured)


@pytest.mark.parametrize("operation", [adding(assigned(CAT)), removing(assigned(CAT), cause="other.csv:1")])
def test_expansions_count_only_with_a_grant_behind_them(operation: Operation) -> None:
    """What the plan does not make is not held against it."""
    expansion = Expansion(CAT, "other.csv:1", Standing.UNSIGNED, 3)
    one = plan([operation], expansions=[expansion], limits=Limits(removals=None))
    assert judged(one, FINE, "unsigned expansions").holds


def test_an_account_that_has_no_master_admin_yet_may_get_them_one_by_one() -> None:
    """On the way there may be fewer than the limit as long as there never were so many."""
    one = planned([adding(master(ADA)), adding(master(BOB), wave=2)])
    assert judged(one, world(), "master admins").holds
    assert not judged(planned([adding(master(ADA))]), world(), "master admins").holds


def test_an_account_that_cannot_tell_its_admins_is_not_asked() -> None:
    """Without a Permissions API a plan that touches no administrator is let through, and any other is not."""
    blind = replace(world(), knows_assignments=False)
    assert judged(planned([adding(assigned(CAT))]), blind, "master admins").holds
    assert not judged(planned([adding(master(ADA))]), blind, "master admins").holds


def test_a_catalog_without_master_admin_lets_nothing_through() -> None:
    """Where nobody can be told to be a master admin, the guard cannot hold."""
    bare = replace(FINE, catalog=replace(CATALOG, roles={}))
    assert "has no role" in judged(planned([adding(assigned(CAT))]), bare, "master admins").sentence


def test_some_of_a_plan_is_judged_by_itself() -> None:
    """A wave or a principal alone is held to the same guards."""
    one = planned([adding(master(CAT)), removing(master(ADA), wave=2)])
    assert all(result.holds for result in check(one, FINE))
    results = {r.name: r for r in check(one, FINE, operations=one.operations[1:])}
    assert not results["master admins"].holds


MOVES = st.lists(
    st.tuples(
        st.booleans(),
        st.sampled_from([ADA, BOB, CAT, DAN, CREW]),
        st.sampled_from([MASTER_ADMIN, ADMIN]),
        st.integers(1, 3),
    ),
    max_size=8,
    unique_by=lambda move: move[:3],
)


@settings(deadline=None, max_examples=50)
@given(MOVES, st.sets(st.sampled_from([ADA, BOB, CAT, CREW])))
def test_what_holds_holds_at_every_moment(moves: list[Any], first: set[PrincipalRef]) -> None:
    """A plan passes the master admins' guard only if no prefix of it has fewer than there must be by then."""
    operations = [
        (adding if add else removing)(assigned(who, role, None), wave) for add, who, role, wave in moves
    ]
    one, there = planned(operations), world(map(master, sorted(first)))
    holding = {result.name: result.holds for result in check(one, there)}["master admins"]

    members = {CREW: {ADA, CAT}}
    held = set(map(master, first))
    counts = []
    for operation in (None, *one.operations):
        if operation is not None:
            (held.add if operation.kind.grants else held.discard)(operation.assignment)
        masters: set[PrincipalRef] = set()
        for assignment in held:
            if assignment.role_id == MASTER_ADMIN:
                masters |= members.get(assignment.principal, {assignment.principal})
        counts.append(len(masters))
    never_fewer = all(now >= min(2, max(counts[: place + 1])) for place, now in enumerate(counts))
    assert holding == (never_fewer and counts[-1] >= 2)


def test_content_roles_are_rights_on_their_content() -> None:
    """Losing a role on one folder is not made up for by the same role on another."""
    role = "cld::role::folder::viewer"
    here, there_ = assigned(KEY, role, folder="f-1"), assigned(KEY, role, folder="f-2")
    one = planned([adding(there_), removing(here)], acting_key=KEY)
    assert PermissionType.CONTENT is CATALOG.roles[RoleId(role)].permission_type
    assert not judged(one, world([master(ADA), master(BOB), here]), "acting key").holds
