"""The finished values that renderers get: two views, and the small pieces they are made of. No counting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from permmigrate.report.matrices import Matrix, Tree
from permmigrate.report.table import Column, Kind, Table
from permmigrate.report.whereabouts import PlaceCells, Whereabouts


@dataclass(frozen=True, slots=True)
class Banner:
    """What the report says in one breath."""

    headline: str
    tone: str
    """`gained`, `maybe` or `good`: how the renderer colours it, always beside the words."""
    sentence: str
    details: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Figure:
    """One large number under the banner."""

    key: str
    label: str
    value: int
    note: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A sentence that wants attention, with what to do about it."""

    severity: str
    title: str
    detail: str
    subjects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PlanView:
    """What would be done about it, in one breath; the steps are the rows of the table `plan`."""

    sentence: str
    operations: int
    by_hand: int
    left_out: int
    holds: bool
    """Whether every guard holds; no plan holds none."""


@dataclass(frozen=True, slots=True)
class DiffView:
    """The whole comparison report as finished values."""

    account_id: str
    captured_at: str
    compared_with: str
    planned: bool
    """Whether "after" is what the mapping tables would make, and not yet a fact."""
    illustrative: bool
    complete: bool
    comparison: str
    """The digest of what was compared and found: what a sign-off is about."""
    banner: Banner
    figures: tuple[Figure, ...]
    read_summary: str
    known_summary: str
    risks: tuple[Notice, ...]
    tables: tuple[Table, ...]
    places: Mapping[PlaceCells, Whereabouts]
    """The ids of the rows of the table `places`."""
    by_kind: Matrix
    by_legacy_role: Matrix
    roles: Matrix
    thresholds: Matrix
    folders: Tree
    plan: PlanView | None
    explain: str
    """What follows a finding's id in the command that explains it."""
    assumptions: tuple[str, ...]
    not_checked: tuple[str, ...]
    digests: tuple[tuple[str, str], ...]
    provenance: tuple[tuple[str, str], ...]
    sizes: tuple[tuple[str, int], ...]

    @property
    def most_expansions(self) -> int:
        """The largest count in the list of causes, for scaling its bars."""
        counts = self.table("causes").values("expansions")
        return max((count for count in counts if isinstance(count, int)), default=0)

    def table(self, key: str) -> Table:
        return next(table for table in self.tables if table.key == key)

    def concerns(self, kind: str, title: str) -> Table:
        """The concerns of one kind, as a table of their own."""
        table = self.table("concerns")
        return replace(table, title=title, rows=tuple(row for row in table.rows if row[0] == kind))


@dataclass(frozen=True, slots=True)
class Shortfall:
    """One finding of the readiness: what is wrong, what to do, and whom or what it is about."""

    severity: str
    title: str
    detail: str
    action: str
    subjects: tuple[str, ...]
    count: int


@dataclass(frozen=True, slots=True)
class AreaView:
    """One area of the readiness."""

    key: str
    name: str
    verdict: str
    weight: int
    percent: int
    explanation: str
    facts: tuple[tuple[str, str], ...]
    shortfalls: tuple[Shortfall, ...]


@dataclass(frozen=True, slots=True)
class ReadinessView:
    """The whole readiness report as finished values."""

    account_id: str
    captured_at: str
    illustrative: bool
    complete: bool
    banner: Banner
    figures: tuple[Figure, ...]
    score: int
    areas: tuple[AreaView, ...]
    arithmetic: tuple[tuple[str, str], ...]
    read_summary: str
    tables: tuple[Table, ...]
    digests: tuple[tuple[str, str], ...]
    provenance: tuple[tuple[str, str], ...]
    sizes: tuple[tuple[str, int], ...]

    def table(self, key: str) -> Table:
        return next(table for table in self.tables if table.key == key)


def provenance_table(view: DiffView | ReadinessView) -> Table:
    """Where the report is from, as a table for renderers that only know tables."""
    columns = (Column("what", "What", Kind.TEXT, 28), Column("value", "Value", Kind.ID, 90))
    rows = (*view.provenance, *((label, f"{count:,}") for label, count in view.sizes))
    return Table("provenance", "Provenance", "Where a number comes from.", columns, rows)
