"""`permmigrate mappings suggest`: better tables for an account, written beside yours."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from permmigrate.errors import ExitCode
from permmigrate.resources import mappings_dir
from permmigrate.snapshot.file import dump, load

pytestmark = pytest.mark.usefixtures("compared_once")


def test_suggested_tables_check_and_compare(call, snapshot: Path, tmp_path: Path) -> None:
    """The tables it writes pass the check, and the next command it names goes on from them."""
    out = tmp_path / "suggested"
    ran = call("mappings", "suggest", snapshot, "--out", out)
    assert ran.code == ExitCode.OK
    assert "legacy role technical_admin" in ran.out
    assert "custom roles: allowed, the account has some" in ran.err
    assert f"next: permmigrate diff {snapshot} --mappings {out}" in ran.err
    names = {path.name for path in mappings_dir().iterdir()} | {"custom_roles.csv"}
    assert names == {path.name for path in out.iterdir()}
    assert (out / "README.md").read_bytes() == (mappings_dir() / "README.md").read_bytes()
    assert call("mappings", "check", out, "--snapshot", snapshot).code == ExitCode.OK


def test_json_is_all_that_goes_to_stdout(call, snapshot: Path, tmp_path: Path) -> None:
    """Without custom roles none is defined, and promotions are pointed at."""
    out = tmp_path / "suggested"
    ran = call("mappings", "suggest", snapshot, "--out", out, "--no-custom-roles", "--json")
    told = json.loads(ran.out)
    assert (0, []) == (told["findings"]["lost"]["after"], told["new_roles"])
    assert not (out / "custom_roles.csv").exists()
    assert "look twice: legacy role technical_admin would gain something critical" in ran.err


def test_tables_that_are_there_are_not_written_over(call, snapshot: Path, tmp_path: Path) -> None:
    """Neither yours nor an earlier suggestion; nothing is written then."""
    mine = tmp_path / "mine"
    shutil.copytree(mappings_dir(), mine)
    before = {path.name: path.read_bytes() for path in mine.iterdir()}
    ran = call("mappings", "suggest", snapshot, "--mappings", mine, "--out", mine)
    assert ran.code == ExitCode.REFUSED
    assert "holds README.md, account_keys.csv" in ran.err
    assert before == {path.name: path.read_bytes() for path in mine.iterdir()}


def test_a_folder_that_cannot_be_written_is_said(call, snapshot: Path, tmp_path: Path) -> None:
    """A file where the folder should be is a mistake of the call."""
    (tmp_path / "file").write_text("", encoding="utf-8")
    ran = call("mappings", "suggest", snapshot, "--out", tmp_path / "file" / "deeper")
    assert ran.code == ExitCode.USAGE
    assert "cannot write" in ran.err


@pytest.mark.parametrize(
    "line", ["can_edit,any,role,folder/Edtor,us,inferred,", "can_edit,anyone,none,,us,inferred,"]
)
def test_tables_with_mistakes(call, snapshot: Path, tmp_path: Path, line: str) -> None:
    """A role that no catalog has is replaced like any other; a row that cannot be read stops it."""
    mine = tmp_path / "mine"
    shutil.copytree(mappings_dir(), mine)
    levels = mine / "folder_levels.csv"
    text = levels.read_text(encoding="utf-8").splitlines()
    levels.write_text(
        "\n".join(line if row.startswith("can_edit") else row for row in text), encoding="utf-8"
    )
    taken, few = load(snapshot), tmp_path / "few.snapshot"
    dump(replace(taken, users=taken.users[:8], shares=taken.shares[::8]), few)
    ran = call("mappings", "suggest", few, "--mappings", mine, "--out", tmp_path / "out")
    if "anyone" in line:
        assert ran.code == ExitCode.INVALID_FILE
        assert "folder_levels.csv:4" in ran.err
        assert not (tmp_path / "out").exists()
    else:
        assert ran.code == ExitCode.OK
        assert "Edtor" not in (tmp_path / "out" / "folder_levels.csv").read_text(encoding="utf-8")
