"""Two snapshots of one account as one: whoever and whatever either of them has, as the later one has it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final, TypeVar

from permmigrate.snapshot import Snapshot

T = TypeVar("T")

MERGE_ASSUMPTIONS: Final = (
    "A principal that only the later snapshot has could do nothing before.",
    "Each side has its own groups' members; folders stand where the later snapshot has them.",
)
"""What comparing two snapshots takes for granted."""


def merged(earlier: Snapshot, later: Snapshot) -> Snapshot:
    """The later snapshot with what only the earlier one has; a group that is gone has no members left.

    Capture time, ledger and shares are the earlier one's: it is the account that is asked about.
    """
    gone = [replace(group, member_ids=()) for group in earlier.groups]
    return Snapshot.of(
        account_id=earlier.account_id,
        captured_at=earlier.captured_at,
        tool_version=earlier.tool_version,
        api_url=earlier.api_url,
        environments=_union(earlier.environments, later.environments, lambda one: one.id),
        users=_union(earlier.users, later.users, lambda one: one.id),
        groups=_union(gone, later.groups, lambda one: one.id),
        api_keys=_union(earlier.api_keys, later.api_keys, lambda one: one.id),
        account_keys=_union(earlier.account_keys, later.account_keys, lambda one: one.id),
        folders=_union(earlier.folders, later.folders, lambda one: (one.environment_id, one.id)),
        collections=_union(earlier.collections, later.collections, lambda one: (one.environment_id, one.id)),
        shares=earlier.shares,
        orphan_shares=earlier.orphan_shares,
        catalog=later.catalog,
        custom_policies=later.custom_policies,
        assignments=later.assignments,
        ledger=earlier.ledger,
        digest=earlier.digest,
    )


def _union(earlier: Iterable[T], later: Iterable[T], key: Callable[[T], object]) -> tuple[T, ...]:
    found = {key(one): one for one in earlier}
    found.update((key(one), one) for one in later)
    return tuple(found.values())
