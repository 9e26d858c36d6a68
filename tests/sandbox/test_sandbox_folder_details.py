"""The folder reads that the vendor spells PUT."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from permmigrate.sandbox import Sandbox
from permmigrate.sandbox.wire import Request

Connect = Callable[..., httpx.Client]


def top(client: httpx.Client) -> dict[str, str]:
    return next(folder for folder in client.get("/folders").json()["folders"] if folder["path"] == "Brands")


@pytest.mark.parametrize("inclusive", [True, False])
def test_descendants_are_all_below(legacy: Sandbox, cloud: Connect, inclusive: bool) -> None:
    """Every folder below the one that is named comes once, a folder before its own, itself on request."""
    client = cloud(legacy)
    body = {"id": top(client)["external_id"], "inclusive": inclusive}

    found = [one["path"] for one in client.put("/folders/descendants", json=body).json()["folders"]]

    expected = {path for path in legacy.account.folders.paths[:100] if path.startswith("Brands/")}
    assert expected | ({"Brands"} if inclusive else set()) == set(found)
    assert len(found) == len(set(found))
    places = {path: place for place, path in enumerate(found)}
    assert all(places.get(path.rpartition("/")[0], -1) < place for path, place in places.items())


def test_descendants_can_be_filtered(legacy: Sandbox, cloud: Connect) -> None:
    """`filter_ids` leaves only those."""
    client = cloud(legacy)
    root = top(client)["external_id"]
    one = client.put("/folders/descendants", json={"id": root}).json()["folders"][3]

    answer = client.put("/folders/descendants", json={"id": root, "filter_ids": [one["external_id"], "x"]})

    assert [one] == answer.json()["folders"]


def test_a_folder_by_id_and_by_path_has_its_ancestors(legacy: Sandbox, cloud: Connect) -> None:
    """Both give the same folder, with its ancestors from the root to the parent."""
    client = cloud(legacy)
    below = client.put("/folders/descendants", json={"id": top(client)["external_id"]}).json()["folders"]
    deep = max(below, key=lambda folder: folder["path"].count("/"))

    by_id = client.put("/folders/by_id", json={"id": deep["external_id"]}).json()

    assert by_id == client.put("/folders/by_path", json={"path": deep["path"]}).json()
    parts = deep["path"].split("/")
    assert ["/".join(parts[:n]) for n in range(1, len(parts))] == [a["path"] for a in by_id["ancestors"]]


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("descendants", {"id": "nowhere"}, 404),
        ("descendants", {}, 400),
        ("descendants", {"id": "x", "filter_ids": "y"}, 404),
        ("by_id", {"id": 5}, 400),
        ("by_path", {"path": "Nowhere"}, 404),
        ("by_path", {}, 400),
    ],
)
def test_what_is_not_there_is_refused(
    legacy: Sandbox, cloud: Connect, path: str, body: object, status: int
) -> None:
    """An unknown folder is 404, a missing field 400."""
    assert status == cloud(legacy).put(f"/folders/{path}", json=body).status_code


def test_another_environments_folder_is_not_found(legacy: Sandbox, cloud: Connect) -> None:
    """A folder's id opens it in its own environment only."""
    root = top(cloud(legacy))["external_id"]

    assert 404 == cloud(legacy, environment=1).put("/folders/by_id", json={"id": root}).status_code


def test_a_key_without_roles_is_refused(migrated: Sandbox, cloud: Connect) -> None:
    """What a key does not see is left out, and one that sees nothing is refused."""
    key = next(key for key in migrated.keys("meridian-prod") if key.name == "website-prod")
    folder = migrated.account.folders.ids[0]
    migrated.account.assignments = type(migrated.account.assignments)()

    answer = cloud(migrated, key.name).put("/folders/descendants", json={"id": folder})

    assert 403 == answer.status_code


def test_they_are_reads() -> None:
    """The drop knob, which is for writes, leaves them alone."""
    paths = ("descendants", "by_id", "by_path", "a")

    assert [False, False, False, True] == [
        Request("PUT", f"/v1_1/c/folders/{path}", {}, "", "", b"").is_write for path in paths
    ]
