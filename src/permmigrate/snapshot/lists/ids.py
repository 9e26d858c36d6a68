"""Ids for what a list names without one: made from the name, the same in every run, and easy to tell."""

from __future__ import annotations

import hashlib
from typing import Final

MADE_UP: Final = "made-up-"
"""Begins every such id. The vendor's API knows none of them."""


def made_up(kind: str, *names: str) -> str:
    """The id of this kind of thing with these names: `made-up-user-` and 16 hexadecimal digits."""
    text = "\0".join((kind, *names))
    return f"{MADE_UP}{kind}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def is_made_up(id_: str) -> bool:
    """Whether an id was made from a name, so that no call may carry it."""
    return id_.startswith(MADE_UP)
