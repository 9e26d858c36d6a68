"""`diff --assigned` compares two snapshots of one account, the older one first, and nothing else."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from command_line import Ran
from permmigrate.errors import ExitCode
from permmigrate.model import AccountId
from permmigrate.snapshot.file import dump, load

Call = Callable[..., Ran]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"account_id": AccountId("someoneelse")}, "`someoneelse`"),
        ({"captured_at": "2020-01-01T00:00:00Z"}, "before the snapshot it should come after"),
    ],
)
def test_what_is_no_later_snapshot_of_the_account_is_refused(
    call: Call, snapshot: Path, tmp_path: Path, change: dict[str, str], said: str
) -> None:
    """Another account, or an earlier moment, proves nothing and writes nothing."""
    other = tmp_path / "other.snapshot"
    dump(replace(load(snapshot), **change), other)

    ran = call("diff", snapshot, "--assigned", other, "--out", tmp_path / "reports")

    assert ExitCode.USAGE == ran.code
    assert said in ran.err
    assert not (tmp_path / "reports").exists()


def test_a_later_snapshot_without_any_role_does_not_pass_the_gate(
    call: Call, snapshot: Path, tmp_path: Path
) -> None:
    """An account that has not moved yet is no proof that nothing widened."""
    ran = call(
        *("diff", snapshot, "--assigned", snapshot, "--out", tmp_path / "reports"),
        *("--fail-on", "expansions", "--format", "json"),
    )

    assert ExitCode.FINDINGS == ran.code
