"""Where the resources of a finding may lie, as far as policies can tell: between the places of grants."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from permmigrate.cedar.solve import Case
from permmigrate.cedar.universe import COLLECTION_ATTRIBUTE, COLLECTION_TYPE, FOLDER_ATTRIBUTE
from permmigrate.diff.derive_value import Spot
from permmigrate.entitlements import FolderTree, Place

FOLDER_TYPE: Final = "Cloudinary::Folder"


class Stop(NamedTuple):
    """A place where a grant begins, without the deeper places where others do."""

    place: Place
    spot: Spot


@dataclass(frozen=True)
class Ground:
    """The stops of one principal in one scope, and the folders between them."""

    scope: str
    tree: FolderTree
    begins: Sequence[int]
    """The positions of the folders where a grant begins, ascending."""
    collections: tuple[str, ...]

    def _inside(self, top: int) -> Sequence[int]:
        """Where grants begin below a folder; with -1, anywhere."""
        end = self.tree.ends[top] if top >= 0 else len(self.tree.ids)
        return self.begins[bisect_right(self.begins, top) : bisect_left(self.begins, end)]

    def candidates(self, stop: Stop, names: Iterable[str]) -> Iterator[str | None]:
        """The folders of a stop's own ground that these names tell apart; None for no folder at all."""
        tree = self.tree
        top = tree.index[stop.place.id] if stop.place.kind == "folder" else -1
        end = tree.ends[top] if top >= 0 else len(tree.ids)
        yield stop.place.id if top >= 0 else None
        for name in sorted(names):
            position = tree.index.get(name, -1)
            if top < position < end and not self._taken(position, top):
                yield name

    def _taken(self, position: int, top: int) -> bool:
        """Whether a folder lies in a deeper stop."""
        return any(position < self.tree.ends[begin] for begin in self._inside(top) if begin <= position)

    def above(self, folder: str | None) -> tuple[str, ...]:
        """The folder and all above it."""
        return () if folder is None else self.tree.ancestor_ids(self.tree.index[folder])

    def cases(
        self,
        stop: Stop,
        resource_type: str,
        attributes: frozenset[str],
        names: frozenset[str],
        ids: frozenset[str],
    ) -> Iterator[tuple[str | None, Case]]:
        """What a resource on the stop's own ground may be like, each with the folder it is in or is.

        `names` are the strings, and `ids` the ids of entities of this type, that the policies mention.
        """
        if resource_type == COLLECTION_TYPE:
            if stop.place.kind == "collection":
                yield None, Case(id=stop.place.id)
            else:
                yield None, Case(other_than=ids | frozenset(self.collections))
            return
        holds: dict[str, frozenset[str]] = {}
        lacks: dict[str, frozenset[str]] = {}
        if COLLECTION_ATTRIBUTE in attributes:
            here = frozenset(stop.spot.collections)
            holds[COLLECTION_ATTRIBUTE] = here
            lacks[COLLECTION_ATTRIBUTE] = frozenset(self.collections) - here
        if FOLDER_ATTRIBUTE not in attributes:
            yield None, Case(holds=holds, lacks=lacks)
            return
        folders = frozenset(name for name in names if name in self.tree.index)
        for folder in self.candidates(stop, folders | (ids if resource_type == FOLDER_TYPE else frozenset())):
            above = frozenset(self.above(folder)) & folders
            here_too = {**holds, FOLDER_ATTRIBUTE: above}
            not_here = {**lacks, FOLDER_ATTRIBUTE: folders - above}
            if resource_type == FOLDER_TYPE:
                if folder is not None and folder in ids:
                    yield folder, Case(id=folder, holds=here_too, lacks=not_here)
                yield folder, Case(other_than=ids, holds=here_too, lacks=not_here)
            else:
                yield folder, Case(holds=here_too, lacks=not_here)


def tested(
    case: Case,
    tests: Mapping[str, str | None],
    named: Mapping[str, frozenset[str]],
    entity: str,
    ids: frozenset[str],
) -> Case:
    """The case with an atom's own id and attribute values added."""
    return Case(
        id=entity or case.id,
        other_than=frozenset() if entity else case.other_than | (ids if case.id is None else frozenset()),
        equals={name: value for name, value in tests.items() if value is not None},
        differs={name: named[name] for name, value in tests.items() if value is None},
        holds=case.holds,
        lacks=case.lacks,
    )
