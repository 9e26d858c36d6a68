"""Texts that stand in a block of bytes, many at a time: compared, and given numbers.

Equal numbers mean equal texts, compared byte by byte: a hash only says where to look. It knows nothing of
what the texts mean.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import compress
from typing import Final

import numpy as np
import numpy.typing as npt

from permmigrate.snapshot.shares import Ints

WIDEST: Final = 1 << 10
"""Bytes of a text that is compared with others; there are as many after the end of a padded block."""

_LONG: Final = 1 << 8
"""Bytes of the longest text that is numbered together with others."""
_SPARSE: Final = 16
"""Places for each text, at least."""
_MASKS: Final = (np.tri(_LONG + 1, _LONG, -1, dtype=np.uint8) * np.uint8(255)).view(np.uint64)
"""For each length the bytes that count."""
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)
_SPREAD: Final = np.cumprod(np.full(_LONG // 8, _ODD))

Positions = npt.NDArray[np.intp]
Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]


def windows(padded: Bytes, width: int) -> Bytes:
    """The bytes from each position on. Raises ValueError for many."""
    if width > WIDEST:
        raise ValueError("long")
    shape = len(padded) - WIDEST, width
    return np.ndarray(shape, dtype=np.uint8, buffer=padded, strides=(1, 1))


def words(padded: Bytes, starts: Positions, length: int) -> Words:
    """At least so many bytes after each start, to be compared. Raises ValueError for many."""
    return windows(padded, max(-(-length // 8) * 8, 8))[starts].view(np.uint64)


class Numbers(dict[bytes, int]):
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


class ManyNumbers:
    """The same for short texts most of which were met before.

    A text's hash says where its number is, most often; whether it is that text is for its bytes to say. Those
    that found their place taken are in a dictionary.
    """

    def __init__(self, look: Callable[[bytes], int]) -> None:
        self._look = look
        """Has to give 0, 1, 2 and so on: it is asked once for each text."""
        self._texts: Words = np.zeros((1, 1), dtype=np.uint64)
        """By number, each filled up with zeros. The first is no text: it is for places that are free."""
        self._places: Ints = np.zeros(_SPARSE, dtype=np.int32)
        self._others: dict[bytes, int] = {}
        self._new: dict[bytes, int] = {}

    def between(self, lines: bytes, padded: Bytes, starts: Positions, ends: Positions) -> Ints:
        """The numbers of some texts of the lines, none of which has a zero.

        Raises ValueError when one is empty or long.
        """
        lengths = ends - starts
        if not 0 < lengths.min() <= lengths.max() <= _LONG:
            raise ValueError("long")
        texts = words(padded, starts, max(int(lengths.max()), self._texts.shape[1] * 8))
        texts &= _MASKS.take(lengths, axis=0)[:, : texts.shape[1]]
        self._grow(0, texts.shape[1])
        numbers = self._places[self._place(texts)]
        others = np.flatnonzero((self._texts.take(numbers, axis=0) != texts).any(axis=1))
        where = zip(starts[others].tolist(), ends[others].tolist(), strict=True)
        numbers[others] = [self._number(lines[start:end]) for start, end in where]
        if self._new:
            self._settle()
        return numbers - 1

    def _number(self, text: bytes) -> int:
        number = self._others.get(text) or self._new.get(text)
        if number is None:
            number = self._new[text] = self._look(text) + 1
        return number

    def _settle(self) -> None:
        """Give the new texts places, as far as theirs are free."""
        numbers = np.fromiter(self._new.values(), np.int32, len(self._new))
        self._grow(int(numbers[-1]) + 1, self._texts.shape[1])
        width = self._texts.shape[1]
        filled = b"".join(text.ljust(width * 8, b"\0") for text in self._new)
        texts = np.frombuffer(filled, dtype=np.uint64).reshape(-1, width)
        self._texts[numbers] = texts
        places = self._place(texts)
        free = self._places[places] == 0
        self._places[places[free]] = numbers[free]
        lost = self._places[places] != numbers
        self._others.update(compress(self._new.items(), lost.tolist()))
        self._new.clear()

    def _grow(self, count: int, width: int) -> None:
        """Make room for so many texts of so many words."""
        more, wider = max(count - len(self._texts), 0), max(width - self._texts.shape[1], 0)
        if more or wider:
            self._texts = np.pad(self._texts, ((0, more and max(more, len(self._texts) // 4)), (0, wider)))
        if count * _SPARSE > len(self._places):
            held = self._places[self._places > 0]  # two that had different places will have again
            self._places = np.zeros(1 << (count * _SPARSE).bit_length(), dtype=np.int32)
            self._places[self._place(self._texts[held])] = held

    def _place(self, texts: Words) -> Positions:
        """Where the number of a text is looked for: the first bits of its hash."""
        codes = texts @ _SPREAD[: texts.shape[1]]
        codes ^= codes >> np.uint64(32)
        codes *= _ODD
        return (codes >> np.uint64(65 - len(self._places).bit_length())).astype(np.intp)
