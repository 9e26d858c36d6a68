"""Admission: by its digest, on its account, in time, with its key, and to the world it was made for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from builders import snapshot
from builders import user as user_of
from permmigrate.model import CustomPolicy, ManagementType, Role, RoleAssignment, RoleId
from permmigrate.plan import Definition, Digests, GuardResult, Kind, Operation, Plan
from permmigrate.plan.admission import admit, stale
from permmigrate.plan.world import World
from plan_builders import (
    CREATED,
    EXPIRES,
    account_key,
    adding,
    assigned,
    creating,
    plan,
    policy_body,
    removing,
    role_body,
    user,
)

KEY, OTHER = account_key("key-1"), account_key("key-2")
NOW = "2026-11-22T11:00:00Z"
HELD = assigned(user("u-1"), "cld::role::prodenv::reports", "env1")
KEPT = assigned(user("u-1"), "cld::role::prodenv::billing", "env1")
WANTED = assigned(user("u-1"), "cld::role::prodenv::ml_user", "env1")


def world(held: Iterable[RoleAssignment] = (HELD, KEPT), **fields: Any) -> World:
    return World.of(snapshot(users=(user_of("u-1"),), assignments=tuple(held), account_id="acc-1", **fields))


def made(operations: Iterable[Operation] = (adding(WANTED), removing(HELD)), **fields: Any) -> Plan:
    digests = Digests("5" * 64, "6" * 64, world().catalog.digest)
    return plan(operations, {HELD.principal: [HELD, KEPT]}, **{"digests": digests} | fields)


def admitted(one: Plan, there: World, **fields: Any) -> dict[str, GuardResult]:
    given = {"digest": one.digest, "now": NOW, "acting_key": KEY} | fields
    return {result.name: result for result in admit(one, there, **given)}


def test_a_plan_is_admitted_to_its_own_world() -> None:
    """With its digest, its account, in time and unchanged, all hold; a digest may be in capitals."""
    one = made()
    assert all(result.holds for result in admitted(one, world()).values())
    assert all(result.holds for result in admitted(one, world(), digest=one.digest.upper()).values())


@pytest.mark.parametrize(
    ("name", "fields", "there"),
    [
        ("digest", {"digest": None}, world()),
        ("digest", {"digest": ""}, world()),
        ("digest", {"digest": "0" * 64}, world()),
        ("account", {}, replace(world(), account_id="acc-2")),
        ("expiry", {"now": "2026-11-23T10:00:01Z"}, world()),
        ("expiry", {"now": "2026-11-22T09:59:59Z"}, world()),
        ("catalog", {}, replace(world(), catalog=replace(world().catalog, schema={}))),
        ("unchanged since", {}, world([HELD])),
        ("unchanged since", {}, world([HELD, KEPT, assigned(user("u-1"), "somebody's", "env1")])),
    ],
    ids=[
        "no digest",
        "an empty digest",
        "another digest",
        "another account",
        "too late",
        "before it was made",
        "another catalog",
        "something taken since",
        "something given since",
    ],
)
def test_each_reason_alone_keeps_a_plan_out(name: str, fields: dict[str, Any], there: World) -> None:
    """What does not fit fails its guard, and no other."""
    results = admitted(made(), there, **fields)
    failing = {each for each, result in results.items() if not result.holds}
    assert {name} == failing
    assert results[name].sentence


def test_the_last_and_first_moment_are_in_time() -> None:
    """A plan holds from the second it was made to the second it expires."""
    for moment in (CREATED, EXPIRES):
        assert admitted(made(), world(), now=moment)["expiry"].holds


def test_a_plan_that_names_its_key_wants_that_key() -> None:
    """Another key would not be the one that was checked."""
    assert not admitted(made(acting_key=OTHER), world())["writing key"].holds
    assert admitted(made(acting_key=KEY), world())["writing key"].holds


@pytest.mark.parametrize("held", [[HELD], [HELD, WANTED], [WANTED], []], ids=len)
def test_what_the_plan_itself_did_is_not_stale(held: list[RoleAssignment]) -> None:
    """An interrupted run left some of its operations done: that is no change by others."""
    assert () == stale(made(), world([KEPT, *held]))


BODY = role_body("Uploader", "cld::policy::global::upload_presets::manage")


def role(*policies: str) -> Role:
    kinds = (BODY.permission_type, BODY.scope_type)
    ids = policies or BODY.policy_ids
    return Role(RoleId("up_1"), BODY.name, "", ManagementType.CUSTOM, *kinds, tuple(ids))  # type: ignore[arg-type]


def with_role(there: World, one: Role) -> World:
    return replace(there, catalog=replace(there.catalog, roles={**there.catalog.roles, one.id: one}))


def test_a_role_that_the_plan_made_is_not_stale() -> None:
    """Neither the catalog with it nor its holders count as changed; one with other policies does."""
    grant = adding(assigned(user("u-1"), "new-role/Uploader", "env1"))
    one = made([creating(BODY), grant])
    there = with_role(world([HELD, KEPT, assigned(user("u-1"), "up_1", "env1")]), role())
    assert all(result.holds for result in admitted(one, there).values())
    other = with_role(world(), role("cld::policy::global::ml::access"))
    assert ("new-role/Uploader",) == stale(one, other)


def test_a_policy_is_stale_when_it_says_something_else() -> None:
    """As it was, or as the plan leaves it, in whatever layout: anything else is somebody's change."""
    old, new = policy_body(), policy_body(statement="forbid(principal, action, resource);")
    one = made([Operation(Kind.UPDATE_POLICY, 1, "p", Definition("p-1", old, new))])

    def there(statement: str) -> World:
        policy = CustomPolicy("p-1", old.name, "", old.scope_type, old.scope_id, statement)
        return world(custom_policies=(policy,))

    assert () == stale(one, there(old.statement))
    assert () == stale(one, there(new.statement.replace("(", "(\n ")))
    assert ("p-1",) == stale(one, there("permit(principal, action, resource is Cloudinary::Asset);"))
    assert ("p-1",) == stale(one, world())


def test_a_policy_that_is_to_be_created_is_found_by_what_it_says() -> None:
    """It has no id before; one that is there with the same words is the plan's own."""
    new = policy_body()
    one = made([Operation(Kind.CREATE_POLICY, 1, "p", Definition("new-policy/x", None, new))])
    theirs = CustomPolicy("p-9", new.name, "", new.scope_type, new.scope_id, new.statement)
    assert () == stale(one, world())
    assert () == stale(one, world(custom_policies=(theirs,)))


def test_many_changes_are_told_by_their_number() -> None:
    """The sentence names three and counts the rest."""
    some = [adding(assigned(user(f"u-{number}"))) for number in range(5)]
    held = [assigned(user(f"u-{number}"), "theirs") for number in range(5)]
    one = plan(some, digests=made().digests)
    result = admitted(one, world(held))["unchanged since"]
    assert "5 changed" == result.measured
    assert result.sentence.endswith("user:u-0, user:u-1, user:u-2 and 2 more")
