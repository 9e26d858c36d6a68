"""`diff --weigh` says what smaller roles would remove, of as many causes as are asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from command_line import Ran

Call = Callable[..., Ran]


@pytest.mark.parametrize("asked", [0, 1])
def test_as_many_causes_are_weighed_as_are_asked_for(
    call: Call, few: Path, tmp_path: Path, asked: int
) -> None:
    """The first causes of the document say what changing them does, the others nothing."""
    ran = call("diff", few, "--weigh", asked, "--format", "json", "--out", tmp_path)

    assert 0 == ran.code
    causes = json.loads((tmp_path / "diff.json").read_text(encoding="utf-8"))["tables"]["causes"]
    weighed = [cause["ref"] for cause in causes if cause["changes"]]
    assert [cause["ref"] for cause in causes[:asked]] == weighed
    assert all(cause["changes"][-1].startswith("to nothing removes ") for cause in causes[:asked])
