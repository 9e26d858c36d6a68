"""Translating legacy grants: what each kind becomes, and what cannot be translated and why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from mapping_builders import (
    EU,
    TODAY,
    US,
    api_key,
    group,
    principal,
    role,
    share,
    snapshot,
    tables,
    user,
)

from permmigrate.catalog import Catalog
from permmigrate.mapping.tables import MappingTables
from permmigrate.mapping.translate import translate
from permmigrate.mapping.value import LegacyKind, RowRef, Translation
from permmigrate.model import AccountKey, ContentKind, PrincipalType, RoleAssignment, RoleId
from permmigrate.snapshot import Snapshot

Line = tuple[str, str, str | None]


def run(account: Snapshot, mapping: MappingTables) -> Translation:
    return translate(account, mapping, today=TODAY)


def lines(translation: Translation) -> list[Line]:
    """(principal, role, where) of every planned assignment."""
    return [
        (str(p.assignment.principal), p.assignment.role_id, place(p.assignment)) for p in translation.planned
    ]


def place(assignment: RoleAssignment) -> str | None:
    content = assignment.folder_id or assignment.collection_id
    return f"{assignment.scope_id}/{content}" if content else assignment.scope_id


def reasons(translation: Translation) -> list[tuple[str, str]]:
    return [(str(each.principal), each.reason) for each in translation.untranslated]


def test_a_bundle_is_expanded_in_every_environment_of_the_user(tmp_path: Path) -> None:
    """A user with all environments gets each listed; a limited one only theirs; account roles come once."""
    found = run(snapshot(users=(user("ann"), user("bob", "admin", US))), tables(tmp_path))
    assert lines(found) == [
        ("user:ann", "account::admin", None),
        ("user:ann", "environment::admin", EU),
        ("user:ann", "environment::admin", US),
        ("user:bob", "account::admin", None),
        ("user:bob", "environment::admin", US),
    ]
    assert found.untranslated == ()


def test_a_planned_assignment_says_why(tmp_path: Path) -> None:
    """It names the row, the bundle's row and the legacy grant in words; every row's use is counted."""
    found = run(snapshot(users=(user("ann"), user("bob"))), tables(tmp_path))
    first = found.planned[0]
    outer, inner = RowRef("user_roles.csv", 2), RowRef("bundles.csv", 2)
    assert (outer, inner, "legacy role `admin`") == (first.row, first.bundle_row, first.legacy)
    assert {inner: 2, RowRef("bundles.csv", 3): 2, outer: 2} == found.uses
    assert {(principal("ann"), None): outer, (principal("bob"), None): outer} == found.row_by_grant


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ("each_environment", [None, EU]),
        ("all_environments", [None, "all"]),
        ("environment:env_us", [None, US]),
        ("environment:ACME-us", [None, US]),
    ],
)
def test_the_outer_row_says_where_a_bundle_goes(
    tmp_path: Path, scope: str, expected: list[str | None]
) -> None:
    """The bundle's environment rows take the scope of the row that names the bundle."""
    mapping = tables(tmp_path, user_roles=(f"admin,bundle,admin,{scope}",))
    found = run(snapshot(users=(user("ann", "admin", EU),)), mapping)
    assert expected == [where for _, _, where in lines(found)]


def test_none_is_an_answer(tmp_path: Path) -> None:
    """A row that gives nothing translates the grant: it is on record and not untranslated."""
    found = run(snapshot(users=(user("ann", "reports"),)), tables(tmp_path))
    assert (found.planned, found.untranslated) == ((), ())
    assert {(principal("ann"), None): RowRef("user_roles.csv", 5)} == found.row_by_grant


def test_rows_of_one_legacy_role_add_up(tmp_path: Path) -> None:
    """Two rows of one key both apply; the grant is put down to the first."""
    mapping = tables(tmp_path, user_roles=("x,role,account/Admin,account", "x,role,account/Billing,account"))
    found = run(snapshot(users=(user("ann", "x"),)), mapping)
    assert [role_id for _, role_id, _ in lines(found)] == ["account::admin", "account::billing"]
    assert [RowRef("user_roles.csv", 2)] == list(found.row_by_grant.values())


def test_disabled_and_pending_users_are_translated_like_others(tmp_path: Path) -> None:
    """Whether someone can log in today does not change what they were given."""
    users = (user("ann", "billing", enabled=False), user("bob", "billing", pending=True))
    assert len(run(snapshot(users=users), tables(tmp_path)).planned) == 2


