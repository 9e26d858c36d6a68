"""Globs as the tables write them: matching, and whether one glob covers another.

`*`, `?` and `[...]` only. Text that equals its pattern always matches, so that a name with brackets can be
typed as it is.
"""

from __future__ import annotations

import fnmatch
import re
from functools import cache
from typing import Final

_FILLER: Final = "\x00\x01\x02"


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(fnmatch.translate(pattern))


def matches(pattern: str, text: str) -> bool:
    """Match with case: ids are exact."""
    return pattern == text or _compiled(pattern).match(text) is not None


def matches_name(pattern: str, text: str) -> bool:
    """Match without case: names and e-mail addresses are what people type."""
    return matches(pattern.casefold(), text.casefold())


def covers(pattern: str, other: str) -> bool:
    """Whether everything that `other` matches is surely matched by `pattern`.

    Errs to no: two patterns with `[...]` are compared as text only. A `*` in `other` is tried as nothing and
    as more unheard-of characters than `pattern` has places, which only a `*` of `pattern` can take.
    """
    if pattern in ("*", other):
        return True
    if "[" in pattern or "[" in other:
        return False
    fillings = ("", _FILLER * (len(pattern) + 1))
    return all(matches(pattern, other.replace("*", filling).replace("?", "\x03")) for filling in fillings)
