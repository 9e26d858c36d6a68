"""The linter of the mapping tables: each rule, and silence about good tables."""

from __future__ import annotations

from pathlib import Path

import pytest
from mapping_builders import (
    CATALOG,
    EU,
    TODAY,
    api_key,
    group,
    policy,
    principal,
    share,
    snapshot,
    tables,
    user,
    write,
)

from permmigrate.catalog import Catalog
from permmigrate.mapping.globs import covers
from permmigrate.mapping.lint import RULES, check
from permmigrate.mapping.rows import LEGACY_LEVELS, LEGACY_ROLES
from permmigrate.mapping.tables import read
from permmigrate.model import AccountKey, ContentKind
from permmigrate.snapshot import Snapshot

KNOWN = {
    "user_roles": tuple(f"{each},bundle,Admin,each_environment" for each in LEGACY_ROLES),
    "folder_levels": tuple(f"{each},any,role,folder/Viewer" for each in LEGACY_LEVELS),
}
"""Every published legacy value has its row."""


def found(
    tmp_path: Path, catalog: Catalog | None = None, account: Snapshot | None = None, **rows: tuple[str, ...]
) -> list[str]:
    mapping = tables(tmp_path, **(KNOWN | rows))
    return [str(notice) for notice in check(mapping, catalog=catalog, snapshot=account, today=TODAY)]


def busy() -> Snapshot:
    """An account in which each row of the small tables has something to translate."""
    everybody = tuple(user(each, each) for each in LEGACY_ROLES)
    shares = tuple(share(principal("admin"), level, line=n) for n, level in enumerate(LEGACY_LEVELS))
    return snapshot(
        users=everybody,
        shares=(*shares, share(principal("admin"), "can_view", "spring", ContentKind.COLLECTION)),
        api_keys=(api_key("1"), api_key("2", enabled=False)),
        account_keys=(AccountKey("3"),),
    )


def test_good_tables_are_passed_in_silence(tmp_path: Path) -> None:
    """Tables without a flaw give no notice, with nothing, a catalog or a snapshot to go by."""
    assert found(tmp_path) == found(tmp_path, CATALOG) == found(tmp_path, None, busy()) == []


@pytest.mark.parametrize(
    ("table", "rows", "expected"),
    [
        (
            "api_keys",
            ("*,*,any,none,,", "web,*,any,none,,"),
            ["warning shadowed: api_keys.csv:3: never matches: line 2 comes first and covers it"],
        ),
        (
            "account_keys",
            ("ci-*,none,,", "ci-deploy-*,none,,", "*,none,,"),
            ["warning shadowed: account_keys.csv:3: never matches: line 2 comes first and covers it"],
        ),
        (
            "legacy_baseline",
            (
                "user_role,*,cld::a::*,yes",
                "user_role,admin,cld::a::b,no",
                "user_role,admin,category:X/*,no",
                "user_role,admin,category:x/y,no",
            ),
            [
                "warning shadowed: legacy_baseline.csv:3: never matches: line 2 comes first and covers it",
                "warning shadowed: legacy_baseline.csv:5: never matches: line 4 comes first and covers it",
            ],
        ),
        (
            "severity",
            ("prodenv,*,*,low,", "account,*,*,low,", "prodenv,read,Asset,high,"),
            ["warning shadowed: severity.csv:4: never matches: line 2 comes first and covers it"],
        ),
        (
            "overrides",
            ("any,name,A*,any,*,none,,,why,", "user,name,ann*,user_role,admin,none,,,why,"),
            ["warning shadowed: overrides.csv:3: never matches: line 2 comes first and covers it"],
        ),
        (
            "overrides",
            ("apiKey,email,a@b.c,any,*,none,,,why,", "user,id,1,api_key,*,none,,,why,"),
            ["error impossible: overrides.csv:2", "error impossible: overrides.csv:3"],
        ),
        (
            "overrides",
            (
                "user,id,1,any,*,none,,,,",
                "user,id,2,any,*,none,,,why,2026-11-21",
                "user,id,3,any,*,none,,,why,2026-12-22",
                "user,id,4,any,*,none,,,why,2026-12-23",
            ),
            [
                "warning no-reason: overrides.csv:2: says no reason",
                "warning expired: overrides.csv:3: expired on 2026-11-21 and is ignored",
                "warning expiring: overrides.csv:4: expires on 2026-12-22",
            ],
        ),
        (
            "account_keys",
            ("*,role,account/Admin,account", "*,none,,"),
            ["error ambiguous: account_keys.csv:3: gives nothing, while line 2 gives something"],
        ),
        (
            "account_keys",
            ("*,bundle,Admni,each_environment",),
            [
                "error unknown-bundle: account_keys.csv:2: access bundle `Admni` has no row in bundles.csv "
                "(did you mean `Admin`?)"
            ],
        ),
        (
            "legacy_baseline",
            ("user_role,technical-admin,*,yes",),
            [
                "warning unknown-legacy: legacy_baseline.csv:2: `technical-admin` is no known legacy role "
                "(did you mean `technical_admin`?)"
            ],
        ),
        (
            "folder_levels",
            (*KNOWN["folder_levels"][:3], "can_manage,user,none,"),
            [
                "warning unmapped: folder_levels.csv: no row of folder_levels.csv translates level "
                "`can_manage` (add a row; target type `none` is an answer too)"
            ],
        ),
    ],
)
def test_what_the_tables_alone_show(
    tmp_path: Path, table: str, rows: tuple[str, ...], expected: list[str]
) -> None:
    """Shadowed, impossible, contradictory, dated and misspelt rows are found without a catalog."""
    notices = found(tmp_path, **{table: rows})
    assert len(notices) == len(expected)
    assert all(notice.startswith(start) for notice, start in zip(notices, expected, strict=True)), notices


