"""What folders and collections are called, looked up by environment and id."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby
from operator import attrgetter
from typing import Final

from permmigrate.model import Collection, ContentKind, ContentRef, EnvironmentId, Folder

Names = dict[EnvironmentId, dict[str, str]]


class ContentLabels(Mapping[ContentRef, str]):
    """Each folder's path and each collection's name. No reference is made before one is asked for."""

    def __init__(self, folders: Iterable[Folder], collections: Iterable[Collection]) -> None:
        paths: Names = {}
        for environment, those in groupby(folders, attrgetter("environment_id")):
            paths.setdefault(environment, {}).update({folder.id: folder.path for folder in those})
        names: Names = {}
        for one in collections:
            names.setdefault(one.environment_id, {})[one.id] = one.name
        self._paths: Final = paths
        self._names: Final = names

    def __getitem__(self, content: ContentRef) -> str:
        found = self._paths if content.kind is ContentKind.FOLDER else self._names
        return found[content.environment_id][content.id]

    def __iter__(self) -> Iterator[ContentRef]:
        for kind, found in ((ContentKind.FOLDER, self._paths), (ContentKind.COLLECTION, self._names)):
            for environment, names in found.items():
                yield from (ContentRef(environment, kind, id_) for id_ in names)

    def __len__(self) -> int:
        return sum(len(names) for found in (self._paths, self._names) for names in found.values())
