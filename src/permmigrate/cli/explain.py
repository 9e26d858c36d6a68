"""`permmigrate explain`: one finding of a comparison, with its request, its reasons and its row."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from permmigrate import __version__
from permmigrate.cli.options import FILE, day, mappings_option, tables_from, today_option

if TYPE_CHECKING:
    from permmigrate.diff import Diff, Finding


@click.command()
@click.argument("finding")
@click.option("--in", "snapshot", type=FILE, required=True, metavar="SNAPSHOT", help="The account.")
@mappings_option
@click.option(
    "--assigned",
    type=FILE,
    metavar="SNAPSHOT",
    help="The later snapshot that `diff --assigned` was given.",
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@today_option
def command(
    finding: str,
    snapshot: Path,
    mappings: Path | None,
    assigned: Path | None,
    as_json: bool,
    today: datetime | None,
) -> None:
    """Explain FINDING, an id from diff.html, diff.xlsx or diff.json, or the beginning of one.

    The comparison is made again, with the tables given: a finding is there as long as nothing that makes it
    has changed.

    \b
    Example:
      permmigrate explain 3f2c9a1b77de --in account.snapshot --mappings mappings
    """
    from permmigrate.cli.diff import later_of
    from permmigrate.diff.compare import compare
    from permmigrate.diff.derive_account import Account
    from permmigrate.diff.derive_finding import explained
    from permmigrate.report.derivation import explained_document, explained_lines
    from permmigrate.snapshot.file import load

    before = load(snapshot)
    after = later_of(before, assigned) if assigned else None
    tables = tables_from(mappings)
    diff = compare(before, tables, today=day(today), tool_version=__version__, assigned=after)
    one = _find(diff, finding)
    account = Account.of(before, tables, today=day(today), assigned=after)
    found = explained(account, diff, one)
    if as_json:
        click.echo(json.dumps(explained_document(found, account.cause_words), indent=2, ensure_ascii=False))
        return
    for line in explained_lines(found, account.cause_words):
        click.echo(line)


def _find(diff: Diff, text: str) -> Finding:
    from permmigrate.errors import UsageError

    found = [one for one in diff.findings if text and one.id.startswith(text.strip().lower())]
    if len(found) == 1:
        return found[0]
    if found:
        shown = " or ".join(f"`{one.id}`" for one in found[:3])
        raise UsageError(f"`{text}` begins {len(found):,} findings", hint=f"say which: {shown}")
    raise UsageError(
        f"there is no finding `{text}` in this comparison",
        hint="use the same tables and snapshots as the report; ids change when what makes a finding does",
    )
