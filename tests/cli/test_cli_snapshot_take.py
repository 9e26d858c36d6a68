"""Taking a snapshot from the command line: going on after a stop, and what is said and kept on the way."""

from __future__ import annotations

import json
import os
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from command_line import CANARY, Account, Ran
from permmigrate.cli.progress import Lines
from permmigrate.sandbox import DroppedConnectionError, Knobs, Sandbox
from permmigrate.sandbox.server import serving
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.capture import Progress
from permmigrate.snapshot.file import load
from sandbox_variables import variables

Call = Callable[..., Ran]
REREAD = ("/users", "/user_groups", "/inspect")
"""Lists whose ends are looked at once more, to see whether they changed."""


def without_times(snapshot: Snapshot) -> object:
    """What must be equal in two runs: all but when they were."""
    return (
        snapshot.users,
        snapshot.groups,
        snapshot.folders,
        snapshot.api_keys,
        snapshot.assignments,
        snapshot.custom_policies,
        [(e.area, e.endpoint, e.subject, e.status, e.count, e.detail) for e in snapshot.ledger],
    )


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., tuple[Sandbox, str]]]:
    """Serve a sandbox with knobs, its credentials in the environment."""
    opened = []

    def make(**knobs: object) -> tuple[Sandbox, str]:
        sandbox = Sandbox("small", knobs=Knobs(**knobs))  # type: ignore[arg-type]
        context = serving(sandbox)
        url = context.__enter__()
        opened.append(context)
        for name, value in variables(sandbox, url).items():
            monkeypatch.setenv(name, value)
        return sandbox, url

    yield make
    for context in opened:
        context.__exit__(None, None, None)


def test_nothing_is_left_beside_the_file(opened: Account, call: Call, tmp_path: Path) -> None:
    """A whole snapshot leaves no spool."""
    ran = call("snapshot", "--out", tmp_path / "a", "--api-url", opened.url, "--quiet")

    assert (0, [tmp_path / "a"]) == (ran.code, list(tmp_path.iterdir()))


def stop_after(sandbox: Sandbox, requests: int, number: int) -> None:
    """Send this process a signal once the sandbox has answered so often."""
    while len(sandbox.log) < requests:
        time.sleep(0.01)
    os.kill(os.getpid(), number)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_run_says_how_to_go_on_and_does(
    served: Callable[..., tuple[Sandbox, str]], call: Call, tmp_path: Path, number: int
) -> None:
    """Ctrl-C and SIGTERM leave with 130 and the answers; --resume asks only for the rest."""
    sandbox, url = served(latency=0.02)
    arguments = ("snapshot", "--out", tmp_path / "a", "--api-url", url, "--workers", 2)
    watching = threading.Thread(target=stop_after, args=(sandbox, 4, number))
    watching.start()
    stopped = call(*arguments)
    watching.join()

    refused = call(*arguments)
    resumed = call(*arguments, "--resume")
    both = len(sandbox.log)

    assert 130 == stopped.code
    assert "--resume" in stopped.err
    assert not (tmp_path / "a.spool").exists()
    assert (6, 0) == (refused.code, resumed.code)
    assert "--restart" in refused.err
    calm = call("snapshot", "--out", tmp_path / "b", "--api-url", url)
    assert 0 == calm.code
    assert without_times(load(tmp_path / "b")) == without_times(load(tmp_path / "a"))
    assert len(sandbox.log) - both == both


def test_restart_throws_away_what_was_read(opened: Account, call: Call, tmp_path: Path) -> None:
    """With --restart a spool of whatever origin is gone."""
    (tmp_path / "a.spool").write_bytes(b"whatever")

    ran = call("snapshot", "--out", tmp_path / "a", "--api-url", opened.url, "--restart", "--quiet")

    assert (0, [tmp_path / "a"]) == (ran.code, list(tmp_path.iterdir()))


def test_nothing_to_resume_is_a_usage_error(opened: Account, call: Call, tmp_path: Path) -> None:
    """--resume without anything to go on from costs no call."""
    ran = call("snapshot", "--out", tmp_path / "a", "--api-url", opened.url, "--resume")

    assert (2, []) == (ran.code, list(tmp_path.iterdir()))


def test_a_mended_list_needs_no_second_crawl(
    served: Callable[..., tuple[Sandbox, str]], call: Call, tmp_path: Path
) -> None:
    """A share list that names strangers ends the run; once mended, nothing is asked again."""
    sandbox, url = served()
    shares = tmp_path / "shares.csv"
    head = "environment,content_type,content,principal_type,principal,level\n"
    shares.write_text(f"{head}meridian-prod,folder,Brands,user,nobody@example.com,can_view\n")
    arguments = ("snapshot", "--out", tmp_path / "a", "--api-url", url, "--shares", shares, "--quiet")
    broken = call(*arguments)
    asked = len(sandbox.log)

    shares.write_text(head)
    mended = call(*arguments, "--resume")

    assert (3, 0) == (broken.code, mended.code)
    assert "--resume" in broken.err
    assert "share lists are not those" in mended.err
    assert asked == len(sandbox.log)