def test_shares_become_content_roles_where_they_are(tmp_path: Path) -> None:
    """Folder and collection shares of users and groups keep their content; a group has nothing else."""
    ann, team = principal("ann"), principal("team", PrincipalType.GROUP)
    shares = (
        share(ann, "can_edit", "aurora", line=12),
        share(team, "can_view", "brands", line=3),
        share(team, "can_view", "spring", ContentKind.COLLECTION, line=4),
    )
    found = run(snapshot(groups=(group("team", "ann"),), shares=shares), tables(tmp_path))
    assert lines(found) == [
        ("group:team", "collection::viewer", "env_eu/spring"),
        ("group:team", "folder::viewer", "env_eu/brands"),
        ("user:ann", "folder::editor", "env_eu/aurora"),
    ]
    assert [each.legacy for each in found.planned] == [
        "Can view on Spring (shares.csv:4)",
        "Can view on Brands (shares.csv:3)",
        "Can edit on Brands/Aurora (shares.csv:12)",
    ]


def test_a_row_for_one_kind_of_principal_replaces_the_row_for_any(tmp_path: Path) -> None:
    """A group's own row is an exception to the general one, not an addition."""
    mapping = tables(
        tmp_path, folder_levels=("can_view,any,role,folder/Editor", "can_view,group,role,folder/Viewer")
    )
    shares = (share(principal("ann")), share(principal("team", PrincipalType.GROUP)))
    assert [r for _, r, _ in lines(run(snapshot(shares=shares), mapping))] == [
        "folder::viewer",
        "folder::editor",
    ]


def test_the_same_share_twice_is_one_assignment(tmp_path: Path) -> None:
    """Shares that ask for the same role are one assignment, put down to the first of them."""
    shares = (share(principal("ann"), line=9), share(principal("ann"), line=10))
    (planned,) = run(snapshot(shares=shares), tables(tmp_path)).planned
    assert planned.legacy == "Can view on Brands (shares.csv:10)"


def test_the_first_api_key_row_that_matches_decides(tmp_path: Path) -> None:
    """Key rows are read from the top: by id or name, environment and state; a whole key group applies."""
    mapping = tables(
        tmp_path,
        api_keys=(
            "WEB*,acme-us,any,none,,",
            "web*,*,yes,role,environment/ML User,each_environment",
            "007*,env_eu,no,role,environment/Admin,each_environment",
            "web*,*,yes,role,environment/Admin,each_environment",
        ),
    )
    keys = (
        api_key("1", "Website"),
        api_key("2", "website", US),
        api_key("007", "other", enabled=False),
        api_key("008", "other"),
        api_key("3", "website", enabled=False),
    )
    found = run(snapshot(api_keys=keys), mapping)
    assert lines(found) == [
        ("apiKey:007", "environment::admin", EU),
        ("apiKey:1", "environment::admin", EU),
        ("apiKey:1", "environment::ml_user", EU),
    ]
    assert reasons(found) == [
        ("apiKey:008", "no row of api_keys.csv matches the key"),
        ("apiKey:3", "no row of api_keys.csv matches the key"),
    ]
    assert [p.legacy for p in found.planned[:2]] == ["API key other (disabled)", "API key Website (enabled)"]
    assert RowRef("api_keys.csv", 2) == found.row_by_grant[principal("2", PrincipalType.API_KEY), None]


def test_account_keys_reach_every_environment(tmp_path: Path) -> None:
    """An account key's environments are the account's; one without a name is called by its id."""
    mapping = tables(
        tmp_path,
        account_keys=("ci-*,role,environment/Admin,each_environment", "9*,role,account/Admin,account"),
    )
    found = run(snapshot(account_keys=(AccountKey("1", "CI-deploy"), AccountKey("99"))), mapping)
    assert lines(found) == [
        ("provisioningKey:1", "environment::admin", EU),
        ("provisioningKey:1", "environment::admin", US),
        ("provisioningKey:99", "account::admin", None),
    ]
    assert found.planned[2].legacy == "account key 99"


