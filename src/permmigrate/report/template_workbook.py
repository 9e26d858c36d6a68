"""The workbook people fill in: one sheet a list, dropdowns from an account's names, every header explained.

Everything a person types stays text. A name that is not offered brings a warning and no refusal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from permmigrate.errors import UsageError
from permmigrate.report.books import write_book
from permmigrate.report.sheets import Look, fitting, printing
from permmigrate.report.template_rows import Row, rows_of
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.lists.schema import (
    ACCOUNT_KEYS,
    API_KEYS,
    COLLECTIONS,
    ENVIRONMENTS,
    FOLDERS,
    GROUPS,
    SHARES,
    TABLES,
    USERS,
    Column,
    ListTable,
)
from permmigrate.snapshot.lists.words import LEVEL_TITLES, ROLE_TITLES

ROWS: Final = 5000
"""So many rows are made ready below a header; more may be added."""
MOST_ROWS: Final = 1_048_575
CHOICES: Final = "Choices"

_LEFT_OUT: Final = {
    "shares": ("content_type", "content", "principal_type", "principal"),
    "users": ("pending", "all_environments"),
}
"""Columns that a list may have and the template does without: other columns of it say the same."""
_SHEETS: Final = (ENVIRONMENTS, USERS, GROUPS, FOLDERS, COLLECTIONS, API_KEYS, ACCOUNT_KEYS, SHARES)
_WIDTHS: Final = {"email": 34, "user": 34, "path": 44, "folder": 44, "members": 44, "groups": 34, "id": 38}


@dataclass(frozen=True, slots=True)
class _Choice:
    """One dropdown: its name, what it offers, and where those stand."""

    name: str
    values: tuple[str, ...] = ()
    sheet: str = ""
    """The sheet people fill in themselves, when the choices are what they typed there."""
    column: str = ""


def write(path: Path, snapshot: Snapshot | None = None, *, filled: bool = False) -> None:
    """Write the template, whole or not at all. Raises UsageError.

    Without a snapshot the dropdowns offer what is typed on the other sheets; with one, its names. `filled`
    writes in everything a list can say of the snapshot.
    """
    contents = (
        {table.name: tuple(rows_of(table, snapshot)) for table in TABLES} if snapshot and filled else {}
    )
    for name, rows in contents.items():
        if len(rows) > MOST_ROWS:
            raise UsageError(
                f"{len(rows):,} {name} do not fit on a sheet", hint="`permmigrate snapshot export` writes CSV"
            )
    write_book(path, lambda book: _put(book, snapshot, contents))


def _put(book: Workbook, snapshot: Snapshot | None, contents: Mapping[str, Sequence[Row]]) -> None:
    look = Look(book)
    only_shares = snapshot is not None and not contents
    tables = (SHARES,) if only_shares else _SHEETS
    choices = _choices(snapshot)
    _read_me(book.add_worksheet("Read me"), look, tables, snapshot)
    for table in tables:
        sheet = book.add_worksheet(table.title)
        _list(sheet, look, table, contents.get(table.name, ()), choices)
        if table is SHARES and only_shares:
            sheet.activate()
    _offer(book, book.add_worksheet(CHOICES), choices)


def columns_of(table: ListTable) -> tuple[Column, ...]:
    """The columns of a list's sheet in the template."""
    return tuple(column for column in table.columns if column.name not in _LEFT_OUT.get(table.name, ()))


def _list(
    sheet: Worksheet, look: Look, table: ListTable, rows: Sequence[Row], choices: Mapping[str, _Choice]
) -> None:
    columns = columns_of(table)
    ready = max(ROWS, len(rows) + ROWS)
    needed = {name for group in table.needed for name in group}
    for at, column in enumerate(columns):
        width = _WIDTHS.get(column.name, max(16, len(column.title) + 4))
        sheet.set_column(at, at, width, look.id if column.is_id else look.text)
        sheet.write_string(0, at, column.title, look.head)
        note = column.help + ("" if column.name in needed else " Optional.")
        sheet.write_comment(0, at, note, {"x_scale": 1.6})
        if choice := choices.get(_choice_of(table, column)):
            _dropdown(sheet, at, min(ready, MOST_ROWS), column, choice)
    sheet.freeze_panes(1, 0)
    sheet.ignore_errors({"number_stored_as_text": f"A1:{_letter(len(columns))}{min(ready, MOST_ROWS)}"})
    for number, row in enumerate(rows, 1):
        for at, column in enumerate(columns):
            if text := row.get(column.name, ""):
                style = look.id if column.is_id else look.text
                sheet.write_string(number, at, fitting(text, "too long for a cell"), style)
    sheet.autofilter(0, 0, max(len(rows), 1), len(columns) - 1)
    printing(sheet, landscape=True)
    sheet.repeat_rows(0)


