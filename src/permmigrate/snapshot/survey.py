"""All areas of an account, read side by side, and looked at again in the end.

What changed while it was read is read once more; what still changes is a gap. The order in which answers
come does not show in the result.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Final

from permmigrate.catalog import Catalog
from permmigrate.errors import DeniedError, ServiceError, UnreachableError
from permmigrate.model import (
    ApiKey,
    CustomPolicy,
    Folder,
    Group,
    LedgerEntry,
    ProductEnvironment,
    ReadStatus,
    RoleAssignment,
    User,
)
from permmigrate.snapshot.crawl import Crawl, Progress
from permmigrate.snapshot.shareresolve import Unread
from permmigrate.snapshot.source import Change, Source

RECOUNT: Final = "changes meanwhile"

Read = Callable[[Crawl], tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Survey:
    """What an account gave, and the ledger of it."""

    environments: tuple[ProductEnvironment, ...]
    users: tuple[User, ...]
    groups: tuple[Group, ...]
    api_keys: tuple[ApiKey, ...]
    folders: tuple[Folder, ...]
    catalog: Catalog
    custom_policies: tuple[CustomPolicy, ...]
    assignments: tuple[RoleAssignment, ...]
    ledger: tuple[LedgerEntry, ...]
    unread: Unread


def survey(source: Source, progress: Callable[[Progress], None]) -> Survey:
    """Read everything. Raises CredentialsError, or the first error when the account gave nothing at all.

    A service that stops answering ends it too: its error says so.
    """
    told = threading.Lock()

    def tell(phase: str, done: int, total: int | None) -> None:
        with told:
            progress(Progress(phase, done, total, source.calls))

    first = Crawl(source, tell)
    environments = first.environments()
    reads = _reads(source, environments)
    crawls, rows = _side_by_side(source, reads, tell)
    notes = _settle(source, reads, crawls, rows, tell)
    everything = (first, *crawls.values())
    _demand(source, everything)
    ledger = tuple(entry for crawl in everything for entry in crawl.ledger()) + notes
    gaps = {(entry.area, entry.subject) for entry in ledger if entry.status.is_gap}
    return Survey(
        environments,
        rows["people"],
        rows["groups"],
        rows["keys"],
        rows["folders"],
        rows["catalog"][0],
        rows["policies"],
        rows["assignments"],
        ledger,
        Unread(
            users=("people", "") in gaps,
            groups=("groups", "") in gaps,
            environments=("environments", "") in gaps,
            folders_of=crawls["folders"].partial_trees,
        ),
    )


def _reads(source: Source, environments: Sequence[ProductEnvironment]) -> dict[str, Read]:
    """How each area is read, by its name; the longest first."""
    count = len(environments)
    return {
        "folders": lambda crawl: crawl.folders(environments),
        "people": lambda crawl: crawl.users(environments),
        "assignments": lambda crawl: crawl.batch(
            "assignments", source.assignments(environments), 1 + count, "assignments"
        ),
        "groups": lambda crawl: crawl.groups(),
        "catalog": lambda crawl: (crawl.catalog(),),
        "keys": lambda crawl: crawl.batch("keys", source.api_keys(environments), count, "API keys"),
        "policies": lambda crawl: crawl.batch(
            "policies", source.custom_policies(environments), 1 + count, "custom policies"
        ),
    }


Tell = Callable[[str, int, int | None], None]


def _side_by_side(
    source: Source, reads: Mapping[str, Read], tell: Tell
) -> tuple[dict[str, Crawl], dict[str, tuple[Any, ...]]]:
    crawls = {area: Crawl(source, tell) for area in reads}
    with ThreadPoolExecutor(len(reads), thread_name_prefix="permmigrate-area") as threads:
        futures = {area: threads.submit(read, crawls[area]) for area, read in reads.items()}
        try:
            done, _ = wait(futures.values(), return_when=FIRST_EXCEPTION)
            for future in futures.values():
                if future in done:
                    future.result()
        except BaseException:
            source.stop()
            raise
        return crawls, {area: future.result() for area, future in futures.items()}


def _settle(
    source: Source,
    reads: Mapping[str, Read],
    crawls: dict[str, Crawl],
    rows: dict[str, tuple[Any, ...]],
    tell: Tell,
) -> tuple[LedgerEntry, ...]:
    """Look at the ends of lists again, read anew what changed, and say what cannot be trusted."""
    tell(RECOUNT, 0, None)
    changes = () if source.gone else source.changes()
    changed = sorted({change.area for change in changes if change.error is None})
    for area in changed:
        source.reread(area)
        crawls[area] = Crawl(source, tell)
        rows[area] = reads[area](crawls[area])
    unseen = [change for change in changes if change.error is not None and change.area not in changed]
    still = source.changes() if changed else ()
    tell(RECOUNT, len(reads), len(reads))
    notes = [_gap(change) for change in (*unseen, *still)]
    torn = {change.area for change in still}
    notes += [_mended(area) for area in changed if area not in torn]
    return tuple(notes)


def _gap(change: Change) -> LedgerEntry:
    error = change.error
    subject = f"{change.subject}: {RECOUNT}" if change.subject else RECOUNT
    if error is None:
        return LedgerEntry(
            change.area,
            change.endpoint,
            subject,
            ReadStatus.FAILED,
            detail="it changed while it was read, and again while it was read again",
        )
    status = ReadStatus.DENIED if isinstance(error, DeniedError) else ReadStatus.FAILED
    detail = f"whether it changed while it was read could not be seen: {error.message}"
    return LedgerEntry(change.area, change.endpoint, subject, status, 0, error.status, detail)


def _mended(area: str) -> LedgerEntry:
    return LedgerEntry(
        area, RECOUNT, "", ReadStatus.READ, detail="it changed while it was read, and was read again whole"
    )


def _demand(source: Source, crawls: Sequence[Crawl]) -> None:
    """Raise when nothing of the account could be read, or when the service stopped answering on the way."""
    errors: list[ServiceError] = [error for crawl in crawls for error in crawl.errors]
    if errors and not any(crawl.something for crawl in crawls):
        raise errors[0]
    if source.gone:
        raise next((error for error in errors if error.status is None), None) or UnreachableError(
            "the service stopped answering", hint="try again later"
        )
