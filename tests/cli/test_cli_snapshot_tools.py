"""`permmigrate snapshot show | diff | anonymize | export`: looking at a snapshot, and sharing it."""

from __future__ import annotations

import csv
import json
import os
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import builders
from builders import a_group, a_user, api_key, environment, folder, group, share, user
from command_line import Account, Ran
from permmigrate.errors import ExitCode
from permmigrate.model import CustomPolicy, LedgerEntry, OrphanShare, ReadStatus, ScopeType
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.file import dump, load

Call = Callable[..., Ran]
HOSTILE = "a\x1b[2Jb\u202ec\rd\ne\x00"
USERS = "GET /v1_1/provisioning/accounts/{account_id}/users"


def saved(path: Path, **fields: Any) -> Path:
    """A small account's snapshot."""
    small: dict[str, Any] = {
        "users": (user("u1"), user("u2", "admin", enabled=False)),
        "groups": (group("g1", "u1", "u2"),),
        "api_keys": (api_key(),),
        "folders": (folder("A"), folder("A/x")),
        "shares": (share("A", a_user("u1")), share("A/x", a_group("g1"), line=3)),
        "ledger": (
            LedgerEntry("people", USERS, "", ReadStatus.READ, 2, 200),
            LedgerEntry("keys", "GET /keys", "Env1", ReadStatus.DENIED, 0, 403, "the key may not"),
        ),
    }
    dump(builders.snapshot(**small | fields), path)
    return path


def hostile(path: Path, word: str = HOSTILE) -> Path:
    """An account where everything is called so."""
    return saved(
        path,
        environments=(environment(name=word),),
        users=(user("u1", name=word, email=word), user("u2", name=f"{word}2")),
        groups=(replace(group("g1", "u1"), name=word),),
        api_keys=(api_key(name=word),),
        folders=(replace(folder("A"), path=word),),
        ledger=(LedgerEntry("people", word, word, ReadStatus.FAILED, 0, None, word),),
        custom_policies=(CustomPolicy("c", word, word, ScopeType.ACCOUNT, None, word),),
        orphan_shares=(OrphanShare((("principal", word),), word, word),),
    )


def printable(text: str) -> bool:
    """Whether a terminal only gets letters and line feeds."""
    return all(c == "\n" or c.isprintable() for c in text)


SHOWN = """\
account   acc1
captured  22 November 2026, 08:00 UTC, by permmigrate 0.1.0
from      lists
digest    {digest}
catalog   sandbox   (illustrative: the sandbox's, not the vendor's)
          digest {catalog}
state     INCOMPLETE: 1 gap, so absence proves nothing

environments        1
users               2  1 disabled
groups              1  2 memberships
API keys            1
account keys        0
folders             2
collections         0
shares              2  2 folder
orphan shares       0
roles              29  8 custom, 21 system
policies          117
custom policies     0
role assignments    0

status  area    items  read from                                           for
denied  keys        0  GET /keys                                           Env1
    the key may not
read    people      2  GET /v1_1/provisioning/accounts/{{account_id}}/users
"""


def test_a_snapshot_shows_itself(call: Call, tmp_path: Path) -> None:
    """Where it came from, its digests, counts and ledger, the gaps first."""
    taken = load(saved(tmp_path / "a"))

    ran = call("snapshot", "show", tmp_path / "a")

    assert ExitCode.OK == ran.code
    assert SHOWN.format(digest=taken.digest, catalog=taken.catalog.digest) == ran.out


def test_a_snapshot_as_data(call: Call, snapshot: Path) -> None:
    """The same as JSON, every line of the ledger in it."""
    taken = load(snapshot)

    data = json.loads(call("snapshot", "show", snapshot, "--json").out)

    assert (taken.digest, not taken.gaps, len(taken.ledger)) == (
        data["digest"],
        data["complete"],
        len(data["ledger"]),
    )
    assert len(taken.users) == data["counts"]["users"]
    assert len(taken.assignments) == data["counts"]["role assignments"]


