"""The findings of a comparison as a sequence: columns, and a `Finding` in words when one is looked at."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, Protocol, overload

import numpy as np
import numpy.typing as npt

from permmigrate.diff.automaton import Asker, Kind
from permmigrate.diff.capabilities import CapabilityIndex
from permmigrate.diff.findings_order import order_of
from permmigrate.diff.gathering import Gathered
from permmigrate.diff.regions import region_of
from permmigrate.diff.replay import Replay
from permmigrate.diff.standing import Standing
from permmigrate.diff.value import Capability, Finding, Region, Severity, Verdict
from permmigrate.diff.verdicts import COMPARED
from permmigrate.diff.words import paths, reason
from permmigrate.entitlements import Entitlements, Grant, Place
from permmigrate.model import PrincipalRef, UserId
from permmigrate.snapshot.shares import Ints

_SURE: Final = (Verdict.GAINED, Verdict.LOST)
_SEVERITIES: Final = tuple(Severity)


BLOCK: Final = 1 << 18
"""How many findings of the columns are looked at at once."""
UNRAISED: Final = len(_SEVERITIES)
"""Stands for the severity that is raised, where there is none to raise."""
Ranks = npt.NDArray[np.int8]


class Raising(Protocol):
    """What raises severities by where a finding is (`sensitivity` does)."""

    in_folders: Sequence[Severity | None]
    """Of each kind of finding the severity that may be raised; None when there is nothing to raise."""

    def at(
        self, scope: str, place: Place, worst: Severity, in_folders: Severity | None
    ) -> tuple[Severity, str]: ...

    def ranks(self, scope: str, place: Place) -> Sequence[int]: ...

    def of(self, finding: Finding) -> Finding: ...


@dataclass(frozen=True, eq=False)
class Findings(Sequence[Finding]):
    """Sorted: worst severity first, then verdict, principal, region, causes."""

    entitlements: Entitlements
    gathered: Gathered
    kinds: Sequence[Kind]
    askers: Sequence[Asker]
    numbering: CapabilityIndex
    standing: Standing
    replay: Replay
    gone: Ints | None = None
    """Which of the columns' findings are there no longer, ascending; None where none was looked for."""
    extra: tuple[Finding, ...] = ()
    """Findings that came in place of others, without paths."""
    origin: tuple[int, ...] = ()
    """Of each of these, which of the columns' it came from."""
    raising: Raising | None = None

    def __len__(self) -> int:
        return len(self.order)

    @overload
    def __getitem__(self, at: int) -> Finding: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Finding]: ...
    def __getitem__(self, at: int | slice) -> Finding | Sequence[Finding]:
        if isinstance(at, slice):
            return tuple(map(self._at, self.order[at].tolist()))
        return self._at(int(self.order[at]))

    def __iter__(self) -> Iterator[Finding]:
        return map(self._at, self.order.tolist())

    def _at(self, number: int) -> Finding:
        """The finding of a number: those of the columns come first, then the extra ones."""
        first_extra = len(self.gathered.principal)
        if number < first_extra:
            return self._make(number)
        return self._with_paths(self.extra[number - first_extra], self.origin[number - first_extra])

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence):
            return NotImplemented
        return len(self) == len(other) and all(a == b for a, b in zip(self, other, strict=True))

    __hash__ = None  # type: ignore[assignment] # it would have to be that of a tuple

    @property
    def is_revised(self) -> bool:
        """Whether findings came or went since the columns were gathered: unknown ones go, if any."""
        return self.gone is not None

    @property
    def rows(self) -> Ints:
        """Which of the columns' findings are still there."""
        every = np.arange(len(self.gathered.kind), dtype=np.int32)
        return every if self.gone is None else np.delete(every, self.gone)

    @cached_property
    def used(self) -> npt.NDArray[np.int64]:
        """How many findings there are of each kind, the extra ones left out."""
        if self.gone is None:
            return self._used_at_first
        gone = np.bincount(self.gathered.kind[self.gone], minlength=len(self.kinds))
        return np.asarray(self._used_at_first - gone)

    @cached_property
    def _used_at_first(self) -> npt.NDArray[np.int64]:
        found = np.zeros(len(self.kinds), dtype=np.int64)
        for rows in self._blocks:
            found += np.bincount(self.gathered.kind[rows], minlength=len(self.kinds))
        return found

    @cached_property
    def places(self) -> npt.NDArray[np.intp]:
        """The places of the findings in the columns, ascending."""
        there = np.zeros(len(self.entitlements.places), dtype=bool)
        there[self.gathered.place] = True
        return np.flatnonzero(there)

    @property
    def _blocks(self) -> Iterator[slice]:
        """All that is in the columns, some of it at a time."""
        return (slice(start, start + BLOCK) for start in range(0, len(self.gathered.kind), BLOCK))

    @cached_property
    def numbers(self) -> Sequence[tuple[int, ...]]:
        """The capabilities of each kind that is used, as the index numbered them."""
        return [
            self.numbering.of(self.askers[kind.asker].scope, kind.atoms, self.askers[kind.asker].valid)
            if used
            else ()
            for kind, used in zip(self.kinds, self._used_at_first.tolist(), strict=True)
        ]

    @cached_property
    def severity_of_kind(self) -> Ranks:
        """The rank of each kind's severity."""
        ranks = [self.numbering.severity_of(one).rank if one else len(_SEVERITIES) for one in self.numbers]
        return np.array(ranks, dtype=np.int8)

    @cached_property
    def severity(self) -> Ranks:
        """The rank of each finding's severity, of all in the columns."""
        plain, found = self.severity_of_kind[self.gathered.kind], self.gathered
        if self.raising is None:
            return plain
        ranks = [UNRAISED if one is None else one.rank for one in self.raising.in_folders]
        in_folders = np.array(ranks, dtype=np.int8)
        raised = np.full((len(self.entitlements.places), UNRAISED + 1), len(_SEVERITIES), dtype=np.int8)
        for place in self.places.tolist():
            raised[place, :UNRAISED] = self.raising.ranks(*self.entitlements.places.of(place))
        return np.asarray(np.minimum(plain, raised[found.place, in_folders[found.kind]]))

    @cached_property
    def worst_of_kind(self) -> Ranks:
        """The rank of the worst severity among the findings of each kind."""
        lowest = np.int8(len(_SEVERITIES) - 1)
        if self.raising is None:
            return np.where(self.used > 0, np.minimum(self.severity_of_kind, lowest), lowest)
        worst = np.full(len(self.kinds), lowest)
        np.minimum.at(worst, self.gathered.kind[self.rows], self.severity[self.rows])
        return worst

    @cached_property
    def order(self) -> Ints:
        """The numbers of the findings as they are sorted."""
        return order_of(self)

    @property
    def capabilities_of_kinds(self) -> list[tuple[int, ...]]:
        """The capabilities of each kind."""
        return [self._capabilities(kind) for kind in range(len(self.kinds))]

    def _capabilities(self, kind: int) -> tuple[int, ...]:
        """The capabilities of a kind as the comparison numbers them."""
        return tuple(sorted(self._sorted_capabilities[1][one] for one in self.numbers[kind]))

    @cached_property
    def unknown(self) -> list[tuple[int, Finding]]:
        """The unknown findings in the columns with their numbers, without paths, principal by principal."""
        wanted = np.array([COMPARED[kind.verdict] is Verdict.UNKNOWN for kind in self.kinds], dtype=bool)
        kind = self.gathered.kind
        rows = np.concatenate(
            [np.flatnonzero(wanted[kind[some]]) + some.start for some in self._blocks]
            or [np.zeros(0, dtype=np.intp)]
        )
        if self.gone is not None:
            rows = rows[~np.isin(rows, self.gone)]
        by_principal = rows[np.argsort(self.gathered.principal[rows], kind="stable")]
        return [(row, self._with_reason(row)) for row in by_principal.tolist()]

    def revised(self, gone: Iterable[int], made: Sequence[tuple[int, Finding]]) -> Findings:
        """The findings without those unknown ones (by their numbers), and with what became of them."""
        before = np.zeros(0, dtype=np.int32) if self.gone is None else self.gone
        return replace(
            self,
            gone=np.union1d(before, np.array([*gone], dtype=np.int32)),
            extra=(*self.extra, *(finding for _, finding in made)),
            origin=(*self.origin, *(row for row, _ in made)),
        )

    def raised(self, raising: Raising) -> Findings:
        """The findings with their severities raised."""
        return replace(self, raising=raising, extra=tuple(map(raising.of, self.extra)))

    @cached_property
    def _sorted_capabilities(self) -> tuple[tuple[Capability, ...], tuple[int, ...]]:
        assert self.numbers is not None  # only then does the index know what is used
        return self.numbering.sorted()

    @property
    def capabilities(self) -> tuple[Capability, ...]:
        """All capabilities of the findings, worst first."""
        return self._sorted_capabilities[0]

    def _make(self, at: int) -> Finding:
        brief, kind = self._brief(at), self.kinds[self.gathered.kind[at]]
        before, after = self.standing.at(int(self.gathered.principal[at]), int(self.gathered.place[at]))
        return replace(
            brief,
            before=paths(before, kind.atoms),
            after=paths(after, kind.atoms),
            reason="" if brief.verdict in _SURE else self._reason(at, (*before, *after)),
            witness=self.replay.of_finding(at),
        )

    def _with_reason(self, at: int) -> Finding:
        """A finding that is not sure, without paths and witness."""
        before, after = self.standing.wordless(int(self.gathered.principal[at]), int(self.gathered.place[at]))
        return replace(self._brief(at), reason=self._reason(at, (*before, *after)))

    def _with_paths(self, finding: Finding, at: int) -> Finding:
        """What became of a finding, through the grants by which that one came about."""
        before, after = self.standing.at(int(self.gathered.principal[at]), int(self.gathered.place[at]))
        atoms = self.kinds[self.gathered.kind[at]].atoms
        return replace(finding, before=paths(before, atoms), after=paths(after, atoms))

    def _brief(self, at: int) -> Finding:
        """The finding without paths, reason and witness, for which nobody's grants have to be looked up."""
        found = self.gathered
        principal = self.entitlements.principals[found.principal[at]]
        kind, number = self.kinds[found.kind[at]], int(found.kind[at])
        scope, place = self.entitlements.places.of(int(found.place[at]))
        verdict, region = COMPARED[kind.verdict], self.region(int(found.place[at]), int(found.folders[at]))
        identity = (str(principal), verdict, region.kind, region.environment_id, region.content_id)
        text = "\n".join((*identity, self._identities[number]))
        severity, label = _SEVERITIES[self.severity_of_kind[number]], ""
        if self.raising is not None:
            severity, label = self.raising.at(scope, place, severity, self.raising.in_folders[number])
        return Finding(
            id="f" + hashlib.sha256(text.encode()).hexdigest()[:12],
            principal=principal,
            verdict=verdict,
            severity=severity,
            sensitivity=label,
            region=region,
            capabilities=self._told[number],
            before=(),
            after=(),
            causes=kind.causes,
            dormant=self.entitlements.snapshot.is_dormant(principal),
            others=tuple(UserId(one.id) for one in self.others(at)),
        )

    def _reason(self, at: int, grants: Iterable[Grant]) -> str:
        """Why a finding is a maybe or unknown."""
        kind = int(self.gathered.kind[at])
        return self.replay.why.get(kind) or reason(grants, self.kinds[kind].atoms)

    @cached_property
    def _identities(self) -> list[str]:
        """What each kind adds to the ids of its findings."""
        return [self.numbering.identity_of(one) if one else "" for one in self.numbers]

    @cached_property
    def _told(self) -> list[tuple[int, ...]]:
        """The capabilities of each kind, as the comparison numbers them."""
        return self.capabilities_of_kinds

    def others(self, at: int) -> list[PrincipalRef]:
        """The users for whom a finding (by its number in the columns) holds beside its principal."""
        return [self.entitlements.principals[number] for number in self.gathered.others_of(at).tolist()]

    def region(self, number: int, folders: int) -> Region:
        """The region of a place."""
        scope, place = self.entitlements.places.of(number)
        return region_of(self.entitlements, scope, place, folders)


