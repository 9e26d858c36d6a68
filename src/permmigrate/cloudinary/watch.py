"""What is remembered of the ends of lists, to see in the end whether they changed while all was read.

People and groups are looked at again whole, and so are assignments on few pages. Of assignments on many pages
the last one is: what is added or taken away later moves it, what changes in place before it is not seen.
Other areas are not looked at again: folders are counted instead where a search can.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, Protocol, TypeVar

from permmigrate.cloudinary.listing import Listed
from permmigrate.cloudinary.session import Params
from permmigrate.errors import CredentialsError, ServiceError
from permmigrate.snapshot.source import Change

S = TypeVar("S")
T = TypeVar("T")

ROUNDS: Final = 3
"""Each time an area is read its questions get numbers of their own: read, read again at once, look again."""


class Each(Protocol):
    """Reads items side by side, in order."""

    def __call__(self, items: Iterable[S], read: Callable[[S], T]) -> Iterator[T]: ...


@dataclass(frozen=True, slots=True)
class _End:
    area: str
    endpoint: str
    subject: str
    asked: Params
    seen: tuple[Hashable, ...]
    look: Callable[[Params, int], tuple[Hashable, ...]]


class Watch:
    """The ends of the lists that were read; safe to use from several threads."""

    def __init__(self) -> None:
        self._ends: dict[str, list[_End]] = defaultdict(list)
        self._rounds: dict[str, int] = defaultdict(int)
        self._lock = threading.Lock()

    def round(self, area: str) -> int:
        """The number that an area's questions have this time."""
        return self._rounds[area]

    def renew(self, area: str) -> None:
        """Forget an area's ends: it is read anew."""
        with self._lock:
            self._ends[area] = []
            self._rounds[area] += ROUNDS

    def remember(
        self,
        area: str,
        endpoint: str,
        subject: str,
        listed: Listed[Any],
        end: Callable[[Params, int], tuple[Any, ...]],
        look: Callable[[Any], Hashable],
    ) -> None:
        """Keep how a list ended, as `look` sees each row; `end` asks for a page of it."""

        def again(asked: Params, number: int) -> tuple[Hashable, ...]:
            return tuple(look(row) for row in end(asked, number))

        with self._lock:
            self._ends[area].extend(
                _End(area, endpoint, subject, asked, tuple(look(row) for row in rows), again)
                for asked, rows in listed.tails
            )

    def changes(self, each: Each) -> tuple[Change, ...]:
        """Look at every remembered end again, once; return those that differ or cannot be seen, in order."""
        with self._lock:
            ends = [end for ends in self._ends.values() for end in ends]
            self._ends.clear()
        found = [change for change in each(ends, self._change) if change is not None]
        return tuple(sorted(found, key=lambda change: (change.area, change.endpoint, change.subject)))

    def _change(self, end: _End) -> Change | None:
        try:
            seen = end.look(end.asked, self._rounds[end.area] + ROUNDS - 1)
        except CredentialsError:
            raise
        except ServiceError as error:
            return Change(end.area, end.endpoint, end.subject, error)
        same = sorted(seen, key=repr) == sorted(end.seen, key=repr)
        return None if same else Change(end.area, end.endpoint, end.subject)
