"""The comparison in plain Python, one grant and one folder after the other, to hold the fast one against.

It is slow on purpose: holdings as values, a stack over the tree, a dictionary for each thing that is counted.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from permmigrate.diff.capabilities import CapabilityIndex
from permmigrate.diff.regions import region_of
from permmigrate.diff.value import Capability, Finding, Verdict
from permmigrate.diff.verdicts import COMPARED, State, Verdicts, judge
from permmigrate.diff.words import paths
from permmigrate.diff.words import reason as reason_of
from permmigrate.entitlements import Entitlements, FolderTree, Grant, Holding, Place
from permmigrate.mapping.tables import MappingTables
from permmigrate.model import GroupId, PrincipalRef, PrincipalType, ScopeType, UserId

WIDE = Place()


class Span(NamedTuple):
    """A set of atoms with one verdict, at the topmost place where it begins."""

    verdict: Verdict
    place: Place
    atoms: int
    folders: int
    """Folders it holds for: the subtree less what deeper grants take out; 0 when not a folder."""
    before: tuple[Grant, ...]
    """Every grant on the before side that reaches the place."""
    after: tuple[Grant, ...]


@dataclass(slots=True)
class _Stop:
    """A folder where some grant begins."""

    position: int
    end: int
    state: State
    verdicts: Verdicts
    upper: Verdicts
    """The verdicts of the nearest stop above, or of the whole scope."""
    before: tuple[Grant, ...]
    after: tuple[Grant, ...]
    own: int
    """Folders of the subtree that no deeper stop holds."""


def sweep(holding: Holding, tree: FolderTree, folder_mask: int, collection_mask: int) -> Iterator[Span]:
    """Yield the findings of one principal in one scope, each region minimal: where it begins, once."""
    before, after = tuple(holding.before.wide), tuple(holding.after.wide)
    state = State().with_grants(before, after)
    top = judge(state)
    for verdict in COMPARED:
        atoms = top.of(verdict) & holding.valid
        if atoms:
            yield Span(verdict, WIDE, atoms, 0, before, after)
    stops = _stops(holding, tree, state, top, before, after)
    for number, stop in enumerate(stops):
        place = Place("folder", tree.ids[stop.position])
        for verdict in COMPARED:
            atoms = stop.verdicts.of(verdict) & ~stop.upper.of(verdict) & holding.valid & folder_mask
            if atoms:
                folders = _extent(stops, number, verdict, atoms)
                yield Span(verdict, place, atoms, folders, stop.before, stop.after)
    yield from _collections(holding, state, top, collection_mask)


def _stops(
    holding: Holding,
    tree: FolderTree,
    state: State,
    top: Verdicts,
    before: tuple[Grant, ...],
    after: tuple[Grant, ...],
) -> list[_Stop]:
    names = holding.before.folders.keys() | holding.after.folders.keys()
    stops: list[_Stop] = []
    path: list[_Stop] = []
    for position, name in sorted((tree.index[name], name) for name in names):
        while path and path[-1].end <= position:
            path.pop()
        own_before = holding.before.folders.get(name, [])
        own_after = holding.after.folders.get(name, [])
        upper = path[-1] if path else None
        here = (upper.state if upper else state).with_grants(own_before, own_after)
        stop = _Stop(
            position=position,
            end=tree.ends[position],
            state=here,
            verdicts=judge(here),
            upper=upper.verdicts if upper else top,
            before=(upper.before if upper else before) + tuple(own_before),
            after=(upper.after if upper else after) + tuple(own_after),
            own=tree.size(position),
        )
        if upper:
            upper.own -= stop.own
        stops.append(stop)
        path.append(stop)
    return stops


def _extent(stops: list[_Stop], number: int, verdict: Verdict, atoms: int) -> int:
    """How many folders of the subtree keep the verdict for all these atoms."""
    start = stops[number]
    total, skip_to = start.own, start.position
    for stop in stops[number + 1 :]:
        if stop.position >= start.end:
            break
        if stop.position < skip_to:
            continue
        if atoms & ~stop.verdicts.of(verdict):
            skip_to = stop.end
        else:
            total += stop.own
    return total


def _collections(holding: Holding, state: State, top: Verdicts, collection_mask: int) -> Iterator[Span]:
    for name in sorted(holding.before.collections.keys() | holding.after.collections.keys()):
        own_before = holding.before.collections.get(name, [])
        own_after = holding.after.collections.get(name, [])
        verdicts = judge(state.with_grants(own_before, own_after))
        before = (*holding.before.wide, *own_before)
        after = (*holding.after.wide, *own_after)
        for verdict in COMPARED:
            atoms = verdicts.of(verdict) & ~top.of(verdict) & holding.valid & collection_mask
            if atoms:
                yield Span(verdict, Place("collection", name), atoms, 0, before, after)


Paths = tuple[str, ...]
"""How something is granted, each way in words."""
FindingKey = tuple[str, Verdict, str, str, int, int, tuple[str, ...]]
"""Scope, verdict, kind and id of the place, atoms, folders, causes: what makes two findings the same."""


@dataclass
class PlainComparison:
    entitlements: Entitlements
    tables: MappingTables
    decided: int = 0
    counts: dict[PrincipalRef, Counter[Verdict]] = field(default_factory=dict)
    capabilities: tuple[Capability, ...] = ()
    sorted: tuple[Finding, ...] = ()
    """The outcome."""
    touched: dict[str, set[PrincipalRef]] = field(default_factory=dict)
    """For whom findings of each cause hold."""
    findings: list[Finding] = field(default_factory=list)
    others: list[list[UserId]] = field(default_factory=list)
    """For each finding, the other users it stands for."""
    of_group: dict[GroupId, dict[FindingKey, int]] = field(default_factory=dict)
    """The findings of each group, which are made before those of any user."""
    of_users: dict[tuple[FindingKey, Paths, Paths, bool], int] = field(default_factory=dict)
    """The first user's finding among those that are alike to the last path."""

    def run(self) -> PlainComparison:
        entitlements = self.entitlements
        self.index = CapabilityIndex(entitlements.compiler.universes, self.tables)
        groups_first = sorted(entitlements.principals, key=lambda p: p.type is not PrincipalType.GROUP)
        for principal in groups_first:
            holdings = list(entitlements.holdings(principal))
            self.counts[principal] = self._compare(principal, holdings)
        self.capabilities, renumbered = self.index.sorted()
        self.sorted = tuple(
            sorted(
                (
                    replace(
                        finding,
                        capabilities=tuple(sorted(renumbered[number] for number in finding.capabilities)),
                        others=tuple(others),
                    )
                    for finding, others in zip(self.findings, self.others, strict=True)
                ),
                key=Finding.sort_key,
            )
        )
        return self

    def _compare(self, principal: PrincipalRef, holdings: list[Holding]) -> Counter[Verdict]:
        """Compare one principal; return how many findings hold for it, its groups' among them."""
        counts: Counter[Verdict] = Counter()
        for holding in holdings:
            for span in self._spans(holding):
                blamed = span.before if span.verdict.is_reduction else span.after
                for atoms, causes in _by_cause(span, blamed):
                    counts[span.verdict] += 1
                    for cause in causes:
                        self.touched.setdefault(cause, set()).add(principal)
                    self._list(principal, holding, span, atoms, causes)
        return counts

    def _list(
        self, principal: PrincipalRef, holding: Holding, span: Span, atoms: int, causes: tuple[str, ...]
    ) -> None:
        """Make a finding of it, or add the user to the one that says the same already."""
        user = UserId(principal.id) if principal.type is PrincipalType.USER else None
        key = (holding.scope, span.verdict, *span.place, atoms, span.folders, causes)
        shared = self._of_a_group(user, key) if user is not None else None
        if shared is None:
            before, after = paths(span.before, atoms), paths(span.after, atoms)
            if user is not None:
                alike = (key, before, after, self.entitlements.snapshot.is_dormant(principal))
                shared = self.of_users.setdefault(alike, len(self.findings))
            elif principal.type is PrincipalType.GROUP:
                self.of_group.setdefault(GroupId(principal.id), {})[key] = len(self.findings)
            if shared is None or shared == len(self.findings):
                self.findings.append(self._finding(principal, holding, span, atoms, causes, before, after))
                self.others.append([])
                return
        if user is not None:
            self.others[shared].append(user)

    def _of_a_group(self, user: UserId, key: FindingKey) -> int | None:
        """The finding of one of the user's groups that says the same, if there is one."""
        for group in self.entitlements.snapshot.groups_of.get(user, ()):
            found = self.of_group.get(group, {}).get(key)
            if found is not None:
                return found
        return None

    def _spans(self, holding: Holding) -> Iterator[Span]:
        universe = self.entitlements.universe(holding.scope)
        regions = 1 + len(holding.before.folders.keys() | holding.after.folders.keys())
        regions += len(holding.before.collections.keys() | holding.after.collections.keys())
        self.decided += holding.valid.bit_count() * regions
        tree = self.entitlements.trees[holding.scope]
        return sweep(holding, tree, universe.folder_mask, universe.collection_mask)

    def _finding(
        self,
        principal: PrincipalRef,
        holding: Holding,
        span: Span,
        atoms: int,
        causes: tuple[str, ...],
        before: Paths,
        after: Paths,
    ) -> Finding:
        scope = ScopeType.ENVIRONMENT if holding.scope else ScopeType.ACCOUNT
        region = region_of(self.entitlements, holding.scope, span.place, span.folders)
        numbers = self.index.of(scope, atoms, holding.valid)
        reason = (
            ""
            if span.verdict in (Verdict.GAINED, Verdict.LOST)
            else reason_of((*span.before, *span.after), atoms)
        )
        identity = (str(principal), span.verdict, region.kind, region.environment_id, region.content_id)
        text = "\n".join((*identity, self.index.identity_of(numbers)))
        return Finding(
            id="f" + hashlib.sha256(text.encode()).hexdigest()[:12],
            principal=principal,
            verdict=span.verdict,
            severity=self.index.severity_of(numbers),
            region=region,
            capabilities=numbers,
            before=before,
            after=after,
            causes=causes,
            reason=reason,
            dormant=self.entitlements.snapshot.is_dormant(principal),
        )


def _by_cause(span: Span, grants: Iterable[Grant]) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Split a span's atoms by the set of causes behind each."""
    touched: dict[str, int] = {}
    for grant in grants:
        if grant.cause:
            masks = grant.masks
            behind = masks.touched if span.verdict is Verdict.UNKNOWN else masks.permit | masks.maybe
            touched[grant.cause] = touched.get(grant.cause, 0) | behind
    parts: dict[tuple[str, ...], int] = {(): span.atoms}
    for cause in sorted(touched):
        split: dict[tuple[str, ...], int] = {}
        for causes, atoms in parts.items():
            inside, outside = atoms & touched[cause], atoms & ~touched[cause]
            if inside:
                split[(*causes, cause)] = inside
            if outside:
                split[causes] = split.get(causes, 0) | outside
        parts = split
    for causes, atoms in parts.items():
        yield atoms, causes
