"""Suggestions for legacy user roles and for keys: an account part and an environment part, each alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from permmigrate.mapping import LegacyKind
from permmigrate.mapping.recipes import Recipe
from permmigrate.mapping.rows import NO_LEGACY_ROLE, Scope, ScopeKind
from permmigrate.model import PrincipalRef, PrincipalType, User
from permmigrate.suggest.chooser import (
    ACCOUNT,
    ENVIRONMENT,
    SCOPES,
    Chooser,
    decided_by_hand,
    given_roles,
    given_words,
)
from permmigrate.suggest.solve import Answer, Question
from permmigrate.suggest.value import Choice, Cost, Items

EVERYWHERE: Final = "master_admin"
"""The legacy role that had every environment, tomorrow's too (vendor's user provisioning guide)."""


@dataclass(frozen=True, slots=True)
class _Grant:
    """Holders of one legacy role, or of one kind of key that the same rows speak of."""

    kind: LegacyKind
    legacy: str
    holder: PrincipalType
    recipe: Recipe
    holders: int
    who: str
    name: str
    """What a new role for it is called."""
    limited: bool
    """Whether some holder is limited to some environments."""


def user_roles(chooser: Chooser) -> Iterator[Choice]:
    """One choice a legacy role, and one for its holders who have no environment at all."""
    by_role: dict[str, list[User]] = {}
    overridden = 0
    for user in chooser.snapshot.users:
        principal = PrincipalRef(PrincipalType.USER, user.id)
        if chooser.overrides.best(principal, LegacyKind.USER_ROLE, user.legacy_role):
            overridden += 1
        else:
            by_role.setdefault(user.legacy_role, []).append(user)
    if overridden:
        chooser.kept.append(f"the roles of {overridden} users, decided by overrides.csv")
    for role in sorted(by_role):
        users = by_role[role]
        recipe = chooser.lookup.of_value(PrincipalRef(PrincipalType.USER, ""), LegacyKind.USER_ROLE, role)
        words = role or NO_LEGACY_ROLE
        grant = _Grant(
            LegacyKind.USER_ROLE, role, PrincipalType.USER, recipe, len(users), f"legacy role {words}",
            f"Legacy {words}", role != EVERYWHERE and any(not user.all_environments for user in users),
        )  # fmt: skip
        choice = _choose(chooser, grant, "user_roles.csv", ((words,),))
        if choice is not None:
            yield choice
            yield from _nowhere(choice, users, words)


def _nowhere(choice: Choice, users: Sequence[User], words: str) -> Iterator[Choice]:
    """Users who are limited to no environment: rows for environments cannot be carried out for them."""
    nowhere = [u for u in users if not u.all_environments and not u.environment_ids]
    in_account = tuple(pick for pick in choice.picks if pick.scope.kind is ScopeKind.ACCOUNT)
    if nowhere and choice.picks and in_account != choice.picks and choice.legacy != EVERYWHERE:
        why = "they have no product environment, so a role given in each cannot be carried out"
        yield replace(
            choice,
            who=f"{choice.who}, without any environment",
            file="overrides.csv",
            keys=tuple(("user", "id", u.id, LegacyKind.USER_ROLE.value, words) for u in nowhere),
            replaces=(),
            holders=len(nowhere),
            picks=in_account,
            changed=True,
            why=why,
            left=(),
        )


def api_keys(chooser: Chooser) -> Iterator[Choice]:
    """One choice for each set of rows that serves some key, and one for the keys that none serves."""
    served: dict[Recipe, int] = {}
    overridden = 0
    for key in chooser.snapshot.api_keys:
        principal = PrincipalRef(PrincipalType.API_KEY, key.id)
        if chooser.overrides.best(principal, LegacyKind.API_KEY, ""):
            overridden += 1
        else:
            recipe = chooser.lookup.of_api_key(principal, key)
            served[recipe] = served.get(recipe, 0) + 1
    if overridden:
        chooser.kept.append(f"{overridden} API keys, decided by overrides.csv")
    kind = LegacyKind.API_KEY, PrincipalType.API_KEY, "API keys", "Legacy API key", ("*", "*", "any")
    yield from _keys(chooser, served, "api_keys.csv", *kind)


def account_keys(chooser: Chooser) -> Iterator[Choice]:
    """The same for account management keys."""
    served: dict[Recipe, int] = {}
    overridden = 0
    for key in chooser.snapshot.account_keys:
        principal = PrincipalRef(PrincipalType.ACCOUNT_KEY, key.id)
        if chooser.overrides.best(principal, LegacyKind.ACCOUNT_KEY, ""):
            overridden += 1
        else:
            recipe = chooser.lookup.of_account_key(principal, key.name)
            served[recipe] = served.get(recipe, 0) + 1
    if overridden:
        chooser.kept.append(f"{overridden} account keys, decided by overrides.csv")
    kind = LegacyKind.ACCOUNT_KEY, PrincipalType.ACCOUNT_KEY, "account keys", "Legacy account key", ("*",)
    yield from _keys(chooser, served, "account_keys.csv", *kind)


def _keys(
    chooser: Chooser,
    served: dict[Recipe, int],
    file: str,
    kind: LegacyKind,
    holder: PrincipalType,
    who: str,
    name: str,
    every: tuple[str, ...],
) -> Iterator[Choice]:
    for recipe, count in sorted(served.items(), key=lambda each: each[0].rows):
        rows = chooser.rows_of(recipe)
        key = rows[0].key if rows else every
        match = "" if key == every else f" {' '.join(key)}"
        grant = _Grant(kind, "", holder, recipe, count, who + match, name, limited=False)
        choice = _choose(chooser, grant, file, (key,))
        if choice is not None:
            yield choice


def _choose(chooser: Chooser, grant: _Grant, file: str, keys: tuple[tuple[str, ...], ...]) -> Choice | None:
    """Answer both parts; None where a person has decided."""
    rows = chooser.rows_of(grant.recipe)
    if decided_by_hand(rows):
        chooser.kept.append(f"{grant.who}: {rows[0].ref} is somebody's decision")
        return None
    alone = len(chooser.snapshot.environments) == 1
    answers: dict[str, Answer] = {}
    for level, scope in SCOPES.items():
        kind = grant.kind
        if kind is LegacyKind.API_KEY and level == ACCOUNT:
            continue
        legacy = grant.legacy if kind is LegacyKind.USER_ROLE else "*"
        before = chooser.offers.legacy(kind, legacy, scope)
        given = given_roles(grant.recipe, level, one_environment=alone)
        answers[level] = chooser.answer(Question(scope, level, grant.holder, before, given=given))
    outside = _outside(chooser, grant)
    unknown = all(a.unknown or (a.cost == Cost() and not a.roles) for a in answers.values()) and any(
        a.unknown for a in answers.values()
    )
    wide = _scope(grant)
    as_given = all(a.keeps for a in answers.values()) and not outside and not grant.recipe.obstacles
    picks = tuple(
        pick
        for level, found in answers.items()
        for pick in chooser.picks(
            found, level, Scope(ScopeKind.ACCOUNT) if level == ACCOUNT else wide, _name(grant, level)
        )
    )
    changed = not unknown and not (as_given and grant.recipe.rows and _scopes_fit(grant, wide))
    cost = Cost.sum(found.cost for found in answers.values())
    return Choice(
        kind=grant.kind,
        legacy=grant.legacy,
        who=grant.who,
        file=file,
        keys=keys,
        replaces=tuple(row.ref.line for row in rows),
        holders=grant.holders,
        given=given_words(grant.recipe, chooser),
        given_cost=Cost.sum(found.given_cost for found in answers.values()) + Cost(gained=outside),
        picks=picks,
        cost=cost,
        changed=changed,
        why=_why(chooser, answers, outside, changed),
        left=_left(answers),
    )


def _name(grant: _Grant, level: str) -> str:
    return f"{grant.name} ({level})"


def _scope(grant: _Grant) -> Scope:
    """Each environment, unless the grant held for tomorrow's too and every holder has all of them."""
    if grant.legacy == EVERYWHERE:
        return Scope(ScopeKind.ALL)
    given = {step.scope.kind for step in grant.recipe.steps if step.role.level == ENVIRONMENT}
    return Scope(ScopeKind.ALL if given == {ScopeKind.ALL} and not grant.limited else ScopeKind.EACH)


