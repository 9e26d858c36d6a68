"""Approve every row of the sign-off workbooks that are named. For trying things out: never approve unread.

python approve_all.py signoff/*.xlsx
"""

from __future__ import annotations

import sys
import warnings

from openpyxl import load_workbook


def approve(path: str) -> None:
    """Write `approve` beside every cluster, as its owner does in a spreadsheet."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # openpyxl leaves out the rules for the dropdown
        book = load_workbook(path)
    sheet = book["Sign-off"]
    at = {cell.value: cell.column for cell in sheet[1]}
    for row in range(2, sheet.max_row + 1):
        if sheet.cell(row, at["Row"]).value:
            sheet.cell(row, at["Decision"], "approve")
            sheet.cell(row, at["Owner"], "nobody, this is a trial")
    book.save(path)


if __name__ == "__main__":
    for each in sys.argv[1:]:
        approve(each)
