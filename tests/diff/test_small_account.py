"""The sandbox's small account with the shipped tables: every verdict on every request is Cedar's.

`make fuzz` asks about all its principals, `make test` about four.
"""

from __future__ import annotations

import json
from pathlib import Path

import httpx
import pytest
from cedar_agreement import disagreements

from permmigrate.cloudinary.credentials import from_environment
from permmigrate.cloudinary.reader import Reader
from permmigrate.cloudinary.session import Timing
from permmigrate.diff.value import Verdict
from permmigrate.mapping.tables import load
from permmigrate.resources import mappings_dir
from permmigrate.sandbox import Sandbox
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.capture import capture
from random_accounts import Account
from sampling import WHOLE

pytestmark = pytest.mark.sampled

ASKED, AT_LEAST = (slice(None), 500_000) if WHOLE else (slice(6, None, 19), 30_000)
"""Which principals, in their order: two users, a group and the account key have all verdicts between them."""
OUTSIDE_THE_SHAPES = ("context", " like ", "principal has", "unless")


def captured(state: str, folder: Path) -> Snapshot:
    """The small account as the reader takes it, in process, with its share list."""
    sandbox = Sandbox("small", seed=1, state=state)
    shares = folder / "shares.json"
    shares.write_text(json.dumps(list(sandbox.share_rows())), encoding="utf-8")
    credentials = from_environment(
        {"CLOUDINARY_ACCOUNT_URL": sandbox.account_url("")}
        | {f"CLOUDINARY_URL_{n}": url for n, url in enumerate(sandbox.cloudinary_urls(""), start=2)}
    )
    inner, timing = httpx.WSGITransport(app=sandbox.wsgi), Timing(sleep=lambda _: None)
    with Reader(credentials, api_url="http://localhost", inner=inner, timing=timing) as reader:
        return capture(
            reader,
            share_lists=[shares],
            keep_unknown=True,
            captured_at="2026-11-22T08:00:00Z",
            tool_version="0",
        )


def test_the_whole_small_account_agrees(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Before and after by the tables: each action and resource of the account, none left out."""
    snapshot = captured("legacy", tmp_path)
    opaque = frozenset(
        custom.id
        for custom in snapshot.custom_policies
        if any(words in custom.statement for words in OUTSIDE_THE_SHAPES)
    )

    found = disagreements(Account(snapshot, load(mappings_dir()), None, opaque, forbids=False), of=ASKED)

    with capsys.disabled():
        print(
            f"\nsmall account: {found.compared} verdicts on {found.decisions} Cedar decisions, "
            f"{found.excused} undecided on purpose"
        )
    assert [] == found.wrong[:3]
    assert found.compared > AT_LEAST
    assert 0 < found.excused < 0.01 * found.compared
    assert {Verdict.GAINED, Verdict.MAYBE_GAINED, Verdict.MAYBE_LOST, Verdict.LOST} <= found.verdicts.keys()
