"""The comparison of the large account: this engine, the same task in pandas, and brute force with Cedar.

The engine is a process of its own: load the file and compare, which is `diff` without its reports, with all
that is put to Cedar and to the solver. Half of its work is done in a copy of the process, whose memory counts
too. Pandas does what a straightforward solution does (`joins.py` beside this file), and puts nothing to
anybody. Both must count the same findings of each verdict, and tell as many, or this fails. Cedar is asked on
a sample, and its seconds are extrapolated to all questions.

PERMMIGRATE_DIFF=medium takes another account; PERMMIGRATE_PANDAS=500 lets pandas have so many principals
only; PERMMIGRATE_SLOPES=no leaves the doublings out. Leaves with 1 when a promise is broken.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from permmigrate.diff.compare import _Comparison, compare, entitled
from permmigrate.diff.value import BY_MAPPING
from permmigrate.diff.witness import Witnesses
from permmigrate.entitlements import Place
from permmigrate.mapping.tables import load as load_tables
from permmigrate.resources import mappings_dir
from permmigrate.sandbox import accounts
from permmigrate.snapshot.file import dump, load

TODAY = date(2026, 11, 22)
SECONDS, MEMORY, FASTER, SLOPE = 10.0, 400, 8.0, 1.3
BASE = accounts.Size(2_000, 100, (11_000, 4_000, 3_000, 1_400, 600), 100_000, 0)
"""What is doubled, one dimension at a time."""
QUESTIONS = 200


def take(size: str, path: Path) -> None:
    """Read a sandbox account in process and save it."""
    import httpx

    from permmigrate.cloudinary.credentials import from_environment
    from permmigrate.cloudinary.reader import Reader
    from permmigrate.cloudinary.session import Timing
    from permmigrate.sandbox import Sandbox
    from permmigrate.snapshot.capture import capture

    sandbox = Sandbox(size, seed=1)
    shares = path.with_suffix(".csv")
    sandbox.write_shares(shares)
    urls = {f"CLOUDINARY_URL_{n}": url for n, url in enumerate(sandbox.cloudinary_urls(""), start=2)}
    credentials = from_environment({"CLOUDINARY_ACCOUNT_URL": sandbox.account_url("")} | urls)
    inner, timing = httpx.WSGITransport(app=sandbox.wsgi), Timing(sleep=lambda _: None)
    with Reader(credentials, api_url="http://localhost", inner=inner, timing=timing) as reader:
        taken = capture(
            reader,
            share_lists=[shares],
            keep_unknown=True,
            captured_at="2026-11-22T08:00:00Z",
            tool_version="0",
        )
    dump(taken, path)


def engine(path: Path) -> dict[str, Any]:
    """One comparison by this engine, in this process."""
    started = time.perf_counter()
    tables = load_tables(mappings_dir())
    snapshot = load(path)
    loaded = time.perf_counter()
    diff = compare(snapshot, tables, today=TODAY, tool_version="0")
    compared = time.perf_counter()
    first = diff.findings[0].id
    done = time.perf_counter()
    gathered = diff.findings.gathered  # type: ignore[attr-defined]
    return {
        "seconds": compared - started,
        "load": loaded - started,
        "compare": compared - loaded,
        "sort": done - compared,
        "findings": len(diff.findings),
        "told": len(gathered.principal),
        "decided": diff.decided,
        "first": first,
        "held": gathered.counts.sum(axis=0).tolist(),
    }


def memory_of(path: Path) -> float:
    """The most memory that a comparison and the sorting of its findings take, in MB: that of all processes
    together, with what they have in common once. To look takes time: this run is not for the seconds."""
    with subprocess.Popen([sys.executable, __file__, "engine", str(path)], stdout=subprocess.PIPE) as run:
        most = 0
        while run.poll() is None:
            most = max(most, sum(map(_proportional, _family(run.pid))))
            time.sleep(0.02)
    if run.returncode:
        raise subprocess.CalledProcessError(run.returncode, run.args)
    return most / 1024


def _family(process: int) -> list[int]:
    """A process and all that came of it."""
    try:
        tasks = list(Path(f"/proc/{process}/task").iterdir())
        children = [int(one) for task in tasks for one in (task / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):  # it has just ended
        return []
    return [process, *(one for child in children for one in _family(child))]


def _proportional(process: int) -> int:
    """A process's memory in KB, with its share of what it has in common with others."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return int(next(line for line in text.splitlines() if line.startswith("Pss:")).split()[1])


def apart(what: str, path: Path, *more: str) -> dict[str, Any]:
    """One part in a process of its own, whose memory is its alone."""
    command = [sys.executable, __file__, what, str(path), *more]
    run = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return found


def pandas(path: Path) -> dict[str, Any]:
    """The same comparison by joins, some hundred principals at a time."""
    from joins import Joins  # beside this file; pandas is imported by nobody else

    started = time.perf_counter()
    joins = Joins(path, TODAY)
    everybody = joins.numbers()
    some = int(os.environ.get("PERMMIGRATE_PANDAS", len(everybody)))
    asked = everybody[:some]
    joining = time.perf_counter()
    for start in range(0, len(asked), 250):
        joins.compare(asked[start : start + 250])
    told = joins.told()
    done = time.perf_counter()
    share = len(asked) / len(everybody)
    return {
        "seconds": joining - started + (done - joining) / share,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
        "held": joins.held.tolist(),
        "told": told,
        "principals": asked,
        "all": share == 1,
    }


def held_by(path: Path, principals: list[int]) -> list[int]:
    """What the engine counts for some principals only."""
    tables = load_tables(mappings_dir())
    diff = _Comparison(entitled(load(path), tables, today=TODAY), tables, BY_MAPPING, None, TODAY).run("0")
    counts = diff.findings.gathered.counts  # type: ignore[attr-defined]
    return [int(one) for one in counts[principals].sum(axis=0)]


