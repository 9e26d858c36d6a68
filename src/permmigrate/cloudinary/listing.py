"""Lists in pages, from servers of which it is not known how they page.

The spec gives `page` and `page_size` without saying where counting starts, what a page may hold at most or
what follows the last one. Nothing is assumed: pages are asked for until one brings nothing new.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from permmigrate.cloudinary.choices import looked_at_again
from permmigrate.cloudinary.record import Record
from permmigrate.cloudinary.session import Params
from permmigrate.errors import MalformedAnswerError

T = TypeVar("T")

Page = tuple[Params, tuple[T, ...]]
"""What was asked, and the rows that came."""

PAGES_AT_MOST: Final = 20_000


@dataclass(frozen=True, slots=True)
class Listed(Generic[T]):
    """A list in whole, each row once, and what its end looked like."""

    rows: tuple[T, ...]
    torn: str = ""
    """How it showed that the list changed while it was read; empty when it did not."""
    tails: tuple[Page[T], ...] = ()
    """What to ask again, and what came, to see whether the list is still as it was."""
    straight: bool = False
    """Whether the server was seen to count pages from 1 and to fill them as asked."""


def cursor_pages(
    endpoint: str, read: Callable[[Params], Record], params: Params, cursor: str
) -> Iterator[tuple[Params, Record]]:
    """Yield page after page for as long as answers carry a new `next_cursor`, each with what was asked."""
    asked: dict[str, str | int | bool] = dict(params)
    seen: set[str] = set()
    for _ in range(PAGES_AT_MOST):
        page = read(asked)
        yield dict(asked), page
        following = page.optional_text("next_cursor")
        if not following:
            return
        if following in seen:
            raise MalformedAnswerError(f"`{endpoint}` repeats a cursor", hint="its pages would never end")
        seen.add(following)
        asked[cursor] = following
    raise MalformedAnswerError(f"`{endpoint}` did not end after {PAGES_AT_MOST} pages")


def by_cursor(pages: Iterable[tuple[Params, tuple[T, ...]]], identity: Callable[[T], Hashable]) -> Listed[T]:
    """Put pages together. A row on two pages shows that rows moved while the pages were read."""
    rows: dict[Hashable, T] = {}
    twice = 0
    read: list[Page[T]] = []
    for asked, found in pages:
        fresh = {identity(row): row for row in found}
        twice += sum(name in rows for name in fresh)
        rows |= fresh
        read.append((asked, found))
    return Listed(
        tuple(rows.values()),
        _torn(twice),
        tuple(read[len(read) - looked_at_again(len(read), numbered=False) :]),
    )


def numbered_pages(
    endpoint: str,
    read: Callable[[Params], tuple[tuple[T, ...], int | None]],
    identity: Callable[[T], Hashable],
    page_size: int,
) -> Listed[T]:
    """Read the list without a page's number, then pages 1, 2, ... until one from 2 on brings no new row.

    That is whole for servers that count from 0, count from 1, ignore `page`, repeat their last page or give
    fewer rows than asked. A total, where the answer has one, ends the walk early and is held against the
    rows in the end. A page that holds rows both new and seen shows that rows moved while we read.
    """
    rows: dict[Hashable, T] = {}
    total: int | None = None
    twice = largest = first = 0
    straight = False
    filled: list[Page[T]] = []
    behind: tuple[Page[T], ...] = ()
    for page in range(PAGES_AT_MOST):
        asked: Params = {"page_size": page_size} | ({"page": page} if page else {})
        found, total = read(asked)
        before = len(rows)
        for row in found:
            rows.setdefault(identity(row), row)
        new = len(rows) - before
        largest = max(largest, len(found))
        if page == 0:
            first = len(found)
        elif page == 1:
            straight = not new and first == len(found) == page_size
        if new:
            twice += len(found) - new
            filled.append((asked, found))
            behind = ()
        elif page > 1 and filled and len(filled[-1][1]) == largest:  # it may be full, whatever was asked for
            behind = behind or ((asked, found),)
        if len(rows) == total or (page > 1 and not new):
            break
    else:
        raise MalformedAnswerError(f"`{endpoint}` did not end after {PAGES_AT_MOST} pages")
    if total is not None and len(rows) < total:
        raise MalformedAnswerError(f"`{endpoint}` gave {len(rows)} of {total} rows and no way to the others")
    return Listed(tuple(rows.values()), _torn(twice), (*filled, *behind), straight)


def straight_pages(
    endpoint: str,
    read: Callable[[Params], tuple[tuple[T, ...], int | None]],
    identity: Callable[[T], Hashable],
    page_size: int,
) -> Listed[T]:
    """Read pages 1, 2, ... to the first that is not full, from a server that was seen to be straight.

    Raises MalformedAnswerError when a page repeats rows or holds more than was asked for.
    """
    rows: dict[Hashable, T] = {}
    for page in range(1, PAGES_AT_MOST):
        asked: Params = {"page_size": page_size, "page": page}
        found, _ = read(asked)
        before = len(rows)
        rows.update((identity(row), row) for row in found)
        if len(rows) - before != len(found) or len(found) > page_size:
            raise MalformedAnswerError(f"`{endpoint}` does not page as it did before")
        if len(found) < page_size:
            return Listed(tuple(rows.values()), tails=((asked, found),), straight=True)
    raise MalformedAnswerError(f"`{endpoint}` did not end after {PAGES_AT_MOST} pages")


def _torn(twice: int) -> str:
    return f"{twice} rows came twice" if twice else ""
