"""A live account is held to its plan: what is missing is found, and what is there too much no less."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from permmigrate.catalog import Catalog
from permmigrate.model import LedgerEntry, ManagementType, ReadStatus, Role, RoleAssignment, RoleId
from permmigrate.plan import NEW_ROLE, ByHand, Definition, Digests, Kind, Operation
from permmigrate.snapshot import Snapshot
from permmigrate.verify import Standing, Verification, check
from permmigrate.verify.check import satisfied
from permmigrate.verify.settle import PAUSES, settled
from plan_builders import PEOPLE, adding, assigned, creating, live, plan, removing, role_body, user

ROLES = ("r-1", "r-2", "r-3")


def counted(found: Verification) -> dict[str, int]:
    """How many deviations of each standing there are."""
    return dict(Counter(each.standing.value for each in found.deviations))


some_rows = st.sets(
    st.builds(lambda who, role: assigned(user(who), role), st.sampled_from(PEOPLE), st.sampled_from(ROLES))
)


@given(held=some_rows, wanted=some_rows, unwanted=some_rows, now=some_rows)
def test_every_difference_is_told_once_and_nothing_else(
    held: set[RoleAssignment],
    wanted: set[RoleAssignment],
    unwanted: set[RoleAssignment],
    now: set[RoleAssignment],
) -> None:
    """For any plan and any account: expected less live is missing or changed, live less expected is extra."""
    gives, takes = wanted - held, (unwanted & held) - wanted
    operations = [*map(adding, gives), *map(removing, takes)]
    everybody = {user(each): [row for row in held if row.principal.id == each] for each in PEOPLE}
    found = check(plan(operations, everybody), live(*now))

    expected = (held | gives) - takes
    told = dict.fromkeys(Standing, 0) | Counter(each.standing for each in found.deviations)
    assert told[Standing.MISSING] == len(gives - now)
    assert told[Standing.EXTRA] == len(now - expected)
    assert told[Standing.CHANGED] == len((held - takes) - now)
    assert found.as_planned == len(gives & now) + len(takes - now)
    assert found.untouched == len((held - takes) & now)
    assert (now == expected) == (found.headline == "AS PLANNED")
    assert (now == expected) == satisfied(plan(operations, everybody), live(), now)


def test_people_whom_the_plan_does_not_name_do_not_count() -> None:
    """What others hold is not the plan's business."""
    mine, other = assigned(user("u-1")), assigned(user("u-2"))
    assert "AS PLANNED" == check(plan([adding(mine)]), live(mine, other)).headline


def test_a_principal_that_is_gone_is_named() -> None:
    """Its roles went with it; it is not told as missing ones."""
    found = check(plan([adding(assigned(user("u-9")))]), live())
    assert {"changed by others": 1} == counted(found)
    assert "not in the account any more" in found.deviations[0].reason


def test_the_first_waves_can_be_verified_alone() -> None:
    """What later waves will do is not missing yet."""
    first, second = assigned(user("u-1")), assigned(user("u-2"))
    whole = plan([adding(first, wave=1), adding(second, wave=2)])
    assert "AS PLANNED" == check(whole, live(first), waves=1).headline
    assert {"missing": 1} == counted(check(whole, live(first)))
    assert not satisfied(whole, live(first), [first])
    assert satisfied(whole, live(first), [first], 1)


def test_what_later_waves_do_may_be_done_already() -> None:
    """Neither is too much what they give, nor is missing what they take; what no wave gives is too much."""
    held, first, second = (
        assigned(user("u-1"), "r-1"),
        assigned(user("u-1"), "r-2"),
        assigned(user("u-1"), "r-3"),
    )
    role = assigned(user("u-2"), f"{NEW_ROLE}Upload manager")
    later = [
        adding(second, wave=2),
        removing(held, wave=2),
        creating(role_body(), wave=2),
        adding(role, wave=2),
    ]
    whole = plan([adding(first), *later], {user("u-1"): (held,)})
    made = replace(role, role_id=RoleId("upload_manager_1"))
    for now in ((held, first), (held, first, second), (first, second)):
        assert "AS PLANNED" == check(whole, live(*now), waves=1).headline
        assert "AS PLANNED" == check(whole, with_role(live(*now, made)), waves=1).headline
    other = replace(second, scope_id="env-2")
    assert {"extra": 1} == counted(check(whole, live(held, first, other), waves=1))


