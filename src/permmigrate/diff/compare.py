"""Turn a snapshot and its mapping (or the roles really assigned) into a `Diff`. It only computes."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Final

from permmigrate.diff.capabilities import CapabilityIndex
from permmigrate.diff.concerns import concerns_of
from permmigrate.diff.merge import MERGE_ASSUMPTIONS, merged
from permmigrate.diff.people import Summaries
from permmigrate.diff.sensitivity import rated
from permmigrate.diff.solve import settled
from permmigrate.diff.sweep import Span, sweep
from permmigrate.diff.tally import causes_of, counts_of, coverage_of, expired, uncertainties_of
from permmigrate.diff.value import BY_MAPPING, Diff, Finding, Region, RegionKind, Verdict
from permmigrate.entitlements import (
    ASSUMPTIONS,
    NO_ROW,
    NOT_CARRIED_OVER,
    UNREAD_SHARES,
    AfterAssignment,
    Entitlements,
    Grant,
    Holding,
)
from permmigrate.mapping.custom_roles import with_new_roles
from permmigrate.mapping.tables import MappingTables
from permmigrate.mapping.translate import translate
from permmigrate.model import (
    ContentKind,
    ContentRef,
    EnvironmentId,
    GroupId,
    PrincipalRef,
    PrincipalType,
    RoleAssignment,
    ScopeType,
    UserId,
)
from permmigrate.snapshot import Snapshot

REASONS_SHOWN: Final = 3
INCOMPLETE: Final = ("gap", "unmapped", "orphan share", "statement", "not assigned")
"""The kinds of uncertainty that leave the data, not only its meaning, in doubt."""


def compare(
    snapshot: Snapshot,
    tables: MappingTables,
    *,
    today: date,
    tool_version: str,
    assigned: Snapshot | None = None,
) -> Diff:
    """Compare the legacy side of `snapshot` with what comes after it.

    After is what the tables make of the legacy grants, beside the roles that are assigned already. When
    `assigned` is given, it is the roles, groups, people, custom policies and catalog of that (usually later)
    snapshot of the same account: what the vendor's own migration left behind.
    """
    if assigned is None:
        snapshot = with_new_roles(snapshot, tables)
        translation = translate(snapshot, tables, today=today)
        planned = tuple(AfterAssignment(p.assignment, str(p.row)) for p in translation.planned)
        asked = {entry.assignment for entry in planned}
        held = tuple(_as_assigned(a) for a in snapshot.assignments if a not in asked)
        entitlements = Entitlements(snapshot, tables, planned + held, translation)
        compared_with = BY_MAPPING
    else:
        after = tuple(_as_assigned(assignment) for assignment in assigned.assignments)
        entitlements = Entitlements(merged(snapshot, assigned), tables, after, earlier=snapshot)
        compared_with = f"the roles assigned on {assigned.captured_at}"
    diff = settled(
        _Comparison(entitlements, tables, compared_with, assigned, today).run(tool_version), entitlements
    )
    diff = rated(diff, tables.sensitivities, entitlements)
    return replace(diff, concerns=concerns_of(entitlements, tables, diff.principals))


def _as_assigned(assignment: RoleAssignment) -> AfterAssignment:
    return AfterAssignment(assignment, f"assigned {assignment.role_id}")


Paths = tuple[str, ...]
"""How something is granted, each way in words."""
FindingKey = tuple[str, Verdict, str, str, int, int, tuple[str, ...]]
"""Scope, verdict, kind and id of the place, atoms, folders, causes: what makes two findings the same."""


@dataclass
class _Comparison:
    entitlements: Entitlements
    tables: MappingTables
    compared_with: str
    assigned: Snapshot | None
    today: date
    decided: int = 0
    findings: list[Finding] = field(default_factory=list)
    others: list[list[UserId]] = field(default_factory=list)
    """For each finding, the other users it stands for."""
    of_group: dict[GroupId, dict[FindingKey, int]] = field(default_factory=dict)
    """The findings of each group, which are made before those of any user."""
    of_users: dict[tuple[FindingKey, Paths, Paths, bool], int] = field(default_factory=dict)
    """The first user's finding among those that are alike to the last path."""

    def run(self, tool_version: str) -> Diff:
        entitlements, snapshot = self.entitlements, self.entitlements.snapshot
        self.index = CapabilityIndex(entitlements.compiler.universes, self.tables)
        people = Summaries(entitlements, self.index)
        groups_first = sorted(entitlements.principals, key=lambda p: p.type is not PrincipalType.GROUP)
        for principal in groups_first:
            holdings = list(entitlements.holdings(principal))
            people.add(principal, holdings, self._compare(principal, holdings))
        capabilities, renumbered = self.index.sorted()
        findings = tuple(
            sorted(
                (
                    replace(
                        finding,
                        capabilities=tuple(sorted(renumbered[number] for number in finding.capabilities)),
                        others=tuple(others),
                    )
                    for finding, others in zip(self.findings, self.others, strict=True)
                ),
                key=_order,
            )
        )
        uncertainties = uncertainties_of(
            entitlements, findings, self.assigned, expired(self.tables, self.today)
        )
        return Diff(
            account_id=snapshot.account_id,
            captured_at=snapshot.captured_at,
            tool_version=tool_version,
            snapshot_digest=snapshot.digest,
            mapping_digest=self.tables.digest,
            catalog_digest=snapshot.catalog.digest,
            catalog_source=snapshot.catalog.source,
            compared_with=self.compared_with,
            capabilities=capabilities,
            findings=findings,
            causes=causes_of(findings, self._cause_words()),
            principals=people.finished(),
            coverage=coverage_of(entitlements.translation, self.tables),
            uncertainties=uncertainties,
            assumptions=ASSUMPTIONS if self.assigned is None else ASSUMPTIONS + MERGE_ASSUMPTIONS,
            complete=not any(u.kind in INCOMPLETE for u in uncertainties),
            decided=self.decided,
            counts=counts_of(findings, people.without_findings),
        )

    def _cause_words(self) -> dict[str, tuple[str, str]]:
        """What each cause says, and how sure it is."""
        words = {str(ref): (text, confidence) for ref, text, _, confidence in self.tables.rows()}
        words[NO_ROW] = ("a legacy grant that no row translates", "unknown")
        words[NOT_CARRIED_OVER] = ("a legacy grant that no assigned role carries over", "")
        words[UNREAD_SHARES] = ("legacy folder and collection shares, of which no list was given", "unknown")
        for role in self.entitlements.snapshot.catalog.roles.values():
            words[f"assigned {role.id}"] = (f"{role.level} role {role.name}, as assigned already", "")
        return words

    def _compare(self, principal: PrincipalRef, holdings: list[Holding]) -> Counter[Verdict]:
        """Compare one principal; return how many findings hold for it, its groups' among them."""
        counts: Counter[Verdict] = Counter()
        for holding in holdings:
            for span in self._spans(holding):
                blamed = span.before if span.verdict.is_reduction else span.after
                for atoms, causes in _by_cause(span, blamed):
                    counts[span.verdict] += 1
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
            before, after = _paths(span.before, atoms), _paths(span.after, atoms)
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
        region = self._region(holding.scope, span)
        numbers = self.index.of(scope, atoms, holding.valid)
        reason = "" if span.verdict in (Verdict.GAINED, Verdict.LOST) else _reason(span, atoms)
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

    def _region(self, scope: str, span: Span) -> Region:
        snapshot = self.entitlements.snapshot
        if not scope:
            where = f", {span.place.kind} {span.place.id}" if span.place.kind else ""
            return Region(RegionKind.ACCOUNT, "", span.place.id, f"the account{where}")
        environment = snapshot.environment_by_id[scope]
        if not span.place.kind:
            return Region(RegionKind.ENVIRONMENT, scope, "", environment.name or environment.cloud_name)
        kind = ContentKind(span.place.kind)
        label = snapshot.content_labels.get(
            ContentRef(EnvironmentId(scope), kind, span.place.id), span.place.id
        )
        return Region(RegionKind(kind.value), scope, span.place.id, label, span.folders)


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


