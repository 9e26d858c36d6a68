"""One summary a principal: what it held, what it will hold, and whether it administers the account."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple, overload

import numpy as np
import numpy.typing as npt

from permmigrate.diff.automaton import Automaton, Kind
from permmigrate.diff.capabilities import CapabilityIndex
from permmigrate.diff.gathering import Gathered
from permmigrate.diff.profiles import UNTOLD, Profile, Profiles, askers
from permmigrate.diff.value import PrincipalSummary, Severity, Verdict
from permmigrate.diff.verdicts import COMPARED, sides
from permmigrate.entitlements import ACCOUNT_SCOPE, Entitlements, Grant
from permmigrate.entitlements.places import COLLECTION
from permmigrate.model import PrincipalRef, PrincipalType, ScopeType


@dataclass(eq=False)
class Summaries(Sequence[PrincipalSummary]):
    """All summaries: users, groups, API keys, account keys, each by name; one is made when looked at."""

    entitlements: Entitlements
    numbering: CapabilityIndex
    profiles: Profiles
    counts: npt.NDArray[np.int64]
    """Of each principal, how many findings of each verdict hold for it."""
    rising: Callable[[], Iterable[int]] | None = None
    """Who may become an administrator, as far as the findings say (`risen`); None for anybody."""

    @staticmethod
    def uncounted(entitlements: Entitlements, numbering: CapabilityIndex) -> Summaries:
        """Summaries of principals whose findings were not looked for."""
        profiles = Profiles(entitlements, Automaton(askers(entitlements)))
        counts = np.zeros((len(entitlements.principals), len(COMPARED)), dtype=np.int64)
        return Summaries(entitlements, numbering, profiles, counts)

    def __len__(self) -> int:
        return len(self._order)

    @overload
    def __getitem__(self, at: int) -> PrincipalSummary: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[PrincipalSummary]: ...
    def __getitem__(self, at: int | slice) -> PrincipalSummary | Sequence[PrincipalSummary]:
        if isinstance(at, slice):
            return tuple(map(self._make, self._order[at]))
        return self._make(self._order[at])

    def __iter__(self) -> Iterator[PrincipalSummary]:
        return map(self._make, self._order)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment] # it would have to be that of a tuple

    @cached_property
    def _order(self) -> list[int]:
        kinds, snapshot = list(PrincipalType), self.entitlements.snapshot
        keys = [
            (kinds.index(one.type), snapshot.principal_name(one).casefold(), one.id, number)
            for number, one in enumerate(self.entitlements.principals)
        ]
        return [number for *_, number in sorted(keys)]

    def _make(self, number: int) -> PrincipalSummary:
        principal, snapshot = self.entitlements.principals[number], self.entitlements.snapshot
        user = snapshot.user_by_id.get(principal.id) if principal.type is PrincipalType.USER else None
        profile = self.profiles.profile(principal)
        admin_before, admin_after = self.administers(principal, profile)
        content = self._content(principal, profile)
        found = dict(zip(COMPARED, self.counts[number].tolist(), strict=True))
        return PrincipalSummary(
            principal=principal,
            name=snapshot.principal_name(principal),
            detail=self._detail(principal),
            before=tuple(self._words(profile, content, before=True)),
            after=tuple(self._words(profile, content, before=False)),
            counts={verdict: found[verdict] for verdict in Verdict if found.get(verdict)},
            admin_before=admin_before,
            admin_after=admin_after,
            dormant=snapshot.is_dormant(principal),
            last_login=user.last_login if user else None,
        )

    def promoted(self) -> Iterator[PrincipalSummary]:
        """The summaries of those who become administrators."""
        rising = None if self.rising is None else frozenset(self.rising())
        for number in self._order:
            principal = self.entitlements.principals[number]
            if rising is not None and number not in rising:
                continue
            if self.administers(principal, self.profiles.profile(principal)) == (False, True):
                yield self._make(number)

    @property
    def administrators_before(self) -> Iterator[PrincipalRef]:
        """Who administered the account, without a summary of anybody."""
        for principal in self.entitlements.principals:
            if self.administers(principal, self.profiles.profile(principal))[0]:
                yield principal

    def recounted(self, changes: Mapping[PrincipalRef, Mapping[Verdict, int]]) -> Summaries:
        """The summaries after so many findings of each verdict came or went."""
        counts = self.counts.copy()
        numbers = {one: number for number, one in enumerate(self.entitlements.principals)}
        for principal, change in changes.items():
            for verdict, number in change.items():
                if verdict is not Verdict.UNCHANGED:
                    counts[numbers[principal], COMPARED.index(verdict)] += number
        return replace(self, counts=counts)

    @property
    def without_findings(self) -> int:
        """How many principals come out as they went in."""
        return int((self.counts.sum(axis=1) == 0).sum())

    def administers(self, principal: PrincipalRef, profile: Profile) -> tuple[bool, bool]:
        """Whether, before and after, it surely may do something critical to the account."""
        at = self.entitlements.scopes.index(ACCOUNT_SCOPE)
        valid = self.entitlements.valid(principal.type, ACCOUNT_SCOPE)
        offer = self.profiles.offers[profile.wide[at]]
        before, after = sides(self.profiles.automaton.effects[offer.effect][0].state)
        critical = self._critical & valid
        return bool(before.sure & critical), bool(after.sure & critical)

    @cached_property
    def _critical(self) -> int:
        return self.numbering.atoms_of(ScopeType.ACCOUNT, Severity.CRITICAL)

    def _detail(self, principal: PrincipalRef) -> str:
        snapshot = self.entitlements.snapshot
        match principal.type:
            case PrincipalType.USER:
                return snapshot.user_by_id[principal.id].email
            case PrincipalType.GROUP:
                members = len(snapshot.group_by_id[principal.id].member_ids)
                return f"{members} member{'' if members == 1 else 's'}"
            case PrincipalType.API_KEY:
                return principal.id
            case PrincipalType.ACCOUNT_KEY:
                return principal.id

    def _words(self, profile: Profile, content: Iterable[_Held], *, before: bool) -> Iterator[str]:
        """Each scope-wide grant by name with where it holds, and content grants counted by kind."""
        wide: dict[str, list[str]] = {}
        for scope, number in zip(self.entitlements.scopes, profile.wide, strict=True):
            offer = self.profiles.offers[number]
            for text in dict.fromkeys(
                g.text for g in (offer.before if before else offer.after) if _counts(g)
            ):
                wide.setdefault(text, []).append(self._scope_name(scope))
        for text, scopes in wide.items():
            named = [scope for scope in scopes if scope]
            yield f"{text} in {', '.join(named)}" if named else text
        places: Counter[str] = Counter()
        for held in content:
            for head in held.before if before else held.after:
                places[f"{head} on {{}} {held.kind}"] += held.places
        for text, count in sorted(places.items()):
            yield text.format(count) + ("" if count == 1 else "s")

    def _content(self, principal: PrincipalRef, profile: Profile) -> list[_Held]:
        """What the principal holds on single folders and collections, alike places together."""
        offered = self.profiles.content_of(principal)
        place = np.concatenate([one.place for one in offered])
        code = np.concatenate(
            [one.offer.astype(np.int64) * len(self.profiles.names) + one.source.via for one in offered]
        )
        extras = np.array(profile.extras, dtype=np.int64).reshape(-1, 2)
        place = np.concatenate([place, extras[:, 0]])
        code = np.concatenate([code, extras[:, 1] * len(self.profiles.names)])
        order = np.argsort(place, kind="stable")
        place, code = place[order], code[order]
        first = np.flatnonzero(np.concatenate([place[:1] == place[:1], place[1:] != place[:-1]]))
        single = np.diff(np.append(first, len(place))) == 1
        alone = first[single]
        found = [
            self._held(int(place[alone[at]]), [one], times)
            for one, at, times in zip(*_distinct(code[alone]), strict=True)
        ]
        for start in first[~single].tolist():
            codes = code[start:][place[start:] == place[start]]
            found.append(self._held(int(place[start]), codes.tolist(), 1))
        return found

    def _held(self, place: int, codes: list[int], places: int) -> _Held:
        names = list(self.profiles.names)
        before: dict[str, None] = {}
        after: dict[str, None] = {}
        for code in codes:
            number, via = divmod(code, len(names))
            offer = self.profiles.offers[number]
            for side, grants in ((before, offer.before), (after, offer.after)):
                side |= dict.fromkeys(_head(names[via], grant.text) for grant in grants if _counts(grant))
        kind = "collection" if self.entitlements.places.kind[place] == COLLECTION else "folder"
        return _Held(kind, tuple(before), tuple(after), places)

    def _scope_name(self, scope: str) -> str:
        if scope == ACCOUNT_SCOPE:
            return ""
        environment = self.entitlements.snapshot.environment_by_id[scope]
        return environment.name or environment.cloud_name


def _counts(grant: Grant) -> bool:
    return bool(grant.masks.touched or grant.masks.forbid or grant.masks.opaque_forbid)


def _head(via: str, text: str) -> str:
    """A content grant's words without what it is on: counted, not listed."""
    words = text.removeprefix(UNTOLD) if text.startswith(UNTOLD) else via + text
    return words.partition(" on ")[0].replace("{", "{{").replace("}", "}}")


