"""How a long read shows itself: a bar on a terminal, a line a phase elsewhere, nothing when asked."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from permmigrate.cli.options import say

if TYPE_CHECKING:
    from permmigrate.snapshot.capture import Progress


@contextmanager
def progress_display(*, quiet: bool = False) -> Iterator[Callable[[Progress], None]]:
    """Yield what to call with each `Progress`."""
    if quiet:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _bar() as show:
            yield show
    else:
        yield _lines()


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[calls]} calls"),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("starting", total=None, calls=0)

        def show(progress: Progress) -> None:
            bar.update(
                task,
                description=progress.phase,
                completed=progress.done,
                total=progress.total,
                calls=progress.calls,
            )

        yield show


def _lines() -> Callable[[Progress], None]:
    seen: set[str] = set()

    def show(progress: Progress) -> None:
        if progress.phase not in seen:
            seen.add(progress.phase)
            say(f"reading {progress.phase}")

    return show
