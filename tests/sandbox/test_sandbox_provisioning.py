"""The Provisioning API in process: every endpoint's answer and every documented error."""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from permmigrate.sandbox import Knobs, Sandbox

Connect = Callable[..., httpx.Client]
USER_FIELDS = {
    "id",
    "name",
    "first_name",
    "last_name",
    "role",
    "email",
    "pending",
    "enabled",
    "created_at",
    "updated_at",
    "all_sub_accounts",
    "providers",
    "email_preferences",
    "account_id",
    "two_factor",
    "status",
    "root",
    "group_count",
    "sub_account_count",
}


def test_environments_carry_their_keys_with_secrets(legacy: Sandbox, provisioning: Connect) -> None:
    """`sub_accounts` has the specification's fields, `api_access_keys` with `secret` among them."""
    environments = provisioning(legacy).get("/sub_accounts").json()["sub_accounts"]
    assert [e["cloud_name"] for e in environments] == ["meridian-prod", "meridian-staging"]
    first = environments[0]
    assert {"id", "name", "enabled", "created_at", "updated_at"} <= set(first)
    assert all(set(key) == {"key", "secret", "enabled"} for key in first["api_access_keys"])
    assert provisioning(legacy).get(f"/sub_accounts/{first['id']}").json() == first


@pytest.mark.parametrize(
    ("query", "clouds"),
    [
        ("enabled=true", ["meridian-prod", "meridian-staging"]),
        ("enabled=false", []),
        ("prefix=meridian%20s", ["meridian-staging"]),
        ("cloud_names=meridian-prod", ["meridian-prod"]),
        ("cloud_names[]=meridian-prod", ["meridian-prod"]),
    ],
)
def test_environments_can_be_filtered(
    legacy: Sandbox, provisioning: Connect, query: str, clouds: list[str]
) -> None:
    """`enabled`, `prefix` without case, and `cloud_names` in every spelling narrow the list."""
    found = provisioning(legacy).get(f"/sub_accounts?{query}").json()["sub_accounts"]
    assert [e["cloud_name"] for e in found] == clouds


def test_an_environment_is_made_and_changed(legacy: Sandbox, provisioning: Connect) -> None:
    """A new environment comes with a key; its cloud name must be free; it can be switched off."""
    client = provisioning(legacy)
    made = client.post("/sub_accounts", json={"name": "Fresh", "cloud_name": "fresh"}).json()
    assert len(made["api_access_keys"]) == 1
    assert client.post("/sub_accounts", json={"name": "Again", "cloud_name": "fresh"}).status_code == 409
    assert client.post("/sub_accounts", json={}).status_code == 400
    changed = client.put(f"/sub_accounts/{made['id']}", json={"enabled": False}).json()
    assert (changed["enabled"], changed["name"]) == (False, "Fresh")


def test_access_keys_answer_with_secret_and_total(legacy: Sandbox, provisioning: Connect) -> None:
    """`access_keys` pages, sorts newest first, and carries `api_secret` as the specification's does."""
    environment = legacy.account.environments[0].id
    client = provisioning(legacy)
    everything = client.get(f"/sub_accounts/{environment}/access_keys").json()
    assert everything["total"] == len(everything["access_keys"]) == 9
    created = [key["created_at"] for key in everything["access_keys"]]
    assert created == sorted(created, reverse=True)
    assert set(everything["access_keys"][0]) == {
        "name",
        "api_key",
        "api_secret",
        "created_at",
        "updated_at",
        "enabled",
    }
    pages = [
        client.get(f"/sub_accounts/{environment}/access_keys?page={n}&page_size=4").json()["access_keys"]
        for n in (1, 2, 3, 4)
    ]
    assert [len(page) for page in pages] == [4, 4, 1, 0]
    assert list(chain.from_iterable(pages)) == everything["access_keys"]


