"""The journey as a person walks it, over a real socket."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from command_line import Account
from permmigrate.cli import cli
from permmigrate.cli.boundary import run
from permmigrate.errors import ExitCode
from permmigrate.sandbox import Sandbox
from permmigrate.sandbox.server import serving
from sandbox_variables import variables


@pytest.mark.long
@pytest.mark.usefixtures("compared_once")
def test_the_demo_walks_the_whole_journey_and_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every command in its order, findings of every kind, evidence that all is as planned, and all undone.

    The credentials of whoever runs it are left alone, and nothing is called but the sandbox.
    """
    monkeypatch.setenv("CLOUDINARY_ACCOUNT_URL", "account://KEY:SECRET@somebody_s_own")
    environment, here, called = dict(os.environ), Path.cwd(), set()
    leave = httpx.HTTPTransport.handle_request

    def watched(self: httpx.HTTPTransport, request: httpx.Request) -> httpx.Response:
        called.add(f"{request.url.scheme}://{request.url.netloc.decode()}")
        return leave(self, request)

    monkeypatch.setattr(httpx.HTTPTransport, "handle_request", watched)
    assert run(cli, ["demo", "--out", str(tmp_path)]) == 0
    said = capsys.readouterr()
    commands = [line.split()[2] for line in said.err.splitlines() if line.startswith("$ permmigrate ")]
    before = ["doctor", "snapshot", "readiness", "mappings", "diff"]
    after = ["signoff", "signoff", "plan", "apply", "verify", "undo", "apply", "journal"]
    assert before + after == commands
    assert "\nthe account is as it was before the move\n" in said.err
    assert (environment, here) == (dict(os.environ), Path.cwd())
    assert called == {said.err.partition(" imitated at ")[2].split()[0]}

    paths = [Path(line) for line in said.out.splitlines()]
    names = {path.relative_to(tmp_path).as_posix() for path in paths}
    assert {f"reports/diff.{each}" for each in ("html", "xlsx", "json")} <= names
    assert {"reports/readiness.html", "evidence/verify.html", "evidence/diff.html"} <= names
    assert all(path.stat().st_size for path in paths)
    assert all(path.stat().st_mode & 0o077 == 0 for path in paths)
    assert "AS PLANNED" == json.loads((tmp_path / "evidence/verify.json").read_text("utf-8"))["headline"]
    document = json.loads((tmp_path / "reports/diff.json").read_text(encoding="utf-8"))
    figures = document["figures"]
    assert all(figures[each] > 0 for each in ("gained", "maybe_gained", "lost", "maybe_lost", "unknown"))
    expanding = [cause for cause in document["tables"]["causes"] if cause["expansions"]]
    assert len(expanding) >= 5
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in files if b"CANARYSECRET" in path.read_bytes()] == []


@pytest.mark.usefixtures("compared_once")
def test_a_demo_over_an_old_one_keeps_the_tables_and_shows_what_is_wrong_with_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What an earlier demo left is cleared away; tables are the reader's, and their mistakes are shown."""
    assert run(cli, ["mappings", "init", str(tmp_path / "mappings")]) == 0
    (tmp_path / "plan.json.journal").write_text("of another sandbox")
    rows = (tmp_path / "mappings" / "user_roles.csv").read_text("utf-8").splitlines()
    (tmp_path / "mappings" / "user_roles.csv").write_text("\n".join([*rows[:-1], "nonsense"]), "utf-8")
    capsys.readouterr()

    assert run(cli, ["demo", "--dry-run", "--out", str(tmp_path)]) == ExitCode.INVALID_FILE

    assert "user_roles.csv" in capsys.readouterr().err.partition("$ permmigrate mappings check")[2]
    assert not (tmp_path / "plan.json.journal").exists()
    (tmp_path / "file").write_text("")
    assert run(cli, ["demo", "--out", str(tmp_path / "file" / "x")]) == ExitCode.USAGE


def test_checking_the_shipped_tables_against_the_account_finds_no_mistake(
    snapshot: Path, tmp_path: Path
) -> None:
    """What ships is fit for use; people the tables do not cover are warned of."""
    assert run(cli, ["mappings", "init", str(tmp_path / "mappings")]) == 0
    code = run(cli, ["mappings", "check", str(tmp_path / "mappings"), "--snapshot", str(snapshot)])
    assert code in (ExitCode.OK, ExitCode.INVALID_FILE)


@pytest.mark.usefixtures("compared_once")
def test_fail_on_expansions_leaves_with_5_after_writing_the_reports(few: Path, tmp_path: Path) -> None:
    """A pipeline is stopped and has something to show for it."""
    arguments = ["diff", str(few), "--out", str(tmp_path), "--fail-on", "expansions"]
    assert run(cli, arguments) == ExitCode.FINDINGS
    assert {"diff.html", "diff.xlsx", "diff.json", "plan.json"} == {path.name for path in tmp_path.iterdir()}


def test_the_same_input_gives_the_same_bytes(few: Path, tmp_path: Path) -> None:
    """Two runs of diff and readiness write the same HTML and JSON."""
    for side in ("one", "two"):
        to = ["--out", str(tmp_path / side), "--today", "2026-11-22"]
        assert run(cli, ["diff", str(few), *to, "--format", "html", "--format", "json"]) == 0
        assert run(cli, ["readiness", str(few), *to]) == 0
    for name in ("diff.html", "diff.json", "readiness.html", "readiness.json"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_after_the_vendors_move_the_widening_shows(
    account: Account, snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An old snapshot against the roles assigned since: the vendor's own mapping expands."""
    moved = Sandbox(account="small", seed=1, state="migrated")
    with serving(moved) as url:
        for name, value in variables(moved, url).items():
            monkeypatch.setenv(name, value)
        taken = tmp_path / "today.snapshot"
        assert run(cli, ["snapshot", "--out", str(taken), "--api-url", url, "--quiet"]) == 0
    assert (
        run(
            cli, ["diff", str(snapshot), "--assigned", str(taken), "--out", str(tmp_path), "--format", "json"]
        )
        == 0
    )
    document = json.loads((tmp_path / "diff.json").read_text(encoding="utf-8"))
    assert document["figures"]["gained"] > 0
    expanding = {cause["ref"] for cause in document["tables"]["causes"] if cause["expansions"]}
    assert "assigned cld::role::prodenv::master_admin" in expanding


def test_the_sandbox_announces_itself_in_one_json_line() -> None:
    """Other people's clients can be pointed at it by a script."""
    command = [sys.executable, "-m", "permmigrate", "sandbox", "serve", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            addresses = json.loads(server.stdout.readline())
        finally:
            server.terminate()
    assert addresses["url"].startswith("http://127.0.0.1:")
    assert addresses["account_url"].startswith("account://")
    assert all(url.startswith("cloudinary://") for url in addresses["cloudinary_urls"])


def test_whoever_reads_has_read_enough(snapshot: Path) -> None:
    """A pipe that is closed early, as `head` does, is no bug."""
    command = [
        sys.executable,
        "-c",
        "from permmigrate.cli import main; main()",
        "snapshot",
        "show",
        str(snapshot),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        said = process.stderr.read()
        assert (0, b"") == (process.wait(), said)
