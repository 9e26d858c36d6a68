"""An account from lists alone, and lists added to one: what is implied, made up, contradicted and kept."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import builders
from permmigrate.model import ContentKind, LedgerEntry, ReadStatus
from permmigrate.report import template_workbook
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.lists.assemble import Assembled, Origin, assemble
from permmigrate.snapshot.lists.ids import is_made_up
from permmigrate.snapshot.lists.reading import Reading, read
from permmigrate.snapshot.lists.words import FOLDER_LEVELS as LEVELS
from permmigrate.snapshot.lists.words import LEGACY_ROLES as ROLES
from random_accounts import account

FOLDER = ContentKind.FOLDER

ORIGIN = Origin("acme", "2026-11-22T00:00:00Z", "1")
USERS = ("E-mail,Role,Groups", "ann@x.org,Media Library user,EMEA", "bob@x.org,Master Admin,")
SHARES = (
    "Environment,Folder,User,Group,Level",
    "shop,Brands/Aurora,ann@x.org,,view",
    "shop,Brands,,APAC,edit",
)


def made(
    path: Path, base: Snapshot | None = None, ids_from: Snapshot | None = None, **lists: Sequence[str]
) -> Assembled:
    files = []
    for name, rows in lists.items():
        files.append(path / f"{name}.csv")
        files[-1].write_text("\n".join(rows), encoding="utf-8")
    return assemble(read(files, reading=Reading(environment="")), ORIGIN, base=base, ids_from=ids_from)


def problems(assembled: Assembled) -> list[str]:
    return [str(problem) for problem in (*assembled.problems, *assembled.unknown)]


def statuses(snapshot: Snapshot) -> Mapping[str, set[str]]:
    found: dict[str, set[str]] = {}
    for entry in snapshot.ledger:
        found.setdefault(entry.area, set()).add(entry.status.value)
    return found


def test_rows_make_what_they_name(tmp_path: Path) -> None:
    """Environments, folders with their parents, and groups are there because rows name them."""
    result = made(tmp_path, users=USERS, shares=SHARES)
    account_ = result.snapshot

    assert problems(result) == []
    assert [one.cloud_name for one in account_.environments] == ["shop"]
    assert [one.path for one in account_.folders] == ["Brands", "Brands/Aurora"]
    emea = next(one for one in account_.groups if one.name == "EMEA")
    assert [account_.user_by_id[id_].email for id_ in emea.member_ids] == ["ann@x.org"]
    assert sorted(one.name for one in account_.groups) == ["APAC", "EMEA"]
    assert {one.legacy_role for one in account_.users} == {"media_library_user", "master_admin"}
    assert len(account_.shares) == 2


def test_ids_are_made_of_names_and_the_same_each_time(tmp_path: Path) -> None:
    """Two imports of one list give the same snapshot, and its ids say that they are made up."""
    once, again = (made(tmp_path, users=USERS, shares=SHARES).snapshot for _ in range(2))

    assert once == again
    for one in (*once.environments, *once.users, *once.groups, *once.folders):
        assert is_made_up(one.id)
    assert any("made up from names" in entry.detail for entry in once.ledger)


def test_the_ledger_says_where_each_table_came_from(tmp_path: Path) -> None:
    """Lists are read, what is only named is a gap, and nobody claims that the API was asked."""
    found = statuses(made(tmp_path, users=USERS, shares=SHARES).snapshot)

    assert found["people"] == {"read"}
    assert found["shares"] == {"read"}
    assert found["folders"] == {"read", "skipped"}
    for area in ("keys", "roles", "policies", "assignments", "catalog"):
        assert found[area] == {"skipped"}


@pytest.mark.parametrize(
    ("lists", "problem"),
    [
        ({"users": USERS}, "users.csv: no product environment is named"),
        ({"shares": SHARES}, "shares.csv: names users, and no list says who they are"),
        ({"users": USERS, "groups": ("Group", "EMEA"), "shares": SHARES}, "there is no group `APAC`"),
        (
            {"users": USERS, "folders": ("Environment,Path", "shop,Brands/Arora"), "shares": SHARES},
            "shares.csv:2: there is no folder `Brands/Aurora` (did you mean `Brands/Arora`?)",
        ),
        ({"users": (*USERS, "ann@x.org,Admin,"), "shares": SHARES}, "users.csv:4: user `ann@x.org` is known"),
        ({"users": (*USERS, "cy@x.org,Libarian,"), "shares": SHARES}, "`Libarian` is not a legacy role"),
        ({"users": (*USERS, "cy,Admin,"), "shares": SHARES}, "`cy` is not an e-mail address"),
        ({"users": USERS, "shares": (*SHARES, "other,A,ann@x.org,,view", ",B,ann@x.org,,view")},
         "no environment is named, and there are several"),
        ({"users": USERS, "shares": SHARES, "api_keys": ("API key", "cloudinary://1:s3cr3t@c")},
         "this is more than a key"),
    ],
)  # fmt: skip
def test_what_does_not_hold_together_is_a_problem(
    tmp_path: Path, lists: dict[str, Sequence[str]], problem: str
) -> None:
    """A list of its own is taken as complete, people must be listed, and rows must agree."""
    found = problems(made(tmp_path, **lists))

    assert any(problem in line for line in found), found
    assert "s3cr3t" not in "".join(found)


def test_a_person_may_have_several_rows(tmp_path: Path) -> None:
    """One row for each group of a person is one person; role and state are said once."""
    result = made(
        tmp_path, users=("E-mail,Role,Groups", "ann@x.org,Admin,A", "Ann@X.org,,B"), shares=SHARES[:1]
    )

    assert [one.legacy_role for one in result.snapshot.users] == ["admin"]
    assert {one.name for one in result.snapshot.groups if one.member_ids} == {"A", "B"}


def test_ids_tell_people_apart_who_share_an_address(tmp_path: Path) -> None:
    """One e-mail with two ids is two users, and said; a second row without an id could be either."""
    rows = ("E-mail,Role,User ID", "ann@x.org,Admin,u1", "ann@x.org,Reports,u2")
    result = made(tmp_path, users=rows, shares=SHARES[:1], environments=("Cloud name", "shop"))

    assert problems(result) == []
    assert [one.id for one in result.snapshot.users] == ["u1", "u2"]
    assert result.notes == ("users.csv:3: `ann@x.org` is the e-mail of two users: `u1` and `u2`",)


def test_a_role_nobody_documented_is_kept_and_said(tmp_path: Path) -> None:
    """What looks like the wire's own word stays as it is; a mistyped known one is a problem."""
    rows = ("E-mail,Role", "ann@x.org,content_curator")
    result = made(tmp_path, users=rows, environments=("Cloud name", "shop"))

    assert [one.legacy_role for one in result.snapshot.users] == ["content_curator"]
    assert "none of the seven legacy roles" in result.notes[0]
    typed = made(
        tmp_path, users=("E-mail,Role", "ann@x.org,media_libary_user"), environments=("Cloud name", "s")
    )
    assert "did you mean `Media library user`?" in problems(typed)[0]


