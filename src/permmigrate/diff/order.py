"""The order of many rows by several small numbers each: as one number a row, which sorts at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

BITS: Final = 63
"""What one number holds."""
PARTS: Final = 8
BLOCK: Final = 1 << 18


def order_by(
    highest: Sequence[int], key: Callable[[int, slice], npt.NDArray[np.integer]], rows: int
) -> npt.NDArray[np.int32]:
    """The order by several keys, the first one first; equal rows stay as they are.

    `key` gives some rows' numbers of a key: none is negative, or higher than `highest` says of the key. It is
    asked for some at a time, so that no key of all rows has to be anywhere.
    """
    packed, bits = np.zeros(rows, dtype=np.int64), 0
    for number, most in enumerate(highest):
        width = int(most).bit_length()
        if bits + width > BITS:
            packed = np.unique(packed, return_inverse=True)[1].astype(np.int64)
            bits = int(packed.max(initial=0)).bit_length()
        for start in range(0, rows, BLOCK):
            block = slice(start, min(start + BLOCK, rows))
            packed[block] <<= width
            packed[block] |= key(number, block)
        bits += width
    order, at = np.empty(rows, dtype=np.int32), 0
    for some in _parts(packed):
        order[at : at + len(some)] = some[_order(packed[some])]
        at += len(some)
    return order


def _parts(packed: npt.NDArray[np.int64]) -> Iterator[npt.NDArray[np.intp]]:
    """The rows of about as many numbers each, part after part: sorted so, they take less room at once."""
    sample = np.sort(packed[:: max(len(packed) // 1024, 1)])
    bounds = np.unique(sample[:: max(len(sample) // PARTS, 1)])
    lower = np.zeros(len(packed), dtype=bool)
    for bound in bounds[1:].tolist():
        below = packed < bound
        yield np.flatnonzero(below & ~lower)
        lower = below
    yield np.flatnonzero(~lower)


def _order(packed: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """The order of numbers; equal ones stay as they are."""
    order = np.argsort(packed)
    packed = packed[order]
    same = packed[1:] == packed[:-1]
    if same.any():
        tied = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False))
        some = order[tied]
        order[tied] = some[np.lexsort((some, packed[tied]))]
    return order
