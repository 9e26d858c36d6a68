"""What applying a whole move costs: operations, calls, their ratio, and the time at 2,000 calls an hour.

Every share and role of the sandbox's account is translated, put in waves and applied, in one process and
without a network: calls are counted, not timed. `PERMMIGRATE_ACCOUNT=medium` (or `small`) measures another
account than the large one, which takes many minutes. Leaves with 1 when a call carries fewer than 40
operations on the large account.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import httpx

from permmigrate import __version__
from permmigrate.apply.journal import Journal
from permmigrate.apply.reading import Pace
from permmigrate.apply.run import Run
from permmigrate.cli.sandbox import variables
from permmigrate.cloudinary.credentials import AccountKeyPair, Credentials, from_environment
from permmigrate.cloudinary.reader import Reader
from permmigrate.cloudinary.writer import Writer
from permmigrate.mapping.tables import load
from permmigrate.mapping.translate import translate
from permmigrate.plan import Digests, Kind, Operation, Plan
from permmigrate.plan.batches import expected_of
from permmigrate.plan.file import dump
from permmigrate.plan.file import load as load_plan
from permmigrate.plan.waves import Change, in_waves
from permmigrate.plan.world import World
from permmigrate.resources import mappings_dir
from permmigrate.sandbox import Sandbox
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.capture import capture

ACCOUNT = os.environ.get("PERMMIGRATE_ACCOUNT", "large")
CALLS_AN_HOUR = 2_000
RATIO = 40
TODAY = date(2026, 11, 22)
BASE = "http://localhost"


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def taken(sandbox: Sandbox, credentials: Credentials, folder: Path) -> Snapshot:
    shares = folder / "shares.csv"
    sandbox.write_shares(shares)
    inner = httpx.WSGITransport(sandbox.wsgi)
    with Reader(credentials, api_url=BASE, inner=inner, rate_share=1.0) as reader:
        return capture(
            reader, share_lists=(shares,), keep_unknown=True, captured_at=now(), tool_version=__version__
        )


def planned(snapshot: Snapshot) -> Plan:
    translation = translate(snapshot, load(mappings_dir()), today=TODAY)
    changes = [Change(Kind.ASSIGN, str(each.row), each.assignment) for each in translation.planned]
    operations = sorted(in_waves(changes, World.of(snapshot)), key=Operation.sort_key)
    later = (datetime.now(UTC) + timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    return Plan.of(
        account_id=snapshot.account_id,
        purpose="move",
        created=now(),
        expires=later,
        tool_version=__version__,
        digests=Digests("", "", ""),
        captured_at=snapshot.captured_at,
        operations=operations,
        held={each.principal: () for each in operations if each.principal},
        expected=expected_of(operations, CALLS_AN_HOUR),
    )


def plan_size(plan: Plan, path: Path) -> int:
    """How large the plan's file is, which is taken back as it was written."""
    digest = dump(plan, path)
    assert digest == load_plan(path).digest
    return path.stat().st_size


def main() -> int:
    sandbox = Sandbox(ACCOUNT)
    credentials = from_environment(variables(sandbox.describe(BASE)))
    with tempfile.TemporaryDirectory() as name:
        started = time.monotonic()
        snapshot = taken(sandbox, credentials, Path(name))
        plan = planned(snapshot)
        environments = tuple(environment.id for environment in snapshot.environments)
        del snapshot
        print(f"{ACCOUNT}: planned {len(plan.operations):,} operations in {time.monotonic() - started:.0f} s")
        size = plan_size(plan, Path(name) / "plan.json")
        print(f"plan.json has {size / 1e6:,.0f} MB, {size / len(plan.operations):,.0f} bytes an operation")
        started, busy = time.monotonic(), time.process_time()
        place = Path(name) / "journal"
        with (
            Writer(
                AccountKeyPair(credentials.account_id, credentials.account),
                {},
                {},
                api_url=BASE,
                inner=httpx.WSGITransport(sandbox.wsgi),
                rate_share=1.0,
            ) as live,
            Journal.begin(place, {"plan": ""}, now) as journal,
        ):
            result = Run(plan, live, journal, environments, Pace(now, time.sleep)).go()
        seconds, busy = time.monotonic() - started, time.process_time() - busy
        size = place.stat().st_size / 1e6
    operations, ratio = len(plan.operations), len(plan.operations) / result.calls
    hours = result.calls / CALLS_AN_HOUR
    writes = sum(call["method"] == "PUT" for call in sandbox.log)
    print(f"applied in {seconds:.0f} s ({busy:.0f} s of them busy), exit {int(result.exit_code)}")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"{size:,.0f} MB of journal; {peak:,.0f} MB of memory at most")
    expected = plan.expected.writes + plan.expected.reads
    print(f"operations {operations:,}, calls {result.calls:,}; {expected:,} calls were expected")
    print(f"{ratio:.1f} operations a call; {hours:.1f} hours at {CALLS_AN_HOUR:,} calls an hour")
    print(f"of the last {len(sandbox.log):,} calls {writes:,} write")
    return int(bool(result.exit_code) or (ACCOUNT == "large" and ratio < RATIO))


if __name__ == "__main__":
    sys.exit(main())