@pytest.mark.parametrize(
    ("table", "rows", "expected"),
    [
        (
            "account_keys",
            ("*,role,acount/Admin,account",),
            ["error unknown-role: account_keys.csv:2: role `acount/Admin` is not in the catalog (did"],
        ),
        (
            "account_keys",
            ("*,role,folder/Viewer,each_environment",),
            [
                "error wrong-principal: account_keys.csv:2: role `folder::viewer` for an account key: "
                "a folder role has no effect on an account key"
            ],
        ),
        (
            "api_keys",
            ("*,*,any,role,collection/Viewer,each_environment",),
            [
                "error wrong-principal: api_keys.csv:2: role `collection::viewer` for an API key: "
                "a collection role can be held by users and groups only"
            ],
        ),
        (
            "collection_levels",
            ("can_view,group,role,collection/Curator",),
            [
                "error wrong-principal: collection_levels.csv:2: role `collection::curator` for a group: "
                "custom collection roles do not exist: collection roles are system roles only"
            ],
        ),
        (
            "account_keys",
            ("*,role,account/Admin,each_environment",),
            [
                "error wrong-scope: account_keys.csv:2: role `account::admin` with scope `each_environment`: "
                "an account role cannot be bound to a product environment"
            ],
        ),
        (
            "overrides",
            ("any,id,x,any,*,role,account/Admin,account,why,",),
            [
                "warning wrong-principal: overrides.csv:2: role `account::admin` for an API key: "
                "an account role has no effect on a product-environment API key"
            ],
        ),
        (
            "bundles",
            (
                "Admin,account/Admin,each_environment",
                "Admin,environment/Admn,each_environment",
                "Admin,environment/Admin,account",
            ),
            [
                "error wrong-scope: bundles.csv:2: role `account::admin` with scope `each_environment`: ",
                "error unknown-role: bundles.csv:3: role `environment/Admn` is not in the catalog",
                "error wrong-scope: bundles.csv:4: role `environment::admin` with scope `account`: "
                "an environment role needs a product environment",
            ],
        ),
        (
            "api_keys",
            ("*,*,any,bundle,Admin,each_environment",),
            ["error wrong-principal: api_keys.csv:2: role `account::admin` for an API key: "],
        ),
        (
            "legacy_baseline",
            ("user_role,admin,cld::policy::global::gone::*,yes", "user_role,admin,category:management/*,no"),
            ["warning dead: legacy_baseline.csv:2: `cld::policy::global::gone::*` matches no policy"],
        ),
    ],
)
def test_what_a_catalog_shows(tmp_path: Path, table: str, rows: tuple[str, ...], expected: list[str]) -> None:
    """Targets that are missing or would have no effect are found once each, with the rule against them."""
    notices = found(tmp_path, CATALOG, **{table: rows})
    assert len(notices) == len(expected), notices
    assert all(notice.startswith(start) for notice, start in zip(notices, expected, strict=True)), notices


