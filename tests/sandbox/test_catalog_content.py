"""The sandbox's catalog is whole, valid Cedar, and says of every entry what of it is known."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

import cedarpy
import pytest

from permmigrate.sandbox.catalog import Entry, SandboxCatalog, load

CATALOG = load()
CONFIDENCES = {"official", "documented", "third-party", "inferred", "customer", "unknown"}
SAMPLE_IDS = {
    "<folder_id>": "c7c0a1b2c3d4e5f60718293a4b5c6d7e8f",
    "<collection_id>": "9f1e2d3c4b5a69788796a5b4c3d2e1f0",
}
MARKER = {"folder_id": "<folder_id>", "collection_id": "<collection_id>"}


def bound(text: str) -> str:
    for placeholder, sample in SAMPLE_IDS.items():
        text = text.replace(placeholder, sample)
    return text


def statements(policy: Entry) -> list[dict[str, Any]]:
    return list(json.loads(cedarpy.policies_to_json_str(policy["policy"]))["staticPolicies"].values())


def conjuncts(body: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if "&&" in body:
        yield from conjuncts(body["&&"]["left"])
        yield from conjuncts(body["&&"]["right"])
    else:
        yield body


def attribute(node: dict[str, Any]) -> str:
    """The name in `resource.name`; fails for anything else."""
    assert node["."]["left"] == {"Var": "resource"}
    return str(node["."]["attr"])


def condition_shape(test: dict[str, Any]) -> str:
    if "contains" in test:
        name, value = attribute(test["contains"]["left"]), test["contains"]["right"]["Value"]
        return f"{name} contains {value}"
    assert isinstance(test["=="]["right"]["Value"], str)
    return f"{attribute(test['==']['left'])} == literal"


def allowed_conditions(policy: Entry) -> set[str]:
    literal = {"access_control == literal", "type == literal"}
    match policy["policy_parameters"]:
        case []:
            return literal
        case ["folder_id"]:
            return literal | {"ancestor_ids contains <folder_id>"}
        case _:
            return literal | {"collection_ids contains <collection_id>"}


def fits_contract(policy: Entry, statement: dict[str, Any]) -> bool:
    """Whether the statement is one of the shapes the comparison decides exactly."""
    head_ok = statement["effect"] == "permit" and statement["principal"] == {"op": "All"}
    action_ok = statement["action"]["op"] in ("All", "==", "in")
    resource = statement["resource"]
    named = resource.get("entity", {})
    resource_ok = (
        (resource["op"] == "is" and "in" not in resource)
        or (resource["op"] == "==" and named["type"] == "Cloudinary::Feature")
        or (resource["op"] == "==" and named == {"type": "Cloudinary::Collection", "id": "<collection_id>"})
    )
    clauses = statement["conditions"]
    when_ok = all(
        clause["kind"] == "when"
        and all(condition_shape(test) in allowed_conditions(policy) for test in conjuncts(clause["body"]))
        for clause in clauses
    )
    return head_ok and action_ok and resource_ok and when_ok


def ids_of(entries: tuple[Entry, ...]) -> list[str]:
    return [entry["id"] for entry in entries]


def policy_names(role_id: str) -> set[str]:
    return {policy["id"].removeprefix("cld::policy::") for policy in CATALOG.policies_of(role_id)}


@pytest.mark.parametrize("policy", CATALOG.system_policies, ids=ids_of(CATALOG.system_policies))
def test_every_policy_is_valid_against_the_schema(policy: Entry) -> None:
    """A policy, with sample ids in place of its parameters, passes Cedar's own validation."""
    result = cedarpy.validate_policies(bound(policy["policy"]), dict(CATALOG.schema))

    assert [str(error) for error in result.errors] == []
    assert result.validation_passed


def test_validation_can_fail() -> None:
    """The same check refuses a resource type that the schema does not have."""
    result = cedarpy.validate_policies(
        "permit(principal, action, resource is Cloudinary::Nowhere);", dict(CATALOG.schema)
    )

    assert not result.validation_passed


