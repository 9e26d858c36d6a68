"""The order of many rows by several small numbers each: as one number a row, which sorts at once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import numpy as np
import numpy.typing as npt

BITS: Final = 63
"""What one number holds."""


def order_by(keys: Iterable[npt.NDArray[np.integer]], rows: int) -> npt.NDArray[np.intp]:
    """The order by several keys that are never negative, the first one first; equal rows stay as they are."""
    packed, bits = np.zeros(rows, dtype=np.int64), 0
    for key in keys:
        width = int(key.max(initial=0)).bit_length()
        if bits + width > BITS:
            packed = np.unique(packed, return_inverse=True)[1].astype(np.int64)
            bits = int(packed.max(initial=0)).bit_length()
        packed <<= width
        packed |= key
        bits += width
    order = np.argsort(packed)
    packed = packed[order]
    same = packed[1:] == packed[:-1]
    if same.any():
        tied = np.flatnonzero(np.append(same, False) | np.insert(same, 0, False))
        some = order[tied]
        order[tied] = some[np.lexsort((some, packed[tied]))]
    return order
