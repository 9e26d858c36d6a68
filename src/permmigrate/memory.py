"""How memory is had from the system, and given back: a comparison needs much of it, part after part.

Only the C library of Linux (glibc) has to be told; nothing is done elsewhere.
"""

from __future__ import annotations

import ctypes
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
"""What glibc's `mallopt` calls its parameters."""
_LARGE: Final = 3 << 20
_KEPT: Final = 4 << 20
_MOST: Final = 32 << 20
"""No block of this size and more is ever taken from what is kept: glibc's own limit."""


def large_apart() -> None:
    """Let large arrays lie by themselves, so that they are given back as soon as nobody needs them.

    Of smaller ones some room is kept: they come again and again.
    """
    _called("mallopt", _MMAP_THRESHOLD, _LARGE)
    _called("mallopt", _TRIM_THRESHOLD, _KEPT)


@contextmanager
def large_again() -> Iterator[None]:
    """Keep large blocks meanwhile, where the same come and go: the system fills each new one with zeros.

    They lie apart when it ends, whether they did before or not.
    """
    _called("mallopt", _MMAP_THRESHOLD, _MOST)
    _called("mallopt", _TRIM_THRESHOLD, _MOST)
    try:
        yield
    finally:
        large_apart()
        trim()


def trim() -> None:
    """Give back what is free."""
    _called("malloc_trim", 0)


def stay() -> None:
    """Let nobody look for rubbish among what there is by now: it is much, and stays."""
    gc.freeze()


@contextmanager
def uncollected() -> Iterator[None]:
    """Let nobody look for rubbish among a million new values, none of which is."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _called(name: str, *arguments: Any) -> None:
    if sys.platform == "linux":
        function = getattr(ctypes.CDLL(None), name, None)  # musl has none of these
        if function is not None:
            function(*arguments)
