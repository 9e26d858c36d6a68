"""Bad weather in front of a sandbox: limits, failures, lost connections and slow answers, from a seed."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from permmigrate.sandbox import DroppedConnectionError, Sandbox


class Storm:
    """Something to serve: passes most calls on to a sandbox, and spoils the others before they get there."""

    def __init__(self, sandbox: Sandbox, seed: int, share: float = 0.4) -> None:
        self._app = sandbox.wsgi
        self._chance = random.Random(seed)
        self._share = share
        self._lock = threading.Lock()
        self.spoilt = 0

    @property
    def wsgi(self) -> Callable[..., Iterable[bytes]]:
        return self._answer

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        with self._lock:
            kind = self._chance.choice(("420", "429", "limit", "500", "503", "drop", "slow"))
            spoilt = self._chance.random() < self._share
            self.spoilt += spoilt
        if spoilt and kind == "slow":
            time.sleep(0.05)
        elif spoilt and kind == "drop":
            raise DroppedConnectionError("bad weather")
        elif spoilt:
            body = b'{"error": {"message": "bad weather"}}'
            headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
            if kind == "limit":
                headers.append(("Retry-After", "0"))
            status = {"limit": "429"}.get(kind, kind)
            start(f"{status} Bad Weather", headers)
            return [body]
        return self._app(environ, start)
