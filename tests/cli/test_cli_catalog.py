"""`permmigrate catalog`: pulled without credentials, explained in words, compared with whom it touches."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

import builders
from builders import a_group, group, sandbox_catalog, user
from command_line import Account, Ran
from permmigrate.catalog import Catalog
from permmigrate.cloudinary.public import pull
from permmigrate.errors import ExitCode, MalformedAnswerError, ServiceError
from permmigrate.model import FolderId, LedgerEntry, ReadStatus, RoleAssignment, RoleId
from permmigrate.sandbox import Sandbox
from permmigrate.snapshot.catalogfile import dump_catalog, load_catalog
from permmigrate.snapshot.file import dump, load

Call = Callable[..., Ran]
VIEWER = RoleId("cld::role::folder::viewer")
HOSTILE = "a\x1b[2Jb\u202ec\rd\ne\x00"


@pytest.fixture
def book(tmp_path: Path) -> Path:
    """The sandbox's catalog as a pulled file."""
    path = tmp_path / "catalog.json"
    dump_catalog(sandbox_catalog(), path, pulled_at="2026-11-22T08:00:00Z", tool_version="0")
    return path


def printable(text: str) -> bool:
    """Whether a terminal only gets letters and line feeds."""
    return all(c == "\n" or c.isprintable() for c in text)


def test_pulling_sends_no_credentials() -> None:
    """Whatever is asked for has no Authorization header: the catalog is public."""
    sandbox = Sandbox("small", seed=1)
    public = "/v2/accounts/permissions/public"
    seen: list[tuple[str, bool]] = []

    def watched(environ: dict[str, Any], start: Any) -> Any:
        seen.append((environ["PATH_INFO"], "HTTP_AUTHORIZATION" in environ))
        return sandbox.wsgi(environ, start)

    found = pull("http://localhost", inner=httpx.WSGITransport(app=watched))

    assert [(f"{public}/catalog", False), (f"{public}/schema", False)] == seen
    assert len(found.roles) > 20
    assert found.schema


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [(403, b"{}", ServiceError), (404, b"", ServiceError), (200, b"<html>", MalformedAnswerError),
     (200, b'{"catalog": []}', MalformedAnswerError),
     (200, b'{"catalog": {"system_roles": []}}', MalformedAnswerError)],
)  # fmt: skip
def test_a_catalog_that_is_not_one_is_refused(status: int, body: bytes, error: type[Exception]) -> None:
    """A login page, a refusal or half a catalog is an error, never an empty catalog."""
    inner = httpx.MockTransport(lambda _: httpx.Response(status, content=body))
    with pytest.raises(error):
        pull("http://localhost", inner=inner)


def test_pull_then_show_search_and_diff(call: Call, opened: Account, snapshot: Path, tmp_path: Path) -> None:
    """The walk of somebody with nothing but an address; what is pulled is what the snapshot holds."""
    path = tmp_path / "catalog.json"

    pulled = call("catalog", "pull", "--out", path, "--api-url", opened.url)

    assert (ExitCode.OK, f"{path}\n") == (pulled.code, pulled.out)
    assert f"next: permmigrate catalog show --in {path}" in pulled.err
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    system = {id_: role for id_, role in load(snapshot).catalog.roles.items() if id_.startswith("cld::")}
    assert system == load_catalog(path).catalog.roles
    assert "illustrative" in call("catalog", "show", "--in", path).err
    diff = call("catalog", "diff", path, snapshot)
    assert (ExitCode.OK, False) == (diff.code, "removed" in diff.out)
    assert "campaign_organizer" in diff.out


def test_pull_from_where_nobody_answers_writes_nothing(call: Call, tmp_path: Path) -> None:
    """No answer: exit 4, and no file."""
    ran = call("catalog", "pull", "--out", tmp_path / "c.json", "--api-url", "http://127.0.0.1:9")

    assert ran.code == ExitCode.SERVICE
    assert [] == list(tmp_path.iterdir())


