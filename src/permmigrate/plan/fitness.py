"""Whether a snapshot is fit to plan from, and which of the vendor's APIs can carry the plan out."""

from __future__ import annotations

from enum import StrEnum

from permmigrate.catalog import is_illustrative
from permmigrate.diff import Diff
from permmigrate.errors import RefusedError
from permmigrate.mapping.tables import MappingTables
from permmigrate.model import LedgerEntry
from permmigrate.snapshot import Snapshot

_PERMISSIONS = "/permissions/"
SHARES = "shares"
"""The area of the ledger that says whether legacy shares were listed."""
_ABSENT = 404


class Reach(StrEnum):
    """What can be written, by what answered when the snapshot was taken."""

    PERMISSIONS = "the Permissions API"
    ADMIN = "folder roles of API keys, through the Admin API"
    """The account has no Permissions API, as on the Free plan, or the snapshot was made from lists."""


def reach_of(snapshot: Snapshot) -> Reach:
    """Tell from the ledger; an API that was denied or failed is there."""
    asked = [entry for entry in snapshot.ledger if _of_account(entry)]
    there = any(not _is_absent(entry) for entry in asked)
    return Reach.PERMISSIONS if there else Reach.ADMIN


def _of_account(entry: LedgerEntry) -> bool:
    return _PERMISSIONS in entry.endpoint and "/public/" not in entry.endpoint


def _is_absent(entry: LedgerEntry) -> bool:
    return entry.status.is_gap and entry.http_status == _ABSENT


def gaps_of(snapshot: Snapshot) -> tuple[LedgerEntry, ...]:
    """What was not read and could have been: an API that the account does not have is no gap."""
    if reach_of(snapshot) is Reach.PERMISSIONS:
        return snapshot.gaps
    return tuple(entry for entry in snapshot.gaps if not _of_account(entry))


def require_fit(
    snapshot: Snapshot,
    assigned: Snapshot | None,
    tables: MappingTables,
    diff: Diff,
    *,
    allow_incomplete: bool,
) -> None:
    """Raise RefusedError when a plan from these would rest on what is not known or not the account's own."""
    _require_sound(snapshot, gaps_of(snapshot), allow_incomplete=allow_incomplete)
    if (
        assigned is not None
    ):  # of the later one only what is assigned counts: legacy shares are the older one's
        gaps = tuple(entry for entry in gaps_of(assigned) if entry.area != SHARES)
        _require_sound(assigned, gaps, allow_incomplete=allow_incomplete)
    if assigned is not None and assigned.account_id != snapshot.account_id:
        raise RefusedError(
            f"the snapshots are of two accounts, `{snapshot.account_id}` and `{assigned.account_id}`",
            hint="plan from two snapshots of one account",
        )
    source = (assigned or snapshot).catalog.source
    if is_illustrative(source) and not is_illustrative((assigned or snapshot).api_url or "none"):
        raise RefusedError(
            "the catalog is illustrative: its ids are not the vendor's, so nothing can be planned with them",
            hint="take the snapshot with the vendor's own catalog (`permmigrate catalog pull`)",
        )
    fits = (diff.snapshot_digest, diff.mapping_digest, diff.is_planned)
    if fits != (snapshot.digest, tables.digest, True):
        raise RefusedError(
            "the comparison is not of this snapshot and these mapping tables",
            hint="compare again, then plan",
        )


def _require_sound(snapshot: Snapshot, gaps: tuple[LedgerEntry, ...], *, allow_incomplete: bool) -> None:
    if not snapshot.digest:
        raise RefusedError("the snapshot was never saved, so a plan could not say what it was made from")
    if gaps and not allow_incomplete:
        first = gaps[0]
        about = f" ({first.subject})" if first.subject else ""
        raise RefusedError(
            f"the snapshot has {len(gaps):,} gap{'s' if len(gaps) > 1 else ''}, the first in {first.area}"
            f"{about}: {first.detail or first.status}",
            hint="take it again with the rights that are missing, or plan with --allow-incomplete",
        )
