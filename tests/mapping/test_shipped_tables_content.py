"""What the shipped mapping tables say, checked with little but csv and json."""

from __future__ import annotations

import csv
import fnmatch
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from permmigrate.mapping.tables import load

ROOT = Path(__file__).parent.parent.parent
TABLES = ROOT / "mappings"
CATALOG = json.loads((ROOT / "src/permmigrate/sandbox/catalog.json").read_text(encoding="utf-8"))
POLICIES = {policy["id"]: policy for policy in CATALOG["system_policies"]}
SYSTEM_ROLES = {role["id"]: role for role in CATALOG["system_roles"]}
ROLES = SYSTEM_ROLES | {role["id"]: role for role in CATALOG["custom_roles"]}

COLUMNS = {
    "user_roles.csv": "legacy_role target_type target scope",
    "folder_levels.csv": "level principal_type target_type target",
    "collection_levels.csv": "level principal_type target_type target",
    "api_keys.csv": "match environment enabled target_type target scope",
    "account_keys.csv": "match target_type target scope",
    "bundles.csv": "bundle role scope",
    "overrides.csv": "principal_type match_by match applies_to legacy target_type target scope "
    "reason expires",
    "legacy_baseline.csv": "kind legacy policy granted",
    "severity.csv": "scope action resource severity reason",
    "sensitivity.csv": "environment folder label raise reason",
}
CONFIDENCES = {"official", "documented", "third-party", "inferred", "customer", "unknown"}
LEGACY_ROLES = [
    "master_admin",
    "admin",
    "technical_admin",
    "billing",
    "reports",
    "media_library_admin",
    "media_library_user",
]
LEVELS = ["can_view", "can_contribute", "can_edit", "can_manage"]
LEGACY = {
    "user_role": LEGACY_ROLES,
    "folder_level": LEVELS,
    "collection_level": LEVELS,
    "api_key": ["*"],
    "account_key": ["*"],
}

Cells = dict[str, str]


def lines(file: str) -> list[str]:
    return (TABLES / file).read_text(encoding="utf-8").splitlines(keepends=True)


def rows(file: str) -> list[Cells]:
    return list(csv.DictReader(line for line in lines(file) if not line.startswith("#")))


def commented_rows(file: str) -> Iterator[Cells]:
    """The examples in comments: comment lines with as many cells as the header."""
    header = next(csv.reader(lines(file)))
    for line in lines(file)[1:]:
        cells = next(csv.reader([line.removeprefix("# ")]))
        if line.startswith("# ") and len(cells) == len(header):
            yield dict(zip(header, (cell.strip() for cell in cells), strict=True))


def level_of(role: dict[str, Any]) -> str:
    parameters = role["policy_parameters"]
    return (
        parameters[0].removesuffix("_id")
        if parameters
        else {"prodenv": "environment"}.get(role["scope_type"], "account")
    )


def resolve(target: str) -> list[str]:
    """The ids that a row's role names: one when the row is right."""
    if target in ROLES:
        return [target]
    level, _, name = target.partition("/")
    return [role["id"] for role in ROLES.values() if level_of(role) == level and role["name"] == name]


def targets(file: str) -> list[str]:
    column = "role" if file == "bundles.csv" else "target"
    return [row[column] for row in rows(file) if row.get("target_type", "role") == "role"]


def fits(pattern: str, policy: dict[str, Any]) -> bool:
    if pattern.startswith("category:"):
        name = f"{policy['category']}/{policy['sub_category']}"
        return fnmatch.fnmatchcase(name, pattern.removeprefix("category:"))
    return fnmatch.fnmatchcase(policy["id"], pattern)


def baseline(kind: str, legacy: str, policy_id: str) -> Cells:
    """The first row that fits."""
    fitting = (
        row
        for row in rows_of_baseline
        if row["kind"] == kind and row["legacy"] in ("*", legacy) and fits(row["policy"], POLICIES[policy_id])
    )
    return next(fitting)


rows_of_baseline = rows("legacy_baseline.csv")


