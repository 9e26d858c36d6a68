"""Two things at once: both are told whole, whatever becomes of the copy that does one of them."""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
from collections.abc import Iterator
from types import SimpleNamespace

import numpy as np
import pytest

from permmigrate import beside
from permmigrate.beside import at_once

HERE = os.getpid()


@pytest.fixture(autouse=True)
def _two_processors(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1}, raising=False)
    yield
    assert not multiprocessing.active_children()


def test_both_are_told_whole() -> None:
    """Pieces come in order, large arrays among them; where copies can be made, one made them."""
    numbers = np.arange(1 << 18)

    def there() -> Iterator[object]:
        yield os.getpid()
        yield numbers[::2].copy()
        yield ["last"]

    here, (who, found, last) = at_once(os.getpid, there)
    assert here == HERE
    assert isinstance(found, np.ndarray)
    assert (who == HERE) is (beside.sys.platform != "linux")
    assert found.tolist() == numbers[::2].tolist()
    assert last == ["last"]


@pytest.mark.parametrize("pieces", [0, 1])
def test_what_a_killed_copy_did_not_tell_is_done_here(pieces: int) -> None:
    """Also when it had told a part of it."""

    def there() -> Iterator[int]:
        for number in range(3):
            if number == pieces and os.getpid() != HERE:
                os.kill(os.getpid(), signal.SIGKILL)
            yield number

    assert at_once(lambda: "here", there) == ("here", [0, 1, 2])


def test_what_is_wrong_there_is_raised_here(capfd: pytest.CaptureFixture[str]) -> None:
    """As if it had been done here; the copy itself says nothing."""

    def there() -> Iterator[int]:
        yield 1
        raise LookupError("gone")

    with pytest.raises(LookupError, match="gone"):
        at_once(lambda: None, there)
    assert capfd.readouterr() == ("", "")


def test_a_copy_does_not_outlive_an_interruption() -> None:
    """However long it would have taken."""

    def here() -> None:
        raise KeyboardInterrupt

    def there() -> Iterator[int]:
        signal.pause()
        yield 1

    with pytest.raises(KeyboardInterrupt):
        at_once(here, there)


def _no_room(*_: object) -> None:
    raise OSError(errno.EAGAIN, "no room")


@pytest.mark.parametrize(
    ("owner", "name", "value"),
    [
        (beside.sys, "platform", "darwin"),
        (os, "sched_getaffinity", lambda _: {0}),
        (os, "fork", _no_room),
        (multiprocessing, "current_process", lambda: SimpleNamespace(daemon=True)),
    ],
    ids=["platform", "processors", "room", "daemon"],
)
def test_one_comes_after_the_other_where_that_must_be(
    owner: object, name: str, value: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On another system, with one processor, with no room for a process, or in one that may have no other."""
    monkeypatch.setattr(owner, name, value, raising=False)
    done = []

    def there() -> Iterator[int]:
        done.append("there")
        yield os.getpid()

    assert at_once(lambda: done.append("here"), there) == (None, [HERE])
    assert done == ["here", "there"]
