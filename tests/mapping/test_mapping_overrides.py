"""Overrides: who they match, which one wins, and when they end."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from mapping_builders import EU, TODAY, api_key, group, principal, share, snapshot, tables, user

from permmigrate.mapping.translate import translate
from permmigrate.mapping.value import Translation
from permmigrate.model import AccountKey, PrincipalType
from permmigrate.snapshot import Snapshot

ANN = snapshot(
    users=(user("ann", email="Ann@Acme.example", name="Ann Smith"),), groups=(group("team", "ann"),)
)


def row(by: str, match: str, target: str = "role,account/Billing,account", **more: str) -> str:
    cells = {"who": "any", "applies": "any", "legacy": "*", "expires": ""} | more
    return f"{cells['who']},{by},{match},{cells['applies']},{cells['legacy']},{target},why,{cells['expires']}"


def run(tmp_path: Path, account: Snapshot, *overrides: str, today: date = TODAY) -> Translation:
    return translate(account, tables(tmp_path, overrides=overrides), today=today)


def winners(found: Translation) -> list[int]:
    """The lines of overrides.csv that translated something; 0 for another table."""
    return sorted({ref.line if ref.file == "overrides.csv" else 0 for ref in found.row_by_grant.values()})


def test_precedence_is_id_email_domain_group_name(tmp_path: Path) -> None:
    """The stronger match wins wherever it stands in the file."""
    ladder = [
        row("name", "ann *"),
        row("group", "team"),
        row("email_domain", "@ACME.example"),
        row("email", "ann@acme.example"),
        row("id", "ann"),
    ]
    for strength in range(len(ladder), 0, -1):
        assert [strength + 1] == winners(run(tmp_path, ANN, *ladder[:strength]))


def test_of_equal_matches_the_first_in_the_file_wins(tmp_path: Path) -> None:
    """Ties go to the row higher up."""
    assert winners(run(tmp_path, ANN, row("name", "Ann*"), row("name", "*Smith"))) == [2]


def test_rows_of_one_key_apply_together_and_replace_the_table(tmp_path: Path) -> None:
    """An override's rows add up among themselves and nothing of user_roles.csv is added."""
    both = (row("id", "ann"), row("id", "ann", "role,environment/ML User,environment:acme-eu"))
    found = run(tmp_path, ANN, *both)
    assert [(p.assignment.role_id, p.assignment.scope_id) for p in found.planned] == [
        ("account::billing", None),
        ("environment::ml_user", EU),
    ]


@pytest.mark.parametrize(
    ("expires", "expected"), [("2026-11-21", [0]), ("2026-11-22", [2]), ("2026-11-23", [2]), ("", [2])]
)
def test_an_override_holds_through_its_last_day(tmp_path: Path, expires: str, expected: list[int]) -> None:
    """An expired override is as if it were not there."""
    assert expected == winners(run(tmp_path, ANN, row("id", "ann", expires=expires)))


def test_an_expired_row_gives_way_to_a_weaker_one(tmp_path: Path) -> None:
    """What has expired does not block what comes after."""
    assert winners(run(tmp_path, ANN, row("id", "ann", expires="2020-01-01"), row("name", "*"))) == [3]


def test_the_legacy_filter_and_the_kind_narrow_an_override(tmp_path: Path) -> None:
    """A row for another legacy role, kind of grant or kind of principal is passed over."""
    misses = (
        row("id", "ann", legacy="billing"),
        row("id", "ann", applies="folder_level"),
        row("id", "ann", who="group"),
    )
    assert winners(run(tmp_path, ANN, *misses)) == [0]
    assert winners(run(tmp_path, ANN, *misses, row("id", "ann", legacy="admin", applies="user_role"))) == [5]


def test_a_group_override_reaches_members_and_the_group_itself(tmp_path: Path) -> None:
    """Shares of the group and grants of its members are both matched, by id or a glob on the group's name."""
    account = snapshot(
        users=(user("ann", "reports"), user("bob", "reports")),
        groups=(group("team", "ann"),),
        shares=(
            share(principal("team", PrincipalType.GROUP)),
            share(principal("ann")),
            share(principal("bob")),
        ),
    )
    for match in ("team", "TE*"):
        found = run(tmp_path, account, row("group", match, "none,,"))
        matched = [str(who) for (who, _), ref in found.row_by_grant.items() if ref.file == "overrides.csv"]
        assert sorted(matched) == ["group:team", "user:ann", "user:ann"]


def test_shares_are_overridden_where_they_are(tmp_path: Path) -> None:
    """An override of a folder level gives its role on each share's folder, others keep the table's."""
    shares = (share(principal("ann"), "can_view"), share(principal("bob"), "can_view"))
    account = snapshot(shares=shares)
    found = run(tmp_path, account, row("id", "ann", "role,folder/Editor,folder", applies="folder_level"))
    assert [
        (p.assignment.principal.id, p.assignment.role_id, p.assignment.folder_id) for p in found.planned
    ] == [("ann", "folder::editor", "brands"), ("bob", "folder::viewer", "brands")]


def test_a_folder_scope_needs_a_share(tmp_path: Path) -> None:
    """An override for any grant with scope folder cannot carry a user's role, and says so."""
    found = run(tmp_path, ANN, row("id", "ann", "role,folder/Editor,folder"))
    assert [each.reason for each in found.untranslated] == [
        "role `folder::editor` with scope `folder`: the legacy grant has no folder to give it on"
    ]


def test_keys_are_overridden_by_id_and_name(tmp_path: Path) -> None:
    """API keys and account keys have names to match, and no e-mail address."""
    account = snapshot(
        api_keys=(api_key("1", "Web"), api_key("2", "cli")), account_keys=(AccountKey("3", "CI"),)
    )
    found = run(
        tmp_path,
        account,
        row("email_domain", "acme.example", "none,,"),
        row("name", "web", "role,environment/ML User,each_environment", who="apiKey"),
        row("id", "3", "role,account/Billing,account", who="provisioningKey"),
    )
    assert [p.assignment.role_id for p in found.planned] == [
        "environment::ml_user",
        "environment::admin",
        "account::billing",
    ]


def test_an_override_for_users_leaves_a_group_of_that_id_alone(tmp_path: Path) -> None:
    """Ids of different kinds of principal may be the same text."""
    account = snapshot(shares=(share(principal("x", PrincipalType.GROUP)), share(principal("x"))))
    found = run(tmp_path, account, row("id", "x", "none,,", who="user"))
    assert [PrincipalType.GROUP] == [each.assignment.principal.type for each in found.planned]
