"""The evidence of a verification is the same on page and sheet, in the document and in the terminal."""

from __future__ import annotations

import json
from pathlib import Path

import reading

from permmigrate.plan import Plan
from permmigrate.report import verification
from permmigrate.resources import templates_dir
from permmigrate.snapshot import Snapshot
from permmigrate.verify import check
from plan_builders import PEOPLE, adding, assigned, live, plan, user

ROLES = ("r-1", "r-2", "r-3")


def evidence(whole: Plan, found: Snapshot) -> verification.VerificationView:
    return verification.view_of(check(whole, found), "0")


def test_page_workbook_document_and_terminal_agree(tmp_path: Path) -> None:
    """The same counts everywhere; hostile names stay names."""
    name = "<img src=x onerror=alert(1)>\u202e"
    rows = [assigned(user(each), role) for each in PEOPLE for role in ROLES]
    whole = plan(map(adding, rows), labels={"user:u-1": name, "role:r-1": "=1+1"})
    found = check(whole, live(*rows[4:], assigned(user("u-1"), "r-9")))
    view = verification.view_of(found, "0")
    page = verification.page(view, templates_dir())
    document = json.loads(verification.dump(verification.document(view)))
    expected = {"as_planned": 5, "missing": 4, "extra": 1, "changed_by_others": 0, "not_readable": 0}
    assert expected == document["figures"]
    assert 5 == len(document["deviations"]) == page.count('<td class="standing">')
    for label, count in expected.items():
        assert f'data-figure="{label.replace("_", " ")}">{count}<' in page
    assert "NOT AS PLANNED: 5 as planned, 4 missing, 1 extra" in verification.lines(found, 2)[0]
    assert any("3 more" in line for line in verification.lines(found, 2))
    assert "<img" not in page
    assert "\u202e" not in page
    verification.workbook(view, tmp_path / "verify.xlsx")
    sheets = reading.sheets(tmp_path / "verify.xlsx")
    assert 6 == len(sheets["Deviations"])
    assert {"s", "n"} >= reading.cell_types(tmp_path / "verify.xlsx")


def test_evidence_of_success_says_so() -> None:
    """A page without deviations and a line without a list."""
    row = assigned(user("u-1"))
    page = verification.page(evidence(plan([adding(row)]), live(row)), templates_dir())
    assert "AS PLANNED" in page
    assert "NOT AS PLANNED" not in page
