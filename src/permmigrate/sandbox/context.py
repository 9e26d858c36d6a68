"""What every handler is given: the account, the clock, the knobs, and who is calling.

New ids and secrets come from the seed and a counter, so that the same calls make the same account.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from permmigrate.sandbox.decide import Decider
from permmigrate.sandbox.knobs import Knobs
from permmigrate.sandbox.state import Account, AccountKey, Key

CANARY: Final = "CANARYSECRET"
"""Every secret of the sandbox holds this word: a file or log that shows it has leaked one."""


def stable_id(seed: int, kind: str, number: object, length: int = 30) -> str:
    """A hexadecimal id that depends on nothing but its arguments."""
    return hashlib.blake2b(f"{seed}/{kind}/{number}".encode(), digest_size=32).hexdigest()[:length]


def secret(seed: int, kind: str, number: object) -> str:
    """A secret that tests can search for by its canary."""
    return CANARY + stable_id(seed, f"secret/{kind}", number, 15)


@lru_cache(maxsize=65_536)
def _iso(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Context:
    """One sandbox's shared things. The caller belongs to the thread that serves it."""

    def __init__(self, account: Account, knobs: Knobs, now: Callable[[], datetime]) -> None:
        self.account = account
        self.knobs = knobs
        self.now = now
        self.decider = Decider(account)
        self._thread = threading.local()

    @property
    def caller(self) -> AccountKey | Key:
        """The key that the present request was made with."""
        key = self._thread.caller
        if not isinstance(key, AccountKey | Key):
            raise RuntimeError("a handler asked who is calling on a public route")
        return key

    def serve_as(self, key: AccountKey | Key | None) -> None:
        self._thread.caller = key

    def epoch(self) -> int:
        return int(self.now().timestamp())

    def iso(self, epoch: int) -> str:
        return _iso(epoch)

    def new_id(self, kind: str) -> str:
        self.account.serial += 1
        return stable_id(self.account.seed, f"new/{kind}", self.account.serial)

    def new_secret(self, kind: str) -> str:
        return secret(self.account.seed, f"new/{kind}", self.account.serial)
