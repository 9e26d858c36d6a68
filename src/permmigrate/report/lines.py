"""Rows of text as aligned lines for a terminal. What a name could do to a terminal is made visible first."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from permmigrate.report.text import visible


def aligned(rows: Iterable[Sequence[object]], *, indent: str = "", right: Iterable[int] = ()) -> list[str]:
    """Lines of columns two blanks apart, each as wide as its widest cell; those in `right` end together."""
    cells = [[visible(str(cell)) for cell in row] for row in rows]
    widths = [max(map(_width, column)) for column in zip(*cells, strict=True)]
    to_the_right = set(right)

    def cell(text: str, at: int) -> str:
        blanks = " " * (widths[at] - _width(text))
        return blanks + text if at in to_the_right else text + blanks

    return [(indent + "  ".join(cell(text, at) for at, text in enumerate(row))).rstrip() for row in cells]


def _width(text: str) -> int:
    """How many places a terminal gives the text: two for wide characters, none for combining ones."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text
    )
