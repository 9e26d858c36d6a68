"""Bad weather while a plan is applied: whatever happens, nothing is lost, done twice, or left unnamed.

`make fuzz` draws new seeds, named by a failure: `PERMMIGRATE_STORM_SEED=7` runs one again, and
`PERMMIGRATE_STORMS=40` as many as that.
"""

from __future__ import annotations

import os
import random
from collections import Counter
from pathlib import Path

import pytest

from applying import (
    REPORTS,
    VIEWER,
    as_sandbox,
    give,
    grants,
    holdings,
    new_policy,
    new_role,
    operations,
    pace,
    plan_of,
    run,
    user,
    writer,
)
from permmigrate.apply.chain import check
from permmigrate.apply.outcome import Result, Status
from permmigrate.apply.run import Asked
from permmigrate.errors import ExitCode
from permmigrate.model import FolderId, RoleAssignment
from permmigrate.plan import Kind, Plan
from permmigrate.sandbox import Knobs, Sandbox
from permmigrate.sandbox.server import serving
from sampling import WHOLE

GOING_ON = Asked(keep_going=True)
STORMS = int(os.environ.get("PERMMIGRATE_STORMS", "3"))


@pytest.fixture(params=[pytest.param(number, marks=pytest.mark.sampled) for number in range(STORMS)])
def seed(request: pytest.FixtureRequest) -> int:
    """A seed, in `make fuzz` one nobody has seen; pytest shows it when the test fails."""
    drawn = random.randrange(1, 10**6) if WHOLE else 1 + request.param
    found = int(os.environ.get("PERMMIGRATE_STORM_SEED") or drawn)
    print(f"PERMMIGRATE_STORM_SEED={found}")
    return found


def account(knobs: Knobs | None = None) -> tuple[Sandbox, Plan]:
    sandbox = Sandbox("small", knobs=knobs)
    first = sandbox.account.environments[0].id
    old = [RoleAssignment(user(n, sandbox), REPORTS, first) for n in range(12)]
    give(sandbox, old)
    wanted = grants(sandbox, 205)
    policy, _ = new_policy(sandbox)
    steps = [
        new_role(),
        policy,
        *operations(Kind.ASSIGN, wanted[:20]),
        *operations(Kind.ASSIGN, wanted[20:], 2),
        *operations(Kind.REMOVE, old, 2),
    ]
    return sandbox, plan_of(sandbox, steps)


def until_done(plan: Plan, sandbox: Sandbox, journal: Path, runs: int) -> list[Result]:
    """Run, and resume as often as it takes, but not for ever."""
    results: list[Result] = []
    with serving(sandbox) as url:
        for _ in range(runs):
            with writer(sandbox, url, timeout=0.1) as live:
                results.append(run(plan, live, journal, sandbox, asked=GOING_ON, size=9))
            check(journal)
            if not results[-1].exit_code:
                break
    return results


def nothing_twice(sandbox: Sandbox) -> None:
    assert 1 == max(Counter((what, row[:6]) for what, row in sandbox.effects).values())


def everything_named(result: Result) -> None:
    """Every operation of the plan has an outcome, and what was not done has a reason."""
    assert result.outcomes.keys() == result.plan.by_id.keys()
    assert all(outcome.why for _, _, outcome in result.left)


def test_a_storm_delays_and_changes_nothing_of_the_end(tmp_path: Path, seed: int) -> None:
    """420, 429, 500, 502, lost connections, silence and answers that are no JSON, before or after effects."""
    sandbox, plan = account(Knobs(storm=0.35, storm_seed=seed, hang=0.15))
    calm, _ = account()
    for operation in plan.operations:
        if operation.kind is Kind.ASSIGN:
            calm.account.assignments.add(as_sandbox(operation.assignment))
        elif operation.kind is Kind.REMOVE:
            calm.account.assignments.remove(as_sandbox(operation.assignment))

    results = until_done(plan, sandbox, tmp_path / "journal", runs=40)

    assert results[-1].exit_code == 0, list(results[-1].left)[:5]
    for result in results:
        everything_named(result)
        assert result.exit_code in (ExitCode.OK, ExitCode.SERVICE, ExitCode.PARTLY_APPLIED)
    nothing_twice(sandbox)
    assert holdings(calm) == holdings(sandbox)
    assert 1 == sum(role.name == "Checkers" for role in sandbox.account.roles.values())
    assert 1 == sum(one.name == "Folders for the key" for one in sandbox.account.custom_policies.values())


def test_a_key_revoked_half_way_ends_the_run_at_once(tmp_path: Path, seed: int) -> None:
    """A 401 is nobody's fault in particular: no other write is sent, and all that is left is named."""
    chance = random.Random(seed)
    writes = chance.randint(3, 20)
    sandbox, plan = account(Knobs(revoke_after=writes))
    with serving(sandbox) as url, writer(sandbox, url) as live:
        result = run(plan, live, tmp_path / "journal", sandbox, size=9)
    sent = [call for call in sandbox.log if call["method"] == "PUT" or str(call["path"]).endswith("s/custom")]
    refused = [call for call in sandbox.log if call["status"] == 401]
    assert 1 == len(refused), seed
    assert sent
    assert ExitCode.PARTLY_APPLIED == result.exit_code
    assert "did not accept" in result.stopped
    everything_named(result)
    assert result.counts[Status.DONE] + len(list(result.left)) == len(plan.operations)
    nothing_twice(sandbox)


