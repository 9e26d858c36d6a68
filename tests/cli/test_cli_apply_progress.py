"""What a run over a plan shows while it is under way: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import io
import sys

import pytest

from permmigrate.apply.outcome import Progress
from permmigrate.cli.applyprogress import Lines, shown


def test_lines_tell_waves_and_the_time_that_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    """One at the start of each wave, then one every quarter of a minute, with how long it will take."""
    clock = [0.0]
    lines = Lines(lambda: clock[0])
    for at, wave, done in ((0.0, 1, 0), (1.0, 1, 5), (16.0, 1, 100), (17.0, 2, 200), (400.0, 2, 300)):
        clock[0] = at
        lines(Progress(wave, 2, done, 5_000, done // 2, "writing"))
    told = capsys.readouterr().err.splitlines()
    assert [
        "wave 1 of 2, writing: 0 of 5,000 operations, 0 calls",
        "wave 1 of 2, writing: 100 of 5,000 operations, 50 calls, about 13 min left",
        "wave 2 of 2, writing: 200 of 5,000 operations, 100 calls, about 7 min left",
        "wave 2 of 2, writing: 300 of 5,000 operations, 150 calls, about 1.7 h left",
    ] == told


def test_a_run_that_was_resumed_does_not_count_what_was_done_before(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The time left goes by what this run did, not by what earlier ones had done."""
    clock = [0.0]
    lines = Lines(lambda: clock[0])
    for at, done in ((0.0, 900), (20.0, 950)):
        clock[0] = at
        lines(Progress(1, 1, done, 1_000, 7, "reading back"))
    assert "about 20 s left" in capsys.readouterr().err


def test_it_is_silent_when_asked(capsys: pytest.CaptureFixture[str]) -> None:
    """`--quiet` says nothing."""
    with shown(quiet=True) as show:
        show(Progress(1, 1, 1, 1, 1, "writing"))
    assert ("", "") == capsys.readouterr()


def test_there_is_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """With wave, operations, and calls."""

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    with shown() as show:
        show(Progress(2, 3, 40, 100, 12, "writing"))
    text = terminal.getvalue()
    assert "wave 2 of 3, writing" in text
    assert "40/100" in text
    assert "12 calls" in text


def test_there_are_lines_where_there_is_no_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As in a log of CI."""
    with shown() as show:
        show(Progress(1, 1, 0, 1, 1, "writing"))
    assert "wave 1 of 1, writing: 0 of 1 operations, 1 calls" in capsys.readouterr().err
