"""How a long read shows itself: bars on a terminal, lines elsewhere, nothing when asked."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from permmigrate.cli.options import say

if TYPE_CHECKING:
    from permmigrate.snapshot.capture import Progress

LINE_SECONDS: Final = 15.0
"""So often a phase that takes long says where it is, where there is no terminal."""
NOTEWORTHY: Final = 2.0
"""Pauses shorter than this are not worth a word."""


class Display:
    """Says nothing; what it is told is what the others show."""

    def __call__(self, progress: Progress) -> None:
        """Show how far one phase is."""

    def waiting(self, lane: str, seconds: float) -> None:
        """Show that calls wait for the account's call rate."""


class Lines(Display):
    """A line when a phase begins, and now and then while it takes long."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._said: dict[str, float] = {}
        self._rests: dict[str, float] = {}
        self._lock = threading.Lock()

    def __call__(self, progress: Progress) -> None:
        now = self._clock()
        with self._lock:
            last = self._said.get(progress.phase)
            if last is not None and now - last < LINE_SECONDS:
                return
            self._said[progress.phase] = now
        if last is None:
            say(f"reading {progress.phase}")
            return
        total = "" if progress.total is None else f" of {progress.total:,}"
        rate = progress.calls / max(now - self._started, 0.001)
        requests = f"{progress.calls:,} requests, {rate:.0f} a second"
        say(f"reading {progress.phase}: {progress.done:,}{total}; {requests}")

    def waiting(self, lane: str, seconds: float) -> None:
        now = self._clock()
        with self._lock:
            if seconds < NOTEWORTHY or self._rests.get(lane, 0) > now:
                return
            self._rests[lane] = now + seconds
        say(_rest(lane, seconds))


class Bars(Display):
    """A bar a phase; on top the requests used, their rate and what they wait for."""

    def __init__(self, bars: Any, clock: Callable[[], float] = time.monotonic) -> None:
        """`bars` is a started rich Progress with the columns of `_columns`."""
        self._bars = bars
        self._clock = clock
        self._started = clock()
        self._tasks: dict[str, Any] = {}
        self._rest = ("", 0.0)
        self._lock = threading.Lock()
        self._top = bars.add_task("starting", total=None, note="")

    def __call__(self, progress: Progress) -> None:
        with self._lock:
            now = self._clock()
            rate = progress.calls / max(now - self._started, 0.001)
            note, until = self._rest
            rest = f"; {note}" if now < until else ""
            self._bars.update(
                self._top, description="requests", completed=progress.calls, note=f"{rate:.0f} a second{rest}"
            )
            task = self._tasks.get(progress.phase)
            if task is None:
                task = self._tasks[progress.phase] = self._bars.add_task(progress.phase, note="")
            self._bars.update(task, completed=progress.done, total=progress.total)

    def waiting(self, lane: str, seconds: float) -> None:
        if seconds >= NOTEWORTHY:
            with self._lock:
                self._rest = (_rest(lane, seconds), self._clock() + seconds)
                self._bars.update(self._top, note=self._rest[0])


@contextmanager
def progress_display(*, quiet: bool = False) -> Iterator[Display]:
    """Yield what to call with each `Progress`."""
    if quiet:
        yield Display()
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        columns = (
            TextColumn("{task.description:<22}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            TextColumn("{task.fields[note]}"),
        )
        with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
            yield Bars(bars)
    else:
        yield Lines()


def _rest(lane: str, seconds: float) -> str:
    return f"waiting {seconds:.0f} s for the call rate of the {lane.partition(' ')[0]} API"
