"""The tables of the comparison: findings, capabilities, places, principals, keys.

Rows are only named, joined to the snapshot and counted here; what is gained or lost was decided before.
"""

from __future__ import annotations

from array import array
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import overload

from permmigrate.diff import Diff, Finding, Verdict
from permmigrate.diff.findings import in_brief, outcomes
from permmigrate.diff.value import ConcernKind
from permmigrate.model import PrincipalRef, PrincipalType
from permmigrate.report.concern_table import operations_of_keys
from permmigrate.report.derivation import witness_lines
from permmigrate.report.table import Cell, Column, Kind, Table
from permmigrate.report.words import outcome
from permmigrate.snapshot import Snapshot

_FINDING_COLUMNS = (
    Column("severity", "Severity", Kind.SEVERITY, 17),
    Column("verdict", "Verdict", Kind.VERDICT, 19),
    Column("principal_kind", "Kind", Kind.STATE, 12),
    Column("principal", "Principal", Kind.TEXT, 26),
    Column("principal_detail", "Known by", Kind.TEXT, 38),
    Column("principal_id", "Principal id", Kind.ID, 34),
    Column("can", "Can do", Kind.TEXT, 34),
    Column("region_kind", "Reach", Kind.STATE, 13),
    Column("environment", "Environment", Kind.TEXT, 20),
    Column("region", "Where", Kind.TEXT, 34),
    Column("folders", "Folders", Kind.NUMBER, 9),
    Column("before", "Before", Kind.LINES, 44),
    Column("after", "After", Kind.LINES, 44),
    Column("causes", "Mapping rows", Kind.LINES, 22),
    Column("reason", "Why it is not certain", Kind.TEXT, 40),
    Column("dormant", "Dormant", Kind.FLAG, 9),
    Column("last_login", "Last login", Kind.TEXT, 21),
    Column("people", "Others it holds for", Kind.NUMBER, 12),
    Column("capabilities", "Everything it covers", Kind.CAPABILITIES, 44),
    Column("id", "Finding", Kind.ID, 15),
    Column("others", "It also holds for", Kind.PEOPLE, 30),
    Column("cluster", "Cluster", Kind.ID, 16),
    Column("sensitivity", "Sensitive", Kind.TEXT, 24),
    Column("witness", "The request that shows it", Kind.LINES, 60),
)

COUNTED = (Verdict.GAINED, Verdict.MAYBE_GAINED, Verdict.LOST, Verdict.MAYBE_LOST, Verdict.UNKNOWN)
_COUNT_COLUMNS = (
    Column("gained", "Gained", Kind.NUMBER, 9),
    Column("maybe_gained", "Maybe gained", Kind.NUMBER, 13),
    Column("lost", "Lost", Kind.NUMBER, 9),
    Column("maybe_lost", "Maybe lost", Kind.NUMBER, 11),
    Column("unknown", "Unknown", Kind.NUMBER, 9),
)


def finding_tables(
    diff: Diff, snapshot: Snapshot, clusters: Mapping[str, str], *, planned: bool
) -> tuple[Table, Table, Table]:
    """Expansions, reductions and undecided findings, each in the comparison's own order.

    `clusters` has the cluster of each finding, by id. `planned` says that mapping rows are to blame, and not
    roles that are assigned already. A row is made when it is asked for: there may be a million.
    """
    columns = tuple(
        column if planned or column.key != "causes" else replace(column, label="Assigned roles")
        for column in _FINDING_COLUMNS
    )
    places: dict[str, array[int]] = {key: array("L") for key in ("expansions", "reductions", "undecided")}
    for place, (verdict, _) in enumerate(outcomes(diff.findings)):
        if verdict.is_expansion:
            places["expansions"].append(place)
        elif verdict.is_reduction:
            places["reductions"].append(place)
        elif verdict is Verdict.UNKNOWN:
            places["undecided"].append(place)
    maker = _RowMaker(diff, snapshot, clusters)

    def table(key: str, title: str, about: str) -> Table:
        return Table(key, title, about, columns, _FindingRows(maker, places[key]))

    return (
        table(
            "expansions",
            "Expansions",
            "Access that exists after and did not exist before, once for the largest region it holds for.",
        ),
        table(
            "reductions",
            "Reductions",
            "Access that existed before and does not exist after, once for the largest region it holds for.",
        ),
        table("undecided", "Undecided", "Access about which neither yes nor no can be said, and why."),
    )