def test_access_keys_are_written(legacy: Sandbox, provisioning: Connect) -> None:
    """Keys are made, renamed, disabled, refused under a taken name, and deleted by key or by name."""
    base = f"/sub_accounts/{legacy.account.environments[0].id}/access_keys"
    client = provisioning(legacy)
    made = client.post(base, json={"name": "robot"}).json()
    assert len(made["api_key"]) == 15
    assert made["api_key"].isdigit()
    assert client.post(base, json={"name": "robot"}).status_code == 409
    changed = client.put(f"{base}/{made['api_key']}", json={"name": "robot 2", "enabled": False}).json()
    assert (changed["name"], changed["enabled"]) == ("robot 2", False)
    assert client.put(f"{base}/{made['api_key']}", json={"name": "website-prod"}).status_code == 409
    assert client.delete(base, params={"name": "robot 2"}).json() == {"message": "ok"}
    assert client.delete(f"{base}/{made['api_key']}").status_code == 404
    assert client.delete(base).status_code == 400
    assert client.put(f"{base}/{made['api_key']}", json={"enabled": "perhaps"}).status_code == 404


def test_users_have_the_fields_of_the_specification(legacy: Sandbox, provisioning: Connect) -> None:
    """Users carry every field of schema 0.2.0 and no longer `groups` and `sub_account_ids`."""
    users = provisioning(legacy).get("/users").json()["users"]
    assert len(users) == 40
    for user in users:
        assert set(user) - {"last_login", "technical_role"} == USER_FIELDS
    assert [user["root"] for user in users].count(True) == 1
    assert {user["technical_role"] for user in users if "technical_role" in user} == {"technical_admin"}
    assert {user["role"] for user in users} >= {"", "content_curator", "master_admin", "media_library_user"}


@settings(max_examples=20, deadline=None)
@given(size=st.integers(1, 45))
def test_the_page_size_of_users_is_invisible(size: int) -> None:
    """Read page by page until an empty one, the users are the same whatever the size of the page."""
    sandbox = Sandbox()
    transport = httpx.WSGITransport(app=sandbox.wsgi)
    auth = (sandbox.account_key, sandbox.account_secret)
    path = f"http://sandbox/v1_1/provisioning/accounts/{sandbox.account_id}/users"
    with httpx.Client(transport=transport, auth=auth) as client:
        found, page = [], 1
        while users := client.get(path, params={"page": page, "page_size": size}).json()["users"]:
            found += users
            page += 1
        assert found == client.get(path).json()["users"]


def test_the_page_size_knob_caps_every_page(provisioning: Connect) -> None:
    """With the knob a call without a page gets the first one, and a larger size is not honoured."""
    client = provisioning(Sandbox(knobs=Knobs(page_size=7)))
    assert len(client.get("/users").json()["users"]) == 7
    assert len(client.get("/users?page=1&page_size=100").json()["users"]) == 7
    assert len(client.get("/users?page=6&page_size=100").json()["users"]) == 5


@pytest.mark.parametrize(
    ("query", "holds"),
    [
        ("pending=true", lambda user, _: user["pending"]),
        ("prefix=AMELIA", lambda user, _: user["name"].startswith("Amelia")),
        ("sub_account_id={env}", lambda user, limited: user["all_sub_accounts"] or user["id"] in limited),
        ("last_login=true&from=2026-01-01", lambda user, _: user.get("last_login", "") >= "2026-01-01"),
        (
            "last_login=true&from=2026-01-01&union_type=exclude",
            lambda user, _: user.get("last_login", "") < "2026-01-01",
        ),
        ("last_login=true&to=2024-01-01", lambda user, _: "" < user.get("last_login", "") < "2024-01-02"),
    ],
)
def test_users_can_be_filtered(
    legacy: Sandbox, provisioning: Connect, query: str, holds: Callable[[dict, set[str]], bool]
) -> None:
    """Each filter gives exactly the users it says, and there are some."""
    environment = legacy.account.environments[0].id
    limited = {u.id for u in legacy.account.users.values() if u.environment_ids == [environment]}
    everyone = provisioning(legacy).get("/users").json()["users"]
    found = provisioning(legacy).get(f"/users?{query.format(env=environment)}").json()["users"]
    assert found
    assert found == [user for user in everyone if holds(user, limited)]


