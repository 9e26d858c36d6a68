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
from permmigrate.snapshot.lists.ids import made_up

if TYPE_CHECKING:
    from permmigrate.snapshot.lists.row import RawShare

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


class UnknownNameError(Exception):
    """A name that fits nothing or too much."""

    def __init__(self, reason: str, hint: str = "", *, unread: bool = False) -> None:
        super().__init__(reason)
        self.reason, self.hint, self.unread = reason, hint, unread


class Names:
    """Ids by id, by name and, unless case matters, by name without case; a name can have several ids."""

    def __init__(
        self, noun: str, named: Iterable[tuple[str, str]] = (), *, case_matters: bool = False
    ) -> None:
        self._noun = noun
        self._case_matters = case_matters
        self._ids: set[str] = set()
        self._exact: dict[str, list[str]] = {}
        self._folded: dict[str, list[str]] = {}
        self._spelled: dict[str, str] = {}
        for id_, name in named:
            self.add(id_, name)

    def add(self, id_: str, name: str = "") -> None:
        """Let the name, when there is one, lead to the id."""
        self._ids.add(id_)
        if name:
            exact, folded = self._exact.setdefault(name, []), self._folded.setdefault(name.casefold(), [])
            if id_ not in exact:
                exact.append(id_)
            if id_ not in folded:
                folded.append(id_)
            self._spelled[name.casefold()] = name

    @property
    def is_empty(self) -> bool:
        return not self._ids

    def only(self) -> str:
        """The one id there is, when there is one."""
        return next(iter(self._ids)) if len(self._ids) == 1 else ""

    def knows(self, text: str) -> bool:
        """Whether anything is called so."""
        return text in self._ids or text in self._exact or text.casefold() in self._folded

    def get(self, text: str) -> str:
        """The one id that is meant, or nothing."""
        found = self._meant(text)
        return found[0] if len(found) == 1 else ""

    def spelled(self, text: str) -> str:
        """The one id whose name is written exactly so, or nothing."""
        found = self._exact.get(text, ())
        return found[0] if len(found) == 1 else ""

    def _meant(self, text: str) -> Sequence[str]:
        if text in self._ids:
            return (text,)
        folded = () if self._case_matters else self._folded.get(text.casefold(), ())
        return self._exact.get(text, folded)

    def find(self, text: str, *, unread: bool = False) -> str:
        """The one id that is meant. Raises UnknownNameError; `unread`: there may be names we did not see."""
        found = self._meant(text)
        if len(found) == 1:
            return found[0]
        if found:
            hint = f"use an id: {', '.join(found[:3])}"
            raise UnknownNameError(f"{len(found)} {self._noun}s are called `{text}`", hint)
        if unread:
            raise UnknownNameError(
                f"{self._noun} `{text}` cannot be looked up: not all were read", unread=True
            )
        raise UnknownNameError(f"there is no {self._noun} `{text}`", self._near(text))

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
    collections: Sequence[Collection] = (),
    unread: Unread = Unread(),  # frozen
) -> Resolved:
    """Give every row its ids; a row that cannot have them is an orphan.

    It is a problem too, unless what it names may be among what the snapshot could not read. A collection may
    be named by the name it has among `collections`; any other text is the id of one more.
    """
    matcher = _Matcher(environments, users, groups, folders, collections, unread)
    shares: list[Share] = []
    orphans: list[OrphanShare] = []
    problems: list[Problem] = []
    for row in raw:
        try:
            share = Share(matcher.content(row), matcher.principal(row), row.level, row.source)
        except UnknownNameError as unknown:
            orphans.append(OrphanShare(row.fields(), unknown.reason, row.source))
            if not unknown.unread:
                problems.append(Problem(row.file, row.line, unknown.reason, unknown.hint, row.cell()))
        else:
            shares.append(share)
    return Resolved(tuple(shares), tuple(orphans), tuple(matcher.collections.values()), tuple(problems))


