"""The first two sheets: what the workbook is, and the verdict with its figures and native charts."""

from __future__ import annotations

from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.worksheet import Worksheet

from permmigrate.report.matrices import Matrix, Tree
from permmigrate.report.sheets import MARKS, MUTED, Look, fitting, mark, printing
from permmigrate.report.table import Table
from permmigrate.report.text import moment, plural
from permmigrate.report.value import DiffView, ReadinessView

_FILLS = {
    "gained": "#CF4A40",
    "maybe gained": "#DFA232",
    "unknown": "#A9AFB8",
    "lost": "#6D8BAB",
    "maybe lost": "#A9BED3",
    "unchanged": "#DDE2E8",
}
_BARS = {
    "gained": "#F2BDB8",
    "maybe gained": "#F5E0B4",
    "unknown": "#D9DCE0",
    "lost": "#BFCEDD",
    "maybe lost": "#D9E3EC",
}
"""Lighter, for a number stands on them."""
_SHADES = {"type": "2_color_scale", "min_color": "#FFFFFF", "max_color": "#A9BEE8", "min_type": "num"}
_NAMES = {"reverse": True, "line": {"none": True}, "num_font": {"size": 9}, "interval_unit": 1}
"""The axis of a bar chart: every name, the first on top."""

_HALF = {"width": 535, "height": 300}
_WHOLE = {"width": 1080, "height": 380}
_SECOND_HALF = 4
"""The column where the second of two charts begins."""
_CHART_ROWS, _TALL_CHART_ROWS = 16, 20
"""Rows of the usual height that a chart covers, and some air."""

ILLUSTRATIVE = (
    "Illustrative catalog: roles and policies are the built-in sandbox's, not the vendor's. "
    "Read this workbook as an example."
)


