"""The sheet on which owners decide: a locked row for each cluster of expansions, four cells to fill in.

It is written here and read in `signoff_reading`; what the cells mean is in `permmigrate.signoff`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from permmigrate.report.books import write_book
from permmigrate.report.sheets import Look, fitting, mark, printing
from permmigrate.signoff import Clause, Decided, Decision
from permmigrate.signoff.comparison import Comparison
from permmigrate.signoff.value import EDITED, LOCKED

SHEET: Final = "Sign-off"
PAPERS: Final = "permmigrate"
"""The hidden sheet: which comparison this is, which rows the file was given, the words of the dropdown."""
HIDDEN: Final = ("Row", "Hash")
"""The first two columns, hidden: the cluster's id again, and the hash of the row."""
HEADINGS: Final = (*HIDDEN, *LOCKED, *EDITED)
DECISION_AT: Final = len(HIDDEN) + len(LOCKED) + EDITED.index("Decision")

_WIDTHS: Final = (18, 18, 12, 11, 32, 10, 34, 54, 24, 14, 40, 13)
_NUMBERS: Final = ("Expansions", "Undecided", "How many")
_LINE: Final = 15


def write(
    path: Path, comparison: Comparison, clauses: Sequence[Clause], said: Mapping[str, Decided], owner: str
) -> None:
    """Write one owner's workbook, whole or not at all; `said` is filled in. Raises `UsageError`."""

    def put(book: Workbook) -> None:
        look = Look(book)
        _read_me(book.add_worksheet("Read me"), look, comparison, clauses, owner)
        sheet = add(book, look, comparison.digest, comparison.account_id, clauses, said)
        sheet.activate()

    write_book(path, put, constant_memory=False)


def add(
    book: Workbook,
    look: Look,
    digest: str,
    account_id: str,
    clauses: Sequence[Clause],
    said: Mapping[str, Decided],
) -> Worksheet:
    """Add the sheet and the hidden one to a workbook."""
    sheet = book.add_worksheet(SHEET)
    papers = book.add_worksheet(PAPERS)
    papers.very_hidden()
    facts = (("account", account_id), ("comparison", digest), ("rows", str(len(clauses))))
    words = [decision.value for decision in Decision]
    for row in range(max(len(facts), len(words), len(clauses))):
        papers.write_row(row, 0, facts[row] if row < len(facts) else ("", ""))
        papers.write_string(row, 3, words[row] if row < len(words) else "")
        papers.write_string(row, 4, clauses[row].id if row < len(clauses) else "")
    book.define_name("permmigrate_decisions", f"='{PAPERS}'!$D$1:$D${len(Decision)}")
    _fill(book, sheet, look, clauses, said)
    return sheet


def _fill(
    book: Workbook,
    sheet: Worksheet,
    look: Look,
    clauses: Sequence[Clause],
    said: Mapping[str, Decided],
) -> None:
    open_style = {
        "locked": False,
        "valign": "top",
        "text_wrap": True,
        "num_format": "@",
        "bg_color": "#FFFDF2",
    }
    opened = book.add_format({**open_style, "bottom": 4, "bottom_color": "#D5DAE1"})
    for at, heading in enumerate(HEADINGS):
        hidden = {"hidden": True} if at < len(HIDDEN) else {}
        width = 12 if hidden else _WIDTHS[at - len(HIDDEN)]
        sheet.set_column(at, at, width, None, hidden)
        sheet.write_string(0, at, heading, look.head_number if heading in _NUMBERS else look.head)
    sheet.set_row(0, 24)
    for row, clause in enumerate(clauses, start=1):
        _row(sheet, look, opened, row, clause, said.get(clause.id))
    last = max(len(clauses), 1)
    if not clauses:
        sheet.write_string(1, len(HIDDEN), "nothing to decide", look.muted)
    sheet.data_validation(
        1,
        DECISION_AT,
        last,
        DECISION_AT,
        {
            "validate": "list",
            "source": "=permmigrate_decisions",
            "error_title": "Not a decision",
            "error_message": "Choose approve, reject or ask.",
        },
    )
    mark(sheet, look, 1, len(HIDDEN) + 1, last, len(HIDDEN) + 1, ["critical", "high", "medium", "low"])
    mark(sheet, look, 1, DECISION_AT, last, DECISION_AT, [decision.value for decision in Decision])
    sheet.autofilter(0, 0, last, len(HEADINGS) - 1)
    sheet.freeze_panes(1, len(HIDDEN) + 2)
    sheet.ignore_errors({"number_stored_as_text": f"A1:Z{last + 1}"})
    sheet.protect("", {"autofilter": True, "sort": True, "format_columns": True, "format_rows": True})
    printing(sheet, landscape=True)
    sheet.repeat_rows(0)


def _row(
    sheet: Worksheet, look: Look, opened: Format, row: int, clause: Clause, said: Decided | None
) -> None:
    lines = (
        sum(max(1, -(-len(line) // width)) for line in text.split("\n"))
        for text, width in zip(clause.locked, _WIDTHS, strict=False)
    )
    sheet.set_row(row, _LINE * min(max(lines), 6))
    sheet.write_string(row, 0, clause.id, look.id)
    sheet.write_string(row, 1, clause.row_hash, look.id)
    for at, (heading, text) in enumerate(zip(LOCKED, clause.locked, strict=True), start=len(HIDDEN)):
        if heading in _NUMBERS:
            sheet.write_number(row, at, int(text), look.number)
        else:
            sheet.write_string(row, at, fitting(text), look.id if heading == "Cluster" else look.text)
    answers = (said.owner, said.decision or "", said.comment, said.date) if said else ("", "", "", "")
    for at, text in enumerate(answers, start=len(HIDDEN) + len(LOCKED)):
        if text:
            sheet.write_string(row, at, fitting(text), opened)
        else:
            sheet.write_blank(row, at, None, opened)


def _read_me(
    sheet: Worksheet, look: Look, comparison: Comparison, clauses: Sequence[Clause], owner: str
) -> None:
    sheet.hide_gridlines(2)
    sheet.set_column(0, 0, 100)
    lines: Iterable[tuple[str, Format]] = (
        ("Sign-off", look.title),
        (f"For {owner}" if owner else "For whoever decides", look.strong),
        (f"Account {comparison.account_id}, snapshot of {comparison.captured_at}", look.muted),
        (f"{len(clauses):,} clusters of expansions to decide about", look.sentence),
        ("", look.muted),
        ("Each row of the sheet Sign-off is access that people or keys would gain, and the mapping row that "
         "gives it to them. Choose approve, reject or ask. Give a comment where it helps those after you.",
         look.muted),
        ("The yellow cells are yours; the others are locked, and a changed one is found when files are put "
         "together. Do not delete rows. Sorting and filtering are fine.", look.muted),
        (f"Comparison {comparison.digest}", look.note),
    )  # fmt: skip
    for row, (text, style) in enumerate(lines):
        sheet.write_string(row, 0, fitting(text), style)
        if len(text) > 100:
            sheet.set_row(row, _LINE * (-(-len(text) // 95)))
    printing(sheet, landscape=False)