def _scopes_fit(grant: _Grant, wide: Scope) -> bool:
    return all(step.scope == wide for step in grant.recipe.steps if step.role.level == ENVIRONMENT)


def _outside(chooser: Chooser, grant: _Grant) -> Items:
    """What the rows give in environments that some holder did not have."""
    roles = {
        step.role.id
        for step in grant.recipe.steps
        if step.role.level == ENVIRONMENT and step.scope.kind in (ScopeKind.ALL, ScopeKind.ONE)
    }
    if not grant.limited or not roles:
        return ()
    scale = chooser.offers.scale(SCOPES[ENVIRONMENT], grant.holder)
    permitted = chooser.offers.permitted(sorted(roles), None).values()
    return scale.items(sum_of(masks.permit for masks in permitted) & scale.valid)


def sum_of(masks: Iterator[int]) -> int:
    """All masks together."""
    found = 0
    for mask in masks:
        found |= mask
    return found


def _why(chooser: Chooser, answers: dict[str, Answer], outside: Items, changed: bool) -> str:
    parts = []
    if outside:
        parts.append("some holders are limited to some environments: given in each of their own only")
    for level, found in answers.items():
        if changed or found.unknown or not found.cost.is_exact:
            parts.append(f"{level}: {chooser.why(found)}")
    return "; ".join(parts) or "nothing gives less without losing something"


def _left(answers: dict[str, Answer]) -> tuple[str, ...]:
    """Why something is still added, or is not known."""
    left = []
    for level, found in answers.items():
        if found.unknown:
            left.append(f"{level}: nobody knows anything it surely allowed: say so in legacy_baseline.csv")
        elif found.cost.expansions:
            left.append(f"{level}: no roles of the catalog give what was had and less than this")
    return tuple(left)
