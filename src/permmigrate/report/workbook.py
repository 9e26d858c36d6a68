"""Write a finished view as one workbook with the page's rows and numbers, for people who live in Excel.

Native charts, filters and frozen headers; no macro, no formula, no link that leaves the file.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from xlsxwriter import Workbook

from permmigrate.report import signoff_sheet
from permmigrate.report.books import write_book
from permmigrate.report.sheets import MAX_ROWS, Look, Writer, fill, words_of
from permmigrate.report.summary_sheet import diff_summary, read_me, readiness_summary
from permmigrate.report.value import DiffView, ReadinessView, provenance_table
from permmigrate.signoff.comparison import clauses_of

_DIFF_SHEETS: Final = (
    ("Causes", "causes"),
    ("Administrators", "administrators"),
    ("Concerns", "concerns"),
    ("Expansions", "expansions"),
    ("Reductions", "reductions"),
    ("Undecided", "undecided"),
    ("Principals", "principals"),
    ("API keys", "keys"),
    ("Places", "places"),
    ("Mapping", "coverage"),
    ("Clusters", "clusters"),
    ("Plan", "plan"),
    ("Guards", "guards"),
    ("Completeness", "ledger"),
    ("Not known", "uncertainties"),
    ("Orphan shares", "orphans"),
    ("Hygiene", "hygiene"),
    ("Capabilities", "capabilities"),
)
_READINESS_SHEETS: Final = (
    ("Findings", "findings"),
    ("Areas", "areas"),
    ("Completeness", "ledger"),
    ("Orphan shares", "orphans"),
    ("Hygiene", "hygiene"),
)
_EPOCH: Final = datetime(2020, 1, 1, tzinfo=UTC)


def write(view: DiffView | ReadinessView, path: Path, *, most: int = MAX_ROWS) -> None:
    """Write the workbook, whole or not at all; `most` limits the rows of a sheet. Raises `UsageError`."""
    write_book(path, lambda book: _put(view, book, most))


def _put(view: DiffView | ReadinessView, book: Workbook, most: int) -> None:
    book.set_properties(
        {
            "title": f"permmigrate: {view.banner.headline}",
            "subject": f"account {view.account_id}",
            "created": _moment(view.captured_at),
        }
    )
    book.set_size(2400, 1500)
    _sheets(view, book, most)


def _sheets(view: DiffView | ReadinessView, book: Workbook, most: int) -> None:
    plan: tuple[tuple[str, str], ...] = _DIFF_SHEETS if isinstance(view, DiffView) else _READINESS_SHEETS
    if isinstance(view, DiffView):
        absent = set(() if view.planned else ("coverage",)) | set(() if view.plan else ("plan", "guards"))
        plan = tuple((name, key) for name, key in plan if key not in absent)
    tables = [*((name, view.table(key)) for name, key in plan), ("Provenance", provenance_table(view))]
    look = Look(book)
    read_me(view, book.add_worksheet("Read me"), look, tables, most)
    summary = book.add_worksheet("Summary")
    match view:
        case DiffView():
            diff_summary(view, book, summary, look)
        case ReadinessView():
            readiness_summary(view, book, summary, look)
    writer = Writer(look, words_of(view.tables))
    for name, table in tables:
        fill(book.add_worksheet(name), writer, table, most=most)
    if isinstance(view, DiffView):
        clauses = clauses_of(view.table("clusters").records())
        signoff_sheet.add(book, look, view.comparison, view.account_id, clauses, {})
    summary.activate()


def _moment(stamp: str) -> datetime:
    """The snapshot's time, so that the same input makes the same file."""
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        return _EPOCH
    return when.astimezone(UTC) if when.tzinfo else _EPOCH