def test_a_snapshot_shows_what_is_unmapped(tmp_path: Path) -> None:
    """Legacy values of the snapshot without a row are warnings that say who has them and what to write."""
    owners = tuple(user(f"user{n}", "owner") for n in range(5))
    account = snapshot(users=(*owners, user("nil", "")), api_keys=(api_key("1", "web", enabled=False),))
    notices = [n for n in found(tmp_path, None, account, api_keys=("*,*,yes,none,,",)) if "unmapped" in n]
    hint = "target type `none` is an answer too)"
    assert notices == [
        f"warning unmapped: api_keys.csv: no row of api_keys.csv matches the key: web (add a row; {hint}",
        "warning unmapped: user_roles.csv: no row of user_roles.csv translates legacy role `owner`: "
        f"User0, User1, User2 and 2 more (add a row; {hint}",
        "warning unmapped: user_roles.csv: no row of user_roles.csv translates users without a legacy role: "
        f"Nil (add a row with `(none)` as legacy_role; {hint}",
    ]


def test_the_advice_for_users_without_a_role_can_be_followed(tmp_path: Path) -> None:
    """The row that the hint asks for is read, and leaves nothing to say."""
    account = snapshot(users=(user("nil", ""),))
    roles = (*KNOWN["user_roles"], "(none),none,,")
    notices = found(tmp_path, None, account, user_roles=roles)
    assert not [each for each in notices if "unmapped" in each or "user_roles.csv:9" in each]


def test_a_key_has_no_legacy_role_to_be_without(tmp_path: Path) -> None:
    """An override for `(none)` meets users only, and says so when it is meant for something else."""
    rows = ("any,id,1,any,(none),none,,,why,", "user,id,1,folder_level,(none),none,,,why,")
    account = snapshot(api_keys=(api_key("1"),), users=(user("2", ""),))
    notices = found(tmp_path, None, account, overrides=rows)
    assert [each for each in notices if "overrides.csv:2" in each and "dead" in each]
    assert [each for each in notices if each.startswith("error impossible: overrides.csv:3")]


def test_what_cannot_be_read_and_what_cannot_work_come_together(tmp_path: Path) -> None:
    """A misspelt scope hides no unknown role on another line, and is not told again as a missing row."""
    roles = (
        "admin,role,account/Admn,account",
        "billing,role,account/Billing,acount",
        "reports,bundle,Gone,each_environment",
        *(f"{each},none,," for each in LEGACY_ROLES if each not in ("admin", "billing", "reports")),
    )
    keys = ("*,*,any,role,collection/Viewer,each_environment",)
    bundles = ("Admin,account/Admin,acount",)
    mapping, problems = read(
        write(tmp_path, **(KNOWN | {"user_roles": roles, "api_keys": keys, "bundles": bundles}))
    )
    notices = check(mapping, catalog=CATALOG, snapshot=None, today=TODAY, problems=problems)
    assert [(each.rule, str(each.ref)) for each in notices] == [
        ("wrong-principal", "api_keys.csv:2"),
        ("unreadable", "bundles.csv:2"),
        ("unknown-role", "user_roles.csv:2"),
        ("unreadable", "user_roles.csv:3"),
    ]
    whole = check(mapping, catalog=CATALOG, snapshot=None, today=TODAY)
    assert {"unmapped", "unknown-bundle"} <= {each.rule for each in whole}


def test_a_snapshot_shows_dead_rows(tmp_path: Path) -> None:
    """A row that meets nothing is dead, unless another notice says already why."""
    account = busy()
    rows = (
        "web*,*,any,none,,",
        "*,acme-uk,any,none,,",
        "*,*,any,role,environment/Admin,each_environment",
        "x,*,any,none,,",
    )
    assert found(tmp_path, None, account, api_keys=rows) == [
        "error unknown-environment: api_keys.csv:3: `acme-uk` matches no environment of the account "
        "(did you mean `acme-us`?)",
        "warning dead: api_keys.csv:4: nothing in the snapshot meets this row: "
        "every API key → role environment/Admin, in the key's environment",
        "warning shadowed: api_keys.csv:5: never matches: line 4 comes first and covers it "
        "(put the narrower row first, or remove it)",
    ]


