"""The page, the workbook, the documents and the terminal say the same."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

import pytest
import reading
import report_builders as builders
from hypothesis import HealthCheck, given, settings

from permmigrate.cli.diff import summary_lines
from permmigrate.diff import Diff, Verdict
from permmigrate.diff.counterfactuals import Counterfactual
from permmigrate.report import data, html, junit, markdown, sarif, workbook
from permmigrate.report.view import diff_view, readiness_view
from permmigrate.resources import templates_dir
from permmigrate.snapshot import Snapshot

SHEETS = {
    "expansions": "Expansions",
    "reductions": "Reductions",
    "undecided": "Undecided",
    "principals": "Principals",
    "keys": "API keys",
    "places": "Places",
    "coverage": "Mapping",
    "ledger": "Completeness",
    "hygiene": "Hygiene",
}


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(builders.diffs())
def test_counts_agree(pair: tuple[Diff, Snapshot]) -> None:
    """Every figure and every number of rows is the same everywhere and follows from the findings."""
    diff, snapshot = pair
    view = diff_view(diff, snapshot)
    page = html.render(view, templates_dir())
    document = json.loads(data.dump(data.diff_document(view)))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "diff.xlsx"
        workbook.write(view, path)
        sheets = reading.sheets(path)

    counts = Counter(finding.verdict for finding in diff.findings)
    expected = {v.value.replace(" ", "_"): counts[v] for v in Verdict if v is not Verdict.UNCHANGED}
    expected["unchanged"] = sum(not summary.counts for summary in diff.principals)
    assert expected == document["figures"]
    assert expected == reading.figures(page)
    in_summary = {str(row[0]).replace(" ", "_"): row[1] for row in sheets["Summary"] if row[0]}
    assert expected == {key: in_summary[key] for key in expected}
    run = sarif.sarif_document(view)["runs"][0]
    assert expected == run["properties"]["counts"]
    results = Counter(result["ruleId"].replace("-", "_") for result in run["results"])
    assert {key: count for key, count in expected.items() if key != "unchanged"} == {
        key: results[key] for key in expected if key != "unchanged"
    }
    suite = ElementTree.fromstring(junit.junit(view))[0]
    assert expected == {
        str(each.get("name")): int(str(each.get("value")))
        for each in suite.iter("property")
        if each.get("name") in expected
    }
    head, _, numbers = re.findall(r"^\| (.*) \|$", markdown.markdown(view), re.MULTILINE)[:3]
    in_comment = zip(head.split(" | "), numbers.split(" | "), strict=True)
    assert expected == {key.replace(" ", "_"): int(value.replace(",", "")) for key, value in in_comment}
    said = re.findall(r"(\d[\d,]*) ([a-z ]+)", next(iter(summary_lines(view))).partition(": ")[2])
    assert expected == {key.replace(" ", "_"): int(value.replace(",", "")) for value, key in said}

    islands = reading.islands(page)
    for key, name in SHEETS.items():
        rows = len(document["tables"][key])
        assert rows == islands[key]["rows"], key
        assert rows == len([row for row in sheets[name][1:] if row[0] != "no rows"]), key
    assert Counter(f.verdict.value for f in diff.findings if f.verdict.is_expansion) == Counter(
        reading.column(islands["expansions"], "verdict")
    )


def test_same_rows_everywhere(tmp_path: Path) -> None:
    """Finding ids, verdicts and key ids come in the same order in all three."""
    view = diff_view(builders.diff(), builders.snapshot())
    islands = reading.islands(html.render(view, templates_dir()))
    document = data.diff_document(view)
    workbook.write(view, tmp_path / "diff.xlsx")
    sheets = reading.sheets(tmp_path / "diff.xlsx")
    for key in ("expansions", "reductions", "undecided"):
        head, *rows = sheets[SHEETS[key]]
        for label, field in (("Finding", "id"), ("Verdict", "verdict"), ("Principal id", "principal_id")):
            expected = [record[field] for record in document["tables"][key]]
            assert expected
            assert expected == reading.column(islands[key], field)
            assert expected == [row[head.index(label)] for row in rows]


def test_what_changing_a_cause_does_is_said_everywhere(tmp_path: Path) -> None:
    """The page, the workbook and the document have the same words about the weighed cause, and no other."""
    found = builders.diff()
    ref = found.causes[0].ref
    weighed = [
        (
            Counterfactual(ref, "folder/Viewer", 1_200, 900, 30, 0, 4),
            Counterfactual(ref, "nothing", 1_200, 1_100, 100, 0, 70),
        ),
        (),
    ]
    view = diff_view(found, builders.snapshot(), weighed=weighed)
    expected = [
        "to folder/Viewer removes 900 of 1,200, lessens 30, loses 4",
        "to nothing removes 1,100 of 1,200, lessens 100, loses 70",
    ]
    document = json.loads(data.dump(data.diff_document(view)))
    changes = {cause["ref"]: cause["changes"] for cause in document["tables"]["causes"]}
    assert {ref: expected} == {each: lines for each, lines in changes.items() if lines}
    page = html.render(view, templates_dir())
    assert expected == re.findall(r"<li><bdi>(to .*?)</bdi></li>", page)
    workbook.write(view, tmp_path / "diff.xlsx")
    head, *rows = reading.sheets(tmp_path / "diff.xlsx")["Causes"]
    cells = {row[head.index("Row")]: row[head.index("What changing it does")] for row in rows}
    assert "\n".join(expected) == cells[ref]


def test_readiness_agrees(tmp_path: Path) -> None:
    """The readiness has its score, its findings and its figures three times the same."""
    view = readiness_view(builders.readiness(), builders.snapshot())
    page = html.render(view, templates_dir())
    document = data.readiness_document(view)
    workbook.write(view, tmp_path / "readiness.xlsx")
    sheets = reading.sheets(tmp_path / "readiness.xlsx")
    assert (
        {"blocked": 1, "unknown": 1, "attention": 0, "ready": 1}
        == document["figures"]
        == reading.figures(page)
    )
    assert ("Score out of 100", 60) in [row[:2] for row in sheets["Summary"]]
    assert 60 == document["score"]
    assert "Score 60 of 100" in page
    assert ["4 keys become Master Admin"] == [row[2] for row in sheets["Findings"][1:]]


@pytest.mark.parametrize("make", [html.render, lambda view, _: data.dump(data.diff_document(view))])
def test_same_input_same_bytes(make: object) -> None:
    """Rendering twice from equal values gives equal text."""
    first = make(diff_view(builders.diff(), builders.snapshot()), templates_dir())  # type: ignore[operator]
    second = make(diff_view(builders.diff(), builders.snapshot()), templates_dir())  # type: ignore[operator]
    assert first == second
    first.encode("utf-8")


def test_document_seals_itself() -> None:
    """The digest is of everything else in the document, and the schema number is there."""
    text = data.dump(data.diff_document(diff_view(builders.diff(), builders.snapshot())))
    document = json.loads(text)
    digest = document["digest"]
    whole = re.sub(r',?"digest":"[0-9a-f]{64}"', "", text, count=1)
    assert digest == hashlib.sha256(whole.encode()).hexdigest()
    assert 2 == document["schema"]
    assert text == json.dumps(document, sort_keys=True, separators=(",", ":"), ensure_ascii=False) + "\n"


@pytest.mark.parametrize("findings", [0, 1, 499, 500, 501])
def test_a_document_written_in_pieces_is_the_dumped_one(tmp_path: Path, findings: int) -> None:
    """Whatever the number of rows, the file has the same bytes."""
    view = diff_view(builders.diff(findings), builders.snapshot())
    data.write(data.diff_document(view), tmp_path / "diff.json")
    assert data.dump(data.diff_document(view)) == (tmp_path / "diff.json").read_text(encoding="utf-8")


def test_large_page_stays_small() -> None:
    """What 5,000 findings add to a page, twenty times, stays under 3 MB."""

    def size(findings: int) -> int:
        view = diff_view(builders.diff(findings, 2_000), builders.snapshot(2_000))
        return len(html.render(view, templates_dir()).encode())

    few = size(10)
    assert few + 20 * (size(5_000) - few) < 3_000_000
