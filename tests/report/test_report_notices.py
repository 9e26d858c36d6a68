"""Notices: one for each principal that something changes for, with its own changes and nobody else's name."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import report_builders as builders

from permmigrate.cli import cli
from permmigrate.cli.boundary import run
from permmigrate.diff import Diff
from permmigrate.report import data
from permmigrate.report.notices import GROUPS_SHOWN, Letters, notices
from permmigrate.report.view import diff_view
from permmigrate.resources import templates_dir

KINDS = ("user", "group", "API key", "account key")


def document(diff: Diff | None = None) -> dict[str, Any]:
    """A comparison's document as it is read from disk."""
    view = diff_view(diff or builders.diff(120), builders.snapshot())
    found: dict[str, Any] = json.loads(data.dump(data.diff_document(view)))
    return found


def test_whoever_something_changes_for_gets_one() -> None:
    """Members and people who hold the same grants are told as the one who is named is; nobody else is."""
    found = document()
    rows = found["tables"]["principals"]
    told = [notice.principal_id for notice in notices(found, KINDS)]
    counted = ("gained", "maybe_gained", "lost", "maybe_lost", "unknown")
    assert told == [row["principal_id"] for row in rows if any(row[key] for key in counted)]
    people = [notice.principal_id for notice in notices(found, ("user",))]
    assert people == [
        row["principal_id"] for row in rows if row["principal_id"] in told and row["principal_kind"] == "user"
    ]


def test_every_change_of_a_principal_is_told_or_counted() -> None:
    """What is left out for length is counted, kind by kind."""
    found = document(builders.diff(900, 30))
    rows = [row for key in ("expansions", "reductions", "undecided") for row in found["tables"][key]]
    sets = found["value_sets"]
    numbers = {row["principal_id"]: at for at, row in enumerate(found["tables"]["principals"])}
    shortened = 0
    for notice in notices(found, KINDS):
        mine = [
            row
            for row in rows
            if row["principal_id"] == notice.principal_id
            or numbers[notice.principal_id] in sets["principals"][row["others"]]
        ]
        assert len({row["verdict"] for row in mine}) == len(notice.changes)
        for change in notice.changes:
            assert len(change.abilities) <= GROUPS_SHOWN
            assert all(ability.what and ability.where for ability in change.abilities)
            shortened += change.more + sum(ability.more_places for ability in change.abilities)
    assert shortened


def test_a_notice_names_nobody_else() -> None:
    """A reader learns nothing about other people."""
    found = document()
    rows = {row["principal_id"]: row for row in found["tables"]["principals"]}
    letters = Letters(templates_dir(), "")
    for notice in notices(found, ("user",)):
        text = letters.page(notice) + letters.text(notice)
        addresses = [row["principal_detail"] for row in rows.values() if "@" in row["principal_detail"]]
        assert [notice.address] == [address for address in addresses if address in text]


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", "a\u202eb\x00", "x" * 5_000, "{{ 7 * 7 }}"])
def test_hostile_names_stay_text(name: str) -> None:
    """On the page they are escaped, in the text they are as they are, and neither runs anything."""
    diff = builders.diff()
    principals = tuple(replace(each, name=name, detail=name) for each in diff.principals)
    letters = Letters(templates_dir(), name)
    found = document(replace(diff, principals=principals))
    page = letters.page(next(notices(found, KINDS)))
    assert "<script" not in page
    assert "\u202e" not in page
    assert "\x00" not in letters.text(next(notices(found, KINDS)))
    assert "49" not in page.partition("<main>")[2].partition("</p>")[0]
    assert "default-src 'none'" in page


def test_done_is_not_planned() -> None:
    """After the move a notice speaks of what has changed."""
    after = replace(builders.diff(), compared_with="the roles assigned on 2026-11-22T10:00:00Z")
    planned, done = (next(notices(document(diff), KINDS)) for diff in (builders.diff(), after))
    assert planned.subject.endswith("change")
    assert done.subject.endswith("changed")
    assert {"You will be able to", "You are now able to"} & {
        c.title for c in (*planned.changes, *done.changes)
    }


def test_the_command_writes_them_and_an_index(tmp_path: Path) -> None:
    """A page and a text for each, readable by their owner alone; the index has a line for each."""
    source = tmp_path / "diff.json"
    data.write(data.diff_document(diff_view(builders.diff(), builders.snapshot())), source)
    out = tmp_path / "notices"
    assert (
        run(cli, ["notices", str(source), "--out", str(out), "--for", "user", "--contact", "dam@x.example"])
        == 0
    )
    lines = (out / "index.csv").read_text(encoding="utf-8-sig").splitlines()
    pages, texts = sorted(out.glob("*.html")), sorted(out.glob("*.txt"))
    assert len(lines) - 1 == len(pages) == len(texts) > 0
    assert all("dam@x.example" in each.read_text(encoding="utf-8") for each in (*pages, *texts))
    assert all(each.stat().st_mode & 0o077 == 0 for each in out.iterdir())
