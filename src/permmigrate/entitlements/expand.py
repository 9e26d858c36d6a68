"""One principal at a time: its grants in every scope, before and after, and the trees they hold on."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from permmigrate.cedar import Universe
from permmigrate.entitlements.after import After
from permmigrate.entitlements.assigned import AfterAssignment, Assigned
from permmigrate.entitlements.before import ACCOUNT_SCOPE, Before
from permmigrate.entitlements.compiled import Baseline, Compiler
from permmigrate.entitlements.content import Content
from permmigrate.entitlements.custom import CEDAR_TYPES, Custom
from permmigrate.entitlements.grants import GrantSet, Holding, Place
from permmigrate.entitlements.places import Places
from permmigrate.entitlements.tree import FolderTree
from permmigrate.mapping import LegacyKind, Translation
from permmigrate.model import (
    ContentKind,
    ContentRef,
    CustomPolicy,
    EnvironmentId,
    Folder,
    PrincipalRef,
    PrincipalType,
    ScopeType,
)
from permmigrate.snapshot import Snapshot

ASSUMPTIONS: Final = (
    "A folder is listed in its own ancestor_ids, and an asset lists its folder and all folders above it.",
    "A legacy folder share reaches all nested subfolders, as the new folder roles do.",
    "A legacy user had no access in a product environment outside their list, whatever was shared there.",
    "The move itself changes no custom policy.",
    "System roles stay as the catalog has them: the vendor may edit them, and a later catalog may say more.",
    "A custom policy that names a group applies to the group's members.",
    "Disabled and pending principals are compared as they would be once active, and are marked dormant.",
    "An API key works in its own product environment only, whatever its roles' scope says.",
    "Account keys may ask what API keys may ask: no Cedar type of their own is known.",
)
"""What the expansion takes for granted; shown in every report's method section."""


