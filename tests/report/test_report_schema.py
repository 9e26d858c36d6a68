"""The documents are what the schemas that ship say of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import report_builders as builders
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

import permmigrate.report
from permmigrate.diff import Diff
from permmigrate.report import data, schema
from permmigrate.report.value import DiffView, ReadinessView
from permmigrate.report.view import diff_view, readiness_view
from permmigrate.snapshot import Snapshot

FOLDER = Path(permmigrate.report.__file__).parent


def shipped(name: str) -> Any:
    return json.loads((FOLDER / name).read_text(encoding="ascii"))


@pytest.mark.parametrize(
    ("name", "view"),
    [
        ("diff.schema.json", diff_view(builders.diff(), builders.snapshot())),
        ("readiness.schema.json", readiness_view(builders.readiness(), builders.snapshot())),
    ],
)
def test_what_ships_is_of_today(name: str, view: DiffView | ReadinessView) -> None:
    """The file is what the tables' columns make; a changed column needs a new file."""
    assert schema.dump(schema.schema_of(view)) == (FOLDER / name).read_text(encoding="ascii")
    Draft202012Validator.check_schema(shipped(name))


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(builders.diffs())
def test_every_comparison_fits(pair: tuple[Diff, Snapshot]) -> None:
    """Whatever the account and its names, the document is valid."""
    document = json.loads(data.dump(data.diff_document(diff_view(*pair, no_plan="somebody said no"))))
    assert [] == [
        error.message for error in Draft202012Validator(shipped("diff.schema.json")).iter_errors(document)
    ]


def test_a_readiness_fits() -> None:
    """So is that of a readiness."""
    view = readiness_view(builders.readiness(), builders.snapshot())
    document = json.loads(data.dump(data.readiness_document(view)))
    Draft202012Validator(shipped("readiness.schema.json")).validate(document)


@pytest.mark.parametrize("change", [{"schema": 3}, {"more": 1}, {"figures": {}}, {"digest": "short"}])
def test_what_is_no_comparison_does_not_fit(change: dict[str, Any]) -> None:
    """Another version, a field that nobody knows, or one that is missing is found."""
    document = json.loads(data.dump(data.diff_document(diff_view(builders.diff(), builders.snapshot()))))
    assert not Draft202012Validator(shipped("diff.schema.json")).is_valid(document | change)