def test_a_limit_without_its_environments_is_a_problem(tmp_path: Path) -> None:
    """Somebody who is said not to have all environments never gets them all for want of a column."""
    rows = ("E-mail,Role,all_environments,pending", "ann@x.org,Admin,yes,no", "bob@x.org,Admin,no,yes")
    result = made(tmp_path, users=rows, environments=("Cloud name", "shop"))

    assert len(problems(result)) == 1
    assert problems(result)[0].startswith("users.csv:3: the person is limited to some environments")


def test_exact_duplicates_are_counted(tmp_path: Path) -> None:
    """The same share twice, by other words, is one share; another level is another share."""
    rows = (*SHARES, "SHOP,/Brands/Aurora/,ANN@x.org,,Can view", "shop,Brands/Aurora,ann@x.org,,edit")
    result = made(tmp_path, users=USERS, shares=rows)

    assert problems(result) == []
    assert result.duplicates["shares"] == 1
    assert len(result.snapshot.shares) == 3


BASE = builders.snapshot(
    users=(builders.user("u1", email="ann@x.org"), builders.user("u2", "", email="bob@x.org")),
    groups=(builders.group("g1", "u1"),),
    folders=(builders.folder("Brands"),),
    shares=(builders.share("Brands", builders.a_user("u1"), "can_view"),),
    ledger=(LedgerEntry("shares", "list", "", ReadStatus.UNREADABLE),),
)


def test_lists_are_added_to_the_snapshots_own_people(tmp_path: Path) -> None:
    """Shares find the snapshot's ids, repeats are noticed, and its gap about shares is closed."""
    rows = ("Folder,User,Level", "Brands,ann@x.org,Can view", "Brands,bob@x.org,Can edit")
    result = made(tmp_path, BASE, shares=rows)

    assert problems(result) == []
    assert [(one.principal.id, one.level) for one in result.snapshot.shares] == [
        ("u1", "can_view"),
        ("u2", "can_edit"),
    ]
    assert result.duplicates["shares"] == 1
    assert [entry.endpoint for entry in result.snapshot.ledger if entry.area == "shares"] == [
        "list shares.csv"
    ]
    assert result.snapshot.catalog == BASE.catalog


