"""Make a snapshot of what lists say, or add what they say to one. It reads no file and asks no API.

Environments, folders and groups may be there only because a row names them; users may not. Ids are made from
names where none is given, and the ledger counts them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from permmigrate.catalog import Catalog
from permmigrate.errors import Problem
from permmigrate.model import Collection, LedgerEntry, ProductEnvironment, Share
from permmigrate.snapshot.lists import people, places
from permmigrate.snapshot.lists.making import Making
from permmigrate.snapshot.lists.provenance import ledger
from permmigrate.snapshot.lists.reading import Lists
from permmigrate.snapshot.shareresolve import Unread, resolve
from permmigrate.snapshot.value import Snapshot


@dataclass(frozen=True, slots=True)
class Assembled:
    """What the lists came to."""

    snapshot: Snapshot
    problems: tuple[Problem, ...]
    """With any, the snapshot is not to be saved."""
    unknown: tuple[Problem, ...]
    """Shares whose person or place is not there: kept as orphans, and problems unless that was asked for."""
    made_up: Counter[str]
    implied: Counter[str]
    duplicates: Counter[str]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Origin:
    """Whose account it is, when, and what the catalog is."""

    account_id: str
    captured_at: str
    tool_version: str
    api_url: str = ""
    catalog: Catalog | None = None
    catalog_line: LedgerEntry | None = None
    """Where the catalog came from; None when there is none."""


def assemble(
    lists: Lists, origin: Origin, *, base: Snapshot | None = None, ids_from: Snapshot | None = None
) -> Assembled:
    """Put the account together. With `base` its own people and folders stay, and names must be among them
    or listed; its account, time and catalog are kept."""
    making = Making(lists, base, ids_from, list(lists.problems), list(lists.notes))
    environments = places.environments(making)
    if not environments:
        hint = "add a list of environments, or name the one there is with `--environment`"
        making.problems.append(Problem(_first_file(lists), 0, "no product environment is named", hint))
    found = people.people(making)
    users, groups = tuple(found.users.values()), found.finished_groups()
    folders, collections = places.folders(making), places.collections(making)
    orphaned = people.user_rows_without_users(making, users)
    if orphaned:
        hint = "add a list of users with their e-mail and legacy role"
        making.problems.append(Problem(orphaned, 0, "names users, and no list says who they are", hint))
    resolved = resolve(
        lists.shares if environments else (),
        environments=environments,
        users=users,
        groups=groups,
        folders=folders,
        collections=collections,
        unread=_unread(base, environments) if base else Unread(users=bool(orphaned)),
    )
    shares = _without_duplicates(making, resolved.shares, base.shares if base else ())
    common = {
        "environments": environments,
        "users": users,
        "groups": groups,
        "api_keys": people.api_keys(making),
        "account_keys": people.account_keys(making),
        "folders": folders,
        "collections": _together(collections, resolved.collections),
        "shares": shares,
        "orphan_shares": (*(base.orphan_shares if base else ()), *resolved.orphans),
    }
    return Assembled(
        _snapshot(making, origin, common),
        tuple(making.problems),
        resolved.problems,
        making.made_up,
        making.implied,
        making.duplicates,
        tuple(making.notes),
    )


def _snapshot(making: Making, origin: Origin, tables: dict[str, tuple[object, ...]]) -> Snapshot:
    base = making.base
    lines = ledger(making, origin.captured_at, origin.catalog_line)
    made = Snapshot.of(
        account_id=origin.account_id,
        captured_at=origin.captured_at,
        tool_version=origin.tool_version,
        api_url=origin.api_url,
        catalog=origin.catalog or Catalog.of((), ()),
        ledger=lines,
        **tables,  # type: ignore[arg-type] # each table under its own name
    )
    if base is None:
        return made
    return replace(
        made,
        account_id=base.account_id,
        captured_at=base.captured_at,
        api_url=base.api_url,
        catalog=origin.catalog or base.catalog,
        custom_policies=base.custom_policies,
        assignments=base.assignments,
    )


def _first_file(lists: Lists) -> str:
    return lists.sheets[0].file if lists.sheets else "the lists"


def _together(listed: Sequence[Collection], named: Iterable[Collection]) -> tuple[Collection, ...]:
    found = {(one.environment_id, one.id): one for one in named}
    found.update(((one.environment_id, one.id), one) for one in listed)
    return tuple(found.values())


def _without_duplicates(making: Making, shares: Iterable[Share], there: Sequence[Share]) -> tuple[Share, ...]:
    """Leave out shares that say the same as one before, in the lists or in the snapshot."""
    same: dict[object, int] = {}
    number_of: dict[int, int] = {}

    def number(value: object) -> int:
        """One number for equal values; each object is compared once, for shares have most in common."""
        found = number_of.get(id(value))
        if found is None:
            found = number_of[id(value)] = same.setdefault(value, len(same))
        return found

    seen = {(number(one.content), number(one.principal), one.level) for one in there}
    kept = list(there)
    for share in shares:
        key = (number(share.content), number(share.principal), share.level)
        if key in seen:
            making.duplicates["shares"] += 1
        else:
            seen.add(key)
            kept.append(share)
    return tuple(kept)


def _unread(base: Snapshot, environments: Iterable[ProductEnvironment]) -> Unread:
    """What the snapshot that is added to could not read: names may be among that."""
    gaps = {(entry.area, entry.subject) for entry in base.gaps}
    partial = [subject for area, subject in gaps if area == "folders"]
    return Unread(
        users=("people", "") in gaps,
        groups=("groups", "") in gaps,
        environments=("environments", "") in gaps,
        folders_of=frozenset(
            one.id for one in environments if any(not p or p.startswith(one.name) for p in partial)
        ),
    )
