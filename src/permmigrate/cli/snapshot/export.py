"""`permmigrate snapshot export`: a snapshot as CSV files."""

from __future__ import annotations

from pathlib import Path

import click

from permmigrate.cli.options import DIRECTORY, FILE, say


@click.command()
@click.argument("snapshot", type=FILE)
@click.option("--to", "folder", type=DIRECTORY, required=True, metavar="DIR", help="Folder for the tables.")
@click.option("--force", is_flag=True, help="Replace tables that are there already.")
def command(snapshot: Path, folder: Path, force: bool) -> None:
    """Write each table of a snapshot as a CSV file for spreadsheets: UTF-8 with a mark, ids as they are.

    Names, paths and other texts that a spreadsheet would take for a formula get an apostrophe in front; ids
    never do. Import the files with every column as text (in Excel: Data, From Text/CSV): opened by a double
    click, a long key loses digits. shares.csv and orphan_shares.csv can be given to `snapshot --shares`.

    \b
    Example:
      permmigrate snapshot export account.snapshot --to tables
    """
    from permmigrate.errors import RefusedError
    from permmigrate.report.files import write_bytes
    from permmigrate.snapshot.file import load
    from permmigrate.snapshot.tables_out import file_name, files, tables

    taken = load(snapshot)
    names = [file_name(table) for table in tables(taken)]
    present = [name for name in names if (folder / name).exists()]
    if present and not force:
        raise RefusedError(
            f"`{folder}` holds {', '.join(present)} already",
            hint="name an empty folder, or replace them with --force; nothing was written",
        )
    rows = raw = 0
    for one in files(taken):
        write_bytes(folder / one.name, one.content)
        click.echo(folder / one.name)
        rows, raw = rows + one.rows, raw + one.raw_formulas
    if raw:
        say(f"warning: {raw} ids or cells of lists begin like formulas and are written as they are")
    say(f"{len(names)} tables, {rows:,} rows; open them with every column as text")
