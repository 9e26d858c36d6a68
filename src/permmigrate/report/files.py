"""Write a report whole or not at all: a temporary name, fsync, rename. Mode 0600: reports name people."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path

from permmigrate.errors import UsageError


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text with line feeds as they are; raises `UsageError` when the place cannot be written."""
    write_bytes(path, text.encode("utf-8"))


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes; raises `UsageError` when the place cannot be written."""
    write_with(path, lambda place: _put(place, content))


def write_with(path: Path, produce: Callable[[Path], None]) -> None:
    """Let `produce` fill a temporary file beside `path`, then move it there; on failure leave nothing."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{path.name[:80]}.", suffix=".part", dir=path.parent)
    except OSError as error:
        raise UsageError(
            f"cannot write `{path}`: {error.strerror or error}", hint="choose a folder you may write to"
        ) from error
    os.close(handle)
    place = Path(name)
    try:
        produce(place)
        _sync(place)
        place.chmod(0o600)
        place.replace(path)
    except OSError as error:
        raise UsageError(
            f"cannot write `{path}`: {error.strerror or error}",
            hint="free some space or choose another folder",
        ) from error
    finally:
        place.unlink(missing_ok=True)


def _put(place: Path, content: bytes) -> None:
    place.write_bytes(content)


def _sync(place: Path) -> None:
    with place.open("rb") as stream:
        os.fsync(stream.fileno())
