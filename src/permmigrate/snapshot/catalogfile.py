"""A catalog by itself as one small file, and the catalog of whatever file a person has: that, or a snapshot.

The file is canonical JSON with a digest, one role or policy a line, fit for version control; the same catalog
gives the same bytes but for the time it was pulled. It holds nothing about an account.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from permmigrate.catalog import Catalog
from permmigrate.errors import InvalidFileError, Problem
from permmigrate.snapshot import rows
from permmigrate.snapshot.archive import canonical
from permmigrate.snapshot.file import load
from permmigrate.snapshot.value import Snapshot

KIND: Final = "permmigrate catalog"
CATALOG_SCHEMA: Final = 1

_TEXTS: Final = ("kind", "source", "pulled_at", "tool_version", "digest")
_FIELDS: Final = frozenset((*_TEXTS, "schema", "roles", "policies", "cedar_schema"))
_REMEDY: Final = "pull it again with `permmigrate catalog pull`"
_LIMIT: Final = 1 << 28


@dataclass(frozen=True)
class CatalogFile:
    """A catalog, and where it came from."""

    catalog: Catalog
    taken_at: str
    """When it was pulled, or the snapshot captured: UTC, ISO 8601."""
    digest: str
    """The sha256 that the file carries."""
    snapshot: Snapshot | None = None
    """The whole snapshot, when the catalog is one's part."""


def dump_catalog(catalog: Catalog, path: Path, *, pulled_at: str, tool_version: str) -> CatalogFile:
    """Write a catalog whole or not at all, and return what is read back. Raises InvalidFileError."""
    content: dict[str, Any] = {
        "kind": KIND,
        "schema": CATALOG_SCHEMA,
        "source": catalog.source,
        "pulled_at": pulled_at,
        "tool_version": tool_version,
        "roles": [rows.ROLES.encode(role) for role in catalog.roles.values()],
        "policies": [rows.POLICIES.encode(policy) for policy in catalog.policies.values()],
        "cedar_schema": catalog.schema,
    }
    content["digest"] = _digest(content)
    _write(path, b"".join(_lines(content)))
    return load_catalog(path)


def load_catalog(path: Path) -> CatalogFile:
    """Read the catalog of a pulled file or of a snapshot, checked. Raises InvalidFileError."""
    try:
        with path.open("rb") as file:
            head = file.read(4)
            if head[:2] != b"PK":
                return _pulled(path, head + file.read(_LIMIT))
    except OSError as error:
        raise InvalidFileError(
            f"`{path}` cannot be read: {(error.strerror or 'input/output error').lower()}"
        ) from None
    snapshot = load(path)
    return CatalogFile(snapshot.catalog, snapshot.captured_at, snapshot.digest, snapshot)


def _digest(content: dict[str, Any]) -> str:
    return hashlib.sha256(canonical({k: v for k, v in content.items() if k != "digest"})).hexdigest()


def _lines(content: dict[str, Any]) -> Iterator[bytes]:
    """Sorted keys, and lists with one item a line, so that a change shows as the lines it is."""
    yield b"{\n"
    for number, name in enumerate(sorted(content)):
        value = content[name]
        yield (b",\n" if number else b"") + canonical(name) + b":"
        if isinstance(value, list) and value:
            yield b"[\n" + b",\n".join(canonical(item) for item in value) + b"\n]"
        else:
            yield canonical(value)
    yield b"\n}\n"


def _pulled(path: Path, raw: bytes) -> CatalogFile:
    def broken(message: str, hint: str = _REMEDY) -> InvalidFileError:
        return InvalidFileError(
            f"the catalog `{path}` is broken: {message}",
            hint=hint,
            problems=(Problem(str(path), 0, message, hint),),
        )

    try:
        content = json.loads(raw)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict) or content.get("kind") != KIND:
        raise InvalidFileError(
            f"`{path}` is neither a snapshot nor a pulled catalog",
            hint="`permmigrate snapshot` makes the one, `permmigrate catalog pull` the other",
        )
    schema = content.get("schema")
    if type(schema) is not int or schema > CATALOG_SCHEMA:
        raise broken(f"it has schema {schema}", "use a newer version of permmigrate")
    if content.keys() != _FIELDS or not all(isinstance(content[name], str) for name in _TEXTS):
        raise broken("it lacks fields, or has some that do not belong")
    if _digest(content) != content["digest"]:
        raise broken("it was changed after it was written: its digest does not fit")
    try:
        policies = [rows.POLICIES.read(row) for row in content["policies"]]
        roles = [rows.ROLES.read(row) for row in content["roles"]]
    except (rows.RowError, TypeError) as error:
        raise broken(f"a role or policy {error}") from None
    if not isinstance(content["cedar_schema"], dict):
        raise broken("its Cedar schema is not an object")
    catalog = Catalog.of(policies, roles, content["cedar_schema"], content["source"])
    return CatalogFile(catalog, content["pulled_at"], content["digest"])


def _write(path: Path, content: bytes) -> None:
    try:
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        Path(name).unlink(missing_ok=True)


def _unwritable(path: Path, error: OSError) -> InvalidFileError:
    return InvalidFileError(
        f"the catalog cannot be written to `{path}`: {(error.strerror or 'input/output error').lower()}",
        hint="choose a folder that exists and can be written to",
    )
