"""The Permissions API in process: answers, documented errors, paging and what assignments do."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from permmigrate.sandbox import Knobs, Sandbox

Connect = Callable[..., httpx.Client]
VIEWER = "cld::role::folder::viewer"
MASTER = "cld::role::prodenv::master_admin"
USAGE = "cld::policy::global::reports::usage::view"
ACCESS = "cld::policy::global::ml::access"


def error(answer: httpx.Response) -> tuple[int, str, str, object]:
    found = answer.json()["error"]
    return answer.status_code, found["code"], found["message"], found.get("details", {}).get("fields")


def user(sandbox: Sandbox, number: int = 30) -> str:
    return list(sandbox.account.users)[number]


def give(
    client: httpx.Client, kind: str, identity: str, role: str, operation: str = "add", **where: object
) -> int:
    body = {
        "operation": operation,
        "principal": {"type": kind, "id": identity},
        "roles": [{"id": role, **where}],
    }
    return client.put("/principal_roles", json=body).status_code


def held(client: httpx.Client, kind: str, identity: str, permission: str = "global") -> list[dict]:
    query = {"principal_type": kind, "principal_id": identity, "permission_type": permission}
    return client.get("/principal_roles", params=query).json()["data"]


# the public endpoints


def test_the_public_endpoints_need_no_login(legacy: Sandbox) -> None:
    """Catalog, schema and validation answer without credentials, with the wire's spelling."""
    base = "http://sandbox/v2/accounts/permissions/public"
    with httpx.Client(transport=httpx.WSGITransport(app=legacy.wsgi)) as client:
        catalog = client.get(f"{base}/catalog").json()["catalog"]
        policy = next(p for p in catalog["system_policies"] if p["id"] == ACCESS)
        assert policy["policy"].startswith("permit(principal, action, resource == Cloudinary::Feature")
        assert "provenance" not in policy
        ids = {p["id"] for p in catalog["system_policies"]}
        for role in catalog["system_roles"]:
            assert set(role["system_policy_ids"]) <= ids
        assert "Cloudinary" in client.get(f"{base}/schema").json()["schema"]
        good = {
            "policy": 'permit(principal, action == Cloudinary::Action::"read", '
            "resource is Cloudinary::Asset);"
        }
        assert client.post(f"{base}/validate", json=good).json() == {"valid": True, "errors": []}


def test_validation_speaks_the_specifications_words(legacy: Sandbox) -> None:
    """The specification's own bad example is `invalid_principal`; nonsense is said in Cedar's words."""
    url = "http://sandbox/v2/accounts/permissions/public/validate"
    bad = (
        'permit(principal == Cloudinary::APIKy::"1234", action == Cloudinary::Action::"read", '
        'resource is Cloudinary::Folder ) when {resource.ancestor_ids.contains("asdfjkl12347890")} ;'
    )
    with httpx.Client(transport=httpx.WSGITransport(app=legacy.wsgi)) as client:
        assert client.post(url, json={"policy": bad}).json() == {
            "valid": False,
            "errors": [{"cedar_message": "invalid_principal", "cedar_code": "ACCOUNTS_00002"}],
        }
        found = client.post(url, json={"policy": "permit(("}).json()
        assert found["valid"] is False
        assert found["errors"][0]["cedar_message"]
        assert client.post(url, json={}).status_code == 400


# policies


def test_system_policies_are_the_accounts_unless_prodenv_is_said(
    legacy: Sandbox, permissions: Connect
) -> None:
    """Without `scope_type` the account's policies come; `permission_type` narrows; the key is the wire's."""
    client = permissions(legacy)
    account = client.get("/policies/system").json()["data"]
    assert {policy["scope_type"] for policy in account} == {"account"}
    content = client.get("/policies/system?scope_type=prodenv&permission_type=content").json()["data"]
    assert {tuple(policy["policy_parameters"]) for policy in content} == {("folder_id",), ("collection_id",)}
    assert all("policy_statement" in policy and "policy" not in policy for policy in content)
    assert client.get("/policies/system?scope_type=galaxy").status_code == 400