def test_what_changed_between_two_captures(call: Call, tmp_path: Path) -> None:
    """Area by area with signs; a gap makes a maybe; twice the same words."""
    old = saved(tmp_path / "old")
    new = saved(
        tmp_path / "new",
        users=(user("u1", "admin"), user("u3")),
        folders=(folder("B", id_=builders.folder_id("A")), replace(folder("A/x"), path="B/x")),
        api_keys=(),
    )

    ran, data = (
        call("snapshot", "diff", old, new),
        json.loads(call("snapshot", "diff", old, new, "--json").out),
    )

    assert (
        """\
INCOMPLETE: not all was read of keys
people: 1 added
  + u3@example.com
people: 1 changed
  ~ u1@example.com (legacy_role media_library_user → admin)
people: 1 removed
  - u2@example.com
keys: 1 maybe removed
  -? website
folders: 1 renamed
  ~ Env1: B (path A → B; folders below 1)
"""
        == ran.out
    )
    assert ran == call("snapshot", "diff", old, new)
    assert ["keys"] == data["incomplete"]
    assert 5 == len(data["changes"]) == sum(row["count"] for row in data["counts"])
    assert "nothing changed\n" in call("snapshot", "diff", old, old).out


def test_long_lists_are_cut_and_say_so(call: Call, tmp_path: Path) -> None:
    """Twenty of a kind, unless all are asked for."""
    old = saved(tmp_path / "old", ledger=())
    new = saved(tmp_path / "new", ledger=(), users=tuple(user(f"n{n:03}") for n in range(60)))

    assert "and 40 more" in call("snapshot", "diff", old, new).out
    assert 62 == call("snapshot", "diff", old, new, "--all").out.count("@example.com")


def test_two_accounts_are_told_apart(call: Call, tmp_path: Path) -> None:
    """Comparing two accounts is allowed, and noted."""
    old, new = saved(tmp_path / "old"), saved(tmp_path / "new", account_id="other")

    assert "different accounts" in call("snapshot", "diff", old, new).err


def test_hostile_names_are_only_letters(call: Call, tmp_path: Path) -> None:
    """Escapes, line feeds and turned directions come out visible."""
    bad, plain = hostile(tmp_path / "bad"), saved(tmp_path / "plain")
    for words in (
        ("show", bad),
        ("show", bad, "--json"),
        ("diff", plain, bad),
        ("diff", bad, plain, "--json"),
    ):
        ran = call("snapshot", *words)
        assert ran.code == ExitCode.OK
        assert printable(ran.out)
        assert printable(ran.err)


def test_anonymising(call: Call, snapshot: Path, tmp_path: Path) -> None:
    """Another file with the same counts and no names; by default never the same twice."""
    one, two = tmp_path / "one", tmp_path / "two"

    ran = call("snapshot", "anonymize", snapshot, one)
    call("snapshot", "anonymize", snapshot, two)

    assert (ExitCode.OK, f"{one}\n") == (ran.code, ran.out)
    assert "the salt was not kept" in ran.err
    assert one.read_bytes() != two.read_bytes()
    shown = [
        json.loads(call("snapshot", "show", path, "--json").out)["counts"] for path in (snapshot, one, two)
    ]
    assert shown[0] == shown[1] == shown[2]
    emails = {u.email for u in load(snapshot).users}
    assert not emails & {u.email for u in load(one).users}


def test_a_salt_makes_it_repeatable(call: Call, snapshot: Path, tmp_path: Path) -> None:
    """A salt file is made once, is secret, and gives the same bytes again; a short one is refused."""
    salt, one, two = tmp_path / "salt", tmp_path / "one", tmp_path / "two"

    made = call("snapshot", "anonymize", snapshot, one, "--salt-file", salt)
    again = call("snapshot", "anonymize", snapshot, two, "--salt-file", salt)

    assert "made a new salt" in made.err
    assert "made a new salt" not in again.err
    assert one.read_bytes() == two.read_bytes()
    if os.name == "posix":
        assert 0o600 == stat.S_IMODE(salt.stat().st_mode) == stat.S_IMODE(one.stat().st_mode)
    assert salt.read_text().strip() not in made.out + made.err
    salt.write_text("short")
    assert ExitCode.USAGE == call("snapshot", "anonymize", snapshot, two, "--salt-file", salt).code
    nowhere = tmp_path / "no" / "salt"
    assert ExitCode.USAGE == call("snapshot", "anonymize", snapshot, two, "--salt-file", nowhere).code


