"""How long a snapshot takes against the ideal, over a socket with 20 ms latency and without a rate limit.

The ideal is requests x latency / connections. Three crawls are measured: the large account as it is read, by
few large answers, which is bound by processing; the medium account folder by folder, as where nothing better
answers, which is bound by latency; and the large one folder by folder, as far as PERMMIGRATE_WALK folders go
(default 20,000; `all` takes five minutes). For the first the CPU time of the client is set beside that of
parsing the same bytes and no more, so that it shows what the rest costs.

The sandbox is one Python process of its own, and it shares the machine: what it works shows in `actual`.
PERMMIGRATE_WORKERS sets the connections. Leaves with 1 when a walk takes over 1.25 times the ideal, requests
are over 5 % above the smallest number, or memory is over 500 MB. Measure on a machine that is otherwise idle.
"""

from __future__ import annotations

import itertools
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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from permmigrate.cli.sandbox import variables
from permmigrate.cloudinary import choices, foldertree
from permmigrate.cloudinary.choices import SEARCH_LIMIT
from permmigrate.cloudinary.credentials import Credentials, from_environment
from permmigrate.cloudinary.reader import Reader
from permmigrate.cloudinary.transport import network
from permmigrate.errors import MalformedAnswerError
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.capture import capture
from permmigrate.snapshot.file import dump
from permmigrate.snapshot.spool import Head, Spool

LATENCY = 0.02
CONNECTIONS = int(os.environ.get("PERMMIGRATE_WORKERS", choices.WORKERS))
WALK = os.environ.get("PERMMIGRATE_WALK", "20000")
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


@dataclass(frozen=True, slots=True)
class Taken:
    """A snapshot, and what it cost."""

    snapshot: Snapshot
    seconds: float
    cpu: float
    """Of the client alone."""
    calls: list[dict[str, Any]]
    """The sandbox's log."""


def take(account: str, latency: float, folder: Path, inner: httpx.BaseTransport | None = None) -> Taken:
    """Read and save an account with a spool, as the command does."""
    log = folder / "log.jsonl"
    log.unlink(missing_ok=True)
    with sandbox(account, latency, log) as (url, credentials):
        started, worked = time.perf_counter(), time.process_time()
        with (
            Spool.begin(folder / "spool", Head(credentials.account_id, url, "0", "")) as spool,
            Reader(credentials, api_url=url, workers=CONNECTIONS, memory=spool, inner=inner) as reader,
        ):
            snapshot = capture(reader, captured_at="2026-11-22T12:00:00Z", tool_version="0")
        spool.remove()
        seconds, cpu = time.perf_counter() - started, time.process_time() - worked
        dump(snapshot, folder / "account.snapshot")
    return Taken(snapshot, seconds, cpu, [json.loads(line) for line in log.read_text().splitlines()])


class Parsing(httpx.BaseTransport):
    """A network that also parses each answer with the standard library, and counts what that takes."""

    def __init__(self) -> None:
        self._inner = network(connections=CONNECTIONS)
        self.seconds, self.received = 0.0, 0

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        response = self._inner.handle_request(request)
        content = response.read()
        started = time.thread_time()
        json.loads(content)
        self.seconds += time.thread_time() - started
        self.received += len(content)
        return response

    def close(self) -> None:
        self._inner.close()