def _paths(grants: Iterable[Grant], atoms: int) -> tuple[str, ...]:
    """The grants that reach some of the atoms, in words; what had no effect says so."""
    found: dict[str, None] = {}
    for grant in grants:
        masks = grant.masks
        if (masks.touched | masks.forbid | masks.opaque_forbid) & atoms:
            verb = " forbids" if (masks.forbid | masks.opaque_forbid) & atoms else ""
            found[grant.text + verb] = None
        elif masks.inert & atoms:
            why = next((reason for mask, reason in grant.reasons if mask & atoms), "no effect")
            found[f"{grant.text}, without effect: {why}"] = None
    return tuple(found)


def _reason(span: Span, atoms: int) -> str:
    """Why a verdict is a maybe or an unknown: the first reasons, and how many more there are."""
    found: dict[str, None] = {}
    for grant in (*span.before, *span.after):
        unsure = grant.masks.maybe | grant.masks.opaque_permit | grant.masks.opaque_forbid
        for mask, reason in grant.reasons:
            if mask & atoms & unsure:
                found[reason] = None
    shown = list(found)[:REASONS_SHOWN]
    if len(found) > len(shown):
        shown.append(f"and {len(found) - len(shown)} more")
    return "; ".join(shown)


def _order(finding: Finding) -> tuple[int, int, str, str, str]:
    rank = (finding.severity.rank, _VERDICT_RANKS[finding.verdict])
    return (*rank, str(finding.principal), finding.region.label, finding.id)


_VERDICT_RANKS: Final = {verdict: rank for rank, verdict in enumerate(Verdict)}