def cedar(path: Path) -> dict[str, Any]:
    """Seconds of one question to Cedar under both sides, on a sample of principals and folders."""
    sides = entitled(load(path), load_tables(mappings_dir()), today=TODAY)
    random = np.random.default_rng(1)
    witnesses = Witnesses(sides)
    asked, seconds = 0, 0.0
    while asked < QUESTIONS:
        principal = sides.principals[int(random.integers(len(sides.snapshot.users)))]
        scope = sides.scopes[1]
        tree = sides.trees[scope]
        place = Place("folder", tree.ids[int(random.integers(len(tree.ids)))])
        atoms = sides.universe(scope).bits(sides.universe(scope).folder_mask)
        spot = witnesses.spot(scope, place, 0)
        requests = [witnesses.requests.of(scope, number, spot) for number in atoms]
        started = time.perf_counter()
        witnesses.decide(principal, spot, requests)
        seconds += time.perf_counter() - started
        asked += len(requests)
        witnesses._decided.clear()
    return {"seconds": seconds, "questions": asked}


def slopes(folder: Path) -> Iterator[tuple[str, float]]:
    """How many times the seconds each dimension takes when it is doubled."""
    doubled = {
        "users": replace(BASE, users=2 * BASE.users),
        "groups": replace(BASE, groups=2 * BASE.groups),
        "folders": replace(BASE, folders=tuple(2 * one for one in BASE.folders)),
        "shares": replace(BASE, shares=2 * BASE.shares),
    }
    seconds = {}
    for name, size in ({"base": BASE} | doubled).items():
        accounts.SIZES[name] = size
        take(name, folder / f"{name}.snapshot")
        seconds[name] = min(apart("engine", folder / f"{name}.snapshot")["seconds"] for _ in range(3))
    base = load(folder / "base.snapshot")
    twice = replace(base, catalog=_doubled(base.catalog))
    dump(twice, folder / "policies.snapshot")
    seconds["policies"] = min(apart("engine", folder / "policies.snapshot")["seconds"] for _ in range(3))
    for name in (*doubled, "policies"):
        yield name, seconds[name] / seconds["base"]


def _doubled(catalog: Any) -> Any:
    """Every policy twice, under two ids, in every role that has it."""
    from permmigrate.catalog import Catalog

    policies = [*catalog.policies.values()]
    policies += [replace(one, id=f"{one.id}~again") for one in catalog.policies.values()]
    roles = [
        replace(role, policy_ids=(*role.policy_ids, *(f"{one}~again" for one in role.policy_ids)))
        for role in catalog.roles.values()
    ]
    return Catalog.of(policies, roles, catalog.schema, catalog.source)


def line(what: str, value: str, memory: float | None, remark: str) -> None:
    """One row of the outcome."""
    print(f"  {what:<20} {value:>12} {f'{memory:.0f} MB' if memory else '':>8}  {remark}".rstrip())


def main() -> int:
    """Everything in one run."""
    account = os.environ.get("PERMMIGRATE_DIFF", "large")
    with tempfile.TemporaryDirectory() as name:
        path = Path(name) / "account.snapshot"
        apart("take", path, account)
        ours = min((apart("engine", path) for _ in range(2)), key=lambda one: float(one["seconds"]))
        parts = f"load {ours['load']:.1f}, compare {ours['compare']:.1f}"
        memory = memory_of(path)
        print(f"{account} account: {ours['findings']:,} findings, {ours['decided']:,} questions decided")
        promise = f"promise: {SECONDS:g} s, {MEMORY} MB"
        line("engine", f"{ours['seconds']:.1f} s", memory, f"{parts}; {promise}")
        line("", f"{ours['sort']:.1f} s", None, "more to sort the findings; the memory is with it")
        joins = apart("pandas", path)
        expected = ours["held"] if joins["all"] else held_by(path, joins["principals"])
        assert expected == joins["held"], (expected, joins["held"])
        assert not joins["all"] or joins["told"] == ours["told"], (joins["told"], ours["told"])
        ratio = joins["seconds"] / ours["seconds"]
        same = f"the same {sum(expected):,} times that a finding holds for somebody, and as many findings"
        whole = "" if joins["all"] else f"; extrapolated from {len(joins['principals']):,} principals"
        line("pandas", f"{joins['seconds']:.1f} s", joins["megabytes"], same + whole)
        line("", f"{ratio:.1f} times", None, f"the engine's seconds; promise: {FASTER:g}")
        asked = apart("cedar", path)
        each = asked["seconds"] / asked["questions"]
        sample = f"extrapolated from {asked['questions']:,} questions of {each * 1e6:,.0f} us, both sides"
        line("cedarpy", f"{each * ours['decided'] / 86_400:,.1f} days", None, sample)
        kept = ours["seconds"] <= SECONDS and memory <= MEMORY and ratio >= FASTER
        for what, factor in slopes(Path(name)) if os.environ.get("PERMMIGRATE_SLOPES") != "no" else ():
            line(f"twice the {what}", f"{factor:.2f} times", None, f"the seconds; promise: {2 * SLOPE:g}")
            kept &= factor <= 2 * SLOPE
    return int(not kept)


PARTS = {"engine": engine, "pandas": pandas, "cedar": cedar}

if __name__ == "__main__":
    match sys.argv[1:]:
        case ["take", file, size]:
            take(size, Path(file))
            print("{}")
        case [part, file]:
            print(json.dumps(PARTS[part](Path(file))))
        case _:
            raise SystemExit(main())
