"""Geometry of the page's drawings: bar segments, heat steps, the dial. The template draws them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from permmigrate.report.matrices import Matrix, Tree

WIDTH: Final = 1000
"""The bars' coordinate width; the page stretches it to the column."""
_STEPS: Final = 5


@dataclass(frozen=True, slots=True)
class Segment:
    """One piece of a stacked bar."""

    word: str
    count: int
    x: float
    width: float


@dataclass(frozen=True, slots=True)
class Bar:
    """One stacked bar and its total."""

    label: str
    total: int
    segments: tuple[Segment, ...]


def bars(matrix: Matrix, *, to_scale: bool = False) -> tuple[Bar, ...]:
    """One bar a row, each to its own full width: shares are compared, totals are written beside.

    With `to_scale` the longest bar is full and the others are as long as they are.
    """
    most = max((sum(counts) for _, counts in matrix.rows), default=0) if to_scale else 0
    return tuple(_bar(label, counts, matrix.columns, most) for label, counts in matrix.rows)


def boughs(tree: Tree) -> tuple[tuple[int, Bar], ...]:
    """Depth and bar of every branch of a tree, to the scale of the fullest."""
    most = max((sum(branch.counts) for branch in tree.branches), default=0)
    return tuple((each.depth, _bar(each.label, each.counts, tree.columns, most)) for each in tree.branches)


def _bar(label: str, counts: tuple[int, ...], words: tuple[str, ...], most: int) -> Bar:
    total = sum(counts)
    segments, x = [], 0.0
    for word, count in zip(words, counts, strict=True):
        if count:
            width = WIDTH * count / (most or total)
            segments.append(Segment(word, count, round(x, 2), round(width, 2)))
            x += width
    return Bar(label, total, tuple(segments))


def portion(part: int, whole: int) -> float:
    """`part` of `whole` on the bars' width; 0 when there is no whole."""
    return round(WIDTH * part / whole, 2) if whole else 0.0


def heat(count: int, most: int) -> int:
    """0 for nothing, 1 to 5 by the square root of the share, so that small counts stay visible."""
    return 0 if not count or not most else max(1, math.ceil(_STEPS * math.sqrt(count / most)))


def dial(score: int, radius: float) -> tuple[float, float]:
    """Dash and gap of a circle's stroke for a score of 0 to 100."""
    around = 2 * math.pi * radius
    return round(around * score / 100, 2), round(around, 2)
