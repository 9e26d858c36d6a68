"""The ledger of an account made from lists: where each table came from, and what nobody was asked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from permmigrate.model import LedgerEntry, ReadStatus
from permmigrate.snapshot.lists.making import Making

_AREAS: Final = ("environments", "people", "groups", "keys", "folders", "shares", "roles", "policies",
                 "assignments")  # fmt: skip
_TABLE_OF: Final = {"environments": "environments", "groups": "groups", "folders": "folders"}
"""The areas whose rows may be implied by other lists."""
NOT_ASKED: Final = "the account's API"


def ledger(making: Making, now: str, catalog: LedgerEntry | None) -> tuple[LedgerEntry, ...]:
    """The lines, with those of the snapshot that is added to."""
    base = making.base
    lines = list(_sheets(making, now))
    if base is not None:
        listed = {line.area for line in lines}
        kept = (
            entry
            for entry in base.ledger
            if not ("shares" in listed and entry.area == "shares" and entry.status is ReadStatus.UNREADABLE)
            and not (catalog and entry.area == "catalog")
        )
        return (*kept, *lines, *((catalog,) if catalog else ()))
    lines += _implied(making, now)
    read = {sheet.table.area for sheet in making.lists.sheets}
    lines += (
        _skipped(area, implied=making.implied[_TABLE_OF.get(area, "")] > 0)
        for area in _AREAS
        if area not in read
    )
    missing = LedgerEntry(
        "catalog",
        "GET /v2/accounts/permissions/public/catalog",
        "",
        ReadStatus.SKIPPED,
        detail="no catalog: roles cannot be looked up, so nothing can be compared",
    )
    return (*lines, catalog or missing)


def _sheets(making: Making, now: str) -> Iterator[LedgerEntry]:
    """One line for each sheet, with what was made of it."""
    told: Counter[str] = Counter()
    for sheet in making.lists.sheets:
        name = sheet.table.name
        notes = ["the API was not asked, by choice" if making.base is None else "added from a list"]
        told[name] += 1
        if told[name] == 1:
            if making.made_up[name]:
                notes.append(f"{making.made_up[name]} ids made up from names")
            if making.duplicates[name]:
                notes.append(f"{making.duplicates[name]} rows that say the same once more left out")
        status = ReadStatus.READ if sheet.rows else ReadStatus.EMPTY
        yield LedgerEntry(
            sheet.table.area, f"list {sheet.title}", "", status, sheet.rows, None, "; ".join(notes), now
        )


def _implied(making: Making, now: str) -> Iterator[LedgerEntry]:
    listed = {sheet.table.name for sheet in making.lists.sheets}
    titles = ", ".join(sheet.title for sheet in making.lists.sheets)
    for area, table in _TABLE_OF.items():
        if making.implied[table]:
            notes = ["implied by rows that name them"]
            if table not in listed and making.made_up[table]:
                notes.append(f"{making.made_up[table]} ids made up from names")
            count = making.implied[table]
            yield LedgerEntry(
                area, f"named in {titles}", "", ReadStatus.READ, count, None, "; ".join(notes), now
            )


def _skipped(area: str, *, implied: bool) -> LedgerEntry:
    given = "only what other rows name is known" if implied else "no list gives them"
    detail = f"{given}, and the API was not asked, by choice"
    return LedgerEntry(area, NOT_ASKED, "", ReadStatus.SKIPPED, detail=detail)
