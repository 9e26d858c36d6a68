"""Giving memory back never gets in the way."""

from __future__ import annotations

import ctypes
import sys

import pytest

from permmigrate import memory


def test_memory_can_be_given_back_at_any_time() -> None:
    """Also twice, and after it was asked to keep large arrays apart."""
    memory.large_apart()
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
    memory.large_apart()
    memory.trim()
