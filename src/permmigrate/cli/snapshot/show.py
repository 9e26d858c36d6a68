"""`permmigrate snapshot show`: what is in a snapshot, and what is not."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from permmigrate.cli.options import FILE

if TYPE_CHECKING:
    from permmigrate.snapshot import Snapshot

LEDGER_SHOWN = 60


@click.command()
@click.argument("snapshot", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
def command(snapshot: Path, as_json: bool) -> None:
    """Show where a snapshot came from, what is in it, and what could not be read.

    \b
    Example:
      permmigrate snapshot show account.snapshot
    """
    from permmigrate.snapshot.file import load

    taken = load(snapshot)
    if as_json:
        click.echo(json.dumps(document_of(taken), indent=2))
        return
    for line in lines_of(taken):
        click.echo(line)


def _counts(taken: Snapshot) -> list[tuple[str, int, str]]:
    """(what, how many, of what kinds)."""
    people = Counter(
        "disabled" if not u.enabled else "pending" for u in taken.users if u.pending or not u.enabled
    )
    kinds = Counter(share.content.kind.value for share in taken.shares)
    managed = Counter(role.management_type.value for role in taken.catalog.roles.values())
    held = Counter(one.principal.type.label for one in taken.assignments)
    memberships = sum(len(group.member_ids) for group in taken.groups)
    off = sum(not key.enabled for key in taken.api_keys)
    return [
        ("environments", len(taken.environments), ""),
        ("users", len(taken.users), _parts(people)),
        ("groups", len(taken.groups), f"{memberships:,} memberships" if memberships else ""),
        ("API keys", len(taken.api_keys), f"{off:,} disabled" if off else ""),
        ("account keys", len(taken.account_keys), ""),
        ("folders", len(taken.folders), ""),
        ("collections", len(taken.collections), ""),
        ("shares", len(taken.shares), _parts(kinds)),
        ("orphan shares", len(taken.orphan_shares), ""),
        ("roles", len(taken.catalog.roles), _parts(managed)),
        ("policies", len(taken.catalog.policies), ""),
        ("custom policies", len(taken.custom_policies), ""),
        ("role assignments", len(taken.assignments), _parts(held)),
    ]


def _parts(counts: Counter[str]) -> str:
    return ", ".join(f"{count:,} {what}" for what, count in sorted(counts.items()))


def document_of(taken: Snapshot) -> dict[str, Any]:
    """All of it as plain data."""
    return {
        "account_id": taken.account_id,
        "captured_at": taken.captured_at,
        "tool_version": taken.tool_version,
        "api_url": taken.api_url,
        "digest": taken.digest,
        "complete": not taken.gaps,
        "catalog": {"source": taken.catalog.source, "digest": taken.catalog.digest},
        "counts": {what: count for what, count, _ in _counts(taken)},
        "ledger": [
            {
                "area": entry.area,
                "endpoint": entry.endpoint,
                "subject": entry.subject,
                "status": entry.status.value,
                "gap": entry.status.is_gap,
                "count": entry.count,
                "http_status": entry.http_status,
                "detail": entry.detail,
                "read_at": entry.read_at,
            }
            for entry in taken.ledger
        ],
    }


def lines_of(taken: Snapshot) -> Iterator[str]:
    """All of it for people; gaps come first in the ledger."""
    from permmigrate.catalog import is_illustrative
    from permmigrate.report.lines import aligned
    from permmigrate.report.text import moment, visible

    made_up = (
        "   (illustrative: the sandbox's, not the vendor's)" if is_illustrative(taken.catalog.source) else ""
    )
    gaps = len(taken.gaps)
    state = (
        f"INCOMPLETE: {gaps} gap{'' if gaps == 1 else 's'}, so absence proves nothing" if gaps else "complete"
    )
    yield from aligned(
        [
            ("account", taken.account_id),
            ("captured", f"{moment(taken.captured_at)}, by permmigrate {taken.tool_version}"),
            ("from", taken.api_url or "lists"),
            ("digest", taken.digest),
            ("catalog", (taken.catalog.source or "not read") + made_up),
            ("", f"digest {taken.catalog.digest}"),
            ("state", state),
        ]
    )
    yield ""
    yield from aligned([(what, f"{count:,}", kinds) for what, count, kinds in _counts(taken)], right=(1,))
    yield ""
    entries = sorted(taken.ledger, key=lambda e: not e.status.is_gap)
    if entries:
        head = ("status", "area", "items", "read from", "for")
        rows = [
            (e.status.value, e.area, f"{e.count:,}", e.endpoint, e.subject) for e in entries[:LEDGER_SHOWN]
        ]
        for line, entry in zip(aligned([head, *rows], right=(2,)), [None, *entries], strict=False):
            yield line
            if entry is not None and entry.detail:
                yield visible(f"    {entry.detail}")
    if len(entries) > LEDGER_SHOWN:
        yield f"and {len(entries) - LEDGER_SHOWN:,} more lines: take --json"
