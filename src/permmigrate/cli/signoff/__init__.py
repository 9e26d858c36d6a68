"""`permmigrate signoff`: send out what is to be decided, put the answers together, see what is open."""

from __future__ import annotations

from typing import Final

import click

from permmigrate.cli.lazy import LazyGroup

SUBCOMMANDS: Final[dict[str, str]] = {
    "merge": "Put filled-in workbooks together.",
    "split": "Write one workbook for each owner.",
    "status": "Show what is decided and what is open.",
}
"""The module beside of each name holds `command`."""


@click.group(cls=LazyGroup, package=__name__, lazy=SUBCOMMANDS)
def command() -> None:
    """Have the expansions of a comparison approved or rejected by those who own them.

    One row is one cluster: the expansions that one mapping row makes for one kind of principal in one place.

    \b
    Example:
      permmigrate signoff split reports/diff.json --by environment --out signoff
      permmigrate signoff merge reports/diff.json signoff/*.xlsx --out signoff.json
      permmigrate signoff status reports/diff.json signoff.json
    """