class _Held(NamedTuple):
    """What is held on so many places."""

    kind: str
    before: tuple[str, ...]
    after: tuple[str, ...]
    places: int


def _distinct(code: npt.NDArray[np.int64]) -> tuple[list[int], list[int], list[int]]:
    """Distinct numbers, where each comes first, and how often it comes."""
    found, first, times = np.unique(code, return_index=True, return_counts=True)
    return found.tolist(), first.tolist(), times.tolist()


def risen(
    entitlements: Entitlements, numbering: CapabilityIndex, gathered: Gathered, kinds: Sequence[Kind]
) -> set[int]:
    """For whom a finding says that something critical to the account is or may be gained."""
    critical = numbering.atoms_of(ScopeType.ACCOUNT, Severity.CRITICAL)
    grows = [COMPARED[one.verdict] not in (Verdict.LOST, Verdict.MAYBE_LOST) for one in kinds]
    wanted = np.array(
        [up and one.atoms & critical != 0 for up, one in zip(grows, kinds, strict=True)], dtype=bool
    )
    in_account = np.flatnonzero(gathered.place == entitlements.places.starts[ACCOUNT_SCOPE])
    found: set[int] = set()
    for at in in_account[wanted[gathered.kind[in_account]]].tolist():
        found.add(int(gathered.principal[at]))
        found.update(gathered.others_of(at).tolist())
    return found


