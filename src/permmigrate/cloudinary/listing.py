"""Lists that are paged by number, from servers of which it is not known how they count.

The spec gives `page` and `page_size` without saying where counting starts, what a page may hold at most or
what follows the last one. Nothing is assumed: pages are asked for until one brings nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import TypeVar

from permmigrate.cloudinary.session import Params
from permmigrate.errors import CredentialsError, MalformedAnswerError, ServiceError

T = TypeVar("T")

PAGES_AT_MOST = 20_000


def numbered_pages(
    read: Callable[[Params], tuple[T, ...]], identity: Callable[[T], Hashable], page_size: int
) -> tuple[T, ...]:
    """Read page 1, 2, ... until a page brings no new row; then page 0, for a server that starts there.

    A server that ignores `page` and one that repeats its last page both end the walk. A row that moved to
    a later page while we read is kept once.
    """
    rows: dict[Hashable, T] = {}

    def took(page: int) -> bool:
        new = [row for row in read({"page": page, "page_size": page_size}) if identity(row) not in rows]
        rows.update((identity(row), row) for row in new)
        return bool(new)

    for page in range(1, PAGES_AT_MOST):
        if not took(page):
            break
    else:
        raise MalformedAnswerError(f"the list did not end after {PAGES_AT_MOST} pages")
    try:
        took(0)
    except CredentialsError:
        raise
    except ServiceError as error:
        if error.status is None or not 400 <= error.status < 500:
            raise
    return tuple(rows.values())
