"""The workbook keeps text as text and says what it leaves out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest
import reading
import report_builders as builders
import strict_workbook
from openpyxl.utils.escape import unescape

from permmigrate.errors import UsageError
from permmigrate.report import workbook
from permmigrate.report.sheets import MAX_TEXT, fitting, lines, one_line
from permmigrate.report.value import DiffView
from permmigrate.report.view import diff_view, readiness_view


def hostile_view() -> DiffView:
    """Every hostile name as a user, a region, a path and a cause."""
    people = tuple(builders.user(at, name=name) for at, name in enumerate(builders.HOSTILE))
    account = builders.snapshot(users=people)
    found = tuple(
        type(f)(**{field: getattr(f, field) for field in f.__slots__} | {"after": (name,), "causes": (name,)})
        for f, name in zip(builders.diff(len(people), len(people)).findings, builders.HOSTILE, strict=True)
    )
    return diff_view(builders.assemble(account, found), account)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "diff.xlsx"
    workbook.write(hostile_view(), path)
    return path


def test_nothing_is_a_formula(hostile: Path) -> None:
    """Names that look like formulas are text; the only other cells are numbers."""
    assert {"s", "n"} == reading.cell_types(hostile)


def test_hostile_names_are_readable(hostile: Path) -> None:
    """A name comes back as it was, its control characters as pictures."""
    names = {unescape(row[2]) for row in reading.sheets(hostile)["Principals"]}
    assert '=HYPERLINK("http://evil.example/","click")' in names
    assert "bell␇ null␀ escape␛[31m" in names
    assert "_x0041_ {=1+1}" in names
    assert "x" * 10_000 in names


def test_links_stay_in_the_file(hostile: Path) -> None:
    """The only links are those of the first sheet to the other sheets."""
    book = openpyxl.load_workbook(hostile)
    links = [link for sheet in book for row in sheet.iter_rows() for c in row if (link := c.hyperlink)]
    assert links
    assert all(link.target is None and link.location for link in links)


def test_ids_are_text_and_numbers_are_numbers(tmp_path: Path) -> None:
    """A 15-digit API key is text; a count is a number; headers are frozen and filtered."""
    workbook.write(diff_view(builders.diff(), builders.snapshot()), tmp_path / "diff.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "diff.xlsx")["API keys"]
    head = [cell.value for cell in sheet[1]]
    row = [cell.value for cell in sheet[2]]
    assert "734211898771000" == row[head.index("Key id")]
    assert isinstance(row[head.index("Gained")], int)
    assert sheet.freeze_panes == "E2"
    assert sheet.auto_filter.ref.startswith("A1:")
    assert "$1:$1" == sheet.print_title_rows


def test_words_carry_the_marks(tmp_path: Path) -> None:
    """Verdicts and severities are marked by the cell's word, with an icon in the format."""
    workbook.write(diff_view(builders.diff(), builders.snapshot()), tmp_path / "diff.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "diff.xlsx")["Expansions"]
    marks = [rule for each in sheet.conditional_formatting for rule in each.rules]
    rules = {rule.formula[0]: rule.dxf.numFmt.formatCode for rule in marks}
    assert {'"gained"', '"maybe gained"', '"critical"', '"high"'} <= rules.keys()
    assert '"▲  "@' == rules['"gained"']


def test_rows_past_the_limit_are_counted(tmp_path: Path) -> None:
    """A sheet that cannot hold all rows says how many are missing and where they are."""
    workbook.write(diff_view(builders.diff(), builders.snapshot()), tmp_path / "diff.xlsx", most=5)
    sheets = reading.sheets(tmp_path / "diff.xlsx")
    assert 1 + 5 + 1 == len(sheets["Expansions"])
    assert (
        "25 more rows do not fit on a sheet; expansions.csv beside this workbook has all of them"
        == (sheets["Expansions"][-1][0])
    )


def test_long_text_is_cut_and_says_so() -> None:
    """Excel's 32,767 UTF-16 units hold, an emoji is never halved, and the cut is told."""
    for text in ("x" * 40_000, "🎨" * 20_000, "x\n" * 20_000):
        made = one_line(text)
        assert len(made.encode("utf-16-le")) // 2 <= MAX_TEXT
        assert "cut here: 40,000 characters" in made
    assert "x" * 20_000 == fitting("x" * 20_000)


def test_many_lines_are_counted() -> None:
    """More lines than Excel bears in a cell are left out and counted."""
    assert "… and 800 more lines; the JSON document has the rest" == lines(["y"] * 1000).rpartition("\n")[2]
    assert lines(["y"] * 1000) == fitting("\n".join(["y"] * 1000))


def test_same_input_same_cells(tmp_path: Path) -> None:
    """Two workbooks of one view are the same file."""
    view = diff_view(builders.diff(), builders.snapshot())
    for name in ("a", "b"):
        workbook.write(view, tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_unwritable_place(tmp_path: Path) -> None:
    """A folder that cannot be made is the caller's mistake, and nothing is left behind."""
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="cannot write"):
        workbook.write(diff_view(builders.diff(), builders.snapshot()), tmp_path / "file" / "diff.xlsx")


def test_summary_prints_on_few_pages(tmp_path: Path) -> None:
    """Charts stand between and below the tables, not beside them, and cover no cell that says something."""
    workbook.write(diff_view(builders.diff(), builders.snapshot()), tmp_path / "diff.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "diff.xlsx")["Summary"]
    places = [(chart.anchor._from, chart.anchor.to) for chart in sheet._charts]
    assert 4 == len(places)
    for start, end in places:
        assert end.col <= 9
        covered = sheet.iter_rows(
            min_row=start.row + 1, max_row=end.row + 1, min_col=start.col + 1, max_col=end.col + 1
        )
        assert not [cell.coordinate for row in covered for cell in row if cell.value is not None]


def test_the_summary_has_what_the_page_draws(tmp_path: Path) -> None:
    """Thresholds, role matrix and folder tree are tables; their shades and bars repeat the numbers."""
    view = diff_view(builders.diff(), builders.snapshot())
    view = replace(view, roles=replace(view.by_legacy_role, title="From legacy role to new roles"))
    workbook.write(view, tmp_path / "diff.xlsx")
    rows = reading.sheets(tmp_path / "diff.xlsx")["Summary"]
    for matrix in (view.by_kind, view.thresholds, view.by_legacy_role, view.roles):
        at = [row[0] for row in rows].index(matrix.title)
        assert (matrix.row_label, *matrix.columns) == rows[at + 2][: 1 + len(matrix.columns)]
        found = {row[0]: row[1 : 1 + len(matrix.columns)] for row in rows[at + 3 : at + 3 + len(matrix.rows)]}
        assert dict(matrix.rows) == found
    at = [row[0] for row in rows].index("Where the findings are") + 3
    found = [(row[0], row[1 : 1 + len(view.folders.columns)]) for row in rows[at:]]
    assert [(branch.label, branch.counts) for branch in view.folders.branches] == found
    sheet = openpyxl.load_workbook(tmp_path / "diff.xlsx")["Summary"]
    kinds = {rule.type for each in sheet.conditional_formatting for rule in each.rules}
    assert {"dataBar", "colorScale", "cellIs"} == kinds


def test_wide_tables_print_what_is_read(tmp_path: Path) -> None:
    """Two pages across at most, with the first columns on each; the footer tells how many are not printed."""
    view = diff_view(builders.diff(), builders.snapshot())
    workbook.write(view, tmp_path / "diff.xlsx")
    book = openpyxl.load_workbook(tmp_path / "diff.xlsx")
    assert {1, 2} == {sheet.page_setup.fitToWidth or 1 for sheet in book}
    sheet = book["Expansions"]
    count = len(view.table("expansions").columns)
    assert f"of {count} columns" in sheet.oddFooter.left.text
    assert sheet.print_area
    assert "$A:$D" == sheet.print_title_cols
    assert not book["Causes"].print_area


@pytest.mark.parametrize("most", [5, 1_000])
def test_excel_needs_to_repair_nothing(tmp_path: Path, most: int) -> None:
    """A comparison's and a readiness's workbook, with and without notes about rows that do not fit."""
    account = builders.snapshot()
    for view in (diff_view(builders.diff(), account), readiness_view(builders.readiness(), account)):
        workbook.write(view, tmp_path / "book.xlsx", most=most)
        assert [] == strict_workbook.problems(tmp_path / "book.xlsx")
