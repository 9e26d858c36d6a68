"""Marks: one number each for all that makes two findings alike, so that those alike can be told once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from permmigrate.entitlements.content import mixed

Marks = npt.NDArray[np.uint64]


def mixed_in(mark: Marks, column: npt.NDArray[np.integer]) -> Marks:
    """Marks for what had these before and a number more each now."""
    with np.errstate(over="ignore"):
        return mixed(mark * np.uint64(0x9E3779B97F4A7C15) + column.astype(np.uint64) + np.uint64(1))


def alike(
    mark: npt.NDArray[np.generic],
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64], npt.NDArray[np.intp]]:
    """The first of each set of equal marks in order, where the others of each begin, and the others."""
    order = np.argsort(mark, kind="stable")
    ordered = mark[order]
    head = np.concatenate([ordered[:1] == ordered[:1], ordered[1:] != ordered[:-1]])
    starts = np.flatnonzero(head)
    firsts = order[starts]
    sizes = np.diff(np.append(starts, len(order))) - 1
    by_first = np.argsort(firsts)
    sizes = sizes[by_first]
    first_other = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
    which = np.repeat(starts[by_first] + 1, sizes)
    nth = np.arange(len(which)) - np.repeat(first_other[:-1], sizes)
    return firsts[by_first], first_other, order[which + nth]
