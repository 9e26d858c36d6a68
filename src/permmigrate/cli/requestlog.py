"""Requests told one by one: a JSON line each in a file, or a line each on stderr; never a secret."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from permmigrate.cli.options import say
from permmigrate.errors import UsageError

if TYPE_CHECKING:
    from permmigrate.cloudinary.session import Sent


@contextmanager
def request_log(
    path: Path | None, *, verbose: bool = False, secrets: Sequence[str] = ()
) -> Iterator[Callable[[Sent], None]]:
    """Yield what to call with each request; the file is made mode 0600, or added to. Raises UsageError."""
    if path is None:
        yield _tell if verbose else lambda _: None
        return
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        os.chmod(path, 0o600)
    except OSError as error:
        raise UsageError(f"cannot write to `{path}`: {(error.strerror or 'error').lower()}") from None
    lock = threading.Lock()
    with os.fdopen(handle, "a", encoding="utf-8") as file:

        def write(sent: Sent) -> None:
            line = json.dumps(_fields(sent), ensure_ascii=True)
            for secret in secrets:
                line = line.replace(secret, "***") if secret else line
            with lock:
                file.write(line + "\n")
                file.flush()
            if verbose:
                _tell(sent)

        yield write


def _fields(sent: Sent) -> dict[str, object]:
    return {
        "time": datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "n": sent.number,
        "endpoint": sent.endpoint,
        "path": sent.path,
        "params": dict(sent.params),
        "attempt": sent.attempt,
        "status": sent.status,
        "ms": round(sent.seconds * 1000),
        "waited_ms": round(sent.waited * 1000),
        "remaining": sent.left,
    }


def _tell(sent: Sent) -> None:
    again = f", attempt {sent.attempt}" if sent.attempt > 1 else ""
    method = sent.endpoint.partition(" ")[0]
    say(f"{method} {sent.path}: {sent.status or 'no answer'}, {sent.seconds * 1000:.0f} ms{again}")
