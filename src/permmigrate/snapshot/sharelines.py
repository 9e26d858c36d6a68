"""The lines of `shares.jsonl`, many at a time: a million of them are most of a large account's file.

Only lines exactly as this project writes them are read here, and written: one that is anything else is left
to the plain reader of rows, which says what is wrong with it.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterator
from functools import cache
from typing import Final

import numpy as np

from permmigrate.model import ContentKind, ContentRef, EnvironmentId, PrincipalRef, PrincipalType
from permmigrate.snapshot.linescan import Lines, scanned
from permmigrate.snapshot.rows import same
from permmigrate.snapshot.shares import Gathered, Ints, Shares
from permmigrate.snapshot.texts import WIDEST, ManyNumbers, Numbers, Positions, windows, words

_CONTENT: Final = re.compile(
    r'\{"content":"([^"]*)","content_type":"([^"]*)","environment_id":"([^"]*)","level":"'
)
_SHARE: Final = re.compile(r'([^"]*)","principal":"([^"]*)","principal_type":"([^"]*)","source":"')


class _Met:
    """How something is shared and with whom, by the numbers of the texts that say so."""

    def __init__(self, into: Gathered) -> None:
        self.levels, self.principals = array("i"), array("i")
        self._who = cache(lambda id_, type_: into.principal(_principal(id_, type_)))
        self._level = cache(into.level)

    def number(self, text: bytes) -> int:
        """The number of a text that was not met before. Raises ValueError."""
        found = _SHARE.fullmatch(text.decode("ascii"))
        if found is None:
            raise ValueError("share")
        level, id_, type_ = found.groups()
        of, to = self._level(level), self._who(id_, type_)
        self.levels.append(of)
        self.principals.append(to)
        return len(self.levels) - 1


class LineReader:
    """Reads lines into columns. A line is three texts: what is shared; how and with whom; and the source.

    Only where the first is another than on the line before is it looked at, and the second once for each.
    """

    def __init__(self, into: Gathered) -> None:
        self._into = into
        self._longest = 1
        """Bytes that are about the content, on any line."""
        self._head = b""
        """The source of the last line without the number at its end, a quote before it."""
        self._where = cache(_where)
        self._met = _Met(into)
        self._shares = ManyNumbers(self._met.number)
        self._origins = Numbers(lambda text: into.origin(text.decode("ascii")))

    def read(self, text: bytes) -> bool:
        """Add whole lines; False, and nothing added, when one of them has another form."""
        lines = scanned(text)
        if lines is None:
            return False
        try:
            content, levels = self._contents(lines)
            origin, sources = self._sources(lines, levels)
            share = self._shares.between(lines.text, lines.padded, levels, sources)
        except ValueError:  # another field, a kind or a type of a later version, or a long text
            return False
        principal, level = np.asarray(self._met.principals)[share], np.asarray(self._met.levels)[share]
        self._into.add_columns(content, principal, level, origin, lines.number)
        return True

    def _contents(self, lines: Lines) -> tuple[Ints, Positions]:
        """The number of each line's content, and where what is after it begins."""
        first, found, lengths = self._first_of_each(lines)
        times = np.diff(first, append=len(lines.starts))
        levels = lines.starts + np.repeat(lengths, times)
        if (levels > lines.ends).any():
            raise ValueError("level")
        ids, *where = zip(*(each.groups() for each in found), strict=True)
        kinds, environments = zip(*map(self._where, *where), strict=True)
        numbers = self._into.contents(map(ContentRef, environments, kinds, map(same, ids)))
        return np.repeat(np.array(numbers, dtype=np.int32), times), levels

    def _first_of_each(self, lines: Lines) -> tuple[Positions, list[re.Match[str]], Positions]:
        """The lines that do not begin as the line before does, as far as any content goes; what of each is
        about its content, and how long that is."""
        text = lines.text.decode("ascii")
        while True:
            texts = words(lines.padded, lines.starts, self._longest)
            first = np.flatnonzero(np.append(True, (texts[1:] != texts[:-1]).any(axis=1)))
            begins = lines.starts[first]
            found = [each for begin in begins.tolist() if (each := _CONTENT.match(text, begin))]
            if len(found) < len(first):
                raise ValueError("content")
            lengths = np.array([each.end() for each in found]) - begins
            longest = int(lengths.max())
            if longest <= self._longest:
                return first, found, lengths
            self._longest = longest

    def _sources(self, lines: Lines, starts: Positions) -> tuple[Ints, Positions]:
        """The text before the number at the end of each source, as a number, and where it begins: after the
        last quote, which most often stands before the same text as on the last line."""
        heads = lines.ends - lines.digits
        begins = heads - len(self._head)
        if 0 < len(self._head) <= WIDEST and (begins >= starts).all():
            texts = windows(lines.padded, len(self._head))[begins]
            if (texts == np.frombuffer(self._head, dtype=np.uint8)).all():
                origin = self._origins[self._head[1:]]
                return np.full(len(starts), origin, dtype=np.int32), begins + 1
        found = (lines.text.rfind(b'"', 0, end) for end in lines.ends.tolist())
        begins = np.fromiter(found, dtype=np.intp, count=len(starts))
        if (begins < starts).any():
            raise ValueError("source")
        self._head = lines.text[begins[-1] : heads[-1]]
        return self._origins.between(lines.text, begins + 1, heads), begins + 1


def _where(kind: str, environment: str) -> tuple[ContentKind, EnvironmentId]:
    return ContentKind(kind), EnvironmentId(same(environment))


def _principal(id_: str, type_: str) -> PrincipalRef:
    return PrincipalRef(PrincipalType(type_), same(id_))


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