def granted(kind: str, legacy: str, short: str) -> str:
    return baseline(kind, legacy, f"cld::policy::{short}")["granted"]


def changes(kind: str, legacy: str, role_ids: list[str]) -> dict[str, set[str]]:
    """Policies by what becomes of them: `gained`, `maybe gained`, `lost`, `maybe lost`."""
    after = {policy_id for role_id in role_ids for policy_id in ROLES[role_id]["system_policy_ids"]}
    words = {
        ("no", True): "gained",
        ("unknown", True): "maybe gained",
        ("yes", False): "lost",
        ("unknown", False): "maybe lost",
    }
    found: dict[str, set[str]] = {}
    for policy_id, policy in POLICIES.items():
        if kind == "user_role" and policy["permission_type"] == "content":
            continue
        word = words.get((baseline(kind, legacy, policy_id)["granted"], policy_id in after))
        if word:
            found.setdefault(word, set()).add(policy_id.split("::", 3)[3])
    return found


def bundle_changes(legacy: str) -> dict[str, set[str]]:
    names = [row["target"] for row in rows("user_roles.csv") if row["legacy_role"] == legacy]
    role_ids = [
        role for row in rows("bundles.csv") if row["bundle"] in names for role in resolve(row["role"])
    ]
    return changes("user_role", legacy, role_ids)


def test_every_table_ships() -> None:
    """The folder holds the tables and their explanation."""
    assert sorted(["README.md", *COLUMNS]) == sorted(path.name for path in TABLES.iterdir())


@pytest.mark.parametrize("file", COLUMNS)
def test_columns_and_cells(file: str) -> None:
    """Every table has its columns in order, and every row as many cells as the header."""
    expected = [*COLUMNS[file].split(), "source", "confidence", "note"]
    records = list(csv.reader(line for line in lines(file) if not line.startswith("#")))

    assert expected == records[0]
    assert [record for record in records if len(record) != len(expected)] == []
    assert [record for record in records if any(cell != cell.strip() for cell in record)] == []


@pytest.mark.parametrize("file", COLUMNS)
def test_every_row_says_where_it_comes_from(file: str) -> None:
    """Each row has a source and one of the six words of confidence."""
    assert [row for row in rows(file) if not row["source"] or row["confidence"] not in CONFIDENCES] == []


@pytest.mark.parametrize("file", COLUMNS)
def test_no_row_stands_twice(file: str) -> None:
    """No two rows of a table have the same cells, sources and notes aside."""
    keys = [tuple(row[column] for column in COLUMNS[file].split()) for row in rows(file)]

    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("file", COLUMNS)
def test_only_the_specification_is_official(file: str) -> None:
    """A row that calls itself official cites the vendor's specification."""
    assert [
        r for r in rows(file) if r["confidence"] == "official" and not r["source"].startswith("spec:")
    ] == []


@pytest.mark.parametrize(
    "file", ["folder_levels.csv", "collection_levels.csv", "api_keys.csv", "account_keys.csv", "bundles.csv"]
)
def test_every_role_named_is_one_role_of_the_catalog(file: str) -> None:
    """A target is an id of the catalog, or a level and a name that only one role has."""
    assert targets(file)
    assert dict.fromkeys(targets(file), 1) == {target: len(resolve(target)) for target in targets(file)}


def test_examples_in_comments_would_work() -> None:
    """Taking the # away from an example leaves a row with good words and a role of the catalog."""
    examples = [*commented_rows("overrides.csv"), *commented_rows("api_keys.csv")]

    assert len(examples) == 2
    assert [len(resolve(row["target"])) for row in examples] == [1, 1]
    assert [row["confidence"] for row in examples] == ["customer", "customer"]


def test_overrides_and_sensitivities_ship_empty() -> None:
    """Nobody has an exception that nobody made, or a folder that nobody called sensitive."""
    assert rows("overrides.csv") == rows("sensitivity.csv") == []


