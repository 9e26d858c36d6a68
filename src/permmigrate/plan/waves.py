"""In which wave each change is made: first a canary that touches every mapping row once, then the rest.

A principal's changes stay together, and nothing is taken from a user before its groups have got theirs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from permmigrate.model import PrincipalRef, PrincipalType, RoleAssignment, UserId
from permmigrate.plan.operation import NEW_ROLE, Definition, Kind, Operation
from permmigrate.plan.world import World

CANARY: Final = 1
PRINCIPALS_A_WAVE: Final = 500
CHANGES_A_WAVE: Final = 50_000
"""A wave ends early when its principals have as many changes together."""
_ORDER: Final = (
    PrincipalType.GROUP,
    PrincipalType.USER,
    PrincipalType.API_KEY,
    PrincipalType.ACCOUNT_KEY,
)


@dataclass(frozen=True, slots=True)
class Change:
    """An operation that has no wave yet."""

    kind: Kind
    cause: str
    subject: RoleAssignment | Definition


def in_waves(changes: Sequence[Change], world: World, size: int = PRINCIPALS_A_WAVE) -> Iterator[Operation]:
    """Give every change its wave; a definition goes with the first that needs it."""
    given: dict[PrincipalRef, set[str]] = {}
    counts: Counter[PrincipalRef] = Counter()
    for change in changes:
        if isinstance(change.subject, RoleAssignment):
            given.setdefault(change.subject.principal, set()).add(change.cause)
            counts[change.subject.principal] += 1
    wave_of = _waves(given, counts, size)
    first_use: dict[str, int] = {}
    for change in changes:
        subject = change.subject
        if isinstance(subject, RoleAssignment):
            wave = wave_of[subject.principal]
            if change.kind.revokes:
                wave = max(wave, *_of_groups(subject.principal, wave_of, world), CANARY)
            elif subject.role_id.startswith(NEW_ROLE):
                first_use[subject.role_id] = min(wave, first_use.get(subject.role_id, wave))
            yield Operation(change.kind, wave, change.cause, subject)
    for change in changes:
        if isinstance(change.subject, Definition):
            wave = first_use.get(change.subject.id, CANARY)
            yield Operation(change.kind, wave, change.cause, change.subject)


def _of_groups(who: PrincipalRef, wave_of: Mapping[PrincipalRef, int], world: World) -> Iterator[int]:
    yield CANARY
    if who.type is PrincipalType.USER:
        for group in world.groups_of.get(UserId(who.id), ()):
            yield wave_of.get(PrincipalRef(PrincipalType.GROUP, group), CANARY)


def _waves(
    given: Mapping[PrincipalRef, set[str]], counts: Mapping[PrincipalRef, int], size: int
) -> dict[PrincipalRef, int]:
    canary = canary_of(given)
    waves = dict.fromkeys(canary, CANARY)
    wave, principals, changes = CANARY + 1, 0, 0
    for who in sorted(given.keys() - canary, key=_place):
        if principals and (principals == size or changes + counts[who] > CHANGES_A_WAVE):
            wave, principals, changes = wave + 1, 0, 0
        waves[who] = wave
        principals, changes = principals + 1, changes + counts[who]
    return waves


def _place(who: PrincipalRef) -> tuple[int, str]:
    return _ORDER.index(who.type), who.id


def canary_of(given: Mapping[PrincipalRef, set[str]]) -> frozenset[PrincipalRef]:
    """A small set of principals that touches every cause once: greedily, the same for the same plan.

    The smallest set of all is not looked for: that takes exponential time, and greedy comes within a factor
    of the logarithm of the number of rows.
    """
    missing: set[str] = set().union(*given.values())
    waiting = sorted(given, key=_place)
    chosen: list[PrincipalRef] = []
    while missing:
        best = max(waiting, key=lambda who: len(given[who] & missing))
        chosen.append(best)
        missing -= given[best]
    return frozenset(_without_spare(chosen, given))


def _without_spare(
    chosen: Sequence[PrincipalRef], given: Mapping[PrincipalRef, set[str]]
) -> Iterable[PrincipalRef]:
    """Leave out whom the others together make needless."""
    kept = list(chosen)
    for who in chosen:
        others: set[str] = set().union(*(given[each] for each in kept if each != who))
        if given[who] <= others:
            kept.remove(who)
    return kept
