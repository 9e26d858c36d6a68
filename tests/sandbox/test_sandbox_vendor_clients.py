"""The vendor's own Python clients, unmodified, over a real socket: they notice when we imitate wrongly."""

from __future__ import annotations

from collections.abc import Iterator

import cloudinary.api
import cloudinary.exceptions
import cloudinary.provisioning
import cloudinary.uploader
import pytest
from cloudinary.api_client import call_account_api, call_api
from cloudinary.provisioning.account_config import reset_config as reset_account_config
from cloudinary_account_provisioning import CldProvisioning, models

import cloudinary
from permmigrate.sandbox import Sandbox
from permmigrate.sandbox.middleware import DEFAULT_LIMIT
from permmigrate.sandbox.server import serving

USAGE = "cld::policy::global::reports::usage::view"


@pytest.fixture
def account() -> Iterator[tuple[Sandbox, CldProvisioning]]:
    sandbox = Sandbox(state="migrated")
    security = models.Security(
        provisioning_api_key=sandbox.account_key, provisioning_api_secret=sandbox.account_secret
    )
    with (
        serving(sandbox) as url,
        CldProvisioning(account_id=sandbox.account_id, server_url=url, security=security) as client,
    ):
        yield sandbox, client


@pytest.fixture
def classic(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    sandbox = Sandbox(state="migrated")
    with serving(sandbox) as url:
        for name, value in sandbox.environ(url).items():
            monkeypatch.setenv(name, value)
        cloudinary.reset_config()
        reset_account_config()
        yield sandbox
        call_api._http.clear()
        call_account_api._http.clear()
        cloudinary.uploader._http.clear()
    monkeypatch.undo()
    cloudinary.reset_config()
    reset_account_config()


def test_the_generated_client_lists_environments_and_keys(account: tuple[Sandbox, CldProvisioning]) -> None:
    """`cloudinary-account-provisioning` reads environments and their access keys, secrets included."""
    sandbox, client = account
    found = client.product_environments.list().sub_accounts or []
    assert [e.cloud_name for e in found] == sandbox.cloud_names
    keys = client.access_keys.list(request={"sub_account_id": found[0].id})
    expected = {key.id for key in sandbox.keys(sandbox.cloud_names[0])}
    assert {key.api_key for key in keys.access_keys or []} == expected
    assert keys.total == len(expected)
    assert all("CANARYSECRET" in (key.api_secret or "") for key in keys.access_keys or [])


def test_the_generated_client_lists_people(account: tuple[Sandbox, CldProvisioning]) -> None:
    """It reads users in pages, groups with members, and a user's groups and environments."""
    _, client = account
    users = client.users.list(request={"page": 2, "page_size": 15}).users or []
    assert len(users) == 15
    groups = client.user_groups.list(extended_details=True).user_groups or []
    group = next(group for group in groups if group.users)
    member = (group.users or [])[0]
    assert group.id in {g.id for g in client.users.get_groups(user_id=str(member.id)).groups or []}
    assert (client.users.get(user_id=str(member.id)).group_count or 0) >= 1
    assert client.users.list_sub_accounts(user_id=str(member.id)).sub_accounts
    assert member.id in {u.id for u in client.user_groups.list_users(group_id=str(group.id)).users or []}


def test_the_generated_client_writes_people(account: tuple[Sandbox, CldProvisioning]) -> None:
    """It creates a user and a group, joins and parts them, and removes both."""
    _, client = account
    user = client.users.create(request={"name": "New Comer", "email": "new@example.com", "role": "reports"})
    group = client.user_groups.create(request={"name": "Newcomers"})
    client.user_groups.add_user(group_id=str(group.id), user_id=str(user.id))
    assert [u.id for u in client.user_groups.list_users(group_id=str(group.id)).users or []] == [user.id]
    assert client.user_groups.remove_user(group_id=str(group.id), user_id=str(user.id)).users == []
    assert client.user_groups.delete(group_id=str(group.id)).message == "ok"
    assert client.users.delete(user_id=str(user.id)).message == "ok"
    with pytest.raises(models.ErrorResponse, match="not found"):
        client.users.get(user_id=str(user.id))


def test_the_generated_client_reads_roles(account: tuple[Sandbox, CldProvisioning]) -> None:
    """It reads roles, system policies, a role's principals, inspect and effective policies."""
    sandbox, client = account
    roles = {r.id for r in client.roles.list(permission_type=models.PermissionTypeEnum.GLOBAL).data or []}
    assert "cld::role::prodenv::master_admin" in roles
    policies = client.system_policies.list(scope_type=models.ScopeTypeEnum.PRODENV).data or []
    assert USAGE in {policy.id for policy in policies}
    role = client.roles.get(request={"role_id": "cld::role::folder::viewer", "folder_id": "abc"})
    assert role.data is not None
    assert all('contains("abc")' in policy.policy_statement for policy in role.data.policies or [])
    held = client.roles.list_principals(
        request={"role_id": "cld::role::prodenv::master_admin", "verbose": True}
    )
    assert {p.id for p in held.data or []} >= {key.id for key in sandbox.keys(sandbox.cloud_names[0])}
    inspected = client.principals.inspect(request={"scope_type": models.ScopeTypeEnum.ACCOUNT})
    assert inspected.data is not None
    assert (inspected.data.principals or [])[0].roles
    assert client.effective_policies.list(scope_type=models.ScopeTypeEnum.ACCOUNT).data
    assert client.public.get_catalog().catalog
    assert client.public.get_schema().schema_


def test_the_generated_client_makes_and_assigns_roles(account: tuple[Sandbox, CldProvisioning]) -> None:
    """It creates, updates and deletes a custom role, and gives an account role to a user."""
    _, client = account
    made = client.roles.create(
        request={
            "name": "Usage watchers",
            "permission_type": "global",
            "scope_type": models.ScopeTypeEnum.PRODENV,
            "system_policy_ids": [USAGE],
        }
    ).data
    assert made is not None
    changed = client.roles.update(
        role_id=made.id, role={"name": "Usage readers", "system_policy_ids": [USAGE]}
    ).data
    assert changed is not None
    assert changed.name == "Usage readers"
    client.roles.delete(role_id=made.id)
    with pytest.raises(models.PermissionsErrorResponse):
        client.roles.get(request={"role_id": made.id})
    user = (client.users.list(request={"emails": ["yael.bendavid@meridianmedia.example"]}).users or [])[0]
    principal = {"type": models.PrincipalTypeEnum.USER, "id": str(user.id)}
    client.principals.update_roles(
        request={
            "operation": models.OperationEnum.ADD,
            "principal": principal,
            "roles": [{"id": "cld::role::account::reports"}],
        }
    )
    held = client.principals.list_roles(
        request={
            "principal_type": models.PrincipalTypeEnum.USER,
            "principal_id": str(user.id),
            "permission_type": models.PermissionTypeEnum.GLOBAL,
            "scope_type": models.ScopeTypeEnum.ACCOUNT,
        }
    )
    assert "cld::role::account::reports" in {role.id for role in held.data or []}


def test_the_generated_client_writes_custom_policies(account: tuple[Sandbox, CldProvisioning]) -> None:
    """It validates, creates, lists and deletes a custom policy."""
    sandbox, client = account
    key = sandbox.keys(sandbox.cloud_names[0])[0].id
    statement = (
        f'permit(principal == Cloudinary::APIKey::"{key}", action == Cloudinary::Action::"read", '
        "resource is Cloudinary::Folder);"
    )
    assert client.public.validate_policy(request={"policy": statement}).valid
    made = client.custom_policies.create(
        request={
            "name": "Read folders",
            "policy_statement": statement,
            "scope_type": models.ScopeTypeEnum.PRODENV,
            "scope_id": sandbox.account.environments[0].id,
        }
    ).data
    assert made is not None
    listed = client.custom_policies.list(
        scope_type=models.ScopeTypeEnum.PRODENV, scope_id=sandbox.account.environments[0].id
    )
    assert made.id in {policy.id for policy in listed.data or []}
    client.custom_policies.delete(policy_id=made.id)


def test_the_classic_sdk_covers_provisioning(classic: Sandbox) -> None:
    """`cloudinary.provisioning` lists and writes environments, keys, users and groups."""
    account = cloudinary.provisioning
    environments = account.sub_accounts()["sub_accounts"]
    assert [e["cloud_name"] for e in environments] == classic.cloud_names
    made = account.generate_access_key(environments[0]["id"], name="from-sdk")
    account.update_access_key(environments[0]["id"], made["api_key"], enabled=False)
    keys = account.access_keys(environments[0]["id"], sort_by="name")["access_keys"]
    assert [k["enabled"] for k in keys if k["name"] == "from-sdk"] == [False]
    assert account.delete_access_key(environments[0]["id"], name="from-sdk")["message"] == "ok"
    user = account.create_user("Sdk User", "sdk@example.com", "media_library_user")
    group = account.create_user_group("From the SDK")
    account.add_user_to_group(group["id"], user["id"])
    assert [u["id"] for u in account.user_group_users(group["id"])["users"]] == [user["id"]]
    assert account.user_in_user_groups(user["id"])["groups"] == [{"id": group["id"], "name": "From the SDK"}]
    assert account.users(user_ids=[user["id"]])["users"][0]["email"] == "sdk@example.com"
    account.delete_user_group(group["id"])
    account.delete_user(user["id"])
    with pytest.raises(cloudinary.exceptions.NotFound):
        account.user(user["id"])


def test_the_classic_sdk_reads_folders_and_limits(classic: Sandbox) -> None:
    """`cloudinary.api` pings, walks and searches folders, and reads the rate-limit headers."""
    api = cloudinary.api
    assert api.ping()["status"] == "ok"
    roots = {folder["path"] for folder in api.root_folders()["folders"]}
    assert {"Brands", "Regions", "Archive", "=1+1"} <= roots
    below = {folder["path"] for folder in api.subfolders("Regions")["folders"]}
    assert {"Regions/日本", "Regions/الشرق الأوسط"} <= below
    found = cloudinary.SearchFolders().expression("path:Brands/Aurora").max_results(500).execute()
    assert found["total_count"] == len(found["folders"])
    usage = api.usage()
    assert usage.rate_limit_allowed == DEFAULT_LIMIT
    assert usage.rate_limit_remaining < DEFAULT_LIMIT
    assert usage.rate_limit_reset_at is not None


def test_the_classic_sdk_uploads_and_is_refused(classic: Sandbox) -> None:
    """A signed upload lands in `asset_folder`; a new key without a role gets the vendor's sentence."""
    uploaded = cloudinary.uploader.upload(b"\x89PNG", asset_folder="Brands/Aurora", tags=["a", "b&c"])
    assert uploaded["asset_folder"] == "Brands/Aurora"
    made = cloudinary.provisioning.generate_access_key(classic.account.environments[0].id, name="roleless")
    cloudinary.config(api_key=made["api_key"], api_secret=made["api_secret"])
    assert cloudinary.api.ping()["status"] == "ok"
    with pytest.raises(cloudinary.exceptions.NotAllowed, match=r'missing permissions \(actions=\["read"\]\)'):
        cloudinary.api.root_folders()
