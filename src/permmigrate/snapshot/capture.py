"""Take a snapshot: read an account from a `Source`, match the share lists, and keep a ledger of it all.

It speaks no HTTP and decides nothing about permissions. What one endpoint refuses is a gap in the ledger,
never an empty table; only a 401, a broken share list or an account that gives nothing at all end it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import chain
from pathlib import Path

from permmigrate.errors import InvalidFileError
from permmigrate.model import (
    AccountKey,
    Collection,
    EnvironmentId,
    LedgerEntry,
    PrincipalType,
    ProductEnvironment,
    ReadStatus,
    RoleAssignment,
)
from permmigrate.snapshot import sharelist
from permmigrate.snapshot.crawl import UNREAD_CONTENTS, Progress, status_of
from permmigrate.snapshot.sharelist import RawShare
from permmigrate.snapshot.shareresolve import Resolved
from permmigrate.snapshot.source import Source
from permmigrate.snapshot.survey import Survey, survey
from permmigrate.snapshot.value import Snapshot

__all__ = ["UNREAD_CONTENTS", "Progress", "Source", "capture"]


def capture(
    source: Source,
    *,
    share_lists: Sequence[Path] = (),
    keep_unknown: bool = False,
    captured_at: str,
    tool_version: str,
    progress: Callable[[Progress], None] = lambda _: None,
) -> Snapshot:
    """Read everything there is and return it as a snapshot that was not saved yet.

    Share lists are read before the first call, so that their mistakes cost nothing. Raises CredentialsError,
    InvalidFileError (a list names people or folders that are not there, unless `keep_unknown`), or the first
    ServiceError when the account gave nothing at all.
    """
    raw = [(path, sharelist.read(path)) for path in share_lists]
    found = survey(source, progress)
    resolved = _resolved(raw, found)
    if resolved.problems and not keep_unknown:
        raise InvalidFileError(
            f"the share lists name what is not in the account, {len(resolved.problems)} times",
            hint="mend the lists, or keep such rows as unknown with `--keep-unknown`",
            problems=resolved.problems,
        )
    return Snapshot.of(
        account_id=source.account_id,
        captured_at=captured_at,
        tool_version=tool_version,
        api_url=source.api_url,
        environments=found.environments,
        users=found.users,
        groups=found.groups,
        api_keys=found.api_keys,
        account_keys=_account_keys(source, found.assignments),
        folders=found.folders,
        collections=_collections(resolved, found.assignments, found.environments),
        shares=resolved.shares,
        orphan_shares=resolved.orphans,
        catalog=found.catalog,
        custom_policies=tuple({policy.id: policy for policy in found.custom_policies}.values()),
        assignments=tuple(dict.fromkeys(found.assignments)),
        ledger=(*found.ledger, *_share_entries([(path.name, len(rows)) for path, rows in raw])),
    )


def _resolved(raw: Sequence[tuple[Path, Sequence[RawShare]]], found: Survey) -> Resolved:
    """The lists' rows with their ids; without a list no names are gathered: that takes seconds."""
    if not raw:
        return Resolved((), (), (), ())
    return sharelist.resolve(
        chain.from_iterable(rows for _, rows in raw),
        environments=found.environments,
        users=found.users,
        groups=found.groups,
        folders=found.folders,
        unread=found.unread,
    )


def _account_keys(source: Source, assignments: Iterable[RoleAssignment]) -> tuple[AccountKey, ...]:
    """The key that read, and every account key that holds a role: no endpoint lists them."""
    ids = {one.principal.id for one in assignments if one.principal.type is PrincipalType.ACCOUNT_KEY}
    return tuple(AccountKey(id_) for id_ in sorted(ids | {source.account_key}))


def _collections(
    resolved: Resolved, assignments: Iterable[RoleAssignment], environments: Iterable[ProductEnvironment]
) -> tuple[Collection, ...]:
    """The collections that shares or roles name: no endpoint read here lists them."""
    known = {environment.id for environment in environments}
    found: dict[tuple[str, str], Collection] = {}
    for one in assignments:
        if one.collection_id and one.scope_id in known:
            collection = Collection(one.collection_id, EnvironmentId(one.scope_id), one.collection_id)
            found[collection.environment_id, collection.id] = collection
    found.update(((one.environment_id, one.id), one) for one in resolved.collections)
    return tuple(found.values())


def _share_entries(lists: Sequence[tuple[str, int]]) -> list[LedgerEntry]:
    """One line for each list; without any, the line that says what no API tells."""
    if not lists:
        detail = "no API lists legacy shares; give a list with `--shares`"
        return [LedgerEntry("shares", "list", "", ReadStatus.UNREADABLE, detail=detail)]
    return [LedgerEntry("shares", f"list {name}", "", status_of(rows), rows) for name, rows in lists]