def _dropdown(sheet: Worksheet, at: int, last: int, column: Column, choice: _Choice) -> None:
    sheet.data_validation(
        1,
        at,
        last,
        at,
        {
            "validate": "list",
            "source": f"={choice.name}",
            "error_type": "warning",
            "error_title": column.title,
            "error_message": "This is not among what is known. Keep it all the same?",
            "input_title": column.title[:32],
            "input_message": column.help[:255],
        },
    )


def _choice_of(table: ListTable, column: Column) -> str:
    """Which dropdown a column has; columns of several values have none."""
    if table is ENVIRONMENTS and column.name != "enabled":
        return ""
    return {
        "environment": "environment_choices",
        "user": "user_choices",
        "group": "group_choices",
        "folder": "folder_choices",
        "collection": "collection_choices",
        "level": "level_choices",
        "role": "role_choices",
        "enabled": "state_choices" if table is USERS else "yes_choices",
    }.get(column.name, "")


def _choices(snapshot: Snapshot | None) -> Mapping[str, _Choice]:
    fixed = (
        _Choice("level_choices", tuple(LEVEL_TITLES.values())),
        _Choice("role_choices", tuple(ROLE_TITLES.values())),
        _Choice("state_choices", ("yes", "no", "pending")),
        _Choice("yes_choices", ("yes", "no")),
    )
    return {choice.name: choice for choice in (*fixed, *(_names(snapshot) if snapshot else _typed()))}


def _names(snapshot: Snapshot) -> Iterator[_Choice]:
    """What the account has, each by a name that leads back to it alone, else by its id."""
    yield _Choice("environment_choices", _unique((one.cloud_name, one.id) for one in snapshot.environments))
    yield _Choice("user_choices", _unique((one.email, one.id) for one in snapshot.users))
    yield _Choice("group_choices", _unique((one.name, one.id) for one in snapshot.groups))
    yield _Choice("folder_choices", tuple(sorted({one.path for one in snapshot.folders})))
    yield _Choice("collection_choices", tuple(sorted({one.id for one in snapshot.collections})))


def _unique(named: Iterable[tuple[str, str]]) -> tuple[str, ...]:
    pairs = tuple(named)
    times = Counter(name.casefold() for name, _ in pairs)
    return tuple(sorted(name if name and times[name.casefold()] == 1 else id_ for name, id_ in pairs))


def _typed() -> Iterator[_Choice]:
    """What people type on the other sheets of the same workbook."""
    for name, table, column in (
        ("environment_choices", ENVIRONMENTS, "cloud_name"),
        ("user_choices", USERS, "email"),
        ("group_choices", GROUPS, "name"),
        ("folder_choices", FOLDERS, "path"),
        ("collection_choices", COLLECTIONS, "name"),
    ):
        yield _Choice(name, sheet=table.title, column=column)


def _offer(book: Workbook, sheet: Worksheet, choices: Mapping[str, _Choice]) -> None:
    """Write the choices on a hidden sheet and name their ranges: a literal list ends at 255 characters."""
    sheet.hide()
    longest = max((len(choice.values) for choice in choices.values()), default=0)
    shown = [choice for choice in choices.values() if not choice.sheet]
    for at, choice in enumerate(shown):
        letter = _letter(at + 1)
        last = max(len(choice.values), 1)
        book.define_name(choice.name, f"={CHOICES}!${letter}$1:${letter}${last}")
    for row in range(longest):
        for at, choice in enumerate(shown):
            if row < len(choice.values):
                sheet.write_string(row, at, fitting(choice.values[row], "too long"))
    by_title = {table.title: table for table in TABLES}
    for choice in choices.values():
        if choice.sheet:
            names = [column.name for column in columns_of(by_title[choice.sheet])]
            letter = _letter(names.index(choice.column) + 1)
            book.define_name(choice.name, f"='{choice.sheet}'!${letter}$2:${letter}${ROWS}")


def _read_me(sheet: Worksheet, look: Look, tables: Sequence[ListTable], snapshot: Snapshot | None) -> None:
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 100)
    lines: list[tuple[str, str, bool]] = [("How to fill this in", "", True)]
    if snapshot:
        lines.append(("Account", f"{snapshot.account_id}, captured {snapshot.captured_at}", False))
    lines += [
        (
            "Rows",
            "One thing a row. Empty rows, other columns and other sheets do no harm; order is free.",
            False,
        ),
        ("Ids", "All cells are text. Paste ids and keys as values; 7.99E+14 is an id that was lost.", False),
        ("Secrets", "Write no API secret anywhere: nothing here needs one.", False),
        (
            "When done",
            "permmigrate import --preview FILE shows what would be read; --out makes the snapshot.",
            False,
        ),
    ]
    for table in tables:
        lines.append((table.title, table.help, True))
        lines += [(column.title, column.help, False) for column in columns_of(table)]
    for at, (label, text, strong) in enumerate(lines):
        sheet.write_string(at, 0, label, look.strong if strong else look.text)
        if text:
            sheet.write_string(at, 1, text, look.text)
    printing(sheet, landscape=False)
    sheet.hide_gridlines(2)


def _letter(number: int) -> str:
    return chr(ord("A") + number - 1)
