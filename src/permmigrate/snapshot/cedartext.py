"""Cedar text taken apart just far enough to exchange its literals and names. It judges no policy.

Text that is not Cedar is taken apart as well, and comes out as little Cedar as it went in.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

_TOKEN: Final = re.compile(
    r"""(?P<comment>//[^\n]*)|(?P<string>"(?:[^"\\]|\\.)*")|(?P<word>[A-Za-z_][A-Za-z_0-9]*)"""
    r"""|(?P<number>[0-9]+)|(?P<space>\s+)|(?P<sign>.)""",
    re.DOTALL,
)
_ESCAPE: Final = re.compile(r"\\(?:x([0-9A-Fa-f]{2})|u\{([0-9A-Fa-f]{1,6})\}|(.))", re.DOTALL)
_SIMPLE: Final = {"n": "\n", "r": "\r", "t": "\t", "0": "\0"}
_WILDCARD: Final = re.compile(r"((?<!\\)(?:\\\\)*\*)")

KEYWORDS: Final = frozenset(
    (
        *(
            "permit",
            "forbid",
            "when",
            "unless",
            "principal",
            "action",
            "resource",
            "context",
            "true",
            "false",
        ),
        *("if", "then", "else", "in", "is", "has", "like", "contains", "containsAll", "containsAny"),
        *("isEmpty", "hasTag", "getTag", "ip", "decimal", "datetime", "duration", "lessThan", "greaterThan"),
        *("isIpv4", "isIpv6", "isLoopback", "isMulticast", "isInRange", "lessThanOrEqual"),
        *("greaterThanOrEqual", "Set", "String", "Long", "Bool", "Boolean", "Record", "Entity", "Extension"),
    )
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """What to put in the place of each kind of token."""

    literal: Callable[[str, str], str]
    """From the entity type in front of the literal (or an empty text) and its text."""
    word: Callable[[str], str]
    number: Callable[[str], str]


def exchange(text: str, by: Exchange) -> str:
    """Rewrite policy text token by token. Comments go; blanks and signs stay, unless they are not ASCII."""
    return "".join(_rewritten(text, by))


def literals(text: str) -> Iterator[tuple[str, str]]:
    """Every (entity type in front, text) of a policy's string literals."""
    type_ = ""
    for kind, token in _tokens(text):
        if kind == "string":
            yield type_, _plain(token[1:-1])
        type_ = _type_after(type_, kind, token)


def words(text: str) -> frozenset[str]:
    """Every identifier of a policy."""
    return frozenset(token for kind, token in _tokens(text) if kind == "word")


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    for match in _TOKEN.finditer(text):
        yield str(match.lastgroup), match.group()


def _rewritten(text: str, by: Exchange) -> Iterator[str]:
    type_ = previous = ""
    for kind, token in _tokens(text):
        match kind:
            case "comment":
                continue
            case "string" if previous == "like":
                parts = _WILDCARD.split(token[1:-1])
                yield '"' + "".join(p if p.endswith("*") else _literal(type_, p, by) for p in parts) + '"'
            case "string":
                yield f'"{_literal(type_, token[1:-1], by)}"'
            case "word":
                yield by.word(token)
            case "number":
                yield by.number(token)
            case "space":
                yield re.sub(r"[^\n\t ]", " ", token)
            case _:
                yield token if token.isascii() and token.isprintable() else "?"
        type_ = _type_after(type_, kind, token)
        previous = previous if kind == "space" else token


def _literal(type_: str, raw: str, by: Exchange) -> str:
    plain = _plain(raw)
    if not plain:
        return raw
    new = by.literal(type_, plain)
    return raw if new == plain else new.replace("\\", "\\\\").replace('"', '\\"')


def _type_after(type_: str, kind: str, text: str) -> str:
    """The entity type that stands in front of what follows: `Group` in `Cloudinary::Group::"x"`."""
    if kind == "word":
        return text
    return type_ if kind == "space" or text == ":" else ""


def _plain(raw: str) -> str:
    def one(match: re.Match[str]) -> str:
        code = match[1] or match[2]
        if code is None:
            return _SIMPLE.get(match[3], match[3])
        return chr(int(code, 16)) if int(code, 16) < 0x110000 else match[0]

    return _ESCAPE.sub(one, raw)
