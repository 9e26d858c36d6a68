"""What changing one mapping row, or one assigned role, would remove: decided again, not subtracted.

Only those for whom the row's expansions hold are compared again, with the row giving less: each lesser role
or access bundle at its level, or nothing. What the change would cost is counted with what it removes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice

from permmigrate.diff.findings import in_brief
from permmigrate.diff.lesser import Compared, lesser_changes, restrict
from permmigrate.diff.remains import Held, Overlaps
from permmigrate.diff.value import Diff, Verdict


@dataclass(frozen=True, slots=True)
class Counterfactual:
    """One change to one cause, and what it would do."""

    cause: str
    """`user_roles.csv:17`, or `assigned` and a role's id."""
    target: str
    """What it would give instead: `folder/Viewer`, the name of a bundle, or `nothing`."""
    expansions: int
    """The findings gained or maybe gained that name the cause now."""
    removed: int
    """Those of them of which nothing is left."""
    lessened: int
    """Those of them of which less is left: fewer capabilities, or smaller places."""
    added: int
    """Expansions for the same principals that there are not now."""
    lost: int
    """Reductions for the same principals that there are not now: what the change costs."""

    def __str__(self) -> str:
        return f"changing `{self.cause}` {self.effect}"

    @property
    def effect(self) -> str:
        """What the change is and does, where the cause has been named."""
        text = f"to {self.target} removes {self.removed:,} of {self.expansions:,}"
        parts = (("lessens", self.lessened), ("adds", self.added), ("loses", self.lost))
        return ", ".join((text, *(f"{verb} {count:,}" for verb, count in parts if count)))


def weigh_causes(
    diff: Diff, compared: Compared, top: int, *, most: int | None = None
) -> Iterator[tuple[Counterfactual, ...]]:
    """Weigh the causes with the most expansions one after the other, each when it is asked for.

    Those with more than `most` expansions are passed over: one of them takes longer than the comparison.
    """
    worth = (c.ref for c in diff.causes if c.expansions and (most is None or c.expansions <= most))
    for ref in islice(worth, top):
        yield weigh(diff, compared, ref)


def weigh(diff: Diff, compared: Compared, cause: str) -> tuple[Counterfactual, ...]:
    """What each lesser target of a cause would remove, the largest target first and nothing last.

    Empty for a cause that is no row and no assigned role, such as a legacy grant without a row.
    """
    named = [f for f in in_brief(diff.findings) if f.verdict.is_expansion and cause in f.causes]
    holders = {finding.principal for finding in named}
    if not named:
        return ()
    before = Held.of(diff, holders)
    narrowed = replace(
        compared,
        snapshot=restrict(compared.snapshot, holders),
        assigned=None if compared.assigned is None else restrict(compared.assigned, holders),
    )
    found = []
    for target, changed in lesser_changes(narrowed, cause):
        after = Held.of(changed.again(), holders)
        forth, back = Overlaps(before, after), Overlaps(after, before)
        left = [finding for finding in named if forth.any(finding, finding.principal, _expands)]
        found.append(
            Counterfactual(
                cause=cause,
                target=target,
                expansions=len(named),
                removed=len(named) - len(left),
                lessened=sum(not forth.whole(finding, finding.principal, _expands) for finding in left),
                added=back.new(_expands),
                lost=back.new(_reduces),
            )
        )
    return tuple(found)


def _expands(verdict: Verdict) -> bool:
    return verdict.is_expansion


def _reduces(verdict: Verdict) -> bool:
    return verdict.is_reduction
