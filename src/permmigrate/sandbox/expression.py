"""The folder search's expressions, as far as `name` and `path` go; anything else is the documented 400."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from permmigrate.sandbox.wire import ApiError

_TERM: Final = re.compile(r'\s*(?:(NOT)\s+)?(\w+)\s*(:|=)\s*("(?:[^"\\]|\\.)*"|[^\s()]+)\s*(AND\b|OR\b|$)')


def expression(text: str) -> Callable[[str, str], bool]:
    """A simple Lucene-like expression over `name` and `path`: AND, OR, NOT, `*`, quotes.

    `path:a/b` holds for the folder and all below it, `path=a/b` for the folder alone; `name:a` for a name
    that has the word, `name=a` for the whole name. Anything else is the documented 400.
    """
    if not text.strip():
        return lambda name, path: True
    alternatives: list[list[tuple[bool, Callable[[str, str], bool]]]] = [[]]
    position = 0
    while position < len(text):
        match = _TERM.match(text, position)
        if match is None or match[2] not in ("name", "path") or match.end() == position:
            raise ApiError(400, f"Invalid expression near: {text[position:]}")
        alternatives[-1].append((match[1] is not None, _term(match[2], match[3], match[4])))
        if match[5] == "OR":
            alternatives.append([])
        position = match.end()
        if match[5] and position == len(text):
            raise ApiError(400, f"Invalid expression near: {match[5]}")
    return lambda name, path: any(
        all(test(name, path) != negated for negated, test in terms) for terms in alternatives
    )


def _term(field: str, operator: str, value: str) -> Callable[[str, str], bool]:
    if value.startswith('"'):
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    wild = ".*".join(re.escape(part.casefold()) for part in value.split("*"))
    if operator == "=":
        pattern = re.compile(wild, re.DOTALL)
        return lambda name, path: bool(pattern.fullmatch((name if field == "name" else path).casefold()))
    if field == "path":
        pattern = re.compile(wild + r"(?:/.*)?", re.DOTALL)
        return lambda name, path: bool(pattern.fullmatch(path.casefold()))
    pattern = re.compile(rf"(?:.*[\W_])?{wild}(?:[\W_].*)?", re.DOTALL)
    return lambda name, path: bool(pattern.fullmatch(name.casefold()))
