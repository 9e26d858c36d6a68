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
from collections.abc import Callable
from typing import BinaryIO, Final, TypeVar

H = TypeVar("H")
T = TypeVar("T")
_NOT_TOLD: Final = (EOFError, pickle.UnpicklingError)
"""What is read when the copy came to no good end."""


def at_once(here: Callable[[], H], there: Callable[[], T]) -> tuple[H, T]:
    """What comes of both. `there` leaves nothing else behind, and can be pickled.

    Should the copy fail, or be killed, `there` is done here: whatever is wrong is raised here, too.
    """
    if sys.platform != "linux" or len(os.sched_getaffinity(0)) < 2:
        return here(), there()
    gc.freeze()  # what nobody looks through for rubbish stays common to both
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as told:
        copy = multiprocessing.get_context("fork").Process(
            target=_tell, args=(there, told, writing), daemon=True
        )
        try:
            copy.start()
        finally:
            os.close(writing)
        try:
            found = here()
            try:
                return found, pickle.load(told)  # noqa: S301 # from this very program
            except _NOT_TOLD:
                return found, there()
        finally:
            copy.kill()
            copy.join()


def _tell(there: Callable[[], object], told: BinaryIO, writing: int) -> None:
    """Runs in the copy. Nobody hears it: what went wrong, or was interrupted, is seen from where it began."""
    gc.disable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    told.close()
    try:
        with os.fdopen(writing, "wb") as out:
            pickle.dump(there(), out, protocol=5)
    finally:
        os._exit(0)


__all__ = ["at_once"]
