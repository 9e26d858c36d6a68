"""Suggestions for shares: a role for each level, and exceptions for people in whose hands shares slept.

A level has one row for everybody, so it is answered as for a group. A person whose legacy role or
environments kept a share without effect gets an exception; what comes through a group cannot have one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from permmigrate.mapping import LegacyKind
from permmigrate.mapping.recipes import Recipe
from permmigrate.mapping.rows import ANY, Scope, ScopeKind
from permmigrate.mapping.words import level_words
from permmigrate.model import ContentKind, PrincipalRef, PrincipalType, ScopeType, User, UserId
from permmigrate.suggest.chooser import Chooser, decided_by_hand, given_words
from permmigrate.suggest.exceptions import NEVER_REACHED, Asleep, Contexts, Exceptions, Instead
from permmigrate.suggest.holders import Reach, Sharing, sharing
from permmigrate.suggest.offers import single_id
from permmigrate.suggest.solve import Answer, Question
from permmigrate.suggest.value import Choice, Cost

_KINDS: Final = {
    ContentKind.FOLDER: (LegacyKind.FOLDER_LEVEL, "folder_levels.csv"),
    ContentKind.COLLECTION: (LegacyKind.COLLECTION_LEVEL, "collection_levels.csv"),
}


def levels(chooser: Chooser) -> Iterator[Choice]:
    """One choice a level, folders before collections; then the exceptions."""
    reaches: dict[UserId, frozenset[str]] = {}

    def reach(user: User) -> frozenset[str]:
        if user.id not in reaches:
            reaches[user.id] = frozenset(chooser.offers.before.reach(user))
        return reaches[user.id]

    exceptions, held = Exceptions(chooser), sharing(chooser.snapshot, reach)
    for (kind, level), sharers in sorted(
        held.items(), key=lambda each: (each[0][0].name != "FOLDER", each[0])
    ):
        _leave_out_overridden(chooser, kind, level, sharers)
        if sharers.holders:
            yield from _Level(chooser, kind, level, sharers, exceptions, reach).choices()
    yield from exceptions.choices(held)


def _leave_out_overridden(chooser: Chooser, kind: ContentKind, level: str, held: Sharing) -> None:
    """Forget the holders whose shares of this level overrides decide already."""
    if not chooser.overrides:
        return
    legacy, before = _KINDS[kind][0], held.holders
    for user in tuple(held.users):
        if chooser.overrides.best(PrincipalRef(PrincipalType.USER, user), legacy, level):
            del held.users[user]
    for group in tuple(held.groups):
        if chooser.overrides.best(PrincipalRef(PrincipalType.GROUP, group), legacy, level):
            del held.groups[group]
    if held.holders < before:
        what = f"{level_words(level)} on a {kind.value}"
        chooser.kept.append(f"{what} for {before - held.holders} of its holders, decided by overrides.csv")


@dataclass
class _Level:
    """One level of shares on folders, or on collections."""

    chooser: Chooser
    kind: ContentKind
    level: str
    held: Sharing
    exceptions: Exceptions
    reach: Reach

    @property
    def words(self) -> str:
        return f"{level_words(self.level)} on a {self.kind.value}"

    def choices(self) -> Iterator[Choice]:
        """One choice for all holders, or one a kind of holder where they differ."""
        chooser, (legacy, _) = self.chooser, _KINDS[self.kind]
        recipes = {
            holder: chooser.lookup.of_value(PrincipalRef(holder, ""), legacy, self.level)
            for holder in self.held.types()
        }
        rows = {row.ref: row for recipe in recipes.values() for row in chooser.rows_of(recipe)}
        if decided_by_hand(rows.values()):
            chooser.kept.append(f"{self.words}: {min(rows)} is somebody's decision")
            return
        answers = {holder: self._answer(holder, recipe) for holder, recipe in recipes.items()}
        written = {row.key[1] for row in rows.values()}
        if len({(a.roles, a.policies, a.keeps) for a in answers.values()}) == 1 and len(written) < 2:
            yield self._choice(recipes, answers, next(iter(written), ANY), self.words)
            return
        for holder in answers:
            one = {holder: recipes[holder]}, {holder: answers[holder]}
            yield self._choice(*one, holder.value, f"{self.words}, held by a {holder.label}")

    def _answer(self, holder: PrincipalType, recipe: Recipe) -> Answer:
        given = tuple(dict.fromkeys(step.role.id for step in recipe.steps))
        before = self.chooser.offers.share(self.kind, self.level, None)
        return self.chooser.answer(
            Question(ScopeType.ENVIRONMENT, self.kind.value, holder, before, self.kind, given)
        )

    def _choice(
        self,
        recipes: dict[PrincipalType, Recipe],
        answers: dict[PrincipalType, Answer],
        principal_type: str,
        words: str,
    ) -> Choice:
        chooser, (legacy, file) = self.chooser, _KINDS[self.kind]
        (recipe, *_), (found, *_) = recipes.values(), answers.values()
        name, scope = f"Legacy {level_words(self.level)}", Scope(ScopeKind(self.kind.value))
        rows = chooser.rows_of(recipe)
        stays = found.keeps and bool(rows) and not recipe.obstacles
        left = list(self._left(found))
        held = {PrincipalType.USER: len(self.held.users), PrincipalType.GROUP: len(self.held.groups)}
        return Choice(
            kind=legacy,
            legacy=self.level,
            who=words,
            file=file,
            keys=((self.level, principal_type),),
            replaces=tuple(row.ref.line for row in rows if row.key == (self.level, principal_type)),
            holders=sum(held[holder] for holder in answers),
            given=given_words(recipe, chooser),
            given_cost=found.given_cost,
            picks=chooser.picks(found, self.kind.value, scope, name),
            cost=found.cost,
            changed=not found.unknown and not stays,
            why=chooser.why(found),
            left=tuple(left + list(self._asleep(found, tuple(answers)).sentences())),
        )

    def _left(self, found: Answer) -> Iterator[str]:
        if found.unknown:
            yield f"nobody knows anything that {self.words} surely allowed: say so in legacy_baseline.csv"
        elif found.cost.expansions:
            yield (
                "no roles of the catalog give what was had and less than this"
                + (", and collection roles cannot be of one's own making" if self._is_collection else "")
            )

    @property
    def _is_collection(self) -> bool:
        return self.kind is ContentKind.COLLECTION

    def _asleep(self, found: Answer, holders: tuple[PrincipalType, ...]) -> Asleep:
        """Whom the roles give more than their share did; those who can have an exception get one."""
        roles = found.roles or tuple(map(single_id, found.policies))
        contexts = Contexts(self.chooser, self.kind, self.level, roles, found.cost)
        asleep, snapshot = Asleep(), self.chooser.snapshot
        for user_id, within in self.held.users.items() if PrincipalType.USER in holders else ():
            user = snapshot.user_by_id[user_id]
            context = contexts.of(user.legacy_role)
            if within == {False} and contexts.out_of_reach.expansions:
                instead = Instead((), NEVER_REACHED, contexts.out_of_reach, Cost())
                self.exceptions.add(self.kind, user_id, self.level, instead)
            elif within != {False} and context.instead is not None:
                self.exceptions.add(self.kind, user_id, self.level, context.instead)
            else:
                asleep.note(user, context, outside={True, False} == within)
        for group_id, environments in self.held.groups.items() if PrincipalType.GROUP in holders else ():
            for member in snapshot.group_by_id[group_id].member_ids:
                if member in snapshot.user_by_id:
                    user = snapshot.user_by_id[member]
                    outside = not environments <= self.reach(user)
                    asleep.note(user, contexts.of(user.legacy_role), outside=outside)
        return asleep
