"""A service that limits, fails, drops and dawdles: the share is kept, and nothing is asked twice.

`make fuzz` draws new storms: `PERMMIGRATE_STORM_SEED` names the first again, `PERMMIGRATE_STORMS` how many.
"""

from __future__ import annotations

import dataclasses
import os
import random
from collections import Counter, defaultdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from storm import Question, Storm

from permmigrate.cloudinary.credentials import from_environment
from permmigrate.cloudinary.reader import Reader
from permmigrate.cloudinary.session import Patience, Timing
from permmigrate.sandbox import Knobs, Sandbox
from permmigrate.sandbox.server import serving
from permmigrate.snapshot.capture import capture
from permmigrate.snapshot.file import dump
from sampling import WHOLE
from sandbox_variables import variables

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
FIRST = os.environ.get("PERMMIGRATE_STORM_SEED")
STORMS = int(os.environ.get("PERMMIGRATE_STORMS", "3"))


def taken(sandbox: Sandbox, url: str, path: Path, *, share: float = 1.0, workers: int = 8) -> bytes:
    """The bytes of a snapshot, the address apart."""
    timing = Timing(now=lambda: NOON, chance=lambda: 0.05)
    patience = Patience(attempts=30, seconds=60, base=0.03, cap=0.15)
    with Reader(
        from_environment(variables(sandbox)),
        api_url=url,
        rate_share=share,
        workers=workers,
        timing=timing,
        patience=patience,
    ) as reader:
        snapshot = capture(reader, captured_at="2026-11-22T12:00:00Z", tool_version="0")
    assert {"shares"} == {gap.area for gap in snapshot.gaps}
    catalog = dataclasses.replace(snapshot.catalog, source="")
    dump(dataclasses.replace(snapshot, api_url="", catalog=catalog), path)
    return path.read_bytes()


def most_at_once(sandbox: Sandbox, seconds: float) -> dict[str, int]:
    """The most calls that the log has in any window of that length, for each API and key."""
    ticks: dict[str, list[float]] = defaultdict(list)
    for record in sandbox.log:
        ticks[str(record["lane"])].append(float(str(record["tick"])))
    found = {}
    for lane, times in ticks.items():
        times.sort()
        found[lane] = max(sum(first <= t < first + seconds for t in times) for first in times)
    return found


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, Counter[Question]]:
    """The bytes of an account that was read in fair weather, and what was asked for it, how often."""
    fair = Storm(Sandbox("small", state="migrated"), 0, share=0)
    with serving(fair) as url:
        return taken(fair.sandbox, url, tmp_path_factory.mktemp("calm") / "calm"), fair.answered


@pytest.mark.sampled
@pytest.mark.parametrize("number", range(STORMS))
def test_a_storm_is_weathered_within_the_share(
    number: int, calm: tuple[bytes, Counter[Question]], tmp_path: Path
) -> None:
    """It completes, never uses more than its share of any window, and asks for nothing that was answered."""
    seed = number + int(FIRST or (random.SystemRandom().randrange(2**31) if WHOLE else 1))
    chance = random.Random(seed)
    limit = chance.randint(15, 60), chance.uniform(0.1, 0.4)
    share, workers = chance.uniform(0.3, 1), chance.choice((1, 2, 4, 8, 16))
    sandbox = Sandbox("small", state="migrated", knobs=Knobs(rate_limit=limit))
    storm = Storm(sandbox, seed, chance.uniform(0.1, 0.4))

    with serving(storm) as url:
        got = taken(sandbox, url, tmp_path / "storm", share=share, workers=workers)

    again = f"PERMMIGRATE_STORM_SEED={seed} PERMMIGRATE_STORMS=1 pytest {__file__}"
    assert sum(storm.spoilt.values()) > 0, again
    assert calm == (got, storm.answered), again
    assert max(most_at_once(sandbox, limit[1]).values()) <= max(1, int(limit[0] * share)), again
    assert {200} == {record["status"] for record in sandbox.log}, again


@pytest.mark.parametrize("limit", [(10, 0.3), (5, 0.2)])
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_the_share_is_never_exceeded(limit: tuple[int, float], share: float, tmp_path: Path) -> None:
    """With nothing but a limit, no window has more than the share, and no call is refused."""
    sandbox = Sandbox("small", knobs=Knobs(rate_limit=limit, page_size=20))

    with serving(sandbox) as url:
        timing = Timing(now=lambda: NOON)
        with Reader(
            from_environment(variables(sandbox)), api_url=url, rate_share=share, timing=timing
        ) as reader:
            reader.environments()
            list(reader.roles())
            reader.users()

    assert {200} == {record["status"] for record in sandbox.log}
    assert max(most_at_once(sandbox, limit[1]).values()) <= max(1, int(limit[0] * share))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The bytes of an account whose pages are as long as they may be."""
    sandbox = Sandbox("small")
    with serving(sandbox) as url:
        return taken(sandbox, url, tmp_path_factory.mktemp("whole") / "a", workers=4)


@pytest.mark.parametrize("workers", [1, 3, 16])
@pytest.mark.parametrize("page_size", [None, 1, 13])
def test_pages_and_concurrency_do_not_show(
    workers: int, page_size: int | None, whole: bytes, tmp_path: Path
) -> None:
    """However pages are cut and however many calls go at once, the bytes are the same."""
    cut = Sandbox("small", knobs=Knobs(page_size=page_size))
    with serving(cut) as url:
        got = taken(cut, url, tmp_path / "b", workers=workers)

    assert whole == got