def test_custom_policies_exist_before_the_move(legacy: Sandbox, permissions: Connect) -> None:
    """A legacy account owns custom policies: a forbid, `like`, `context`, one naming a group, one for all."""
    environment = legacy.account.environments[0].id
    client = permissions(legacy)
    found = client.get(f"/policies/custom?scope_type=prodenv&scope_id={environment}").json()["data"]
    text = "\n".join(policy["policy_statement"] for policy in found)
    for piece in ("forbid(", "like", "context has", "Cloudinary::Group::", "Cloudinary::APIKey::"):
        assert piece in text, piece
    assert "all" in {policy["scope_id"] for policy in found}
    account = client.get("/policies/custom").json()["data"]
    assert {policy["scope_type"] for policy in account} == {"account"}
    assert all("scope_id" not in policy for policy in account)
    assert error(client.get("/policies/custom?scope_type=prodenv")) == (
        400,
        "ACCOUNTS_00005",
        "missing fields",
        ["scope_id"],
    )


def test_custom_policies_are_written(legacy: Sandbox, permissions: Connect) -> None:
    """Create, get, update and delete; an identical statement, whatever its white space, is the 409."""
    client = permissions(legacy)
    environment = legacy.account.environments[0].id
    statement = (
        f'permit(principal == Cloudinary::User::"{user(legacy)}",\n'
        '   action == Cloudinary::Action::"read",  resource is Cloudinary::Asset);'
    )
    body = {"name": "P", "policy_statement": statement, "scope_type": "prodenv", "scope_id": environment}
    made = client.post("/policies/custom", json=body)
    assert made.status_code == 201
    data = made.json()["data"]
    assert data["enabled"] is True
    assert "\n" not in data["policy_statement"]
    assert error(client.post("/policies/custom", json={**body, "policy_statement": statement + "  "})) == (
        409,
        "ACCOUNTS_00006",
        "already exists for the scope",
        [{"policy_statement": data["policy_statement"]}],
    )
    path = f"/policies/custom/{data['id']}"
    assert client.get(path).json()["data"] == data
    assert error(client.put(path, json=body))[3] == ["enabled"]
    assert client.put(path, json={**body, "enabled": True}).status_code == 409
    other = {**body, "policy_statement": statement.replace("read", "update"), "enabled": False}
    assert client.put(path, json=other).json()["data"]["enabled"] is False
    assert client.delete(path).status_code == 204
    assert error(client.get(path)) == (404, "ACCOUNTS_00003", "not found", [{"policy_id": data["id"]}])


def test_a_bad_statement_is_the_cedar_error(legacy: Sandbox, permissions: Connect) -> None:
    """A statement that Cedar does not take is 400 with code ACCOUNTS_00002 and its messages."""
    bad = {"name": "P", "policy_statement": "permit(principal, action, nonsense);", "scope_type": "account"}
    status, code, message, fields = error(permissions(legacy).post("/policies/custom", json=bad))
    assert (status, code, message) == (400, "ACCOUNTS_00002", "invalid request")
    assert isinstance(fields, list)
    assert fields[1]["cedar_errors"][0]["cedar_message"]


def test_effective_policies_bind_principal_and_folder(migrated: Sandbox, permissions: Connect) -> None:
    """A principal's effective policies name the principal and the folder in their statements."""
    client = permissions(migrated)
    environment = migrated.account.environments[0].id
    rows = [r for r in migrated.account.assignments.rows(role=VIEWER) if r.principal_type == "user"]
    row = next(r for r in rows if r.scope_id == environment)
    query = f"?scope_type=prodenv&scope_id={environment}&principal_type=user&principal_id={row.principal_id}"
    found = client.get(f"/policies/effective{query}").json()["data"]
    assert [p["principal_id"] for p in found["principals"]] == [row.principal_id]
    statements = "\n".join(
        p["policy_statement"] for role in found["principals"][0]["roles"] for p in role["system_policies"]
    )
    assert f'principal == Cloudinary::User::"{row.principal_id}"' in statements
    assert row.content_id in statements
    assert "(principal," not in statements
    assert client.get("/policies/effective?principal_type=user").status_code == 400


# roles


def test_roles_need_a_permission_type(legacy: Sandbox, permissions: Connect) -> None:
    """`permission_type` is required and must be known; other filters narrow."""
    client = permissions(legacy)
    missing = (400, "ACCOUNTS_00005", "missing fields", ["permission_type"])
    assert error(client.get("/roles")) == missing
    assert error(client.get("/roles?permission_type=x"))[3] == [{"permission_type": "x"}]
    content = client.get("/roles?permission_type=content").json()["data"]
    assert {"folder_id", "collection_id"} == {role["policy_parameters"][0] for role in content}
    collections = client.get('/roles?permission_type=content&policy_parameters=["collection_id"]').json()
    assert {role["policy_parameters"][0] for role in collections["data"]} == {"collection_id"}
    custom = client.get("/roles?permission_type=global&management_type=custom&scope_type=account").json()
    assert {role["management_type"] for role in custom["data"]} == {"custom"}
    assert {role["scope_type"] for role in custom["data"]} == {"account"}


