"""The Admin API in process: folders, shares and data calls, as a key's roles let them be."""

from __future__ import annotations

import hashlib
from collections.abc import Callable

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from permmigrate.sandbox import Knobs, Resource, Sandbox
from permmigrate.sandbox.columns import ROOT, Assignment

Connect = Callable[..., httpx.Client]
FOLDER_ROLES = {
    "viewer": "cld::role::folder::viewer",
    "contributor": "cld::role::folder::contributor",
    "manager": "cld::role::folder::manager",
}
AURORA = "Brands/Aurora"


def strip(sandbox: Sandbox, name: str = "website-prod") -> str:
    """Take every role from a key of the first environment; return its id."""
    key = next(k for k in sandbox.keys(sandbox.cloud_names[0]) if k.name == name)
    sandbox.account.assignments.drop_principal(("apiKey", key.id))
    return key.id


def grant(sandbox: Sandbox, key: str, role: str, folder: str = "") -> None:
    content = ("folder_id", folder_id(sandbox, folder)) if folder else ("", "")
    scope = sandbox.account.environments[0].id
    sandbox.account.assignments.add(Assignment("apiKey", key, role, scope, *content, 0))


def folder_id(sandbox: Sandbox, path: str) -> str:
    number = sandbox.account.folders.by_path(0, path)
    assert number is not None
    return sandbox.account.folders.ids[number]


def sentence(sandbox: Sandbox, action: str) -> dict:
    """The vendor's refusal."""
    environment = sandbox.account.environments[0].id
    message = f'[prodenv:{environment}] Request forbidden due to missing permissions (actions=["{action}"])'
    return {"error": {"message": message}}


def paths(answer: httpx.Response) -> list[str]:
    return [folder["path"] for folder in answer.json()["folders"]]


# identity


def test_ping_succeeds_with_no_role_at_all(migrated: Sandbox, cloud: Connect) -> None:
    """Ping proves identity, not permission."""
    strip(migrated)
    assert cloud(migrated).get("/ping").json() == {"status": "ok"}
    assert cloud(migrated).get("/folders").json() == sentence(migrated, "read")


def test_wrong_keys_are_401_and_say_why(legacy: Sandbox, connect: Connect, cloud: Connect) -> None:
    """An unknown key, a wrong secret, another cloud, a disabled key: each is 401 with its own message."""
    key = legacy.keys("meridian-prod")[0]
    for auth, path, message in (
        (("1" * 15, "x"), "meridian-prod", "unknown api_key"),
        ((key.id, "x"), "meridian-prod", "api_secret mismatch"),
        ((key.id, key.secret), "meridian-staging", "cloud_name mismatch"),
        ((key.id, key.secret), "nowhere", "cloud_name mismatch"),
    ):
        answer = connect(legacy, auth).get(f"/v1_1/{path}/ping")
        assert (answer.status_code, answer.json()) == (401, {"error": {"message": message}})
    disabled = cloud(legacy, "old-cms (do not use)").get("/ping")
    assert (disabled.status_code, disabled.json()["error"]["message"]) == (401, "disabled api_key")
    with httpx.Client(transport=httpx.WSGITransport(app=legacy.wsgi)) as client:
        assert client.get("http://sandbox/v1_1/meridian-prod/ping").status_code == 401


# folders


def test_folders_are_walked_from_the_root(legacy: Sandbox, cloud: Connect) -> None:
    """Roots and children have name, path and external id; the walk reaches every folder."""
    client = cloud(legacy)
    roots = client.get("/folders").json()
    assert roots["next_cursor"] is None
    assert roots["total_count"] == len(roots["folders"])
    found, waiting = [], [folder["path"] for folder in roots["folders"]]
    while waiting:
        path = waiting.pop()
        found.append(path)
        waiting += paths(client.get(f"/folders/{path}"))
    assert sorted(found) == sorted(legacy.account.folders.paths[n] for n in legacy.account.folders.of(0))
    assert set(roots["folders"][0]) == {"name", "path", "external_id"}


