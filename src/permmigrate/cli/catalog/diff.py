"""`permmigrate catalog diff`: what changed between two catalogs, and whom that touches."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from permmigrate.cli.options import FILE, say

if TYPE_CHECKING:
    from permmigrate.catalog import Catalog, CatalogChange, CatalogChanges
    from permmigrate.model import PrincipalRef
    from permmigrate.snapshot import Snapshot

SHOWN = 40


@click.command()
@click.argument("before", type=FILE)
@click.argument("after", type=FILE)
@click.option(
    "--snapshot",
    "snapshot_file",
    type=FILE,
    metavar="FILE",
    help="Whose people hold the roles. Default: AFTER or BEFORE, if one is a snapshot.",
)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(before: Path, after: Path, snapshot_file: Path | None, as_json: bool) -> None:
    """Say what changed between two catalogs (pulled ones or snapshots), and who holds the roles it reaches.

    Whoever holds a role through a group is named too. What the change permits them is what
    `permmigrate diff` tells.

    \b
    Example:
      permmigrate catalog diff catalog-march.json catalog-june.json --snapshot account.snapshot
    """
    from permmigrate.catalog import catalog_changes
    from permmigrate.snapshot.catalogfile import load_catalog
    from permmigrate.snapshot.change import holders_of
    from permmigrate.snapshot.file import load

    old, new = load_catalog(before), load_catalog(after)
    account = load(snapshot_file) if snapshot_file else new.snapshot or old.snapshot
    changes = catalog_changes(old.catalog, new.catalog)
    touched = holders_of(account, changes.roles) if account else ()
    if as_json:
        document = {
            "before": {"taken_at": old.taken_at, "digest": old.catalog.digest},
            "after": {"taken_at": new.taken_at, "digest": new.catalog.digest},
        } | document_of(changes, account, touched)
        click.echo(json.dumps(document, indent=2))
        return
    for line in lines_of(changes, new.catalog, account, touched):
        click.echo(line)
    if not changes.changes:
        click.echo("nothing changed")
    if account is None and changes.roles:
        say("give an account's snapshot with --snapshot to see whom this touches")


def document_of(
    changes: CatalogChanges, account: Snapshot | None, touched: tuple[PrincipalRef, ...]
) -> dict[str, Any]:
    """The changes as plain data."""
    return {
        "changes": [
            {
                "subject": c.subject,
                "id": c.id,
                "name": c.name,
                "kind": c.kind,
                "matters": c.matters,
                "before": list(c.before),
                "after": list(c.after),
            }
            for c in changes.changes
        ],
        "roles_reached": list(changes.roles),
        "holders_complete": account is not None and not _holders_unread(account),
        "touched": [
            {"type": ref.type.value, "id": ref.id, "name": account.principal_name(ref)}
            for ref in touched
            if account is not None
        ],
    }


def lines_of(
    changes: CatalogChanges, catalog: Catalog, account: Snapshot | None, touched: tuple[PrincipalRef, ...]
) -> Iterator[str]:
    """The changes as lines for people."""
    from permmigrate.report.text import visible

    for change in changes.changes:
        yield visible(f"{change.subject} {change.name}: {change.kind}   {change.id}")
        yield from (visible(f"  {line}") for line in _details(change))
    if changes.roles:
        names = (catalog.roles.get(one) for one in changes.roles)
        labels = [
            f"{role.level}/{role.name}" if role else f"{id_} (gone)"
            for id_, role in zip(changes.roles, names, strict=True)
        ]
        yield visible(f"roles reached: {', '.join(labels)}")
    if account and changes.roles:
        yield from touched_lines(account, touched)


def touched_lines(account: Snapshot, touched: tuple[PrincipalRef, ...]) -> Iterator[str]:
    """Who holds a role that was reached, by kind."""
    from permmigrate.model import PrincipalType
    from permmigrate.report.text import visible

    if _holders_unread(account):
        yield "INCOMPLETE: not all assignments or groups were read, so others may hold such a role"
    elif not account.assignments:
        yield "no roles are assigned in the snapshot yet, so nobody holds such a role"
    elif not touched:
        yield "nobody in the snapshot holds such a role"
    for kind in PrincipalType:
        names = sorted(account.principal_name(ref) for ref in touched if ref.type is kind)
        if names:
            more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
            yield visible(f"touches {len(names):,} {kind.label}s: {', '.join(names[:SHOWN])}{more}")


def _holders_unread(account: Snapshot) -> bool:
    return any(entry.area in ("assignments", "groups") for entry in account.gaps)


def _details(change: CatalogChange) -> Iterator[str]:
    for sign, texts in (("-", change.before), ("+", change.after)):
        for text in texts:
            yield from (f"{sign} {line}" for line in text.splitlines())
