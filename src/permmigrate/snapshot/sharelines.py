"""The lines of `shares.jsonl`, many at a time: a million of them are most of a large account's file.

Only lines exactly as this project writes them are read here, and written: one that is anything else is left
to the plain reader of rows, which says what is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from permmigrate.model import ContentKind, ContentRef, EnvironmentId, PrincipalRef, PrincipalType
from permmigrate.snapshot.rows import SHARES
from permmigrate.snapshot.shares import Gathered, Ints, Shares, parted

_NAMES: Final = tuple(sorted(SHARES.fields))
_QUOTES: Final = 4 * len(_NAMES)
"""In one line."""
_DIGITS: Final = b"0123456789"
_LARGEST: Final = 999_999_999
"""The largest line number that is kept as a number: see `shares.parted`."""
Longs = npt.NDArray[np.int64]


class LineReader:
    """Reads lines into columns. A field is looked at once for each text it has; the rest is counting."""

    def __init__(self, into: Gathered) -> None:
        self._into = into
        self._numbers: dict[str, dict[bytes, int]] = {name: {} for name in _NAMES}
        """Of each field, every text it was met with, its name before it."""
        self._texts: dict[str, list[str]] = {name: [] for name in _NAMES}
        self._contents: dict[int, int] = {}
        self._principals: dict[int, int] = {}

    def read(self, lines: bytes) -> bool:
        """Add whole lines; False, and nothing added, when one of them has another form."""
        number = lines.count(b"\n")
        regular = lines.startswith(b'{"') and lines.endswith(b'"}\n') and b"\\" not in lines
        if not regular or lines.count(b'"') != _QUOTES * number:
            return False
        fields = lines[2:-3].replace(b'"}\n{"', b'","').split(b'","')
        if len(fields) != len(_NAMES) * number:
            return False
        columns = {name: fields[at :: len(_NAMES)] for at, name in enumerate(_NAMES)}
        try:
            content = self._content(columns)
            principal = self._principal(columns)
            level = self._numbered("level", columns)
            levels = np.array([self._into.level(text) for text in self._texts["level"]], dtype=np.int32)
            origin, line = self._sources(columns["source"])
        except ValueError:  # another field, a kind or a type of a later version, or text that is not ASCII
            return False
        self._into.add_columns(content, principal, levels[level], origin, line)
        return True

    def _numbered(self, name: str, columns: dict[str, list[bytes]]) -> Longs:
        """A small number for the text of each row in a field."""
        numbers, texts, column = self._numbers[name], self._texts[name], columns[name]
        for field in dict.fromkeys(column):
            if field not in numbers:
                texts.append(_value(name, field))
                numbers[field] = len(numbers)
        return np.fromiter(map(numbers.__getitem__, column), dtype=np.int64, count=len(column))

    def _content(self, columns: dict[str, list[bytes]]) -> Ints:
        names = "content", "environment_id", "content_type"
        ids, environments, kinds = (self._texts[name] for name in names)
        content, environment, kind = (self._numbered(name, columns) for name in names)

        def make(code: int) -> int:
            environment_id = EnvironmentId(environments[code >> 8 & 0xFFFFFF])
            return self._into.content(
                ContentRef(environment_id, ContentKind(kinds[code & 0xFF]), ids[code >> 32])
            )

        return _looked_up(self._contents, content << 32 | environment << 8 | kind, make)

    def _principal(self, columns: dict[str, list[bytes]]) -> Ints:
        ids, types = self._texts["principal"], self._texts["principal_type"]
        principal, type_ = (self._numbered(name, columns) for name in ("principal", "principal_type"))

        def make(code: int) -> int:
            return self._into.principal(PrincipalRef(PrincipalType(types[code & 0xFF]), ids[code >> 8]))

        return _looked_up(self._principals, principal << 8 | type_, make)

    def _sources(self, column: Sequence[bytes]) -> tuple[Ints, Ints]:
        """The text before the number at the end of each source, as a number, and that number."""
        head = column[0].rstrip(_DIGITS)
        joined = b",".join(column)
        tails = joined.replace(head, b"")
        plain = b"," + tails
        if (
            len(joined) == len(tails) + len(column) * len(head)
            and plain.count(b",") == len(column)
            and not plain.translate(None, _DIGITS + b",")
            and not any(odd in plain + b"," for odd in (b",0", b",,"))
        ):
            line = np.fromstring(tails, dtype=np.int64, sep=",")
            if line.max() <= _LARGEST:
                origin = self._into.origin(_value("source", head))
                return np.full(len(column), origin, dtype=np.int32), line.astype(np.int32)
        parts = [parted(_value("source", field)) for field in column]
        origins = np.array([self._into.origin(text) for text, _ in parts], dtype=np.int32)
        return origins, np.array([number for _, number in parts], dtype=np.int32)


def _value(name: str, field: bytes) -> str:
    """The value of a field in a row; its name stands before it. Raises ValueError."""
    before, mark, value = field.partition(b'":"')
    if before != name.encode() or not mark:
        raise ValueError(name)
    return value.decode("ascii")


def _looked_up(known: dict[int, int], codes: Longs, make: Callable[[int], int]) -> Ints:
    """The number of each code; `make` gives one that was not met before its number."""
    distinct, inverse = np.unique(codes, return_inverse=True)
    numbers = []
    for code in distinct.tolist():
        if code not in known:
            known[code] = make(code)
        numbers.append(known[code])
    return np.array(numbers, dtype=np.int32)[inverse]


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