def test_children_page_by_cursor(cloud: Connect) -> None:
    """With small pages the children come in turn, each once."""
    sandbox = Sandbox(knobs=Knobs(page_size=2))
    client, found, cursor = cloud(sandbox), [], ""
    while cursor is not None:
        answer = client.get("/folders/Brands", params={"next_cursor": cursor} if cursor else {})
        found += paths(answer)
        cursor = answer.json()["next_cursor"]
    assert found == paths(cloud(Sandbox()).get("/folders/Brands"))


def test_folder_errors(legacy: Sandbox, cloud: Connect) -> None:
    """A folder that is not there is 404, a path that is none 400, one that exists cannot be made again."""
    client = cloud(legacy)
    assert client.get("/folders/Nowhere").status_code == 404
    assert client.get("/folders/Brands/").status_code == 400
    assert client.post("/folders/Brands").status_code == 409
    made = client.post("/folders/Brands/Zeta/New").json()
    assert (made["success"], made["path"], made["name"]) == (True, "Brands/Zeta/New", "New")
    assert "Brands/Zeta" in paths(client.get("/folders/Brands"))


@pytest.mark.parametrize(
    ("expression", "holds"),
    [
        ("", lambda name, path: True),
        ("path:Brands/Aurora", lambda name, path: f"{path}/".startswith("Brands/Aurora/")),
        ("path=Brands/Aurora", lambda name, path: path == "Brands/Aurora"),
        ("path:Brands/*", lambda name, path: path.startswith("Brands/")),
        ('path:"Finance Reports"', lambda name, path: path.startswith("Finance Reports")),
        ("name:aurora", lambda name, path: "Aurora" in name.split()),
        ("name=2026", lambda name, path: name == "2026"),
        ("name:20*", lambda name, path: name.startswith("20")),
        (
            "path:Brands AND name=2026",
            lambda name, path: path.startswith("Brands") and name == "2026",
        ),
        ("name=2026 OR name=2019", lambda name, path: name in ("2026", "2019")),
        ("NOT path:Brands", lambda name, path: not f"{path}/".startswith("Brands/")),
        ("path:Regions/日本", lambda name, path: f"{path}/".startswith("Regions/日本/")),
    ],
)
def test_search_takes_simple_expressions(
    legacy: Sandbox, cloud: Connect, expression: str, holds: Callable[[str, str], bool]
) -> None:
    """GET and POST search agree with each other and with what the expression says."""
    client, folders = cloud(legacy), legacy.account.folders
    expected = {folders.paths[n] for n in folders.of(0) if holds(folders.name(n), folders.paths[n])}
    body = {"expression": expression, "max_results": 500}
    posted = client.post("/folders/search", json=body)
    assert expected
    assert set(paths(posted)) == expected
    assert posted.json()["total_count"] == len(expected)
    assert client.get("/folders/search", params=body).json() == posted.json()


def test_search_defaults_limits_and_errors(legacy: Sandbox, cloud: Connect) -> None:
    """The newest 50 come first by default; more than 500 a page, a bad cursor or expression is 400."""
    client = cloud(legacy)
    default = client.get("/folders/search").json()
    created = [folder["created_at"] for folder in default["folders"]]
    assert len(created) == 50
    assert created == sorted(created, reverse=True)
    assert default["next_cursor"]
    for query in (
        {"max_results": "501"},
        {"max_results": "0"},
        {"next_cursor": "??"},
        {"expression": "size>3"},
        {"expression": "name:a AND"},
    ):
        assert client.get("/folders/search", params=query).status_code == 400, query
    by_name = client.post("/folders/search", json={"sort_by": [{"path": "asc"}], "max_results": 500})
    assert paths(by_name) == sorted(paths(by_name))
    assert client.post("/folders/search", json={"sort_by": [{"shoe": "asc"}]}).status_code == 400


def test_search_gives_no_more_than_2000(cloud: Connect) -> None:
    """A tree of 5,000 folders shows 2,000 of them, in four pages of 500, and tells the total."""
    sandbox = Sandbox("medium")
    client, found, cursor, pages = cloud(sandbox), [], "", 0
    while cursor is not None:
        body = {"max_results": 500, **({"next_cursor": cursor} if cursor else {})}
        answer = client.post("/folders/search", json=body).json()
        found += [folder["external_id"] for folder in answer["folders"]]
        cursor, pages = answer.get("next_cursor"), pages + 1
    assert (len(set(found)), pages, answer["total_count"]) == (2000, 4, 5000)


