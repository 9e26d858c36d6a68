"""What a power cut can leave of a spool, and that a run goes on from each of it to the same bytes."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from permmigrate.cloudinary.credentials import from_environment
from permmigrate.cloudinary.reader import Reader
from permmigrate.cloudinary.session import Timing
from permmigrate.sandbox import Sandbox
from permmigrate.snapshot.capture import capture
from permmigrate.snapshot.file import dump
from permmigrate.snapshot.spool import Head, Spool
from sandbox_variables import variables

API = "http://localhost"
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


class Account:
    """An account that is read with a spool, once to its end; `spool` is all that was written down for it."""

    def __init__(self, folder: Path) -> None:
        self.sandbox = Sandbox("small", state="migrated")
        self.head = Head(self.sandbox.account_id, API, "0", "")
        self._runs = itertools.count()
        self._folder = folder
        where = folder / "whole"
        Spool.begin(where, self.head).close()
        self.expected, self.needed = self.read(where)
        self.spool = where.read_bytes()
        self.ends = [place + 1 for place, byte in enumerate(self.spool) if byte == 10]

    def read(self, spool: Path) -> tuple[bytes, int]:
        """The snapshot's bytes, going on from a spool, and how many calls that took."""
        out = self._folder / f"{next(self._runs)}.snapshot"
        with (
            Spool.resume(spool, self.head) as memory,
            Reader(
                from_environment(variables(self.sandbox)),
                api_url=API,
                inner=httpx.WSGITransport(app=self.sandbox.wsgi),
                timing=Timing(sleep=lambda _: None, now=lambda: NOON),
                memory=memory,
            ) as reader,
        ):
            dump(capture(reader, captured_at="2026-11-22T12:00:00Z", tool_version="0"), out)
            return out.read_bytes(), reader.calls

    def left(self, content: bytes) -> tuple[bytes, int]:
        """The same, when this is what the disk has of the spool."""
        where = self._folder / f"{next(self._runs)}.spool"
        where.write_bytes(content)
        return self.read(where)


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Account:
    return Account(tmp_path_factory.mktemp("power"))


def test_a_whole_spool_asks_nothing(account: Account) -> None:
    """Every call was written down: with all of them there is nothing left to ask."""
    assert len(account.ends) - 1 == account.needed
    assert (account.expected, 0) == account.left(account.spool)


@settings(deadline=None, max_examples=8)
@given(st.data())
def test_every_prefix_ends_in_the_same_bytes(account: Account, data: st.DataObject) -> None:
    """Cut at any byte, the end lost or filled with nothing: only what was lost is asked again."""
    cut = data.draw(st.integers(account.ends[0], len(account.spool)))
    filled = data.draw(st.sampled_from((0, 1, 4096, len(account.spool) - cut)))
    whole = sum(end <= cut for end in account.ends) - 1

    got, asked = account.left(account.spool[:cut] + bytes(filled))

    assert (account.expected, account.needed - whole) == (got, asked)


@settings(deadline=None, max_examples=5)
@given(st.data())
def test_a_hole_in_the_middle_is_not_read_over(account: Account, data: st.DataObject) -> None:
    """A block that never reached the disk, with later ones there: what follows it is asked again too."""
    start = data.draw(st.integers(account.ends[0], len(account.spool) - 1))
    size = data.draw(st.integers(1, 4096))
    content = (
        account.spool[:start] + bytes(min(size, len(account.spool) - start)) + account.spool[start + size :]
    )
    whole = sum(end <= start for end in account.ends) - 1

    got, asked = account.left(content)

    assert (account.expected, account.needed - whole) == (got, asked)
