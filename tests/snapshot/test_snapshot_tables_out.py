"""A snapshot as CSV files: everything is there, spreadsheets run nothing, and shares go back in."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builders import a_user, api_key, environment, folder, group, share, snapshot, user
from permmigrate.snapshot import Snapshot, rows, sharelist
from permmigrate.snapshot.tables_out import files, guarded, tables, unguarded
from random_accounts import account

RISKY = ("=", "+", "-", "@", "\t", "\r")


def read(taken: Snapshot) -> dict[str, list[dict[str, str]]]:
    """Each file as a spreadsheet's user would load it, all columns as text."""
    return {
        one.name: list(csv.DictReader(io.StringIO(one.content.decode("utf-8-sig"), newline="")))
        for one in files(taken)
    }


def test_every_table_is_there_with_all_its_rows(sandboxes: Any) -> None:
    """One file a table, one line a row; lists inside rows are tables of their own."""
    taken: Snapshot = sandboxes(1, "migrated")
    found = read(taken)

    for table in rows.TABLES:
        assert len(getattr(taken, table.name)) == len(found[f"{table.name}.csv"])
    assert sum(len(g.member_ids) for g in taken.groups) == len(found["group_members.csv"])
    assert [u.id for u in taken.users] == [row["id"] for row in found["users.csv"]]
    assert [k.id for k in taken.api_keys] == [row["id"] for row in found["api_keys.csv"]]
    assert [u.email for u in taken.users] == [unguarded(row["email"]) for row in found["users.csv"]]
    assert [p.statement for p in taken.custom_policies] == [
        unguarded(row["statement"]) for row in found["custom_policies.csv"]
    ]


@given(st.text())
def test_a_guard_comes_off_again(text: str) -> None:
    """Whatever was typed can be had back, and nothing guarded begins like a formula."""
    assert text == unguarded(guarded(text)) or not text.startswith("'")
    assert text == unguarded(guarded(text))
    assert not guarded(text).startswith(RISKY)


def test_hostile_names_run_nothing() -> None:
    """In columns that people fill no cell begins like a formula; ids stay as they are and are counted."""
    taken = snapshot(
        environments=(environment(name="@SUM(1)"),),
        users=(user("u1", name="=cmd|' /C calc'!A0", email="+1@example.com"),),
        groups=(group("g1", "u1"),),
        api_keys=(api_key("-799451857115779", name="＝1+1"),),
        folders=(folder("-archive/=x", id_="f1"),),
        shares=(share("A", a_user("u1")),),
    )
    found = {one.name: one for one in files(taken)}

    assert 1 == found["api_keys.csv"].raw_formulas
    for name in ("users.csv", "environments.csv", "folders.csv", "groups.csv", "shares.csv"):
        assert 0 == found[name].raw_formulas
        for row in csv.reader(io.StringIO(found[name].content.decode("utf-8-sig"), newline="")):
            assert not [cell for cell in row if cell.startswith(RISKY)]


def test_files_are_for_spreadsheets() -> None:
    """A byte order mark, quotes around everything, and the same bytes every time."""
    taken = snapshot(users=(user("007"),))
    first, second = list(files(taken)), list(files(taken))

    assert first == second
    for one in first:
        assert one.content.startswith(b'\xef\xbb\xbf"')
    assert b'"007"' in next(one.content for one in first if one.name == "users.csv")


def test_half_characters_do_not_stop_it() -> None:
    """Text that no file can hold is written so that it can be seen."""
    assert "\\ud800" in read(snapshot(users=(user("u", name="\ud800"),)))["users.csv"][0]["name"]


def again(taken: Snapshot, folder_: Path) -> Any:
    """The exported share lists, read and matched as `snapshot --shares` does."""
    raw = []
    for one in files(taken):
        if one.name in ("shares.csv", "orphan_shares.csv"):
            (folder_ / one.name).write_bytes(one.content)
            raw += sharelist.read(folder_ / one.name)
    return sharelist.resolve(
        raw, environments=taken.environments, users=taken.users, groups=taken.groups, folders=taken.folders
    )


def test_exported_shares_are_a_share_list(sandboxes: Any, tmp_path: Path) -> None:
    """shares.csv and orphan_shares.csv give the same shares, orphans and collections once more."""
    taken: Snapshot = sandboxes(1, "legacy")

    resolved = again(taken, tmp_path)

    assert {(s.content, s.principal, s.level) for s in taken.shares} == {
        (s.content, s.principal, s.level) for s in resolved.shares
    }
    assert len(taken.shares) == len(resolved.shares)
    assert sorted(o.fields for o in taken.orphan_shares) == sorted(o.fields for o in resolved.orphans)
    assert {(c.id, c.environment_id) for c in taken.collections} == {
        (c.id, c.environment_id) for c in resolved.collections
    }


@pytest.mark.parametrize("seed", range(20))
def test_headers_fit_rows(seed: int) -> None:
    """Over random accounts every row has a cell for every column."""
    one = account(seed)
    for taken in (one.snapshot, one.assigned or one.snapshot):
        for table in tables(taken):
            assert {len(table.columns)} >= {len(row) for row in table.rows}
