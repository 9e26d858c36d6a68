"""`diff` as a gate in a pipeline: limits, accepted findings, and the formats that pipelines read."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

from command_line import Ran
from permmigrate.errors import ExitCode

Call = Callable[..., Ran]
pytestmark = pytest.mark.usefixtures("compared_once")


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ((), ExitCode.OK),
        (("--fail-on", "critical"), ExitCode.FINDINGS),
        (("--max-expansions", "critical=0"), ExitCode.FINDINGS),
        (("--max-expansions", "100000"), ExitCode.FINDINGS),
        (("--max-expansions", "100000", "--allow-incomplete"), ExitCode.OK),
        (("--max-admin-promotions", "0", "--allow-incomplete"), ExitCode.OK),
        (("--max-expansions", "dreadful=1"), ExitCode.USAGE),
        (("--max-expansions", "critical=many"), ExitCode.USAGE),
    ],
)
def test_limits_decide_the_exit_code(
    call: Call, few: Path, tmp_path: Path, options: tuple[str, ...], code: ExitCode
) -> None:
    """The reports are written whatever the gate says."""
    ran = call("diff", few, "--out", tmp_path, "--format", "json", *options)
    assert code == ran.code, ran.err
    assert (code is not ExitCode.USAGE) == (tmp_path / "diff.json").exists()


def test_an_accepted_baseline_lets_only_new_findings_fail(call: Call, few: Path, tmp_path: Path) -> None:
    """Written by one run, refused while it lacks reasons, and then all that is old passes."""
    accepted = tmp_path / "accepted.csv"
    run = ("diff", few, "--out", tmp_path, "--format", "json", "--allow-incomplete")
    assert ExitCode.OK == call(*run, "--write-baseline", accepted).code
    assert ExitCode.INVALID_FILE == call(*run, "--baseline", accepted).code

    head, *rows = accepted.read_text(encoding="utf-8").splitlines()[2:]
    reasoned = [row.replace(",,,,", ",,security review,agreed in the review,") for row in rows]
    accepted.write_text("\n".join([head, *reasoned]) + "\n", encoding="utf-8")
    undecided = json.loads((tmp_path / "diff.json").read_text(encoding="utf-8"))["figures"]["unknown"]
    passed = call(*run, "--baseline", accepted, "--max-expansions", str(undecided))
    assert ExitCode.OK == passed.code, passed.err
    assert f"{len(rows)} findings accepted before" in passed.err

    accepted.write_text("\n".join([head, *reasoned[1:]]) + "\n", encoding="utf-8")
    assert ExitCode.FINDINGS == call(*run, "--baseline", accepted, "--max-expansions", str(undecided)).code


def test_every_format_is_written_and_read_by_its_readers(call: Call, few: Path, tmp_path: Path) -> None:
    """Six files and the plan, mode 0600, of which the XML and the JSON parse."""
    formats = ("html", "xlsx", "json", "sarif", "markdown", "junit")
    options = [word for each in formats for word in ("--format", each)]
    ran = call("diff", few, "--out", tmp_path, *options)
    assert [Path(line).name for line in ran.out.splitlines()] == [
        "diff.html",
        "diff.xlsx",
        "diff.json",
        "diff.sarif",
        "diff.md",
        "diff.xml",
        "plan.json",
    ]
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.iterdir())
    ElementTree.parse(tmp_path / "diff.xml")
    places = json.loads((tmp_path / "diff.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    assert {"mappings/folder_levels.csv"} <= {
        place["physicalLocation"]["artifactLocation"]["uri"]
        for result in places
        for place in result["locations"]
    }
