"""`permmigrate signoff split`: one workbook for each owner."""

from __future__ import annotations

from pathlib import Path

import click

from permmigrate.cli.options import DIRECTORY, FILE, counted, quoted, say


@click.command()
@click.argument("comparison", type=FILE, metavar="DIFF")
@click.option(
    "--by",
    type=click.Choice(["owner", "environment", "folder", "cause"]),
    default="owner",
    show_default=True,
    help="Whom a workbook is for. Owners are those written on the Sign-off sheet of --workbook.",
)
@click.option(
    "--workbook",
    type=FILE,
    metavar="FILE",
    help="A diff.xlsx on whose Sign-off sheet owners, and perhaps decisions, are filled in. Default: the one "
    "beside DIFF.",
)
@click.option("--out", type=DIRECTORY, required=True, metavar="DIR", help="Folder for the workbooks.")
def command(comparison: Path, by: str, workbook: Path | None, out: Path) -> None:
    """Write one workbook for each owner with the clusters of expansions that are theirs to decide.

    DIFF is the diff.json of a comparison. Clusters without an owner go to unassigned.xlsx.

    \b
    Example:
      permmigrate signoff split reports/diff.json --by owner --out signoff
      permmigrate signoff split reports/diff.json --by environment --out signoff
    """
    from permmigrate.report import signoff_sheet
    from permmigrate.report.signoff_reading import as_read
    from permmigrate.report.signoff_reading import read as read_paper
    from permmigrate.signoff.comparison import read
    from permmigrate.signoff.merge import merge
    from permmigrate.signoff.split import By, file_names, split

    found = read(comparison)
    beside = comparison.with_suffix(".xlsx")
    book = workbook or (beside if beside.exists() else None)
    signed = merge(found, [read_paper(book)], as_read) if book else None
    said = {each.cluster: each for each in signed.decided} if signed else {}
    parts = split(found.clauses, By(by), said)
    names = file_names(list(parts))
    for reader, clauses in parts.items():
        path = out / names[reader]
        signoff_sheet.write(path, found, clauses, said, reader)
        click.echo(path)
        say(f"{path.name}: {counted(len(clauses), 'cluster')} for {reader}")
    merging = f"permmigrate signoff merge {quoted(comparison)} {quoted(out)}/*.xlsx --out signoff.json"
    say(f"when they come back: {merging}")
