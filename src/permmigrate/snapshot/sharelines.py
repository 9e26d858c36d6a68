"""The lines of `shares.jsonl`, many at a time: a million of them are most of a large account's file.

Only lines exactly as this project writes them are read here, and written: one that is anything else is left
to the plain reader of rows, which says what is wrong with it.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import numpy.typing as npt

from permmigrate.model import ContentKind, ContentRef, EnvironmentId, PrincipalRef, PrincipalType
from permmigrate.snapshot.rows import SHARES, same
from permmigrate.snapshot.shares import LONGEST, Gathered, Ints, Shares

_CONTENT: Final = re.compile(
    rb'\{"content":"([^"]*)","content_type":"([^"]*)","environment_id":"([^"]*)","level":"'
)
_SHARE: Final = re.compile(rb'([^"]*)","principal":"([^"]*)","principal_type":"([^"]*)","source":"')
_QUOTES: Final = 4 * len(SHARES.fields)
"""In one line."""
_LEVEL, _SOURCE, _END = 14, 26, 27
"""Which of them are before the level, before the source and at its end."""
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
        self._environments: dict[bytes, EnvironmentId] = {}
        self._shares = _Numbers(self._share)
        self._levels, self._principals = array("i"), array("i")
        """What the numbers of shares mean."""
        self._origins = _Numbers(lambda text: into.origin(text.decode("ascii")))

    def read(self, lines: bytes) -> bool:
        """Add whole lines; False, and nothing added, when one of them has another form."""
        quotes = _quotes(lines)
        if quotes is None:
            return False
        padded = np.frombuffer(lines + bytes(_WIDEST), dtype=np.uint8)
        starts = np.concatenate([[0], quotes[:-1, _END] + len('"}\n')])
        level, source, end = (quotes[:, one] + 1 for one in (_LEVEL, _SOURCE, _END))
        try:
            content = self._contents(lines, _texts(padded, starts, level), starts, level)
            share = self._shares.between(lines, level, source)
            origin, line = self._sources(lines, padded, source, end - 1)
        except ValueError:  # another field, a kind or a type of a later version, or a long text
            return False
        principal, levels = np.asarray(self._principals)[share], np.asarray(self._levels)[share]
        self._into.add_columns(content, principal, levels, origin, line)
        return True

    def _contents(
        self, lines: bytes, texts: npt.NDArray[np.uint64], starts: Positions, ends: Positions
    ) -> Ints:
        """The number of each line's content."""
        first = np.flatnonzero(np.append(True, (texts[1:] != texts[:-1]).any(axis=1)))
        numbers = []
        for start, end in zip(starts[first].tolist(), ends[first].tolist(), strict=True):
            text = lines[start:end]
            if text != self._content[0]:
                self._content = text, self._look_at_content(text)
            numbers.append(self._content[1])
        return np.repeat(np.array(numbers, dtype=np.int32), np.diff(first, append=len(starts)))

    def _look_at_content(self, text: bytes) -> int:
        found = _CONTENT.fullmatch(text)
        if found is None:
            raise ValueError("content")
        id_, kind, environment = found.groups()
        if environment not in self._environments:
            self._environments[environment] = EnvironmentId(same(environment.decode("ascii")))
        meant = ContentKind(kind.decode("ascii"))
        return self._into.content(
            ContentRef(self._environments[environment], meant, same(id_.decode("ascii")))
        )

    def _share(self, text: bytes) -> int:
        found = _SHARE.fullmatch(text)
        if found is None:
            raise ValueError("share")
        level, id_, type_ = (value.decode("ascii") for value in found.groups())
        self._levels.append(self._into.level(level))
        self._principals.append(self._into.principal(PrincipalRef(PrincipalType(type_), same(id_))))
        return len(self._levels) - 1

    def _sources(self, lines: bytes, padded: Bytes, starts: Positions, ends: Positions) -> tuple[Ints, Ints]:
        """The text before the number at the end of each source, as a number, and that number."""
        digits, line = _numbers_before(padded, ends)
        ends = ends - digits
        texts = _texts(padded, starts, ends)
        if (texts == texts[0]).all():
            origin = self._origins[lines[starts[0] : ends[0]]]
            return np.full(len(starts), origin, dtype=np.int32), line
        return self._origins.between(lines, starts, ends), line


def _quotes(lines: bytes) -> npt.NDArray[np.intp] | None:
    """Where the quotes of each line are; None for lines that may be something else than seven plain texts.

    What is between the quotes is for the caller to look at; it is ASCII without anything that JSON escapes.
    """
    count = lines.count(b"\n")
    if not count or not lines.isascii() or b"\\" in lines:
        return None
    text = np.frombuffer(lines, dtype=np.uint8)
    found = np.flatnonzero(text == _QUOTE)
    if len(found) != _QUOTES * count or np.count_nonzero(text < _SPACE) != count:
        return None
    quotes = found.reshape(count, _QUOTES)
    last = quotes[:, _END]
    if last[-1] != len(lines) - len('"}\n'):
        return None
    regular = (text[last + 1] == _BRACE).all() and (text[last + 2] == _LINE).all()
    return quotes if regular else None


def _texts(padded: Bytes, starts: Positions, ends: Positions) -> npt.NDArray[np.uint64]:
    """Texts as rows of one width, to be compared. Raises ValueError for long ones."""
    lengths = ends - starts
    width = -(-max(int(lengths.max()), 1) // 8) * 8
    if width > _WIDEST:
        raise ValueError("long")
    shape = len(padded) - _WIDEST, width
    texts = np.ndarray(shape, dtype=np.uint8, buffer=padded, strides=(1, 1))[starts]
    texts *= np.arange(width) < lengths[:, None]
    return texts.view(np.uint64)


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
