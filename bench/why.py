"""How long one question takes once an account is loaded, beside asking Cedar itself with policies as text.

Two questions are measured over random principals, actions and folders: `why` (one principal, both sides, with
the statements that say so) and `who-can` (everybody). Asked directly, Cedar is given the texts of the one
principal's policies and the request, once for each side and condition, and names no grant and no row; for
everybody that is measured on a sample of the principals and extrapolated, which is said.

Takes snapshots (`python bench/why.py a.snapshot b.snapshot`); without any it makes the sandbox's small and
medium accounts. Prints the median and the 95th of 100, of CPU time (other processes on the machine do not
count) and of elapsed time. Leaves with 1 when a median of CPU time is over the promise of 50 ms.
"""

from __future__ import annotations

import os
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import cedarpy

from permmigrate.cli import cli
from permmigrate.cli.boundary import run
from permmigrate.diff.derive_account import Account
from permmigrate.diff.derive_ask import Worlds
from permmigrate.diff.derive_words import Question
from permmigrate.diff.witness_request import question
from permmigrate.mapping.tables import load as load_tables
from permmigrate.model import PrincipalRef
from permmigrate.resources import mappings_dir
from permmigrate.sandbox import Sandbox
from permmigrate.sandbox.server import serving
from permmigrate.snapshot.file import load

ROUNDS, SAMPLE, PROMISE = 100, 10, 50.0
ACTIONS = ("read", "update", "delete", "download", "create")
SIZES = ("small", "medium")


@contextmanager
def snapshots(given: list[str]) -> Iterator[list[Path]]:
    """Those given, or ones of the sandbox's accounts."""
    if given:
        yield [Path(one) for one in given]
        return
    with tempfile.TemporaryDirectory() as folder:
        made = []
        for size in SIZES:
            made.append(Path(folder) / f"{size}.snapshot")
            _take(size, made[-1])
        yield made


def _take(size: str, path: Path) -> None:
    sandbox = Sandbox(account=size, seed=1)
    shares = path.with_suffix(".csv")
    sandbox.write_shares(shares)
    with serving(sandbox) as url:
        os.environ.update(_variables(sandbox, url))
        arguments = ["snapshot", "--out", str(path), "--shares", str(shares), "--api-url", url]
        assert run(cli, [*arguments, "--keep-unknown", "--quiet"]) == 0


def _variables(sandbox: Sandbox, url: str) -> dict[str, str]:
    urls = sandbox.cloudinary_urls(url)
    found = {"CLOUDINARY_ACCOUNT_URL": sandbox.account_url(url)}
    return found | {f"CLOUDINARY_URL_{number}": one for number, one in enumerate(urls, start=2)}


class Clock:
    """Times of one kind of question."""

    def __init__(self) -> None:
        self.cpu: list[float] = []
        self.elapsed: list[float] = []

    def time(self, ask: Callable[[], object]) -> None:
        cpu, elapsed = time.process_time(), time.perf_counter()
        ask()
        self.cpu.append((time.process_time() - cpu) * 1000)
        self.elapsed.append((time.perf_counter() - elapsed) * 1000)

    @property
    def median(self) -> float:
        return statistics.median(self.cpu)

    def __str__(self) -> str:
        last = sorted(self.cpu)[int(len(self.cpu) * 0.95)]
        return f"{self.median:8.1f} ms  (95 %: {last:7.1f}; elapsed {statistics.median(self.elapsed):7.1f})"


def directly(account: Account, principal: PrincipalRef, asked: Question) -> None:
    """Ask Cedar with everything as text, as a script would that has it at hand."""
    derivations = account.derivations
    who = derivations.requests.who(principal, account.entitlements.snapshot)
    worlds = Worlds.of(*derivations.finder.of(principal, asked.spot))
    for atom in asked.atoms:
        request = derivations.requests.of(asked.scope, atom, asked.spot)
        resource = {"type": request.resource_type, "id": request.resource_id}
        entities = [who, {"uid": resource, "attrs": dict(request.attributes), "parents": []}]
        for texts in (worlds.before_least, worlds.after_least):
            cedarpy.is_authorized(question(who, request), "\n".join(texts), entities)


def measure(path: Path) -> bool:
    """Measure one account; return whether the promise is kept."""
    started = time.perf_counter()
    today = datetime.now(UTC).date()
    account = Account.of(load(path), load_tables(mappings_dir()), today=today)
    for environment in account.entitlements.snapshot.environments:
        account.who.prepare(environment.id)
    people = account.entitlements.principals
    folders = account.entitlements.snapshot.folders
    shares, seconds = len(account.entitlements.snapshot.shares), time.perf_counter() - started
    print(f"\n{path.name}: {len(people):,} principals, {len(folders):,} folders, {shares:,} shares")
    print(f"loaded in {seconds:.1f} s")
    chance = random.Random(1)

    def asked() -> Question:
        folder = chance.choice(folders)
        return account.reader.question(chance.choice(ACTIONS), f"asset in {folder.id}", folder.environment_id)

    asked()
    account.who.who_can(asked())
    why, who, direct, everybody = Clock(), Clock(), Clock(), Clock()
    for _ in range(ROUNDS):
        one, principal = asked(), chance.choice(people)
        why.time(lambda one=one, principal=principal: account.derivations.why(principal, one))
        direct.time(lambda one=one, principal=principal: directly(account, principal, one))
        who.time(lambda one=one: account.who.who_can(one))
    one, sample = asked(), chance.sample(people, min(SAMPLE, len(people)))
    everybody.time(lambda: [directly(account, principal, one) for principal in sample])
    extrapolated = everybody.median * len(people) / len(sample)
    print(f"why              {why}")
    print(f"Cedar directly   {direct}")
    print(f"  ratio          {direct.median / why.median:8.1f}")
    print(f"who-can          {who}")
    print(f"Cedar directly   {extrapolated:8.0f} ms  (extrapolated from {len(sample)} principals)")
    print(f"  ratio          {extrapolated / who.median:8.1f}    (promise: at most {PROMISE:g} ms each)")
    return why.median <= PROMISE and who.median <= PROMISE


def main() -> int:
    """Measure every account."""
    with snapshots(sys.argv[1:]) as paths:
        return int(sum(not measure(path) for path in paths) > 0)


if __name__ == "__main__":
    raise SystemExit(main())
