"""Concerns: promotions, keys that are denied or hold more, and what is wider tomorrow."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from builders import (
    ROOT,
    a_group,
    a_key,
    a_user,
    api_key,
    environment,
    folder,
    folder_id,
    group,
    sandbox_catalog,
    share,
    snapshot,
    user,
)
from permmigrate.diff.api_operations import operations_of
from permmigrate.diff.capabilities import CapabilityIndex
from permmigrate.diff.compare import compare
from permmigrate.diff.concerns import concerns_of
from permmigrate.diff.people import Summaries
from permmigrate.diff.value import Concern, ConcernKind, Severity
from permmigrate.entitlements import AfterAssignment, Entitlements
from permmigrate.mapping import Granted
from permmigrate.mapping.tables import MappingTables, load
from permmigrate.mapping.translate import translate
from permmigrate.model import (
    AccountKey,
    FolderId,
    PolicyId,
    PrincipalRef,
    PrincipalType,
    RoleAssignment,
    RoleId,
)
from permmigrate.snapshot import Snapshot

TODAY = date(2026, 11, 22)
SHIPPED = load(ROOT / "mappings")
BOTH = (environment("env1"), environment("env2"))
CATALOG = sandbox_catalog()
ADMIN = "cld::role::account::admin"


def role_id(selector: str) -> RoleId:
    found = CATALOG.resolve(selector)
    assert hasattr(found, "policy_ids"), selector
    return found.id


def concerns(entitlements: Entitlements, tables: MappingTables = SHIPPED) -> tuple[Concern, ...]:
    index = CapabilityIndex(entitlements.compiler.universes, tables)
    return concerns_of(entitlements, tables, Summaries.uncounted(entitlements, index))


def by_tables(account: Snapshot, tables: MappingTables = SHIPPED) -> tuple[Concern, ...]:
    """What the tables would make, beside what is assigned already."""
    made = translate(account, tables, today=TODAY)
    after = [AfterAssignment(p.assignment, str(p.row)) for p in made.planned]
    held = [AfterAssignment(a, f"assigned {a.role_id}") for a in account.assignments]
    return concerns(Entitlements(account, tables, (*after, *held), made), tables)


def assigned(before: Snapshot, *roles: RoleAssignment, later: Snapshot | None = None) -> tuple[Concern, ...]:
    """What a later snapshot has."""
    after = tuple(AfterAssignment(role, f"assigned {role.role_id}") for role in roles)
    return concerns(Entitlements(later or before, SHIPPED, after, earlier=before))


def give(principal: PrincipalRef, selector: str, scope: str | None = "env1", on: str = "") -> RoleAssignment:
    return RoleAssignment(principal, role_id(selector), scope, FolderId(folder_id(on)) if on else None)


def of_kind(kind: ConcernKind, found: tuple[Concern, ...]) -> list[Concern]:
    return [concern for concern in found if concern.kind is kind]


# ---------------------------------------------------------------- administrators


def test_a_promotion_says_by_which_role() -> None:
    """Who could not administer the account and now can is told, with the role, the row and what it does."""
    before = snapshot(users=(user("ana", "media_library_user"), user("bob", "master_admin")))

    found = of_kind(
        ConcernKind.ADMIN_PROMOTION,
        assigned(before, give(a_user("ana"), ADMIN, None), give(a_user("bob"), ADMIN, None)),
    )

    assert [(a_user("ana"), Severity.CRITICAL)] == [(c.principal, c.severity) for c in found]
    assert "becomes an administrator of the account through account role Admin" == found[0].text
    assert (f"assigned {ADMIN}",) == found[0].causes
    assert {"Create users", "Delete users"} <= set(found[0].details)


def test_a_promotion_through_a_group_names_the_group_and_who_sleeps() -> None:
    """Members are told with the group they hold it through; one who cannot sign in yet is told as such."""
    before = snapshot(users=(user("ana", enabled=False),), groups=(group("g1", "ana"),))

    found = assigned(before, give(a_group("g1"), "account/Master Admin", None))

    texts = {c.principal: c.text for c in of_kind(ConcernKind.ADMIN_PROMOTION, found)}
    assert {
        a_group("g1"): "becomes an administrator of the account through account role Master Admin",
        a_user("ana"): "becomes an administrator of the account through group Group g1 › account role "
        "Master Admin, once it can sign in",
    } == texts
    assert {21} == {len(c.details) for c in of_kind(ConcernKind.ADMIN_PROMOTION, found)}
    assert all(c.details[-1].startswith("and ") for c in of_kind(ConcernKind.ADMIN_PROMOTION, found))


def test_a_comparison_tells_every_promotion() -> None:
    """Looking only at whom the findings name, it tells the same as looking at everybody."""
    people = (user("ana"), user("bob", "master_admin"), user("cyd"), user("dan", "master_admin"))
    before = snapshot(users=people, groups=(group("g1", "ana", "bob"),))
    roles = give(a_group("g1"), "account/Master Admin", None), give(a_user("dan"), ADMIN, None)
    later = replace(before, assignments=roles)

    diff = compare(before, SHIPPED, today=TODAY, tool_version="0", assigned=later)

    assert isinstance(diff.principals, Summaries)
    everybody = list(replace(diff.principals, rising=None).promoted())
    assert {a_group("g1"), a_user("ana")} == {one.principal for one in everybody}
    assert everybody == list(diff.principals.promoted())


# ---------------------------------------------------------------- keys


def narrow(selector: str) -> MappingTables:
    """The shipped tables, with less for API keys."""
    rows = tuple(replace(row, target=replace(row.target, name=selector)) for row in SHIPPED.api_keys)
    return replace(SHIPPED, api_keys=rows)


def test_a_narrow_key_is_told_by_the_calls_it_loses() -> None:
    """A key that becomes Contributor begins to get 403 on deletions and presets, and on no Console page."""
    found = by_tables(snapshot(api_keys=(api_key(),)), narrow("environment/Contributor"))

    (denied,) = of_kind(ConcernKind.KEY_DENIED, found)
    assert "begins to get 403 where it worked before" == denied.text
    assert Severity.CRITICAL is denied.severity
    assert {
        "Upload API: destroy, in Env1",
        "Admin API: delete assets, in Env1",
        "Admin API: delete upload presets, in Env1",
    } <= set(denied.details)
    assert not [detail for detail in denied.details if "Console" in detail or "create access keys" in detail]
    assert ("api_keys.csv:4",) == denied.causes
    assert [] == of_kind(ConcernKind.KEY_OVERPOWERED, found)


def test_a_key_of_the_shipped_tables_holds_more() -> None:
    """Master Admin lets a key do what none could: share folders, manage keys; disabled keys, once enabled."""
    found = by_tables(snapshot(api_keys=(api_key(), api_key("999999999999999", enabled=False))))

    one, other = of_kind(ConcernKind.KEY_OVERPOWERED, found)
    assert ["holds more than it held", "holds more than it held, once it is enabled"] == [
        one.text,
        other.text,
    ]
    assert "Admin API: assign folder roles, in Env1" in one.details
    assert "Create API keys (no API is known for it), in Env1" in one.details
    assert not [detail for detail in one.details if "Provisioning" in detail or "Console" in detail]
    assert [] == of_kind(ConcernKind.KEY_DENIED, found)


def test_a_key_with_a_folder_role_keeps_some_of_it_there() -> None:
    """What is lost in the environment and stays in a folder is told with the folder."""
    before = snapshot(api_keys=(api_key(),), folders=(folder("Brands"), folder("HR")))

    found = assigned(before, give(a_key(), "folder/Manager", on="Brands"))

    (denied,) = of_kind(ConcernKind.KEY_DENIED, found)
    assert "some of it stays in Brands" == denied.details[-1]
    assert "Upload API: upload, in Env1" in denied.details


def test_account_keys_are_told_by_the_account_apis() -> None:
    """An account key without roles loses provisioning, in the account and in every environment."""
    before = snapshot(environments=BOTH, account_keys=(AccountKey("k1", "terraform"),))

    (denied,) = of_kind(ConcernKind.KEY_DENIED, assigned(before))

    assert "Provisioning API: create users, in the account" in denied.details
    assert "Provisioning API: create access keys, in every environment" in denied.details
    assert not [detail for detail in denied.details if "Admin API" in detail]


def test_what_is_only_maybe_is_told_as_perhaps() -> None:
    """Where the baseline does not know, a key may begin to get 403."""
    unknown = tuple(
        replace(row, granted=Granted.UNKNOWN) if row.granted is Granted.YES else row
        for row in SHIPPED.legacy_baseline
    )
    tables = replace(narrow("environment/Contributor"), legacy_baseline=unknown)

    (denied,) = of_kind(ConcernKind.KEY_DENIED, by_tables(snapshot(api_keys=(api_key(),)), tables))

    assert "may begin to get 403 where it worked before" == denied.text
    assert {True} == {detail.startswith("perhaps ") for detail in denied.details}


def test_unchanged_keys_are_no_concern() -> None:
    """A key that keeps what it had and gains nothing is not spoken of."""
    yes = tuple(replace(row, granted=Granted.YES) for row in SHIPPED.legacy_baseline)
    tables = replace(SHIPPED, legacy_baseline=yes)

    assert () == by_tables(snapshot(api_keys=(api_key(),)), tables)


@pytest.mark.parametrize("kind", [PrincipalType.API_KEY, PrincipalType.ACCOUNT_KEY])
def test_operations_are_those_that_the_key_can_call(kind: PrincipalType) -> None:
    """The account APIs take account keys and no others, and every operation has its source."""
    pairs = [
        (action, resource)
        for namespace in CATALOG.schema.values()
        for action, shape in namespace["actions"].items()
        for resource in (shape.get("appliesTo") or {}).get("resourceTypes", ())
    ]
    found = {operation for pair in pairs for operation in operations_of(kind, *pair)}

    assert len(found) > 15
    of_account = {operation.words.startswith(("Provisioning", "Permissions")) for operation in found}
    assert {kind is PrincipalType.ACCOUNT_KEY} == of_account
    assert all(operation.source for operation in found)


# ---------------------------------------------------------------- tomorrow


def test_all_environments_is_told_where_the_reach_was_a_list() -> None:
    """A limited user and a group with shares are told; who had everything, and keys, are not."""
    before = snapshot(
        environments=BOTH,
        users=(
            user("ana", "admin", all_environments=False, environment_ids=("env2",)),
            user("bob", "admin"),
            user("eve", "master_admin", all_environments=False, environment_ids=("env1",)),
        ),
        groups=(group("g1"), group("g2")),
        api_keys=(api_key(),),
        account_keys=(AccountKey("k1"),),
        folders=(folder("Brands"),),
        shares=(share("Brands", a_group("g1")),),
    )
    holders = [*map(a_user, ("ana", "bob", "eve")), a_group("g1"), a_group("g2"), a_key()]
    holders.append(PrincipalRef(PrincipalType.ACCOUNT_KEY, "k1"))

    found = assigned(before, *(give(holder, "environment/Admin", "all") for holder in holders))

    text = "holds environment role Admin in all environments, those made tomorrow too; before, "
    assert {
        a_user("ana"): text + "access was limited to Env2",
        a_group("g1"): text + "shares were in Env1 only",
        a_group("g2"): text + "the group held nothing",
    } == {c.principal: c.text for c in of_kind(ConcernKind.FUTURE_SCOPE, found)}


def test_an_assignment_without_effect_is_no_concern() -> None:
    """A role at the wrong scope does nothing, tomorrow neither."""
    before = snapshot(users=(user("ana", all_environments=False, environment_ids=()),))

    assert () == assigned(before, give(a_user("ana"), ADMIN, "all"))
    (told,) = assigned(before, RoleAssignment(a_user("ana"), RoleId("gone"), "all"))
    assert (
        "holds role gone in all environments, those made tomorrow too; before, there was access to none"
        == (told.text)
    )


def test_a_role_on_the_parent_of_what_was_shared_is_told() -> None:
    """A role on Brands where its children were shared, one of them with a group, will reach new children."""
    before = snapshot(
        users=(user("ana"), user("bob", "admin")),
        groups=(group("g1", "ana"),),
        folders=tuple(folder(p) for p in ("Brands", "Brands/A", "Brands/B", "Brands/B/x", "HR", "HR/x")),
        shares=(
            share("Brands/A", a_user("ana")),
            share("Brands/B/x", a_group("g1")),
            share("Brands/A", a_user("bob")),
            share("HR", a_user("ana")),
        ),
    )

    found = assigned(
        before,
        give(a_user("ana"), "folder/Viewer", on="Brands"),  # told
        give(a_user("ana"), "folder/Viewer", on="HR/x"),  # above it was shared
        give(a_user("ana"), "folder/Viewer", on="Brands/B/x"),  # shared itself
        give(a_user("bob"), "folder/Viewer", on="Brands"),  # an admin saw everything anyway
        give(a_group("g1"), "folder/Viewer", "all", on="Brands/B"),  # told
    )

    text = (
        "folder role Viewer on {} reaches every folder made below it tomorrow; before, only folders below it "
    )
    assert {
        (
            a_user("ana"),
            text.format("Brands") + "were shared",
            ("Brands/A was shared", "Brands/B/x was shared"),
        ),
        (a_group("g1"), text.format("Brands/B") + "were shared", ("Brands/B/x was shared",)),
    } == {
        (c.principal, c.text, c.details)
        for c in of_kind(ConcernKind.FUTURE_SCOPE, found)
        if "reaches every folder" in c.text
    }


def test_what_the_tables_plan_is_never_on_a_parent() -> None:
    """The tables give a role on the shared folder itself; one assigned already on a parent is still told."""
    account = snapshot(
        users=(user("ana"),),
        folders=(folder("Brands"), folder("Brands/A")),
        shares=(share("Brands/A", a_user("ana")),),
    )
    held = replace(account, assignments=(give(a_user("ana"), "folder/Viewer", on="Brands"),))

    assert [] == of_kind(ConcernKind.FUTURE_SCOPE, by_tables(account))
    (told,) = of_kind(ConcernKind.FUTURE_SCOPE, by_tables(held))
    assert told.text.startswith("folder role Viewer on Brands reaches")


def test_groups_that_an_identity_provider_may_write_are_told() -> None:
    """A group that holds a role and has members who sign in through SAML is told with how many they are."""
    before = snapshot(
        users=(
            user("ana", providers=("saml",)),
            user("bob", providers=("google", "SAML")),
            user("eve", providers=("password",)),
        ),
        groups=(group("g1", "ana", "bob", "eve"), group("g2", "eve"), group("g3", "ana")),
    )

    found = assigned(
        before,
        give(a_group("g1"), "environment/Admin"),
        give(a_group("g1"), "environment/Reports"),
        give(a_group("g2"), "environment/Admin"),
    )

    (told,) = of_kind(ConcernKind.FUTURE_SCOPE, found)
    assert a_group("g1") == told.principal
    assert told.text.startswith("2 of 3 members sign in through SAML: an identity provider may write")
    assert ("environment role Admin", "environment role Reports") == told.details
    assert Severity.CRITICAL is told.severity


def test_roles_that_the_vendor_edited_in_between_are_told() -> None:
    """Who holds a system role that the later catalog has changed is told; with one catalog nothing is."""
    before = snapshot(users=(user("ana"), user("bob")))
    viewer = CATALOG.roles[role_id("environment/Reports")]
    edited = replace(
        CATALOG,
        roles=CATALOG.roles
        | {
            viewer.id: replace(
                viewer, policy_ids=(*viewer.policy_ids, PolicyId("cld::policy::global::ml::access"))
            )
        },
    )
    roles = (give(a_user("ana"), "environment/Reports"), give(a_user("bob"), "environment/Admin"))

    (told,) = assigned(before, *roles, later=replace(before, catalog=edited))

    assert a_user("ana") == told.principal
    assert told.text.startswith("holds environment role Reports, which the vendor edited between")
    assert () == assigned(before, *roles)


def test_many_places_are_cut_short() -> None:
    """A concern names ten places and counts the rest."""
    paths = [f"Brands/{n:02}" for n in range(14)]
    before = snapshot(
        users=(user("ana"),),
        folders=tuple(folder(path) for path in ("Brands", *paths)),
        shares=tuple(share(path, a_user("ana")) for path in paths),
    )

    (told,) = assigned(before, give(a_user("ana"), "folder/Viewer", on="Brands"))

    assert 11 == len(told.details)
    assert "and 4 more" == told.details[-1]
