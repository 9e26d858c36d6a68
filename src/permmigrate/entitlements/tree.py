"""The folders of one product environment as a tree in pre-order: a subtree is a run of indexes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from permmigrate.model import Folder


@dataclass(frozen=True)
class FolderTree:
    """Parallel tuples over folders in pre-order. Folder `i`'s subtree is `range(i, ends[i])`."""

    ids: tuple[str, ...]
    paths: tuple[str, ...]
    parents: tuple[int, ...]
    """-1 for a root folder. A folder whose parent was not read hangs from its nearest known ancestor."""
    ends: tuple[int, ...]
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
        keyed: list[tuple[tuple[str, ...], str]] = sorted(
            (tuple(folder.path.split("/")), str(folder.id)) for folder in folders
        )
        known = {folder_id for _, folder_id in keyed}
        keyed += [((folder_id,), folder_id) for folder_id in sorted(set(unread_ids) - known)]
        ids, paths, parents = [], [], []
        ends = [0] * len(keyed)
        open_: list[tuple[tuple[str, ...], int]] = []
        for position, (parts, folder_id) in enumerate(keyed):
            while open_ and not _is_above(open_[-1][0], parts):
                ends[open_.pop()[1]] = position
            ids.append(folder_id)
            paths.append("/".join(parts))
            parents.append(open_[-1][1] if open_ else -1)
            open_.append((parts, position))
        for _, position in open_:
            ends[position] = len(keyed)
        return FolderTree(
            tuple(ids), tuple(paths), tuple(parents), tuple(ends), {fid: i for i, fid in enumerate(ids)}
        )


def _is_above(upper: tuple[str, ...], lower: tuple[str, ...]) -> bool:
    return len(upper) < len(lower) and lower[: len(upper)] == upper
