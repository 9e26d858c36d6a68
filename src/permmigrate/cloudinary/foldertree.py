"""Every folder of a product environment: one search where it can be complete, else a walk of the tree.

A search is limited to 2,000 results (spec: searchFolders) and reads an index, so it counts only when its
own total and the tree's parents say that nothing is missing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final, Protocol, TypeVar

from permmigrate.cloudinary import wire
from permmigrate.cloudinary.credentials import KeyPair
from permmigrate.cloudinary.session import Session
from permmigrate.errors import CredentialsError, MalformedAnswerError, ServiceError
from permmigrate.model import Folder, FolderId, ProductEnvironment
from permmigrate.snapshot.source import Reading

T = TypeVar("T")
S = TypeVar("S")

SEARCH: Final = "GET /v1_1/{cloud_name}/folders/search"
ROOT: Final = "GET /v1_1/{cloud_name}/folders"
CHILDREN: Final = "GET /v1_1/{cloud_name}/folders/{folder}"

SEARCH_LIMIT: Final = 2000
_PER_PAGE: Final = 500


class Each(Protocol):
    """Reads items side by side, in order."""

    def __call__(self, items: Iterable[S], read: Callable[[S], T]) -> Iterator[T]: ...


def read_folders(
    session: Session,
    key: KeyPair,
    environment: ProductEnvironment,
    each: Each,
    found: Callable[[int], None],
) -> Iterator[Reading[Folder]]:
    """Yield the folders in one reading, and one more for every part of the tree that could not be read."""
    whole = _search(session, key, environment)
    if whole is not None:
        yield Reading(SEARCH, whole, environment.name)
        return
    yield from _walk(session, key, environment, each, found)


def _search(session: Session, key: KeyPair, environment: ProductEnvironment) -> tuple[Folder, ...] | None:
    """The whole tree, or None when a search cannot prove that it is whole."""
    values, folders = {"cloud_name": environment.cloud_name}, dict[FolderId, Folder]()
    total: int | None = None
    try:
        for page in session.pages(SEARCH, values, {"max_results": _PER_PAGE}, key=key, cursor="next_cursor"):
            total = page.count("total_count")
            if total is None or total >= SEARCH_LIMIT:
                return None
            folders.update((folder.id, folder) for folder in wire.folders(page, environment.id))
    except CredentialsError:
        raise
    except ServiceError:
        return None
    paths = {folder.path for folder in folders.values()}
    parents = {path.rpartition("/")[0] for path in paths} - {""}
    return tuple(folders.values()) if len(folders) == total and parents <= paths else None


def _walk(
    session: Session,
    key: KeyPair,
    environment: ProductEnvironment,
    each: Each,
    found: Callable[[int], None],
) -> Iterator[Reading[Folder]]:
    """Ask for the root's folders, then level by level for every folder's own."""

    def level(path: str) -> Reading[Folder]:
        endpoint, values = (CHILDREN, {"folder": path}) if path else (ROOT, {})
        values = values | {"cloud_name": environment.cloud_name}
        try:
            return Reading(endpoint, _list(session, key, endpoint, values, environment), path)
        except CredentialsError:
            raise
        except ServiceError as error:
            return Reading(endpoint, (), path, error)

    root = level("")
    if root.error is not None:
        yield Reading(ROOT, (), environment.name, root.error)
        return
    folders = {folder.id: folder for folder in root.rows}
    failed: list[Reading[Folder]] = []
    asked: Sequence[Folder] = root.rows
    while asked:
        new: dict[FolderId, Folder] = {}
        for reading in each([folder.path for folder in asked], level):
            new.update((folder.id, folder) for folder in reading.rows if folder.id not in folders)
            found(len(folders) + len(new))
            if reading.error is not None:
                failed.append(Reading(CHILDREN, (), f"{environment.name}: {reading.subject}", reading.error))
        folders.update(new)
        asked = tuple(new.values())
    yield Reading(CHILDREN if root.rows else ROOT, tuple(folders.values()), environment.name, note="walked")
    yield from failed


def _list(
    session: Session, key: KeyPair, endpoint: str, values: dict[str, str], environment: ProductEnvironment
) -> tuple[Folder, ...]:
    rows: dict[FolderId, Folder] = {}
    total: int | None = None
    for page in session.pages(endpoint, values, {"max_results": _PER_PAGE}, key=key, cursor="next_cursor"):
        total = page.count("total_count")
        rows.update((folder.id, folder) for folder in wire.folders(page, environment.id))
    if total is not None and total > len(rows):
        raise MalformedAnswerError(
            f"`{endpoint}` gave {len(rows)} of {total} folders and no way to the others",
            hint="the service lists at most 2000 of one folder",
        )
    return tuple(rows.values())
