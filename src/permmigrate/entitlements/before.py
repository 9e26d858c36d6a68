"""What legacy roles, keys and shares let their holders do, by the legacy baseline."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from permmigrate.entitlements.compiled import FOLDER_OR_COLLECTION, Bundle, Compiler, Reasons, legacy_words
from permmigrate.entitlements.grants import Grant, Masks, Place, bound, is_own
from permmigrate.mapping import LegacyKind, Translation
from permmigrate.model import (
    ContentKind,
    ContentRef,
    GroupId,
    PrincipalRef,
    PrincipalType,
    ScopeType,
    Share,
    User,
    UserId,
)
from permmigrate.snapshot import Snapshot

ACCOUNT_SCOPE: Final = ""
"""The scope that is not an environment."""

Placed = tuple[str, Grant]
"""A grant and the scope (environment id, or empty for the account) it holds in."""


@dataclass
class Before:
    """The legacy side of one snapshot."""

    snapshot: Snapshot
    compiler: Compiler
    translation: Translation | None

    def grants(
        self, principal: PrincipalRef, contents: Collection[ContentRef] | None = None
    ) -> Iterator[Placed]:
        """Everything the principal could do: by its role or kind, by its shares, by its groups' shares.

        With `contents`, of what shares grant on their own folder or collection only that on these. A
        principal that the snapshot does not have could do nothing.
        """
        if not self.snapshot.has(principal):
            return
        yield from self.role_grants(principal)
        yield from self._unread_shares(principal)
        user = self.snapshot.user_by_id[principal.id] if principal.type is PrincipalType.USER else None
        for holder in self.sharers(principal):
            yield from self.share_grants(holder, user, contents)

    def sharers(self, principal: PrincipalRef) -> tuple[PrincipalRef, ...]:
        """Whose shares count for the principal: its own and its groups'."""
        match principal.type:
            case PrincipalType.USER:
                groups = self.snapshot.groups_of.get(UserId(principal.id), ())
                return (principal, *(PrincipalRef(PrincipalType.GROUP, group_id) for group_id in groups))
            case PrincipalType.GROUP:
                return (principal,)
            case _:
                return ()

    def role_grants(self, principal: PrincipalRef) -> Iterator[Placed]:
        """What the legacy role of a user, or being a key, granted; groups had nothing of this kind."""
        cause = self._cause(principal, None)
        match principal.type:
            case PrincipalType.USER:
                user = self.snapshot.user_by_id[principal.id]
                role = user.legacy_role
                text = f"legacy role {role}" if role else "no legacy role on record"
                for scope in (ACCOUNT_SCOPE, *self.reach(user)):
                    bundle = self.compiler.legacy(LegacyKind.USER_ROLE, role, _scope_type(scope))
                    yield from _place(scope, bundle, text, cause)
            case PrincipalType.API_KEY:
                key = self.snapshot.api_key_by_id[principal.id]
                bundle = self.compiler.legacy(LegacyKind.API_KEY, "*", ScopeType.ENVIRONMENT)
                yield from _place(key.environment_id, bundle, "legacy API key", cause)
            case PrincipalType.ACCOUNT_KEY:
                for scope in (ACCOUNT_SCOPE, *(e.id for e in self.snapshot.environments)):
                    bundle = self.compiler.legacy(LegacyKind.ACCOUNT_KEY, "*", _scope_type(scope))
                    yield from _place(scope, bundle, "legacy account key", cause)
            case PrincipalType.GROUP:
                return

    def share_grants(
        self, holder: PrincipalRef, user: User | None, contents: Collection[ContentRef] | None = None
    ) -> Iterator[Placed]:
        """What a holder's shares grant a user (None: the group itself): all, or what is on some contents.

        A part that holds elsewhere than on the share's own content is always among it.
        """
        via = ""
        if user is not None and holder.type is PrincipalType.GROUP:
            via = f"group {self.snapshot.group_by_id[GroupId(holder.id)].name} › "
        shares = self.snapshot.share_columns
        rows = shares.rows_of(holder, None if self.compiler.strays else contents)
        for at in rows.tolist():
            share = shares[at]
            wanted = contents is None or share.content in contents
            for place, grant in self._bind(share, user, via):
                if wanted or not is_own(place):
                    yield share.content.environment_id, grant

    def _unread_shares(self, principal: PrincipalRef) -> Iterator[Placed]:
        """What shares that were never read may have granted: anything a share can, anywhere in reach."""
        gap = next((entry for entry in self.snapshot.gaps if entry.area == "shares"), None)
        if gap is None:
            return
        reason = f"legacy shares were not read: {gap.detail or gap.status.value}"
        role: str | None = None
        scopes: tuple[str, ...] = tuple(environment.id for environment in self.snapshot.environments)
        match principal.type:
            case PrincipalType.USER:
                user = self.snapshot.user_by_id[principal.id]
                role, scopes = user.legacy_role, self.reach(user)
            case PrincipalType.GROUP:
                pass
            case _:
                return
        masks = Masks(maybe=self.compiler.any_share(role))
        for scope in scopes:
            yield scope, Grant(Place(), masks, UNREAD_SHARES, UNREAD_SHARES, ((masks.maybe, reason),))

    def reach(self, user: User) -> tuple[str, ...]:
        """Where a legacy user could work: Master admins and unlimited users everywhere, others in their list.

        Source: the vendor's user provisioning guide (Master admin has all product environments).
        """
        if user.all_environments or user.legacy_role == "master_admin":
            return tuple(environment.id for environment in self.snapshot.environments)
        return tuple(user.environment_ids)

    def _bind(self, share: Share, user: User | None, via: str) -> Iterator[tuple[Place, Grant]]:
        content = share.content
        label = self.snapshot.content_labels.get(content, content.id)
        kind = FOLDER_OR_COLLECTION[content.kind]
        text = f"{via}{legacy_words(kind, share.level)} on {label} ({share.source})"
        cause = self._cause(share.principal, content)
        reachable = user is None or content.environment_id in self.reach(user)
        role = user.legacy_role if user is not None else None
        for place, masks, reasons in self.share_parts(content.kind, share.level, role, reachable):
            here = bound(place, {content.kind.value: content.id})
            if here is not None:
                yield place, Grant(here, masks, text, cause, reasons)

    def share_parts(
        self, kind: ContentKind, level: str, role: str | None, reachable: bool
    ) -> Iterator[tuple[Place, Masks, Reasons]]:
        """What a share of one kind and level is worth to a user of a role (None: to a group), by place."""
        for place, masks, reasons in self.compiler.share(kind, level, role).parts():
            if reachable:
                yield place, masks, reasons
            else:
                inert = Masks(inert=masks.touched | masks.inert)
                yield place, inert, ((inert.inert, "legacy access did not reach this product environment"),)

    def _cause(self, principal: PrincipalRef, content: ContentRef | None) -> str:
        if self.translation is None:
            return NOT_CARRIED_OVER
        row = self.translation.row_by_grant.get((principal, content))
        return str(row) if row else NO_ROW


NO_ROW: Final = "no mapping row"
UNREAD_SHARES: Final = "legacy shares that were not read"
NOT_CARRIED_OVER: Final = "no role assigned"


def _scope_type(scope: str) -> ScopeType:
    return ScopeType.ENVIRONMENT if scope else ScopeType.ACCOUNT


def _place(scope: str, bundle: Bundle, text: str, cause: str) -> Iterator[Placed]:
    for place, masks, reasons in bundle.parts():
        here = bound(place, {})
        if here is not None:
            yield scope, Grant(here, masks, text, cause, reasons)
