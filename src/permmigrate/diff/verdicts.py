"""The six verdicts as set operations on masks: one state of grants in, five sets of atoms out."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from permmigrate.diff.value import Verdict
from permmigrate.entitlements import Grant


class State(NamedTuple):
    """Everything granted at one place on both sides, accumulated down the tree. All fields are masks."""

    before_permit: int = 0
    before_maybe: int = 0
    before_forbid: int = 0
    before_opaque_permit: int = 0
    before_opaque_forbid: int = 0
    after_permit: int = 0
    after_maybe: int = 0
    after_forbid: int = 0
    after_opaque_permit: int = 0
    after_opaque_forbid: int = 0
    shared_opaque: int = 0
    """Touched by an undecided statement that stands on both sides: it goes the same way for both."""

    def with_grants(self, before: Iterable[Grant], after: Iterable[Grant]) -> State:
        """The state further down, where these grants begin."""
        fields = list(self)
        for offset, grants in ((0, before), (5, after)):
            for grant in grants:
                masks = grant.masks
                fields[offset] |= masks.permit
                fields[offset + 1] |= masks.maybe
                fields[offset + 2] |= masks.forbid
                if grant.shared:
                    fields[10] |= masks.opaque_permit | masks.opaque_forbid
                else:
                    fields[offset + 3] |= masks.opaque_permit
                    fields[offset + 4] |= masks.opaque_forbid
        return State(*fields)


class Verdicts(NamedTuple):
    """Disjoint sets of atoms; an atom in none of them is unchanged."""

    gained: int
    maybe_gained: int
    lost: int
    maybe_lost: int
    unknown: int

    def of(self, verdict: Verdict) -> int:
        return self[_ORDER[verdict]]


_ORDER = {
    Verdict.GAINED: 0,
    Verdict.MAYBE_GAINED: 1,
    Verdict.LOST: 2,
    Verdict.MAYBE_LOST: 3,
    Verdict.UNKNOWN: 4,
}
COMPARED = tuple(_ORDER)
"""The verdicts that make findings."""


class Side(NamedTuple):
    """What one side allows: surely, and at most, leaving undecided statements aside."""

    sure: int
    possible: int


def sides(state: State) -> tuple[Side, Side]:
    """Before and after as Cedar decides them: a permit that no forbid meets."""
    before = Side(
        sure=state.before_permit & ~state.before_forbid,
        possible=(state.before_permit | state.before_maybe) & ~state.before_forbid,
    )
    after = Side(
        sure=state.after_permit & ~state.after_forbid,
        possible=(state.after_permit | state.after_maybe) & ~state.after_forbid,
    )
    return before, after


@lru_cache(maxsize=1 << 16)
def judge(state: State) -> Verdicts:
    """Compare both sides of one state.

    Three-valued on each side (no, maybe, yes); an atom is unknown when both sides are maybe, or when a
    statement that is not decided could change its answer. One that stands on both sides cannot make two
    equal sides differ: it only turns a difference into an unknown.
    """
    before, after = sides(state)
    before_maybe, after_maybe = before.possible & ~before.sure, after.possible & ~after.sure
    gained = after.sure & ~before.possible
    maybe_gained = (after.sure & before_maybe) | (after_maybe & ~before.possible)
    lost = before.sure & ~after.possible
    maybe_lost = (before_maybe & ~after.possible) | (before.sure & after_maybe)
    unknown = before_maybe & after_maybe
    unknown |= _undecided(before, state.before_forbid, state.before_opaque_permit, state.before_opaque_forbid)
    unknown |= _undecided(after, state.after_forbid, state.after_opaque_permit, state.after_opaque_forbid)
    differ = gained | maybe_gained | lost | maybe_lost | (state.before_forbid ^ state.after_forbid)
    unknown |= state.shared_opaque & (differ | state.before_opaque_forbid | state.after_opaque_forbid)
    return Verdicts(
        gained & ~unknown, maybe_gained & ~unknown, lost & ~unknown, maybe_lost & ~unknown, unknown
    )


def _undecided(side: Side, forbid: int, opaque_permit: int, opaque_forbid: int) -> int:
    """Atoms whose answer on one side hangs on an undecided statement."""
    return (opaque_permit & ~forbid & ~side.sure) | (opaque_forbid & (side.possible | opaque_permit))
