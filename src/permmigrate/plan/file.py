"""A plan as one JSON file: canonical, digested, and taken back only exactly as it was written.

The digest is the sha256 of the file's text with the digest itself left empty, so any byte changed shows; and
what is read must write the same text again, so nothing in a file can be overlooked. A digest is no signature:
what makes a plan the one that was reviewed is the digest that `apply` is given.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from permmigrate.errors import InvalidFileError, RefusedError
from permmigrate.plan import reading
from permmigrate.plan.value import SCHEMA_VERSION, Plan
from permmigrate.plan.writing import FORMAT, compact, lines

_BLANK: Final = b'{"digest":""'
_DIGEST: Final = re.compile(rb'\{"digest":"([0-9a-f]{64})"')
_DIGEST_AT: Final = len(b'{"digest":"')
_REMEDY: Final = "make the plan again; plans are not edited by hand, mapping tables are"


def _body(plan: Plan) -> Iterator[bytes]:
    """All that follows the digest."""
    yield b",\n"
    for line in lines(plan):
        yield line.encode("ascii")
    yield b"}\n"


def digest_of(plan: Plan) -> str:
    """The digest of the plan's text, of which never more than a line is held."""
    hashed = hashlib.sha256(_BLANK)
    for part in _body(plan):
        hashed.update(part)
    return hashed.hexdigest()


def encode(plan: Plan) -> tuple[str, str]:
    """Give the plan's digest and its file's text: JSON with one line for each thing a person may look for."""
    digest = digest_of(plan)
    return digest, f'{{"digest":"{digest}"{b"".join(_body(plan)).decode("ascii")}'


def dump(plan: Plan, path: Path) -> str:
    """Write the plan whole or not at all, mode 0600, and return its digest. Raises InvalidFileError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}.", suffix=".tmp")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "wb") as file:
            digest = _write(plan, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise
    _keep(plan, digest)
    return digest


def _write(plan: Plan, file: BinaryIO) -> str:
    """Write line by line; the digest, which stands before what it is of, is put in last."""
    hashed = hashlib.sha256(_BLANK)
    file.write(b'{"digest":"' + b"0" * 64 + b'"')
    for part in _body(plan):
        hashed.update(part)
        file.write(part)
    file.seek(_DIGEST_AT)
    file.write(hashed.hexdigest().encode("ascii"))
    return hashed.hexdigest()


def _keep(plan: Plan, digest: str) -> None:
    """As `cached_property` would keep it: making the lines of a million operations takes seconds."""
    plan.__dict__["digest"] = digest


def load(path: Path) -> Plan:
    """Read a plan. Raises InvalidFileError when it is none, and RefusedError when it was changed since."""
    try:
        text = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise InvalidFileError(f"`{path}` cannot be read: {reason}") from None
    if not text.isascii():
        raise _no_plan(path, "it holds bytes that no plan holds")
    return decode(text, path)


def decode(text: bytes | str, path: Path) -> Plan:
    """Read a plan's text, which is ASCII; `path` is for the words of an error. Raises as `load`."""
    content = text.encode("ascii") if isinstance(text, str) else text
    try:
        document = json.loads(content, parse_float=reading.no_number, parse_constant=reading.no_number)
    except (ValueError, RecursionError):
        raise _no_plan(path, "it is not JSON, or its end is missing") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise _no_plan(path, f"it does not say `{FORMAT}`")
    if document.get("schema") != SCHEMA_VERSION:
        raise InvalidFileError(
            f"`{path}` is a plan of schema {compact(document.get('schema'))[:20]}, and this version reads "
            f"{SCHEMA_VERSION}",
            hint="use the version that made it, or make it again",
        )
    head = _DIGEST.match(content)
    if head is None or _hashed(content, head.end()) != head[1]:
        raise _edited(path, "its digest does not fit its text")
    try:
        plan = reading.plan(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _no_plan(path, f"a part of it cannot be understood ({error})") from None
    if not _is_written_as(content, head.end(), plan):
        raise _edited(path, "it is not written the way plans are")
    _keep(plan, head[1].decode("ascii"))
    return plan


def _hashed(content: bytes, start: int) -> bytes:
    hashed = hashlib.sha256(_BLANK)
    hashed.update(memoryview(content)[start:])
    return hashed.hexdigest().encode("ascii")


def _is_written_as(content: bytes, start: int, plan: Plan) -> bool:
    """Whether the plan writes just this text after its digest."""
    for part in _body(plan):
        if not content.startswith(part, start):
            return False
        start += len(part)
    return start == len(content)


def _no_plan(path: Path, reason: str) -> InvalidFileError:
    return InvalidFileError(f"`{path}` is not a plan: {reason}", hint=_REMEDY)


def _edited(path: Path, reason: str) -> RefusedError:
    return RefusedError(f"`{path}` was changed after it was made: {reason}", hint=_REMEDY)


def _unwritable(path: Path, error: OSError) -> InvalidFileError:
    return InvalidFileError(
        f"the plan cannot be written to `{path}`: {(error.strerror or 'input/output error').lower()}",
        hint="choose a folder that exists and can be written to",
    )
