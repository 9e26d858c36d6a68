"""Rules of the expansion that took a second opinion to find."""

from __future__ import annotations

from dataclasses import replace

import pytest

from permmigrate.catalog import Catalog
from permmigrate.entitlements import AfterAssignment, Entitlements, Grant
from permmigrate.mapping.tables import MappingTables
from permmigrate.model import (
    ApiKey,
    CustomPolicy,
    EnvironmentId,
    Folder,
    FolderId,
    Group,
    GroupId,
    PermissionType,
    Policy,
    PolicyId,
    PrincipalRef,
    PrincipalType,
    ProductEnvironment,
    RoleAssignment,
    RoleId,
    ScopeType,
    User,
    UserId,
)
from permmigrate.snapshot import Snapshot
from random_accounts import catalog

KEY = PrincipalRef(PrincipalType.API_KEY, "123456789012345")
ANA = PrincipalRef(PrincipalType.USER, "ana")
MASTER = RoleId("system::environment::master")
VIEWER = RoleId("system::folder::viewer")
BRANDS = FolderId("f-brands")


def user(id_: str) -> User:
    return User(UserId(id_), id_.title(), f"{id_}@example.com", "media_library_user")


def expanded(*assignments: RoleAssignment, **fields: object) -> Entitlements:
    account: dict[str, object] = {
        "account_id": "acc1",
        "captured_at": "2026-11-22T08:00:00Z",
        "tool_version": "0",
        "environments": tuple(
            ProductEnvironment(EnvironmentId(e), e.title(), e, True) for e in ("env1", "env2")
        ),
        "users": (user("ana"), user("bob")),
        "groups": (Group(GroupId("g1"), "Group", (UserId("ana"),)),),
        "api_keys": (ApiKey(KEY.id, "website", EnvironmentId("env1")),),
        "folders": (Folder(BRANDS, EnvironmentId("env1"), "Brands"),),
        "catalog": catalog(),
    }
    snapshot = Snapshot.of(**(account | fields))  # type: ignore[arg-type]
    return Entitlements(snapshot, MappingTables(), tuple(AfterAssignment(a, "test") for a in assignments))


def after(engine: Entitlements, principal: PrincipalRef) -> dict[str, list[Grant]]:
    """The grants of the after side by scope, scopes without any left out."""
    found = {holding.scope: list(holding.after) for holding in engine.holdings(principal)}
    return {scope: grants for scope, grants in found.items() if grants}


@pytest.mark.parametrize(("scope", "reached"), [("all", {"env1"}), ("env1", {"env1"}), ("env2", set())])
def test_a_key_works_in_its_own_environment(scope: str, reached: set[str]) -> None:
    """A role for all environments, or for another one, gives an API key nothing elsewhere."""
    engine = expanded(RoleAssignment(KEY, MASTER, scope))

    assert reached == after(engine, KEY).keys()
    assert (not reached) == bool(engine.after.ineffective)


def test_a_role_policy_that_names_a_principal_is_undecided() -> None:
    """Whether a role's `principal is User` holds for a key that has the role is not ours to say."""
    book = catalog()
    text = 'permit(principal is Cloudinary::User, action, resource == Cloudinary::Feature::"x");'
    policy = Policy(PolicyId("p"), "Users only", "", ScopeType.ENVIRONMENT, PermissionType.GLOBAL, text)
    role = replace(book.roles[MASTER], id=RoleId("r"), policy_ids=(policy.id,))
    engine = expanded(
        RoleAssignment(KEY, RoleId("r"), "env1"), catalog=Catalog.of([policy], [role], book.schema, "test")
    )

    (grant,) = after(engine, KEY)["env1"]
    assert 0 == grant.masks.permit
    assert grant.masks.opaque_permit
    assert "a principal in a role's policy" in grant.reasons[0][1]


def test_a_policy_for_groups_is_undecided_for_members() -> None:
    """`principal is Group` holds for groups; for their members nobody knows; for others it does not."""
    text = "permit(principal is Cloudinary::Group, action, resource is Cloudinary::UploadPreset);"
    custom = CustomPolicy("c", "For groups", "", ScopeType.ENVIRONMENT, "env1", text)
    engine = expanded(custom_policies=(custom,))

    (of_group,) = after(engine, PrincipalRef(PrincipalType.GROUP, "g1"))["env1"]
    (of_member,) = after(engine, ANA)["env1"]
    assert of_group.masks.permit
    assert 0 == of_member.masks.permit
    assert of_group.masks.permit == of_member.masks.opaque_permit
    assert {} == after(engine, PrincipalRef(PrincipalType.USER, "bob"))


def test_a_placeholder_without_a_folder_has_no_effect() -> None:
    """A content policy in a role that is given on no folder permits nothing, and breaks nothing."""
    book = catalog()
    role = replace(book.roles[MASTER], id=RoleId("r"), policy_ids=book.roles[VIEWER].policy_ids)
    other = Catalog.of(book.policies.values(), [role], book.schema, "test")

    engine = expanded(RoleAssignment(ANA, RoleId("r"), "env1"), catalog=other)

    assert {} == after(engine, ANA)


def test_a_folder_that_a_system_policy_names_is_in_the_tree() -> None:
    """A system policy with a folder's own id in it holds on that folder, listed or not."""
    book = catalog()
    policy = next(p for p in book.policies_of(book.roles[VIEWER]))
    literal = replace(policy, statement=policy.statement.replace("<folder_id>", "elsewhere"))
    role = replace(book.roles[MASTER], id=RoleId("r"), policy_ids=(literal.id,))
    other = Catalog.of([literal], [role], book.schema, "test")

    engine = expanded(RoleAssignment(ANA, RoleId("r"), "env1"), catalog=other)

    assert {"elsewhere"} == {grant.place.id for grant in after(engine, ANA)["env1"]}
    assert "elsewhere" in engine.trees["env1"].index


def test_a_folder_role_holds_on_its_folder() -> None:
    """A role's placeholder becomes the folder it is given on, and the words say so."""
    engine = expanded(RoleAssignment(ANA, VIEWER, "env1", BRANDS))

    grants = after(engine, ANA)["env1"]
    assert {BRANDS} == {grant.place.id for grant in grants}
    assert all(grant.text.endswith("on Brands") for grant in grants)
