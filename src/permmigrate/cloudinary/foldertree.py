"""Every folder of a product environment, by the fewest calls that can be shown to have found them all.

A search is limited to 2,000 results (spec: searchFolders) and reads an index. Larger trees are read below
each folder of the root (spec: getFolderDescendants), by searches of parts, or folder by folder, whichever
answers and adds up first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from permmigrate.cloudinary import choices, wire
from permmigrate.cloudinary.credentials import KeyPair
from permmigrate.cloudinary.questions import Questions
from permmigrate.cloudinary.record import Record
from permmigrate.cloudinary.session import Params
from permmigrate.errors import (
    CredentialsError,
    MalformedAnswerError,
    ServiceError,
    ThrottledError,
    UnreachableError,
)
from permmigrate.model import Folder, FolderId, ProductEnvironment
from permmigrate.snapshot.source import Reading

T = TypeVar("T")
S = TypeVar("S")

SEARCH: Final = "GET /v1_1/{cloud_name}/folders/search"
ROOT: Final = "GET /v1_1/{cloud_name}/folders"
CHILDREN: Final = "GET /v1_1/{cloud_name}/folders/{folder}"
DESCENDANTS: Final = "PUT /v1_1/{cloud_name}/folders/descendants"
"""A read, spelled PUT."""


Rows = dict[FolderId, Folder]


class Each(Protocol):
    """Reads items side by side, in order."""

    def __call__(self, items: Iterable[S], read: Callable[[S], T]) -> Iterator[T]: ...


class _UnprovedError(Exception):
    """A way of reading did not show that it found everything."""


@dataclass(frozen=True, slots=True)
class Tree:
    """One environment's tree: whom to ask, and how to ask side by side."""

    questions: Questions
    key: KeyPair
    environment: ProductEnvironment
    each: Each
    found: Callable[[int], None]

    def read(self) -> Iterator[Reading[Folder]]:
        """Yield the folders in one reading, and one more for every part that could not be read."""
        self.questions.begin()
        name = self.environment.name
        try:
            total, rows = self._search("")
            if total is not None and choices.searched_whole(total) and _whole(rows, total):
                yield Reading(SEARCH, tuple(rows.values()), name, at=self.questions.at)
                return
            roots = self._list(ROOT, {})
        except (UnreachableError, ThrottledError) as error:
            yield Reading(SEARCH, (), name, error, at=self.questions.at)
            return
        except CredentialsError:
            raise
        except ServiceError as error:
            yield Reading(ROOT, (), name, error, at=self.questions.at)
            return
        self.found(len(roots))
        for way in (self._below_roots, self._parts) if roots else ():
            try:
                yield way(roots, total)
                return
            except CredentialsError:
                raise
            except (UnreachableError, ThrottledError) as error:
                yield Reading(ROOT, tuple(roots.values()), name, error, at=self.questions.at)
                return
            except (_UnprovedError, ServiceError):
                continue
        yield from self._walk(roots)

    def _below_roots(self, roots: Rows, total: int | None) -> Reading[Folder]:
        """Ask for all that is below each folder of the root; the first answer tells whether it works."""
        at = [self.questions.at]

        def below(root: Folder) -> Rows:
            self.questions.begin()
            body = {"id": root.id, "inclusive": True}
            record = self.questions.read(DESCENDANTS, self._values({}), key=self.key, body=body)
            rows = {folder.id: folder for folder in wire.folders(record, self.environment.id)} | {
                root.id: root
            }
            at.append(self.questions.at)
            if not all(
                folder.path == root.path or folder.path.startswith(f"{root.path}/")
                for folder in rows.values()
            ):
                raise _UnprovedError
            return rows

        first, *others = roots.values()
        rows = below(first)
        for more in self.each(others, below):
            rows |= more
            self.found(len(rows))
        if total is not None and total != choices.SEARCH_LIMIT and total != len(rows):
            total = self._total(again=1)
        if not _closed(rows) or total not in (None, choices.SEARCH_LIMIT, len(rows)):
            raise _UnprovedError
        counted = "as many as a search counts"
        if total is None:
            counted = "not counted by a search, which did not answer"
        elif total != len(rows):
            counted = f"a search counts to {choices.SEARCH_LIMIT:,} only"
        note = f"all below each of {len(roots)} root folders; {counted}"
        return Reading(DESCENDANTS, tuple(rows.values()), self.environment.name, note=note, at=max(at))

    def _parts(self, roots: Rows, total: int | None) -> Reading[Folder]:
        """Search each folder of the root, and the folders below where a search would be cut short."""
        if total is None:
            raise _UnprovedError
        rows: Rows = {}
        parts, at = 0, [self.questions.at]

        def part(top: Folder) -> tuple[Rows, Rows, str]:
            """All of a part, or its folders one level below when it is too large."""
            self.questions.begin()
            count, found = self._search(top.path)
            if count is None:
                raise _UnprovedError
            if count >= choices.SEARCH_LIMIT:
                return {}, self._list(CHILDREN, {"folder": top.path}), self.questions.at
            if len(found) != count or not all(
                folder.path == top.path or folder.path.startswith(f"{top.path}/") for folder in found.values()
            ):
                raise _UnprovedError
            return found, {}, self.questions.at

        asked: Sequence[Folder] = tuple(roots.values())
        while asked:
            rows.update((folder.id, folder) for folder in asked)
            further: Rows = {}
            for whole, below, moment in self.each(asked, part):
                rows |= whole
                further |= {one: folder for one, folder in below.items() if one not in rows}
                at.append(moment)
                parts += bool(whole)
                self.found(len(rows))
            asked = tuple(further.values())
        if not _whole(rows, total):
            raise _UnprovedError
        note = f"searched in {parts} parts; as many as one search counts"
        return Reading(SEARCH, tuple(rows.values()), self.environment.name, note=note, at=max(at))

    def _walk(self, roots: Rows) -> Iterator[Reading[Folder]]:
        """Level by level, ask for every folder's own."""
        name = self.environment.name
        folders, failed, at = dict(roots), list[Reading[Folder]](), [self.questions.at]

        def level(path: str) -> Reading[Folder]:
            self.questions.begin()
            try:
                rows = tuple(self._list(CHILDREN, {"folder": path}).values())
                return Reading(CHILDREN, rows, path, at=self.questions.at)
            except CredentialsError:
                raise
            except ServiceError as error:
                return Reading(CHILDREN, (), path, error, at=self.questions.at)

        asked: Sequence[Folder] = tuple(roots.values())
        while asked:
            new: Rows = {}
            for reading in self.each([folder.path for folder in asked], level):
                new.update((folder.id, folder) for folder in reading.rows if folder.id not in folders)
                self.found(len(folders) + len(new))
                at.append(reading.at)
                if reading.error is not None:
                    subject = f"{name}: {reading.subject}"
                    failed.append(Reading(CHILDREN, (), subject, reading.error, at=reading.at))
            folders |= new
            asked = tuple(new.values())
        endpoint = CHILDREN if roots else ROOT
        yield Reading(endpoint, tuple(folders.values()), name, note="walked", at=max(at))
        yield from failed

    def _search(self, path: str) -> tuple[int | None, Rows]:
        """How many folders a search counts and those it gives; none when it says that it is cut short.

        Without a count when the search does not answer as it should. Raises when nobody answers at all.
        """
        rows: Rows = {}
        total: int | None = None
        params: dict[str, str | int | bool] = {"max_results": choices.FOLDERS_A_PAGE}
        if path:
            params["expression"] = 'path:"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
        try:
            for page in self._pages(SEARCH, {}, params):
                total = page.count("total_count")
                rows |= {folder.id: folder for folder in wire.folders(page, self.environment.id)}
                if total is None or total >= choices.SEARCH_LIMIT:
                    break
        except (CredentialsError, UnreachableError, ThrottledError):
            raise
        except ServiceError:
            return None, {}
        return total, rows

    def _total(self, *, again: int) -> int | None:
        try:
            params = {"max_results": 1}
            return self.questions.read(SEARCH, self._values({}), params, key=self.key, again=again).count(
                "total_count"
            )
        except (CredentialsError, UnreachableError, ThrottledError):
            raise
        except ServiceError:
            return None

    def _list(self, endpoint: str, values: dict[str, str]) -> Rows:
        rows: Rows = {}
        total: int | None = None
        for page in self._pages(endpoint, values, {"max_results": choices.FOLDERS_A_PAGE}):
            total = page.count("total_count")
            rows.update((folder.id, folder) for folder in wire.folders(page, self.environment.id))
        if total is not None and total > len(rows):
            raise MalformedAnswerError(
                f"`{endpoint}` gave {len(rows)} of {total} folders and no way to the others",
                hint="the service lists at most 2000 of one folder",
            )
        return rows

    def _pages(self, endpoint: str, values: dict[str, str], params: Params) -> Iterator[Record]:
        pages = self.questions.pages(
            endpoint, self._values(values), params, key=self.key, cursor="next_cursor"
        )
        return (page for _, page in pages)

    def _values(self, values: dict[str, str]) -> dict[str, str]:
        return {"cloud_name": self.environment.cloud_name} | values


def _whole(rows: Rows, total: int) -> bool:
    return len(rows) == total and _closed(rows)


def _closed(rows: Rows) -> bool:
    """Whether the folder above each folder is there too."""
    paths = {folder.path for folder in rows.values()}
    return {path.rpartition("/")[0] for path in paths} - {""} <= paths
