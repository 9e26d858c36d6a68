"""Two things at once: one here, the other in a copy of this process.

Python does one thing at a time, and arrays of some thousand numbers are done too soon for threads to be of
use. Where a process cannot be copied safely (anywhere but on Linux), or where there is one processor only,
one is done after the other.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import pickle
import signal
import sys
from collections.abc import Callable, Iterable
from typing import Any, BinaryIO, Final, TypeVar

H = TypeVar("H")
T = TypeVar("T")
_NOT_TOLD: Final = (EOFError, pickle.UnpicklingError)
"""What is read when the copy came to no good end."""


def at_once(here: Callable[[], H], there: Callable[[], Iterable[T]]) -> tuple[H, list[T]]:
    """What comes of both. `there` tells it piece by piece and leaves nothing else behind; pieces are pickled.

    Should there be no copy, or should it fail or be killed, `there` is done here: whatever is wrong is raised
    here, too.
    """
    if not _can_copy():
        return here(), list(there())
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as told:
        copy = multiprocessing.get_context("fork").Process(
            target=_tell, args=(there, told, writing), daemon=True
        )
        try:
            copy.start()
        except OSError:  # the system has no room for another process
            return here(), list(there())
        finally:
            os.close(writing)
        try:
            found = here()
            pieces = _pieces(told)
        finally:
            copy.kill()
            copy.join()
    return found, list(there()) if pieces is None else pieces


def _can_copy() -> bool:
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:
        return False
    return not multiprocessing.current_process().daemon  # which may have no children


def _pieces(told: BinaryIO) -> list[Any] | None:
    """All that the copy has to tell, if it came to an end."""
    pieces = []
    try:
        while (piece := pickle.load(told)) is not None:  # noqa: S301 # from this very program
            pieces.append(piece)
    except _NOT_TOLD:
        return None
    return pieces


def _tell(there: Callable[[], Iterable[object]], told: BinaryIO, writing: int) -> None:
    """Runs in the copy. Nobody hears it: what went wrong, or was interrupted, is seen from where it began."""
    gc.disable()  # what is looked through for rubbish is no longer common to both
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told.close()
    try:
        with os.fdopen(writing, "wb") as out:
            for piece in there():
                pickle.dump(piece, out, protocol=5)
                del piece
            pickle.dump(None, out)
    finally:
        os._exit(0)


__all__ = ["at_once"]
