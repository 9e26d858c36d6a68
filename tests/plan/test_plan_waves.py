"""Waves and calls: a canary first, people's changes together, and as few calls as the wire allows."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from builders import group as a_group
from builders import snapshot
from builders import user as a_user
from permmigrate.model import PrincipalRef
from permmigrate.plan import NEW_ROLE, Definition, Kind, Operation
from permmigrate.plan.batches import WireLimits, batches, reading_calls, writing_calls
from permmigrate.plan.waves import CANARY, Change, canary_of, in_waves
from permmigrate.plan.world import World
from plan_builders import adding, assigned, creating, group, plan, removing, role_body, user

NAMES = [f"u-{number}" for number in range(8)]
CAUSES = [f"user_roles.csv:{number}" for number in range(2, 8)]
WORLD = World.of(snapshot(users=tuple(map(a_user, NAMES)), groups=(a_group("g-1", "u-1", "u-2"),)))

grants = st.lists(
    st.tuples(st.sampled_from([*map(user, NAMES), group("g-1")]), st.sampled_from(CAUSES), st.booleans()),
    min_size=1,
    max_size=20,
)


def changes_of(rows: list[tuple[PrincipalRef, str, bool]]) -> list[Change]:
    return [
        Change(Kind.REMOVE if take else Kind.ASSIGN, cause, assigned(who, f"role-{number}"))
        for number, (who, cause, take) in enumerate(rows)
    ]


@settings(deadline=None, max_examples=50)
@given(grants, st.integers(1, 3))
def test_the_canary_touches_every_row_and_nobody_is_spare(
    rows: list[tuple[PrincipalRef, str, bool]], size: int
) -> None:
    """Wave 1 has every cause, each of its principals is needed for it, and no wave is too large."""
    given_: dict[PrincipalRef, set[str]] = {}
    for who, cause, _ in rows:
        given_.setdefault(who, set()).add(cause)
    canary = canary_of(given_)
    everything = set().union(*given_.values())
    assert everything == set().union(*(given_[who] for who in canary))
    for who in canary:
        assert everything != set().union(*(given_[other] for other in canary if other != who))

    operations = list(in_waves(changes_of(rows), WORLD, size))
    assert len(rows) == len(operations)
    given_in = {each.principal: each.wave for each in operations if each.kind.grants}
    assert all(wave == CANARY for who, wave in given_in.items() if who in canary)
    for wave in set(given_in.values()) - {CANARY}:
        assert size >= sum(1 for each in given_in.values() if each == wave)


@settings(deadline=None, max_examples=50)
@given(grants)
def test_nothing_is_taken_before_what_stands_for_it_is_there(
    rows: list[tuple[PrincipalRef, str, bool]],
) -> None:
    """A principal's removals come with or after its grants, and with or after those of its groups."""
    operations = plan(in_waves(changes_of(rows), WORLD, 1)).operations
    place = {each.id: number for number, each in enumerate(operations)}
    for taken in (each for each in operations if each.kind.revokes):
        assert taken.principal is not None
        for granted in (each for each in operations if each.kind.grants and each.principal is not None):
            assert granted.principal is not None
            if taken.principal == granted.principal:
                assert place[granted.id] < place[taken.id]
            if granted.principal == group("g-1") and taken.principal in WORLD.reach(granted.principal):
                assert place[granted.id] < place[taken.id]


@settings(deadline=None, max_examples=50)
@given(grants)
def test_waves_depend_on_the_changes_only(rows: list[tuple[PrincipalRef, str, bool]]) -> None:
    """The order in which changes are found makes no difference."""
    changes = changes_of(rows)
    assert plan(in_waves(changes, WORLD)) == plan(in_waves(changes[::-1], WORLD))


def test_a_role_is_made_in_the_wave_that_first_needs_it() -> None:
    """A definition goes before the first grant of it; one that nobody needs yet goes first."""
    given_ = [
        Change(Kind.ASSIGN, "a", assigned(user("u-1"))),
        Change(Kind.ASSIGN, "a", assigned(user("u-2"), f"{NEW_ROLE}Late")),
        Change(Kind.CREATE_ROLE, "a", Definition(f"{NEW_ROLE}Late", None, role_body("Late"))),
        Change(Kind.CREATE_ROLE, "a", Definition(f"{NEW_ROLE}Idle", None, role_body("Idle"))),
    ]
    waves = {
        each.definition.id: each.wave for each in in_waves(given_, WORLD, 1) if each.kind is Kind.CREATE_ROLE
    }
    assert {f"{NEW_ROLE}Late": 2, f"{NEW_ROLE}Idle": CANARY} == waves