def test_a_role_comes_with_its_policies(legacy: Sandbox, permissions: Connect) -> None:
    """`roles/{id}` shows placeholders, or the folder that the query binds."""
    client = permissions(legacy)
    role = client.get(f"/roles/{VIEWER}").json()["data"]
    assert all("<folder_id>" in policy["policy_statement"] for policy in role["policies"])
    for query in ("folder_id=f1", "param_key=folder_id&param_value=f1"):
        bound = client.get(f"/roles/{VIEWER}?{query}").json()["data"]
        assert all('contains("f1")' in policy["policy_statement"] for policy in bound["policies"])
    missing = error(client.get("/roles/none"))
    assert missing == (404, "ACCOUNTS_00003", "not found", [{"role_id": "none"}])


def test_custom_roles_are_written(legacy: Sandbox, permissions: Connect) -> None:
    """Create with or without an id, replace as a whole, and refuse taken names and unknown policies."""
    client = permissions(legacy)
    body = {
        "name": "Watchers",
        "permission_type": "global",
        "scope_type": "prodenv",
        "system_policy_ids": [USAGE],
    }
    made = client.post("/roles", json=body)
    assert made.status_code == 201
    role_id = made.json()["data"]["id"]
    assert role_id.startswith("watchers_")
    assert error(client.post("/roles", json=body)) == (
        409,
        "ACCOUNTS_00006",
        "already exists",
        [{"name": "Watchers"}],
    )
    assert client.post("/roles", json={**body, "name": "W2", "id": "mine"}).json()["data"]["id"] == "mine"
    assert client.post("/roles", json={**body, "name": "W3", "id": "mine"}).status_code == 409
    assert error(client.post("/roles", json={"name": "x"}))[3] == ["permission_type", "scope_type"]
    unknown = {**body, "name": "W4", "system_policy_ids": ["cld::global::upload_presets::sample"]}
    assert error(client.post("/roles", json=unknown))[3] == [
        {"system_policy_ids": "cld::global::upload_presets::sample"}
    ]
    path = f"/roles/{role_id}"
    changed = client.put(path, json={"name": "Readers", "system_policy_ids": [ACCESS]}).json()["data"]
    assert [policy["id"] for policy in changed["policies"]] == [ACCESS]
    assert client.put(path, json={"name": "W2", "system_policy_ids": [ACCESS]}).status_code == 409
    assert client.put(path, json={"name": "Readers"}).json()["data"]["policies"] == []
    assert error(client.put(path, json={}))[3] == ["name"]
    assert client.put(f"/roles/{MASTER}", json={"name": "x"}).status_code == 403
    assert client.delete(f"/roles/{MASTER}").status_code == 403


def test_a_role_that_is_held_is_deleted_by_force_alone(legacy: Sandbox, permissions: Connect) -> None:
    """Without `force` a role with principals stays; with it, role and assignments go."""
    client, environment = permissions(legacy), legacy.account.environments[0].id
    assert give(client, "user", user(legacy), "upload_manager_12334565", scope_id=environment) == 200
    assert client.delete("/roles/upload_manager_12334565").status_code == 403
    assert held(client, "user", user(legacy))
    assert client.delete("/roles/upload_manager_12334565?force=true").status_code == 204
    assert held(client, "user", user(legacy)) == []


# principals


def test_the_legacy_state_has_no_assignments(legacy: Sandbox, permissions: Connect) -> None:
    """Before the move roles and policies exist and nobody holds any."""
    client = permissions(legacy)
    for scope in ("account", "prodenv"):
        found = client.get(f"/principal_roles/inspect?scope_type={scope}").json()
        assert found == {"data": {"principals": []}}
    assert client.get(f"/roles/{MASTER}/principals").json() == {"data": []}


