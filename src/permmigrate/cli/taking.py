"""Taking a snapshot so that it can be cut short anywhere and gone on with: signals, spool, and last words."""

from __future__ import annotations

import hashlib
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from permmigrate import __version__
from permmigrate.cli.options import now, say
from permmigrate.errors import InvalidFileError, PermmigrateError, UsageError
from permmigrate.model import LedgerEntry, ReadStatus
from permmigrate.snapshot.spool import Head, Spool, spool_path

if TYPE_CHECKING:
    from permmigrate.cloudinary.sources import Found
    from permmigrate.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Taking:
    """What the command line asked for."""

    out: Path
    shares: tuple[Path, ...]
    keep_unknown: bool
    allow_gaps: bool
    workers: int
    rate_share: float
    resume: bool
    restart: bool
    quiet: bool
    verbose: bool
    log: Path | None


def take(asked: Taking, found: Found) -> Snapshot:
    """Read the account and save it; what was answered is kept beside the file until the file is whole."""
    from permmigrate.snapshot.file import dump

    spool = _open(asked, found)
    with spool, _told_how_to_go_on(spool), _terminated_like_interrupted():
        saved = dump(_capture(asked, found, spool), asked.out)
        if asked.allow_gaps or not any(may_heal(gap) for gap in saved.gaps):
            spool.remove()
    return saved


def may_heal(gap: LedgerEntry) -> bool:
    """Whether asking again later may fill the gap: nobody answered, or the service was not able to."""
    status = gap.http_status
    return gap.status is ReadStatus.FAILED and (status is None or status in (420, 429) or status >= 500)


def _open(asked: Taking, found: Found) -> Spool:
    path = spool_path(asked.out)
    head = Head(
        account_id=found.credentials().account_id,
        api_url=found.api_url.value,
        tool_version=__version__,
        started_at=now(),
        share_lists=_digests(asked.shares),
    )
    if asked.resume and asked.restart:
        raise UsageError("`--resume` and `--restart` exclude each other")
    if asked.restart:
        Spool.discard(path)
    if not asked.resume:
        return Spool.begin(path, head)
    spool = Spool.resume(path, head)
    say(f"going on from {spool.count:,} answers, the first of {spool.head.started_at}")
    if dict(spool.head.share_lists) != dict(head.share_lists):
        say("the share lists are not those it began with: they are read as they are now")
    return spool


def _capture(asked: Taking, found: Found, spool: Spool) -> Snapshot:
    from permmigrate.cli.progress import progress_display
    from permmigrate.cli.requestlog import request_log
    from permmigrate.cloudinary.reader import Reader
    from permmigrate.snapshot.capture import capture

    with (
        progress_display(quiet=asked.quiet) as display,
        request_log(asked.log, verbose=asked.verbose, secrets=found.secrets) as sent,
        Reader(
            found.credentials(),
            api_url=found.api_url.value,
            inner=found.network(asked.workers),
            workers=asked.workers,
            rate_share=asked.rate_share,
            memory=spool,
            sent=sent,
            waiting=display.waiting,
        ) as reader,
    ):
        return capture(
            reader,
            share_lists=asked.shares,
            keep_unknown=asked.keep_unknown,
            captured_at=spool.head.started_at,
            tool_version=__version__,
            progress=display,
        )


@contextmanager
def _told_how_to_go_on(spool: Spool) -> Iterator[None]:
    """When it ends early, say what is kept and how to go on; leave nothing behind that holds nothing."""
    try:
        yield
    except (KeyboardInterrupt, PermmigrateError):
        if not spool.count:
            spool.remove()
        else:
            spool.close()
            say(f"{spool.count:,} answers are kept in {spool.path}")
            say("go on from them with the same command and --resume, or throw them away with --restart")
        raise


@contextmanager
def _terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM stop the run as Ctrl-C does, where signals can be set."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _digests(lists: Sequence[Path]) -> dict[str, str]:
    """The sha256 of each list. Raises InvalidFileError for one that cannot be read."""
    found = {}
    for path in lists:
        try:
            found[path.name] = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            raise InvalidFileError(
                f"`{path}` cannot be read: {(error.strerror or 'input/output error').lower()}"
            ) from None
    return found
