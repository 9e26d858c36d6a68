"""The inside of a snapshot's file as it is read: members, their checks, and words for what is broken.

Integrity comes first: nothing is believed before every member's sha256 is what the manifest says. Members are
unpacked once, a little ahead of being read; what is wrong with a row is said when all are known to be whole.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
import zlib
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import Any, Final, Self

import orjson

from permmigrate.errors import InvalidFileError, Problem
from permmigrate.snapshot import rows
from permmigrate.snapshot.ahead import ahead
from permmigrate.snapshot.sharelines import LineReader
from permmigrate.snapshot.shares import Gathered, Shares
from permmigrate.snapshot.value import SCHEMA_VERSION

MANIFEST: Final = "manifest.json"
CATALOG: Final = "catalog.json"
SCHEMA: Final = "cedar_schema.json"
MEMBERS: Final = frozenset({f"{table.name}.jsonl" for table in rows.TABLES} | {CATALOG, SCHEMA})

_TABLES: Final = {f"{table.name}.jsonl": table for table in rows.TABLES if table is not rows.SHARES}
_SHARES: Final = f"{rows.SHARES.name}.jsonl"
_CHUNK: Final = 1 << 20
_AHEAD: Final = 1
"""Blocks that wait to be read, or are made, while one is read."""
_MANIFEST_LIMIT: Final = 1 << 20
_UNREADABLE: Final = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)
_MANIFEST_TEXTS: Final = ("account_id", "captured_at", "tool_version", "api_url", "digest")
_REMEDY: Final = "take the snapshot again, or copy the file again from where it was made"


def canonical(value: Any) -> bytes:
    """The one way a value is written as JSON here: sorted keys, no spaces, ASCII."""
    return _encode(value).encode("ascii")


_encode: Final[Callable[[Any], str]] = json.JSONEncoder(sort_keys=True, separators=(",", ":")).encode


def manifest_digest(manifest: dict[str, Any]) -> str:
    """The sha256 of everything the manifest says but the digest itself."""
    return hashlib.sha256(canonical({k: v for k, v in manifest.items() if k != "digest"})).hexdigest()


class Archive:
    """An open snapshot file whose members are all known to be what the manifest says."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._zip = zipfile.ZipFile(path)
        except OSError as error:
            raise InvalidFileError(
                f"`{path}` cannot be read: {(error.strerror or 'input/output error').lower()}"
            ) from None
        except _UNREADABLE:
            raise InvalidFileError(
                f"`{path}` is not a snapshot, or its end is missing",
                hint="a snapshot is made by `permmigrate snapshot`",
            ) from None
        try:
            self.manifest = self._manifest()
            self._shares: Gathered | None = None
            self._tables: dict[str, tuple[Any, ...] | None] = {}
            self._check()
        except BaseException:
            self._zip.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def broken(self, message: str, hint: str = _REMEDY) -> InvalidFileError:
        """The error for this file; the caller raises it."""
        problem = Problem(str(self._path), 0, message, hint)
        return InvalidFileError(
            f"the snapshot `{self._path}` is broken: {message}", hint=hint, problems=(problem,)
        )

    def document(self, name: str) -> Any:
        """Parse a member that is one JSON value."""
        try:
            return json.loads(b"".join(self._chunks(name)))
        except (ValueError, RecursionError):
            raise self.broken(f"`{name}` is not JSON") from None

    def table(self, table: rows.Table) -> tuple[Any, ...]:
        """Read a member row by row into values."""
        name = f"{table.name}.jsonl"
        values = self._tables.pop(name, None)
        if values is None:
            found: list[Any] = []
            for block in self._blocks(name):
                found.extend(self._values(table, block, len(found)))
            values = tuple(found)
        self._count(name, len(values))
        return values

    def shares(self) -> Shares:
        """The shares as columns: read many at a time, and row by row only where a row has another form."""
        found = self._shares
        if found is None:
            found = Gathered()
            reader = LineReader(found)
            for lines in self._blocks(_SHARES):
                if not reader.read(lines):
                    self._gather_rows(lines, found)
        self._count(_SHARES, len(found))
        return found.finished()

    def _gather_rows(self, lines: bytes, found: Gathered) -> None:
        before = len(found)
        items = self._parse(rows.SHARES, lines, before)
        for share in self.rows_of(rows.SHARES, items, _SHARES, before):
            found.add(share.content, share.principal, share.level, share.source)

    def _count(self, name: str, found: int) -> None:
        declared = self.manifest["members"][name]["rows"]
        if found != declared:
            raise self.broken(f"`{name}` has {found} rows, and the manifest says {declared}")

    def rows_of(self, table: rows.Table, items: Any, name: str, before: int = 0) -> list[Any]:
        """Turn parsed rows into values; the error names the row by its number in the member."""
        if not isinstance(items, list):
            raise self.broken(f"`{name}` has no list of {table.name}")
        found = table.read_all(items)
        if found is not None:
            return found
        found = []
        try:
            found.extend(table.read(item) for item in items)
        except rows.RowError as error:
            raise self.broken(f"row {before + len(found) + 1} of `{name}` {error}") from None
        return found

    def _parse(self, table: rows.Table, block: bytes, before: int) -> list[Any]:
        """Parse whole lines in one go, and one by one only to find the line that is wrong."""
        try:
            items = (json if table.counts else orjson).loads(b"[%b]" % block[:-1].replace(b"\n", b","))
            if len(items) == block.count(b"\n"):
                return list(items)
        except (ValueError, RecursionError):  # also for a half of a character, which `json` alone lets pass
            pass
        lines = block.split(b"\n")[:-1]
        for number, line in enumerate(lines, before + 1):
            try:
                json.loads(line)
            except (ValueError, RecursionError):
                raise self.broken(f"row {number} of `{table.name}.jsonl` is not JSON") from None
        return [json.loads(line) for line in lines]

    def _values(self, table: rows.Table, block: bytes, before: int) -> list[Any]:
        name = f"{table.name}.jsonl"
        self._ended(name, block)
        return self.rows_of(table, self._parse(table, block, before), name, before)

    def _blocks(self, name: str) -> Iterator[bytes]:
        """The member in blocks of whole lines."""
        for block in _whole_lines(self._chunks(name)):
            self._ended(name, block)
            yield block

    def _ended(self, name: str, block: bytes) -> None:
        if not block.endswith(b"\n"):
            raise self.broken(f"`{name}` does not end with a line's end")

    def _chunks(self, name: str) -> Iterator[bytes]:
        try:
            with self._zip.open(name) as member:
                while chunk := member.read(_CHUNK):
                    yield chunk
        except _UNREADABLE:
            raise self.broken(f"`{name}` cannot be unpacked") from None

    def _manifest(self) -> dict[str, Any]:
        names = self._zip.namelist()
        if MANIFEST not in names:
            raise self.broken(f"it has no `{MANIFEST}`", "it may be another kind of ZIP file")
        if self._zip.getinfo(MANIFEST).file_size > _MANIFEST_LIMIT:
            raise self.broken(f"`{MANIFEST}` is too large to be one")
        manifest = self.document(MANIFEST)
        schema = manifest.get("schema") if isinstance(manifest, dict) else None
        if not isinstance(manifest, dict) or type(schema) is not int:
            raise self.broken(f"`{MANIFEST}` has no schema number", "it may be another kind of ZIP file")
        if schema > SCHEMA_VERSION:
            raise self.broken(
                f"it has schema {schema}, and this version reads up to {SCHEMA_VERSION}",
                "use a newer version of permmigrate",
            )
        for name in _MANIFEST_TEXTS:
            if not isinstance(manifest.get(name), str):
                raise self.broken(f"`{MANIFEST}` lacks `{name}`")
        members = manifest.get("members")
        if not isinstance(members, dict) or not all(_is_entry(entry) for entry in members.values()):
            raise self.broken(f"`{MANIFEST}` has no list of members")
        if manifest_digest(manifest) != manifest["digest"]:
            raise self.broken(f"`{MANIFEST}` was changed after it was written: its digest does not fit")
        return manifest

    def _check(self) -> None:
        """Check all members, and keep what can be read of them on the way."""
        names = self._zip.namelist()
        expected = {MANIFEST, *self.manifest["members"]} | MEMBERS
        for name in sorted(expected):
            if name not in names or (name != MANIFEST and name not in self.manifest["members"]):
                raise self.broken(f"member `{name}` is missing")
        if len(names) != len(expected) or self.manifest["members"].keys() != MEMBERS:
            known = MEMBERS | {MANIFEST}
            extra = sorted(name for name in names if name not in known or names.count(name) > 1)
            raise self.broken(f"member `{extra[0]}` does not belong into a snapshot")
        with closing(ahead(self._sealed(), _AHEAD)) as blocks:
            for name, found in groupby(blocks, key=itemgetter(0)):
                self._look(name, (block for _, block in found))

    def _look(self, name: str, blocks: Iterator[bytes]) -> None:
        """Read a member while it is checked, and keep what it is if it is what it should be."""
        if name == _SHARES:
            self._shares = self._shares_of(blocks)
        elif table := _TABLES.get(name):
            self._tables[name] = self._rows_of(table, blocks)

    def _rows_of(self, table: rows.Table, blocks: Iterator[bytes]) -> tuple[Any, ...] | None:
        """The values of a table; None when something is wrong with a row."""
        found: list[Any] = []
        for block in blocks:
            try:
                found.extend(self._values(table, block, len(found)))
            except InvalidFileError:
                return None
        return tuple(found)

    def _shares_of(self, blocks: Iterator[bytes]) -> Gathered | None:
        """The shares; None when some are not for the reader of lines."""
        found = Gathered()
        reader = LineReader(found)
        regular = True
        for block in blocks:
            self._ended(_SHARES, block)
            regular = regular and reader.read(block)
        return found if regular else None

    def _sealed(self) -> Generator[tuple[str, bytes]]:
        """All members in blocks of whole lines, each with its member's name."""
        for name in sorted(MEMBERS):
            for block in _whole_lines(self._checked(name)):
                yield name, block

    def _checked(self, name: str) -> Iterator[bytes]:
        """A member's content; after the end it is an error if the digest does not fit."""
        digest = hashlib.sha256()
        for chunk in self._chunks(name):
            digest.update(chunk)
            yield chunk
        if digest.hexdigest() != self.manifest["members"][name]["sha256"]:
            raise self.broken(f"member `{name}` was changed after it was written: its sha256 does not fit")


def _whole_lines(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """The chunks as blocks of whole lines; the last may lack its line's end."""
    rest = b""
    for chunk in chunks:
        end = chunk.rfind(b"\n") + 1
        if end:
            yield b"".join((rest, memoryview(chunk)[:end]))
            rest = chunk[end:]
        else:
            rest += chunk
    if rest:
        yield rest


def _is_entry(entry: Any) -> bool:
    return isinstance(entry, dict) and type(entry.get("rows")) is int and isinstance(entry.get("sha256"), str)