def test_roles_are_given_and_taken(legacy: Sandbox, permissions: Connect) -> None:
    """Adding twice and removing what is not held are no errors; a folder role shows its folder and scope."""
    client, environment = permissions(legacy), legacy.account.environments[0].id
    where = {"scope_id": environment, "policy_parameters": {"folder_id": "f1"}}
    for _ in range(2):
        assert give(client, "group", next(iter(legacy.account.groups)), VIEWER, **where) == 200
    found = held(client, "group", next(iter(legacy.account.groups)), "content")
    assert [(r["id"], r["scope_id"], r["policy_parameters"]) for r in found] == [
        (VIEWER, environment, {"folder_id": "f1"})
    ]
    for _ in range(2):
        group = next(iter(legacy.account.groups))
        assert give(client, "group", group, VIEWER, operation="remove", **where) == 200
    assert held(client, "group", next(iter(legacy.account.groups)), "content") == []


def test_a_roles_principals_are_read_and_written(legacy: Sandbox, permissions: Connect) -> None:
    """`roles/{id}/principals` gives ids and types, all of it when verbose, and takes changes."""
    client, environment = permissions(legacy), legacy.account.environments[0].id
    key = legacy.keys("meridian-prod")[0].id
    body = {
        "operation": "add",
        "principals": [
            {"principal_type": "apiKey", "principal_id": key, "scope_id": environment},
            {"principal_type": "user", "principal_id": user(legacy), "scope_id": "all"},
        ],
    }
    assert client.put(f"/roles/{MASTER}/principals", json=body).status_code == 200
    brief = client.get(f"/roles/{MASTER}/principals").json()["data"]
    assert brief == [{"id": key, "type": "apiKey"}, {"id": user(legacy), "type": "user"}]
    verbose = client.get(f"/roles/{MASTER}/principals?verbose=true").json()["data"]
    assert [(p["scope_id"], p["role_id"], p["scope_type"]) for p in verbose] == [
        (environment, MASTER, "prodenv"),
        ("all", MASTER, "prodenv"),
    ]
    other = legacy.account.environments[1].id
    scoped = client.get(f"/roles/{MASTER}/principals?scope_id={other}").json()["data"]
    assert [p["id"] for p in scoped] == [user(legacy)]
    client.put(f"/roles/{MASTER}/principals", json={**body, "operation": "remove"})
    assert client.get(f"/roles/{MASTER}/principals").json()["data"] == []


@pytest.mark.parametrize(
    ("change", "status", "fields"),
    [
        ({"operation": "subtract"}, 400, [{"operation": "subtract"}]),
        ({"operation": None}, 400, ["operation"]),
        ({"principal": {}}, 400, ["principal_type", "principal_id"]),
        ({"principal": {"type": "robot", "id": "x"}}, 400, [{"principal_type": "robot"}]),
        ({"principal": {"type": "user", "id": "xyz098ppb"}}, 404, [{"principal_id": "xyz098ppb"}]),
        ({"roles": []}, 400, ["roles"]),
        ({"roles": [{"id": ""}]}, 400, ["role_id"]),
        ({"roles": [{"id": "none"}]}, 404, [{"role_id": "none"}]),
        ({"roles": [{"id": MASTER, "scope_id": "moon"}]}, 404, [{"scope_id": "moon"}]),
    ],
)
def test_bad_assignments_are_refused_whole(
    legacy: Sandbox, permissions: Connect, change: dict, status: int, fields: list
) -> None:
    """Each documented error of PUT principal_roles, and nothing is assigned by a call that is refused."""
    client = permissions(legacy)
    body = {
        "operation": "add",
        "principal": {"type": "user", "id": user(legacy)},
        "roles": [{"id": "cld::role::account::reports"}],
    }
    if change.get("roles"):
        change = {"roles": body["roles"] + change["roles"]}
    answer = client.put("/principal_roles", json={**body, **change})
    assert (answer.status_code, answer.json()["error"]["details"]["fields"]) == (status, fields)
    assert len(legacy.account.assignments) == 0


@pytest.mark.parametrize(
    ("change", "status", "fields"),
    [
        ({"operation": "subtract"}, 400, [{"operation": "subtract"}]),
        ({"principals": []}, 400, ["principals"]),
        ({"principals": [{"principal_type": "user"}]}, 400, ["principal_id"]),
        ({"principals": [{"principal_type": "user", "principal_id": "x"}]}, 404, [{"principal_id": "x"}]),
    ],
)
def test_bad_principals_of_a_role_are_refused(
    legacy: Sandbox, permissions: Connect, change: dict, status: int, fields: list
) -> None:
    """Each documented error of PUT roles/{id}/principals, an unknown role among them."""
    client = permissions(legacy)
    body = {"operation": "add", "principals": [{"principal_type": "user", "principal_id": user(legacy)}]}
    answer = client.put(f"/roles/{MASTER}/principals", json={**body, **change})
    assert (answer.status_code, answer.json()["error"]["details"]["fields"]) == (status, fields)
    assert error(client.put("/roles/none/principals", json=body))[3] == [{"role_id": "none"}]
    assert len(legacy.account.assignments) == 0


