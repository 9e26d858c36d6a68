"""Read again until two readings in a row agree: the service's caches may show yesterday for a while."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, TypeVar

PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds before each further reading: a minute in all."""

T = TypeVar("T")


def settled(
    first: T, read: Callable[[], T], is_expected: Callable[[T], bool], sleep: Callable[[float], None]
) -> tuple[T, bool]:
    """The latest reading, and whether the one before it was the same.

    What is not as expected is read until it is, or until patience ends: that two readings agree does not say
    that both are of today.
    """
    latest, steady = first, False
    for pause in PAUSES:
        sleep(pause)
        again = read()
        steady, latest = again == latest, again
        if steady and is_expected(latest):
            break
    return latest, steady
