"""Snapshots of the sandbox's accounts, taken once a run."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import httpx
import pytest

from permmigrate.cloudinary.credentials import from_environment
from permmigrate.cloudinary.reader import Reader
from permmigrate.sandbox import Sandbox
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.capture import capture
from sandbox_variables import variables


@pytest.fixture(scope="session")
def sandboxes(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, str], Snapshot]:
    """The small account of a seed in a state, captured with its list of shares."""
    folder: Path = tmp_path_factory.mktemp("sandboxes")

    @cache
    def taken(seed: int, state: str) -> Snapshot:
        sandbox = Sandbox(account="small", seed=seed, state=state)
        shares = folder / f"{seed}-{state}.csv"
        sandbox.write_shares(shares)
        credentials = from_environment(variables(sandbox))
        inner = httpx.WSGITransport(app=sandbox.wsgi)
        with Reader(credentials, api_url="http://localhost", inner=inner) as reader:
            return capture(
                reader,
                share_lists=(shares,),
                keep_unknown=True,
                captured_at="2026-11-22T08:00:00Z",
                tool_version="0",
            )

    return taken