def test_the_original_is_never_overwritten(call: Call, tmp_path: Path) -> None:
    """OUT may not be IN, under whatever name."""
    path = saved(tmp_path / "a")
    (tmp_path / "link").symlink_to(path)
    before = path.read_bytes()

    for target in (path, tmp_path / "link", tmp_path / "." / "a"):
        assert ExitCode.USAGE == call("snapshot", "anonymize", path, target).code
    assert before == path.read_bytes()


@pytest.mark.usefixtures("compared_once")
def test_an_anonymised_snapshot_goes_all_the_way(call: Call, few: Path, tmp_path: Path) -> None:
    """diff runs on it, and counts what it counts on the original."""
    call("snapshot", "anonymize", few, tmp_path / "anonymous")
    figures = []
    for name, path in (("plain", few), ("hidden", tmp_path / "anonymous")):
        assert ExitCode.OK == call("diff", path, "--out", tmp_path / name, "--format", "json").code
        figures.append(json.loads((tmp_path / name / "diff.json").read_text(encoding="utf-8"))["figures"])

    assert figures[0] == figures[1]


def test_exporting(call: Call, snapshot: Path, tmp_path: Path) -> None:
    """One private file a table, never over what is there; shares.csv goes back into a snapshot."""
    tables = tmp_path / "tables"

    ran = call("snapshot", "export", snapshot, "--to", tables)

    paths = [Path(line) for line in ran.out.splitlines()]
    assert ExitCode.OK == ran.code
    assert sorted(tables.iterdir()) == sorted(paths)
    assert all(path.stat().st_mode & 0o077 == 0 for path in paths)
    refused = call("snapshot", "export", snapshot, "--to", tables)
    assert (ExitCode.REFUSED, True) == (refused.code, "--force" in refused.err)
    assert ExitCode.OK == call("snapshot", "export", snapshot, "--to", tables, "--force").code
    with (tables / "users.csv").open(encoding="utf-8-sig", newline="") as file:
        assert len(load(snapshot).users) == len(list(csv.DictReader(file)))


def test_exported_shares_make_the_same_snapshot(
    call: Call, opened: Account, snapshot: Path, tmp_path: Path
) -> None:
    """Taken again with the exported lists in place of the first one, the shares are the same."""
    call("snapshot", "export", snapshot, "--to", tmp_path)
    lists = ("--shares", tmp_path / "shares.csv", "--shares", tmp_path / "orphan_shares.csv")

    ran = call(
        "snapshot", "--out", tmp_path / "again", "--api-url", opened.url, "--keep-unknown", "--quiet", *lists
    )

    def told(path: Path) -> tuple[Any, Any]:
        taken: Snapshot = load(path)
        shares = {(s.content, s.principal, s.level) for s in taken.shares}
        return shares, sorted(o.fields for o in taken.orphan_shares)

    assert ExitCode.OK == ran.code
    assert told(snapshot) == told(tmp_path / "again")


@pytest.mark.parametrize(
    "words", [("show",), ("diff",), ("anonymize",), ("export", "--to", "tables")], ids=str
)
def test_a_broken_snapshot_is_refused(call: Call, tmp_path: Path, words: tuple[str, ...]) -> None:
    """Exit 3 from every one of them, and nothing is written."""
    (tmp_path / "x").write_bytes(b"PK\x03\x04 not really")
    more = {"diff": [tmp_path / "x"], "anonymize": [tmp_path / "out"]}.get(words[0], [])
    target = [str(tmp_path / "tables") if word == "tables" else word for word in words]

    ran = call("snapshot", target[0], tmp_path / "x", *more, *target[1:])

    assert ExitCode.INVALID_FILE == ran.code
    assert [tmp_path / "x"] == list(tmp_path.iterdir())