@pytest.mark.parametrize("policy", CATALOG.system_policies, ids=ids_of(CATALOG.system_policies))
def test_statements_keep_to_the_shapes_that_are_decided_exactly(policy: Entry) -> None:
    """No system policy of the sandbox uses Cedar beyond the agreed shapes."""
    assert [s for s in statements(policy) if not fits_contract(policy, s)] == []


@pytest.mark.parametrize(
    "text",
    [
        "forbid(principal, action, resource is Cloudinary::Asset);",
        "permit(principal, action, resource);",
        'permit(principal == Cloudinary::User::"u", action, resource is Cloudinary::Asset);',
        'permit(principal, action, resource is Cloudinary::Asset) unless { resource.resource_type == "a" };',
        'permit(principal, action, resource is Cloudinary::Asset) when {resource.ancestor_ids.contains("")};',
        'permit(principal, action, resource is Cloudinary::Report) when { resource.owner == "x" };',
    ],
)
def test_the_shape_check_refuses_what_lies_outside(text: str) -> None:
    """Forbids, bare resources, named principals, `unless`, foreign ids and attributes are all noticed."""
    policy = {"policy": text, "policy_parameters": ["folder_id"]}

    assert [fits_contract(policy, statement) for statement in statements(policy)] == [False]


@pytest.mark.parametrize("policy", CATALOG.system_policies, ids=ids_of(CATALOG.system_policies))
def test_parameters_and_placeholders_agree(policy: Entry) -> None:
    """Each statement of a content policy is bound to its content; no global policy holds a placeholder."""
    expected = [MARKER[name] for name in policy["policy_parameters"]]

    assert expected == [marker for marker in SAMPLE_IDS if marker in policy["policy"]]
    assert ("content" if expected else "global") == policy["permission_type"]
    for line in policy["policy"].splitlines() if expected else ():
        assert expected[0] in line


def test_ids_and_statements_are_unique() -> None:
    """No policy or role stands twice, by its id or by what it says."""
    roles = CATALOG.system_roles + CATALOG.custom_roles
    policies = [json.dumps(statements(policy)) for policy in CATALOG.system_policies]
    contents = [(role["permission_type"], tuple(role["system_policy_ids"])) for role in CATALOG.system_roles]

    for entries in (ids_of(CATALOG.system_policies), ids_of(roles), policies, contents):
        assert [entry for entry, count in Counter(entries).items() if count > 1] == []


def test_there_are_about_a_hundred_policies_in_every_kind() -> None:
    """The catalog is as wide as the product: account, environment, folders and collections."""
    counts = Counter((p["scope_type"], *p["policy_parameters"]) for p in CATALOG.system_policies)

    assert 100 <= len(CATALOG.system_policies) <= 130
    assert counts == {
        ("account",): 20,
        ("prodenv",): 70,
        ("prodenv", "folder_id"): 17,
        ("prodenv", "collection_id"): 10,
    }


def test_roles_hold_policies_of_their_own_kind() -> None:
    """A role's policies exist once and share its scope, permission type and parameters."""
    for role in CATALOG.system_roles + CATALOG.custom_roles:
        held = CATALOG.policies_of(role["id"])
        kind = (role["scope_type"], role["permission_type"], role["policy_parameters"])
        assert held, role["id"]
        assert len(set(role["system_policy_ids"])) == len(held)
        assert {str(kind)} == {
            str((p["scope_type"], p["permission_type"], p["policy_parameters"])) for p in held
        }


def test_every_role_type_the_vendor_documents_is_here() -> None:
    """Account, environment, folder and collection roles, by the names that are known or guessed."""
    names: dict[str, list[str]] = {}
    for role in CATALOG.system_roles:
        level = (role["policy_parameters"] or [role["scope_type"]])[0].removesuffix("_id")
        names.setdefault(level, []).append(role["name"])

    four = ["Viewer", "Contributor", "Editor", "Manager"]
    environment = ["Master Admin", "Admin", "Technical Admin", "Media Library Admin", "Media Library User"]
    assert {
        "account": ["Master Admin", "Admin", "Reports", "Billing"],
        "prodenv": [*environment, "Reports", "Billing", "Contributor", "Editor"],
        "folder": four,
        "collection": four,
    } == names