def by_principal(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Every finding, in columns principal by principal: making all of them is far cheaper than sorted."""
    if isinstance(findings, Findings):
        return map(findings._at, sorted(findings.order.tolist()))
    return iter(findings)


def in_brief(findings: Sequence[Finding]) -> Iterator[Finding]:
    """Every finding as in `by_principal`; of columns without paths, reason and witness: cheaper."""
    if not isinstance(findings, Findings):
        return iter(findings)
    first_extra = len(findings.gathered.principal)
    return (
        findings._brief(number) if number < first_extra else findings.extra[number - first_extra]
        for number in sorted(
            (*findings.rows.tolist(), *range(first_extra, first_extra + len(findings.extra)))
        )
    )


def outcomes(findings: Sequence[Finding]) -> Iterator[tuple[Verdict, Severity]]:
    """The verdict and severity of every finding, in their order; of those in columns none is made."""
    if not isinstance(findings, Findings):
        return ((finding.verdict, finding.severity) for finding in findings)
    verdicts = [COMPARED[kind.verdict] for kind in findings.kinds]
    found = list(zip(findings.gathered.kind.tolist(), findings.severity.tolist(), strict=True))
    first_extra = len(found)
    return (
        (verdicts[found[number][0]], _SEVERITIES[found[number][1]])
        if number < first_extra
        else (findings.extra[number - first_extra].verdict, findings.extra[number - first_extra].severity)
        for number in findings.order.tolist()
    )


def unknown_of(findings: Sequence[Finding]) -> list[tuple[int, Finding]]:
    """The unknown findings with their numbers; of those in columns no other is made."""
    found = findings.unknown if isinstance(findings, Findings) else enumerate(findings)
    return [(number, finding) for number, finding in found if finding.verdict is Verdict.UNKNOWN]


def revised(
    findings: Sequence[Finding], gone: Collection[int], made: Sequence[tuple[int, Finding]]
) -> Sequence[Finding]:
    """The findings without those unknown ones (by their numbers), and with what became of them, sorted."""
    if isinstance(findings, Findings):
        return findings.revised(gone, made)
    kept = (finding for number, finding in enumerate(findings) if number not in gone)
    return tuple(sorted((*kept, *(finding for _, finding in made)), key=Finding.sort_key))
