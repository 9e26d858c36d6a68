"""Every place of an account as one number: each scope, then its folders in pre-order, then its collections.

Whatever a place lies in comes before it, and what lies in a folder is a run of numbers after it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from permmigrate.entitlements.grants import Place
from permmigrate.entitlements.tree import FolderTree
from permmigrate.model import ContentKind, ContentRef
from permmigrate.snapshot.shares import Ints

SCOPE, FOLDER, COLLECTION = range(3)
"""What `Places.kind` says."""


@dataclass(frozen=True)
class Places:
    """The numbers of one account's places."""

    scopes: tuple[str, ...]
    trees: Mapping[str, FolderTree]
    collections: Mapping[str, tuple[str, ...]]
    """The collections of each scope that anything names, sorted."""

    @cached_property
    def starts(self) -> Mapping[str, int]:
        """The number of each scope itself."""
        found, start = {}, 0
        for scope in self.scopes:
            found[scope] = start
            start += 1 + len(self.trees[scope].ids) + len(self.collections[scope])
        return found

    def __len__(self) -> int:
        return len(self.scope)

    @cached_property
    def scope(self) -> Ints:
        """The number of each place's scope among the scopes."""
        sizes = [1 + len(self.trees[one].ids) + len(self.collections[one]) for one in self.scopes]
        return np.repeat(np.arange(len(self.scopes), dtype=np.int32), sizes)

    @cached_property
    def kind(self) -> npt.NDArray[np.int8]:
        parts = [
            np.repeat(
                np.array([SCOPE, FOLDER, COLLECTION], dtype=np.int8),
                [1, len(self.trees[one].ids), len(self.collections[one])],
            )
            for one in self.scopes
        ]
        return np.concatenate(parts)

    @cached_property
    def parent(self) -> Ints:
        """The place each lies in; -1 for a scope."""
        parts: list[npt.ArrayLike] = []
        for scope in self.scopes:
            start = self.starts[scope]
            parents = np.array(self.trees[scope].parents, dtype=np.int32) + start + 1
            parts += [[-1], parents, np.full(len(self.collections[scope]), start)]
        return np.concatenate(parts).astype(np.int32)

    @cached_property
    def size(self) -> Ints:
        """How many folders each folder's subtree has, itself included; 0 for what is no folder."""
        parts: list[npt.ArrayLike] = []
        for scope in self.scopes:
            ends = np.array(self.trees[scope].ends, dtype=np.int32)
            parts += [[0], ends - np.arange(len(ends)), np.zeros(len(self.collections[scope]))]
        return np.concatenate(parts).astype(np.int32)

    @cached_property
    def _collection_numbers(self) -> Mapping[str, Mapping[str, int]]:
        found = {}
        for scope in self.scopes:
            first = self.starts[scope] + 1 + len(self.trees[scope].ids)
            found[scope] = {name: first + at for at, name in enumerate(self.collections[scope])}
        return found

    def number(self, scope: str, place: Place) -> int:
        """The number of a place; -1 for one in a scope that is not there."""
        if scope not in self.starts:
            return -1
        match place.kind:
            case "":
                return self.starts[scope]
            case "folder":
                return self.starts[scope] + 1 + self.trees[scope].index[place.id]
            case _:
                return self._collection_numbers[scope][place.id]

    def of_contents(self, contents: Iterable[ContentRef]) -> Ints:
        """The numbers of folders and collections; -1 for one in a scope that is not there."""
        folders = {scope: self.trees[scope].index for scope in self.scopes}
        found = array("i")
        for one in contents:
            scope = one.environment_id
            if scope not in folders:
                found.append(-1)
            elif one.kind is ContentKind.FOLDER:
                found.append(self.starts[scope] + 1 + folders[scope][one.id])
            else:
                found.append(self._collection_numbers[scope][one.id])
        return np.array(found, dtype=np.int32)

    def of(self, number: int) -> tuple[str, Place]:
        """The scope and the place of a number."""
        scope = self.scopes[self.scope[number]]
        within = number - self.starts[scope] - 1
        folders = self.trees[scope].ids
        if within < 0:
            return scope, Place()
        if within < len(folders):
            return scope, Place("folder", folders[within])
        return scope, Place("collection", self.collections[scope][within - len(folders)])

    @staticmethod
    def numbered(
        scopes: Iterable[str], trees: Mapping[str, FolderTree], collections: Mapping[str, Iterable[str]]
    ) -> Places:
        listed = tuple(scopes)
        return Places(
            listed, trees, {scope: tuple(sorted(set(collections.get(scope, ())))) for scope in listed}
        )
