"""Make text from an account safe to look at: what is invisible or reorders its neighbours becomes visible.

It does not escape HTML (Jinja does) and it never shortens: a name stays readable and whole.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Final

_BIDI_AND_INVISIBLE: Final = (
    "\u061c\u200b\u200e\u200f\u2028\u2029\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff\u00ad\ufff9-\ufffb"
)
_LOUD: Final = re.compile(f"[\x00-\x1f\x7f-\x9f{_BIDI_AND_INVISIBLE}\ud800-\udfff\ufffe\uffff]")


def visible(text: str) -> str:
    """Show control characters as their pictures (U+2400 and on) and direction marks as `<U+202E>`.

    Joiners (U+200C, U+200D) stay: scripts and emoji need them. The result is one line.
    """
    return _LOUD.sub(_picture, text)


def _picture(match: re.Match[str]) -> str:
    code = ord(match.group())
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    return f"\u2039U+{code:04X}\u203a"


def plural(count: int, one: str, many: str = "") -> str:
    """`1 person`, `2,300 people`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(parts: list[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(parts) < 2:
        return "".join(parts)
    return ", ".join(parts[:-1]) + " and " + parts[-1]


def moment(stamp: str) -> str:
    """`2026-11-22T07:05:00Z` as `22 November 2026, 07:05 UTC`; anything else as it is."""
    try:
        when = datetime.fromisoformat(stamp)
    except ValueError:
        return stamp
    if when.tzinfo is None:
        return stamp
    when = when.astimezone(UTC)
    return f"{when.day} {_MONTHS[when.month - 1]} {when.year}, {when:%H:%M} UTC"


_MONTHS: Final = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
