"""How a cell and a table look in a workbook: formats, text that Excel can hold, one table on one sheet.

Every cell is written as text unless its column says number: nothing is ever read as a formula, link or date.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import accumulate
from typing import Any, Final

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.worksheet import Worksheet

from permmigrate.report.table import Cell, Column, Kind, Table
from permmigrate.report.text import plural, visible

MAX_ROWS: Final = 1_048_000
"""Rows of a table on one sheet; Excel ends at 1,048,576, and the note about the rest needs a row."""
MAX_TEXT: Final = 32_767
"""UTF-16 units in a cell, Excel's limit."""
MAX_LINES: Final = 200
"""Line feeds in a cell; Excel repairs a file that has more than 253."""

_MARKED: Final = (Kind.SEVERITY, Kind.VERDICT, Kind.STATE)
_MOST_LINES_SHOWN: Final = 4
_MANY_ROWS: Final = 200
_LINES_OF_MANY: Final = 2
"""Of more than so many rows each shows fewer lines: such a sheet is looked through, not read."""
_LINE_POINTS: Final = 15
_REMEMBERED: Final = 2_000
"""Texts of one column that are remembered at a time."""
_KEPT: Final = 100
"""Rows whose heights are remembered: more than charts cover, and than are not in the file yet."""
_ONE_PAGE: Final = 230
"""Characters of column width that still print readably on one page across."""
_MOST_PAGES: Final = 2
"""Pages across; columns that do not fit on them are not printed, and the footer says so."""
_WIDEST_ID: Final = 72

INK, MUTED, ACCENT, LINE = "#17202B", "#566170", "#2A52B5", "#D5DAE1"

MARKS: Final = {
    "gained": ("▲", "#A92A22", "#FCEEEC"),
    "maybe gained": ("△", "#7D5300", "#FDF3DD"),
    "lost": ("▼", "#3D566F", "#EBF0F5"),
    "maybe lost": ("▽", "#3D566F", "#F3F6F9"),
    "unknown": ("?", "#5A5F68", "#EFF0F2"),
    "unchanged": ("=", "#5A5F68", "#FFFFFF"),
    "critical": ("■■■■", "#A92A22", "#FCEEEC"),
    "high": ("■■■□", "#A92A22", "#FFFFFF"),
    "medium": ("■■□□", "#7D5300", "#FFFFFF"),
    "low": ("■□□□", "#566170", "#FFFFFF"),
    "denied": ("✕", "#A92A22", "#FCEEEC"),
    "failed": ("✕", "#A92A22", "#FCEEEC"),
    "unreadable": ("✕", "#A92A22", "#FCEEEC"),
    "skipped": ("–", "#7D5300", "#FDF3DD"),
    "read": ("✓", "#1C6A46", "#FFFFFF"),
    "incomplete": ("!", "#7D5300", "#FDF3DD"),
    "complete": ("✓", "#1C6A46", "#FFFFFF"),
    "not used": ("!", "#7D5300", "#FDF3DD"),
    "blocked": ("✕", "#A92A22", "#FCEEEC"),
    "attention": ("!", "#7D5300", "#FDF3DD"),
    "ready": ("✓", "#1C6A46", "#E6F4EC"),
    "approve": ("✓", "#1C6A46", "#E6F4EC"),
    "reject": ("✕", "#A92A22", "#FCEEEC"),
    "ask": ("?", "#7D5300", "#FDF3DD"),
    "holds": ("✓", "#1C6A46", "#FFFFFF"),
    "fails": ("✕", "#A92A22", "#FCEEEC"),
    "by hand": ("!", "#7D5300", "#FDF3DD"),
    "gains": ("▲", "#A92A22", "#FCEEEC"),
    "loses": ("▼", "#7D5300", "#FDF3DD"),
    "403": ("▼", "#3D566F", "#EBF0F5"),
    "over-powered": ("▲", "#A92A22", "#FCEEEC"),
    "403 and over-powered": ("▲▼", "#A92A22", "#FCEEEC"),
}
"""Word: icon, ink, ground. The word stays in the cell; the icon comes with the number format."""


_MORE: Final = "the JSON document has the rest"


def one_line(text: str, more: str = _MORE) -> str:
    """Text as Excel can hold it: visible, one line, at most 32,767 UTF-16 units, and saying so when cut."""
    return _cut(visible(text), more)


def fitting(text: str, more: str = _MORE) -> str:
    """As `one_line`, but lines stay lines, and those that a cell cannot hold are counted."""
    return lines(text.split("\n"), more) if "\n" in text else one_line(text, more)


def lines(values: Sequence[str], more: str = _MORE) -> str:
    """Several lines as one cell, saying how many were left out."""
    shown = [visible(value) for value in values[:MAX_LINES]]
    if len(values) > MAX_LINES:
        shown.append(f"… and {len(values) - MAX_LINES:,} more lines; {more}")
    return _cut("\n".join(shown), more)


