"""The values of a suggestion: what each legacy grant should become, what that costs, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from permmigrate.diff import Severity
from permmigrate.mapping import LegacyKind
from permmigrate.mapping.custom_roles import NEW_ROLE
from permmigrate.mapping.rows import Scope
from permmigrate.suggest.search import weight


class Item(NamedTuple):
    """One capability of a cost."""

    severity: Severity
    label: str
    """In words: "Delete assets"."""


Items = tuple[Item, ...]
"""Sorted, the worst first."""

Rank = tuple[tuple[int, ...], ...]
"""Less is better: what is lost by severity, what is added and counts, lesser doubts."""


@dataclass(frozen=True, slots=True)
class Cost:
    """What one holder of a legacy grant gains and loses when the grant becomes certain roles."""

    gained: Items = ()
    maybe_gained: Items = ()
    """Given, and nobody knows whether it was had."""
    lost: Items = ()
    maybe_lost: Items = ()
    """Not given, and nobody knows whether it was had."""

    def __add__(self, other: Cost) -> Cost:
        return Cost(
            _merged(self.gained, other.gained),
            _merged(self.maybe_gained, other.maybe_gained),
            _merged(self.lost, other.lost),
            _merged(self.maybe_lost, other.maybe_lost),
        )

    @staticmethod
    def sum(costs: Iterable[Cost]) -> Cost:
        """Several costs together, each capability once."""
        total = Cost()
        for cost in costs:
            total += cost
        return total

    @property
    def expansions(self) -> int:
        """How many capabilities are gained, or may be."""
        return len(self.gained) + len(self.maybe_gained)

    @property
    def is_exact(self) -> bool:
        """Whether nothing is lost for certain and nothing is added, not even perhaps."""
        return not self.lost and not self.expansions

    def rank(self, keep_doubtful: bool = False) -> Rank:
        """What the search makes as small as it can; doubtful capabilities may count as lost."""
        lost = by_severity(self.lost)
        if keep_doubtful:
            lost += by_severity(self.maybe_lost)
        return lost, *weight(by_severity(self.gained), by_severity(self.maybe_gained))


def _merged(mine: Items, theirs: Items) -> Items:
    return tuple(sorted({*mine, *theirs}, key=item_order))


def item_order(item: Item) -> tuple[int, str]:
    """The worst first, then by name."""
    return item.severity.rank, item.label


def by_severity(items: Iterable[Item]) -> tuple[int, ...]:
    """How many of each severity, the worst first."""
    counts = Counter(item.severity for item in items)
    return tuple(counts[severity] for severity in Severity)


class Pick(NamedTuple):
    """One role to give, and where."""

    target: str
    """A role's id, or `new-role/<name>`."""
    label: str
    """In words: "environment role Editor"."""
    scope: Scope


@dataclass(frozen=True, slots=True)
class NewRole:
    """A custom role to be created, made of exactly the policies that are needed."""

    name: str
    level: str
    policies: tuple[str, ...]
    description: str

    @property
    def target(self) -> str:
        """How rows name it."""
        return NEW_ROLE + self.name


@dataclass(frozen=True, slots=True)
class Choice:
    """What the holders of one distinct set of legacy grants should get."""

    kind: LegacyKind
    legacy: str
    """The legacy role or level as the wire has it; empty for keys and for users without a role."""
    who: str
    """Whom it is for, in words: "users and groups", "API keys website-*"."""
    file: str
    """The table its rows are in."""
    keys: tuple[tuple[str, ...], ...]
    """The cells that rows are found by in that table, one tuple for each set of rows."""
    replaces: tuple[int, ...]
    """The lines of the rows it takes the place of."""
    holders: int
    """How many principals hold such a grant."""
    given: tuple[str, ...]
    """What the tables give now, in words; empty for nothing."""
    given_cost: Cost
    picks: tuple[Pick, ...]
    """What to give; nothing at all when empty."""
    cost: Cost
    changed: bool
    """Whether rows are written; otherwise the rows there are stay."""
    why: str
    """Why this and nothing else, in a sentence."""
    left: tuple[str, ...] = ()
    """Why something is still added, or may be: one sentence each."""


@dataclass(frozen=True)
class Suggestion:
    """All choices for one account, in the tables' order."""

    snapshot_digest: str
    catalog_digest: str
    choices: tuple[Choice, ...]
    new_roles: tuple[NewRole, ...] = ()
    kept: tuple[str, ...] = ()
    """What was left to the people who decided it, in words."""
    custom_roles: bool = field(default=False)
    """Whether roles of the customer's own making were allowed."""

    @property
    def changed(self) -> tuple[Choice, ...]:
        return tuple(choice for choice in self.choices if choice.changed)

    @property
    def source(self) -> str:
        """What goes into the `source` column of a suggested row."""
        return (
            f"suggested from {self.snapshot_digest[:12] or 'a snapshot'} against catalog "
            + (self.catalog_digest[:12])
        )