def test_users_are_found_by_ids_and_emails(legacy: Sandbox, provisioning: Connect) -> None:
    """`ids` and `emails` select users whatever the letters' case, and other filters are ignored."""
    users = list(legacy.account.users.values())
    client = provisioning(legacy)
    wanted = [users[3], users[30]]
    found = client.get("/users", params={"ids": [u.id for u in wanted], "pending": "true"}).json()["users"]
    assert [user["id"] for user in found] == [user.id for user in wanted]
    found = client.get("/users", params={"emails": [wanted[0].email.lower()]}).json()["users"]
    assert [user["id"] for user in found] == [wanted[0].id]


@pytest.mark.parametrize("order", ["name", "role", "status", "activity", "created_at"])
def test_users_can_be_sorted(legacy: Sandbox, provisioning: Connect, order: str) -> None:
    """`sort_order` turns the order round; descending is the default."""
    client = provisioning(legacy)
    field = {"activity": "last_login"}.get(order, order)
    down = [u.get(field, "") for u in client.get(f"/users?sort_by={order}").json()["users"]]
    up = [u.get(field, "") for u in client.get(f"/users?sort_by={order}&sort_order=asc").json()["users"]]
    assert down == sorted(down, reverse=True)
    assert up == sorted(up)


def test_a_users_groups_and_environments(legacy: Sandbox, provisioning: Connect) -> None:
    """A limited user has one environment, a free one all; groups agree with the groups' members."""
    client = provisioning(legacy)
    limited = next(u for u in legacy.account.users.values() if u.environment_ids)
    found = client.get(f"/users/{limited.id}/sub_accounts").json()["sub_accounts"]
    assert [e["id"] for e in found] == limited.environment_ids
    assert set(found[0]) == {"id", "name", "description", "cloud_name", "enabled"}
    extended = client.get("/user_groups?extended_details=true").json()["user_groups"]
    for user in list(legacy.account.users)[:10]:
        groups = client.get(f"/users/{user}/groups").json()["groups"]
        assert [g["id"] for g in groups] == [
            g["id"] for g in extended if user in {member["id"] for member in g["users"]}
        ]


def test_users_are_written(legacy: Sandbox, provisioning: Connect) -> None:
    """Users are invited, changed and deleted, and leave their groups when they go."""
    client = provisioning(legacy)
    body = {"name": "Ada Example", "email": "ada@example.com", "role": "admin"}
    made = client.post("/users", json=body).json()
    assert (made["pending"], made["all_sub_accounts"], made["status"]) == (True, True, "pending")
    assert client.post("/users", json=body).status_code == 409
    assert client.post("/users", json={"name": "x"}).status_code == 400
    assert client.post("/users", json={**body, "email": "b@example.com", "role": "king"}).status_code == 400
    environment = legacy.account.environments[1].id
    path = f"/users/{made['id']}"
    changed = client.put(path, json={"role": "reports", "sub_account_ids": [environment]}).json()
    assert (changed["role"], changed["all_sub_accounts"], changed["sub_account_count"]) == (
        "reports",
        False,
        1,
    )
    assert client.put(path, json={"role": "master_admin"}).json()["all_sub_accounts"] is True
    group = next(iter(legacy.account.groups.values()))
    client.post(f"/user_groups/{group.id}/users/{made['id']}")
    assert client.delete(path).json() == {"message": "ok"}
    assert made["id"] not in group.member_ids
    assert client.get(path).status_code == 404


def test_groups_are_written(legacy: Sandbox, provisioning: Connect) -> None:
    """Groups are made, renamed to a free name only, joined, left and deleted."""
    client = provisioning(legacy)
    made = client.post("/user_groups", json={"name": "Fresh"}).json()
    assert set(made) == {"id", "name"}
    assert client.post("/user_groups", json={"name": "Fresh"}).status_code == 409
    assert client.put(f"/user_groups/{made['id']}", json={"name": "Brand Managers"}).status_code == 409
    assert client.put(f"/user_groups/{made['id']}", json={"name": "Fresher"}).json()["name"] == "Fresher"
    user = next(iter(legacy.account.users.values()))
    joined = client.post(f"/user_groups/{made['id']}/users/{user.id}").json()
    assert joined == {"id": user.id, "name": user.name, "email": user.email}
    detailed = client.get(f"/user_groups/{made['id']}?extended_details=true").json()
    assert [member["id"] for member in detailed["users"]] == [user.id]
    assert client.delete(f"/user_groups/{made['id']}/users/{user.id}").json() == {"users": []}
    assert client.delete(f"/user_groups/{made['id']}").json() == {"message": "ok"}
    assert client.get(f"/user_groups/{made['id']}").status_code == 404


