"""The lines of `shares.jsonl`, many at a time: a million of them are most of a large account's file.

Only lines exactly as this project writes them are read here, and written: one that is anything else is left
to the plain reader of rows, which says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from permmigrate.snapshot.rows import SHARES
from permmigrate.snapshot.shares import Gathered, Shares

_NAMES: Final = tuple(sorted(SHARES.fields))
_TOKENS: Final = 4 * len(_NAMES)
"""Between the quotes of one line: a mark, a name, a mark and a value for each field."""


def gather(lines: bytes, into: Gathered) -> bool:
    """Add whole lines; False, and nothing added, when one of them has another form."""
    tokens = lines.split(b'"')
    number = lines.count(b"\n")
    if b"\\" in lines or len(tokens) != number * _TOKENS + 1 or not _regular(tokens, number):
        return False
    values = {name: tokens[4 * at + 3 :: _TOKENS] for at, name in enumerate(_NAMES)}
    try:
        into.add_raw(
            zip(values["environment_id"], values["content_type"], values["content"], strict=True),
            zip(values["principal_type"], values["principal"], strict=True),
            values["level"],
            values["source"],
        )
    except ValueError:  # a kind or a type of a later version, or text that is not ASCII
        return False
    return True


def _regular(tokens: list[bytes], number: int) -> bool:
    """Whether everything between the values is what stands there in each line."""
    marks = tokens[_TOKENS::_TOKENS]
    if tokens[0] != b"{" or marks.count(b"}\n{") != number - 1 or tokens[-1] != b"}\n":
        return False
    for at, name in enumerate(_NAMES):
        if tokens[4 * at + 1 :: _TOKENS].count(name.encode()) != number:
            return False
        if tokens[4 * at + 2 :: _TOKENS].count(b":") != number:
            return False
        if at and tokens[4 * at :: _TOKENS][:number].count(b",") != number:
            return False
    return True


def lines_of(shares: Shares) -> Iterator[bytes]:
    """The line of each share, as `archive.canonical` writes its row."""
    from permmigrate.snapshot.archive import canonical

    contents = [
        (canonical(one.id), canonical(one.kind.value), canonical(one.environment_id))
        for one in shares.contents
    ]
    places = [b'{"content":%b,"content_type":%b,"environment_id":%b,"level":' % one for one in contents]
    levels = [b'%b,"principal":' % canonical(level) for level in shares.levels]
    people = [
        b'%b,"principal_type":%b,"source":' % (canonical(one.id), canonical(one.type.value))
        for one in shares.principals
    ]
    origins = [canonical(origin) for origin in shares.origins]
    for content, principal, level, origin, line in zip(
        *(column.tolist() for column in shares.columns), strict=True
    ):
        head = places[content] + levels[level] + people[principal]
        if line < 0:
            yield b"%b%b}\n" % (head, origins[origin])
        else:
            yield b'%b%b%d"}\n' % (head, origins[origin][:-1], line)
