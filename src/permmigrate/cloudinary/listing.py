"""Lists that are paged by number, from servers of which it is not known how they count.

The spec gives `page` and `page_size` without saying where counting starts, what a page may hold at most or
what follows the last one. Nothing is assumed: pages are asked for until one brings nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Final, TypeVar

from permmigrate.cloudinary.session import Params
from permmigrate.errors import MalformedAnswerError

T = TypeVar("T")

PAGES_AT_MOST: Final = 20_000


def numbered_pages(
    endpoint: str,
    read: Callable[[Params], tuple[tuple[T, ...], int | None]],
    identity: Callable[[T], Hashable],
    page_size: int,
) -> tuple[T, ...]:
    """Read the list without a page's number, then pages 1, 2, ... until one from 2 on brings no new row.

    That is whole for servers that count from 0, count from 1, ignore `page`, repeat their last page or give
    fewer rows than asked. A total, where the answer has one, ends the walk early and is held against the
    rows in the end. A row that moved to a later page while we read is kept once.
    """
    rows: dict[Hashable, T] = {}
    total: int | None = None
    for page in range(PAGES_AT_MOST):
        found, total = read({"page_size": page_size} | ({"page": page} if page else {}))
        before = len(rows)
        for row in found:
            rows.setdefault(identity(row), row)
        if len(rows) == total or (page > 1 and len(rows) == before):
            break
    else:
        raise MalformedAnswerError(f"`{endpoint}` did not end after {PAGES_AT_MOST} pages")
    if total is not None and len(rows) < total:
        raise MalformedAnswerError(f"`{endpoint}` gave {len(rows)} of {total} rows and no way to the others")
    return tuple(rows.values())