class _RowMaker:
    """Turns a finding into the cells of its row."""

    def __init__(self, diff: Diff, snapshot: Snapshot, clusters: Mapping[str, str]) -> None:
        self.diff = diff
        self.snapshot = snapshot
        self.clusters = clusters
        self.summaries = {summary.principal: summary for summary in diff.principals}
        ordered = sorted(diff.principals, key=lambda summary: summary.principal)
        self.numbers = {summary.principal: number for number, summary in enumerate(ordered)}

    def row(self, finding: Finding) -> tuple[Cell, ...]:
        region, snapshot = finding.region, self.snapshot
        summary = self.summaries.get(finding.principal)
        return (
            finding.severity.value,
            finding.verdict.value,
            finding.principal.type.label,
            summary.name if summary else snapshot.principal_name(finding.principal),
            summary.detail if summary else "",
            finding.principal.id,
            _in_short([self.diff.capabilities[number].label for number in finding.capabilities]),
            region.kind.value,
            environment_name(snapshot, region.environment_id),
            region.label,
            region.folders,
            finding.before,
            finding.after,
            finding.causes,
            finding.reason,
            finding.dormant,
            (summary.last_login or "") if summary else "",
            len(finding.others),
            finding.capabilities,
            finding.id,
            tuple(self.numbers[principal] for principal in finding.principals[1:]),
            self.clusters[finding.id],
            finding.sensitivity,
            () if finding.witness is None else tuple(witness_lines(finding.witness)),
        )


class _FindingRows(Sequence[tuple[Cell, ...]]):
    """The rows of some findings, each made when it is looked at."""

    def __init__(self, maker: _RowMaker, places: array[int]) -> None:
        self._maker = maker
        self._places = places

    def __len__(self) -> int:
        return len(self._places)

    def __iter__(self) -> Iterator[tuple[Cell, ...]]:
        findings, row = self._maker.diff.findings, self._maker.row
        return (row(findings[place]) for place in self._places)

    @overload
    def __getitem__(self, at: int) -> tuple[Cell, ...]: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[tuple[Cell, ...]]: ...
    def __getitem__(self, at: int | slice) -> tuple[Cell, ...] | Sequence[tuple[Cell, ...]]:
        if isinstance(at, slice):
            return _FindingRows(self._maker, self._places[at])
        return self._maker.row(self._maker.diff.findings[self._places[at]])


def _in_short(labels: list[str]) -> str:
    if not labels:
        return "not known"
    return labels[0] if len(labels) == 1 else f"{labels[0]} and {len(labels) - 1:,} more"


def environment_name(snapshot: Snapshot, environment_id: str) -> str:
    """What people call an environment; its id when the snapshot does not know it, empty for the account."""
    environment = snapshot.environment_by_id.get(environment_id)
    return (environment.name or environment.cloud_name) if environment else environment_id


def capability_table(diff: Diff) -> Table:
    """What the capability numbers in findings mean; the row's place is the number."""
    columns = (
        Column("severity", "Severity", Kind.SEVERITY, 17),
        Column("label", "In words", Kind.TEXT, 40),
        Column("scope", "Scope", Kind.STATE, 10),
        Column("action", "Action", Kind.ID, 22),
        Column("resource", "Resource", Kind.ID, 40),
        Column("condition", "Only when", Kind.ID, 36),
    )
    rows = tuple(
        (c.severity.value, c.label, c.scope, c.action, c.resource, c.condition) for c in diff.capabilities
    )
    return Table("capabilities", "Capabilities", "One action on one kind of thing.", columns, rows)


def principal_table(diff: Diff) -> Table:
    """One row for each principal, changed or not."""
    columns = (
        Column("outcome", "Outcome", Kind.VERDICT, 19),
        Column("principal_kind", "Kind", Kind.STATE, 12),
        Column("principal", "Principal", Kind.TEXT, 28),
        Column("principal_detail", "Known by", Kind.TEXT, 38),
        Column("principal_id", "Principal id", Kind.ID, 34),
        *_COUNT_COLUMNS,
        Column("before", "Before", Kind.LINES, 44),
        Column("after", "After", Kind.LINES, 44),
        Column("admin_before", "Administrator before", Kind.FLAG, 12),
        Column("admin_after", "Administrator after", Kind.FLAG, 12),
        Column("dormant", "Dormant", Kind.FLAG, 9),
        Column("last_login", "Last login", Kind.TEXT, 21),
    )
    rows = []
    for summary in sorted(diff.principals, key=lambda s: s.principal):
        counts = {verdict: summary.counts.get(verdict, 0) for verdict in COUNTED}
        rows.append(
            (
                outcome(counts).value,
                summary.principal.type.label,
                summary.name,
                summary.detail,
                summary.principal.id,
                *counts.values(),
                summary.before,
                summary.after,
                summary.admin_before,
                summary.admin_after,
                summary.dormant,
                summary.last_login or "",
            )
        )
    return Table(
        "principals", "Principals", "One user, group or key, before and after.", columns, tuple(rows)
    )


