"""Bad weather in front of a sandbox: refusals, failures, lost calls and answers, delays, from a seed."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, Final

from permmigrate.sandbox import DroppedConnectionError, Sandbox

KINDS: Final = ("420", "429", "420 told", "429 told", "500", "503", "dropped", "lost", "slow")
"""`told` has a Retry-After; a call that is `lost` was served, and its answer never came."""

Question = tuple[str, str, str, bytes]


class Storm:
    """Something to serve: spoils some calls to a sandbox, and counts what was answered in the end."""

    def __init__(self, sandbox: Sandbox, seed: int, share: float = 0.3) -> None:
        self.sandbox = sandbox
        self._app = sandbox.wsgi
        self._chance = random.Random(seed)
        self._share = share
        self._lock = threading.Lock()
        self.spoilt: Counter[str] = Counter()
        self.answered: Counter[Question] = Counter()
        """How often each question was answered for good."""

    @property
    def wsgi(self) -> Callable[..., Iterable[bytes]]:
        return self._answer

    def _answer(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        sent = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = BytesIO(sent)
        with self._lock:
            kind = self._chance.choice(KINDS) if self._chance.random() < self._share else ""
            self.spoilt[kind] += bool(kind)
        if kind == "dropped":
            raise DroppedConnectionError("bad weather")
        if kind == "slow":
            time.sleep(0.05)
        if kind in ("", "slow", "lost"):
            statuses: list[str] = []

            def started(status: str, headers: list[tuple[str, str]]) -> None:
                statuses.append(status)
                if kind != "lost":
                    start(status, headers)

            body = list(self._app(environ, started))
            if kind == "lost":
                raise DroppedConnectionError("bad weather")
            if statuses[0].startswith("200"):
                with self._lock:
                    question = (
                        environ["REQUEST_METHOD"],
                        environ["PATH_INFO"],
                        environ["QUERY_STRING"],
                        sent,
                    )
                    self.answered[question] += 1
            return body
        status, _, told = kind.partition(" ")
        body = [b'{"error": {"message": "bad weather"}}']
        headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body[0])))]
        start(f"{status} Bad Weather", headers + ([("Retry-After", "0")] if told else []))
        return body