def test_a_key_that_is_not_accepted_from_the_start_is_exit_4(tmp_path: Path) -> None:
    """Nothing was changed: the service refused, and the exit code says so."""
    sandbox, plan = account()
    with serving(sandbox) as url, writer(sandbox, url) as live:
        next(iter(sandbox.account.account_keys.values())).secret = "another"
        result = run(plan, live, tmp_path / "journal", sandbox)
    assert ExitCode.SERVICE == result.exit_code
    assert {Status.NOT_REACHED} == set(result.counts)
    assert [] == sandbox.effects


def test_a_principal_deleted_half_way_stops_nobody_else(tmp_path: Path, seed: int) -> None:
    """Who is gone is named; everybody else gets what the plan gives them."""
    sandbox, plan = account()
    number = random.Random(seed).randrange(20, 40)
    gone = user(number, sandbox)

    def delete() -> None:
        del sandbox.account.users[gone.id]
        sandbox.account.assignments.drop_principal(("user", gone.id))

    sandbox.after_writes(5, delete)
    with serving(sandbox) as url, writer(sandbox, url) as live:
        result = run(plan, live, tmp_path / "journal", sandbox, size=9)
    everything_named(result)
    left = {operation.principal for _, operation, _ in result.left}
    assert {gone} == left, seed
    assert ExitCode.PARTLY_APPLIED == result.exit_code
    assert {Status.STALE} == {outcome.status for _, _, outcome in result.left}


def test_people_whom_somebody_else_changes_meanwhile_are_left_alone(tmp_path: Path, seed: int) -> None:
    """Somebody gives and takes roles at the same time: their people are named, and not touched again."""
    sandbox, plan = account()
    chance, folders = random.Random(seed), sandbox.account.folders
    first = sandbox.account.environments[0].id
    changed = chance.sample(range(20, 40), 4)

    def meddle(number: int) -> None:
        who = user(number, sandbox)
        extra = RoleAssignment(who, VIEWER, first, FolderId(folders.ids[folders.of(0)[-1 - number]]))
        sandbox.account.assignments.append(as_sandbox(extra))

    for place, number in enumerate(changed):
        sandbox.after_writes(5 + 3 * place, lambda number=number: meddle(number))
    with serving(sandbox) as url, writer(sandbox, url) as live:
        result = run(plan, live, tmp_path / "journal", sandbox, size=9)
    everything_named(result)
    touched = {user(number, sandbox) for number in changed}
    left = {operation.principal for _, operation, _ in result.left}
    assert left <= touched, seed
    assert ExitCode.PARTLY_APPLIED == result.exit_code
    assert touched == set(result.changed)
    stale = [line for line in check(tmp_path / "journal").lines if line.kind == "stale"]
    assert {str(who) for who in touched} == {line.fields["principal"] for line in stale}


@pytest.mark.parametrize("knobs", [Knobs(stale_reads=3), Knobs(stale_seconds=0.05)])
def test_caches_that_show_yesterday_are_waited_out(tmp_path: Path, knobs: Knobs) -> None:
    """What was written and does not show yet is neither an error nor somebody else's change."""
    import time

    sandbox, plan = account(knobs)
    waiting = pace((0.01, 0.02, 0.03, 0.05, 0.1))
    patient = type(waiting)(waiting.now, time.sleep, waiting.pauses)
    with serving(sandbox) as url, writer(sandbox, url) as live:
        result = run(plan, live, tmp_path / "journal", sandbox, size=50, pace_=patient)
    assert result.exit_code == 0, list(result.left)[:5]
    assert (1, 2) == result.verified
    nothing_twice(sandbox)


def test_a_key_that_loses_its_role_half_way_is_not_tried_on_everybody(tmp_path: Path) -> None:
    """After the move keys are held to their roles: a 403 is an error, never a skip, and five end the run."""
    sandbox = Sandbox("small", state="migrated")
    rows = [
        RoleAssignment(user(n, sandbox), REPORTS, environment.id)
        for n in range(40)
        for environment in sandbox.account.environments
    ]
    mine = {
        row[:6]
        for row in sandbox.account.assignments.rows(principal=("provisioningKey", sandbox.account_key))
    }
    held = holdings(sandbox)
    wanted = [row for row in rows if as_sandbox(row)[:6] not in held]
    plan = plan_of(sandbox, operations(Kind.ASSIGN, wanted))
    sandbox.after_writes(
        6, lambda: sandbox.account.assignments.drop_principal(("provisioningKey", sandbox.account_key))
    )
    with serving(sandbox) as url, writer(sandbox, url) as live:
        result = run(plan, live, tmp_path / "journal", sandbox, size=3)
    assert mine
    assert ExitCode.PARTLY_APPLIED == result.exit_code
    assert "5 errors in a row" in result.stopped
    assert "403" in result.stopped
    everything_named(result)
    assert result.counts[Status.DONE] <= 18
    denied = [call for call in sandbox.log if call["status"] == 403]
    assert len(denied) <= 12