def test_sensitivity_examples_would_work(tmp_path: Path) -> None:
    """Every example in a comment reads without a mistake once the # is gone, the last cell for readers."""
    header = lines("sensitivity.csv")[0]
    examples = [line.removeprefix("# ") for line in lines("sensitivity.csv") if line.count(",") > 6]
    for name in COLUMNS:
        (tmp_path / name).write_text("".join(lines(name)), encoding="utf-8")
    (tmp_path / "sensitivity.csv").write_text(header + "".join(examples[1:]), encoding="utf-8")

    assert ["public", "confidential", "confidential", "embargoed"] == [
        row.label for row in load(tmp_path).sensitivities
    ]


def test_each_legacy_role_and_level_has_its_row() -> None:
    """Seven roles become the bundles of the same names; four levels become the four roles in order."""
    bundles = {row["legacy_role"]: (row["target_type"], row["target"]) for row in rows("user_roles.csv")}
    folder = {row["level"]: ROLES[resolve(row["target"])[0]]["name"] for row in rows("folder_levels.csv")}

    assert {role: ("bundle", role.replace("_", " ").title()) for role in LEGACY_ROLES} == bundles
    assert dict(zip(LEVELS, ("Viewer", "Contributor", "Editor", "Manager"), strict=True)) == folder
    assert [row["level"] for row in rows("collection_levels.csv")] == LEVELS


def test_bundles_are_those_of_the_sandbox() -> None:
    """The table names, role by role, what the sandbox's own move gives."""
    named: dict[str, list[str]] = {}
    for row in rows("bundles.csv"):
        named.setdefault(row["bundle"], []).extend(resolve(row["role"]))

    assert CATALOG["bundles"] == named


def test_scopes_fit_the_roles() -> None:
    """An account role is given at the account, an environment role in environments: else it has no effect."""
    for file in ("bundles.csv", "api_keys.csv", "account_keys.csv"):
        for row in rows(file):
            role = ROLES[resolve(row.get("role") or row["target"])[0]]
            assert (role["scope_type"] == "account") == (row["scope"] == "account"), row
    scopes = {row["legacy_role"]: row["scope"] for row in rows("user_roles.csv")}
    assert scopes.pop("master_admin") == "all_environments"
    assert {"each_environment"} == set(scopes.values())


@pytest.mark.parametrize("kind", LEGACY)
def test_the_baseline_answers_for_every_policy(kind: str) -> None:
    """Each legacy grant has a row for each policy, ends in a wildcard, and explains every unknown."""
    for legacy in LEGACY[kind]:
        own = [row for row in rows_of_baseline if row["kind"] == kind and row["legacy"] == legacy]
        assert own[-1]["policy"] == "*"
        assert set(POLICIES) == {policy_id for policy_id in POLICIES if baseline(kind, legacy, policy_id)}
        assert [row for row in own if row["granted"] == "unknown" and not row["note"]] == []
    assert {"yes", "no", "unknown", "moot"} >= {row["granted"] for row in rows_of_baseline}


def test_no_baseline_row_is_shadowed_by_those_above() -> None:
    """A row for single policies decides one at least; rows by category and wildcards serve other catalogs."""
    used = {
        (row["kind"], row["legacy"], row["policy"])
        for kind, legacies in LEGACY.items()
        for legacy in legacies
        for row in (baseline(kind, legacy, policy_id) for policy_id in POLICIES)
    }
    spare = [
        (row["kind"], row["legacy"], row["policy"])
        for row in rows_of_baseline
        if (row["kind"], row["legacy"], row["policy"]) not in used
    ]

    assert [row for row in spare if not row[2].startswith("category:") and row[2] != "*"] == []


def test_unknowns_stay_few_enough_to_be_useful() -> None:
    """Of what a legacy role granted in account and environment, at most one policy in ten is unknown."""
    for legacy in LEGACY_ROLES:
        answers = [
            baseline("user_role", legacy, policy_id)["granted"]
            for policy_id, policy in POLICIES.items()
            if policy["permission_type"] == "global"
        ]
        assert answers.count("unknown") <= len(answers) / 10, legacy


