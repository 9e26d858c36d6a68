"""One small sandbox account behind a real socket for the whole of the command-line tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from command_line import CANARY, Account, Ran
from permmigrate.cli import cli
from permmigrate.cli.boundary import run
from permmigrate.diff import Diff
from permmigrate.diff.compare import compare
from permmigrate.mapping.tables import MappingTables
from permmigrate.sandbox import Sandbox
from permmigrate.sandbox.server import serving
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.file import dump, load
from sandbox_variables import variables


@pytest.fixture(scope="session")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """The small legacy account, served."""
    sandbox = Sandbox(account="small", seed=1)
    shares = tmp_path_factory.mktemp("lists") / "shares.csv"
    sandbox.write_shares(shares)
    with serving(sandbox) as url:
        yield Account(url, variables(sandbox, url), shares)


@pytest.fixture(autouse=True)
def no_credentials(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Start every test without the credentials or proxies of whoever runs it."""
    for name in list(os.environ):
        if name.startswith("CLOUDINARY_") or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("CLOUDINARY_HOME", str(tmp_path_factory.getbasetemp() / "nobody"))


@pytest.fixture(scope="session")
def snapshot(account: Account, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A snapshot of the small account, taken by the command itself."""
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


@pytest.fixture(scope="session")
def few(snapshot: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its first people and some of the shares: findings of most kinds, compared in a tenth of the time."""
    taken, path = load(snapshot), tmp_path_factory.mktemp("few") / "few.snapshot"
    dump(replace(taken, users=taken.users[:12], shares=taken.shares[::6]), path)
    return path


@pytest.fixture(scope="session")
def comparing() -> Callable[..., Diff]:
    """`compare`, which compares what it was given before no second time, nor solves what it did before."""
    made: dict[tuple[object, ...], Diff] = {}
    solved: dict[tuple[str, str | None], Any] = {}

    def once(snapshot: Snapshot, tables: MappingTables, **how: Any) -> Diff:
        assigned, _ = how.pop("assigned", None), how.pop("answers", None)
        assert snapshot.digest, "what was read from no file has no digest to be known by"
        account = snapshot.digest, assigned and assigned.digest
        key = (*account, tables.digest, *sorted(how.items()))
        if key not in made:
            answers = solved.setdefault(account, {})
            made[key] = compare(snapshot, tables, assigned=assigned, answers=answers, **how)
        return made[key]

    return once


@pytest.fixture(scope="session")
def remembering(comparing: Callable[..., Diff]) -> Callable[[pytest.MonkeyPatch], None]:
    """Make commands remember what they compared."""

    def patch(monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("permmigrate.diff.compare.compare", comparing)
        monkeypatch.setattr("permmigrate.diff.lesser.compare", comparing)

    return patch


@pytest.fixture
def compared_once(remembering: Callable[[pytest.MonkeyPatch], None], monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that compare the same files do it once a run: what they do with it is what is tested."""
    remembering(monkeypatch)


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Callable[..., Ran]:
    """Run a command line; whatever it says holds no traceback and no secret."""

    def go(*arguments: object) -> Ran:
        code = run(cli, [str(argument) for argument in arguments])
        ran = Ran(code, *capsys.readouterr())
        assert "Traceback" not in ran.out + ran.err
        assert CANARY not in ran.out + ran.err
        return ran

    return go


@pytest.fixture
def opened(account: Account, monkeypatch: pytest.MonkeyPatch) -> Account:
    """The sandbox's credentials in the environment."""
    for name, value in account.env.items():
        monkeypatch.setenv(name, value)
    return account
