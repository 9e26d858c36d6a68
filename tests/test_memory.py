"""Giving memory back never gets in the way."""

from __future__ import annotations

import ctypes
import gc
import sys
from pathlib import Path

import pytest

from builders import a_user, share, snapshot
from permmigrate import memory
from permmigrate.snapshot import file


def test_memory_can_be_given_back_at_any_time() -> None:
    """Also twice, and after it was asked to keep large arrays apart."""
    memory.large_apart()
    memory.trim()
    with memory.large_again():
        memory.trim()
    memory.trim()


@pytest.mark.parametrize(("platform", "library"), [("darwin", None), ("linux", object())])
def test_nothing_is_done_where_there_is_no_glibc(
    platform: str, library: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither on other systems nor with another C library, which has no such functions."""

    def opened(_: object) -> object:
        assert library is not None, "no library is opened here"
        return library

    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(ctypes, "CDLL", opened)
    with memory.large_again():
        memory.large_apart()
    memory.trim()


def test_large_blocks_lie_apart_again_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kept blocks would stay with the process, and a large account has no room for them."""
    told: list[tuple[object, ...]] = []
    monkeypatch.setattr(memory, "_called", lambda *what: told.append(what))
    memory.large_apart()
    memory.trim()
    apart, told[:] = list(told), []

    def broken() -> None:
        with memory.large_again():
            assert told
            told.clear()
            raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        broken()
    assert apart == told


@pytest.mark.parametrize("enabled", [True, False])
def test_rubbish_is_looked_for_again_as_it_was_before(enabled: bool) -> None:
    """Also after an error, and not where nobody looked for it to begin with."""

    def broken() -> None:
        with memory.uncollected():
            assert not gc.isenabled()
            raise ValueError("broken")

    was = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with pytest.raises(ValueError, match="broken"):
            broken()
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was else gc.disable)()


@pytest.mark.parametrize("many", [1, 2])
def test_only_a_large_account_is_never_looked_through_again(
    many: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stays as long as the process; a small one costs nothing to look through."""
    monkeypatch.setattr(file, "_MANY", many)
    path = tmp_path / "account.snapshot"
    file.dump(snapshot(shares=(share("A", a_user("u1")),)), path)
    gc.unfreeze()
    file.load(path)
    held = gc.get_freeze_count()
    gc.unfreeze()

    assert (held > 0) is (many == 1)
