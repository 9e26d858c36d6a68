"""What is written shows only after a while: the caches that the vendor does not speak of.

It holds back the latest changes of role assignments from those who read, and nothing else.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import AbstractContextManager

from permmigrate.sandbox.columns import Assignments
from permmigrate.sandbox.knobs import Knobs


class Lag:
    """Remembers when each change was made. Its caller holds the application's lock."""

    def __init__(self, knobs: Knobs, assignments: Assignments, ticks: Callable[[], float]) -> None:
        self._reads, self._seconds = knobs.stale_reads, knobs.stale_seconds
        self._assignments = assignments
        self._ticks = ticks
        self._hidden: deque[tuple[float, int]] = deque()
        self._known = assignments.changes
        self._read = 0

    def reading(self) -> AbstractContextManager[None]:
        """See what a reader is shown now."""
        now = self._ticks()
        for _ in range(self._assignments.changes - self._known):
            self._hidden.append((now, self._read))
        self._known = self._assignments.changes
        while self._hidden and self._shows(*self._hidden[0], now):
            self._hidden.popleft()
        self._read += 1
        return self._assignments.without_the_last(len(self._hidden))

    def _shows(self, tick: float, read: int, now: float) -> bool:
        return now - tick >= self._seconds and self._read - read >= self._reads
