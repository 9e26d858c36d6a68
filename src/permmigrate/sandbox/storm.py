"""Bad weather: calls that are spoilt by chance, from a seed, before or after they took effect.

It never looks at what a call asks for, but for whether it writes.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from random import Random
from typing import Final

from permmigrate.sandbox.knobs import Knobs
from permmigrate.sandbox.wire import ApiError, DroppedConnectionError, Response

_REFUSALS: Final = ("420", "429")
"""Before a call is looked at only."""
_SPOILT: Final = ("500", "502", "drop", "malformed")


@dataclass(frozen=True, slots=True)
class Strike:
    """How one call is spoilt."""

    kind: str
    after: bool
    """After it took effect."""

    def answer(self) -> Response:
        """What is answered instead; raises DroppedConnectionError or ApiError."""
        match self.kind:
            case "drop":
                raise DroppedConnectionError("bad weather")
            case "malformed":
                return Response(200, b"<html>bad weather</html>", {"Content-Type": "text/html"})
            case "420" | "429":
                raise ApiError(int(self.kind), "bad weather", headers={"Retry-After": "0"})
            case _:
                raise ApiError(int(self.kind), "bad weather")


class Storm:
    """Decides about each call; safe to use from several threads."""

    def __init__(self, knobs: Knobs) -> None:
        self._share = knobs.storm
        self._kinds = _SPOILT + (("hang",) if knobs.hang else ())
        self._random = Random(knobs.storm_seed)
        self._lock = threading.Lock()

    def strike(self, *, is_write: bool) -> Strike | None:
        """How the next call is spoilt, or None."""
        if not self._share:
            return None
        with self._lock:
            spoilt, after = self._random.random() < self._share, self._random.random() < 0.5
            kind = self._random.choice(self._kinds if is_write and after else _REFUSALS + self._kinds)
        return Strike(kind, is_write and after) if spoilt else None
