"""How many users there are, without reading them all: the last page is found by doubling and halving.

The list has no total (spec: UsersResponse). What it extrapolates from the pages that it saw it says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from permmigrate.errors import ServiceError
from permmigrate.snapshot.source import ListedUser

_PAGES_AT_MOST: Final = 20_000
_ENVIRONMENT_ROLES: Final = ("technical_admin", "media_library_admin", "media_library_user")

Rows = tuple[ListedUser, ...]
Ask = Callable[[int], Rows | ServiceError]
"""Asks for a page by its number, from 2 on."""


@dataclass(frozen=True, slots=True)
class Users:
    """What a few pages tell of all users."""

    total: int
    page_size: int
    """What a page really holds."""
    limited: int
    """Those whose environments the list does not name."""
    limited_ids: tuple[str, ...]
    """Those of them who were seen."""
    beyond: int
    """Those whose legacy role reaches beyond the product environments, or who have none."""
    exact: bool
    error: ServiceError | None = None
    """What was answered in place of a page."""


def count(first: Rows, asked: int, ask: Ask) -> Users:
    """Find out from the first page and as few others as it takes; `asked` is the page size asked for."""
    pages, error = _find_last(first, ask)
    last = max(number for number, rows in pages.items() if rows or number == 1)
    size = len(first) if last > 1 else max(asked, len(first))
    total = (last - 1) * len(first) + len(pages[last])
    seen = [row for rows in pages.values() for row in rows]
    limited = [row.user.id for row in seen if not row.environments_known]
    beyond = sum(row.user.legacy_role not in _ENVIRONMENT_ROLES for row in seen)
    scale = total / len(seen) if seen else 0
    return Users(
        total,
        max(1, size),
        round(len(limited) * scale),
        tuple(limited),
        round(beyond * scale),
        len(seen) == total and error is None,
        error,
    )


def _find_last(first: Rows, ask: Ask) -> tuple[Mapping[int, Rows], ServiceError | None]:
    """The pages that were read on the way, and what was answered in place of one."""
    pages: dict[int, Rows] = {1: first}
    low, high = 1, 0
    while first and low < _PAGES_AT_MOST and (not high or high - low > 1):
        number = (low + high) // 2 if high else low * 2
        rows = ask(number)
        if isinstance(rows, ServiceError):
            return pages, rows
        seen = {row.user.id for page in pages.values() for row in page}
        pages[number] = rows if any(row.user.id not in seen for row in rows) else ()
        if not pages[number]:
            high = number
        elif len(rows) < len(first):
            low, high = number, number + 1
        else:
            low = number
    return pages, None
