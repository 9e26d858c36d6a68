"""What deserves an eye beside the differences of today, as rows: promotions, keys, what is wider tomorrow.

The concerns were found before; here they get names and an order for reading.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from permmigrate.diff import Diff
from permmigrate.diff.value import ConcernKind
from permmigrate.model import PrincipalRef
from permmigrate.report.table import Column, Kind, Table
from permmigrate.snapshot import Snapshot

COLUMNS = (
    Column("kind", "Concern", Kind.STATE, 28),
    Column("severity", "Severity", Kind.SEVERITY, 17),
    Column("principal_kind", "Kind", Kind.STATE, 12),
    Column("principal", "Principal", Kind.TEXT, 28),
    Column("principal_detail", "Known by", Kind.TEXT, 34),
    Column("text", "What is the matter", Kind.TEXT, 60),
    Column("details", "In detail", Kind.LIST, 60),
    Column("causes", "Because of", Kind.LINES, 24),
    Column("principal_id", "Principal id", Kind.ID, 34),
)


def table(diff: Diff, snapshot: Snapshot) -> Table:
    """Every concern, in the comparison's own order: by kind, the worst first."""
    summaries = {summary.principal: summary for summary in diff.principals}
    rows = []
    for concern in diff.concerns:
        summary = summaries.get(concern.principal)
        rows.append(
            (
                concern.kind.value,
                concern.severity.value,
                concern.principal.type.label,
                summary.name if summary else snapshot.principal_name(concern.principal),
                summary.detail if summary else "",
                concern.text,
                concern.details,
                concern.causes,
                concern.principal.id,
            )
        )
    about = "Something about one principal that no single finding says."
    return Table("concerns", "Concerns", about, COLUMNS, tuple(rows))


def operations_of_keys(diff: Diff) -> Mapping[tuple[ConcernKind, PrincipalRef], tuple[str, ...]]:
    """The API operations that keys would be refused, or could do beside today's, by kind and key."""
    found: dict[tuple[ConcernKind, PrincipalRef], tuple[str, ...]] = defaultdict(tuple)
    for concern in diff.concerns:
        if concern.kind in (ConcernKind.KEY_DENIED, ConcernKind.KEY_OVERPOWERED):
            found[concern.kind, concern.principal] += concern.details
    return found