def test_roles_are_listed_by_level(call: Call, book: Path) -> None:
    """Account, environment, folder, collection; as text and as JSON the same roles."""
    text = call("catalog", "show", "--in", book)
    data = json.loads(call("catalog", "show", "--in", book, "--json").out)

    levels = [line.split()[0] for line in text.out.splitlines()[1:]]
    assert ["account", "environment", "folder", "collection"] == list(dict.fromkeys(levels))
    assert [row["id"] for row in data] == [line.split()[-1] for line in text.out.splitlines()[1:]]
    assert len(sandbox_catalog().roles) == len(data)


VIEWER_IN_WORDS = """\
folder/Viewer   cld::role::folder::viewer
View and download public assets.

holds in     one folder of a product environment, with the folders and assets in it (folder_id)
held by      users, groups, API keys
not held by  account keys: a folder role has no effect on an account key

may
  assets in the folder   view, download where access_control is public
  folders in the folder  view

policy View all assets   cld::policy::content::folder::view_download
  may view folders in the folder
  may view assets in the folder
    permit(principal, action == Cloudinary::Action::"read", resource is Cloudinary::Folder) \
when { resource.ancestor_ids.contains("<folder_id>") };
    permit(principal, action == Cloudinary::Action::"read", resource is Cloudinary::Asset) \
when { resource.ancestor_ids.contains("<folder_id>") };

policy Download public assets   cld::policy::content::folder::download_public_assets
  may download assets in the folder where access_control is public
    permit(principal, action == Cloudinary::Action::"download", resource is Cloudinary::Asset) \
when { resource.ancestor_ids.contains("<folder_id>") && resource.access_control == "public" };
"""


@pytest.mark.parametrize("name", ["folder/Viewer", "folder/viewer", VIEWER])
def test_a_role_in_words(call: Call, book: Path, name: str) -> None:
    """The whole page of one role, by selector or id."""
    assert VIEWER_IN_WORDS == call("catalog", "show", name, "--in", book).out


def test_a_role_as_data(call: Call, book: Path) -> None:
    """The same as JSON."""
    data = json.loads(call("catalog", "show", "collection/Viewer", "--in", book, "--json").out)

    assert ["user", "group"] == [h["type"] for h in data["holders"] if h["can_hold"]]
    assert all(h["why_not"] for h in data["holders"] if not h["can_hold"])
    assert ["collection_id"] == data["parameters"]
    assert {"the collection"} == {a["where"] for a in data["may"]}
    assert data["policies"][0]["sentences"]


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("Editor", "did you mean `environment/Editor` or `folder/Editor` or `collection/Editor`?"),
        ("folder/Edtor", "did you mean `folder/Editor`"),
        ("zzz", "permmigrate catalog search zzz"),
    ],
)
def test_a_name_that_is_not_enough_is_helped(call: Call, book: Path, name: str, hint: str) -> None:
    """Names repeat across levels: which ones there are is said."""
    ran = call("catalog", "show", name, "--in", book)

    assert (ExitCode.USAGE, "") == (ran.code, ran.out)
    assert hint in ran.err


def test_searching(call: Call, book: Path) -> None:
    """Hits with where they are; nothing found is no error, and near words are offered."""
    ran = call("catalog", "search", "delete", "assets", "--in", book)
    none = call("catalog", "search", "webhoks", "--in", book)
    data = json.loads(call("catalog", "search", "folder", "--in", book, "--json").out)

    assert ran.out.splitlines()[0].startswith("policy  Delete assets")
    assert (ExitCode.OK, "") == (none.code, none.out)
    assert "did you mean `webhooks`" in none.err
    assert len(data["hits"]) > 30
    assert "and " in call("catalog", "search", "folder", "--in", book).err