def recounted(
    summaries: Sequence[PrincipalSummary], changes: Mapping[PrincipalRef, Mapping[Verdict, int]]
) -> Sequence[PrincipalSummary]:
    """The summaries after so many findings of each verdict came or went."""
    if isinstance(summaries, Summaries):
        return summaries.recounted(changes)
    return tuple(
        replace(one, counts=_added(one.counts, changes[one.principal])) if one.principal in changes else one
        for one in summaries
    )


def _added(counts: Mapping[Verdict, int], change: Mapping[Verdict, int]) -> Mapping[Verdict, int]:
    found = {verdict: counts.get(verdict, 0) + change.get(verdict, 0) for verdict in Verdict}
    return {verdict: number for verdict, number in found.items() if number}


def without_findings(summaries: Sequence[PrincipalSummary]) -> int:
    """How many principals come out as they went in."""
    if isinstance(summaries, Summaries):
        return summaries.without_findings
    return sum(not summary.counts for summary in summaries)


def promoted(summaries: Iterable[PrincipalSummary]) -> Iterable[PrincipalSummary]:
    """Those of principals who become administrators; of summaries in columns no other is made."""
    found = summaries.promoted() if isinstance(summaries, Summaries) else summaries
    return (one for one in found if one.admin_after and not one.admin_before)
