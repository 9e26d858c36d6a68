"""Put to Cedar what the comparison states, one request for all findings that rest on the same grants.

A statement that Cedar does not bear out becomes unknown, with all findings that are alike. Each of the others
is shown by the same request, with its own principal and place put in.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import zip_longest
from typing import Final

import numpy as np
import numpy.typing as npt

from permmigrate.beside import at_once
from permmigrate.diff.automaton import Kind
from permmigrate.diff.gathering import Gathered
from permmigrate.diff.value import Uncertainty, Verdict, Witness
from permmigrate.diff.verdicts import COMPARED
from permmigrate.diff.witness import Refuted, Witnesses
from permmigrate.entitlements import Entitlements
from permmigrate.snapshot.shares import firsts, numbered

UNKNOWN: Final = COMPARED.index(Verdict.UNKNOWN)
REFUTED: Final = "the engine and Cedar disagree"
"""How the reason of a finding begins that Cedar does not bear out."""
KINDS_OF_PLACE: Final = 3
MANY: Final = 200
"""Requests, from which on they are put in halves."""
BLOCK: Final = 1 << 18
"""How many findings are sorted at once."""


@dataclass
class Replay:
    """The findings of one comparison after Cedar was asked about them."""

    entitlements: Entitlements
    gathered: Gathered
    kinds: list[Kind]
    """Those that Cedar does not bear out are added as unknown ones."""
    witnesses: Witnesses
    why: dict[int, str] = field(default_factory=dict)
    """Of each kind that is unknown because of Cedar, what it said."""
    _shown: dict[int, Witness] = field(default_factory=dict)

    @staticmethod
    def of(entitlements: Entitlements, gathered: Gathered, kinds: Sequence[Kind]) -> Replay:
        """Ask about the first finding of each sort."""
        made = Replay(entitlements, gathered, list(kinds), Witnesses(entitlements))
        made._ask()
        return made

    def _sorts(self, rows: slice) -> npt.NDArray[np.int64]:
        """A number for each finding that is the same for those that rest on the same grants."""
        found = self.gathered
        sort = found.kind[rows].astype(np.int64)
        sort *= self._states
        sort += found.state[rows]
        sort *= KINDS_OF_PLACE
        sort += self.entitlements.places.kind[found.place[rows]]
        return sort

    @cached_property
    def _states(self) -> int:
        return int(self.gathered.state.max(initial=0)) + 1

    def _sort(self, at: int) -> int:
        return int(self._sorts(slice(at, at + 1))[0])

    def _blocks(self) -> Iterator[slice]:
        for start in range(0, len(self.gathered.kind), BLOCK):
            yield slice(start, start + BLOCK)

    def _firsts(self) -> dict[int, int]:
        """The first finding of each sort, in order."""
        found: dict[int, int] = {}
        for rows in self._blocks():
            distinct, number = numbered(self._sorts(rows))
            at = zip(firsts(number, len(distinct)).tolist(), distinct.tolist(), strict=True)
            for first, one in sorted(at):
                found.setdefault(one, rows.start + first)
        return found

    def _ask(self) -> None:
        stated = [
            (sort, at)
            for sort, at in self._firsts().items()
            if self.kinds[self.gathered.kind[at]].verdict != UNKNOWN
        ]
        refuted: dict[int, int] = {}
        for (sort, at), shown in zip(stated, self._answers([at for _, at in stated]), strict=True):
            if isinstance(shown, Refuted):
                refuted[sort] = self._unknown(self.kinds[self.gathered.kind[at]], shown)
            else:
                self._shown[sort] = shown
        if refuted:
            self.gathered = self._without(refuted)

    def _answers(self, rows: Sequence[int]) -> list[Witness | Refuted]:
        """What shows each of these findings, or does not; of many, half are asked about in a copy of this
        process."""
        if len(rows) < MANY:
            return list(map(self._answer, rows))
        answers = [self._answer(rows[0])]  # before there are two who would look up who holds what
        mine, theirs = at_once(
            lambda: list(map(self._answer, rows[1::2])), lambda: map(self._answer, rows[2::2])
        )
        for pair in zip_longest(mine, theirs):
            answers += [one for one in pair if one is not None]
        return answers

    def _answer(self, at: int) -> Witness | Refuted:
        found, kind = self.gathered, self.kinds[self.gathered.kind[at]]
        scope, place = self.entitlements.places.of(int(found.place[at]))
        principal = self.entitlements.principals[found.principal[at]]
        return self.witnesses.of(principal, scope, place, kind.atoms, COMPARED[kind.verdict])

    def _unknown(self, kind: Kind, refuted: Refuted) -> int:
        self.kinds.append(kind._replace(verdict=UNKNOWN, reasons=()))
        self.why[len(self.kinds) - 1] = f"{REFUTED}: {refuted.reason}"
        return len(self.kinds) - 1

    def _without(self, refuted: Mapping[int, int]) -> Gathered:
        """The findings with those of some sorts made unknown, and counted so for everybody they hold for."""
        found, counts = self.gathered, self.gathered.counts.copy()
        kind = found.kind.astype(np.int32)
        moved: set[tuple[int, int, tuple[int, int, tuple[str, ...]]]] = set()
        gone = (
            rows.start + int(at)
            for rows in self._blocks()
            for at in np.flatnonzero(np.isin(self._sorts(rows), list(refuted)))
        )
        for at in gone:
            kind[at] = refuted[self._sort(at)]
            what = self.kinds[found.kind[at]].essence
            for who in (int(found.principal[at]), *found.others_of(at).tolist()):
                moved.add((who, int(found.place[at]), what))
        for who, _, (verdict, _, _) in moved:
            counts[who, verdict] -= 1
            counts[who, UNKNOWN] += 1
        return replace(found, kind=kind, counts=counts)

    def of_finding(self, at: int) -> Witness | None:
        """The request that shows a finding (by its number in the columns); None for an unknown one."""
        shown = self._shown.get(self._sort(at))
        if shown is None:
            return None
        principal = self.entitlements.principals[self.gathered.principal[at]]
        scope, place = self.entitlements.places.of(int(self.gathered.place[at]))
        return self.witnesses.rebound(shown, principal, scope, place)

    @property
    def uncertainties(self) -> tuple[Uncertainty, ...]:
        """What Cedar did not bear out."""
        if not self.why:
            return ()
        findings = int(np.isin(self.gathered.kind, list(self.why)).sum())
        sorts = len(self.why) + len(self._shown)
        subject = f"{len(self.why):,} of {sorts:,} requests put to Cedar"
        return (Uncertainty("witness", subject, "did not show what was stated: it is unknown", findings),)
