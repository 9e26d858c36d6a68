"""`permmigrate plan show`: a plan as a person reads it."""

from __future__ import annotations

import json
from pathlib import Path

import click

from permmigrate.cli.options import FILE, quoted, say


@click.command()
@click.argument("plan", type=FILE)
@click.option("--all", "everything", is_flag=True, help="Show every operation, however many there are.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(plan: Path, everything: bool, as_json: bool) -> None:
    """Show what PLAN would do: + gives, - takes away, ~ changes, ! a guard that does not hold.

    \b
    Example:
      permmigrate plan show plan.json
      permmigrate plan show plan.json --all --json
    """
    from permmigrate.plan.file import load
    from permmigrate.plan.words import document, lines
    from permmigrate.report.text import visible

    loaded = load(plan)
    if as_json:
        click.echo(json.dumps(document(loaded, everything=everything), indent=2))
        return
    for line in lines(loaded, everything=everything):
        click.echo(visible(line))
    if all(guard.holds for guard in loaded.guards):
        say(f"next: permmigrate apply {quoted(plan)} --digest {loaded.digest}")
