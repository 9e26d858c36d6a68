"""One small sandbox account behind a real socket for the whole of the command-line tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from permmigrate.sandbox import Sandbox
from permmigrate.sandbox.server import serving


class Account(NamedTuple):
    """Where the sandbox answers, and the environment variables that open it."""

    url: str
    env: dict[str, str]
    shares: Path


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The small legacy account, served."""
    sandbox = Sandbox(account="small", seed=1)
    shares = tmp_path_factory.mktemp("lists") / "shares.csv"
    sandbox.write_shares(shares)
    with serving(sandbox) as url:
        yield Account(url, variables(sandbox, url), shares)


def variables(sandbox: Sandbox, url: str) -> dict[str, str]:
    """The sandbox's credentials as a person would export them."""
    env = {"CLOUDINARY_ACCOUNT_URL": sandbox.account_url(url)}
    for number, cloudinary_url in enumerate(sandbox.cloudinary_urls(url), start=1):
        env[f"CLOUDINARY_URL_{number}"] = cloudinary_url
    return env


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start every test without the credentials or proxies of whoever runs it."""
    import os

    for name in list(os.environ):
        if name.startswith("CLOUDINARY_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="session")
def snapshot(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of the small account, taken by the command itself."""
    from permmigrate.cli import cli
    from permmigrate.cli.boundary import run

    path = tmp_path_factory.mktemp("taken") / "account.snapshot"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in account.env.items():
            patch.setenv(name, value)
        arguments = [
            "snapshot",
            "--out",
            str(path),
            "--shares",
            str(account.shares),
            "--api-url",
            account.url,
        ]
        assert run(cli, [*arguments, "--keep-unknown", "--quiet"]) == 0
    return path
