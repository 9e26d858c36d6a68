"""One run at a time for each account on this machine: a lock file that a kill leaves behind open.

It keeps out neither other machines nor the Console; the preconditions do that.
"""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from permmigrate.errors import InvalidFileError, RefusedError


@contextmanager
def locked(folder: Path, account_id: str, holder: str) -> Iterator[None]:
    """Hold the account's lock; `holder` is told to whoever finds it held. Raises RefusedError."""
    path = folder / f"{re.sub(r'[^A-Za-z0-9_-]', '_', account_id)}.lock"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handle = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o600)
    except OSError as error:
        raise InvalidFileError(
            f"the lock `{path}` cannot be made: {(error.strerror or 'input/output error').lower()}"
        ) from None
    try:
        _take(handle, path)
        os.ftruncate(handle, 0)
        os.write(handle, f"{holder}\n".encode())
        yield
    finally:
        os.close(handle)  # the lock goes with it; the file stays, since removing it could let two in


def _take(handle: int, path: Path) -> None:
    with contextlib.suppress(ImportError):
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            who = os.read(handle, 200).decode("utf-8", "replace").strip() or "another run"
            raise RefusedError(
                f"another run is applying to this account: {who}",
                hint=f"wait for it to end; it holds `{path}`",
            ) from None