def read_me(
    view: DiffView | ReadinessView, sheet: Worksheet, look: Look, tables: list[tuple[str, Table]], most: int
) -> None:
    """What this file is, and what each sheet holds."""
    sheet.set_column(0, 0, 24)
    sheet.set_column(1, 1, 12)
    sheet.set_column(2, 2, 92)
    sheet.set_row(0, 32)
    sheet.write_string(0, 0, "permmigrate", look.title)
    row = 1
    for text, style in _opening(view, look):
        sheet.set_row(row, 17 * (1 + len(text) // 115))
        sheet.merge_range(row, 0, row, 2, "", style)
        sheet.write_string(row, 0, fitting(text), style)
        row += 1
    row += 1
    for at, heading in enumerate(("Sheet", "Rows", "One row is")):
        sheet.write_string(row, at, heading, look.head_number if at == 1 else look.head)
    plain = [("Summary", "The verdict, the figures and the charts.")]
    if isinstance(view, DiffView):
        plain.append(("Sign-off", "A cluster of expansions to approve, to reject or to ask about."))
    for name, about in plain:
        row += 1
        sheet.write_url(row, 0, f"internal:'{name}'!A1", look.link, name)
        sheet.write_blank(row, 1, None, look.text)
        sheet.write_string(row, 2, about, look.text)
    for name, table in tables:
        row += 1
        sheet.write_url(row, 0, f"internal:'{name}'!A1", look.link, name)
        sheet.write_number(row, 1, len(table), look.number)
        more = (
            f" Only the first {most:,} rows fit on the sheet; {table.file} has all of them."
            if len(table) > most
            else ""
        )
        sheet.write_string(row, 2, table.about + more, look.text)
    printing(sheet, landscape=True)
    sheet.hide_gridlines(2)


def _opening(view: DiffView | ReadinessView, look: Look) -> list[tuple[str, Any]]:
    about = f"Account {view.account_id}, as read on {moment(view.captured_at)}."
    said = [
        (about, look.muted),
        ("The same rows and numbers are on the HTML page and in the JSON document.", look.muted),
        ("Ids are text: an API key looks like a number and must not become one.", look.muted),
        ("Colours repeat the words beside them and carry nothing of their own.", look.muted),
    ]
    return [(ILLUSTRATIVE, look.label), *said] if view.illustrative else said


def _verdict(view: DiffView | ReadinessView, sheet: Worksheet, look: Look) -> int:
    """The banner and the figures; returns the next free row."""
    sheet.set_column(0, 0, 30)
    sheet.set_column(1, 20, 20)
    sheet.set_row(0, 32)
    sheet.write_string(0, 0, view.banner.headline, look.title)
    row = 1
    details = [line for line in view.banner.details if line not in view.read_summary]
    lines = [(view.banner.sentence, look.sentence), *((line, look.muted) for line in details)]
    lines += [(view.read_summary, look.muted)]
    if view.illustrative:
        lines.insert(0, (ILLUSTRATIVE, look.label))
    for text, style in lines:
        sheet.set_row(row, (24 if style is look.sentence else 17) * (1 + len(text) // 105))
        sheet.merge_range(row, 0, row, 6, "", style)
        sheet.write_string(row, 0, fitting(text), style)
        row += 1
    return row + 1


def _figures(view: DiffView | ReadinessView, sheet: Worksheet, look: Look, row: int, heading: str) -> int:
    """Word, number, note; returns the next free row."""
    for at, text in enumerate((heading, "Count", "Note")):
        sheet.write_string(row, at, text, look.head_number if at == 1 else look.head)
    first = row + 1
    for figure in view.figures:
        row += 1
        sheet.write_string(row, 0, figure.label, look.text)
        sheet.write_number(row, 1, figure.value, look.number)
        sheet.merge_range(row, 2, row, 5, "", look.note)
        sheet.write_string(row, 2, figure.note, look.note)
    mark(sheet, look, first, 0, row, 0, [f.label for f in view.figures if f.label in MARKS])
    return row + 2


def _matrix(matrix: Matrix, sheet: Worksheet, look: Look, row: int, *, shaded: bool = False) -> int:
    """A titled cross table; returns the next free row. Shading repeats what the numbers say."""
    sheet.write_string(row, 0, matrix.title, look.strong)
    sheet.write_string(row + 1, 0, fitting(matrix.about), look.quiet)
    row += 2
    sheet.set_row(row, 32)
    for at, text in enumerate((matrix.row_label, *matrix.columns)):
        sheet.write_string(row, at, fitting(text), look.head_number if at else look.head)
    first = row + 1
    for label, counts in matrix.rows:
        row += 1
        sheet.write_string(row, 0, fitting(label), look.text)
        for at, count in enumerate(counts, start=1):
            sheet.write_number(row, at, count, look.count)
    if shaded and matrix.rows:
        sheet.conditional_format(first, 1, row, len(matrix.columns), _SHADES)
    return row + 2


def _tree(tree: Tree, sheet: Worksheet, look: Look, row: int) -> int:
    """Findings up the folder tree, a bar in each cell beside its number; returns the next free row."""
    sheet.write_string(row, 0, "Where the findings are", look.strong)
    more = f" {plural(tree.left_out, 'rarer folder is', 'rarer folders are')} counted above."
    about = "Environments and their first two levels of folders, each with everything below it."
    sheet.write_string(row + 1, 0, about + (more if tree.left_out else ""), look.quiet)
    row += 2
    for at, text in enumerate(("Where", *tree.columns)):
        sheet.write_string(row, at, fitting(text), look.head_number if at else look.head)
    first = row + 1
    for branch in tree.branches:
        row += 1
        sheet.write_string(row, 0, fitting(branch.label), look.branches[branch.depth])
        for at, count in enumerate(branch.counts, start=1):
            sheet.write_number(row, at, count, look.count)
    scale = {"min_type": "num", "min_value": 0, "max_type": "num", "max_value": max(tree.most, 1)}
    for at, word in enumerate(tree.columns, start=1):
        look_of_bar = {"type": "data_bar", "bar_color": _BARS[word]}
        sheet.conditional_format(first, at, row, at, {**look_of_bar, **scale})
    return row + 2


def _chart(book: Workbook, kind: str, subtype: str | None = None) -> Any:
    return book.add_chart({"type": kind, "subtype": subtype} if subtype else {"type": kind})


def _dress(chart: Any, title: str) -> None:
    quiet = {"font": {"color": MUTED, "size": 9}}
    chart.set_title({"name": title, "name_font": {"size": 12, "bold": True}, "overlay": False})
    chart.set_x_axis({**quiet, "major_gridlines": {"visible": False}, "line": {"none": True}})
    chart.set_y_axis(
        {**quiet, "major_gridlines": {"visible": True, "line": {"color": "#E2E6EB"}}, "line": {"none": True}}
    )
    chart.set_chartarea({"border": {"color": "#D5DAE1"}})


def diff_summary(view: DiffView, book: Workbook, sheet: Worksheet, look: Look) -> None:
    """Verdict, figures, cross tables, and charts over the cells that hold them."""
    top = _verdict(view, sheet, look)
    after_figures = _figures(view, sheet, look, top, "Findings")
    kinds_at = after_figures + _CHART_ROWS
    gates_at = _matrix(view.by_kind, sheet, look, kinds_at)
    breaks = [gates_at]
    after_gates = _matrix(view.thresholds, sheet, look, gates_at)
    row = _matrix(view.by_legacy_role, sheet, look, after_gates + _CHART_ROWS)
    breaks.append(row)
    row = _matrix(view.roles, sheet, look, row, shaded=True)
    if view.folders.branches:
        breaks.append(row)
        _tree(view.folders, sheet, look, row)
    sheet.set_h_pagebreaks(breaks)
    sheet.insert_chart(after_figures, 0, _verdicts(view, book, top + 1))
    if view.by_kind.rows:
        sheet.insert_chart(after_figures, _SECOND_HALF, _stacked(view.by_kind, book, kinds_at + 2))
    sheet.insert_chart(after_gates, 0, _gates(view.thresholds, book, gates_at + 2))
    if view.most_expansions:
        sheet.insert_chart(after_gates, _SECOND_HALF, _top_causes(view, book))
    printing(sheet, landscape=True)
    sheet.hide_gridlines(2)


def _verdicts(view: DiffView, book: Workbook, first: int) -> Any:
    """The figures, over the cells that hold them."""
    shown = [figure for figure in view.figures if figure.key != "unchanged"]
    chart = _chart(book, "column")
    chart.add_series(
        {
            "name": "Findings",
            "categories": ["Summary", first, 0, first + len(shown) - 1, 0],
            "values": ["Summary", first, 1, first + len(shown) - 1, 1],
            "points": [{"fill": {"color": _FILLS[figure.label]}} for figure in shown],
            "data_labels": {"value": True, "font": {"size": 9}},
            "gap": 60,
        }
    )
    chart.set_legend({"none": True})
    _dress(chart, "Findings by verdict")
    chart.set_size(_HALF)
    return chart


def _gates(matrix: Matrix, book: Workbook, head: int) -> Any:
    """What each threshold would count, over the cross table whose heading row is `head`."""
    return _parted(matrix, _chart(book, "column", "stacked"), head, gap=60)


def _stacked(matrix: Matrix, book: Workbook, head: int) -> Any:
    """Principals by kind, stacked by outcome, over the cross table whose heading row is `head`."""
    chart = _parted(matrix, _chart(book, "bar", "percent_stacked"), head, gap=50)
    chart.set_y_axis(_NAMES)
    return chart


def _parted(matrix: Matrix, chart: Any, head: int, *, gap: int) -> Any:
    """A chart with a bar for each row of a cross table, parted by its columns."""
    for at, word in enumerate(matrix.columns, start=1):
        chart.add_series(
            {
                "name": ["Summary", head, at],
                "categories": ["Summary", head + 1, 0, head + len(matrix.rows), 0],
                "values": ["Summary", head + 1, at, head + len(matrix.rows), at],
                "fill": {"color": _FILLS[word]},
                "gap": gap,
            }
        )
    _dress(chart, matrix.title)
    chart.set_legend({"position": "bottom"})
    chart.set_size(_HALF)
    return chart


def _top_causes(view: DiffView, book: Workbook) -> Any:
    count = min(10, sum(1 for value in view.table("causes").values("expansions") if value))
    chart = _chart(book, "bar")
    keys = [column.key for column in view.table("causes").columns]
    at = keys.index("expansions")
    chart.add_series(
        {
            "name": "Expansions",
            "categories": ["Causes", 1, 0, count, 0],
            "values": ["Causes", 1, at, count, at],
            "fill": {"color": _FILLS["gained"]},
            "data_labels": {"value": True, "font": {"size": 9}},
            "gap": 50,
        }
    )
    _dress(chart, f"Expansions by {'mapping row' if view.planned else 'assigned role'}")
    chart.set_legend({"none": True})
    chart.set_y_axis(_NAMES)
    chart.set_size(_HALF)
    return chart


def readiness_summary(view: ReadinessView, book: Workbook, sheet: Worksheet, look: Look) -> None:
    """Verdict, score, arithmetic, and the areas' scores as a chart."""
    top = _verdict(view, sheet, look)
    sheet.write_string(top, 0, "Score out of 100", look.strong)
    sheet.write_number(top, 1, view.score, look.number)
    after_figures = _figures(view, sheet, look, top + 2, "Areas")
    row = after_figures + (_TALL_CHART_ROWS if view.areas else 0)
    sheet.set_h_pagebreaks([row])
    sheet.write_string(row, 0, "How the score is made", look.head)
    sheet.write_string(row, 1, "Sum", look.head)
    for label, expression in view.arithmetic:
        row += 1
        sheet.write_string(row, 0, fitting(label), look.text)
        sheet.write_string(row, 1, fitting(expression), look.id)
    if view.areas:
        chart = _chart(book, "bar")
        chart.add_series(
            {
                "name": "Score %",
                "categories": ["Areas", 1, 0, len(view.areas), 0],
                "values": ["Areas", 1, 2, len(view.areas), 2],
                "fill": {"color": "#2A52B5"},
                "data_labels": {"value": True, "font": {"size": 9}},
                "gap": 50,
            }
        )
        _dress(chart, "Readiness by area")
        chart.set_legend({"none": True})
        grid = {"visible": True, "line": {"color": "#E2E6EB"}}
        chart.set_x_axis({"min": 0, "max": 100, "num_font": {"size": 9}, "major_gridlines": grid})
        chart.set_y_axis(_NAMES)
        chart.set_size(_WHOLE)
        sheet.insert_chart(after_figures, 0, chart)
    printing(sheet, landscape=True)
    sheet.hide_gridlines(2)
