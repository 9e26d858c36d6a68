"""`permmigrate catalog search`: roles and policies by words."""

from __future__ import annotations

import json
from pathlib import Path

import click

from permmigrate.cli.options import FILE, say

SHOWN = 30


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option(
    "--in", "file", type=FILE, required=True, metavar="FILE", help="A snapshot, or a pulled catalog."
)
@click.option("--json", "as_json", is_flag=True, help="Print every hit as JSON.")
def command(words: tuple[str, ...], file: Path, as_json: bool) -> None:
    """Find the roles and policies that have every one of WORDS: in id, name, category, text or statement.

    \b
    Example:
      permmigrate catalog search delete assets --in account.snapshot
    """
    from permmigrate.catalog import search
    from permmigrate.model import Role
    from permmigrate.report.lines import aligned
    from permmigrate.report.text import visible
    from permmigrate.snapshot.catalogfile import load_catalog

    found = search(load_catalog(file).catalog, " ".join(words))
    rows = [
        (
            "role" if isinstance(hit.found, Role) else "policy",
            f"{hit.found.level}/{hit.found.name}" if isinstance(hit.found, Role) else hit.found.name,
            hit.found.id,
            ", ".join(hit.fields),
        )
        for hit in found.hits
    ]
    if as_json:
        document = {
            "hits": [
                {"kind": kind, "name": hit.found.name, "id": id_, "score": hit.score, "in": list(hit.fields)}
                for hit, (kind, _, id_, _) in zip(found.hits, rows, strict=True)
            ],
            "did_you_mean": list(found.suggestions),
        }
        click.echo(json.dumps(document, indent=2))
        return
    for line in aligned(rows[:SHOWN]) if rows else []:
        click.echo(line)
    if len(rows) > SHOWN:
        say(f"and {len(rows) - SHOWN} more: add a word, or take --json")
    if not rows:
        near = " or ".join(f"`{visible(one)}`" for one in found.suggestions)
        say("nothing has all of these words" + (f"; did you mean {near}?" if near else ""))
