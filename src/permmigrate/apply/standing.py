"""How a run stands: what became of every operation so far, and who may still be touched.

It decides by what it was told; it reads nothing and sends nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from permmigrate.apply.belief import Belief, Item, Place
from permmigrate.apply.outcome import Outcome, Status
from permmigrate.model import PrincipalRef, PrincipalType


class Standing:
    """Outcomes by operation id, and what they mean for what is still to be done."""

    def __init__(self, belief: Belief, place: Callable[[Item], Place]) -> None:
        """`place` says where an assignment shows."""
        self._belief = belief
        self._place = place
        self.outcomes: dict[str, Outcome] = {}
        self.good = 0
        """Operations that need nothing more."""
        self.left: dict[PrincipalRef, str] = {}
        """Principals that are not touched any more, and why."""
        self.granted: defaultdict[PrincipalRef, set[Place]] = defaultdict(set)
        """Where each was given something by this run: it has to show before anything is taken."""
        self._troubled: set[PrincipalRef] = set()
        """Principals of whom a grant was not done."""

    def tell(self, item: Item, outcome: Outcome) -> None:
        """Put down what became of an operation."""
        before = self.outcomes.get(item.id)
        self.outcomes[item.id] = outcome
        self.good += outcome.status.is_good - bool(before and before.status.is_good)
        if item.operation.kind.grants:
            if not outcome.status.is_good:
                self._troubled.add(item.principal)
            elif outcome.status is Status.DONE:
                self.granted[item.principal].add(self._place(item))

    def is_good(self, identity: str) -> bool:
        """Whether an operation needs nothing more."""
        outcome = self.outcomes.get(identity)
        return outcome is not None and outcome.status.is_good

    def may(self, item: Item) -> bool:
        """Whether nothing stands against an operation; what does is put down."""
        why = ""
        if item.row is not None:
            if item.principal in self.left:
                return False
            needs = item.operation.needs_role  # to take a role that is not there is to find it not held
            if item.operation.kind.revokes:
                why = self._needed(item.principal)
            elif needs and needs not in self._belief.given:
                why = "its role could not be made"
        if why:
            self.tell(item, Outcome(Status.HELD_BACK, why))
        return not why

    def _needed(self, principal: PrincipalRef) -> str:
        """Why nothing may be taken from a principal now: it would have less than before and after."""
        if principal in self._troubled:
            return "something that it should be given first was not"
        if principal.type is PrincipalType.USER and any(
            one.type is PrincipalType.GROUP for one in self._troubled
        ):
            return "a group was not given what its members may need first"
        return ""

    def leave(self, principal: PrincipalRef, why: str, items: Iterable[Item]) -> None:
        """Touch a principal no more; of its operations, `items`, those without an outcome are stale."""
        self.left[principal] = why
        for item in items:
            if item.id not in self.outcomes:
                self.tell(item, Outcome(Status.STALE, why))
