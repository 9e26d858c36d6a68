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
from pathlib import Path
from typing import Final

from permmigrate.errors import InvalidFileError, RefusedError
from permmigrate.plan import reading
from permmigrate.plan.value import SCHEMA_VERSION, Plan
from permmigrate.plan.writing import FORMAT, compact, lines

_EMPTY: Final = '"digest":""'
_DIGEST: Final = re.compile(r'"digest":"([0-9a-f]{64})"')
_REMEDY: Final = "make the plan again; plans are not edited by hand, mapping tables are"


def encode(plan: Plan) -> tuple[str, str]:
    """Give the plan's digest and its file's text: JSON with one line for each thing a person may look for."""
    body = "".join(lines(plan))
    digest = hashlib.sha256(f"{{{_EMPTY},\n{body}}}\n".encode("ascii")).hexdigest()
    return digest, f'{{"digest":"{digest}",\n{body}}}\n'


def dump(plan: Plan, path: Path) -> str:
    """Write the plan whole or not at all, mode 0600, and return its digest. Raises InvalidFileError."""
    digest, text = encode(plan)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name[:80]}.", suffix=".tmp")
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        with os.fdopen(handle, "w", encoding="ascii", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException as error:
        Path(name).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise _unwritable(path, error) from None
        raise
    return digest


def load(path: Path) -> Plan:
    """Read a plan. Raises InvalidFileError when it is none, and RefusedError when it was changed since."""
    try:
        text = path.read_bytes().decode("ascii")
    except OSError as error:
        reason = (error.strerror or "input/output error").lower()
        raise InvalidFileError(f"`{path}` cannot be read: {reason}") from None
    except UnicodeDecodeError:
        raise _no_plan(path, "it holds bytes that no plan holds") from None
    return decode(text, path)


def decode(text: str, path: Path) -> Plan:
    """Read a plan's text; `path` is for the words of an error. Raises as `load`."""
    try:
        document = json.loads(text, parse_float=reading.no_number, parse_constant=reading.no_number)
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
    blank = _DIGEST.sub(_EMPTY, text, count=1)
    if hashlib.sha256(blank.encode("ascii")).hexdigest() != document.get("digest"):
        raise _edited(path, "its digest does not fit its text")
    try:
        plan = reading.plan(document)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _no_plan(path, f"a part of it cannot be understood ({error})") from None
    digest, again = encode(plan)
    if again != text:
        raise _edited(path, "it is not written the way plans are")
    plan.__dict__["digest"] = (
        digest  # as `cached_property` would keep it: encoding a million lines takes seconds
    )
    return plan


def _no_plan(path: Path, reason: str) -> InvalidFileError:
    return InvalidFileError(f"`{path}` is not a plan: {reason}", hint=_REMEDY)


def _edited(path: Path, reason: str) -> RefusedError:
    return RefusedError(f"`{path}` was changed after it was made: {reason}", hint=_REMEDY)


def _unwritable(path: Path, error: OSError) -> InvalidFileError:
    return InvalidFileError(
        f"the plan cannot be written to `{path}`: {(error.strerror or 'input/output error').lower()}",
        hint="choose a folder that exists and can be written to",
    )
