"""How much of a large sample a test draws: a part of it in `make test`, all of it in `make fuzz`.

A test that draws so is marked `sampled`. The part is chosen so that the mutants a test is there for are still
noticed; it never goes below what the test's own assertions on its sample ask for.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

WHOLE = os.environ.get("PERMMIGRATE_LONG") == "1"
Each = TypeVar("Each")


def some(sample: Sequence[Each], few: int) -> Sequence[Each]:
    """The first few of a sample, or all of it."""
    return sample if WHOLE else sample[:few]


def times(few: int, many: int) -> int:
    """How often to draw."""
    return many if WHOLE else few