def environment_names(environments: Iterable[ProductEnvironment]) -> Names:
    """Environments by id, cloud name and name."""
    found = Names("environment")
    for one in environments:
        found.add(one.id, one.cloud_name)
        found.add(one.id, one.name)
    return found


class _Matcher:
    """Looks each distinct name up once: lists repeat them a great deal."""

    def __init__(
        self,
        environments: Sequence[ProductEnvironment],
        users: Sequence[User],
        groups: Sequence[Group],
        folders: Sequence[Folder],
        collections: Sequence[Collection],
        unread: Unread,
    ) -> None:
        self._environments = environment_names(environments)
        self._people: Mapping[str, Names] = {
            PrincipalType.USER: Names("user", ((user.id, user.email) for user in users)),
            PrincipalType.GROUP: Names("group", ((group.id, group.name) for group in groups)),
        }
        self._refs_of: dict[PrincipalRef, PrincipalRef] = {}
        trees: dict[str, list[tuple[str, str]]] = {one.id: [] for one in environments}
        for folder in folders:
            trees.setdefault(folder.environment_id, []).append((folder.id, folder.path))
        self._trees = {
            environment: Names("folder", tree, case_matters=True) for environment, tree in trees.items()
        }
        self._collections: dict[str, Names] = {}
        for one in collections:
            self._collections.setdefault(one.environment_id, Names("collection")).add(one.id, one.name)
        self._unread = unread
        self._refs: dict[ContentRef, ContentRef] = {}
        self._contents: dict[tuple[str, str, str], ContentRef | UnknownNameError] = {}
        self._principals: dict[tuple[str, str], PrincipalRef | UnknownNameError] = {}
        self.collections: dict[ContentRef, Collection] = {}

    def content(self, row: RawShare) -> ContentRef:
        key = (row.environment, row.content_type, row.content or row.content_name)
        found = self._contents.get(key)
        if found is None:
            try:
                found = self._content(row)
                found = self._refs.setdefault(found, found)
            except UnknownNameError as unknown:
                found = unknown
            self._contents[key] = found
        if isinstance(found, UnknownNameError):
            raise found.with_traceback(None)
        if row.content_name and found in self.collections:
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
                found = self._refs_of.setdefault(found, found)
            except UnknownNameError as unknown:
                found = unknown
            self._principals[key] = found
        if isinstance(found, UnknownNameError):
            raise found.with_traceback(None)
        return found

    def _content(self, row: RawShare) -> ContentRef:
        environment = self._environment(row.environment)
        if row.content_type == ContentKind.COLLECTION:
            return self._collection(environment, row.content, row.content_name)
        unread = environment in self._unread.folders_of
        return ContentRef(
            environment, ContentKind.FOLDER, self._trees[environment].find(row.content, unread=unread)
        )

    def _environment(self, text: str) -> EnvironmentId:
        """The environment named; without a name, the only one there is."""
        found = text or self._environments.only()
        if not found:
            raise UnknownNameError("no environment is named, and there are several", "fill in `environment`")
        return EnvironmentId(self._environments.find(found, unread=self._unread.environments))

    def _collection(self, environment: EnvironmentId, text: str, name: str) -> ContentRef:
        known = self._collections.get(environment)
        id_ = (known.find(text or name) if known and known.knows(text or name) else "") or text
        if not id_:
            id_ = made_up("collection", environment, name)
        ref = ContentRef(environment, ContentKind.COLLECTION, id_)
        if not (known and known.knows(id_)):
            self.collections.setdefault(ref, Collection(CollectionId(id_), environment, name or id_))
        return ref

    def _principal(self, row: RawShare) -> PrincipalRef:
        kind = PrincipalType(row.principal_type)
        unread = self._unread.users if kind is PrincipalType.USER else self._unread.groups
        return PrincipalRef(kind, self._people[kind].find(row.principal, unread=unread))