@settings(max_examples=15, deadline=None)
@given(size=st.integers(1, 120))
def test_the_page_size_of_search_is_invisible(size: int) -> None:
    """Whatever the size of a page, a search finds the same folders in the same order."""
    key = SHARED.keys("meridian-prod")[0]
    transport = httpx.WSGITransport(app=SHARED.wsgi)
    with httpx.Client(transport=transport, auth=(key.id, key.secret)) as client:
        url = "http://sandbox/v1_1/meridian-prod/folders/search"
        found, cursor = [], ""
        while cursor is not None:
            body = {"max_results": size, **({"next_cursor": cursor} if cursor else {})}
            answer = client.post(url, json=body).json()
            found += answer["folders"]
            cursor = answer.get("next_cursor")
        assert found == client.post(url, json={"max_results": 500}).json()["folders"]


SHARED = Sandbox()


# what roles do


def test_legacy_keys_are_all_powerful(legacy: Sandbox, cloud: Connect) -> None:
    """Before the move a key without any role lists, uploads and reads usage."""
    client = cloud(legacy)
    assert client.get("/folders").json()["folders"]
    assert client.get("/resources/image").json()["resources"]
    assert client.get("/usage").status_code == 200
    upload = client.post("/image/upload", files={"file": b"x"}, data={"asset_folder": "Legal"})
    assert upload.json()["asset_folder"] == "Legal"


def test_migrated_keys_keep_working_as_master_admins(migrated: Sandbox, cloud: Connect) -> None:
    """The vendor's migration makes old keys Master Admin of their environment."""
    client = cloud(migrated)
    assert client.get("/usage").status_code == 200
    assert client.post("/image/upload", files={"file": b"x"}).status_code == 200


def test_a_key_without_roles_is_refused_everything(migrated: Sandbox, cloud: Connect) -> None:
    """Default deny: every data call answers 403 with the vendor's sentence and the action."""
    strip(migrated)
    client = cloud(migrated)
    assert client.post("/image/upload", files={"file": b"x"}).json() == sentence(migrated, "create")
    for path in ("/resources/image", "/usage", "/folders/Brands", "/folders/search"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()) == (403, sentence(migrated, "read")), path


def test_a_media_library_user_key_sees_nothing(migrated: Sandbox, cloud: Connect) -> None:
    """With Media Library User alone lists are empty, and uploads and usage are refused."""
    grant(migrated, strip(migrated), "cld::role::prodenv::ml_user")
    client = cloud(migrated)
    assert client.get("/resources/image").json() == {"resources": []}
    assert client.get("/folders").json()["folders"] == []
    assert client.post("/image/upload", files={"file": b"x"}).status_code == 403
    assert client.get("/usage").json() == sentence(migrated, "read")


def test_asset_folder_chooses_what_a_folder_role_is_asked_for(migrated: Sandbox, cloud: Connect) -> None:
    """A folder Contributor uploads into the folder and below; a public id with a path does not choose it."""
    grant(migrated, strip(migrated), FOLDER_ROLES["contributor"], AURORA)
    client = cloud(migrated)

    def upload(**data: str) -> int:
        return client.post("/image/upload", files={"file": b"x"}, data=data).status_code

    assert upload(asset_folder=AURORA) == 200
    assert upload(asset_folder=f"{AURORA}/2026/Campaigns") == 200
    assert upload(asset_folder=f"{AURORA}/Brand new") == 200
    assert upload(asset_folder="Brands") == 403
    assert upload(public_id=f"{AURORA}/x") == 403
    below = {path for path in migrated.account.folders.paths if path.startswith(f"{AURORA}/")}
    assert set(paths(client.get(f"/folders/{AURORA}"))) <= below
    listed = client.get("/resources/by_asset_folder", params={"asset_folder": AURORA}).json()["resources"]
    assert {asset["asset_folder"] for asset in listed} == {AURORA}
    assert client.get("/resources/by_asset_folder?asset_folder=Legal").status_code == 403
    assert client.get("/resources/by_asset_folder?asset_folder=Nowhere").status_code == 404


