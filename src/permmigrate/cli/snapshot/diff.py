"""`permmigrate snapshot diff`: what changed between two captures."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from permmigrate.cli.options import FILE, say

if TYPE_CHECKING:
    from permmigrate.snapshot import Snapshot
    from permmigrate.snapshot.change import Change, SnapshotChanges

SHOWN = 20


@click.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print every change as JSON.")
@click.option("--all", "everything", is_flag=True, help=f"Print every change, not {SHOWN} of a kind.")
def command(before: Path, after: Path, as_json: bool, everything: bool) -> None:
    """Say what changed between two captures of an account: people, groups, keys, folders, shares, roles.

    What one of the two could not read is never called added or removed, only maybe so. To see who may do more
    or less, use `permmigrate diff`.

    \b
    Example:
      permmigrate snapshot diff march.snapshot june.snapshot
    """
    from permmigrate.snapshot.change import snapshot_changes
    from permmigrate.snapshot.file import load

    old, new = load(before), load(after)
    changes = snapshot_changes(old, new)
    if changes.other_account:
        say("note: the two are of different accounts")
    if as_json:
        click.echo(json.dumps(document_of(old, new, changes), indent=2))
        return
    for line in lines_of(new, changes, None if everything else SHOWN):
        click.echo(line)


def document_of(old: Snapshot, new: Snapshot, changes: SnapshotChanges) -> dict[str, Any]:
    """All of it as plain data."""
    from permmigrate.cli.catalog.diff import document_of as catalog_document

    return {
        "before": {"account_id": old.account_id, "captured_at": old.captured_at, "digest": old.digest},
        "after": {"account_id": new.account_id, "captured_at": new.captured_at, "digest": new.digest},
        "incomplete": list(changes.incomplete),
        "counts": [
            {"area": area, "kind": kind, "count": count} for (area, kind), count in changes.counts.items()
        ],
        "changes": [
            {
                "area": change.area,
                "kind": change.kind,
                "subject": change.subject,
                "id": change.id,
                "fields": [{"field": f, "before": b, "after": a} for f, b, a in change.fields],
            }
            for change in changes.changes
        ],
        "catalog": catalog_document(changes.catalog, new, changes.touched),
    }


def lines_of(new: Snapshot, changes: SnapshotChanges, shown: int | None) -> Iterator[str]:
    """The changes for people, area by area."""
    from permmigrate.cli.catalog.diff import lines_of as catalog_lines
    from permmigrate.report.text import visible

    if changes.incomplete:
        yield visible(f"INCOMPLETE: not all was read of {', '.join(changes.incomplete)}")
    for (area, kind), group in groupby(_in_order(changes.changes), key=lambda c: (c.area, c.kind)):
        found = list(group)
        yield f"{area}: {len(found):,} {kind}"
        for change in found[:shown]:
            yield visible(f"  {_sign(kind)} {change.subject}{_fields(change)}")
        if shown is not None and len(found) > shown:
            yield f"    and {len(found) - shown:,} more: take --all or --json"
    if changes.catalog.changes:
        yield "catalog"
        yield from (f"  {line}" for line in catalog_lines(changes.catalog, new.catalog, new, changes.touched))
    if not changes.changes and not changes.catalog.changes:
        yield "nothing changed"


def _in_order(changes: tuple[Change, ...]) -> list[Change]:
    """Area by area as they come, each kind together."""
    areas = list(dict.fromkeys(change.area for change in changes))
    return sorted(changes, key=lambda c: (areas.index(c.area), c.kind))


def _sign(kind: str) -> str:
    word = kind.removeprefix("maybe ")
    sign = {"added": "+", "removed": "-"}.get(word, "~")
    return f"{sign}?" if kind != word else sign


def _fields(change: Change) -> str:
    parts = []
    for field, before, after in change.fields:
        if field == "member":
            parts.append(f"+ {after}" if after else f"- {before}")
        elif before and after:
            parts.append(f"{field} {before} → {after}")
        else:
            parts.append(f"{field} {after or before}" if field in ("level", "folders below") else
                         f"{field} {before or '(none)'} → {after or '(none)'}")  # fmt: skip
    return f" ({'; '.join(parts)})" if parts else ""
