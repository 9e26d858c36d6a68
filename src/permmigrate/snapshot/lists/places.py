"""Environments, folders and collections from lists, and from the rows that name them.

A folder has its parents, whether a list names them or not. A list of folders is taken as all there are: what
others name beside it is left to be told as unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Final

from permmigrate.model import (
    Collection,
    CollectionId,
    ContentKind,
    EnvironmentId,
    Folder,
    FolderId,
    ProductEnvironment,
)
from permmigrate.snapshot.lists import words
from permmigrate.snapshot.lists.making import Making
from permmigrate.snapshot.lists.row import ListRow
from permmigrate.snapshot.lists.schema import API_KEYS, COLLECTIONS, ENVIRONMENTS, FOLDERS, USERS
from permmigrate.snapshot.shareresolve import Names, environment_names

_EXTERNAL_ID: Final = re.compile(r"[0-9a-f]{24,}")
"""What the vendor's folder ids look like, and what nobody calls a folder."""
NOTES_AT_MOST: Final = 20


def environments(making: Making) -> tuple[ProductEnvironment, ...]:
    """The environments listed, or those that rows name; also the names of them all, in `making`."""
    there_already = making.base.environments if making.base else ()
    found: dict[str, ProductEnvironment] = {one.id: one for one in there_already}
    making.environments = environment_names(found.values())
    known = environment_names(making.ids_from.environments) if making.ids_from else Names("environment")
    rows = making.lists.rows(ENVIRONMENTS)
    for row in rows:
        one = _environment(making, row, known)
        if one is None:
            continue
        before = making.environments.get(row.get("id") or one.cloud_name)
        if not before:
            found[one.id] = one
            making.environments.add(one.id, one.cloud_name)
            making.environments.add(one.id, one.name)
        elif (there := found[before]) and (there.cloud_name, there.enabled) == (one.cloud_name, one.enabled):
            making.duplicates["environments"] += 1
        else:
            making.wrong(row, "cloud_name", f"environment `{there.cloud_name}` is known already, and differs")
    if not rows and not making.base:
        for text in _named(making):
            if not making.environments.knows(text):
                row = ListRow({"cloud_name": text}, {}, "", 0)
                one = _environment(making, row, known)
                if one is not None:
                    making.implied["environments"] += 1
                    found[one.id] = one
                    making.environments.add(one.id, one.cloud_name)
                    making.environments.add(one.id, one.name)
    return tuple(found.values())


def _environment(making: Making, row: ListRow, known: Names) -> ProductEnvironment | None:
    cloud = row.get("cloud_name") or row.get("name") or row.get("id")
    if not cloud:
        making.wrong(row, "cloud_name", "`cloud_name` is empty", "every row needs one")
        return None
    enabled = making.enabled(row, words.state(row.get("enabled")))
    if making.ids_from and not row.get("id") and (id_ := known.get(cloud)):
        return replace(making.ids_from.environment_by_id[id_], enabled=enabled)
    id_ = row.get("id") or making.new_id("environments", "environment", cloud.casefold())
    return ProductEnvironment(EnvironmentId(id_), row.get("name") or cloud, cloud, enabled)


def _named(making: Making) -> Iterator[str]:
    """Every environment that a row of another list names, in the lists' order."""
    seen: dict[str, None] = {}
    for row in making.lists.rows(USERS):
        seen.update(
            dict.fromkeys(
                one
                for one in words.several(row.get("environments"))
                if one.casefold() not in (words.ALL, words.NONE)
            )
        )
    for table in (FOLDERS, COLLECTIONS, API_KEYS):
        seen.update(dict.fromkeys(row.get("environment") for row in making.lists.rows(table)))
    seen.update(dict.fromkeys(share.environment for share in making.lists.shares))
    return (text for text in seen if text)