def _cut(text: str, more: str) -> str:
    if len(text) <= MAX_TEXT // 2:
        return text
    units = text.encode("utf-16-le")
    if len(units) <= 2 * MAX_TEXT:
        return text
    note = f" … cut here: {len(units) // 2:,} characters; {more}"
    return units[: 2 * (MAX_TEXT - len(note))].decode("utf-16-le", "ignore") + note


class Look:
    """The formats of one workbook, made once."""

    def __init__(self, book: Workbook) -> None:
        def style(**properties: Any) -> Format:
            return book.add_format({"font_color": INK, "valign": "top", "align": "left", **properties})

        rule = {"bottom": 4, "bottom_color": LINE}
        head = {"bold": True, "bg_color": "#E4E9F0", "bottom": 1, "bottom_color": "#8593A6"}
        head |= {"text_wrap": True, "valign": "vcenter", "indent": 1}
        self.head = style(**head)
        self.head_number = style(**head | {"align": "right"})
        self.text = style(num_format="@", text_wrap=True, indent=1, **rule)
        self.id = style(num_format="@", font_name="Consolas", font_size=10, indent=1, **rule)
        self.number = style(num_format="#,##0", align="right", indent=1, **rule)
        self.count = style(num_format='#,##0;;"–"', align="right", indent=1, **rule)
        self.branches = [
            style(num_format="@", indent=1 + 2 * depth, bold=not depth, **rule) for depth in range(3)
        ]
        self.title = style(bold=True, font_size=20)
        self.sentence = style(font_size=14, text_wrap=True)
        self.strong = style(bold=True, font_size=12)
        self.muted = style(font_color=MUTED, text_wrap=True, num_format="@")
        self.note = style(font_color=MUTED, num_format="@", indent=1)
        self.label = style(bold=True, font_color="#7D5300", bg_color="#FDF3DD", text_wrap=True)
        self.quiet = style(font_color=MUTED, num_format="@")
        self.link = style(font_color=ACCENT, underline=1, indent=1, **rule)
        self.marks = {
            word: book.add_format(
                {"font_color": ink, "bg_color": ground, "num_format": f'"{icon}  "@', "bold": True}
            )
            for word, (icon, ink, ground) in MARKS.items()
        }

    def head_of(self, kind: Kind) -> Format:
        """The format of a column's heading."""
        return self.head_number if kind is Kind.NUMBER else self.head

    def of(self, kind: Kind) -> Format:
        """The format of a column's cells."""
        return {Kind.ID: self.id, Kind.NUMBER: self.number}.get(kind, self.text)


