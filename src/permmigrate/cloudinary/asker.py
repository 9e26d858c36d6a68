"""How one thing after another is asked of an account, and what becomes of each: a `Reading`.

A refusal is kept in the reading; a 401 is raised. It knows neither endpoints nor what is on their pages.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from permmigrate.cloudinary.credentials import KeyPair
from permmigrate.cloudinary.listing import Listed, by_cursor
from permmigrate.cloudinary.questions import Questions
from permmigrate.cloudinary.record import Record
from permmigrate.cloudinary.session import Params
from permmigrate.cloudinary.watch import Watch
from permmigrate.errors import CredentialsError, MalformedAnswerError, ServiceError
from permmigrate.snapshot.source import Reading

T = TypeVar("T")
S = TypeVar("S")


class Asker:
    """Asks for one account with its key, side by side in a pool; remembers how lists ended."""

    def __init__(self, questions: Questions, pool: ThreadPoolExecutor, account_id: str, key: KeyPair) -> None:
        self.questions = questions
        self.watch = Watch()
        self._pool = pool
        self._account_id = account_id
        self._key = key

    def ask(self, endpoint: str, params: Params, again: int = 0, **values: str) -> Record:
        owner = {"account_id": self._account_id}
        return self.questions.read(endpoint, owner | values, params, key=self._key, again=again)

    def all(
        self,
        endpoint: str,
        params: Params,
        parse: Callable[[Record], tuple[T, ...]],
        identity: Callable[[T], Hashable],
        *,
        again: int = 0,
        **values: str,
    ) -> Listed[T]:
        owner = {"account_id": self._account_id}
        pages = self.questions.pages(endpoint, owner | values, params, key=self._key, again=again)
        return by_cursor(((asked, parse(page)) for asked, page in pages), identity)

    def plainly(self, endpoint: str, read: Callable[[], Iterable[T]], subject: str = "") -> Reading[T]:
        self.questions.begin()
        try:
            return Reading(endpoint, tuple(read()), subject, at=self.questions.at)
        except CredentialsError:
            raise
        except ServiceError as error:
            return Reading(endpoint, (), subject, error, at=self.questions.at)

    def settled(
        self,
        area: str,
        endpoint: str,
        read: Callable[[int], Listed[T]],
        end: Callable[[Params, int], tuple[T, ...]],
        look: Callable[[T], Hashable],
        subject: str = "",
    ) -> Reading[T]:
        """Read a list, once more when it changed meanwhile, and remember its end to look at again."""
        again = self.watch.round(area)
        note = ""
        self.questions.begin()
        try:
            listed = read(again)
            if listed.torn:
                note = f"read again, because it changed meanwhile: {listed.torn}"
                listed = read(again + 1)
        except CredentialsError:
            raise
        except ServiceError as error:
            return Reading(endpoint, (), subject, error, at=self.questions.at)
        at = self.questions.at
        if listed.torn:
            return Reading(endpoint, listed.rows, subject, _torn(endpoint, listed.torn), at=at)
        self.watch.remember(area, endpoint, subject, listed, end, look)
        return Reading(endpoint, listed.rows, subject, note=note, at=at)

    def each(self, items: Iterable[S], read: Callable[[S], T]) -> Iterator[T]:
        """Read the items side by side and yield what came of them in order; leaving early drops the rest."""
        futures = [self._pool.submit(read, item) for item in items]
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def _torn(endpoint: str, how: str) -> MalformedAnswerError:
    return MalformedAnswerError(
        f"`{endpoint}` changed while it was read, and again while it was read again: {how}",
        hint="take the snapshot when less is going on",
        status=200,
    )
