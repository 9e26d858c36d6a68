"""One principal at a time: its grants in every scope, before and after, and the trees they hold on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from permmigrate.cedar import Universe
from permmigrate.entitlements.after import After, AfterAssignment
from permmigrate.entitlements.before import ACCOUNT_SCOPE, Before
from permmigrate.entitlements.compiled import Baseline, Compiler
from permmigrate.entitlements.custom import CEDAR_TYPES, Custom
from permmigrate.entitlements.grants import GrantSet, Holding
from permmigrate.entitlements.tree import FolderTree
from permmigrate.mapping import LegacyKind, Translation
from permmigrate.model import ContentKind, CustomPolicy, Folder, PrincipalRef, PrincipalType, ScopeType
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
    assignments: tuple[AfterAssignment, ...]
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
        return After(self.snapshot, self.compiler, self.assignments, self.before, self.translation)

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
        for share in self.snapshot.shares:
            if share.content.kind is ContentKind.FOLDER:
                named.setdefault(share.content.environment_id, set()).add(share.content.id)
        for entry in self.assignments:
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
        before: dict[str, GrantSet] = {}
        after: dict[str, GrantSet] = {}
        for scope, grant in self.before.grants(principal):
            before.setdefault(scope, GrantSet()).add(grant)
        for scope, grant in self.after.grants(principal):
            after.setdefault(scope, GrantSet()).add(grant)
        for scope in self.scopes:
            custom = self.custom.grants(principal, scope)
            if any(custom) or scope in before or scope in after:
                sides = before.get(scope, GrantSet()), after.get(scope, GrantSet())
                for side, grants in zip(sides, custom, strict=True):
                    side.extend(grants)
                yield Holding(scope, self._valid(principal, scope), *sides)

    def _valid(self, principal: PrincipalRef, scope: str) -> int:
        asks_as = principal.type
        if asks_as is PrincipalType.ACCOUNT_KEY:
            asks_as = PrincipalType.API_KEY
        universe = self.universe(scope)
        valid = universe.valid_for.get(CEDAR_TYPES[asks_as], universe.full)
        kind = _KEYS.get(principal.type)
        if kind is not None:
            valid &= ~self.compiler.moot(kind, ScopeType.ENVIRONMENT if scope else ScopeType.ACCOUNT)
        return valid


_KEYS: Final = {
    PrincipalType.API_KEY: LegacyKind.API_KEY,
    PrincipalType.ACCOUNT_KEY: LegacyKind.ACCOUNT_KEY,
}
