"""Reading a live account for a verification: once whole, and its roles until two readings agree."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from permmigrate.cli.options import say

if TYPE_CHECKING:
    from permmigrate.cloudinary.sources import Found
    from permmigrate.model import RoleAssignment
    from permmigrate.plan import Plan
    from permmigrate.snapshot import Snapshot


def read_live(
    out: Path,
    api_url: str | None,
    plan: Plan | None,
    waves: int | None,
    sleep: Callable[[float], None] = time.sleep,
) -> tuple[Snapshot, bool]:
    """Take a snapshot to `out`, and say whether its roles stayed as they are when they were read again.

    What is not yet as the plan makes it is read again for a minute: caches may be behind.
    """
    from permmigrate.cli.taking import Taking, take
    from permmigrate.cloudinary import choices
    from permmigrate.cloudinary.sources import find
    from permmigrate.snapshot.file import dump
    from permmigrate.verify.check import satisfied
    from permmigrate.verify.settle import settled

    found = find(os.environ, folder=Path.cwd(), api_url=api_url)
    path = out / "live.snapshot"
    out.mkdir(parents=True, exist_ok=True)
    asked = Taking(
        out=path,
        shares=(),
        keep_unknown=True,
        allow_gaps=True,
        workers=choices.WORKERS,
        rate_share=choices.RATE_SHARE,
        resume=False,
        restart=True,
        quiet=False,
        verbose=False,
        log=None,
    )
    taken = take(asked, found)
    of_another = plan is not None and plan.account_id != taken.account_id
    if of_another or any(gap.area == "assignments" for gap in taken.gaps):
        return taken, True
    say("reading the roles again, until two readings agree")
    rows, steady = settled(
        frozenset(taken.assignments),
        lambda: _assignments(found, taken),
        lambda now: plan is None or satisfied(plan, taken, now, waves),
        sleep,
    )
    if rows != frozenset(taken.assignments):
        taken = dump(replace(taken, assignments=tuple(sorted(rows, key=lambda row: row.sort_key()))), path)
    return taken, steady


def _assignments(found: Found, taken: Snapshot) -> frozenset[RoleAssignment]:
    """One more reading of everybody's roles. Raises the error that ended it."""
    from permmigrate.cloudinary import choices
    from permmigrate.cloudinary.reader import Reader

    with Reader(
        found.credentials(), api_url=found.api_url.value, inner=found.network(choices.WORKERS)
    ) as reader:
        readings = list(reader.assignments(taken.environments))
    for reading in readings:
        if reading.error is not None:
            raise reading.error
    return frozenset(row for reading in readings for row in reading.rows)