def test_shares_had_effect_for_those_who_reached_the_media_library() -> None:
    """The gate is shut for Billing and Reports and open for everyone else."""
    gates = {
        legacy: {
            granted("user_role", legacy, short.removeprefix("cld::policy::"))
            for short in POLICIES
            if "::content::" in short
        }
        for legacy in LEGACY_ROLES
    }

    assert {legacy: {"no" if legacy in ("billing", "reports") else "yes"} for legacy in LEGACY_ROLES} == gates


def test_master_admins_neither_gain_nor_lose() -> None:
    """All parts of the Console before, everything after."""
    assert bundle_changes("master_admin") == {}


def test_admins_lose_account_management_and_gain_the_making_of_roles() -> None:
    """The article's "all but billing" against the bundle's "all but account management and billing"."""
    found = bundle_changes("admin")

    assert {"gained", "lost", "maybe lost"} == set(found)
    assert {"roles::manage"} == found["gained"]
    assert {
        "account_security::manage",
        "sso::manage",
        "product_environments::manage",
        "account_settings::manage",
        "account_notifications::manage",
    } == found["lost"]
    assert {"account_keys::view", "account_keys::manage"} == found["maybe lost"]


def test_technical_admins_only_lose() -> None:
    """With no account role, whatever the account's pages gave is gone."""
    found = bundle_changes("technical_admin")

    assert {"lost", "maybe lost"} == set(found)
    assert {"account_security::manage", "product_environments::manage", "audit_logs::view"} <= found["lost"]


def test_reports_and_billing_may_gain_reports_that_nobody_wrote_about() -> None:
    """Audit logs for Reports and usage reports for Billing are maybes, not silence."""
    assert {"maybe gained": {"reports::usage::view", "account_reports::usage::view"}} == bundle_changes(
        "billing"
    )
    assert "audit_logs::view" in bundle_changes("reports")["maybe gained"]
    assert {"maybe gained"} == set(bundle_changes("reports"))


def test_old_api_keys_are_widened_for_certain() -> None:
    """Master Admin adds keys, access, security, settings and sharing, and takes no work on assets away."""
    found = changes("api_key", "*", resolve(targets("api_keys.csv")[0]))

    assert {"gained", "maybe gained"} == set(found)
    assert found["gained"] == {
        "api_keys::manage",
        "api_keys::view",
        "environment_access::manage",
        "environment_access::view",
        "environment_security::manage",
        "environment_security::view",
        "environment_settings::manage",
        "environment_settings::view",
        "folder_and_asset_management::share_folder",
    }


def test_a_key_with_less_gains_nothing() -> None:
    """A key cannot open a page of the Console, so a narrow role for it is free of expansions."""
    found = changes("api_key", "*", resolve("environment/Contributor"))

    assert {"lost", "maybe lost"} == set(found)
    assert {"folder_and_asset_management::delete_asset", "upload_presets::manage"} <= found["lost"]
    assert set() == {"dashboard::view", "ml::access", "studio::access"} & found["lost"]


def test_pages_that_no_key_can_open_are_moot() -> None:
    """Such a row is moot by inference, explained in its note, and for keys only; doors stay gains."""
    pages = [row for row in rows_of_baseline if row["granted"] == "moot"]

    assert len(pages) > 10
    assert {("api_key", "inferred")} == {(r["kind"], r["confidence"]) for r in pages}
    assert {True} == {"no key can open" in r["note"] or "only users and groups" in r["note"] for r in pages}
    for door in ("api_keys::manage", "environment_access::manage", "environment_security::manage"):
        assert granted("api_key", "*", f"global::{door}") == "no"


def test_no_specification_says_what_a_legacy_grant_allowed() -> None:
    """An endpoint that exists today is no word of the vendor's on what an old key or role might do."""
    assert [row for row in rows_of_baseline if row["confidence"] == "official"] == []
    documented = [row for row in rows_of_baseline if row["confidence"] == "documented"]
    assert documented
    assert [row for row in documented if row["source"].startswith(("spec:", "inferred"))] == []


