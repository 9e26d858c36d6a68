"""The lines of `shares.jsonl`, many at a time: a million of them are most of a large account's file.

Only lines exactly as this project writes them are read here, and written: one that is anything else is left
to the plain reader of rows, which says what is wrong with it.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator
from functools import cache
from typing import Final

import numpy as np
import numpy.typing as npt

from permmigrate.model import ContentKind, ContentRef, EnvironmentId, PrincipalRef, PrincipalType
from permmigrate.snapshot.rows import same
from permmigrate.snapshot.shares import LONGEST, Gathered, Ints, Shares

_CONTENT: Final = re.compile(
    rb'\{"content":"([^"]*)","content_type":"([^"]*)","environment_id":"([^"]*)","level":"'
)
_SHARE: Final = re.compile(rb'([^"]*)","principal":"([^"]*)","principal_type":"([^"]*)","source":"')
_QUOTE, _BRACE, _LINE, _SPACE, _ZERO = b'"}\n 0'
_WIDEST: Final = 1 << 10
"""Bytes of a text that is compared with others; the plain reader takes longer ones."""

Positions = npt.NDArray[np.intp]
Bytes = npt.NDArray[np.uint8]


class _Numbers(dict[bytes, int]):
    """The number of each text; one that was not met before is looked at."""

    def __init__(self, look: Callable[[bytes], int]) -> None:
        super().__init__()
        self._look = look

    def __missing__(self, text: bytes) -> int:
        number = self[text] = self._look(text)
        return number

    def between(self, lines: bytes, starts: Positions, ends: Positions) -> Ints:
        """The numbers of some texts of the lines."""
        texts = (lines[start:end] for start, end in zip(starts.tolist(), ends.tolist(), strict=True))
        return np.fromiter(map(self.__getitem__, texts), dtype=np.int32, count=len(starts))


class LineReader:
    """Reads lines into columns. A line is three texts: what is shared; how and with whom; and the source.

    Only where the first is another than on the line before is it looked at, and the second once for each.
    """

    def __init__(self, into: Gathered) -> None:
        self._into = into
        self._content = b"", -1
        """That of the last line, and its number."""
        self._head = b""
        """The source of the last line without the number at its end, a quote before it."""
        self._where = cache(_where)
        self._who = cache(lambda id_, type_: into.principal(_principal(id_, type_)))
        self._level = cache(lambda text: into.level(text.decode("ascii")))
        self._shares = _Numbers(self._share)
        self._levels, self._principals = array("i"), array("i")
        """What the numbers of shares mean."""
        self._origins = _Numbers(lambda text: into.origin(text.decode("ascii")))

    def read(self, lines: bytes) -> bool:
        """Add whole lines; False, and nothing added, when one of them has another form."""
        padded = np.frombuffer(lines + bytes(_WIDEST), dtype=np.uint8)
        try:
            starts, ends = _lines(lines, padded[: len(lines)])
            content, levels = self._contents(lines, padded, starts, ends)
            origin, line, sources = self._sources(lines, padded, levels, ends)
            share = self._shares.between(lines, levels, sources)
        except ValueError:  # another field, a kind or a type of a later version, or a long text
            return False
        principal, level = np.asarray(self._principals)[share], np.asarray(self._levels)[share]
        self._into.add_columns(content, principal, level, origin, line)
        return True

    def _contents(
        self, lines: bytes, padded: Bytes, starts: Positions, ends: Positions
    ) -> tuple[Ints, Positions]:
        """The number of each line's content, and where what is after it begins."""
        first, found, lengths = self._first_of_each(lines, padded, starts)
        times = np.diff(first, append=len(starts))
        levels = starts + np.repeat(lengths, times)
        if (levels > ends).any():
            raise ValueError("level")
        return np.repeat(np.array(list(map(self._number, found)), dtype=np.int32), times), levels

    def _first_of_each(
        self, lines: bytes, padded: Bytes, starts: Positions
    ) -> tuple[Positions, list[re.Match[bytes]], Positions]:
        """The lines that do not begin as the line before does, as far as any content goes; what of each is
        about its content, and how long that is."""
        length = max(len(self._content[0]), 1)
        while True:
            texts = _texts(padded, starts, length)
            first = np.flatnonzero(np.append(True, (texts[1:] != texts[:-1]).any(axis=1)))
            begins = starts[first]
            found = [each for begin in begins.tolist() if (each := _CONTENT.match(lines, begin))]
            if len(found) < len(first):
                raise ValueError("content")
            lengths = np.array([each.end() for each in found]) - begins
            longest = int(lengths.max())
            if longest <= length:
                return first, found, lengths
            length = longest

    def _number(self, found: re.Match[bytes]) -> int:
        text = found[0]
        if text != self._content[0]:
            id_, *where = found.groups()
            content = ContentRef(*self._where(*where), same(id_.decode("ascii")))
            self._content = text, self._into.content(content)
        return self._content[1]

    def _share(self, text: bytes) -> int:
        found = _SHARE.fullmatch(text)
        if found is None:
            raise ValueError("share")
        level, *who = found.groups()
        self._levels.append(self._level(level))
        self._principals.append(self._who(*who))
        return len(self._levels) - 1

    def _sources(
        self, lines: bytes, padded: Bytes, starts: Positions, ends: Positions
    ) -> tuple[Ints, Ints, Positions]:
        """The text before the number at the end of each source, as a number, that number, and where it
        begins: after the last quote, which most often stands before the same text as on the last line."""
        digits, line = _numbers_before(padded, ends)
        heads = ends - digits
        begins = heads - len(self._head)
        if 0 < len(self._head) <= _WIDEST and (begins >= starts).all():
            texts = _windows(padded, len(self._head))[begins]
            if (texts == np.frombuffer(self._head, dtype=np.uint8)).all():
                origin = self._origins[self._head[1:]]
                return np.full(len(starts), origin, dtype=np.int32), line, begins + 1
        found = (lines.rfind(b'"', 0, end) for end in ends.tolist())
        begins = np.fromiter(found, dtype=np.intp, count=len(ends))
        if (begins < starts).any():
            raise ValueError("source")
        self._head = lines[begins[-1] : heads[-1]]
        return self._origins.between(lines, begins + 1, heads), line, begins + 1


