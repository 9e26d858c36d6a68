"""`permmigrate catalog`: the vendor's roles and policies, looked at by themselves."""

from __future__ import annotations

from typing import Final

import click

from permmigrate.cli.lazy import LazyGroup

SUBCOMMANDS: Final[dict[str, str]] = {
    "diff": "Say what changed between two catalogs, and whom it touches.",
    "pull": "Save the public catalog and Cedar schema in one small file.",
    "search": "Find roles and policies by words.",
    "show": "List the roles, or explain one in words.",
}
"""The module beside of each name holds `command`."""


@click.group(cls=LazyGroup, package=__name__, lazy=SUBCOMMANDS)
def command() -> None:
    """Look at roles and policies: pull the public catalog, explain a role, search, see what changed.

    \b
    Example:
      permmigrate catalog pull --out catalog.json
      permmigrate catalog show folder/Editor --in catalog.json
    """