def test_what_a_change_touches(call: Call, book: Path, tmp_path: Path) -> None:
    """Roles reached, and who holds them by themselves or through a group, as text and JSON."""
    old = sandbox_catalog()
    policy = old.policies[old.roles[VIEWER].policy_ids[0]]
    changed = replace(policy, statement=policy.statement.replace("read", "delete"))
    new = Catalog.of(
        [*(p for p in old.policies.values() if p != policy), changed], old.roles.values(), old.schema
    )
    dump_catalog(new, tmp_path / "new.json", pulled_at="later", tool_version="0")
    held = RoleAssignment(a_group("g1"), VIEWER, "env1", FolderId("f1"))
    account = snapshot_of(users=(user("u1"), user("u2")), groups=(group("g1", "u1"),), assignments=(held,))
    dump(account, tmp_path / "a.snapshot")

    ran = call("catalog", "diff", book, tmp_path / "new.json", "--snapshot", tmp_path / "a.snapshot")
    data = json.loads(
        call(
            "catalog", "diff", book, tmp_path / "new.json", "--snapshot", tmp_path / "a.snapshot", "--json"
        ).out
    )

    assert ran.code == ExitCode.OK
    assert "policy View all assets: statement changed" in ran.out
    assert "touches 1 users: User u1" in ran.out
    assert "touches 1 groups: Group g1" in ran.out
    assert ["u1", "g1"] == sorted((t["id"] for t in data["touched"]), reverse=True)
    assert VIEWER in data["roles_reached"]
    assert "--snapshot" in call("catalog", "diff", book, tmp_path / "new.json").err
    assert "nothing changed\n" == call("catalog", "diff", book, book).out


def test_who_holds_a_role_is_not_claimed_when_it_was_not_read(call: Call, book: Path, tmp_path: Path) -> None:
    """Before the move nobody holds roles; with a gap that cannot be said, and JSON says so as well."""
    role = sandbox_catalog().roles[VIEWER]
    less = Catalog.of(
        sandbox_catalog().policies.values(), [replace(role, policy_ids=())], sandbox_catalog().schema
    )
    dump_catalog(less, tmp_path / "new.json", pulled_at="later", tool_version="0")
    gap = LedgerEntry("assignments", "GET /x", "", ReadStatus.DENIED)
    for name, ledger, text in (("whole", (), "no roles are assigned"), ("torn", (gap,), "INCOMPLETE")):
        dump(snapshot_of(ledger=ledger), tmp_path / name)
        words = ("catalog", "diff", book, tmp_path / "new.json", "--snapshot", tmp_path / name)
        assert text in call(*words).out
        assert (not ledger) == json.loads(call(*words, "--json").out)["holders_complete"]


def snapshot_of(**fields: Any) -> Any:
    return builders.snapshot(**fields)


def test_hostile_names_are_only_letters(call: Call, tmp_path: Path) -> None:
    """Names with escapes, line feeds and turned directions come out visible, in every command."""
    book = sandbox_catalog()
    role = replace(book.roles[VIEWER], id=RoleId("x" + HOSTILE), name=HOSTILE, description=HOSTILE)
    policy = next(iter(book.policies.values()))
    bad = replace(policy, name=HOSTILE, description=HOSTILE, category=HOSTILE)
    other = Catalog.of(
        [*(p for p in book.policies.values() if p != policy), bad], [*book.roles.values(), role], book.schema
    )
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    for path, one in ((old, book), (new, other)):
        dump_catalog(one, path, pulled_at="t", tool_version="0")
    for words in (
        ("show", "--in", new), ("show", role.id, "--in", new), ("search", "viewer", "--in", new),
        ("search", "b", "--in", new), ("diff", old, new), ("show", "--in", new, "--json"),
        ("diff", old, new, "--json"), ("show", f"{HOSTILE}x", "--in", new),
    ):  # fmt: skip
        ran = call("catalog", *words)
        assert printable(ran.out)
        if HOSTILE not in str(words[1]):
            assert printable(ran.err)


def test_files_that_are_no_catalog(call: Call, tmp_path: Path) -> None:
    """Exit 3 with what it should have been."""
    (tmp_path / "x").write_text("id,name\n", encoding="utf-8")

    ran = call("catalog", "show", "--in", tmp_path / "x")

    assert ran.code == ExitCode.INVALID_FILE
    assert "neither a snapshot nor a pulled catalog" in ran.err
    assert call("catalog", "show", "--in", tmp_path / "none").code == ExitCode.INVALID_FILE
