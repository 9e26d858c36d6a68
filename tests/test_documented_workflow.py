"""The workflow in `docs/examples` does what it says: its own commands, run against the sandbox."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from permmigrate.cli import cli
from permmigrate.cli.boundary import run
from permmigrate.sandbox import Sandbox
from permmigrate.sandbox.server import serving
from sandbox_variables import variables

WORKFLOW = Path(__file__).parent.parent / "docs" / "examples" / "permissions.yml"
STEP = re.compile(r"^ +run: (?:\|\n((?:(?: {10,}.*)?\n)+)|(.+)\n)", re.MULTILINE)


def commands() -> list[str]:
    """What each step runs, in order."""
    found = STEP.findall(WORKFLOW.read_text(encoding="utf-8"))
    return [textwrap.dedent(block).strip() or line for block, line in found]


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A repository as the workflow expects it: tables, a list of shares, and accepted findings."""
    assert run(cli, ["mappings", "init", str(tmp_path / "mappings")]) == 0
    Sandbox(account="small", seed=1).write_shares(tmp_path / "shares.csv")
    head = "finding,people,expires,accepted_by,reason,what\n"
    (tmp_path / "accepted.csv").write_text(head, encoding="utf-8")
    return tmp_path


@pytest.mark.long
def test_the_workflow_stops_a_widening_and_shows_it(workplace: Path) -> None:
    """Every step passes but the comparison, which leaves with 5; the steps after it have its files."""
    environment = {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "HOME": str(workplace)}
    summary = workplace / "summary.md"
    codes = {}
    sandbox = Sandbox(account="small", seed=1)
    with serving(sandbox) as url:
        environment |= variables(sandbox, url) | {
            "GITHUB_STEP_SUMMARY": str(summary),
            "CLOUDINARY_API_URL": url,
            "PERMMIGRATE_WEIGH": os.environ["PERMMIGRATE_WEIGH"],
        }
        for command in commands():
            if command.startswith("pip install"):
                continue
            done = subprocess.run(
                ["bash", "-e", "-c", command], cwd=workplace, env=environment, capture_output=True, text=True
            )
            codes[command.split()[1]] = done.returncode
            assert "Traceback" not in done.stderr, done.stderr
    assert {"mappings": 0, "snapshot": 0, "diff": 5, "reports/diff.md": 0} == codes
    assert summary.read_text(encoding="utf-8").startswith("## EXPANDS")
    results = json.loads((workplace / "reports" / "diff.sarif").read_text(encoding="utf-8"))["runs"][0][
        "results"
    ]
    uris = {
        place["physicalLocation"]["artifactLocation"]["uri"]
        for each in results
        for place in each["locations"]
    }
    assert all((workplace / uri).is_file() for uri in uris)
    assert [] == sandbox.effects