def test_what_failed_for_now_can_be_asked_again(
    served: Callable[..., tuple[Sandbox, str]], call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A gap that the service may fill later keeps the answers: --resume asks for what failed alone."""
    sandbox, url = served()
    handler = sandbox._app.answer

    def spoilt(request: object) -> object:
        if "/access_keys" in request.path:  # type: ignore[attr-defined]
            request = type(request)("GET", "/v1_1/none", {}, "", "", b"")
            response = handler(request)  # type: ignore[arg-type]
            return type(response)(503, b"{}", {})
        return handler(request)  # type: ignore[arg-type]

    monkeypatch.setattr("permmigrate.cloudinary.session.Patience.__init__.__defaults__", (2, 5, 0.01, 0.02))
    arguments = ("snapshot", "--out", tmp_path / "a", "--api-url", url, "--quiet")
    with monkeypatch.context() as patch:
        patch.setattr(sandbox._app, "answer", spoilt)
        first = call(*arguments)
    asked = len(sandbox.log)
    again = call(*arguments, "--resume")

    assert (4, 0) == (first.code, again.code)
    assert "--resume" in first.err
    assert {record["path"].rpartition("/")[2] for record in sandbox.log[asked:]} == {"access_keys"}
    assert not (tmp_path / "a.spool").exists()


def test_a_network_that_is_lost_is_gone_on_from(
    served: Callable[..., tuple[Sandbox, str]], call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that stops answering ends the run with 4 and without a file; --resume asks for the rest."""
    sandbox, url = served()
    answer = sandbox._app.answer

    def vanishing(request: object) -> object:
        if len(sandbox.log) >= 12:
            raise DroppedConnectionError("gone")
        return answer(request)  # type: ignore[arg-type]

    monkeypatch.setattr("permmigrate.cloudinary.session.Patience.__init__.__defaults__", (2, 5, 0.01, 0.02))
    arguments = ("snapshot", "--out", tmp_path / "a", "--api-url", url, "--quiet")
    with monkeypatch.context() as patch:
        patch.setattr(sandbox._app, "answer", vanishing)
        lost = call(*arguments)
    asked = len(sandbox.log)
    again = call(*arguments, "--resume")

    assert (4, 0) == (lost.code, again.code)
    assert "answers are kept" in lost.err
    assert asked == len({(r["path"], str(r["query"])) for r in sandbox.log[:asked]})
    assert not {(r["path"], str(r["query"])) for r in sandbox.log[:asked]} & {
        (r["path"], str(r["query"])) for r in sandbox.log[asked:] if not str(r["path"]).endswith(REREAD)
    }
    assert [tmp_path / "a"] == list(tmp_path.iterdir())


def test_the_log_has_a_line_a_request_and_no_secret(
    served: Callable[..., tuple[Sandbox, str]], call: Call, tmp_path: Path
) -> None:
    """--log-json tells every request that was sent, mode 0600; -v tells them on stderr."""
    sandbox, url = served(fail_nth=9)
    log = tmp_path / "log.jsonl"

    ran = call("snapshot", "--out", tmp_path / "a", "--api-url", url, "--log-json", log, "-v")

    lines = [json.loads(line) for line in log.read_text().splitlines()]
    assert 0 == ran.code
    assert len(sandbox.log) == len(lines)
    assert sorted(str(r["status"]) for r in sandbox.log) == sorted(str(line["status"]) for line in lines)
    assert 0o600 == stat.S_IMODE(log.stat().st_mode)
    assert CANARY not in log.read_text()
    assert "attempt 2" in ran.err


def test_a_spool_holds_no_secret(
    served: Callable[..., tuple[Sandbox, str]], call: Call, tmp_path: Path
) -> None:
    """The service's answers have secrets in them; what is kept has none, and is the owner's alone."""
    _, url = served()
    shares = tmp_path / "shares.csv"
    shares.write_text(
        "environment,content_type,content,principal_type,principal,level\n"
        "meridian-prod,folder,Brands,user,nobody@example.com,can_view\n"
    )
    assert 3 == call("snapshot", "--out", tmp_path / "a", "--api-url", url, "--shares", shares, "-v").code

    spool = tmp_path / "a.spool"
    kept = spool.read_text()

    assert "access_keys" in kept
    assert CANARY not in kept
    assert not {"api_secret", '"secret"', "api_access_keys"} & set(kept.split('"'))
    assert 0o600 == stat.S_IMODE(spool.stat().st_mode)


def test_lines_tell_each_phase_once_and_then_now_and_then(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a terminal a phase has a line when it begins, and one each quarter of a minute."""
    time = [0.0]
    lines = Lines(lambda: time[0])
    for done in range(40):
        time[0] = float(done)
        lines(Progress("folders", done, None, done * 10))
    lines.waiting("admin 123", 30)
    lines.waiting("admin 123", 29)

    said = capsys.readouterr().err.splitlines()

    assert "reading folders" == said[0]
    assert 4 == len(said)
    assert "10 a second" in said[1]
    assert "waiting 30 s for the call rate of the admin API" == said[3]
