"""Read sign-off workbooks back as plain cells with their addresses. It judges nothing."""

from __future__ import annotations

import warnings
import zipfile
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from openpyxl.reader.excel import load_workbook
from openpyxl.utils.cell import get_column_letter
from openpyxl.utils.exceptions import InvalidFileException

from permmigrate.errors import InvalidFileError, Problem
from permmigrate.report.sheets import fitting
from permmigrate.report.signoff_sheet import PAPERS, SHEET
from permmigrate.signoff.merge import Paper, Row, SheetCell

_FIX: Final = "send the file out again with `permmigrate signoff split`"

_ESCAPE: Final = "x005F_"
"""What protects a text that looks like a character's code, as in `_x005F_x0041_`. openpyxl takes it out of
texts that sheets share, and leaves it in others."""


def read(path: Path) -> Paper:
    """One workbook's sign-off sheet. Raises `InvalidFileError` when it is none."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # openpyxl names the extensions it leaves out
            book = load_workbook(path, data_only=True)  # type: ignore[no-untyped-call]
    except OSError as error:
        raise InvalidFileError(f"cannot read `{path}`: {error.strerror or error}") from error
    except (InvalidFileException, zipfile.BadZipFile, EOFError, KeyError, ValueError, SyntaxError):
        raise InvalidFileError(f"`{path}` is not a workbook", hint="save it as .xlsx") from None
    missing = [name for name in (SHEET, PAPERS) if name not in book.sheetnames]
    if missing:
        problems = tuple(Problem(path.name, 0, f"has no sheet `{name}`", _FIX) for name in missing)
        raise InvalidFileError(f"`{path}` is no sign-off workbook", problems=problems)
    papers = book[PAPERS]
    facts = {str(row[0].value): str(row[1].value) for row in papers.iter_rows(max_row=3)}
    given = [str(row[4].value) for row in papers.iter_rows(max_col=5) if row[4].value is not None]
    head, *rows = book[SHEET].iter_rows()
    headings = {str(cell.value): at for at, cell in enumerate(head) if cell.value is not None}
    return Paper(
        file=path.name,
        account_id=facts.get("account", ""),
        digest=facts.get("comparison", ""),
        given=tuple(given),
        headings=tuple(headings),
        rows=tuple(
            Row(number, {name: _cell(row[at], number, at) for name, at in headings.items()})
            for number, row in enumerate(rows, start=2)
            if any(cell.value not in (None, "") for cell in row)
        ),
    )


def as_read(text: str) -> str:
    """What `read` gives of a text that was written into a cell as `fitting` makes it."""
    return fitting(text).replace(_ESCAPE, "")


def _cell(cell: Any, row: int, at: int) -> SheetCell:
    value = cell.value
    match value:
        case None:
            text = ""
        case datetime():
            text = value.date().isoformat()
        case date():
            text = value.isoformat()
        case float() if value.is_integer():
            text = str(int(value))
        case _:
            text = str(value).replace(_ESCAPE, "")
    is_text = value is None or isinstance(value, str | date)
    return SheetCell(f"{SHEET}!{get_column_letter(at + 1)}{row}", text, is_text)
