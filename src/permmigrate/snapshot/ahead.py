"""Work done a little ahead, in a thread of its own: to unpack and hash does not need Python's lock.

It is bounded: no more than a few items wait to be taken. It knows nothing of what the items are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Item = TypeVar("Item")


def ahead(items: Generator[Item], waiting: int) -> Generator[Item]:
    """The items, so many of them made before they are asked for; an error comes in its turn.

    Whoever stops early closes it: then the thread is gone, and `items` closed. None of them is None.
    """
    with ThreadPoolExecutor(1, thread_name_prefix="permmigrate-ahead") as thread:
        coming = deque(thread.submit(next, items, None) for _ in range(waiting))
        try:
            while (item := coming.popleft().result()) is not None:
                coming.append(thread.submit(next, items, None))
                yield item
        finally:
            thread.shutdown(cancel_futures=True)
            items.close()
