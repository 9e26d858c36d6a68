"""The reads of one capture, each asked once: what a spool holds from an earlier run is not asked again.

What goes further is the same whether it comes from the service or from the spool. It knows endpoints and
pages, not what is on them.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import httpx

from permmigrate.cloudinary import answer
from permmigrate.cloudinary.credentials import KeyPair
from permmigrate.cloudinary.kept import kept, may_hold
from permmigrate.cloudinary.listing import cursor_pages
from permmigrate.cloudinary.record import Record
from permmigrate.cloudinary.session import Params, Session
from permmigrate.errors import MalformedAnswerError
from permmigrate.snapshot.spool import Kept, Question


class Memory(Protocol):
    """Where answers are kept; a `Spool` is one."""

    def find(self, question: Question) -> Kept | None: ...
    def keep(self, question: Question, kept: Kept) -> None: ...


class Questions:
    """Asks through a session; safe to use from several threads."""

    def __init__(self, session: Session, memory: Memory | None = None) -> None:
        self._session = session
        self._memory = memory
        self._here = threading.local()

    def begin(self) -> None:
        """Start a reading in this thread: forget when the last answers came."""
        self._here.at = ""

    @property
    def at(self) -> str:
        """When the latest answer since `begin` came; empty when there was none."""
        return str(getattr(self._here, "at", ""))

    def read(
        self,
        endpoint: str,
        values: Mapping[str, str] | None = None,
        params: Params | None = None,
        *,
        key: KeyPair | None = None,
        body: Mapping[str, Any] | None = None,
        again: int = 0,
    ) -> Record:
        """Ask, or find what was answered before. `again` makes another question of the same words.

        Raises the ServiceError that fits, as `Session.read` does.
        """
        question = [endpoint, dict(values or {}), dict(params or {}), dict(body or {}), again]
        found = None if self._memory is None else self._memory.find(question)
        if found is None:
            found = self._asked(question, endpoint, values, params, key=key, body=body)
        self._here.at = max(self.at, found.at)
        if found.status != 200:
            raise answer.refusal(endpoint, found.status, found.body, key)
        return Record(found.body, endpoint)

    def _asked(
        self,
        question: Question,
        endpoint: str,
        values: Mapping[str, str] | None,
        params: Params | None,
        *,
        key: KeyPair | None,
        body: Mapping[str, Any] | None,
    ) -> Kept:
        """Ask; the answer is written down while its call still counts as on its way."""
        found: list[Kept] = []

        def take(response: httpx.Response) -> None:
            found.append(self._understood(endpoint, response, key))
            if self._memory is not None:
                self._memory.keep(question, found[0])

        self._session.fetch(endpoint, values, params, key=key, body=body, take=take)
        return found[0]

    def pages(
        self,
        endpoint: str,
        values: Mapping[str, str] | None = None,
        params: Params | None = None,
        *,
        key: KeyPair | None = None,
        cursor: str = "cursor",
        again: int = 0,
    ) -> Iterator[tuple[Params, Record]]:
        """Yield page after page by cursor, each with the parameters it was asked for with."""
        return cursor_pages(
            endpoint,
            lambda asked: self.read(endpoint, values, asked, key=key, again=again),
            params or {},
            cursor,
        )

    def _understood(self, endpoint: str, response: httpx.Response, key: KeyPair | None) -> Kept:
        """What is worth keeping: JSON, or a refusal that will stay one. Raises for anything else."""
        status, secrets = response.status_code, self._session.secrets
        at = self._session.timing.now().strftime("%Y-%m-%dT%H:%M:%SZ")
        if 400 <= status < 500 and not (status == 401 and key):
            return Kept(status, answer.told(response, secrets), at)
        content = answer.content(endpoint, response, key, secrets)
        try:
            return Kept(status, kept(content, secrets if may_hold(response.content, secrets) else ()), at)
        except RecursionError:
            raise MalformedAnswerError(f"`{endpoint}` has an answer that is nested too deeply") from None