def test_a_custom_policy_permits_and_forbids(migrated: Sandbox, cloud: Connect) -> None:
    """A custom permit opens one folder to a key without roles; a custom forbid beats Master Admin."""
    uploader = strip(migrated, "ci-uploader")
    client = cloud(migrated, "ci-uploader")
    body = {"files": {"file": b"x"}}
    assert client.post("/image/upload", data={"asset_folder": f"{AURORA}/2026"}, **body).status_code == 200
    assert client.post("/image/upload", data={"asset_folder": "Legal"}, **body).status_code == 403
    importer = next(k for k in migrated.keys("meridian-prod") if k.name == "legacy-import").id
    environment = migrated.account.environments[0].id

    def delete(path: str) -> bool:
        attributes = {
            "ancestor_ids": [folder_id(migrated, path)],
            "collection_ids": [],
            "resource_type": "image",
            "access_control": "public",
        }
        return migrated.allowed("apiKey", importer, environment, "delete", Resource("Asset", "a", attributes))

    assert delete("Legal")
    assert not delete("Archive")
    assert uploader != importer


def test_a_groups_forbid_reaches_its_members(migrated: Sandbox) -> None:
    """A user is refused what a custom policy forbids a group, and allowed what any group allows."""
    group = list(migrated.account.groups.values())[2]
    member = next(iter(group.member_ids))
    environment = migrated.account.environments[0].id
    assets = {
        control: Resource(
            "Asset",
            "a",
            {
                "ancestor_ids": [folder_id(migrated, "Agencies/Northlight/Deliveries")],
                "collection_ids": [],
                "resource_type": "image",
                "access_control": control,
            },
        )
        for control in ("public", "restricted")
    }
    assert migrated.allowed("user", member, environment, "update", assets["public"])
    assert not migrated.allowed("user", member, environment, "update", assets["restricted"])


def test_signed_uploads_are_checked(legacy: Sandbox) -> None:
    """An upload without Basic auth needs a signature that fits: SHA-1 or SHA-256 over the sorted fields."""
    key = legacy.keys("meridian-prod")[0]
    url = "http://sandbox/v1_1/meridian-prod/image/upload"
    fields = {"timestamp": "1793610000", "asset_folder": "Legal"}
    text = f"asset_folder=Legal&timestamp=1793610000{key.secret}".encode()
    with httpx.Client(transport=httpx.WSGITransport(app=legacy.wsgi)) as client:

        def post(signature: str) -> httpx.Response:
            data = {**fields, "api_key": key.id, "signature": signature}
            return client.post(url, data=data, files={"file": b"x"})

        assert post(hashlib.sha1(text).hexdigest()).status_code == 200
        assert post(hashlib.sha256(text).hexdigest()).status_code == 200
        assert post("0" * 40).json() == {"error": {"message": "Invalid Signature"}}
        assert client.post(url, data=fields, files={"file": b"x"}).status_code == 401


def test_upload_errors(legacy: Sandbox, cloud: Connect) -> None:
    """No file and an unknown resource type are 400."""
    client = cloud(legacy)
    assert client.post("/image/upload", data={"asset_folder": "x"}).status_code == 400
    assert client.post("/sound/upload", files={"file": b"x"}).status_code == 400
    assert client.get("/resources/sound").status_code == 400


# sharing


def test_invite_shows_own_and_inherited_roles(migrated: Sandbox, cloud: Connect) -> None:
    """`shared_with` says where each role was given, and whether it is inherited."""
    path = f"/folder_operations/invite/{folder_id(migrated, f'{AURORA}/2026')}"
    shared = cloud(migrated).get(path).json()["shared_with"]
    own = [entry for entry in shared if entry["folder_id"] == folder_id(migrated, f"{AURORA}/2026")]
    above = [entry for entry in shared if entry["folder_id"] == folder_id(migrated, AURORA)]
    assert {role["inherited"] for entry in own for role in entry["roles"]} == {False}
    assert {role["inherited"] for entry in above for role in entry["roles"]} == {True}
    assert set(above[0]["roles"][0]) == {"id", "name", "description", "inherited"}


