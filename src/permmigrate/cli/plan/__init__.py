"""`permmigrate plan`: what would be done, in what order and under which guards. It writes to no account."""

from __future__ import annotations

from typing import Final

import click

from permmigrate.cli.lazy import LazyGroup

SUBCOMMANDS: Final[dict[str, str]] = {
    "checklist": "List what is done by hand in the Console.",
    "make": "Make a plan from a snapshot and the mapping tables.",
    "show": "Show what a plan would do.",
}
"""The module beside of each name holds `command`."""


@click.group(cls=LazyGroup, package=__name__, lazy=SUBCOMMANDS)
def command() -> None:
    """Plan the move: what is given and taken, in which order, and whether the guards hold.

    \b
    Example:
      permmigrate plan make account.snapshot --mappings mappings --out plan.json
      permmigrate plan show plan.json
    """