def test_wrong_scope_assignments_are_accepted_and_do_nothing(migrated: Sandbox, permissions: Connect) -> None:
    """A role at the wrong scope or on the wrong kind of principal is stored, shown, and without effect."""
    client, environment = permissions(migrated), migrated.account.environments[0].id
    key = migrated.keys("meridian-prod")[0].id
    give(client, "apiKey", key, MASTER, operation="remove", scope_id=environment)
    decider = migrated._context.decider
    assert not decider.holds_any(key, migrated.account.environments[1].id)
    wrong = (
        (MASTER, {}),
        (VIEWER, {"scope_id": environment}),
        ("cld::role::account::master_admin", {}),
        (
            "cld::role::collection::viewer",
            {"scope_id": environment, "policy_parameters": {"collection_id": "c"}},
        ),
    )
    for role, where in wrong:
        assert give(client, "apiKey", key, role, **where) == 200
    shown = {r["id"] for kind in ("global", "content") for r in held(client, "apiKey", key, kind)}
    assert shown == {role for role, _ in wrong}
    assert decider.effective(("apiKey", key), environment) == []


def test_principal_roles_say_what_is_missing(legacy: Sandbox, permissions: Connect) -> None:
    """Type, id and permission type are required; an unknown principal is 404."""
    client = permissions(legacy)
    assert error(client.get("/principal_roles?permission_type=global"))[3] == [
        "principal_type",
        "principal_id",
    ]
    query = f"principal_type=user&principal_id={user(legacy)}"
    assert error(client.get(f"/principal_roles?{query}"))[3] == ["permission_type"]
    query = "principal_type=user&principal_id=x&permission_type=global"
    assert error(client.get(f"/principal_roles?{query}")) == (
        404,
        "ACCOUNTS_00003",
        "not found",
        [{"principal_id": "x"}],
    )


def crawl(sandbox: Sandbox, query: str) -> list[dict]:
    """Inspect page by page."""
    base = f"http://sandbox/v2/accounts/{sandbox.account_id}/permissions/principal_roles/inspect"
    auth = (sandbox.account_key, sandbox.account_secret)
    found: list[dict] = []
    with httpx.Client(transport=httpx.WSGITransport(app=sandbox.wsgi), auth=auth) as client:
        cursor = ""
        while True:
            answer = client.get(f"{base}?{query}&cursor={cursor}").json()
            found += answer["data"]["principals"]
            cursor = answer.get("next_cursor", "")
            if not cursor:
                return found


@settings(max_examples=15, deadline=None)
@given(size=st.integers(1, 60))
def test_the_page_size_of_inspect_is_invisible(size: int) -> None:
    """Whatever the size of a page, a crawl of inspect finds the same principals once each."""
    whole = crawl(SHARED, "scope_type=prodenv")
    paged = crawl(Sandbox(state="migrated", knobs=Knobs(page_size=size)), "scope_type=prodenv")
    assert paged == whole
    assert len({(p["type"], p["id"]) for p in paged}) == len(paged)


SHARED = Sandbox(state="migrated")


def test_inspect_filters_by_scope_content_and_principal() -> None:
    """An environment's rows are its own and those for all; folder and principal narrow further."""
    first = SHARED.account.environments[0].id
    found = crawl(SHARED, f"scope_type=prodenv&scope_id={first}")
    scopes = {role["scope_id"] for principal in found for role in principal["roles"]}
    assert scopes == {first, "all"}
    folder = SHARED.account.folders.ids[1]
    shared = crawl(SHARED, f"scope_type=prodenv&folder_id={folder}")
    assert shared
    assert {r["policy_parameters"]["folder_id"] for p in shared for r in p["roles"]} == {folder}
    assert shared == crawl(SHARED, f"scope_type=prodenv&param_key=folder_id&param_value={folder}")
    one = shared[0]
    alone = crawl(SHARED, f"scope_type=prodenv&principal_type={one['type']}&principal_id={one['id']}")
    assert [p["id"] for p in alone] == [one["id"]]
    accounts = crawl(SHARED, "scope_type=account")
    assert {role["scope_type"] for p in accounts for role in p["roles"]} == {"account"}


