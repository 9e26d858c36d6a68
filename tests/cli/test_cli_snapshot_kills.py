"""A snapshot whose process is killed again and again ends in the bytes of one that was not.

`PERMMIGRATE_KILLS=50` kills fifty times instead of eight.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from permmigrate.sandbox import Knobs, Sandbox
from permmigrate.sandbox.server import serving
from permmigrate.snapshot.spool import spool_path
from sandbox_variables import variables

KILLS = int(os.environ.get("PERMMIGRATE_KILLS", "8"))
AT_NOON = """
import datetime, functools, sys
from permmigrate.cli import main, taking
from permmigrate.cloudinary import session
noon = datetime.datetime(2026, 11, 22, 12, tzinfo=datetime.UTC)
taking.now = lambda: "2026-11-22T12:00:00Z"
session.Timing = functools.partial(session.Timing, now=lambda: noon)
sys.argv[0] = "permmigrate"
main()
"""
"""The command with a clock that stands: two runs differ in nothing else."""


def start(out: Path, url: str, workers: int, env: dict[str, str]) -> subprocess.Popen[bytes]:
    arguments = ["snapshot", "--out", str(out), "--api-url", url, "--workers", str(workers), "--quiet"]
    if spool_path(out).exists():
        arguments.append("--resume")
    command = [sys.executable, "-c", AT_NOON, *arguments]
    return subprocess.Popen(
        command, env=env, cwd=out.parent, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )


def until_quiet(sandbox: Sandbox) -> None:
    """Wait for calls that were on their way when their sender was killed."""
    seen = -1
    while seen != len(sandbox.log):
        seen = len(sandbox.log)
        time.sleep(0.1)


@pytest.mark.parametrize("workers", [1, 8])
def test_killed_anywhere_it_ends_in_the_same_bytes(tmp_path: Path, workers: int) -> None:
    """After each SIGKILL at most the calls on their way are lost, with one worker one, and the bytes are one.

    What is written down is never asked again: all that was asked is written down or was lost to a kill.
    """
    sandbox, chance = Sandbox("small", knobs=Knobs(latency=0.01)), random.Random(workers)
    with serving(sandbox) as url:
        env = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)} | variables(sandbox, url)
        calm = start(tmp_path / "calm", url, workers, env)
        calm.communicate(timeout=60)
        assert 0 == calm.returncode
        needed = len(sandbox.log)
        expected = (tmp_path / "calm").read_bytes()

        killed = finished = lost = 0
        out, begun = tmp_path / "0", needed
        while killed < KILLS // 2 or spool_path(out).exists():
            before = len(sandbox.log)
            run = start(out, url, workers, env)
            wanted = before + chance.randint(1, needed // 3) if killed < KILLS // 2 else sys.maxsize
            while run.poll() is None and len(sandbox.log) < wanted:
                time.sleep(0.002)
            time.sleep(chance.random() * 0.02)
            run.kill()
            told = run.communicate()[1].decode()
            killed += run.returncode != 0
            assert run.returncode in (0, -9), told
            assert "Traceback" not in told
            if spool_path(out).exists():
                until_quiet(sandbox)
                written = len(spool_path(out).read_bytes().splitlines()) - 1
                missing = len(sandbox.log) - begun - written
                assert lost <= missing <= lost + workers
                lost = missing
            if out.exists() and not spool_path(out).exists():
                finished += 1
                assert expected == out.read_bytes()
                assert len(sandbox.log) - begun <= needed + lost
                out, begun, lost = tmp_path / str(finished), len(sandbox.log), 0

    asked = len(sandbox.log) - needed
    assert finished
    assert finished * needed <= asked <= finished * needed + killed * workers
    assert {"calm", *map(str, range(finished))} == {
        path.name for path in tmp_path.iterdir() if not path.name.endswith(".tmp")
    }
