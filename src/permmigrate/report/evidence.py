"""The tables that come from the snapshot: the ledger, its gaps, orphan shares and hygiene.

A gap is shown with its own reason; nothing here decides what a gap means for a finding.
"""

from __future__ import annotations

from collections import Counter, defaultdict

from permmigrate.model import LedgerEntry, ReadStatus
from permmigrate.readiness.scoring import natural
from permmigrate.report.table import Cell, Column, Kind, Table
from permmigrate.report.text import plural
from permmigrate.snapshot import Snapshot

_LEDGER_COLUMNS = (
    Column("status", "Status", Kind.STATE, 12),
    Column("area", "Area", Kind.TEXT, 16),
    Column("subject", "For", Kind.TEXT, 28),
    Column("endpoint", "Read from", Kind.ID, 60),
    Column("count", "Items", Kind.NUMBER, 9),
    Column("http_status", "HTTP", Kind.ID, 7),
    Column("detail", "Detail", Kind.TEXT, 60),
)


def ledger_table(snapshot: Snapshot) -> Table:
    """Everything the snapshot set out to read, gaps first."""
    entries = sorted(snapshot.ledger, key=lambda e: (not e.status.is_gap, e.area, e.endpoint, e.subject))
    rows = tuple(_ledger_row(entry) for entry in entries)
    return Table("ledger", "Completeness", "One thing the snapshot set out to read.", _LEDGER_COLUMNS, rows)


def gap_table(snapshot: Snapshot) -> Table:
    """Only what could not be read."""
    entries = sorted(snapshot.gaps, key=lambda e: (e.area, e.endpoint, e.subject))
    rows = tuple(_ledger_row(entry) for entry in entries)
    return Table(
        "gaps", "What could not be read", "Something that may exist and was not read.", _LEDGER_COLUMNS, rows
    )


def _ledger_row(entry: LedgerEntry) -> tuple[Cell, ...]:
    status = "" if entry.http_status is None else str(entry.http_status)
    return (entry.status.value, entry.area, entry.subject, entry.endpoint, entry.count, status, entry.detail)


def area_table(snapshot: Snapshot) -> Table:
    """The ledger by area: reads, gaps and items."""
    columns = (
        Column("area", "Area", Kind.TEXT, 18),
        Column("state", "State", Kind.STATE, 14),
        Column("reads", "Reads", Kind.NUMBER, 9),
        Column("gaps", "Gaps", Kind.NUMBER, 9),
        Column("items", "Items read", Kind.NUMBER, 11),
    )
    by_area: dict[str, list[LedgerEntry]] = defaultdict(list)
    for entry in snapshot.ledger:
        by_area[entry.area].append(entry)
    rows = []
    for area, entries in sorted(by_area.items()):
        gaps = sum(entry.status.is_gap for entry in entries)
        rows.append(
            (area, "incomplete" if gaps else "complete", len(entries), gaps, sum(e.count for e in entries))
        )
    rows.sort(key=lambda row: (row[1] == "complete", row[0]))
    return Table("areas_read", "What was read", "One area of the account.", columns, tuple(rows))


def orphan_table(snapshot: Snapshot) -> Table:
    """Shares whose person, group, folder or environment is not in the account."""
    columns = (
        Column("source", "From", Kind.ID, 24),
        Column("reason", "Why it fits nothing", Kind.TEXT, 60),
        Column("row", "The row as written", Kind.LINES, 70),
    )
    rows = tuple(
        (orphan.source, orphan.reason, tuple(f"{name}: {text}" for name, text in orphan.fields if text))
        for orphan in sorted(snapshot.orphan_shares, key=lambda each: natural(each.source))
    )
    return Table(
        "orphans", "Shares that fit nothing", "A share that could not be given to anyone.", columns, rows
    )


def hygiene_table(snapshot: Snapshot) -> Table:
    """What is dormant, disabled, duplicate, empty or orphaned, whatever the comparison says."""
    columns = (
        Column("kind", "Kind", Kind.STATE, 26),
        Column("subject", "Who or what", Kind.TEXT, 36),
        Column("id", "Id", Kind.ID, 30),
        Column("detail", "Detail", Kind.TEXT, 60),
    )
    rows = sorted({*_people(snapshot), *_groups(snapshot), *_keys(snapshot), *_rest(snapshot)})
    return Table(
        "hygiene", "Hygiene", "Something worth tidying, before or after the move.", columns, tuple(rows)
    )


