"""Laws of the translation: nothing is lost, order does not matter, and the plan holds no repeats."""

from __future__ import annotations

import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mapping_builders import EU, TODAY, US, api_key, group, principal, share, snapshot, tables, user

from permmigrate.catalog import refusal, scope_refusal
from permmigrate.mapping.tables import MappingTables
from permmigrate.mapping.translate import translate
from permmigrate.model import AccountKey, ContentKind, PrincipalType, RoleAssignment
from permmigrate.snapshot import Snapshot
from sampling import times

pytestmark = pytest.mark.sampled

TARGETS = (
    "account/Admin",
    "environment/Admin",
    "folder/Viewer",
    "collection/Viewer",
    "collection/Curator",
    "gone",
)
SCOPES = ("account", "each_environment", "all_environments", "environment:env_eu", "environment:env_gone")
LEGACY = ("admin", "billing", "owner", "")
LEVELS = ("can_view", "can_edit", "odd")
ENVIRONMENTS = (EU, US, "env_gone")

targets = st.one_of(
    st.builds("role,{},{}".format, st.sampled_from(TARGETS), st.sampled_from(SCOPES)),
    st.builds("bundle,{},{}".format, st.sampled_from(("Admin", "Gone")), st.sampled_from(SCOPES)),
    st.just("none,,"),
)
level_targets = st.one_of(st.builds("role,{}".format, st.sampled_from(TARGETS)), st.just("none,"))
level_rows = st.builds(
    "{},{},{}".format, st.sampled_from(LEVELS[:2]), st.sampled_from(("any", "user", "group")), level_targets
)
override_rows = st.builds(
    "{},{},{},{},{},{},why,{}".format,
    st.sampled_from(("any", "user", "group", "apiKey")),
    st.sampled_from(("id", "group", "name")),
    st.sampled_from(("p0", "p1", "P2", "team")),
    st.sampled_from(("any", "user_role", "folder_level", "collection_level", "api_key")),
    st.sampled_from(("*", "admin", "can_view")),
    st.one_of(targets, st.just("role,folder/Viewer,folder"), st.just("role,collection/Viewer,collection")),
    st.sampled_from(("", "2020-01-01", "2030-01-01")),
)


def rows(each: st.SearchStrategy[str], size: int = 4) -> st.SearchStrategy[tuple[str, ...]]:
    """Rows without the repeats that `load` refuses."""
    return st.lists(each, max_size=size, unique_by=lambda row: row.replace("why", "")).map(tuple)


@st.composite
def mappings(draw: st.DrawFn) -> MappingTables:
    with tempfile.TemporaryDirectory() as directory:
        return tables(
            Path(directory),
            user_roles=draw(rows(st.builds("{},{}".format, st.sampled_from(LEGACY[:2]), targets))),
            folder_levels=draw(rows(level_rows)),
            collection_levels=draw(rows(level_rows)),
            api_keys=draw(
                rows(
                    st.builds(
                        "{},*,{},{}".format, st.sampled_from("1*"), st.sampled_from(("yes", "any")), targets
                    )
                )
            ),
            account_keys=draw(rows(st.builds("{},{}".format, st.sampled_from("8*"), targets))),
            overrides=draw(rows(override_rows)),
        )


shares = st.lists(
    st.builds(
        share,
        st.builds(
            principal,
            st.sampled_from(("p0", "p1", "team")),
            st.sampled_from((PrincipalType.USER, PrincipalType.GROUP)),
        ),
        st.sampled_from(LEVELS),
        st.sampled_from(("brands", "spring")),
        st.sampled_from(ContentKind),
        st.integers(2, 9),
        st.sampled_from(ENVIRONMENTS),
    ),
    max_size=8,
)
limits = st.lists(st.sampled_from(ENVIRONMENTS), max_size=2, unique=True)


