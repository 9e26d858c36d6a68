"""Folders added, removed, renamed and moved between two captures: each once, not once a descendant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from permmigrate.snapshot.value import Snapshot

FolderChange = tuple[str, str, str, tuple[tuple[str, str, str], ...]]
"""Kind, the environment and path, id, fields."""


@dataclass(frozen=True)
class Folders:
    """The folders of a capture by environment and id."""

    paths: Mapping[tuple[str, str], str]
    ids: Mapping[tuple[str, str], str]
    """(environment, path) to id."""
    environments: Mapping[str, str]

    @staticmethod
    def of(snapshot: Snapshot) -> Folders:
        return Folders(
            {(f.environment_id, f.id): f.path for f in snapshot.folders},
            {(f.environment_id, f.path): f.id for f in snapshot.folders},
            {one.id: one.name for one in snapshot.environments},
        )

    def parent(self, environment: str, path: str) -> str | None:
        """The id of the folder above, when it is known."""
        return self.ids.get((environment, path.rpartition("/")[0]))


def folder_changes(before: Folders, after: Folders) -> Iterator[FolderChange]:
    """Yield each change where it begins, with how many folders below it went the same way."""
    kinds: dict[tuple[str, str], str] = {}
    for key in before.paths.keys() | after.paths.keys():
        if key not in after.paths:
            kinds[key] = "removed"
        elif key not in before.paths:
            kinds[key] = "added"
        elif before.paths[key] != after.paths[key]:
            kinds[key] = "moved"
    carried: Counter[tuple[str, str]] = Counter()
    heads = []
    for key, kind in kinds.items():
        head = _head(key, kind, kinds, before if kind == "removed" else after, before)
        if head == key:
            heads.append(key)
        else:
            carried[head] += 1
    for key in sorted(heads, key=lambda k: (k[0], (after.paths.get(k) or before.paths[k]), k[1])):
        yield _change(key, kinds[key], carried[key], before, after)


def _head(
    key: tuple[str, str], kind: str, kinds: Mapping[tuple[str, str], str], side: Folders, before: Folders
) -> tuple[str, str]:
    """The topmost folder whose change explains this one's."""
    while True:
        above = side.parent(key[0], side.paths[key])
        up = (key[0], above or "")
        if above is None or kinds.get(up) != kind:
            return key
        if kind == "moved":
            same_parent = before.parent(key[0], before.paths[key]) == above
            same_name = _name(before.paths[key]) == _name(side.paths[key])
            if not (same_parent and same_name):
                return key
        key = up


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def _change(key: tuple[str, str], kind: str, carried: int, before: Folders, after: Folders) -> FolderChange:
    environment = after.environments.get(key[0]) or before.environments.get(key[0]) or key[0]
    old, new = before.paths.get(key, ""), after.paths.get(key, "")
    fields = [("path", old, new)] if kind == "moved" else []
    if kind == "moved" and old.rpartition("/")[0] == new.rpartition("/")[0]:
        kind = "renamed"
    if carried:
        fields.append(("folders below", "", f"{carried:,}"))
    return kind, f"{environment}: {new or old}", key[1], tuple(fields)