def smallest(snapshot: Snapshot, calls: list[dict[str, Any]], page: int = 1000) -> tuple[int, int]:
    """The fewest calls to read this account once, and to know it whole and unchanged besides.

    Users and each environment's users in pages as large as ours; keys, policies, roles and assignments as
    they were answered; a tree below 2,000 folders by pages of a search, a larger one by its root folders or,
    in a walk, by those that were walked. Users, groups and assignments are looked at once more, and a large
    tree is counted.
    """
    environments, paths = len(snapshot.environments), [str(call["path"]) for call in calls]
    limited = [user for user in snapshot.users if not user.all_environments]
    everywhere, pages = len(snapshot.users) - len(limited), math.ceil(len(snapshot.users) / page)
    once = 1 + pages + 1 + environments + 2 + 3
    if any("sub_account_id" in call["query"] for call in calls):
        once += sum(
            math.ceil((everywhere + sum(e.id in user.environment_ids for user in limited)) / page)
            for e in snapshot.environments
        )
    else:
        once += len(limited)
    once += sum("/permissions/roles/" in path or "/policies/custom" in path for path in paths)
    inspected = [(call["path"], str(call["query"])) for call in calls if "/inspect" in str(call["path"])]
    once += len(set(inspected))
    again = len(inspected) - len(set(inspected)) + pages + 1
    walked = sum("/folders/" in path and not path.endswith(("/search", "/descendants")) for path in paths)
    once += walked
    for environment in snapshot.environments:
        tree = [folder.path for folder in snapshot.folders if folder.environment_id == environment.id]
        if len(tree) < SEARCH_LIMIT:
            once += math.ceil(len(tree) / 500)
        else:
            once += 1 + (0 if walked else sum("/" not in path for path in tree))
            again += 1
    return once, once + again


def report(name: str, account: str, folder: Path, *, by_latency: bool) -> bool:
    """Measure one way of reading one account; whether it keeps its promises."""
    taken = take(account, LATENCY, folder)
    count, (once, sure) = len(taken.calls), smallest(taken.snapshot, taken.calls)
    ideal = count * LATENCY / CONNECTIONS
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    remark = f"promise: at most {RATIO:g}" if by_latency else "bound by processing, not by latency: see below"
    rows = [
        ("requests", f"{count:,}", ""),
        ("smallest number", f"{sure:,}", f"to know it whole and unchanged; {once:,} to read it once"),
        (
            "ratio",
            f"{count / sure:.3f}",
            f"promise: at most {REQUESTS:g}; {count / once:.3f} to reading it once",
        ),
        ("ideal", f"{ideal:.2f} s", f"requests x {LATENCY * 1000:.0f} ms / {CONNECTIONS} connections"),
        ("actual", f"{taken.seconds:.2f} s", f"of it {taken.cpu:.2f} s of the client's CPU"),
        ("ratio to ideal", f"{taken.seconds / ideal:.2f}", remark),
        ("peak memory", f"{memory:.0f} MB", f"promise: at most {MEMORY}"),
    ]
    if not by_latency:
        parsing = Parsing()
        take(account, 0.0, folder, parsing)
        rows += [
            ("answers", f"{parsing.received / 1e6:.1f} MB", ""),
            (
                "parsing alone",
                f"{parsing.seconds:.2f} s",
                "CPU of the standard library's json for the same bytes",
            ),
            ("client's CPU", f"{taken.cpu:.2f} s", f"{taken.cpu / parsing.seconds:.1f} times that"),
        ]
    print(f"{name}: {len(taken.snapshot.folders):,} folders, {len(taken.snapshot.users):,} users")
    for what, value, remark in rows:
        print(f"  {what:<16} {value:>10}  {remark}".rstrip())
    fast = not by_latency or taken.seconds <= ideal * RATIO
    return fast and count <= sure * REQUESTS and memory <= MEMORY


def main() -> int:
    """The account as it is read, then the walks."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept = report("large account by search", "large", folder, by_latency=False)
        foldertree.Tree._below_roots = foldertree.Tree._parts = refuse  # type: ignore[method-assign]
        kept &= report("medium account walked", "medium", folder, by_latency=True)
        if WALK != "all":
            stop_after(int(WALK))
        part = "" if WALK == "all" else f", its first {int(WALK):,} folders"
        kept &= report(f"large account walked{part}", "large", folder, by_latency=True)
    return int(not kept)


def refuse(*_: object) -> Any:
    """A way of reading folders that does not answer."""
    raise MalformedAnswerError("not here")


def stop_after(folders: int) -> None:
    """Let a walk look into so many folders, and take the others for empty without asking."""
    ask, left = foldertree.Tree._list, itertools.count(folders, -1)

    def some(tree: foldertree.Tree, endpoint: str, values: dict[str, str]) -> foldertree.Rows:
        return {} if endpoint == foldertree.CHILDREN and next(left) <= 0 else ask(tree, endpoint, values)

    foldertree.Tree._list = some  # type: ignore[method-assign]


if __name__ == "__main__":
    raise SystemExit(main())
