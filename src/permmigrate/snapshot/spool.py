"""Answers on disk while a snapshot is taken, so that a run that was cut short can go on from them.

It keeps what it is given and looks into none of it: secrets are removed before. A record is safe from a kill
at once and from a power cut within half a second; a record that was cut in two is dropped.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import threading
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from permmigrate.errors import InvalidFileError, RefusedError, UsageError
from permmigrate.snapshot import jsontext
from permmigrate.snapshot.archive import canonical

FORMAT: Final = 1
SYNC_SECONDS: Final = 0.5

Question = Sequence[Any]
"""What was asked: anything that JSON can hold, equal when the questions are."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that will not be asked for again."""

    status: int
    body: Any
    at: str
    """When it came: UTC, ISO 8601, ends in `Z`."""


@dataclass(frozen=True, slots=True)
class Head:
    """What a spool was begun for."""

    account_id: str
    api_url: str
    tool_version: str
    started_at: str
    share_lists: Mapping[str, str] = field(default_factory=dict)
    """The sha256 of each share list by its name."""


class Spool:
    """An open spool; make it with `begin` or `resume`. Safe to use from several threads."""

    def __init__(self, path: Path, handle: int, head: Head, index: dict[bytes, tuple[int, int]]) -> None:
        self.path = path
        self.head = head
        self._handle = handle
        self._index = index
        self._end = os.fstat(handle).st_size
        self._lock = threading.Lock()
        self._dirty = False
        self._closed = threading.Event()
        self._syncing = threading.Thread(target=self._sync, name="permmigrate-spool", daemon=True)
        self._syncing.start()

    @staticmethod
    def begin(path: Path, head: Head) -> Spool:
        """Make the file, mode 0600. Raises RefusedError when it is there, else InvalidFileError.

        It has its beginning before it has its name, so that none is ever without.
        """
        try:
            handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
        except OSError as error:
            raise _unusable(path, error) from None
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_line({"spool": FORMAT, **asdict(head)}))
                file.flush()
                os.fsync(file.fileno())
            _name(name, path)
        except FileExistsError:
            raise RefusedError(
                f"`{path}` is left from a run that was cut short",
                hint="go on from it with --resume, or throw it away with --restart",
            ) from None
        except OSError as error:
            raise _unusable(path, error) from None
        finally:
            Path(name).unlink(missing_ok=True)
        return Spool.resume(path, head)

    @staticmethod
    def resume(path: Path, head: Head) -> Spool:
        """Open what an earlier run left, to go on with it.

        Raises UsageError when there is nothing, RefusedError when it is of another account, address or
        version, or in use; the share lists may have changed.
        """
        try:
            handle = os.open(path, os.O_RDWR | os.O_APPEND | getattr(os, "O_BINARY", 0))
        except FileNotFoundError:
            raise UsageError(
                f"there is nothing to resume: `{path}` is not there", hint="leave out --resume"
            ) from None
        except OSError as error:
            raise _unusable(path, error) from None
        try:
            _lock(handle, path)
            found, index, end = _read(handle, path)
            _check(found, head, path)
            os.ftruncate(handle, end)
        except BaseException:
            os.close(handle)
            raise
        return Spool(path, handle, found, index)

    @staticmethod
    def discard(path: Path) -> None:
        """Throw away what an earlier run left, if anything. Raises RefusedError while it is in use."""
        try:
            handle = os.open(path, os.O_RDWR)
        except FileNotFoundError:
            return
        except OSError as error:
            raise _unusable(path, error) from None
        try:
            _lock(handle, path)
        finally:
            os.close(handle)
        path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def count(self) -> int:
        """How many answers there are."""
        return len(self._index)

    def find(self, question: Question) -> Kept | None:
        """The answer to a question that was asked before."""
        place = self._index.get(canonical(question))
        if place is None:
            return None
        with self._lock:
            os.lseek(self._handle, place[0], os.SEEK_SET)
            fields = jsontext.read(_exactly(self._handle, place[1])[9:])
        return Kept(fields["status"], fields["body"], fields["at"])

    def keep(self, question: Question, kept: Kept) -> None:
        """Write an answer down. Raises InvalidFileError when the disk does not take it."""
        line = _line({"asked": question, "status": kept.status, "at": kept.at, "body": kept.body})
        with self._lock:
            _write(self._handle, line, self.path)
            self._index[canonical(question)] = (self._end, len(line))
            self._end += len(line)
            self._dirty = True

    def close(self) -> None:
        """Make everything durable and let go of the file, which stays."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._syncing.join()
        os.fsync(self._handle)
        os.close(self._handle)

    def remove(self) -> None:
        """Close it and delete the file: the snapshot is safe."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _sync(self) -> None:
        while not self._closed.wait(SYNC_SECONDS):
            with self._lock:
                dirty, self._dirty = self._dirty, False
            if dirty:
                os.fsync(self._handle)