def test_what_a_snapshot_does_not_know_is_not_implied(tmp_path: Path) -> None:
    """Added to a snapshot, an unknown folder is a problem and, if kept, an orphan; never a new folder."""
    result = made(tmp_path, BASE, shares=("Folder,User,Level", "Brand,ann@x.org,Can view"))

    assert problems(result) == ["shares.csv:2: there is no folder `Brand` (did you mean `Brands`?)"]
    assert result.snapshot.folders == BASE.folders
    assert len(result.snapshot.orphan_shares) == 1


def test_a_list_of_users_fills_in_what_a_snapshot_lacks(tmp_path: Path) -> None:
    """An empty role is filled in; another role than the snapshot's is a problem."""
    rows = ("E-mail,Role", "bob@x.org,Reports", "ann@x.org,Media Library user", "cy@x.org,Billing")
    result = made(tmp_path, BASE, users=rows)
    assert problems(result) == []
    assert {one.email: one.legacy_role for one in result.snapshot.users} == {
        "ann@x.org": "media_library_user",
        "bob@x.org": "reports",
        "cy@x.org": "billing",
    }
    assert "is known already, with another `role`" in problems(
        made(tmp_path, BASE, users=("E-mail,Role", "ann@x.org,Admin"))
    )[0]  # fmt: skip


def test_ids_can_be_taken_from_a_snapshot(tmp_path: Path) -> None:
    """People and folders of the same name get the ids of today's snapshot; roles stay the list's."""
    today = replace(BASE, users=tuple(replace(one, legacy_role="") for one in BASE.users))
    environment = today.environments[0].cloud_name
    rows = ("Environment,Folder,User,Level", f"{environment},Brands,ann@x.org,view")
    result = made(tmp_path, None, today, users=USERS, shares=rows)

    assert problems(result) == []
    (share,) = result.snapshot.shares
    assert (share.principal.id, share.content.id) == ("u1", builders.folder_id("Brands"))
    assert result.snapshot.user_by_id["u1"].legacy_role == "media_library_user"


TABLES = ("environments", "users", "groups", "collections", "api_keys", "account_keys")


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 100_000))
def test_a_list_written_from_a_snapshot_gives_the_same_account(
    tmp_path_factory: pytest.TempPathFactory, seed: int
) -> None:
    """The template filled in from a snapshot, imported alone, has its people, places, keys and shares."""
    before = account(seed).snapshot
    known = [
        share
        for share in before.shares
        if share.content.kind is not FOLDER
        or (share.level in LEVELS and share.content in before.content_labels)
    ]
    users = (one if one.legacy_role in ROLES else replace(one, legacy_role="") for one in before.users)
    before = replace(before, shares=tuple(known), users=tuple(users))
    path = tmp_path_factory.mktemp("filled") / "filled.xlsx"
    template_workbook.write(path, before, filled=True)

    result = assemble(read((path,), reading=Reading(environment="")), ORIGIN)

    assert problems(result) == []

    def said(snapshot: Snapshot) -> set[tuple[object, ...]]:
        return {(share.content, share.principal, share.level) for share in snapshot.shares}

    assert said(before) == said(result.snapshot)
    for table in TABLES:
        assert getattr(before, table) == getattr(result.snapshot, table), table
    more = set(result.snapshot.folders) - set(before.folders)
    assert len(result.snapshot.folders) == len(before.folders) + len(more)
    assert all(any(f.path.startswith(f"{parent.path}/") for f in before.folders) for parent in more)


def test_more_members_than_a_cell_holds_take_more_rows(tmp_path: Path) -> None:
    """A group of two thousand comes back whole."""
    users = tuple(builders.user(f"user-with-a-long-id-{number:06}") for number in range(2000))
    before = builders.snapshot(users=users, groups=(builders.group("g1", *(one.id for one in users)),))
    template_workbook.write(tmp_path / "filled.xlsx", before, filled=True)

    result = assemble(read((tmp_path / "filled.xlsx",), reading=Reading(environment="")), ORIGIN)

    assert before.groups == result.snapshot.groups


def test_one_mistake_about_a_person_is_told_once(tmp_path: Path) -> None:
    """A mistyped role does not make strangers of the shares of that person."""
    rows = ("E-mail,Role,Groups", "ann@x.org,Libarian,EMEA")

    assert len(problems(made(tmp_path, users=rows, shares=SHARES))) == 1
