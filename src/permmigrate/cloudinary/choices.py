"""What a reader chooses where there are several ways, in one place: it reads so, and a doctor counts so.

Pure numbers and rules; it sends nothing.
"""

from __future__ import annotations

from typing import Final

WORKERS: Final = 8
"""Calls at the same time. With 16 one client still gets faster, but no longer in proportion."""
WORKERS_AT_MOST: Final = 16
"""With more than these one client only gets slower."""
RATE_SHARE: Final = 0.5
"""How much of an hourly allowance a reader uses at most."""

USERS_A_PAGE: Final = 1000
CAREFUL_PAGE: Final = 100
"""What to ask for where a larger page is refused."""
KEYS_A_PAGE: Final = 100
"""The most that a page of access keys holds (spec: page_size)."""
FOLDERS_A_PAGE: Final = 500
"""The most that a page of a search holds (spec: max_results)."""
SEARCH_LIMIT: Final = 2000
"""The most results of one search (spec: searchFolders)."""

SAMPLE: Final = 3
"""So many people are asked for one by one, to see that the shorter way tells the same."""
_WHOLE_AGAIN: Final = 3


def by_environment(users: int, limited: int, environments: int) -> bool:
    """Whether to ask each environment for its users, and not each limited user for their environments.

    Calls are counted by careful pages, so that the choice does not hang on what a page really holds.
    """
    pages = environments * (users // CAREFUL_PAGE + 2)
    return environments > 0 and pages + min(SAMPLE, limited) < limited


def searched_whole(total: int | None) -> bool:
    """Whether one search gives a whole tree of so many folders; None when it does not say how many."""
    return total is not None and total < SEARCH_LIMIT


def looked_at_again(pages: int, *, numbered: bool) -> int:
    """How many pages of a list, counted from its end, are looked at again when all was read.

    All where pages have numbers: who goes while they are read pulls another over to a page that was read
    already, and neither the number of rows nor the last page shows it. All of a short list by cursor, too,
    and the last page of a longer one: whatever is added or taken away after it was read moves that.
    """
    return pages if numbered or pages <= _WHOLE_AGAIN else 1
