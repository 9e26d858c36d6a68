"""Match the rows of share lists with the account: names and e-mails become ids, strangers become orphans.

It never guesses: what fits nothing, or fits twice, is kept as an OrphanShare with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from difflib import get_close_matches
from typing import TYPE_CHECKING, Final

from permmigrate.errors import Problem
from permmigrate.model import (
    Collection,
    CollectionId,
    ContentKind,
    ContentRef,
    EnvironmentId,
    Folder,
    Group,
    OrphanShare,
    PrincipalRef,
    PrincipalType,
    ProductEnvironment,
    Share,
    User,
)

if TYPE_CHECKING:
    from permmigrate.snapshot.sharelist import RawShare

_SUGGEST_AMONG: Final = 5000
"""Near names are looked for among so many at most: beyond, a list with a wrong column would take hours."""


@dataclass(frozen=True, slots=True)
class Unread:
    """What the snapshot could not read: a share of it is an orphan, and its list is not to blame."""

    users: bool = False
    groups: bool = False
    environments: bool = False
    folders_of: AbstractSet[str] = frozenset()
    """Ids of environments whose folders were not read, or not all."""


@dataclass(frozen=True, slots=True)
class Resolved:
    """What the lists came to: shares + orphans is every row."""

    shares: tuple[Share, ...]
    orphans: tuple[OrphanShare, ...]
    collections: tuple[Collection, ...]
    problems: tuple[Problem, ...]
    """The orphans that are the lists' own mistakes, as problems to mend."""


class _UnknownError(Exception):
    """A name that fits nothing or too much."""

    def __init__(self, reason: str, hint: str = "", *, unread: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.hint, self.unread = reason, hint, unread


class _Names:
    """Ids by id, by name and, unless case matters, by name without case; a name can have several ids."""

    def __init__(self, noun: str, named: Iterable[tuple[str, str]], *, case_matters: bool = False) -> None:
        self._noun = noun
        self._case_matters = case_matters
        self._ids: set[str] = set()
        self._exact: dict[str, list[str]] = {}
        self._folded: dict[str, list[str]] = {}
        self._spelled: dict[str, str] = {}
        for id_, name in named:
            self._ids.add(id_)
            if name:
                self._exact.setdefault(name, []).append(id_)
                self._folded.setdefault(name.casefold(), []).append(id_)
                self._spelled[name.casefold()] = name

    def find(self, text: str, *, unread: bool) -> str:
        """The one id that is meant. Raises _UnknownError; `unread`: there may be names we did not see."""
        if text in self._ids:
            return text
        folded = () if self._case_matters else self._folded.get(text.casefold(), ())
        found = self._exact.get(text) or folded
        if len(found) == 1:
            return found[0]
        if found:
            hint = f"use an id: {', '.join(found[:3])}"
            raise _UnknownError(f"{len(found)} {self._noun}s are called `{text}`", hint)
        if unread:
            raise _UnknownError(f"{self._noun} `{text}` cannot be looked up: not all were read", unread=True)
        raise _UnknownError(f"there is no {self._noun} `{text}`", self._near(text))

    def _near(self, text: str) -> str:
        near = [self._spelled[text.casefold()]] if text.casefold() in self._spelled else []
        if not near and len(self._exact) <= _SUGGEST_AMONG:
            near = get_close_matches(text, self._exact, n=1, cutoff=0.85)
        return f"did you mean `{near[0]}`?" if near else ""


def resolve(
    raw: Iterable[RawShare],
    *,
    environments: Sequence[ProductEnvironment],
    users: Sequence[User],
    groups: Sequence[Group],
    folders: Sequence[Folder],
    unread: Unread = Unread(),  # frozen
) -> Resolved:
    """Give every row its ids; a row that cannot have them is an orphan.

    It is a problem too, unless what it names may be among what the snapshot could not read.
    """
    matcher = _Matcher(environments, users, groups, folders, unread)
    shares: list[Share] = []
    orphans: list[OrphanShare] = []
    problems: list[Problem] = []
    for row in raw:
        try:
            share = Share(matcher.content(row), matcher.principal(row), row.level, row.source)
        except _UnknownError as unknown:
            orphans.append(OrphanShare(row.fields(), unknown.reason, row.source))
            if not unknown.unread:
                problems.append(Problem(row.file, row.line, unknown.reason, unknown.hint, row.cell()))
        else:
            shares.append(share)
    return Resolved(tuple(shares), tuple(orphans), tuple(matcher.collections.values()), tuple(problems))


class _Matcher:
    """Looks each distinct name up once: lists repeat them a great deal."""

    def __init__(
        self,
        environments: Sequence[ProductEnvironment],
        users: Sequence[User],
        groups: Sequence[Group],
        folders: Sequence[Folder],
        unread: Unread,
    ) -> None:
        self._environments = _Names("environment", ((one.id, one.cloud_name) for one in environments))
        self._people: Mapping[str, _Names] = {
            PrincipalType.USER: _Names("user", ((user.id, user.email) for user in users)),
            PrincipalType.GROUP: _Names("group", ((group.id, group.name) for group in groups)),
        }
        trees: dict[str, list[tuple[str, str]]] = {one.id: [] for one in environments}
        for folder in folders:
            trees.setdefault(folder.environment_id, []).append((folder.id, folder.path))
        self._trees = {
            environment: _Names("folder", tree, case_matters=True) for environment, tree in trees.items()
        }
        self._unread = unread
        self._contents: dict[tuple[str, str, str], ContentRef | _UnknownError] = {}
        self._principals: dict[tuple[str, str], PrincipalRef | _UnknownError] = {}
        self.collections: dict[ContentRef, Collection] = {}

    def content(self, row: RawShare) -> ContentRef:
        key = (row.environment, row.content_type, row.content)
        found = self._contents.get(key)
        if found is None:
            try:
                found = self._content(row)
            except _UnknownError as unknown:
                found = unknown
            self._contents[key] = found
        if isinstance(found, _UnknownError):
            raise found.with_traceback(None)
        if row.content_name and found.kind is ContentKind.COLLECTION:
            self.collections[found] = Collection(
                CollectionId(found.id), found.environment_id, row.content_name
            )
        return found

    def principal(self, row: RawShare) -> PrincipalRef:
        key = (row.principal_type, row.principal)
        found = self._principals.get(key)
        if found is None:
            try:
                found = self._principal(row)
            except _UnknownError as unknown:
                found = unknown
            self._principals[key] = found
        if isinstance(found, _UnknownError):
            raise found.with_traceback(None)
        return found

    def _content(self, row: RawShare) -> ContentRef:
        found = self._environments.find(row.environment, unread=self._unread.environments)
        environment = EnvironmentId(found)
        if row.content_type == ContentKind.COLLECTION:
            ref = ContentRef(environment, ContentKind.COLLECTION, row.content)
            self.collections.setdefault(ref, Collection(CollectionId(row.content), environment, row.content))
            return ref
        unread = environment in self._unread.folders_of
        return ContentRef(
            environment, ContentKind.FOLDER, self._trees[environment].find(row.content, unread=unread)
        )

    def _principal(self, row: RawShare) -> PrincipalRef:
        kind = PrincipalType(row.principal_type)
        unread = self._unread.users if kind is PrincipalType.USER else self._unread.groups
        return PrincipalRef(kind, self._people[kind].find(row.principal, unread=unread))
