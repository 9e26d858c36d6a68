"""Decisions travel through workbooks and come back as they were made; whatever else was touched is found."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import report_builders as builders
from hypothesis import given, settings
from hypothesis import strategies as st

from permmigrate.errors import InvalidFileError
from permmigrate.report import data, signoff_sheet, workbook
from permmigrate.report.signoff_reading import as_read
from permmigrate.report.signoff_reading import read as read_paper
from permmigrate.report.view import diff_view
from permmigrate.signoff import Decision, Signed
from permmigrate.signoff.comparison import Comparison, read
from permmigrate.signoff.file import encode, load
from permmigrate.signoff.merge import merge, still_open
from permmigrate.signoff.split import By, file_names, split


@pytest.fixture(scope="module")
def comparison(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """What is to be decided about a comparison with hostile names in it."""
    path = tmp_path_factory.mktemp("signoff") / "diff.json"
    data.write(data.diff_document(diff_view(builders.diff(200), builders.snapshot())), path)
    return read(path)


def fill(path: Path, **cells: Any) -> None:
    """Write into cells of the sheet as a person does: `D2="approve"`."""
    book = openpyxl.load_workbook(path)
    for place, value in cells.items():
        book[signoff_sheet.SHEET][place] = value
    book.save(path)


def column(heading: str) -> str:
    """The letter of a column."""
    return openpyxl.utils.get_column_letter(signoff_sheet.HEADINGS.index(heading) + 1)


def merged(comparison: Comparison, *paths: Path) -> Signed:
    return merge(comparison, [read_paper(path) for path in paths], as_read)


def sent(comparison: Comparison, folder: Path, by: By = By.ENVIRONMENT) -> list[Path]:
    """The workbooks as they are sent out."""
    parts = split(comparison.clauses, by, {})
    names = file_names(list(parts))
    for reader, clauses in parts.items():
        signoff_sheet.write(folder / names[reader], comparison, clauses, {}, reader)
    return [folder / names[reader] for reader in parts]


@settings(max_examples=8, deadline=None)
@given(seed=st.integers(0, 2**32), by=st.sampled_from([By.ENVIRONMENT, By.FOLDER, By.CAUSE]))
def test_random_decisions_come_back_as_they_were_made(
    comparison: Comparison, tmp_path_factory: pytest.TempPathFactory, seed: int, by: By
) -> None:
    """Through workbooks, the merged file and back; what was left empty or asked about is open."""
    folder, chance = tmp_path_factory.mktemp("trip"), random.Random(seed)
    expected: dict[str, tuple[str, str]] = {}
    paths = sent(comparison, folder, by)
    for path in paths:
        book = openpyxl.load_workbook(path)
        sheet = book[signoff_sheet.SHEET]
        for row in range(2, sheet.max_row + 1):
            word = chance.choice(["approve", "Reject ", "ask", ""])
            comment = chance.choice(["", "=1+1", "fine, until\nMarch", "\u202eodd"])
            if word:
                sheet[f"{column('Decision')}{row}"] = word
                sheet[f"{column('Owner')}{row}"] = "Ana"
                sheet[f"{column('Date')}{row}"] = chance.choice([date(2026, 11, 22), "2026-11-22"])
            sheet[f"{column('Comment')}{row}"].value = comment
            sheet[f"{column('Comment')}{row}"].data_type = "s"
            expected[sheet[f"{column('Cluster')}{row}"].value] = (word.strip().casefold(), comment)
        book.save(path)
    signed = merged(comparison, *paths)
    assert {clause.id for clause in comparison.clauses} == set(expected)
    assert expected == {each.cluster: (each.decision or "", each.comment) for each in signed.decided}
    assert {"2026-11-22", ""} >= {each.date for each in signed.decided}

    (folder / "signoff.json").write_text(encode(signed), encoding="utf-8")
    assert signed == load(folder / "signoff.json")
    unsettled = {cluster for cluster, (word, _) in expected.items() if word in ("", "ask")}
    assert unsettled == {clause.id for clause in still_open(comparison, signed.decided)}
    settled = {
        finding: Decision(expected[clause.id][0])
        for clause in comparison.clauses
        if clause.id not in unsettled
        for finding in clause.findings
    }
    assert settled == signed.standings


def test_the_reports_own_sheet_can_be_filled_in(comparison: Comparison, tmp_path: Path) -> None:
    """The Sign-off sheet of diff.xlsx is read back like the others, and names the owners for a split."""
    path = tmp_path / "diff.xlsx"
    workbook.write(diff_view(builders.diff(200), builders.snapshot()), path)
    fill(path, **{f"{column('Owner')}2": "Bo", f"{column('Owner')}3": "Ana/../x"})
    signed = merged(comparison, path)
    said = {each.cluster: each for each in signed.decided}
    parts = split(comparison.clauses, By.OWNER, said)
    assert {"Bo", "Ana/../x", "unassigned"} == set(parts)
    assert len(comparison.clauses) == sum(map(len, parts.values()))
    assert ["ana-x.xlsx", "bo.xlsx", "unassigned.xlsx"] == sorted(file_names(list(parts)).values())


def test_a_decision_ends_when_the_findings_change(comparison: Comparison, tmp_path: Path) -> None:
    """What was approved is what was seen: other findings under the same row are open again."""
    [path, *_] = sent(comparison, tmp_path)
    cells = {column("Decision"): "approve", column("Owner"): "Ana"}
    fill(path, **{f"{letter}2": text for letter, text in cells.items()})
    signed = merged(comparison, path)
    approved = next(each.cluster for each in signed.decided if each.decision is Decision.APPROVE)
    later = replace(
        comparison,
        clauses=tuple(
            replace(clause, contents="0" * 64) if clause.id == approved else clause
            for clause in comparison.clauses
        ),
    )
    assert approved not in {clause.id for clause in still_open(comparison, signed.decided)}
    assert approved in {clause.id for clause in still_open(later, signed.decided)}


def _delete_row(sheet: Any) -> None:
    sheet.delete_rows(2)


def _add_row(sheet: Any) -> None:
    sheet.append(["", "", "c0123456789ab", *[""] * 7, "Ana", "approve"])


def _add_words(sheet: Any) -> None:
    sheet.append([*[""] * 10, "Ana", "approve"])


def _double_row(sheet: Any) -> None:
    sheet.append([cell.value for cell in sheet[2]])


TAMPERINGS: dict[str, tuple[Callable[[Any], Any] | dict[str, Any], str, str]] = {
    "a locked cell": (
        {f"{column('Expansions')}2": 0},
        f"{column('Expansions')}2",
        "locked cell `Expansions`",
    ),
    "a hidden hash": ({f"{column('Hash')}2": "0"}, f"{column('Hash')}2", "locked cell `Hash`"),
    "an id as a number": (
        {f"{column('Cluster')}2": 4.2e14, f"{column('Row')}2": 4.2e14},
        f"{column('Cluster')}2",
        "turned into a number",
    ),
    "a visible id as a number": (
        {f"{column('Cluster')}2": 42},
        f"{column('Cluster')}2",
        "turned into a number",
    ),
    "a missing row": (_delete_row, "", "is missing"),
    "an added row": (_add_row, column("Cluster"), "a row was added"),
    "an added line of words": (_add_words, column("Cluster"), "a row was added"),
    "a doubled row": (_double_row, column("Cluster"), "again"),
    "a word that is no decision": (
        {f"{column('Decision')}2": "perhaps", f"{column('Owner')}2": "Ana"},
        f"{column('Decision')}2",
        "not a decision",
    ),
    "nobody's decision": ({f"{column('Decision')}2": "approve"}, f"{column('Owner')}2", "nobody is named"),
    "a date that is none": ({f"{column('Date')}2": "soon"}, f"{column('Date')}2", "not a date"),
    "a renamed heading": ({f"{column('Decision')}1": "Verdict"}, "Sign-off!1", "no column `Decision`"),
}


@pytest.mark.parametrize("kind", TAMPERINGS)
def test_tampering_is_found_with_its_cell(comparison: Comparison, tmp_path: Path, kind: str) -> None:
    """Each kind of it, with the cell where it is."""
    how, cell, said = TAMPERINGS[kind]
    path = sent(comparison, tmp_path)[0]
    assert merged(comparison, path)
    book = openpyxl.load_workbook(path)
    sheet = book[signoff_sheet.SHEET]
    if callable(how):
        how(sheet)
    else:
        for place, value in how.items():
            sheet[place] = value
    book.save(path)
    with pytest.raises(InvalidFileError) as told:
        merged(comparison, path)
    assert any(said in problem.message and cell in problem.cell for problem in told.value.problems), [
        str(problem) for problem in told.value.problems
    ]


def test_all_problems_of_all_files_are_told_at_once(comparison: Comparison, tmp_path: Path) -> None:
    """Nobody mends one only to be told the next."""
    first, second = sent(comparison, tmp_path, By.CAUSE)[:2]
    fill(first, **{f"{column('Date')}2": "soon", f"{column('Expansions')}2": -1})
    fill(second, **{f"{column('Decision')}2": "perhaps"})
    with pytest.raises(InvalidFileError) as told:
        merged(comparison, first, second)
    assert {(first.name, "Sign-off!"), (second.name, "Sign-off!")} == {
        (problem.file, problem.cell[:9]) for problem in told.value.problems
    }
    assert 3 <= len(told.value.problems)


def test_two_owners_who_disagree_are_named(comparison: Comparison, tmp_path: Path) -> None:
    """Both cells are said; one who says nothing does not disagree."""
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = sent(comparison, tmp_path / "a")[0], sent(comparison, tmp_path / "b")[0]
    fill(one, **{f"{column('Decision')}2": "approve", f"{column('Owner')}2": "Ana"})
    assert merged(comparison, one, other) == merged(comparison, other, one)
    fill(other, **{f"{column('Decision')}2": "reject", f"{column('Owner')}2": "Bo"})
    with pytest.raises(InvalidFileError) as told:
        merged(comparison, one, other)
    [problem] = told.value.problems
    assert "Ana said approve" in problem.message
    assert f"Sign-off!{column('Decision')}2" == problem.cell


@pytest.mark.parametrize("change", [{"digest": "0" * 64}, {"account_id": "other"}])
def test_decisions_about_something_else_are_refused(
    comparison: Comparison, tmp_path: Path, change: dict[str, str]
) -> None:
    """Of another comparison or another account."""
    path = sent(replace(comparison, **change), tmp_path)[0]
    with pytest.raises(InvalidFileError) as told:
        merged(comparison, path)
    assert [
        "take it out"
        if "account_id" in change
        else "send out new sheets: what is signed must be what was seen"
    ] == [problem.hint for problem in told.value.problems]


@pytest.mark.parametrize("spoil", ["not json", "changed", "another kind"])
def test_files_that_are_something_else_are_refused(
    comparison: Comparison, tmp_path: Path, spoil: str
) -> None:
    """A comparison or a file of decisions that was edited counts for nothing."""
    path = tmp_path / "diff.json"
    data.write(data.diff_document(diff_view(builders.diff(20), builders.snapshot())), path)
    decisions = tmp_path / "signoff.json"
    decisions.write_text(encode(Signed("a", "b", ())), encoding="utf-8")
    for each in (path, decisions):
        text = each.read_text(encoding="utf-8")
        changed = {
            "not json": text[:-20],
            "changed": text.replace('"account_id":"', '"account_id":"x'),
            "another kind": "{}",
        }
        each.write_text(changed[spoil], encoding="utf-8")
    with pytest.raises(InvalidFileError):
        read(path)
    with pytest.raises(InvalidFileError):
        load(decisions)
    with pytest.raises(InvalidFileError):
        read_paper(decisions)