class _Trees:
    """The folders so far, by environment and path."""

    def __init__(self, making: Making, folders: Iterable[Folder]) -> None:
        self._making = making
        self._by_path = {(one.environment_id, one.path): one for one in folders}
        self._by_id = {(one.environment_id, one.id): one for one in self._by_path.values()}
        source = making.ids_from
        known = source.folders if source else ()
        self._ids = {(one.environment_id, one.path): one.id for one in known}
        self._paths = {(one.environment_id, one.id): one.path for one in known}

    def get(self, environment: EnvironmentId, path: str) -> Folder | None:
        return self._by_path.get((environment, path))

    def with_id(self, environment: EnvironmentId, id_: str) -> Folder | None:
        return self._by_id.get((environment, FolderId(id_)))

    def path_of(self, environment: EnvironmentId, text: str) -> tuple[str, str]:
        """The path and the id that a share's text stands for; the id may be empty."""
        if path := self._paths.get((environment, FolderId(text))):
            return path, text
        return text, text if _EXTERNAL_ID.fullmatch(text) else ""

    def add(self, environment: EnvironmentId, path: str, id_: str = "") -> Folder:
        known = id_ or self._ids.get((environment, path))
        made = FolderId(known or self._making.new_id("folders", "folder", environment, path))
        folder = Folder(made, environment, path)
        self._by_path[environment, path] = self._by_id[environment, made] = folder
        return folder

    def add_parents(self, environment: EnvironmentId, path: str) -> None:
        while "/" in path:
            path = path.rpartition("/")[0]
            if (environment, path) in self._by_path:
                return
            self.add(environment, path)
            self._making.implied["folders"] += 1

    def all(self) -> tuple[Folder, ...]:
        return tuple(self._by_path.values())


def folders(making: Making) -> tuple[Folder, ...]:
    """The folders listed, or those that shares name, with all their parents."""
    trees = _Trees(making, making.base.folders if making.base else ())
    rows = making.lists.rows(FOLDERS)
    for row in rows:
        _listed_folder(making, trees, row)
    if not rows and not making.base:
        for environment, text in _shared(making):
            path, id_ = trees.path_of(environment, text)
            if not trees.get(environment, path):
                trees.add(environment, path, id_)
                making.implied["folders"] += 1
    for folder in trees.all():
        trees.add_parents(folder.environment_id, folder.path)
    found = trees.all()
    if not making.base:
        _note_near_names(making, found)
    return found


def _listed_folder(making: Making, trees: _Trees, row: ListRow) -> None:
    environment, path, id_ = making.environment_of(row), words.path(row.get("path")), row.get("id")
    if environment is None:
        return
    if not path or path == "/":
        making.wrong(row, "path", "`path` is empty" if not path else "the root is no folder",
                     "write the whole path, as in `Brands/Aurora`")  # fmt: skip
        return
    there, same = trees.get(environment, path), trees.with_id(environment, id_) if id_ else None
    if there and (not id_ or there.id == id_):
        making.duplicates["folders"] += 1
    elif there:
        making.wrong(row, "id", f"folder `{path}` is known already, by another id: `{there.id}`")
    elif same:
        making.wrong(row, "id", f"the id `{id_}` is that of `{same.path}` already")
    else:
        trees.add(environment, path, id_)


def _shared(making: Making) -> Iterator[tuple[EnvironmentId, str]]:
    """Each folder that a share names, once, in the lists' order."""
    named = dict.fromkeys(
        (share.environment, share.content)
        for share in making.lists.shares
        if share.content_type == ContentKind.FOLDER and share.content != "/"
    )
    for environment, text in named:
        id_ = making.environments.get(environment) if environment else making.environments.only()
        if id_:
            yield EnvironmentId(id_), text


def _note_near_names(making: Making, found: Iterable[Folder]) -> None:
    """Two folders whose paths differ only in case are allowed, and often one mistyped."""
    seen: dict[tuple[str, str], str] = {}
    noted = 0
    for folder in sorted(found, key=lambda one: (one.environment_id, one.path)):
        other = seen.setdefault((folder.environment_id, folder.path.casefold()), folder.path)
        if other != folder.path and noted < NOTES_AT_MOST:
            noted += 1
            making.notes.append(f"folders `{other}` and `{folder.path}` differ in case only; are they one?")


def collections(making: Making) -> tuple[Collection, ...]:
    """The collections listed; those that only shares name come with the shares."""
    found = {(one.environment_id, one.id): one for one in making.base.collections} if making.base else {}
    for row in making.lists.rows(COLLECTIONS):
        environment, name, id_ = making.environment_of(row), row.get("name"), row.get("id")
        if environment is None:
            continue
        if not (name or id_):
            making.wrong(row, "name", "`name` is empty", "every row needs a name or an id")
            continue
        id_ = id_ or making.new_id("collections", "collection", environment, name)
        one = Collection(CollectionId(id_), environment, name or id_)
        if (environment, one.id) in found:
            making.duplicates["collections"] += 1
        found[environment, one.id] = one
    return tuple(found.values())
