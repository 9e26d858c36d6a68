"""Exceptions for single people: shares that slept in their hands need not wake.

A share may have had less effect for a legacy role, or none where a person could not work in its environment.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from permmigrate.mapping import LegacyKind
from permmigrate.mapping.rows import NO_LEGACY_ROLE, WILDCARD, Scope, ScopeKind
from permmigrate.mapping.words import level_words
from permmigrate.model import ContentKind, PrincipalType, RoleId, ScopeType, User, UserId
from permmigrate.suggest.chooser import Chooser
from permmigrate.suggest.holders import Sharing
from permmigrate.suggest.phrases import listed
from permmigrate.suggest.solve import Question, weigh
from permmigrate.suggest.value import Choice, Cost, Pick

NEVER_REACHED = "none of these shares was in an environment they could work in"


class Instead(NamedTuple):
    """What somebody should get for a level instead of what everybody gets."""

    picks: tuple[Pick, ...]
    why: str
    given_cost: Cost
    """What everybody's roles would cost this person."""
    cost: Cost


class Context(NamedTuple):
    """What a level's roles mean in the hands of people with one legacy role."""

    unknown: bool = False
    """Nobody knows whether shares had an effect for them."""
    wakes: bool = False
    """The roles give them more than they give others, since the share gave them less."""
    instead: Instead | None = None
    """What adds less, for an exception; None when nothing does."""


@dataclass
class Asleep:
    """People whom a level's roles give more than the share gave them, and why it gave them less."""

    roles: dict[str, set[UserId]] = field(default_factory=dict)
    """By legacy role: shares had no effect for it, or less."""
    unknown: dict[str, set[UserId]] = field(default_factory=dict)
    """By legacy role: nobody knows whether shares had an effect for it."""
    outside: set[UserId] = field(default_factory=set)
    """People who could not work in the share's environment."""

    def note(self, user: User, context: Context, *, outside: bool) -> None:
        """Count somebody for whom no exception can be made."""
        words = user.legacy_role or NO_LEGACY_ROLE
        if outside:
            self.outside.add(user.id)
        if context.unknown:
            self.unknown.setdefault(words, set()).add(user.id)
        elif context.wakes:
            self.roles.setdefault(words, set()).add(user.id)

    def sentences(self) -> tuple[str, ...]:
        """Why something is added although the level's roles fit: one sentence a reason."""
        found = []
        if self.roles:
            found.append(
                f"{_people(self.roles)} with legacy role {listed(sorted(self.roles))}, for which shares had "
                "less effect or none, are reached through a group, whose roles reach every member: take them "
                "out of it, or forbid it with a custom policy"
            )
        if self.outside:
            found.append(
                f"{_people({'': self.outside})} who could not work in the environment are reached through a "
                "group, whose roles reach every member, or hold other shares of this level that no row can "
                "tell apart"
            )
        if self.unknown:
            found.append(
                f"nobody knows whether shares had an effect for the {_people(self.unknown)} with legacy role "
                f"{listed(sorted(self.unknown))}: say so in legacy_baseline.csv"
            )
        return tuple(found)


def _people(by_role: dict[str, set[UserId]]) -> str:
    count = len(set().union(*by_role.values()))
    return "1 person" if count == 1 else f"{count:,} people"


@dataclass
class Contexts:
    """Answers what one level's roles mean for people with each legacy role."""

    chooser: Chooser
    kind: ContentKind
    level: str
    roles: tuple[RoleId, ...]
    """What everybody with such a share gets."""
    plain: Cost
    """What that costs where the share had its full effect."""
    _found: dict[str, Context] = field(default_factory=dict)

    def of(self, legacy_role: str) -> Context:
        if legacy_role not in self._found:
            self._found[legacy_role] = self._of(legacy_role)
        return self._found[legacy_role]

    def _of(self, legacy_role: str) -> Context:
        offers = self.chooser.offers
        before = offers.share(self.kind, self.level, legacy_role)
        if before == offers.share(self.kind, self.level, None):
            return Context()
        holder = PrincipalType.USER
        question = Question(ScopeType.ENVIRONMENT, self.kind.value, holder, before, self.kind, self.roles)
        found = self.chooser.answer(question, new_roles=False)
        cost = weigh(self.chooser.offers, question)
        wakes = cost.expansions > self.plain.expansions
        if found.keeps:
            return Context(found.unknown and bool(self.roles), wakes)
        picks = self.chooser.picks(found, self.kind.value, Scope(ScopeKind(self.kind.value)), "")
        words = legacy_role or NO_LEGACY_ROLE
        less = "less effect" if picks else "no effect"
        why = f"such shares had {less} for legacy role {words}"
        return Context(wakes=wakes, instead=Instead(picks, why, cost, found.cost))

    @cached_property
    def out_of_reach(self) -> Cost:
        """What the level's roles cost somebody who could not work in the environment."""
        question = Question(
            ScopeType.ENVIRONMENT, self.kind.value, PrincipalType.USER, {}, self.kind, self.roles
        )
        return weigh(self.chooser.offers, question)


@dataclass
class Exceptions:
    """Gathers what single people should get for their shares instead."""

    chooser: Chooser
    _instead: dict[tuple[ContentKind, UserId], dict[str, Instead]] = field(default_factory=dict)

    def add(self, kind: ContentKind, user: UserId, level: str, instead: Instead) -> None:
        self._instead.setdefault((kind, user), {})[level] = instead

    def choices(self, held: Mapping[tuple[ContentKind, str], Sharing]) -> Iterator[Choice]:
        """The exceptions as choices: people who get the same for the same reason are one."""
        grouped: dict[tuple[ContentKind, str, tuple[Pick, ...], str], list[UserId]] = {}
        costs: dict[tuple[ContentKind, str, tuple[Pick, ...], str], list[Instead]] = {}
        for (kind, user), by_level in sorted(self._instead.items()):
            own = {level for (k, level), sharing in held.items() if k is kind and user in sharing.users}
            alike = len({(instead.picks, instead.why) for instead in by_level.values()}) == 1
            for level, instead in sorted(by_level.items()):
                whole = WILDCARD if alike and own <= by_level.keys() else level
                key = kind, whole, instead.picks, instead.why
                if user not in grouped.setdefault(key, []):
                    grouped[key].append(user)
                costs.setdefault(key, []).append(instead)
        for key, users in grouped.items():
            yield _choice(*key, users, costs[key])


def _choice(
    kind: ContentKind,
    level: str,
    picks: tuple[Pick, ...],
    why: str,
    users: list[UserId],
    costs: list[Instead],
) -> Choice:
    legacy = LegacyKind.FOLDER_LEVEL if kind is ContentKind.FOLDER else LegacyKind.COLLECTION_LEVEL
    what = f"on {kind.value}s" if level == WILDCARD else f"of {level_words(level)} on {kind.value}s"
    return Choice(
        kind=legacy,
        legacy=level,
        who=f"shares {what} given to single people",
        file="overrides.csv",
        keys=tuple(("user", "id", user, legacy.value, level) for user in users),
        replaces=(),
        holders=len(users),
        given=("what everybody gets for the level",),
        given_cost=Cost.sum(instead.given_cost for instead in costs),
        picks=picks,
        cost=Cost.sum(instead.cost for instead in costs),
        changed=True,
        why=why,
    )
