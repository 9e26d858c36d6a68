"""What the command-line tests share: a served account, and what a command said."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

CANARY = "CANARYSECRET"


class Account(NamedTuple):
    """Where the sandbox answers, and the environment variables that open it."""

    url: str
    env: dict[str, str]
    shares: Path


class Ran(NamedTuple):
    """What a command said and how it left."""

    code: int
    out: str
    err: str