def test_invite_gives_and_takes_folder_roles(migrated: Sandbox, cloud: Connect) -> None:
    """A key with Master Admin gives a folder role to a key without any, and takes it back."""
    weak = strip(migrated, "mobile-app")
    path = f"/folder_operations/invite/{folder_id(migrated, AURORA)}"
    strong, body = cloud(migrated), {"principal": {"type": "apiKey", "id": weak}, "operation": "add"}
    role = FOLDER_ROLES["contributor"]
    assert strong.post(path, json={**body, "roles": [role]}).json() == {"success": True}
    upload = {"files": {"file": b"x"}, "data": {"asset_folder": AURORA}}
    assert cloud(migrated, "mobile-app").post("/image/upload", **upload).status_code == 200
    assert strong.post(path, json={**body, "operation": "remove", "roles": [role]}).status_code == 200
    assert cloud(migrated, "mobile-app").post("/image/upload", **upload).status_code == 403


def test_permitted_roles_stop_at_ones_own_level(migrated: Sandbox, cloud: Connect) -> None:
    """Contributors may give nothing, managers every system folder role, on their folder only."""
    key = strip(migrated)
    client = cloud(migrated)

    def permitted(path: str) -> set[str]:
        url = f"/folder_operations/invite/{folder_id(migrated, path)}?permitted_roles=true"
        found = client.get(url).json()
        return {role["name"] for role in found.get("permitted_roles", ())}

    grant(migrated, key, FOLDER_ROLES["contributor"], AURORA)
    assert permitted(AURORA) == set()
    grant(migrated, key, FOLDER_ROLES["manager"], AURORA)
    assert permitted(AURORA) >= {"Viewer", "Contributor", "Editor", "Manager"}
    assert permitted("Legal") == set()
    body = {"principal": {"type": "apiKey", "id": key}, "operation": "add", "roles": [FOLDER_ROLES["viewer"]]}
    refused = client.post(f"/folder_operations/invite/{folder_id(migrated, 'Legal')}", json=body)
    assert (refused.status_code, refused.json()) == (403, sentence(migrated, "share"))


def test_invite_errors(migrated: Sandbox, cloud: Connect) -> None:
    """Eleven roles, a foreign role, no principal, an account key, an unknown operation or folder."""
    client, path = cloud(migrated), f"/folder_operations/invite/{folder_id(migrated, AURORA)}"
    user = next(iter(migrated.account.users))
    good = {"principal": {"type": "user", "id": user}, "operation": "add", "roles": [FOLDER_ROLES["viewer"]]}
    for change, status in (
        ({"roles": [FOLDER_ROLES["viewer"]] * 11}, 400),
        ({"roles": ["cld::role::prodenv::master_admin"]}, 400),
        ({"roles": []}, 400),
        ({"principal": {}}, 400),
        ({"principal": {"type": "provisioningKey", "id": migrated.account_key}}, 400),
        ({"principal": {"type": "user", "id": "nobody"}}, 404),
        ({"operation": "subtract"}, 400),
    ):
        answer = client.post(path, json={**good, **change})
        assert answer.status_code == status, change
        assert answer.json()["error"]["message"]
    assert client.get("/folder_operations/invite/none").status_code == 404
    other = migrated.account.folders.ids[migrated.account.folders.of(1)[0]]
    assert client.get(f"/folder_operations/invite/{other}").status_code == 404


def test_every_folder_lists_itself_among_its_ancestors(legacy: Sandbox) -> None:
    """The assumption used everywhere: `ancestor_ids` ends with the folder itself."""
    folders = legacy.account.folders
    for number in range(len(folders)):
        ids = folders.ancestor_ids(number)
        assert ids[-1] == folders.ids[number]
        assert len(ids) == folders.paths[number].count("/") + 1
    assert folders.lineage(ROOT) == []
