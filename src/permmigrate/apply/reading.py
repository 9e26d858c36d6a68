"""Reading back with care: what is not as expected is read again until two readings in a row agree.

Caches of the service may show yesterday for a while. It only reads, and it judges by the `Belief` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from permmigrate.apply.belief import Belief, Drift, Item, Place
from permmigrate.apply.live import Live
from permmigrate.model import ALL_ENVIRONMENTS, EnvironmentId, PrincipalRef, RoleAssignment

PAUSES: Final = (1.0, 2.0, 4.0, 8.0, 15.0, 30.0)
"""Seconds between readings of what is not as expected: a minute in all."""

Seen = Mapping[PrincipalRef, frozenset[RoleAssignment] | None]


@dataclass(frozen=True, slots=True)
class Pace:
    """Where time comes from."""

    now: Callable[[], str]
    """UTC, ISO 8601, ends in `Z`."""
    sleep: Callable[[float], None]
    pauses: tuple[float, ...] = PAUSES


class Reading:
    """Reads a live account against a belief."""

    def __init__(self, live: Live, belief: Belief, environments: Sequence[EnvironmentId], pace: Pace) -> None:
        self._live = live
        self._belief = belief
        self._environments = tuple(environments)
        self._pace = pace

    def place(self, item: Item) -> Place:
        """Where an operation's effect shows."""
        row = item.held
        if item.operation.kind.by_admin_api:
            return row.scope_id, row.folder_id
        return (self._environments[0] if row.scope_id == ALL_ENVIRONMENTS else row.scope_id), None

    def everywhere(self) -> tuple[Place, ...]:
        """The account and each of its environments."""
        return (None, None), *((each, None) for each in self._environments)

    def look(self, principals: Sequence[PrincipalRef], place: Place) -> Seen:
        """Read once what they hold at a place."""
        scope, folder = place
        environment = EnvironmentId(scope) if scope is not None else None
        if folder is None:
            return self._live.held(principals, environment)
        assert environment is not None
        rows = self._live.folder_held(environment, folder)
        return {one: frozenset(row for row in rows if row.principal == one) for one in principals}

    def expected(
        self, principals: Iterable[PrincipalRef], place: Place, pauses: int | None = None
    ) -> tuple[Seen, Mapping[PrincipalRef, Drift]]:
        """Read until everybody is as expected, or stays as they are; return what was read and who differs."""
        seen: dict[PrincipalRef, frozenset[RoleAssignment] | None] = {}
        differing = sorted(principals)
        drifts: dict[PrincipalRef, Drift] = {}
        for pause in (0.0, *self._pace.pauses[:pauses]):
            if pause:
                self._pace.sleep(pause)
            found = self.look(differing, place)
            seen |= found
            drifts = {
                one: drift for one in differing if (drift := self._belief.drift(one, place, found[one]))
            }
            differing = sorted(drifts)
            if not drifts:
                break
        return seen, drifts

    def twice_everywhere(self, items: Sequence[Item]) -> tuple[dict[PrincipalRef, Drift], int]:
        """Read everybody concerned, twice in a row as expected; return who never is, and how many were read.

        Everything they hold is read; by the Admin API, what they hold on the folders concerned.
        """
        readers: dict[Place, set[PrincipalRef]] = {}
        for item in items:
            places = (self.place(item),) if item.operation.kind.by_admin_api else self.everywhere()
            for place in places:
                readers.setdefault(place, set()).add(item.principal)
        found: dict[PrincipalRef, Drift] = {}
        for place, principals in readers.items():
            _, drifts = self.expected(principals, place)
            _, later = self.expected(principals - drifts.keys(), place)
            for one, drift in {**drifts, **later}.items():
                found[one] = _both(found.get(one), drift)
        return found, len(set().union(*readers.values()))

    def back(self, items: Sequence[Item]) -> Mapping[str, bool]:
        """Whether each operation's assignment is held, once two readings in a row say the same."""
        places: dict[Place, list[Item]] = {}
        for item in items:
            places.setdefault(self.place(item), []).append(item)
        found: dict[str, bool] = {}
        for place, there in places.items():
            principals = sorted({item.principal for item in there})
            before: Seen | None = None
            for pause in (0.0, *self._pace.pauses):
                if pause:
                    self._pace.sleep(pause)
                seen = self.look(principals, place)
                if seen == before:
                    break
                before = seen
            found |= {item.id: item.row in (seen[item.principal] or ()) for item in there}
        return found


def _both(first: Drift | None, second: Drift) -> Drift:
    if first is None:
        return second
    return Drift(first.missing | second.missing, first.extra | second.extra, first.gone or second.gone)
