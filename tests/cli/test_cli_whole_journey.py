"""The whole journey over a real socket: from a snapshot to a signed, applied and verified move, and back."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import pytest

from permmigrate.cli import cli
from permmigrate.cli.boundary import run
from permmigrate.errors import ExitCode
from permmigrate.plan.file import load as load_plan
from permmigrate.report.signoff_sheet import HEADINGS, SHEET
from permmigrate.sandbox import Sandbox
from permmigrate.sandbox.server import serving
from sandbox_variables import variables


def go(*words: object) -> ExitCode:
    """Run a command line in this process."""
    return ExitCode(run(cli, [str(word) for word in words]))


def approve(path: Path) -> None:
    """Approve every row of a sign-off workbook, as its owner."""
    book = openpyxl.load_workbook(path)
    sheet = book[SHEET]
    owner, decision = (HEADINGS.index(name) + 1 for name in ("Owner", "Decision"))
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, owner).value = "Ana"
        sheet.cell(row, decision).value = "approve"
    book.save(path)


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> object:
    """A sandbox on a socket, and its credentials in the environment."""
    sandbox = Sandbox(account="small", seed=1)
    with serving(sandbox) as url:
        for name, value in variables(sandbox, url).items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("CLOUDINARY_API_URL", url)
        yield sandbox


def test_a_move_is_signed_applied_verified_and_taken_back(
    served: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After apply all is as planned and there is nothing left to plan; undo restores what was, exactly."""
    monkeypatch.chdir(tmp_path)
    before = [row[:6] for row in served.account.assignments.rows()]
    served.write_shares(tmp_path / "shares.csv")
    assert ExitCode.OK == go(
        "snapshot", "--out", "legacy.snapshot", "--shares", "shares.csv", "--keep-unknown", "--quiet"
    )
    assert ExitCode.OK == go("diff", "legacy.snapshot", "--out", "reports")
    approve(tmp_path / "reports" / "diff.xlsx")
    assert ExitCode.OK == go(
        "signoff", "merge", "reports/diff.json", "reports/diff.xlsx", "--out", "signoff.json"
    )
    plan = ("plan", "make", "legacy.snapshot", "--out", "plan.json", "--signoff", "signoff.json")
    assert ExitCode.OK == go(*plan, "--max-admin-promotions", 5, "--allow-incomplete")
    digest = load_plan(tmp_path / "plan.json").digest
    assert ExitCode.FINDINGS == go(
        "verify", "--plan", "plan.json", "--out", "early", "--live", "legacy.snapshot"
    )
    assert ExitCode.OK == go("apply", "plan.json", "--digest", digest, "--yes", "--quiet")
    assert ExitCode.OK == go(
        "verify", "--plan", "plan.json", "--against", "legacy.snapshot", "--out", "evidence"
    )
    found = json.loads((tmp_path / "evidence" / "verify.json").read_text(encoding="utf-8"))
    assert "AS PLANNED" == found["headline"]
    names = {path.name for path in (tmp_path / "evidence").iterdir()}
    assert {"verify.html", "verify.xlsx", "diff.html", "diff.xlsx", "diff.json", "live.snapshot"} <= names

    again = ("plan", "make", "legacy.snapshot", "--assigned", "evidence/live.snapshot", "--out", "again.json")
    assert ExitCode.OK == go(*again, "--allow-incomplete")
    assert () == load_plan(tmp_path / "again.json").operations

    assert ExitCode.OK == go("undo", "plan.json.journal", "--out", "undo.json")
    back = load_plan(tmp_path / "undo.json").digest
    assert ExitCode.OK == go("apply", "undo.json", "--digest", back, "--yes", "--quiet")
    assert sorted(before) == sorted(row[:6] for row in served.account.assignments.rows())
