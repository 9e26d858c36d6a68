"""Where lines of shares begin and end, and the numbers at their ends: what can be said of a block by itself.

It does not look at what is in between.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from permmigrate.snapshot.shares import LONGEST, Ints
from permmigrate.snapshot.texts import WIDEST, Bytes, Positions

_QUOTE, _BRACE, _LINE, _SPACE, _ZERO = b'"}\n 0'
_END: Final = b'"}\n'


@dataclass(frozen=True, slots=True)
class Lines:
    """Whole lines that may be shares: nothing but ASCII is in them, and nothing that JSON escapes."""

    text: bytes
    padded: Bytes
    """The same, and some zeros."""
    starts: Positions
    ends: Positions
    """The last quote of each."""
    digits: Positions
    """How many there are before that, if they are a number as `shares.parted` has it."""
    number: Ints
    """That number, or -1."""


def scanned(text: bytes) -> Lines | None:
    """The lines; None when one of them has another form."""
    padded = np.frombuffer(text + bytes(WIDEST), dtype=np.uint8)
    ends = np.flatnonzero(padded[: len(text)].view(np.int8) < _SPACE)  # with all that is not ASCII: negative
    plain = b"\\" not in text and bool((padded[ends] == _LINE).all())
    if not plain or not text.endswith(_END) or len(text) < len(_END) * len(ends):
        return None
    if not ((padded[ends - 1] == _BRACE).all() and (padded[ends - 2] == _QUOTE).all()):
        return None
    return Lines(text, padded, np.append(0, ends[:-1] + 1), ends - 2, *_numbers_before(padded, ends - 2))


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