def test_what_no_row_speaks_of_is_untranslated(tmp_path: Path) -> None:
    """Unknown and empty legacy roles and levels are kept, with kind and value for whoever counts them."""
    shares = (
        share(principal("ann"), "can_own"),
        share(principal("ann"), "can_edit", "spring", ContentKind.COLLECTION),
    )
    found = run(snapshot(users=(user("ann", "owner"), user("bob", "")), shares=shares), tables(tmp_path))
    assert reasons(found) == [
        ("user:ann", "no row of user_roles.csv translates legacy role `owner`"),
        ("user:ann", "no row of collection_levels.csv translates level `can_edit`"),
        ("user:ann", "no row of folder_levels.csv translates level `can_own`"),
        ("user:bob", "no row of user_roles.csv translates users without a legacy role"),
    ]
    assert [e.legacy for e in found.untranslated[:2]] == [
        "legacy role `owner`",
        "Can edit on Spring (shares.csv:2)",
    ]
    assert (
        found.untranslated[2].kind,
        found.untranslated[2].value,
        found.untranslated[2].row,
    ) == (LegacyKind.FOLDER_LEVEL, "can_own", None)
    assert found.row_by_grant == {}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            "admin,role,account/Admn,account",
            "role `account/Admn` is not in the catalog (did you mean `account/Admin` or `account::admin`?)",
        ),
        (
            "admin,bundle,Admim,account",
            "access bundle `Admim` has no row in bundles.csv (did you mean `Admin`?)",
        ),
        (
            "admin,role,account/Admin,each_environment",
            "role `account::admin` with scope `each_environment`: "
            "an account role cannot be bound to a product environment",
        ),
        (
            "admin,role,environment/Admin,account",
            "role `environment::admin` with scope `account`: an environment role needs a product environment",
        ),
        (
            "admin,role,folder/Editor,all_environments",
            "role `folder::editor` with scope `all_environments`: a folder role needs a folder",
        ),
        (
            "admin,role,collection/Curator,each_environment",
            "role `collection::curator` for a user: custom collection roles do not exist: "
            "collection roles are system roles only",
        ),
        ("admin,role,environment/Admin,environment:nowhere", "environment `nowhere` is not in the account"),
    ],
)
def test_a_row_that_would_have_no_effect_is_not_planned(tmp_path: Path, row: str, reason: str) -> None:
    """What the catalog lacks or the vendor would silently ignore is untranslated, with the row to change."""
    found = run(snapshot(users=(user("ann"),)), tables(tmp_path, user_roles=(row,)))
    assert (found.planned, found.row_by_grant) == ((), {})
    (only,) = found.untranslated
    assert (reason, RowRef("user_roles.csv", 2)) == (only.reason, only.row)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (
            "*,*,any,role,account/Admin,account",
            "an account role has no effect on a product-environment API key",
        ),
        (
            "*,*,any,role,environment/Admin,environment:acme-us",
            "an API key works in its own environment only, not in `acme-us`",
        ),
    ],
)
def test_an_api_key_holds_only_roles_of_its_environment(tmp_path: Path, row: str, reason: str) -> None:
    """Account roles and other environments are refused for a product-environment key."""
    found = run(snapshot(api_keys=(api_key("1"),)), tables(tmp_path, api_keys=(row,)))
    assert found.planned == ()
    assert reason in found.untranslated[0].reason


def test_an_environment_role_is_not_bound_to_a_folder(tmp_path: Path) -> None:
    """A share's row cannot name a role that ignores folders: it would reach further, or nothing."""
    mapping = tables(tmp_path, folder_levels=("can_view,any,role,environment/Admin",))
    found = run(snapshot(shares=(share(principal("ann")),)), mapping)
    assert found.planned == ()
    assert "an environment role cannot be bound to a folder" in found.untranslated[0].reason


def test_an_ambiguous_name_is_not_guessed(tmp_path: Path) -> None:
    """A selector that fits two roles is untranslated and lists their ids."""
    doubled = Catalog.of(
        (), [role("folder", "Viewer"), replace(role("folder", "Viewer"), id=RoleId("folder::seer"))]
    )
    found = run(snapshot(shares=(share(principal("ann")),), catalog=doubled), tables(tmp_path))
    assert (
        found.untranslated[0].reason
        == "role `folder/Viewer` names 2 roles (name one by its id: `folder::seer` or `folder::viewer`)"
    )


def test_a_grant_that_works_in_part_is_both(tmp_path: Path) -> None:
    """An environment the account lacks costs only itself."""
    limited = user("ann", "media_library_user", EU, "env_gone")
    found = run(snapshot(users=(limited,)), tables(tmp_path))
    assert lines(found) == [("user:ann", "environment::ml_user", EU)]
    assert reasons(found) == [("user:ann", "environment `env_gone` is not in the account")]
    assert {(principal("ann"), None): RowRef("user_roles.csv", 4)} == found.row_by_grant


def test_unknown_environments_are_never_silence(tmp_path: Path) -> None:
    """With no environment to give a role in, the grant is untranslated and not lost."""
    nowhere = snapshot(
        users=(user("ann", "media_library_user"),), environments=(), shares=(share(principal("ann")),)
    )
    assert reasons(run(nowhere, tables(tmp_path))) == [
        ("user:ann", "no product environment is known for the grant"),
        ("user:ann", "environment `env_eu` is not in the account"),
    ]


def test_no_legacy_role_on_record_can_be_translated(tmp_path: Path) -> None:
    """A row for `(none)` speaks of users without a role and of nobody else."""
    mapping = tables(tmp_path, user_roles=("(none),role,account/Billing,account", "admin,none,,"))
    found = run(snapshot(users=(user("ann"), user("bob", ""))), mapping)
    assert (lines(found), reasons(found)) == ([("user:bob", "account::billing", None)], [])