def test_a_snapshot_shows_unknown_environments(tmp_path: Path) -> None:
    """A scope that names an environment the account does not have is an error with the nearest name."""
    notices = found(tmp_path, None, busy(), account_keys=("*,role,environment/Admin,environment:acme-euu",))
    assert notices == [
        "error unknown-environment: account_keys.csv:2: environment `acme-euu` is not in the account "
        "(did you mean `acme-eu`?)"
    ]


def test_a_snapshot_shows_overrides_that_compete(tmp_path: Path) -> None:
    """Two overrides as strong as each other on one principal are told; narrow before wide is meant so."""
    account = snapshot(
        users=(user("ann"), user("bob")), groups=(group("team", "ann", "bob"), group("crew", "ann", "bob"))
    )
    rows = (
        "user,group,team,any,*,none,,,why,",
        "user,group,crew,any,*,none,,,why,",
        "user,name,ann,any,*,none,,,why,",
        "user,name,a*,any,*,none,,,why,",
    )
    notices = [each for each in found(tmp_path, None, account, overrides=rows) if "ambiguous" in each]
    assert notices == [
        "warning ambiguous: overrides.csv:3: matches Ann and 1 more as strongly as line 2, "
        "which wins because it comes first (put the narrower one first, or match by id)"
    ]


def test_notices_come_by_file_and_line_whatever_the_rule(tmp_path: Path) -> None:
    """Everything is found at once, sorted, each rule by a published name."""
    mapping = tables(
        tmp_path,
        user_roles=("owner,bundle,Gone,each_environment", "admin,role,account/Admn,account"),
        overrides=("user,id,1,any,*,none,,,,2020-01-01",),
        api_keys=("*,*,any,role,account/Admin,account", "w,*,any,none,,"),
    )
    account = snapshot(users=(user("ann", "nobody"),), api_keys=(api_key("1"),))
    notices = check(mapping, catalog=None, snapshot=account, today=TODAY)
    assert sorted(notices, key=lambda each: each.problem) == list(notices)
    assert {each.rule for each in notices} <= set(RULES)
    assert {"api_keys.csv", "overrides.csv", "user_roles.csv"} <= {each.problem.file for each in notices}


def test_the_catalog_given_is_the_catalog_used(tmp_path: Path) -> None:
    """A newer catalog than the snapshot's is what targets are checked against."""
    empty = Catalog.of([policy("p")], [])
    assert any("unknown-role" in each for each in found(tmp_path, empty, busy()))
    assert EU in busy().environment_by_id


@pytest.mark.parametrize(
    ("pattern", "other", "expected"),
    [
        ("*", "anything*", True),
        ("web-*", "web-eu-*", True),
        ("web-*", "web-1", True),
        ("web-?", "web-*", False),
        ("web-*", "we*", False),
        ("*-eu", "web-*-eu", True),
        ("a?", "a*", False),
        ("a?*", "a*", False),
        ("a*", "a?*", True),
        ("a[bc]", "ab", False),
        ("[x]", "[x]", True),
        ("a*b*c", "a*c", False),
    ],
)
def test_covering_errs_to_no(pattern: str, other: str, expected: bool) -> None:
    """A glob covers another only when it surely matches all that the other does."""
    assert expected is covers(pattern, other)


def test_an_expired_override_shadows_nothing(tmp_path: Path) -> None:
    """What is ignored takes nothing from the row below."""
    rows = ("any,id,x,any,*,none,,,why,2020-01-01", "any,id,x,any,admin,none,,,why,")
    assert ["expired"] == [each.split()[1].rstrip(":") for each in found(tmp_path, overrides=rows)]


def test_a_bad_row_of_a_bundle_is_told_once(tmp_path: Path) -> None:
    """The fault is the bundle's row, however many rows name the bundle and with whatever scope."""
    roles = (*KNOWN["user_roles"][1:], "master_admin,bundle,Admin,all_environments")
    notices = found(tmp_path, CATALOG, user_roles=roles, bundles=("Admin,account/Admin,each_environment",))
    assert ["bundles.csv:2:"] == [each.split()[2] for each in notices]
