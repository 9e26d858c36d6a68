"""How many are walked together changes nothing of what is found."""

from __future__ import annotations

import pytest
from cedar_agreement import TODAY

from permmigrate.diff import batches, gathering
from permmigrate.diff.compare import compare
from random_accounts import account


@pytest.mark.parametrize("limit", ["SIZE", "GRANTS"])
@pytest.mark.parametrize("seed", [3, 12, 27])
def test_everybody_alone_is_found_what_is_found_together(
    seed: int, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit that one subject reaches makes as many batches as there are subjects."""
    made = account(seed)
    together = compare(made.snapshot, made.tables, today=TODAY, tool_version="0")
    monkeypatch.setattr(batches, limit, 0)
    alone = compare(made.snapshot, made.tables, today=TODAY, tool_version="0")

    assert list(alone.findings) == list(together.findings)
    assert alone == together


@pytest.mark.parametrize("seed", range(20, 28))
def test_halves_are_found_what_all_are_found_together(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many users one half is walked in a copy of the process, and numbers what it meets in its own way."""
    made = account(seed)
    together = compare(made.snapshot, made.tables, today=TODAY, tool_version="0")
    monkeypatch.setattr(gathering, "MANY", 0)
    halved = compare(made.snapshot, made.tables, today=TODAY, tool_version="0")

    assert list(halved.findings) == list(together.findings)
    assert halved == together
