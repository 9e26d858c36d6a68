"""How a run over a plan shows itself: a bar on a terminal, lines elsewhere, nothing when asked."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from permmigrate.cli.options import say
from permmigrate.cli.progress import LINE_SECONDS

if TYPE_CHECKING:
    from permmigrate.apply.outcome import Progress


class Lines:
    """A line when a wave begins, and now and then with the time that is left."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._started = clock()
        self._first = -1
        self._said = float("-inf")
        self._wave = 0

    def __call__(self, progress: Progress) -> None:
        if self._first < 0:
            self._first = progress.done
        now = self._clock()
        if progress.wave == self._wave and now - self._said < LINE_SECONDS:
            return
        self._wave, self._said = progress.wave, now
        done = f"{progress.done:,} of {progress.total:,} operations, {progress.calls:,} calls"
        say(f"wave {progress.wave} of {progress.waves}, {progress.doing}: {done}{self._left(progress, now)}")

    def _left(self, progress: Progress, now: float) -> str:
        new, spent = progress.done - self._first, now - self._started
        if new <= 0 or spent < 1:
            return ""
        return f", about {_words((progress.total - progress.done) * spent / new)} left"


@contextmanager
def shown(*, quiet: bool = False) -> Iterator[Callable[[Progress], None]]:
    """Yield what to call with each `Progress`."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn
        from rich.progress import Progress as Bars

        columns = (
            TextColumn("{task.description:<28}"),
            BarColumn(bar_width=24),
            MofNCompleteColumn(),
            TimeRemainingColumn(compact=True, elapsed_when_finished=True),
            TextColumn("{task.fields[note]}"),
        )
        with Bars(*columns, console=Console(stderr=True), transient=True) as bars:
            task = bars.add_task("applying", total=None, note="")

            def show(progress: Progress) -> None:
                bars.update(
                    task,
                    description=f"wave {progress.wave} of {progress.waves}, {progress.doing}",
                    completed=progress.done,
                    total=progress.total,
                    note=f"{progress.calls:,} calls",
                )

            yield show
    else:
        yield Lines()


def _words(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
