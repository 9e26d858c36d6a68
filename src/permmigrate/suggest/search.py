"""The cheapest set of options that covers everything required: exact, by branch and bound over bit masks.

It knows nothing of roles: options are masks, costs are counts, and the order of the options breaks ties.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

BUDGET: Final = 200_000
"""How many partial sets are looked at before the best one found is taken without proof."""


class Option(NamedTuple):
    """Something that can be chosen."""

    covers: int
    gained: int
    """What it surely adds, as a mask of units."""
    doubtful: int
    """What it adds perhaps, likewise."""
    penalty: int = 0
    """Decides between sets of the same cost and size."""


class Found(NamedTuple):
    """The chosen options, by their numbers."""

    chosen: tuple[int, ...]
    proved: bool
    """False when the budget ran out first."""


Key = tuple[tuple[int, ...], int, tuple[int, ...], int, tuple[int, ...]]
"""What is added and counts, how many options, lesser doubts, their penalties, their numbers."""

GRAVE: Final = 2
"""How many severities, from the worst, are worth one option more even when they are only doubtful."""


def cheapest(
    required: int, options: Sequence[Option], severities: Sequence[int], budget: int = BUDGET
) -> Found:
    """Cover what can be covered of `required`, adding least.

    `severities` are masks of units, the worst first: one more unit of the worst outweighs any number of
    lesser ones, and a sure one outweighs doubtful ones of the same severity. A larger set must keep away
    something sure, or a doubt of the two worst severities; lesser doubts decide between sets of one size.
    """
    coverable = 0
    for option in options:
        coverable |= option.covers
    hunt = _Hunt(options, tuple(severities), budget)
    hunt.parts = _parts(required & coverable, options)
    hunt.visit((), 0, 0, 0, 0)
    assert hunt.best is not None
    return Found(hunt.best[-1], hunt.budget > 0)


def _parts(required: int, options: Sequence[Option]) -> list[int]:
    """The required bits, those that the same options cover put together; each part as a mask of options."""
    parts = [(required, 0)] if required else []
    for number, option in enumerate(options):
        split = []
        for bits, covering in parts:
            inside, outside = bits & option.covers, bits & ~option.covers
            if inside:
                split.append((inside, covering | 1 << number))
            if outside:
                split.append((outside, covering))
        parts = split
    found = sorted({covering for _, covering in parts}, key=lambda c: (c.bit_count(), c))
    return [c for n, c in enumerate(found) if not any(c & other == other for other in found[:n])]


@dataclass(slots=True)
class _Hunt:
    options: Sequence[Option]
    severities: tuple[int, ...]
    budget: int
    parts: list[int] = field(default_factory=list)
    """For each thing to cover, the options that do; the rarest first."""
    best: Key | None = None

    def visit(self, chosen: tuple[int, ...], taken: int, gained: int, doubtful: int, penalty: int) -> None:
        """Try every way to cover what is left, cheapest first, and cut what cannot beat the best."""
        open_part = next((part for part in self.parts if not part & taken), 0)
        added, doubts = weight(self._counts(gained), self._counts(doubtful))
        if not open_part:
            key = added, len(chosen), doubts, penalty, tuple(sorted(chosen))
            if self.best is None or key < self.best:
                self.best = key
            return
        if self.best is not None and (added, len(chosen) + 1, doubts, penalty) > self.best[:4]:
            return
        ways = []
        for number, option in enumerate(self.options):
            if open_part >> number & 1:
                more = gained | option.gained, doubtful | option.doubtful
                order = weight(self._counts(more[0]), self._counts(more[1]))
                ways.append((order, option.penalty, number, *more))
        for _, extra, number, more_gained, more_doubtful in sorted(ways):
            self.budget -= 1
            if self.budget <= 0 and self.best is not None:
                return
            self.visit((*chosen, number), taken | 1 << number, more_gained, more_doubtful, penalty + extra)

    def _counts(self, units: int) -> tuple[int, ...]:
        return tuple((units & severity).bit_count() for severity in self.severities)


def weight(gained: Sequence[int], doubtful: Sequence[int]) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """What is added by severity as it counts, and the lesser doubts; less is better in both."""
    grave = [number for pair in zip(gained[:GRAVE], doubtful[:GRAVE], strict=True) for number in pair]
    return (*grave, *gained[GRAVE:]), tuple(doubtful[GRAVE:])
