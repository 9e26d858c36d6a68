"""What a page or a sheet cannot hold is said where it is missing, and stands whole beside it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import reading
import report_builders as builders
from test_report_workbook import hostile_view

from permmigrate.report import beside, data, html, island
from permmigrate.report.view import diff_view
from permmigrate.resources import templates_dir


def rows_of(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return list(csv.reader(stream))


def test_nothing_stands_beside_reports_that_hold_everything(tmp_path: Path) -> None:
    """A usual account needs no further file, and a document never does."""
    view = diff_view(builders.diff(), builders.snapshot())
    assert () == beside.write(view, tmp_path, ("html", "xlsx"))
    assert () == beside.write(view, tmp_path, ("json",), most=1)


def test_a_long_table_is_whole_in_its_file(tmp_path: Path) -> None:
    """Every row of the table is there, in its order; shorter tables have no file."""
    view = diff_view(builders.diff(), builders.snapshot())
    paths = beside.write(view, tmp_path, ("html",), most=20)
    assert tmp_path / "expansions.csv" in paths
    assert tmp_path / "keys.csv" not in paths
    head, *rows = rows_of(tmp_path / "expansions.csv")
    expected = [row["id"] for row in data.diff_document(view)["tables"]["expansions"]]
    assert expected == [row[head.index("Finding")] for row in rows]
    labels = {str(label) for label in view.table("capabilities").values("label")}
    assert {part for row in rows for part in row[head.index("Everything it covers")].split(" | ")} <= labels


def test_the_page_names_the_file_above_its_table(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before any row is read, the reader knows that there are more."""
    monkeypatch.setattr(html, "MOST_ROWS", 20)
    monkeypatch.setattr(html, "Packer", lambda: island.Packer(most=20))
    html._environment.cache_clear()
    page = html.render(diff_view(builders.diff(), builders.snapshot()), templates_dir())
    html._environment.cache_clear()
    assert "This page has the first 20 of 30 rows" in page
    assert "expansions.csv" in page
    assert 20 == reading.islands(page)["expansions"]["rows"]


def test_no_cell_of_a_file_is_a_formula(tmp_path: Path) -> None:
    """Whatever somebody is called, a spreadsheet shows it and computes nothing."""
    beside.write(hostile_view(), tmp_path, ("xlsx",), most=1)
    cells = [cell for path in tmp_path.glob("*.csv") for row in rows_of(path) for cell in row]
    assert any("HYPERLINK" in cell for cell in cells)
    assert [] == [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
