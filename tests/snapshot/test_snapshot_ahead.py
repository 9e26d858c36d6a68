"""Work done ahead: in order, bounded, and gone when nobody wants more."""

from __future__ import annotations

import threading
import time
from collections.abc import Generator
from contextlib import closing

import pytest

from permmigrate.snapshot.ahead import ahead


def numbers(made: list[int], end: int = 100, wrong: int = -1) -> Generator[int]:
    try:
        for number in range(1, end + 1):
            if number == wrong:
                raise LookupError(number)
            made.append(number)
            yield number
    finally:
        made.append(0)


def threads() -> list[str]:
    return [one.name for one in threading.enumerate() if one.name.startswith("permmigrate-ahead")]


@pytest.mark.parametrize("waiting", [1, 2, 200])
def test_items_come_as_they_are_made(waiting: int) -> None:
    """All items come, in their order, however many may wait."""
    made: list[int] = []

    assert list(range(1, 101)) == list(ahead(numbers(made), waiting))
    assert [0] == made[100:]
    assert not threads()


def test_an_error_comes_after_what_was_made_before() -> None:
    """What was made before the error is taken first, and nothing is made after it."""
    made: list[int] = []
    found: list[int] = []

    with pytest.raises(LookupError, match="3"):
        found.extend(ahead(numbers(made, wrong=3), 8))

    assert [1, 2, 0] == made
    assert not threads()


def test_no_more_is_made_than_may_wait() -> None:
    """A slow reader does not find all of a file in memory, and what is left is let go."""
    made: list[int] = []

    with closing(ahead(numbers(made), 3)) as items:
        assert [1, 2] == [next(items), next(items)]
        assert set(made) <= {1, 2, 3, 4, 5}

    assert 0 == made[-1]
    assert len(made) <= 6
    assert not threads()


def test_an_interruption_leaves_no_thread() -> None:
    """Whoever is interrupted between two items, or gives up, is rid of the thread."""
    made: list[int] = []

    def read() -> None:
        with closing(ahead(numbers(made), 2)) as items:
            for _ in items:
                raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        read()

    assert 0 == made[-1]
    assert not threads()


def test_what_waits_to_be_made_is_not_made_for_nobody() -> None:
    """Whoever stops early does not wait for more than the one item that is being made."""
    made: list[int] = []

    def slow() -> Generator[int]:
        for number in numbers(made):
            time.sleep(0.002)
            yield number

    with closing(ahead(slow(), 100)) as items:
        next(items)

    assert len(made) < 50


def test_one_that_is_never_read_starts_nothing() -> None:
    """Nothing is made before the first is asked for."""
    made: list[int] = []

    ahead(numbers(made), 2).close()

    assert ([], []) == (made, threads())
