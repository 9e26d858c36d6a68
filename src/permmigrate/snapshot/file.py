"""A snapshot as one portable file: write it whole or not at all, and read it back only when it is whole.

The file is a ZIP of JSON-lines tables and a `manifest.json` with the sha256 of each; the same snapshot gives
the same bytes. A digest tells a changed file from the one that was written; it is no signature.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Sized
from pathlib import Path
from typing import IO, Any, Final

from permmigrate.catalog import Catalog
from permmigrate.errors import InvalidFileError
from permmigrate.memory import large_apart, stay, trim, uncollected
from permmigrate.snapshot import rows
from permmigrate.snapshot.archive import CATALOG, MANIFEST, SCHEMA, Archive, canonical, manifest_digest
from permmigrate.snapshot.sharelines import lines_of
from permmigrate.snapshot.value import SCHEMA_VERSION, Snapshot

_BATCH: Final = 1 << 20
_LEVEL: Final = 6
_MANY: Final = 1 << 18
"""Shares of an account that is worth a word about who keeps it."""


def dump(snapshot: Snapshot, path: Path) -> Snapshot:
    """Write the snapshot, mode 0600, and return it with its digest. Raises InvalidFileError.

    The file appears under its name only once it is complete and on the disk.
    """
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            digest = _write(snapshot, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
        _sync_folder(path.parent)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise
    return dataclasses.replace(snapshot, digest=digest)


def load(path: Path) -> Snapshot:
    """Read a snapshot after checking every member. Raises InvalidFileError that says what is wrong where."""
    large_apart()
    try:
        with uncollected(), Archive(path) as archive:
            manifest = archive.manifest
            catalog = _catalog(archive)
            tables: dict[str, Any] = {
                table.name: archive.table(table) for table in rows.TABLES if table is not rows.SHARES
            }
            shares = archive.shares()
            if len(shares) >= _MANY:
                stay()
    finally:
        rows.forget()
        trim()
    return Snapshot(
        account_id=manifest["account_id"],
        captured_at=manifest["captured_at"],
        tool_version=manifest["tool_version"],
        api_url=manifest["api_url"],
        catalog=catalog,
        shares=shares,
        digest=manifest["digest"],
        **tables,
    )


def _write(snapshot: Snapshot, file: IO[bytes]) -> str:
    members: dict[str, dict[str, Any]] = {}
    with zipfile.ZipFile(file, "w", allowZip64=True) as archive:
        for table in rows.TABLES:
            values, lines = _lines(snapshot, table)
            name = f"{table.name}.jsonl"
            members[name] = {"rows": len(values), "sha256": _member(archive, name, lines)}
        for name, content in (
            (CATALOG, _catalog_content(snapshot.catalog)),
            (SCHEMA, snapshot.catalog.schema),
        ):
            members[name] = {"rows": 1, "sha256": _member(archive, name, [canonical(content) + b"\n"])}
        manifest: dict[str, Any] = {
            "schema": SCHEMA_VERSION,
            "account_id": snapshot.account_id,
            "captured_at": snapshot.captured_at,
            "tool_version": snapshot.tool_version,
            "api_url": snapshot.api_url,
            "members": members,
        }
        manifest["digest"] = manifest_digest(manifest)
        text = json.dumps(manifest, sort_keys=True, indent=2) + "\n"
        _member(archive, MANIFEST, [text.encode("ascii")])
    return str(manifest["digest"])


def _lines(snapshot: Snapshot, table: rows.Table) -> tuple[Sized, Iterator[bytes]]:
    """The values of a table, and their lines."""
    if table is rows.SHARES:
        return snapshot.share_columns, lines_of(snapshot.share_columns)
    values = getattr(snapshot, table.name)
    return values, (canonical(table.encode(value)) + b"\n" for value in values)


def _member(archive: zipfile.ZipFile, name: str, parts: Iterable[bytes]) -> str:
    """Write one member with nothing of the clock or the machine in it; return its sha256."""
    info = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    info._compresslevel = _LEVEL  # type: ignore[attr-defined] # ZipFile's own default would win otherwise
    info.create_system = 3
    info.external_attr = 0o600 << 16
    digest = hashlib.sha256()
    with archive.open(info, "w", force_zip64=True) as member:
        for block in _blocks(parts):
            digest.update(block)
            member.write(block)
    return digest.hexdigest()


def _blocks(parts: Iterable[bytes]) -> Iterator[bytes]:
    held: list[bytes] = []
    size = 0
    for part in parts:
        held.append(part)
        size += len(part)
        if size >= _BATCH:
            yield b"".join(held)
            held, size = [], 0
    yield b"".join(held)


def _catalog_content(catalog: Catalog) -> dict[str, Any]:
    return {
        "source": catalog.source,
        "policies": [rows.POLICIES.encode(policy) for policy in catalog.policies.values()],
        "roles": [rows.ROLES.encode(role) for role in catalog.roles.values()],
    }


def _catalog(archive: Archive) -> Catalog:
    content, schema = archive.document(CATALOG), archive.document(SCHEMA)
    if (
        not isinstance(content, dict)
        or not isinstance(schema, dict)
        or not isinstance(content.get("source"), str)
    ):
        raise archive.broken(f"`{CATALOG}` or `{SCHEMA}` is not what it should be")
    policies = archive.rows_of(rows.POLICIES, content.get("policies"), CATALOG)
    roles = archive.rows_of(rows.ROLES, content.get("roles"), CATALOG)
    return Catalog.of(policies, roles, schema, content["source"])


def _sync_folder(folder: Path) -> None:
    """Make the rename itself durable, where the system lets folders be synced."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _unwritable(path: Path, error: OSError) -> InvalidFileError:
    return InvalidFileError(
        f"the snapshot cannot be written to `{path}`: {(error.strerror or 'input/output error').lower()}",
        hint="choose a folder that exists and can be written to",
    )