@settings(deadline=None, max_examples=50)
@given(grants, st.integers(1, 4))
def test_calls_carry_every_operation_once_and_in_order(
    rows: list[tuple[PrincipalRef, str, bool]], most: int
) -> None:
    """Batches are the plan's operations cut up: of one kind, wave and role, and none too large."""
    changes = [
        Change(
            Kind.REMOVE if take else Kind.ASSIGN, cause, assigned(who, f"role-{number % 2}", f"env-{number}")
        )
        for number, (who, cause, take) in enumerate(rows)
    ]
    operations = plan(in_waves(changes, WORLD, 2)).operations
    found = list(batches(operations, WireLimits(principals=most)))
    assert list(operations) == [each for batch in found for each in batch.operations]
    for batch in found:
        assert 1 <= len(batch.operations) <= most
        assert {(batch.kind, batch.wave)} == {(each.kind, each.wave) for each in batch.operations}
        assert 1 == len({each.assignment.role_id for each in batch.operations})
    assert len(found) == writing_calls(operations[::-1], WireLimits(principals=most))


def test_a_folder_invitation_takes_ten_roles_of_one_principal() -> None:
    """Through the Admin API the roles of one principal on one folder go together, ten at a time."""
    rows = [
        Operation(Kind.ASSIGN_FOLDER, 1, "a", assigned(user(who), f"role-{number:02}", folder=folder))
        for who, folder, count in (("u-1", "f-1", 12), ("u-1", "f-2", 1), ("u-2", "f-1", 1))
        for number in range(count)
    ]
    assert [10, 2, 1, 1] == [len(batch.operations) for batch in batches(plan(rows).operations)]


def test_definitions_go_alone() -> None:
    """Each custom role is a call of its own."""
    one = plan([creating(role_body("A")), creating(role_body("B"))])
    assert [1, 1] == [len(batch.operations) for batch in batches(one.operations)]


def test_a_batch_is_halved_until_it_is_one() -> None:
    """What was refused together is found by halves."""
    one = plan([adding(assigned(user(each))) for each in NAMES[:3]])
    (batch,) = batches(one.operations)
    first, second = batch.halves()
    assert batch.operations == first.operations + second.operations
    assert (1, 2) == (len(first.operations), len(second.operations))
    with pytest.raises(ValueError, match="cannot be split"):
        first.halves()


def test_reads_are_counted_by_page_and_scope() -> None:
    """A hundred at a time: before something changes, where it does; after the wave twice, everywhere."""
    some = [adding(assigned(user(f"u-{number}"))) for number in range(150)]
    some += [removing(assigned(user("u-0"), scope=None)), creating(role_body())]
    assert 2 + 1 + 2 * (2 * 2) == reading_calls(plan(some).operations)
    folders = [assigned(user("u-1"), "role", folder=folder) for folder in ("f-1", "f-2")]
    invited = [Operation(Kind.ASSIGN_FOLDER, 1, "a", row) for row in folders]
    assert 2 + 2 * 2 == reading_calls(plan(invited).operations)
    assert 0 == reading_calls(())


def test_a_wave_with_very_many_changes_ends_early(monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups with many folders do not make one huge wave; a principal's changes are never parted."""
    monkeypatch.setattr("permmigrate.plan.waves.CHANGES_A_WAVE", 5)
    some = [
        Change(Kind.ASSIGN, "a", assigned(user(who), f"role-{number}"))
        for who in ("u-1", "u-2", "u-3", "u-4")
        for number in range(3 if who != "u-4" else 7)
    ]
    waves = {each.principal: each.wave for each in in_waves(some, WORLD, 500)}
    assert [1, 2, 3, 4] == [waves[user(who)] for who in ("u-1", "u-2", "u-3", "u-4")]
