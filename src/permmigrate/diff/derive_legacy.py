"""The before side's ways: legacy roles, keys and shares, with the policies the baseline says they gave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

import numpy as np
import numpy.typing as npt

from permmigrate.diff.derive_texts import Bundle, Clause
from permmigrate.diff.derive_value import NOTHING, OUT_OF_REACH, Spot, Way, reaches, scope_type
from permmigrate.entitlements import NO_ROW, NOT_CARRIED_OVER, UNREAD_SHARES, Entitlements
from permmigrate.entitlements.compiled import FOLDER_OR_COLLECTION, legacy_words
from permmigrate.mapping import BaselineAnswer, Granted, LegacyKind
from permmigrate.model import (
    ContentKind,
    ContentRef,
    PermissionType,
    Policy,
    PrincipalRef,
    PrincipalType,
    Share,
    User,
    UserId,
)
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.shares import Ints, among, ordered_by

KEY_KINDS: Final = {
    PrincipalType.API_KEY: LegacyKind.API_KEY,
    PrincipalType.ACCOUNT_KEY: LegacyKind.ACCOUNT_KEY,
}
NOT_GIVEN: Final = (Granted.NO, Granted.MOOT)


@dataclass
class LegacyWays:
    """Finds them for one comparison; what many principals share is made once."""

    entitlements: Entitlements
    _bundles: dict[tuple[object, ...], Bundle] = field(default_factory=dict)
    _last_ways: dict[tuple[int, object], Way] = field(default_factory=dict)
    _last: tuple[Spot | None, Mapping[PrincipalRef, list[Share]]] = (None, {})

    @cached_property
    def snapshot(self) -> Snapshot:
        """The before side's people, groups and shares."""
        return self.entitlements.earlier or self.entitlements.snapshot

    def wide(self, principal: PrincipalRef, scope: str) -> Iterator[Way]:
        """By the principal's legacy role or kind, and by shares whose policies name no place."""
        if not self.snapshot.has(principal):
            return
        yield from self.by_role(principal, scope)
        user = self._user(principal)
        for holder in self.holders(principal) if self._wandering_levels else ():
            for share in self._wandering.get(holder, ()):
                if share.content.environment_id == scope:
                    yield self.share_way(share, user)

    def by_role(self, principal: PrincipalRef, scope: str) -> Iterator[Way]:
        """By the legacy role of a user, or by being a key; groups had nothing of this kind."""
        cause = self.cause(principal, None)
        user = self._user(principal)
        if user is not None:
            role = user.legacy_role
            text = f"legacy role {role}" if role else "no legacy role on record"
            if reaches(user, scope):
                yield Way(text, cause, self.role_bundle(LegacyKind.USER_ROLE, role, scope))
            else:
                yield Way(text, cause, NOTHING, no_effect=OUT_OF_REACH)
        elif principal.type is PrincipalType.API_KEY:
            if self.snapshot.api_key_by_id[principal.id].environment_id == scope:
                yield Way("legacy API key", cause, self.role_bundle(LegacyKind.API_KEY, "*", scope))
        elif principal.type is PrincipalType.ACCOUNT_KEY:
            yield Way("legacy account key", cause, self.role_bundle(LegacyKind.ACCOUNT_KEY, "*", scope))

    def local(self, principal: PrincipalRef, spot: Spot) -> Iterator[Way]:
        """By shares of the spot's folders and collections."""
        if not self.snapshot.has(principal):
            return
        user, holders = self._user(principal), self.holders(principal)
        if self._last[0] != spot:
            yield from self._shared_with(user, holders, spot)
            yield from self._unread(principal, spot)
            return
        shared = self._last[1]
        alike = (user.legacy_role, reaches(user, spot.scope)) if user is not None else None
        for holder in holders:
            for share in shared.get(holder, ()):
                if not self._wanders(share):
                    key = (id(share), alike)
                    if key not in self._last_ways:
                        self._last_ways[key] = self.share_way(share, user)
                    yield self._last_ways[key]
        yield from self._unread(principal, spot)

    def _shared_with(self, user: User | None, holders: tuple[PrincipalRef, ...], spot: Spot) -> Iterator[Way]:
        """By shares of the spot, when nobody asked for those of everybody: only these holders' are made."""
        shares = self.snapshot.share_columns
        wanted = numbers_of(holders, shares.principal_number)
        found: dict[PrincipalRef, list[Share]] = {}
        for content in spot.contents if len(wanted) else ():
            rows = self._rows_on(content)
            for at in rows[among(shares.principal[rows], wanted)].tolist():
                share = shares[at]
                found.setdefault(share.principal, []).append(share)
        for holder in holders:
            for share in found.get(holder, ()):
                if not self._wanders(share):
                    yield self.share_way(share, user)

    def holders(self, principal: PrincipalRef) -> tuple[PrincipalRef, ...]:
        """The principal and the groups it was in."""
        if principal.type is not PrincipalType.USER:
            return (principal,)
        groups = self.snapshot.groups_of.get(UserId(principal.id), ())
        return (principal, *(PrincipalRef(PrincipalType.GROUP, group) for group in groups))

    def _user(self, principal: PrincipalRef) -> User | None:
        return self.snapshot.user_by_id[principal.id] if principal.type is PrincipalType.USER else None

    def share_way(self, share: Share, user: User | None, *, gated: bool = True) -> Way:
        """A share as it reached a user, or (None) its holder itself."""
        content, via, group = share.content, "", ""
        if user is not None and share.principal.type is PrincipalType.GROUP:
            group = share.principal.id
            via = f"group {self.snapshot.group_by_id[group].name} › "
        kind = FOLDER_OR_COLLECTION[content.kind]
        label = self.entitlements.snapshot.content_labels.get(content, content.id)
        text = f"{via}{legacy_words(kind, share.level)} on {label} ({share.source})"
        cause = self.cause(share.principal, content)
        if gated and user is not None and not reaches(user, content.environment_id):
            return Way(text, cause, NOTHING, group_id=group, no_effect=OUT_OF_REACH)
        bundle = self.share_bundle(content.kind, share.level, user.legacy_role if user and gated else None)
        why = ""
        if not bundle.clauses:
            ungated = user is not None and self.share_bundle(content.kind, share.level, None).clauses
            why = (
                f"shares had no effect for legacy role {user.legacy_role}"
                if user and ungated
                else "gave nothing"
            )
        return Way(text, cause, bundle, ((content.kind.value, content.id),), "", group, why)

    def cause(self, principal: PrincipalRef, content: ContentRef | None) -> str:
        """The row that translated a legacy grant, or why there is none."""
        translation = self.entitlements.translation
        if translation is None:
            return NOT_CARRIED_OVER
        row = translation.row_by_grant.get((principal, content))
        return str(row) if row else NO_ROW

    # ------------------------------------------------------------------ what they gave

    def role_bundle(self, kind: LegacyKind, legacy: str, scope: str) -> Bundle:
        """What a legacy role or key gave in a scope, by the baseline."""
        key = (kind, legacy, bool(scope))
        if key not in self._bundles:
            self._bundles[key] = Bundle.of(
                clause
                for policy in self._policies(PermissionType.GLOBAL)
                if policy.scope_type is scope_type(scope)
                for clause in _given(policy, self.entitlements.tables.baseline(kind, legacy, policy))
            )
        return self._bundles[key]

    def share_bundle(self, kind: ContentKind, level: str, role: str | None) -> Bundle:
        """What a share of this level gave a user of this legacy role, whose own rows are a gate."""
        key = (kind, level, role)
        if key not in self._bundles:
            baseline = self.entitlements.tables.baseline
            found: list[Clause] = []
            for policy in self._policies(PermissionType.CONTENT):
                if kind.parameter in policy.parameters:
                    answers = [baseline(FOLDER_OR_COLLECTION[kind], level, policy)]
                    if role is not None and answers[0].granted is not Granted.NO:
                        answers.append(baseline(LegacyKind.USER_ROLE, role, policy))
                    found += _given(policy, *answers)
            self._bundles[key] = Bundle.of(found)
        return self._bundles[key]

    def _policies(self, kind: PermissionType) -> Iterator[Policy]:
        return (p for p in self.entitlements.snapshot.catalog.policies.values() if p.permission_type is kind)

    # ------------------------------------------------------------------ where shares are

    @cached_property
    def _by_content(self) -> tuple[Ints, npt.NDArray[np.intp]]:
        """The rows of the shares by content, and where those of each content begin."""
        shares = self.snapshot.share_columns
        return ordered_by(shares.content, len(shares.contents))

    def shares_on(self, content: ContentRef) -> list[Share]:
        """The legacy shares of one folder or collection itself."""
        return [self.snapshot.share_columns[at] for at in self._rows_on(content).tolist()]

    def _rows_on(self, content: ContentRef) -> Ints:
        order, starts = self._by_content
        number = self.snapshot.share_columns.content_number.get(content)
        return order[:0] if number is None else order[starts[number] : starts[number + 1]]

    def shared_at(self, spot: Spot) -> Mapping[PrincipalRef, list[Share]]:
        """The shares that reach a spot, by holder; the last spot's are kept."""
        if self._last[0] != spot:
            found: dict[PrincipalRef, list[Share]] = {}
            for content in spot.contents:
                for share in self.shares_on(content):
                    found.setdefault(share.principal, []).append(share)
            self._last = (spot, found)
            self._last_ways.clear()
        return self._last[1]

    @cached_property
    def _wandering_levels(self) -> frozenset[tuple[ContentKind, str]]:
        """The levels with a policy that is not bound to the content: their shares reach beyond it."""
        levels = ((kind, level) for kind in ContentKind for level in self.snapshot.share_columns.levels)
        return frozenset(key for key in levels if not self.share_bundle(*key, None).local)

    def _wanders(self, share: Share) -> bool:
        return bool(self._wandering_levels) and (share.content.kind, share.level) in self._wandering_levels

    @cached_property
    def _wandering(self) -> Mapping[PrincipalRef, list[Share]]:
        found: dict[PrincipalRef, list[Share]] = {}
        for share in self.snapshot.shares:
            if self._wanders(share):
                found.setdefault(share.principal, []).append(share)
        return found

    # ------------------------------------------------------------------ what was never read

    @cached_property
    def gap(self) -> str:
        """Why it is not known who had a share; empty when it is."""
        gap = next((entry for entry in self.snapshot.gaps if entry.area == "shares"), None)
        return f"legacy shares were not read: {gap.detail or gap.status.value}" if gap else ""

    def _unread(self, principal: PrincipalRef, spot: Spot) -> Iterator[Way]:
        """What shares that were never read may have given, at this spot as at any."""
        user = self._user(principal)
        if not self.gap or principal.type not in (PrincipalType.USER, PrincipalType.GROUP):
            return
        if user is not None and not reaches(user, spot.scope):
            return
        nearest = {content.kind: content for content in reversed(tuple(spot.contents))}
        for content in nearest.values():
            bundle = self._any_share(content.kind, user.legacy_role if user else None)
            yield Way(UNREAD_SHARES, UNREAD_SHARES, bundle, ((content.kind.value, content.id),))

    def _any_share(self, kind: ContentKind, role: str | None) -> Bundle:
        """Whatever some share may give to a user of this role; what it may forbid is left aside."""
        key = ("any share", kind, role)
        if key not in self._bundles:
            baseline = self.entitlements.tables.baseline
            self._bundles[key] = Bundle.of(
                Clause.of(policy, Granted.UNKNOWN, self.gap)
                for policy in self._policies(PermissionType.CONTENT)
                if kind.parameter in policy.parameters
                and (role is None or baseline(LegacyKind.USER_ROLE, role, policy).granted not in NOT_GIVEN)
            )._replace(least="")
        return self._bundles[key]


def numbers_of(holders: Iterable[PrincipalRef], numbers: Mapping[PrincipalRef, int]) -> list[int]:
    """The numbers of those holders that have one."""
    return [numbers[holder] for holder in holders if holder in numbers]


def _given(policy: Policy, *answers: BaselineAnswer) -> Iterator[Clause]:
    """The clause that a grant with these answers, all of them needed, hands out, if it does."""
    if any(answer.granted in NOT_GIVEN for answer in answers):
        return
    unsure = next((answer for answer in answers if answer.granted is Granted.UNKNOWN), None)
    basis = str((unsure or answers[0]).row or "")
    if unsure is None:
        yield Clause.of(policy, basis=basis)
    else:
        where = f" ({basis})" if basis else ": no baseline row says so"
        reason = f"not known whether it included {policy.name}{where}"
        yield Clause.of(policy, Granted.UNKNOWN, reason, basis)
