"""What machines and pull requests get: SARIF, Markdown, JUnit. Whatever a name says, it stays a name."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest
import report_builders as builders

from permmigrate.diff import Diff
from permmigrate.report import junit, markdown, sarif
from permmigrate.report.value import DiffView
from permmigrate.report.view import diff_view

HOSTILE = (
    "<img src=x onerror=alert(1)>",
    "](javascript:alert(1))",
    "a | b",
    "`code` ``` more",
    "@everyone #12 https://evil.example www.evil.example GH-7",
    "\x00\x1b[2J\u202egnp.exe\ud800\ufffe",
    "\\| \\` \\",
    "x" * 10_000,
)


def view_of(diff: Diff | None = None) -> DiffView:
    """A comparison finished for reading."""
    return diff_view(diff or builders.diff(), builders.snapshot())


def hostile_diff(name: str) -> Diff:
    """A comparison in which everything that has a name has this one."""
    diff = builders.diff()
    findings = tuple(
        replace(each, region=replace(each.region, label=name), before=(name,), after=(name,), reason=name)
        for each in diff.findings
    )
    principals = tuple(replace(each, name=name, detail=name) for each in diff.principals)
    causes = tuple(replace(each, text=name) for each in diff.causes)
    uncertainties = tuple(replace(each, subject=name, reason=name) for each in diff.uncertainties)
    return replace(diff, findings=findings, principals=principals, causes=causes, uncertainties=uncertainties)


def test_each_sarif_result_points_at_the_mapping_row_that_makes_it() -> None:
    """File and line are those of the finding's first cause, in the folder the repository has."""
    diff = builders.diff()
    document = sarif.sarif_document(view_of(diff), mappings="access/mappings")
    by_id = {finding.id: finding for finding in diff.findings}
    results = document["runs"][0]["results"]
    assert {r["partialFingerprints"]["permmigrateFinding/v1"] for r in results} == set(by_id)
    for result in results:
        causes = by_id[result["partialFingerprints"]["permmigrateFinding/v1"]].causes
        places = [
            f"{place['artifactLocation']['uri']}:{place['region']['startLine']}"
            for place in (each["physicalLocation"] for each in result["locations"])
        ]
        rows = [f"access/mappings/{cause}" for cause in causes if ".csv:" in cause]
        assert (rows or ["access/mappings/user_roles.csv:1"]) == places


def test_sarif_says_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Past what a code-scanning service takes, the worst findings stay and the number of all is told."""
    monkeypatch.setattr(sarif, "MOST_RESULTS", 7)
    run = sarif.sarif_document(view_of())["runs"][0]
    assert 7 == len(run["results"])
    assert run["properties"]["findings"] == len(builders.diff().findings)
    notes = [note["message"]["text"] for note in run["invocations"][0]["toolExecutionNotifications"]]
    assert any("left out" in note for note in notes)


def test_gains_are_errors_and_losses_are_notes() -> None:
    """A service that stops on errors stops on what was surely gained."""
    results = sarif.sarif_document(view_of())["runs"][0]["results"]
    levels = {(result["ruleId"], result["level"]) for result in results}
    assert {("gained", "error"), ("maybe-gained", "warning"), ("lost", "note")} <= levels


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_stay_names(name: str) -> None:
    """No markup, link, mention, control character or broken document comes of them."""
    view = view_of(hostile_diff(name))
    json.loads(sarif.dump(sarif.sarif_document(view))).items()
    tree = ElementTree.fromstring(junit.junit(view))
    assert "testsuites" == tree.tag
    text = markdown.markdown(view)
    assert len(text) < markdown.MOST_CHARACTERS
    outside_code = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)", "", re.sub(r"\\[\\`|*_\[\]#~$]", "", text))
    assert "<img" not in outside_code
    assert not re.search(r"\]\(", outside_code)
    assert not re.search(r"@everyone|https://evil|www\.evil|(?<!&)#12|GH-7", outside_code)
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f\u202e\ud800-\udfff]", text)
    for line in text.splitlines():
        if line.startswith("| "):
            assert len(re.findall(r"(?<!\\)\|", line)) in (7, 5, 8), line


def test_markdown_keeps_under_a_comments_size_and_says_so() -> None:
    """With very many findings the worst come first and the rest are counted."""
    diff = builders.diff(3_000, 300)
    text = markdown.markdown(diff_view(diff, builders.snapshot(300)))
    expansions = [finding for finding in diff.findings if finding.verdict.is_expansion]
    listed = [finding.id in text for finding in expansions]
    shown = sum(listed)
    assert 100 < shown < len(expansions)
    assert all(listed[:shown])
    assert f"{len(expansions) - shown:,} more expansions are in the report" in text
    assert 50_000 < len(text) < markdown.MOST_CHARACTERS


def test_junit_fails_a_case_for_each_row_that_widens() -> None:
    """A mapping row is a case; those with expansions fail, the others pass, and completeness is one more."""
    diff = builders.diff()
    suite = ElementTree.fromstring(junit.junit(view_of(diff)))[0]
    cases = suite.findall("testcase")
    failed = [case.get("name", "") for case in cases if case.find("failure") is not None]
    widening = [cause.ref for cause in diff.causes if cause.expansions]
    assert len(diff.causes) + 1 == len(cases) == int(suite.get("tests", ""))
    assert sorted(widening) == sorted(
        name.partition(": ")[0] for name in failed if ".csv:" in name or name.split(":")[0] in widening
    )
    assert len(failed) == int(suite.get("failures", ""))
