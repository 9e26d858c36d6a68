"""The Console's checklist as a workbook: a row for each step, with a cell to tick off and one to sign.

What is to be done is the plan's. Nothing is read back from here: `verify --plan` reads the account itself.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from xlsxwriter import Workbook

from permmigrate.plan import Plan
from permmigrate.plan.checklist import COLUMNS, rows
from permmigrate.report.books import write_book
from permmigrate.report.sheets import Look, Writer, fill
from permmigrate.report.table import Column, Kind, Table

TICKED: Final = ("done", "not done")
_WIDTHS: Final = (10, 16, 7, 58, 13, 26, 34, 26, 34, 40, 24, 34, 20)
_IDS: Final = ("principal_id", "role_id", "operation")


def write(plan: Plan, path: Path, *, everything: bool = False) -> None:
    """Write what is to be done by hand, or everything, whole or not at all. Raises `UsageError`."""
    columns = tuple(
        Column(name, name.replace("_", " ").capitalize(), Kind.ID if name in _IDS else Kind.TEXT, width)
        for name, width in zip(COLUMNS, _WIDTHS, strict=True)
    )
    found = tuple(rows(plan, everything=everything))
    table = Table("steps", "Checklist", "One step in the Console.", columns, found)

    def put(book: Workbook) -> None:
        writer = Writer(Look(book), {})
        sheet = book.add_worksheet("Checklist")
        fill(sheet, writer, table)
        if found:
            sheet.data_validation(1, 0, len(found), 0, {"validate": "list", "source": list(TICKED)})
        fill(book.add_worksheet("Plan"), writer, _about(plan))

    write_book(path, put, constant_memory=False)


def _about(plan: Plan) -> Table:
    facts = (
        ("Account", plan.account_id),
        ("Plan", plan.digest),
        ("Made", plan.created),
        ("From what was read", plan.captured_at),
        ("In the Console", "Settings > Role Management, or the Share dialog of a folder or collection"),
        ("Order", "give before you take away"),
        ("When it is done", "permmigrate verify --plan PLAN --out DIR holds the account to every step"),
    )
    columns = (Column("what", "What", Kind.TEXT, 24), Column("value", "Value", Kind.TEXT, 80))
    return Table("about", "Plan", "What the checklist is of.", columns, facts)
