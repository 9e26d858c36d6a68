"""The folders of one product environment as a tree in pre-order: a subtree is a run of indexes."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from permmigrate.model import Folder


@dataclass(frozen=True)
class FolderTree:
    """Parallel columns over folders in pre-order. Folder `i`'s subtree is `range(i, ends[i])`."""

    ids: tuple[str, ...]
    paths: tuple[str, ...]
    parents: Sequence[int]
    """-1 for a root folder. A folder whose parent was not read hangs from its nearest known ancestor."""
    ends: Sequence[int]
    index: Mapping[str, int]
    """Folder id to position."""

    def size(self, position: int) -> int:
        """How many folders the subtree has, itself included."""
        return self.ends[position] - position

    def ancestor_ids(self, position: int) -> tuple[str, ...]:
        """The folder's own id and those of all folders above it, nearest first."""
        found = []
        while position >= 0:
            found.append(self.ids[position])
            position = self.parents[position]
        return tuple(found)

    @staticmethod
    def of(folders: Iterable[Folder], unread_ids: Iterable[str] = ()) -> FolderTree:
        """Build the tree; `unread_ids`, folders that grants name and no listing has, become roots."""
        listed = sorted((_ranked(folder.path), folder.id, folder.path) for folder in folders)
        ids: list[str] = [id_ for _, id_, _ in listed]
        paths = [path for _, _, path in listed]
        parents, ends = array("i"), array("i", range(1, len(listed) + 1))
        open_: list[tuple[str, int]] = []
        for position, path in enumerate(paths):
            while open_ and not path.startswith(open_[-1][0]):
                ends[open_.pop()[1]] = position
            parents.append(open_[-1][1] if open_ else -1)
            open_.append((f"{path}/", position))
        for _, position in open_:
            ends[position] = len(listed)
        unread = sorted(set(unread_ids).difference(ids))
        parents.extend([-1] * len(unread))
        ends.extend(range(len(ids) + 1, len(ids) + len(unread) + 1))
        ids += unread
        paths += unread
        return FolderTree(
            tuple(ids), tuple(paths), parents, ends, dict(zip(ids, range(len(ids)), strict=True))
        )


def _ranked(path: str) -> str:
    """A text that sorts as the parts of the path do: the slash before everything else."""
    return path.replace("\1", "\1\1").replace("\0", "\1\0").replace("/", "\0")
