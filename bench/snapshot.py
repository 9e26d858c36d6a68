"""How long a snapshot of the large account takes against the ideal, over a socket with 20 ms latency.

The ideal is requests x latency / connections. The sandbox is a process of its own, and one Python process: it
works under one lock, so its own working time is measured apart, on a run without latency through one
connection, and a second ideal says what it bounds. The walk asks for one folder a call, as where nothing
better answers: there latency is what is measured, on a part of the account (PERMMIGRATE_WALK=large: all).

Leaves with 1 when the ratio to the bound is over 1.25, the requests are over 5 % above the smallest number,
or memory is over 500 MB.
"""

from __future__ import annotations

import json
import math
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from permmigrate.cli.sandbox import variables
from permmigrate.cloudinary import foldertree
from permmigrate.cloudinary.credentials import Credentials, from_environment
from permmigrate.cloudinary.reader import Reader
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.capture import capture
from permmigrate.snapshot.file import dump
from permmigrate.snapshot.spool import Head, Spool

LATENCY = 0.02
CONNECTIONS = 16
RATIO, REQUESTS, MEMORY = 1.25, 1.05, 500


@contextmanager
def sandbox(account: str, latency: float, log: Path) -> Iterator[tuple[str, Credentials]]:
    """An account served by a process of its own."""
    command = [sys.executable, "-m", "permmigrate", "sandbox", "serve", "--account", account, "--json"]
    command += ["--latency", f"{latency * 1000:.0f}ms", "--log", str(log)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            described: dict[str, Any] = json.loads(process.stdout.readline())
            yield described["url"], from_environment(variables(described))
        finally:
            process.terminate()


def take(
    account: str, latency: float, workers: int, folder: Path
) -> tuple[Snapshot, float, list[dict[str, Any]]]:
    """Read and save an account with a spool, as the command does; the seconds, and the server's log."""
    log, out = folder / "log.jsonl", folder / "account.snapshot"
    log.unlink(missing_ok=True)
    with sandbox(account, latency, log) as (url, credentials):
        started = time.perf_counter()
        with (
            Spool.begin(folder / "spool", Head(credentials.account_id, url, "0", "")) as spool,
            Reader(credentials, api_url=url, workers=workers, memory=spool) as reader,
        ):
            snapshot = capture(reader, captured_at="2026-11-22T12:00:00Z", tool_version="0")
        spool.remove()
        read = time.perf_counter() - started
        dump(snapshot, out)
    return snapshot, read, [json.loads(line) for line in log.read_text().splitlines()]


def smallest(snapshot: Snapshot, calls: list[dict[str, Any]], page: int = 1000) -> tuple[int, int]:
    """The fewest calls to read this account once, and with the counts that show it whole and unchanged.

    Users and each environment's users in pages as large as ours; keys, policies, roles and assignments as
    they were answered; a tree below 2,000 folders by pages of a search, a larger one by its root folders.
    """
    environments, paths = len(snapshot.environments), [str(call["path"]) for call in calls]
    by_environment = any("sub_account_id" in call["query"] for call in calls)
    limited = [user for user in snapshot.users if not user.all_environments]
    everywhere = len(snapshot.users) - len(limited)
    once = 1 + math.ceil(len(snapshot.users) / page) + 1 + environments + 2 + 3
    if by_environment:
        once += sum(
            math.ceil((everywhere + sum(e.id in user.environment_ids for user in limited)) / page)
            for e in snapshot.environments
        )
    else:
        once += len(limited)
    once += sum("/permissions/roles/" in path for path in paths)
    once += sum("/policies/custom" in path for path in paths)
    inspected = sum("/inspect" in path for path in paths)
    scopes = 1 + environments
    once += inspected - scopes
    trees = {
        e.id: [f.path for f in snapshot.folders if f.environment_id == e.id] for e in snapshot.environments
    }
    counts = 0
    for tree in trees.values():
        if len(tree) >= foldertree.SEARCH_LIMIT:
            once += 1 + sum("/" not in path for path in tree)
            counts += 1
        elif tree:
            once += math.ceil(len(tree) / 500)
    return once, once + counts + scopes + 2


def report(name: str, account: str, folder: Path) -> bool:
    """Measure one way of reading one account; whether it keeps every promise."""
    _, bare, quiet = take(account, 0.0, 1, folder)
    snapshot, actual, calls = take(account, LATENCY, CONNECTIONS, folder)
    once, sure = smallest(snapshot, calls)
    ideal = len(calls) * LATENCY / CONNECTIONS
    bound = max(ideal, bare)
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    rows = [("requests", f"{len(calls):,}", "")]
    if name != "walk":
        rows += [
            ("smallest number", f"{sure:,}", f"to know it whole and unchanged; {once:,} to read it once"),
            ("ratio", f"{len(calls) / sure:.3f}", f"promise: at most {REQUESTS:g}"),
        ]
    rows += [
        ("ideal", f"{ideal:.2f} s", f"requests x {LATENCY * 1000:.0f} ms / {CONNECTIONS} connections"),
        ("work alone", f"{bare:.2f} s", f"{len(quiet):,} requests without latency through one connection"),
        ("actual", f"{actual:.2f} s", ""),
        ("ratio to ideal", f"{actual / ideal:.2f}", "what the promise is about; the work bounds it here"),
        ("ratio to bound", f"{actual / bound:.2f}", f"the larger of the two; at most {RATIO:g}"),
        ("peak memory", f"{memory:.0f} MB", f"promise: at most {MEMORY}"),
    ]
    print(f"{name}: {account} account, {len(snapshot.folders):,} folders, {len(snapshot.users):,} users")
    for what, value, remark in rows:
        print(f"  {what:<16} {value:>10}  {remark}".rstrip())
    fewest = name == "walk" or len(calls) <= sure * REQUESTS
    return actual <= bound * RATIO and fewest and memory <= MEMORY


def main() -> int:
    """The account as it is read, then a walk."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept = report("as it is read", "large", folder)
        foldertree.Tree._below_roots = foldertree.Tree._parts = refuse  # type: ignore[method-assign]
        kept &= report("walk", os.environ.get("PERMMIGRATE_WALK", "medium"), folder)
    return int(not kept)


def refuse(*_: object) -> Any:
    """A way of reading folders that does not answer."""
    raise foldertree.MalformedAnswerError("not here")


if __name__ == "__main__":
    raise SystemExit(main())