def _people(snapshot: Snapshot) -> list[tuple[str, str, str, str]]:
    same_address = Counter(user.email.casefold() for user in snapshot.users if user.email)
    found = []
    for user in snapshot.users:
        name = user.name or user.email
        if not user.enabled:
            found.append(("disabled user", name, str(user.id), f"legacy role `{user.legacy_role}`"))
        if user.pending:
            found.append(("pending invitation", name, str(user.id), user.email))
        elif user.enabled and user.last_login is None:
            found.append(("never logged in", name, str(user.id), user.email))
        if user.email and same_address[user.email.casefold()] > 1:
            found.append(("duplicate e-mail address", name, str(user.id), user.email))
        if not user.legacy_role:
            found.append(("user without a role", name, str(user.id), user.email))
    return found


def _groups(snapshot: Snapshot) -> list[tuple[str, str, str, str]]:
    same_name = Counter(group.name.casefold() for group in snapshot.groups)
    found = []
    for group in snapshot.groups:
        if not group.member_ids:
            found.append(("empty group", group.name, str(group.id), "no member"))
        if same_name[group.name.casefold()] > 1:
            found.append(
                ("duplicate group name", group.name, str(group.id), plural(len(group.member_ids), "member"))
            )
    return found


def _keys(snapshot: Snapshot) -> list[tuple[str, str, str, str]]:
    names = {environment.id: environment.name for environment in snapshot.environments}
    found = []
    for key in snapshot.api_keys:
        place = f"in {names.get(key.environment_id, key.environment_id)}"
        if not key.enabled:
            found.append(("disabled API key", key.name or key.id, key.id, place))
        if not key.name:
            found.append(("API key without a name", key.id, key.id, place))
    return found


def _rest(snapshot: Snapshot) -> list[tuple[str, str, str, str]]:
    found = [
        (
            "disabled environment",
            environment.name,
            str(environment.id),
            f"cloud name {environment.cloud_name}",
        )
        for environment in snapshot.environments
        if not environment.enabled
    ]
    found += [
        ("disabled custom policy", policy.name, policy.id, policy.description)
        for policy in snapshot.custom_policies
        if not policy.enabled
    ]
    found += [
        (
            "role names a missing policy",
            str(role_id),
            str(policy_id),
            "the catalog does not define the policy",
        )
        for role_id, policy_id in snapshot.catalog.missing_policies
    ]
    return found


def size_rows(snapshot: Snapshot) -> tuple[tuple[str, int], ...]:
    """How big the account is, for the method section."""
    return (
        ("Users", len(snapshot.users)),
        ("Groups", len(snapshot.groups)),
        ("API keys", len(snapshot.api_keys)),
        ("Account keys", len(snapshot.account_keys)),
        ("Product environments", len(snapshot.environments)),
        ("Folders", len(snapshot.folders)),
        ("Shares", len(snapshot.shares)),
        ("Shares that fit nothing", len(snapshot.orphan_shares)),
        ("Custom policies", len(snapshot.custom_policies)),
        ("Roles in the catalog", len(snapshot.catalog.roles)),
        ("Policies in the catalog", len(snapshot.catalog.policies)),
    )


def orphan_sentence(snapshot: Snapshot) -> str:
    """How many shares could not be given to anyone, and what follows; empty when all could."""
    count = len(snapshot.orphan_shares)
    if not count:
        return ""
    fate = "fits nothing in the account and is" if count == 1 else "fit nothing in the account and are"
    return f"{plural(count, 'share')} {fate} not compared."


def read_summary(snapshot: Snapshot) -> str:
    """How much was read, and what of it fits nothing."""
    return f"{_reads_sentence(snapshot)} {orphan_sentence(snapshot)}".rstrip()


def _reads_sentence(snapshot: Snapshot) -> str:
    reads, gaps = len(snapshot.ledger), len(snapshot.gaps)
    if not reads:
        return "The snapshot has no ledger: what was read and what was not cannot be told."
    if not gaps:
        return f"Everything the snapshot set out to read was read: {plural(reads, 'read')}, no gap."
    denied = sum(entry.status is ReadStatus.DENIED for entry in snapshot.gaps)
    tail = f", {denied:,} of them refused" if denied else ""
    return f"{gaps:,} of {plural(reads, 'read')} left a gap{tail}: what lies there is not known."
