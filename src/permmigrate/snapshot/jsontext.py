"""JSON in bulk, read and written fast: answers by the megabyte, for the wire and the spool.

Texts with halves of characters, which the fast library refuses, are read by the standard one, to the same
values. It is no canonical form; what is digested is written by `archive`.
"""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn

import orjson


def read(content: bytes) -> Any:
    """Parse a text; a whole number beyond 64 bits is read as a float.

    Raises ValueError when it is no JSON or has a number out of all range, RecursionError when it is nested
    too deeply.
    """
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError:
        return json.loads(content, parse_constant=_refuse, parse_int=_whole, parse_float=_finite)


def write(value: Any) -> bytes:
    """Spell a value that was read on one line."""
    try:
        return orjson.dumps(value)
    except TypeError:
        return json.dumps(value, separators=(",", ":")).encode()


def _refuse(text: str) -> NoReturn:
    raise ValueError(f"`{text}` is no number of JSON")


def _whole(text: str) -> int | float:
    number = int(text) if len(text) <= len("-9223372036854775808") else 1 << 64
    return number if -(1 << 63) <= number < 1 << 64 else _finite(text)


def _finite(text: str) -> float:
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)
