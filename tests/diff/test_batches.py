"""How many are walked together changes nothing of what is found."""

from __future__ import annotations

import pytest
from cedar_agreement import TODAY

from permmigrate.diff import batches
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