def _where(kind: bytes, environment: bytes) -> tuple[EnvironmentId, ContentKind]:
    return EnvironmentId(same(environment.decode("ascii"))), ContentKind(kind.decode("ascii"))


def _principal(id_: bytes, type_: bytes) -> PrincipalRef:
    return PrincipalRef(PrincipalType(type_.decode("ascii")), same(id_.decode("ascii")))


def _lines(lines: bytes, text: Bytes) -> tuple[Positions, Positions]:
    """Where each line starts, and where the last quote of each is. Raises ValueError.

    There is nothing but ASCII in them, and nothing that JSON escapes.
    """
    ends = np.flatnonzero(text == _LINE)
    count = len(ends)
    plain = lines.isascii() and b"\\" not in lines and np.count_nonzero(text < _SPACE) == count
    if not plain or not lines.endswith(b'"}\n') or len(lines) < len(b'"}\n') * count:
        raise ValueError("lines")
    starts = np.append(0, ends[:-1] + 1)
    if not ((text[ends - 1] == _BRACE).all() and (text[ends - 2] == _QUOTE).all()):
        raise ValueError("lines")
    return starts, ends - 2


def _windows(padded: Bytes, width: int) -> Bytes:
    """The bytes from each position on."""
    if width > _WIDEST:
        raise ValueError("long")
    shape = len(padded) - _WIDEST, width
    return np.ndarray(shape, dtype=np.uint8, buffer=padded, strides=(1, 1))


def _texts(padded: Bytes, starts: Positions, length: int) -> npt.NDArray[np.uint64]:
    """At least so many bytes after each start, to be compared. Raises ValueError for many."""
    return _windows(padded, max(-(-length // 8) * 8, 8))[starts].view(np.uint64)


def _numbers_before(text: Bytes, ends: Positions) -> tuple[Positions, Ints]:
    """How many digits are the number before each end, and the number: as `shares.parted` has it."""
    digits, number = np.zeros_like(ends), np.zeros_like(ends)
    on = np.ones(len(ends), dtype=bool)
    for place in range(LONGEST + 1):
        digit = text[ends - place - 1] - np.uint8(_ZERO)
        on &= digit < 10
        if not on.any():
            break
        digits += on
        number += (digit * on).astype(np.intp) * 10**place
    none = (digits == 0) | (digits > LONGEST) | (text[ends - digits] == _ZERO)
    return np.where(none, 0, digits), np.where(none, -1, number).astype(np.int32)


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
