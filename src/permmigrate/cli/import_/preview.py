"""What an import would read, in a few lines: sheets, columns, samples, and what was made of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import click

from permmigrate.report.text import visible

if TYPE_CHECKING:
    from collections import Counter

    from permmigrate.snapshot.lists.assemble import Assembled
    from permmigrate.snapshot.lists.reading import Sheet


def show(made: Assembled, sheets: Sequence[Sheet]) -> None:
    """Print the preview on stdout."""
    for sheet in sheets:
        _echo(f"{sheet.title}: {sheet.table.name}, {sheet.rows:,} rows")
        read = ", ".join(
            f"{header} = {column}" if header != column else column for header, column in sheet.columns
        )
        _echo(f"  columns   {read}")
        if sheet.left_out:
            _echo(f"  not read  {', '.join(sheet.left_out)}")
        for number, sample in enumerate(sheet.samples):
            _echo(f"  {'' if number else 'sample':<9} {sample}")
    account = made.snapshot
    _echo(f"account {account.account_id}")
    for name in (
        "environments",
        "users",
        "groups",
        "folders",
        "collections",
        "api_keys",
        "account_keys",
        "shares",
    ):
        rows = len(getattr(account, name))
        if rows:
            _echo(f"  {name.replace('_', ' '):<13} {rows:>9,}")
    if made.unknown:
        _echo(f"  {'unknown':<13} {len(made.unknown):>9,}  shares whose person or place is not there")
    _echo(f"  {'catalog':<13} {len(account.catalog.roles):>9,}  roles")
    for line in remarks(made):
        _echo(line)


def remarks(made: Assembled) -> Iterator[str]:
    """What is worth knowing and no mistake."""
    if made.implied:
        yield f"there because other rows name them: {_counts(made.implied)}"
    if made.made_up:
        yield f"ids made up from names: {_counts(made.made_up)}"
    if any(made.duplicates.values()):
        yield f"rows that say the same once more, left out: {_counts(made.duplicates)}"
    yield from made.notes


def _echo(text: str) -> None:
    """Lists hold what others wrote: no control character or direction mark reaches the terminal as such."""
    click.echo(visible(text))


def _counts(counter: Counter[str]) -> str:
    return ", ".join(
        f"{count:,} {name.replace('_', ' ')}" for name, count in sorted(counter.items()) if count
    )
