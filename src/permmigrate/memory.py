"""Memory that was needed for a while, given back to the system: what comes next may need it."""

from __future__ import annotations

import ctypes
import sys


def trim() -> None:
    """Give back what is free. Only the C library of Linux (glibc) keeps it otherwise, and is asked to."""
    if sys.platform == "linux":
        give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)  # musl has none
        if give_back is not None:
            give_back(0)
