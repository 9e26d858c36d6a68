"""Who administers the account before and after, and whether anybody could be locked out.

The comparison says who surely may do something critical to the account. That two active people should remain
is only a warning here.
"""

from __future__ import annotations

from typing import Final

from permmigrate.diff import Diff, PrincipalSummary, Severity
from permmigrate.model import PrincipalType
from permmigrate.report.table import Column, Kind, Table
from permmigrate.report.text import plural

FEWEST: Final = 2
"""Active people who must be able to administer the account afterwards."""

Risk = tuple[str, str, str, tuple[str, ...]]
"""Severity, title, detail, names."""


def table(diff: Diff) -> Table:
    """Everybody and every key that administers the account before or after; those who change first."""
    columns = (
        Column("change", "Change", Kind.STATE, 12),
        Column("principal", "Administrator", Kind.TEXT, 30),
        Column("principal_kind", "Kind", Kind.STATE, 12),
        Column("principal_detail", "Known by", Kind.TEXT, 34),
        Column("admin_before", "Before", Kind.FLAG, 9),
        Column("admin_after", "After", Kind.FLAG, 9),
        Column("active", "Active", Kind.FLAG, 9),
        Column("last_login", "Last login", Kind.TEXT, 21),
        Column("principal_id", "Principal id", Kind.ID, 24),
    )
    concerned = [summary for summary in diff.principals if summary.admin_before or summary.admin_after]
    order = {"gains": 0, "loses": 1, "stays": 2}
    rows = tuple(
        (
            _change(summary),
            summary.name,
            summary.principal.type.label,
            summary.detail,
            summary.admin_before,
            summary.admin_after,
            not summary.dormant,
            summary.last_login or "",
            summary.principal.id,
        )
        for summary in sorted(concerned, key=lambda s: (order[_change(s)], s.principal))
    )
    return Table(
        "administrators",
        "Administrators",
        "Who surely may manage users, roles or security of the account.",
        columns,
        rows,
    )


def _change(summary: PrincipalSummary) -> str:
    if summary.admin_before and summary.admin_after:
        return "stays"
    return "loses" if summary.admin_before else "gains"


def risks(diff: Diff) -> list[Risk]:
    """What could lock people out of the account, or quietly make administrators, the worst first."""
    people = [s for s in diff.principals if s.principal.type is PrincipalType.USER]
    after = [s for s in people if s.admin_after and not s.dormant]
    found: list[Risk] = []
    if not after:
        found.append(
            (
                Severity.CRITICAL.value,
                "Nobody administers the account afterwards",
                "No active person surely may manage users, roles or security afterwards.",
                (),
            )
        )
    elif len(after) < FEWEST:
        found.append(
            (
                Severity.HIGH.value,
                "Only one active administrator is left",
                "One lost password or one departure locks the account.",
                tuple(s.name for s in after),
            )
        )
    found.extend(_changed(diff, "gains", Severity.HIGH, "becomes an administrator", "become administrators"))
    found.extend(
        _changed(
            diff,
            "loses",
            Severity.MEDIUM,
            "stops being an administrator",
            "stop being administrators",
        )
    )
    return found


def _changed(diff: Diff, change: str, severity: Severity, one: str, many: str) -> list[Risk]:
    names = tuple(
        sorted(s.name for s in diff.principals if (s.admin_before or s.admin_after) and _change(s) == change)
    )
    if not names:
        return []
    title = f"{plural(len(names), 'principal')} {one if len(names) == 1 else many}"
    detail = {
        "gains": "They surely may manage users, roles or security afterwards, and may not before.",
        "loses": "They manage users, roles or security before, and not surely afterwards.",
    }[change]
    return [(severity.value, title, detail, names)]