class _Column:
    """Turns the cells of one column into text that Excel can hold; those that come again are made once."""

    def __init__(self, column: Column, words: list[str] | None, tallest: int) -> None:
        self.kind = column.kind
        self.tallest = tallest
        self.width = column.width
        self.words = words
        """What numbers stand for: capabilities' labels or principals' names, by their place."""
        self._made: dict[Cell, tuple[str, int]] = {}

    def made(self, value: Cell) -> tuple[str, int]:
        """The text, and how many lines of the sheet it wants."""
        made = self._made.get(value)
        if made is None:
            if len(self._made) >= _REMEMBERED:
                self._made.clear()
            made = self._made[value] = (self._text(value), self._height(value))
        return made

    def _text(self, value: Cell) -> str:
        if self.kind is Kind.FLAG:
            return "yes" if value else "no"
        if not isinstance(value, tuple):
            return one_line(str(value))
        if self.words is not None:
            return lines([self.words[place] for place in value if isinstance(place, int)])
        return lines([str(part) for part in value])

    def _height(self, value: Cell) -> int:
        """Few enough to keep the sheet scannable; the cell holds the rest."""
        wanted = 1
        if isinstance(value, tuple) and self.kind is Kind.LINES:
            wanted = sum(-(-len(str(line)) // self.width) for line in value)
        elif isinstance(value, str) and self.kind is Kind.TEXT:
            wanted = -(-len(value) // self.width)
        return min(wanted, self.tallest)


class Writer:
    """Writes the cells of one workbook."""

    def __init__(self, look: Look, words: Mapping[Kind, list[str]]) -> None:
        self.look = look
        self.words = words

    def rows(
        self, sheet: Worksheet, columns: tuple[Column, ...], rows: Sequence[tuple[Cell, ...]]
    ) -> dict[int, set[str]]:
        """Write rows from the second row of the sheet on, each as tall as it needs.

        Return the words of each column that is marked by its words.
        """
        tallest_of_all = _LINES_OF_MANY if len(rows) > _MANY_ROWS else _MOST_LINES_SHOWN
        plan = [
            (at, column.kind is Kind.NUMBER, self.look.of(column.kind), self._maker(column, tallest_of_all))
            for at, column in enumerate(columns)
        ]
        words: dict[int, set[str]] = {at: set() for at, c in enumerate(columns) if c.kind in _MARKED}
        number, string, heights = sheet.write_number, sheet.write_string, sheet.row_info
        for row, cells in enumerate(rows, start=1):
            tallest = 1
            for at, is_number, style, make in plan:
                value = cells[at]
                if is_number and isinstance(value, int):
                    number(row, at, value, style)
                elif value != "" and value != ():
                    text, tall = make(value)
                    string(row, at, text, style)
                    if tall > tallest:
                        tallest = tall
            for at, found in words.items():
                found.add(str(cells[at]))
            if tallest > 1:
                sheet.set_row(row, _LINE_POINTS * tallest)
            if row > _KEPT:
                # Rows so far above are in the file: their heights need not stay in memory.
                heights.pop(row - _KEPT, None)
                sheet.row_sizes.pop(row - _KEPT, None)
        return words

    def _maker(self, column: Column, tallest: int) -> Callable[[Cell], tuple[str, int]]:
        if column.kind is Kind.ID:
            return lambda value: (one_line(str(value)), 1)
        return _Column(column, self.words.get(column.kind), tallest).made


def words_of(tables: Iterable[Table]) -> dict[Kind, list[str]]:
    """What the numbers in cells stand for: capabilities in words and principals by name."""
    named = {table.key: table for table in tables}
    kinds = ((Kind.CAPABILITIES, "capabilities", "label"), (Kind.PEOPLE, "principals", "principal"))
    return {
        kind: [str(cell) for cell in named[key].values(column)] for kind, key, column in kinds if key in named
    }


def fill(sheet: Worksheet, writer: Writer, table: Table, *, most: int = MAX_ROWS) -> None:
    """One table on one sheet: header in row 1, frozen, filtered, printed on every page."""
    look = writer.look
    first = tuple(table.rows[:_KEPT])
    for at, column in enumerate(table.columns):
        sheet.set_column(at, at, _width(column, [row[at] for row in first]))
        sheet.write_string(0, at, column.label, look.head_of(column.kind))
    sheet.set_row(0, 32)
    shown = table.rows[:most]
    words = writer.rows(sheet, table.columns, shown)
    last = len(shown)
    if not shown:
        sheet.write_string(1, 0, "no rows", look.muted)
    if len(table) > most:
        rest = plural(len(table) - most, "more row does", "more rows do")
        note = f"{rest} not fit on a sheet; {table.file} beside this workbook has all of them"
        sheet.write_string(last + 1, 0, note, look.label)
    finish(sheet, look, table, last, words)


def finish(sheet: Worksheet, look: Look, table: Table, last: int, words: Mapping[int, set[str]]) -> None:
    """Freeze, filter, mark words and set up printing for a sheet whose rows are written."""
    width = len(table.columns) - 1
    sheet.freeze_panes(1, _frozen(table))
    sheet.autofilter(0, 0, last, width)
    for at, found in words.items():
        mark(sheet, look, 1, at, last, at, sorted(found & MARKS.keys()))
    sheet.ignore_errors({"number_stored_as_text": f"A1:XFD{last + 2}"})
    printed, pages = _printed(table)
    every = len(table.columns)
    footer = "" if printed == every else f" · the first {printed} of {every} columns"
    printing(sheet, landscape=True, across=pages, footer=footer)
    sheet.repeat_rows(0)
    if pages > 1:
        sheet.repeat_columns(0, _frozen(table) - 1)
    if footer:
        sheet.print_area(0, 0, max(last, 1), printed - 1)


def _width(column: Column, first: Iterable[Cell]) -> int:
    """As wide as the column wants to be, no word of a heading broken; ids, which cannot be wrapped, whole."""
    wanted = max(column.width, *(len(word) + 4 for word in column.label.split()))
    if column.kind is not Kind.ID:
        return wanted
    return max(wanted, min(4 + max((len(str(cell)) for cell in first), default=0), _WIDEST_ID))


def _printed(table: Table) -> tuple[int, int]:
    """How many columns are printed, and on how many pages across."""
    widths = [*accumulate(column.width for column in table.columns)]
    printed = sum(width <= _MOST_PAGES * _ONE_PAGE for width in widths)
    return printed, -(-widths[printed - 1] // _ONE_PAGE)


def _frozen(table: Table) -> int:
    """Columns that stay in sight: up to and with the one that names the row."""
    keys = [column.key for column in table.columns]
    return keys.index("principal") + 1 if "principal" in keys else 1


def mark(
    sheet: Worksheet, look: Look, top: int, left: int, bottom: int, right: int, words: list[str]
) -> None:
    """Colour and icon by the cell's word, so that they follow when rows are sorted or words are changed."""
    for word in words:
        rule = {"type": "cell", "criteria": "==", "value": f'"{word}"', "format": look.marks[word]}
        sheet.conditional_format(top, left, bottom, right, rule)


def printing(sheet: Worksheet, *, landscape: bool, across: int = 1, footer: str = "") -> None:
    """A4, so many pages wide, with the sheet's name, what else is to be said and page numbers."""
    sheet.set_paper(9)
    if landscape:
        sheet.set_landscape()
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.6)
    sheet.fit_to_pages(across, 0)
    sheet.hide_gridlines(1)
    sheet.set_footer(f"&L&8permmigrate · &A{footer}&R&8&P / &N")