def spool_path(out: Path) -> Path:
    """Where the answers for a snapshot are kept while it is taken."""
    return out.with_name(out.name + ".spool")


def _line(fields: Mapping[str, Any]) -> bytes:
    """A record: its own checksum, a space, its JSON and a line's end."""
    content = jsontext.write(fields)
    return b"%08x %s\n" % (zlib.crc32(content), content)


def _content(line: bytes) -> Any:
    """A record's JSON; ValueError when it is not whole."""
    if not line.endswith(b"\n") or line[8:9] != b" " or int(line[:8], 16) != zlib.crc32(line[9:-1]):
        raise ValueError("not whole")
    return jsontext.read(line[9:])


def _read(handle: int, path: Path) -> tuple[Head, dict[bytes, tuple[int, int]], int]:
    """The head, where each answer is, and where what is whole ends."""
    index: dict[bytes, tuple[int, int]] = {}
    with os.fdopen(os.dup(handle), "rb") as file:
        file.seek(0)
        try:
            first = _content(file.readline())
            version = first.pop("spool")
            head = Head(**first)
        except (ValueError, KeyError, TypeError, AttributeError):
            raise InvalidFileError(
                f"`{path}` is not what an earlier run left, or its beginning is broken",
                hint="throw it away with --restart",
            ) from None
        if version != FORMAT:
            raise RefusedError(
                f"`{path}` was left by another version of permmigrate", hint="begin again with --restart"
            )
        end = file.tell()
        for line in file:
            try:
                index[canonical(_content(line)["asked"])] = (end, len(line))
            except (ValueError, KeyError, TypeError):
                break
            end += len(line)
    return head, index, end


def _check(found: Head, wanted: Head, path: Path) -> None:
    for what, there, here in (
        ("account", found.account_id, wanted.account_id),
        ("address", found.api_url, wanted.api_url),
        ("version of permmigrate", found.tool_version, wanted.tool_version),
    ):
        if there != here:
            raise RefusedError(
                f"`{path}` is of another {what}: `{there}`, and this run is for `{here}`",
                hint="give --out another name, or throw the old run away with --restart",
            )


def _write(handle: int, content: bytes, path: Path) -> None:
    left = memoryview(content)
    try:
        while left:
            left = left[os.write(handle, left) :]
    except OSError as error:
        raise _unusable(path, error) from None


def _exactly(handle: int, size: int) -> bytes:
    """So many bytes from where the file stands; fewer only at its end."""
    parts: list[bytes] = []
    while size and (part := os.read(handle, size)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def _name(made: str, path: Path) -> None:
    """Give a file its name if nothing else has it. Raises FileExistsError."""
    try:
        os.link(made, path)
    except FileExistsError:
        raise
    except OSError:  # a file system without links
        if path.exists():
            raise FileExistsError(path) from None
        os.rename(made, path)


def _lock(handle: int, path: Path) -> None:
    """Keep a second run off the file, where the system can."""
    with contextlib.suppress(ImportError):
        import fcntl

        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise RefusedError(
                f"another run is writing to `{path}`", hint="wait for it, or give --out another name"
            ) from None


def _unusable(path: Path, error: OSError) -> InvalidFileError:
    return InvalidFileError(
        f"the answers cannot be kept in `{path}`: {(error.strerror or 'input/output error').lower()}",
        hint="choose a folder that exists and can be written to",
    )
