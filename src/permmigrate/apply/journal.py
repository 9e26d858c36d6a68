"""The journal: every step is on disk before it is taken, and what came of it before the next one.

It writes what it is told and decides nothing. A line is durable when the call returns. No secret is given to
it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, Self

from permmigrate.apply.chain import FORMAT, GENESIS, Chain, check, encode
from permmigrate.errors import InvalidFileError, RefusedError, UsageError

Clock = Callable[[], str]
"""The moment: UTC, ISO 8601, ends in `Z`."""

_BINARY: Final = getattr(os, "O_BINARY", 0)


class Journal:
    """An open journal; make it with `begin` or `resume`."""

    def __init__(self, path: Path, handle: int, now: Clock, number: int, head: str) -> None:
        self.path = path
        self._handle = handle
        self._now = now
        self._number = number
        self.head = head
        """The hash of the last line: kept elsewhere, it proves that nothing was cut off."""

    @staticmethod
    def begin(path: Path, fields: Mapping[str, Any], now: Clock) -> Journal:
        """Make the file, mode 0600. Raises RefusedError when it is there, else InvalidFileError.

        A file that is there and empty was begun by a run that was killed before its first step.
        """
        handle = _open(path, os.O_CREAT)
        try:
            if os.fstat(handle).st_size:
                raise RefusedError(
                    f"`{path}` is there already: it tells what was done before",
                    hint=f"go on with it (--resume {path}), or give --journal another name",
                )
            journal = Journal(path, handle, now, 0, GENESIS)
            journal.write("begin", {**fields, "journal": FORMAT})
            _sync_folder(path.parent)
        except BaseException:
            os.close(handle)
            raise
        return journal

    @staticmethod
    def resume(path: Path, now: Clock) -> tuple[Journal, Chain]:
        """Open a journal to go on with it; a last line that a kill cut short is cut off, and that is told.

        Raises UsageError when there is none, InvalidFileError when it is broken, RefusedError when in use.
        """
        if not path.exists():
            raise UsageError(f"there is nothing to resume: `{path}` is not there", hint="leave out --resume")
        handle = _open(path)
        try:
            chain = check(path)
            journal = Journal(path, handle, now, chain.count, chain.head)
            if torn := chain.torn:
                os.ftruncate(handle, chain.size)
                digest = hashlib.sha256(torn).hexdigest()
                journal.write("repaired", {"bytes": len(torn), "sha256": digest})
        except BaseException:
            os.close(handle)
            raise
        return journal, chain

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, kind: str, fields: Mapping[str, Any]) -> int:
        """Add a line and make it durable; return its number. Raises InvalidFileError."""
        line, head = encode(self._number + 1, self._now(), kind, fields, self.head)
        try:
            _write(self._handle, line, self.path)
            os.fsync(self._handle)
        except OSError as error:
            raise _unusable(self.path, error) from None
        self._number, self.head = self._number + 1, head
        return self._number

    def close(self) -> None:
        """Let go of the file, which stays."""
        with contextlib.suppress(OSError):
            os.close(self._handle)


def _open(path: Path, flags: int = 0) -> int:
    """Open it to add lines, and keep others from doing the same, where the system can."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_APPEND | _BINARY | flags, 0o600)
    except OSError as error:
        raise _unusable(path, error) from None
    with contextlib.suppress(ImportError):
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            raise RefusedError(f"another run is writing to `{path}`", hint="wait for it to end") from None
    return handle


def _write(handle: int, content: bytes, path: Path) -> None:
    left = memoryview(content)
    try:
        while left:
            left = left[os.write(handle, left) :]
    except OSError as error:
        raise _unusable(path, error) from None


def _sync_folder(folder: Path) -> None:
    """Make a new name durable, where folders can be opened."""
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _unusable(path: Path, error: OSError) -> InvalidFileError:
    return InvalidFileError(
        f"the journal cannot be kept in `{path}`: {(error.strerror or 'input/output error').lower()}",
        hint="choose a folder that exists and can be written to; without a journal nothing is done",
    )