@dataclass
class Entitlements:
    """Answers `holdings(principal)`; everything principals share is compiled once."""

    snapshot: Snapshot
    """Whoever and whatever is compared, as it is on the after side."""
    tables: Baseline
    assignments: Sequence[AfterAssignment]
    """The after side."""
    translation: Translation | None = None
    """Set when the mapping tables make the after side: what they leave untranslated is unknown after."""
    earlier: Snapshot | None = None
    """The before side's people, groups, shares and custom policies; None when they are the same."""

    @cached_property
    def compiler(self) -> Compiler:
        return Compiler(self.snapshot.catalog, self._custom_policies, self.tables)

    @cached_property
    def before(self) -> Before:
        return Before(self.earlier or self.snapshot, self.compiler, self.translation)

    @cached_property
    def after(self) -> After:
        return After(self.snapshot, self.compiler, self.assigned, self.before, self.translation)

    @cached_property
    def assigned(self) -> Assigned:
        return Assigned.listed(self.assignments)

    @cached_property
    def custom(self) -> Custom:
        return Custom(self.snapshot, self.compiler, self.earlier or self.snapshot)

    @property
    def _custom_policies(self) -> tuple[CustomPolicy, ...]:
        """Those of both sides."""
        earlier = self.earlier.custom_policies if self.earlier else ()
        return tuple(dict.fromkeys((*self.snapshot.custom_policies, *earlier)))

    @cached_property
    def scopes(self) -> tuple[str, ...]:
        """The account and every environment."""
        return (ACCOUNT_SCOPE, *(environment.id for environment in self.snapshot.environments))

    def universe(self, scope: str) -> Universe:
        return self.compiler.universes[ScopeType.ENVIRONMENT if scope else ScopeType.ACCOUNT]

    @cached_property
    def trees(self) -> Mapping[str, FolderTree]:
        """The folder tree of each environment; folders that only grants name are roots of their own."""
        read: dict[str, list[Folder]] = {scope: [] for scope in self.scopes}
        named: dict[str, set[str]] = {scope: set() for scope in self.scopes}
        for folder in self.snapshot.folders:
            read.setdefault(folder.environment_id, []).append(folder)
        for content in self.snapshot.share_columns.contents:
            if content.kind is ContentKind.FOLDER:
                named.setdefault(content.environment_id, set()).add(content.id)
        for entry in self.assigned.on_content:
            if entry.assignment.folder_id is not None:
                for scope in self.after.scopes(entry.assignment):
                    named[scope].add(entry.assignment.folder_id)
        for scope in self.scopes:
            named[scope] |= self.compiler.named_folders
        for custom in self._custom_policies:
            for rule in self.custom.rules(custom):
                if rule.folder is not None:
                    for scope in self.custom.scopes(custom):
                        named[scope].add(rule.folder)
        return {scope: FolderTree.of(read[scope], named[scope]) for scope in self.scopes}

    @cached_property
    def places(self) -> Places:
        """Every place that anything holds at, numbered."""
        found: dict[str, set[str]] = {scope: set(self.compiler.named_collections) for scope in self.scopes}
        for content in self.snapshot.share_columns.contents:
            if content.kind is ContentKind.COLLECTION:
                found.setdefault(content.environment_id, set()).add(content.id)
        for entry in self.assigned.on_content:
            if entry.assignment.collection_id is not None:
                for scope in self.after.scopes(entry.assignment):
                    found[scope].add(entry.assignment.collection_id)
        for custom in self._custom_policies:
            for rule in self.custom.rules(custom):
                if rule.collection is not None:
                    for scope in self.custom.scopes(custom):
                        found[scope].add(rule.collection)
        return Places.numbered(self.scopes, self.trees, found)

    @cached_property
    def content(self) -> Content:
        """What is held on single folders and collections, as columns."""
        return Content.of(self, self.places)

    @cached_property
    def principals(self) -> tuple[PrincipalRef, ...]:
        """Everybody and everything that can hold a role, by kind and id."""
        snapshot = self.snapshot
        return (
            *(PrincipalRef(PrincipalType.USER, user.id) for user in snapshot.users),
            *(PrincipalRef(PrincipalType.GROUP, group.id) for group in snapshot.groups),
            *(PrincipalRef(PrincipalType.API_KEY, key.id) for key in snapshot.api_keys),
            *(PrincipalRef(PrincipalType.ACCOUNT_KEY, key.id) for key in snapshot.account_keys),
        )

    def holdings(self, principal: PrincipalRef) -> Iterator[Holding]:
        """The principal's grants in each scope where it has any on either side."""
        return self.holdings_of(principal, None)

    def reaching(self, principal: PrincipalRef, scope: str, place: Place) -> Holding:
        """The principal's grants in one scope: all that can count at one place, and perhaps some more."""
        contents: frozenset[ContentRef] = frozenset()
        if scope and place.kind:
            tree, kind = self.trees[scope], ContentKind(place.kind)
            inside = kind is ContentKind.FOLDER and place.id in tree.index
            ids = tree.ancestor_ids(tree.index[place.id]) if inside else (place.id,)
            contents = frozenset(ContentRef(EnvironmentId(scope), kind, id_) for id_ in ids)
        found = (holding for holding in self.holdings_of(principal, contents) if holding.scope == scope)
        return next(found, Holding(scope, self.valid(principal.type, scope), GrantSet(), GrantSet()))

    def holdings_of(
        self, principal: PrincipalRef, contents: Collection[ContentRef] | None
    ) -> Iterator[Holding]:
        """As `holdings`, but of what is given on a folder or collection only what is on these."""
        before: dict[str, GrantSet] = {}
        after: dict[str, GrantSet] = {}
        for scope, grant in self.before.grants(principal, contents):
            before.setdefault(scope, GrantSet()).add(grant)
        for scope, grant in self.after.grants(principal, contents):
            after.setdefault(scope, GrantSet()).add(grant)
        for scope in self.scopes:
            custom = self.custom.grants(principal, scope)
            if any(custom) or scope in before or scope in after:
                sides = before.get(scope, GrantSet()), after.get(scope, GrantSet())
                for side, grants in zip(sides, custom, strict=True):
                    side.extend(grants)
                yield Holding(scope, self.valid(principal.type, scope), *sides)

    def valid(self, type_: PrincipalType, scope: str) -> int:
        """The atoms that a principal of this type can ask for at all."""
        asks_as = type_
        if asks_as is PrincipalType.ACCOUNT_KEY:
            asks_as = PrincipalType.API_KEY
        universe = self.universe(scope)
        valid = universe.valid_for.get(CEDAR_TYPES[asks_as], universe.full)
        kind = _KEYS.get(type_)
        if kind is not None:
            valid &= ~self.compiler.moot(kind, ScopeType.ENVIRONMENT if scope else ScopeType.ACCOUNT)
        return valid


_KEYS: Final = {
    PrincipalType.API_KEY: LegacyKind.API_KEY,
    PrincipalType.ACCOUNT_KEY: LegacyKind.ACCOUNT_KEY,
}