def test_every_entry_says_what_is_known_of_it() -> None:
    """Each entry has a source and a confidence, and only what the vendor's spec shows is official."""
    entries = CATALOG.system_policies + CATALOG.system_roles + CATALOG.custom_roles
    official = [p["id"] for p in CATALOG.system_policies if p["provenance"]["confidence"] == "official"]

    assert [
        e["id"] for e in entries if not e["provenance"]["source"] or not e["name"] or not e["description"]
    ] == []
    assert {e["provenance"]["confidence"] for e in entries} <= CONFIDENCES
    assert official == [
        "cld::policy::global::ml::access",
        "cld::policy::global::folder_and_asset_management::create_asset",
        "cld::policy::global::assets::moderate",
        "cld::policy::global::upload_presets::manage",
        "cld::policy::global::reports::delivery::view",
        "cld::policy::global::reports::errors::view",
        "cld::policy::global::reports::usage::view",
        "cld::policy::global::users_and_groups::manage",
        "cld::policy::global::account_security::manage",
        "cld::policy::content::folder::view_download",
        "cld::policy::content::folder::add_assets",
    ]
    assert CATALOG.role_by_id["cld::role::content::folder::editor"]["provenance"]["confidence"] == "unknown"


def test_folder_roles_grow_as_the_vendor_describes_them() -> None:
    """Viewer downloads public assets, each next role adds, Manager adds delete, share, full download."""
    viewer, contributor, editor, manager = (
        policy_names(role["id"])
        for role in CATALOG.system_roles
        if role["policy_parameters"] == ["folder_id"]
    )

    assert {"content::folder::view_download", "content::folder::download_public_assets"} == viewer
    assert {"content::folder::add_assets", "content::folder::create_subfolders"} == contributor - viewer
    assert viewer < contributor < editor < manager
    added = {"delete_assets", "delete_subfolders", "share", "share_assets", "download_all_assets"}
    assert {f"content::folder::{name}" for name in added} == manager - editor


def test_admin_roles_differ_by_account_management_and_billing() -> None:
    """The account's Admin manages people and roles, but neither security, environments, keys nor billing."""
    master, admin = (
        policy_names("cld::role::account::master_admin"),
        policy_names("cld::role::account::admin"),
    )

    assert {
        p["id"].removeprefix("cld::policy::") for p in CATALOG.system_policies if p["scope_type"] == "account"
    } == master
    assert {"global::users_and_groups::manage", "global::roles::manage"} <= admin
    for name in (
        "account_security::manage",
        "product_environments::manage",
        "account_keys::manage",
        "account_billing::view",
    ):
        assert f"global::{name}" in master - admin
    environment = policy_names("cld::role::prodenv::master_admin") - policy_names("cld::role::prodenv::admin")
    assert {"global::billing::view"} == environment
    technical = policy_names("cld::role::prodenv::admin") - policy_names(
        "cld::role::prodenv::technical_admin"
    )
    assert {"global::environment_access::view", "global::environment_access::manage"} == technical


def test_bundles_stand_for_global_system_roles() -> None:
    """The seven bundles name roles of the account or the environment, never content roles."""
    expected = [
        "Master Admin",
        "Admin",
        "Technical Admin",
        "Billing",
        "Reports",
        "Media Library Admin",
        "Media Library User",
    ]
    known = {role["id"] for role in CATALOG.system_roles if role["permission_type"] == "global"}

    assert expected == list(CATALOG.bundles)
    assert {True} == {bool(roles) and set(roles) <= known for roles in CATALOG.bundles.values()}


def test_the_catalog_is_read_once() -> None:
    """Every sandbox of a process shares one value."""
    assert isinstance(load(), SandboxCatalog)
    assert load() is CATALOG
