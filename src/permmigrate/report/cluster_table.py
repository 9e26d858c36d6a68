"""The table of clusters: findings that one decision is about, one row each. Sign-off works by it."""

from __future__ import annotations

from collections.abc import Mapping

from permmigrate.diff import Diff, Verdict
from permmigrate.diff.clusters import Cluster
from permmigrate.report.findings import environment_name
from permmigrate.report.table import Cell, Column, Kind, Table
from permmigrate.snapshot import Snapshot

COLUMNS = (
    Column("severity", "Worst", Kind.SEVERITY, 17),
    Column("expansions", "Expansions", Kind.NUMBER, 12),
    Column("undecided", "Undecided", Kind.NUMBER, 11),
    Column("reductions", "Reductions", Kind.NUMBER, 11),
    Column("principals", "Who", Kind.TEXT, 34),
    Column("people", "How many", Kind.NUMBER, 10),
    Column("environment", "Environment", Kind.TEXT, 22),
    Column("region_kind", "Reach", Kind.STATE, 13),
    Column("region", "Where", Kind.TEXT, 30),
    Column("causes", "Because of", Kind.LINES, 26),
    Column("because", "What the rows say", Kind.LINES, 60),
    Column("examples", "Examples", Kind.LINES, 16),
    Column("id", "Cluster", Kind.ID, 16),
    Column("contents", "Digest of its findings", Kind.ID, 20),
)


def table(diff: Diff, snapshot: Snapshot, clusters: tuple[Cluster, ...]) -> Table:
    """Every cluster, those with the most expansions first."""
    words = {cause.ref: cause.text for cause in diff.causes}
    rows = tuple(_row(cluster, words, snapshot) for cluster in clusters)
    about = "The findings of one cause for one kind of principal in one top-level folder or environment."
    return Table("clusters", "Clusters", about, COLUMNS, rows)


def _row(cluster: Cluster, words: Mapping[str, str], snapshot: Snapshot) -> tuple[Cell, ...]:
    counts = cluster.counts
    return (
        cluster.severity.value,
        cluster.expansions,
        counts.get(Verdict.UNKNOWN, 0),
        counts.get(Verdict.LOST, 0) + counts.get(Verdict.MAYBE_LOST, 0),
        cluster.principals,
        cluster.people,
        environment_name(snapshot, cluster.region.environment_id),
        cluster.region.kind.value,
        cluster.region.label,
        cluster.causes,
        tuple(words.get(cause, cause) for cause in cluster.causes),
        cluster.examples,
        cluster.id,
        cluster.digest,
    )