@st.composite
def accounts(draw: st.DrawFn) -> Snapshot:
    users = tuple(
        user(f"p{n}", draw(st.sampled_from(LEGACY)), *draw(limits)) for n in range(draw(st.integers(0, 3)))
    )
    keys = tuple(
        api_key(str(n), f"P{n}", draw(st.sampled_from(ENVIRONMENTS)), enabled=n > 1) for n in range(3)
    )
    return snapshot(
        users=users,
        groups=(group("team", *(u.id for u in users[:1])),),
        api_keys=keys[: draw(st.integers(0, 3))],
        account_keys=(AccountKey("8", "p1"), AccountKey("9"))[: draw(st.integers(0, 2))],
        shares=tuple(draw(shares)),
        environments=(EU, US)[: draw(st.integers(0, 2))],
    )


def grants(account: Snapshot) -> set[object]:
    return {
        *((principal(u.id), None) for u in account.users),
        *((principal(k.id, PrincipalType.API_KEY), None) for k in account.api_keys),
        *((principal(k.id, PrincipalType.ACCOUNT_KEY), None) for k in account.account_keys),
        *((s.principal, s.content) for s in account.shares),
    }


@given(accounts(), mappings())
@settings(max_examples=times(50, 150), deadline=None)
def test_translated_and_unknown_are_everything(account: Snapshot, mapping: MappingTables) -> None:
    """Every legacy grant has the row that translated it or a reason why it has none, and nothing else has."""
    found = translate(account, mapping, today=TODAY)
    untranslated = {(each.principal, each.content) for each in found.untranslated}
    assert grants(account) == set(found.row_by_grant) | untranslated
    assert all(each.reason and each.legacy for each in found.untranslated)


@given(accounts(), mappings())
@settings(max_examples=times(50, 150), deadline=None)
def test_every_share_is_answered_for(account: Snapshot, mapping: MappingTables) -> None:
    """Each single share, alone in the account, is translated or untranslated: none hides behind another."""
    for each in account.shares:
        alone = snapshot(
            users=account.users,
            groups=account.groups,
            shares=(each,),
            environments=tuple(e.id for e in account.environments),
        )
        found = translate(alone, mapping, today=TODAY)
        reasons = {(u.principal, u.content) for u in found.untranslated}
        assert (each.principal, each.content) in set(found.row_by_grant) | reasons


@given(accounts(), mappings())
@settings(max_examples=times(50, 150), deadline=None)
def test_what_is_planned_is_sorted_single_and_has_effect(account: Snapshot, mapping: MappingTables) -> None:
    """Assignments are sorted without repeats, and none is of the kind the vendor silently ignores."""
    planned = [each.assignment for each in translate(account, mapping, today=TODAY).planned]
    keys = [RoleAssignment.sort_key(each) for each in planned]
    assert sorted(set(keys)) == keys
    for each in planned:
        role = account.catalog.roles[each.role_id]
        assert refusal(role, each.principal.type) == ""
        assert scope_refusal(role, each.scope_id, each.folder_id, each.collection_id) == ""
        assert each.scope_id in (None, "all", *account.environment_by_id)


@given(accounts(), mappings(), st.randoms(use_true_random=False))
@settings(max_examples=times(25, 60), deadline=None)
def test_the_order_of_reading_does_not_matter(
    account: Snapshot, mapping: MappingTables, chance: random.Random
) -> None:
    """A snapshot read in another order translates to the same value."""
    shuffled = list(account.shares)
    chance.shuffle(shuffled)
    again = snapshot(
        users=account.users[::-1],
        groups=account.groups[::-1],
        api_keys=account.api_keys[::-1],
        account_keys=account.account_keys[::-1],
        shares=tuple(shuffled),
        environments=tuple(e.id for e in account.environments)[::-1],
    )
    assert translate(account, mapping, today=TODAY) == translate(again, mapping, today=TODAY)


@given(accounts(), mappings())
@settings(max_examples=times(25, 60), deadline=None)
def test_uses_are_of_rows_that_are_there(account: Snapshot, mapping: MappingTables) -> None:
    """Every row that is blamed or counted is a row of the tables, and every planned row was counted."""
    found = translate(account, mapping, today=TODAY)
    known = {ref for ref, *_ in mapping.rows()}
    blamed = {each.row for each in found.planned} | set(found.row_by_grant.values())
    bundled = {each.bundle_row for each in found.planned if each.bundle_row}
    assert blamed | bundled <= set(found.uses) <= known
    assert all(count > 0 for count in found.uses.values())