def key_table(diff: Diff, snapshot: Snapshot) -> Table:
    """API keys and account keys: which would be refused (403) and which could do more than today."""
    columns = (
        Column("risk", "Risk", Kind.STATE, 26),
        Column("outcome", "Outcome", Kind.VERDICT, 19),
        Column("principal_kind", "Kind", Kind.STATE, 12),
        Column("principal", "Key", Kind.TEXT, 28),
        Column("principal_id", "Key id", Kind.ID, 24),
        Column("environment", "Environment", Kind.TEXT, 22),
        Column("enabled", "Enabled", Kind.FLAG, 9),
        *_COUNT_COLUMNS,
        Column("before", "Before", Kind.LINES, 44),
        Column("after", "After", Kind.LINES, 44),
        Column("refused", "API operations it would be refused", Kind.LIST, 50),
        Column("more", "API operations it could do beside today's", Kind.LIST, 50),
    )
    operations = operations_of_keys(diff)
    rows = []
    for summary in sorted(diff.principals, key=lambda s: s.principal):
        if summary.principal.type not in (PrincipalType.API_KEY, PrincipalType.ACCOUNT_KEY):
            continue
        key = snapshot.api_key_by_id.get(summary.principal.id)
        counts = {verdict: summary.counts.get(verdict, 0) for verdict in COUNTED}
        rows.append(
            (
                _key_risk(counts),
                outcome(counts).value,
                summary.principal.type.label,
                summary.name,
                summary.principal.id,
                environment_name(snapshot, key.environment_id) if key else "",
                key.enabled if key else not summary.dormant,
                *counts.values(),
                summary.before,
                summary.after,
                operations.get((ConcernKind.KEY_DENIED, summary.principal), ()),
                operations.get((ConcernKind.KEY_OVERPOWERED, summary.principal), ()),
            )
        )
    return Table(
        "keys", "API keys", "One key: what it could do, what it will be able to do.", columns, tuple(rows)
    )


def _key_risk(counts: dict[Verdict, int]) -> str:
    gains = counts[Verdict.GAINED] or counts[Verdict.MAYBE_GAINED]
    losses = counts[Verdict.LOST] or counts[Verdict.MAYBE_LOST]
    if gains and losses:
        return "403 and over-powered"
    if losses:
        return "403"
    if gains:
        return "over-powered"
    return "not known" if counts[Verdict.UNKNOWN] else "none found"


def place_table(diff: Diff, snapshot: Snapshot) -> Table:
    """The findings by where they hold, in tree order: the account, then each environment's content."""
    columns = (
        Column("environment", "Environment", Kind.TEXT, 22),
        Column("region_kind", "Reach", Kind.STATE, 13),
        Column("region", "Where", Kind.TEXT, 44),
        Column("content_id", "Content id", Kind.ID, 24),
        Column("folders", "Folders", Kind.NUMBER, 9),
        Column("principals", "Principals", Kind.NUMBER, 11),
        *_COUNT_COLUMNS,
    )
    counts: dict[tuple[str, str, str, str], Counter[Verdict]] = defaultdict(Counter)
    people: dict[tuple[str, str, str, str], set[PrincipalRef]] = defaultdict(set)
    reach: Counter[tuple[str, str, str, str]] = Counter()
    for finding in in_brief(diff.findings):
        region = finding.region
        place = (region.environment_id, region.kind.value, region.label, region.content_id)
        counts[place][finding.verdict] += 1
        people[place].update(finding.principals)
        reach[place] = max(reach[place], region.folders)
    order = {"account": 0, "environment": 1, "folder": 2, "collection": 3}
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (
            environment_name(snapshot, place[0]),
            place[1],
            place[2],
            place[3],
            reach[place],
            len(people[place]),
            *(counts[place][verdict] for verdict in COUNTED),
        )
        for place in sorted(counts, key=lambda p: (order[p[1]] > 0, p[0], order[p[1]], p[2].split("/"), p[3]))
    )
    return Table(
        "places", "Places", "A part of the account, and the findings that hold for it.", columns, rows
    )


def uncertainty_table(diff: Diff) -> Table:
    """What could not be known, the most consequential first."""
    columns = (
        Column("kind", "Kind", Kind.STATE, 16),
        Column("subject", "About", Kind.TEXT, 44),
        Column("reason", "Why", Kind.TEXT, 70),
        Column("findings", "Findings touched", Kind.NUMBER, 16),
    )
    ordered = sorted(diff.uncertainties, key=lambda u: (-u.findings, u.kind, u.subject, u.reason))
    rows = tuple((u.kind, u.subject, u.reason, u.findings) for u in ordered)
    return Table(
        "uncertainties", "What is not known", "Something that could not be known or decided.", columns, rows
    )