def test_a_role_that_grew_since_is_told() -> None:
    """Everybody holds what was planned, and a role says more than it did: that is not as planned."""
    mine = assigned(user("u-1"))
    there = with_role(live(mine), policy_ids=("p-1",))
    whole = plan([adding(mine)], digests=Digests("5" * 64, "6" * 64, there.catalog.digest))
    assert "AS PLANNED" == check(whole, there).headline
    grown = with_role(there, policy_ids=("p-1", "p-2"))
    (told,) = check(whole, grown).deviations
    assert (Standing.CHANGED, "the catalog") == (told.standing, told.name)


def with_role(found: Snapshot, **changes: object) -> Snapshot:
    """The account with the custom role that plans of these tests make."""
    body = role_body()
    role = Role(
        RoleId("upload_manager_1"),
        body.name,
        "",
        ManagementType.CUSTOM,
        body.permission_type,
        body.scope_type,
        body.policy_ids,
    )
    catalog = Catalog.of(
        roles=(replace(role, **changes),),
        policies=(),
        source="the account",
        schema={},  # type: ignore[arg-type]
    )
    return replace(found, catalog=catalog)


def test_a_role_the_plan_made_stands_for_its_placeholder() -> None:
    """Who was given the new role holds it under the id that the service gave to it."""
    row = assigned(user("u-1"), f"{NEW_ROLE}Upload manager")
    whole = plan([creating(role_body()), adding(row)])
    there = replace(row, role_id=RoleId("upload_manager_1"))
    assert "AS PLANNED" == check(whole, with_role(live(there))).headline
    assert {"missing": 2} == counted(check(whole, live()))
    other = with_role(live(there), policy_ids=("cld::policy::other",))
    assert {"changed by others": 1} == counted(check(whole, other))


def test_what_should_have_been_deleted_is_extra() -> None:
    """An undo plan deletes what its plan made."""
    body = role_body()
    gone = Operation(Kind.DELETE_ROLE, 1, "undo", Definition("upload_manager_1", body, None))
    assert {"extra": 1} == counted(check(plan([gone]), with_role(live())))
    assert "AS PLANNED" == check(plan([gone]), live()).headline


def test_what_is_done_by_hand_is_checked_too() -> None:
    """The Console's checklist counts like the rest, and says so."""
    row = assigned(user("u-1"))
    whole = plan(by_hand=(ByHand(adding(row), "no API for it"),), held={user("u-1"): ()})
    assert "to be done by hand" in check(whole, live()).deviations[0].reason
    assert "AS PLANNED" == check(whole, live(row)).headline


def test_what_cannot_be_read_is_never_as_planned() -> None:
    """Gaps, folder roles no API lists, and readings that never agree leave a verification incomplete."""
    row = assigned(user("u-1"), folder="f-1")
    by_admin = Operation(Kind.ASSIGN_FOLDER, 1, "folder_levels.csv:2", row)
    denied = (LedgerEntry("assignments", "GET", "", ReadStatus.DENIED, 0, 403, "no right"),)
    found = check(plan([by_admin]), live(ledger=denied))
    assert {"not readable": 1} == counted(found)
    assert "INCOMPLETE" == found.headline
    assert "no right" in found.gaps[0]
    mine = assigned(user("u-1"))
    assert "INCOMPLETE" == check(plan([adding(mine)]), live(mine, ledger=denied)).headline
    assert "INCOMPLETE" == check(plan([adding(mine)]), live(mine), steady=False).headline


@pytest.mark.parametrize(
    ("readings", "wanted", "expected"),
    [
        ([1, 1], {1}, (1, True, 1)),
        ([1, 2, 2], {2}, (2, True, 2)),
        ([1, 1, 1, 2, 2], {2}, (2, True, 4)),
        ([1] * 7, {2}, (1, True, len(PAUSES))),
        ([1, 2, 3, 4, 5, 6, 7], {9}, (7, False, len(PAUSES))),
    ],
)
def test_readings_are_repeated_until_two_agree_on_what_is_expected(
    readings: list[int], wanted: set[int], expected: tuple[int, bool, int]
) -> None:
    """Two that agree on yesterday are not enough while there is patience."""
    waiting, slept = iter(readings[1:]), list[float]()
    latest, steady = settled(readings[0], lambda: next(waiting), wanted.__contains__, slept.append)
    assert expected == (latest, steady, len(slept))
    assert list(PAUSES[: len(slept)]) == slept