def test_wrong_credentials_are_the_documented_401(legacy: Sandbox, provisioning: Connect) -> None:
    """A wrong secret, an unknown key, an environment's key and no key at all are refused alike."""
    environment_key = legacy.keys("meridian-prod")[0]
    for auth in (
        (legacy.account_key, "wrong"),
        ("nobody", "x"),
        (environment_key.id, environment_key.secret),
    ):
        answer = provisioning(legacy, auth=auth).get("/users")
        assert answer.status_code == 401
        assert answer.json() == {"error": {"message": "Invalid credentials"}}
    path = f"http://sandbox/v1_1/provisioning/accounts/{legacy.account_id}/users"
    with httpx.Client(transport=httpx.WSGITransport(app=legacy.wsgi)) as client:
        assert client.get(path).status_code == 401
        assert client.get(path, headers={"Authorization": "Basic ?"}).status_code == 401


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/users/nobody"),
        ("GET", "/users/nobody/groups"),
        ("GET", "/users/nobody/sub_accounts"),
        ("GET", "/user_groups/none"),
        ("GET", "/user_groups/none/users"),
        ("GET", "/sub_accounts/none"),
        ("GET", "/sub_accounts/none/access_keys"),
        ("PUT", "/users/nobody"),
        ("DELETE", "/user_groups/none"),
    ],
)
def test_what_is_not_there_is_404(legacy: Sandbox, provisioning: Connect, method: str, path: str) -> None:
    """An unknown id anywhere answers 404 with the documented body."""
    answer = provisioning(legacy).request(method, path, json={"name": "x"} if method == "PUT" else None)
    assert answer.status_code == 404
    assert answer.json() == {"error": {"message": "not found"}}


def test_another_accounts_id_is_404(legacy: Sandbox, connect: Connect) -> None:
    """Good credentials do not open another account."""
    answer = connect(legacy).get("/v1_1/provisioning/accounts/other/users")
    assert answer.status_code == 404


def test_bad_queries_and_bodies_are_400(legacy: Sandbox, provisioning: Connect) -> None:
    """Booleans, numbers, dates, orders and JSON that are none are refused, never guessed."""
    client = provisioning(legacy)
    for query in ("pending=maybe", "page=0", "page_size=x", "last_login=true&from=soon", "sort_by=shoe"):
        answer = client.get(f"/users?{query}")
        assert answer.status_code == 400, query
        assert answer.json()["error"]["message"]
    for body in (b"{", b"[1]", b"\xff"):
        headers = {"Content-Type": "application/json"}
        assert client.post("/users", content=body, headers=headers).status_code == 400


def test_the_second_account_key_is_refused_what_its_role_does_not_give(
    migrated: Sandbox, provisioning: Connect
) -> None:
    """Once migrated the audit key reads people; environments, keys and writes are 403."""
    key = migrated.audit_key
    client = provisioning(migrated, auth=(key.id, key.secret))
    assert client.get("/users").status_code == 200
    assert client.get("/user_groups").status_code == 200
    answer = client.get("/sub_accounts")
    assert answer.status_code == 403
    assert answer.json() == {"error": {"message": "not allowed"}}
    assert client.post("/user_groups", json={"name": "x"}).status_code == 403


def test_in_the_legacy_state_every_account_key_may_do_everything(
    legacy: Sandbox, provisioning: Connect
) -> None:
    """Before the move the second key is as powerful as the first."""
    key = legacy.audit_key
    client = provisioning(legacy, auth=(key.id, key.secret))
    assert client.get("/sub_accounts").status_code == 200
    assert client.post("/user_groups", json={"name": "x"}).status_code == 200