def test_account_keys_gain_more_than_they_had() -> None:
    """Users, groups, environments and access keys before; billing, security, roles and assets after."""
    found = changes(
        "account_key", "*", [role for target in targets("account_keys.csv") for role in resolve(target)]
    )

    assert {"gained", "maybe gained"} == set(found)
    expected = {
        "account_billing::manage",
        "account_security::manage",
        "roles::manage",
        "account_keys::manage",
    }
    assert expected | {"folder_and_asset_management::delete_asset"} <= found["gained"]
    assert (
        not {"users_and_groups::manage", "product_environments::manage", "api_keys::manage"} & found["gained"]
    )


def test_folder_levels_keep_what_is_known_and_ask_about_the_rest() -> None:
    """Restricted downloads below Can manage are a maybe; Can edit could rename and move but not delete."""
    found = {
        row["level"]: changes("folder_level", row["level"], resolve(row["target"]))
        for row in rows("folder_levels.csv")
    }

    assert {
        "can_view": {"maybe lost": {"folder::download_all_assets"}},
        "can_contribute": {
            "maybe gained": {"folder::create_subfolders"},
            "maybe lost": {"folder::download_all_assets"},
        },
        "can_edit": {
            "maybe gained": {"folder::restore", "folder::comment"},
            "maybe lost": {"folder::download_all_assets", "folder::share_assets"},
        },
        "can_manage": {},
    } == found
    edit = {
        name: granted("folder_level", "can_edit", f"content::folder::{name}")
        for name in ("rename", "move", "delete_assets")
    }
    assert edit == {"rename": "yes", "move": "yes", "delete_assets": "no"}


def severity(scope: str, action: str, resource: str) -> str:
    for row in rows("severity.csv"):
        action_fits = row["scope"] in ("*", scope) and fnmatch.fnmatchcase(action, row["action"])
        if action_fits and fnmatch.fnmatchcase(resource, row["resource"]):
            return row["severity"]
    raise AssertionError("the table has no wildcard")


@pytest.mark.parametrize(
    ("expected", "scope", "action", "resource"),
    [
        ("critical", "account", "create", "User"),
        ("critical", "account", "read", "Feature cld::global::users::create"),
        ("critical", "account", "read", "Feature cld::global::roles::manage"),
        ("critical", "account", "create", "ProductEnvironment"),
        ("critical", "account", "update", "Account"),
        ("critical", "prodenv", "read", "Feature cld::global::api_keys::manage"),
        ("critical", "prodenv", "read", "Feature cld::global::environment_security::manage"),
        ("critical", "prodenv", "delete", "Asset"),
        ("critical", "prodenv", "MediaFlows::delete", "MediaFlows::EasyFlow"),
        ("high", "prodenv", "share", "Folder"),
        ("high", "prodenv", "download", "Asset"),
        ("high", "prodenv", "update", "UploadPreset"),
        ("high", "prodenv", "update_settings", "ProductEnvironment"),
        ("high", "prodenv", "read", "APIKey"),
        ("medium", "prodenv", "create", "Asset"),
        ("medium", "prodenv", "move", "Folder"),
        ("medium", "prodenv", "read", "Feature cld::global::ml::access"),
        ("medium", "prodenv", "an action of tomorrow", "Hologram"),
        ("low", "prodenv", "read", "Asset"),
        ("low", "prodenv", "read", "Feature cld::global::reports::usage::view"),
        ("low", "account", "read", "User"),
    ],
)
def test_severity_of(expected: str, scope: str, action: str, resource: str) -> None:
    """People, roles, keys, security and deletion come first; reading comes last; the unheard-of is medium."""
    assert expected == severity(scope, action, resource)


def test_severity_ends_in_a_wildcard() -> None:
    """Every capability there may ever be has a severity, and every row is one of four words."""
    table = rows("severity.csv")

    assert {c: table[-1][c] for c in ("scope", "action", "resource")} == {
        "scope": "*",
        "action": "*",
        "resource": "*",
    }
    assert {"critical", "high", "medium", "low"} == {row["severity"] for row in table}
    assert [row for row in table if not row["reason"]] == []
