"""A run killed anywhere ends, resumed, as one that was not; no operation takes effect twice.

`make test` kills at every operation of a plan, one kill after the other, the three points taking turns;
`make fuzz` does so with a plan of more than twice as many grants, the rest being the same.
`PERMMIGRATE_KILL_SWEEP=1` kills every operation at every point, and makes each such kill a run of its own.
"""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from applying import (
    REPORTS,
    give,
    grants,
    holdings,
    new_policy,
    new_role,
    operations,
    plan_of,
    run,
    user,
    writer,
)
from permmigrate.apply.chain import check
from permmigrate.apply.journal import Journal
from permmigrate.apply.live import Answer, Live, Write
from permmigrate.apply.outcome import Result, Status
from permmigrate.model import RoleAssignment, RoleId
from permmigrate.plan import Kind, Plan
from permmigrate.sandbox import Knobs, Sandbox
from permmigrate.sandbox.server import serving
from sampling import times

POINTS = ("before it is sent", "after it is sent", "before its line")
EVERY = os.environ.get("PERMMIGRATE_KILL_SWEEP") == "1"
GRANTS = 205 if EVERY else times(85, 205)


class Killed(BaseException):
    """As a SIGKILL: nothing that follows runs."""


class Deadly:
    """A live account whose nth write is the last thing that happens, at one of the points."""

    def __init__(self, inner: Live, point: str, number: int) -> None:
        self._inner, self.point, self._left = inner, point, number

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def write(self, write: Write) -> Answer:
        self._left -= 1
        if self._left == 0 and self.point == POINTS[0]:
            raise Killed
        answer = self._inner.write(write)
        if self._left == 0 and self.point == POINTS[1]:
            raise Killed
        return answer

    def journal(self, inner: Journal) -> Journal:
        """The journal of the same run, which dies in place of writing the line after the nth answer."""
        write = inner.write

        def last(kind: str, fields: Any) -> int:
            if kind == "done" and self._left == 0 and self.point == POINTS[2]:
                raise Killed
            return write(kind, fields)

        inner.write = last  # type: ignore[method-assign]
        return inner


def account(knobs: Knobs | None = None) -> tuple[Sandbox, Plan]:
    """The small account and a plan on it: a role, a policy, grants of it and of others, 12 removals."""
    sandbox = Sandbox("small", knobs=knobs)
    first = sandbox.account.environments[0].id
    old = [RoleAssignment(user(n, sandbox), REPORTS, first) for n in range(12)]
    give(sandbox, old)
    made = [RoleAssignment(user(n, sandbox), RoleId("new-role/Checkers"), first) for n in range(5)]
    wanted = grants(sandbox, GRANTS)
    policy, _ = new_policy(sandbox)
    return sandbox, plan_of(
        sandbox,
        [
            new_role(),
            policy,
            *operations(Kind.ASSIGN, [*wanted[:20], *made]),
            *operations(Kind.ASSIGN, wanted[20:], 2),
            *operations(Kind.REMOVE, old, 2),
        ],
    )


def killed_once(
    plan: Plan, sandbox: Sandbox, url: str, journal: Path, point: str, number: int, size: int
) -> Result | None:
    """One run, killed at its nth write; None when it was."""
    with writer(sandbox, url) as live:
        deadly = Deadly(live, point, number)
        try:
            return run(plan, deadly, journal, sandbox, size=size, journal_of=deadly.journal)
        except Killed:
            return None


def must_be_whole(result: Result, sandbox: Sandbox, calm: Sandbox, journal: Path) -> None:
    assert result.exit_code == 0, list(result.left)
    assert {Status.DONE} == set(result.counts)
    assert holdings(calm) == holdings(sandbox)
    assert sorted(row[:-1] for _, row in calm.effects) == sorted(row[:-1] for _, row in sandbox.effects)
    assert 1 == max(Counter((what, row[:6]) for what, row in sandbox.effects).values())
    assert calm.account.roles.keys() == sandbox.account.roles.keys()
    assert len(calm.account.custom_policies) == len(sandbox.account.custom_policies)
    assert b"" == check(journal).torn


@pytest.fixture(autouse=True)
def no_power_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kill loses nothing that was written, so these do not wait for the disk; other tests do."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """The account after a run that nobody disturbed."""
    sandbox, plan = account()
    with serving(sandbox) as url, writer(sandbox, url) as live:
        assert run(plan, live, tmp_path_factory.mktemp("calm") / "journal", sandbox).exit_code == 0
    return sandbox


@pytest.mark.sampled
@pytest.mark.parametrize("points", [*((point,) for point in POINTS if EVERY), POINTS])
def test_killed_at_every_operation_it_ends_as_if_it_had_not_been(
    tmp_path: Path, calm: Sandbox, points: tuple[str, ...]
) -> None:
    """Each run does one operation more than the one before and is killed; the last one ends it all."""
    sandbox, plan = account()
    assert len(plan.operations) >= GRANTS + 15
    journal, kills, result = tmp_path / "journal", 0, None
    with serving(sandbox) as url:
        while result is None:
            point = points[kills % len(points)]
            number = 2 if point == POINTS[0] else 1
            result = killed_once(plan, sandbox, url, journal, point, number, size=1)
            kills += result is None
            assert kills <= len(plan.operations)
    assert kills >= len(plan.operations) - 1
    must_be_whole(result, sandbox, calm, journal)


@pytest.mark.parametrize("point", POINTS)
def test_killed_once_anywhere_it_goes_on_from_there(tmp_path: Path, calm: Sandbox, point: str) -> None:
    """A kill at any of the calls, and one resume: the same end, whatever calls carry."""
    size = 1 if EVERY else 40
    number = 0
    while True:
        number += 1
        sandbox, plan = account()
        journal = tmp_path / str(number)
        with serving(sandbox) as url:
            result = killed_once(plan, sandbox, url, journal, point, number, size)
            if result is None:
                with writer(sandbox, url) as live:
                    resumed = run(plan, live, journal, sandbox, size=size)
                must_be_whole(resumed, sandbox, calm, journal)
        if result is not None:
            break
    assert number > (200 if EVERY else 8)


@pytest.mark.parametrize(("drop", "nth"), [("before", 2), ("before", 3), ("after", 1), ("after", 2)])
def test_lost_connections_change_nothing_of_the_end(
    tmp_path: Path, calm: Sandbox, drop: str, nth: int
) -> None:
    """Connections that are dropped before or after writes took effect are found out by reading back."""
    sandbox, plan = account(Knobs(drop=drop, drop_nth=nth))
    with serving(sandbox) as url, writer(sandbox, url) as live:
        result = run(plan, live, tmp_path / "journal", sandbox, size=5)
    must_be_whole(result, sandbox, calm, tmp_path / "journal")