def test_inspect_multiple_evaluates_the_principals_given(permissions: Connect) -> None:
    """POST inspect answers for the listed principals alone; unknown ones are 404, missing fields 400."""
    client = permissions(SHARED)
    users = list(SHARED.account.users)
    body = {
        "scope_type": "prodenv",
        "principals": [{"type": "user", "id": users[0]}, {"type": "user", "id": users[5]}],
    }
    found = client.post("/principal_roles/inspect", json=body).json()["data"]["principals"]
    assert {p["id"] for p in found} <= {users[0], users[5]}
    assert found
    unknown = {**body, "principals": [{"type": "user", "id": "x"}]}
    assert client.post("/principal_roles/inspect", json=unknown).status_code == 404
    assert error(client.post("/principal_roles/inspect", json={}))[3] == ["scope_type", "principals"]


def test_inspect_refuses_a_foreign_cursor_and_a_missing_scope(permissions: Connect) -> None:
    """`scope_type` is required; a cursor that is not ours is 400, an unknown scope 404."""
    client = permissions(SHARED)
    path = "/principal_roles/inspect"
    assert error(client.get(path))[3] == ["scope_type"]
    assert client.get(f"{path}?scope_type=prodenv&cursor=%21%21").status_code == 400
    assert error(client.get(f"{path}?scope_type=prodenv&scope_id=moon"))[3] == [{"scope_id": "moon"}]


def test_custom_policies_page_by_cursor(permissions: Connect) -> None:
    """Custom policies come in pages whose cursors lead to the same whole."""
    sandbox = Sandbox(knobs=Knobs(page_size=2))
    client, query = permissions(sandbox), f"scope_type=prodenv&scope_id={sandbox.account.environments[0].id}"
    found, cursor, pages = [], "", 0
    while True:
        answer = client.get(f"/policies/custom?{query}&cursor={cursor}").json()
        found += [policy["id"] for policy in answer["data"]]
        pages += 1
        cursor = answer.get("next_cursor", "")
        if not cursor:
            break
    assert (len(found), len(set(found)), pages) == (6, 6, 3)


def test_refusals_have_the_documented_bodies(
    migrated: Sandbox, permissions: Connect, connect: Connect
) -> None:
    """401 and 403 are the specification's examples, for a wrong secret, a weak key and another account."""
    answer = permissions(migrated, auth=(migrated.account_key, "x")).get("/roles?permission_type=global")
    assert answer.status_code == 401
    assert answer.json() == {
        "error": {"category": "user_error", "code": "ACCOUNTS_00006", "message": "invalid credentials"}
    }
    key = migrated.audit_key
    weak = permissions(migrated, auth=(key.id, key.secret))
    assert weak.get("/roles?permission_type=global").status_code == 200
    answer = weak.put("/principal_roles", json={})
    assert answer.json() == {
        "error": {"category": "user_error", "code": "ACCOUNTS_00006", "message": "not allowed"}
    }
    assert answer.status_code == 403
    other = connect(migrated).get("/v2/accounts/other/permissions/roles?permission_type=global")
    assert other.status_code == 403


def test_a_key_that_gives_itself_away_is_locked_out(migrated: Sandbox, permissions: Connect) -> None:
    """Once migrated the account key's own roles are what lets it go on."""
    client = permissions(migrated)
    key, role = migrated.account_key, "cld::role::account::master_admin"
    assert give(client, "provisioningKey", key, role, operation="remove") == 200
    assert client.get("/roles?permission_type=global").status_code == 403


def test_after_the_cut_over_nobody_has_more_than_the_roles_given(
    legacy: Sandbox, permissions: Connect
) -> None:
    """In the legacy state the account key may do everything; after `cut_over` without a role nothing."""
    client = permissions(legacy)
    assert client.get("/roles?permission_type=global").status_code == 200
    legacy.cut_over()
    assert client.get("/roles?permission_type=global").status_code == 403


def test_unknown_paths_and_methods(legacy: Sandbox, permissions: Connect) -> None:
    """An unknown path is 404 and a known one with another method 405, in the API's own error body."""
    client = permissions(legacy)
    assert client.get("/nothing").json()["error"]["code"] == "ACCOUNTS_00003"
    assert client.delete("/roles").status_code == 405
