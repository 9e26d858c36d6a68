"""`permmigrate signoff merge`: put filled-in workbooks together."""

from __future__ import annotations

from pathlib import Path

import click

from permmigrate.cli.options import FILE, counted, quoted, say


@click.command()
@click.argument("comparison", type=FILE, metavar="DIFF")
@click.argument("files", type=FILE, metavar="FILES...", nargs=-1, required=True)
@click.option("--out", type=FILE, required=True, metavar="FILE", help="The file of decisions to write.")
def command(comparison: Path, files: tuple[Path, ...], out: Path) -> None:
    """Read the decisions back and write them to one file that `plan make --signoff` takes.

    Nothing is written when a file is about another comparison, a locked cell was changed, a row is missing or
    was added, or two owners disagree: all of it is reported at once, with its cell.

    \b
    Example:
      permmigrate signoff merge reports/diff.json signoff/*.xlsx --out signoff.json
    """
    from permmigrate.errors import InvalidFileError, Problem
    from permmigrate.report.files import write_text
    from permmigrate.report.signoff_reading import as_read
    from permmigrate.report.signoff_reading import read as read_paper
    from permmigrate.signoff.comparison import read
    from permmigrate.signoff.file import encode
    from permmigrate.signoff.merge import Paper, merge, still_open

    found = read(comparison)
    papers: list[Paper] = []
    problems: list[Problem] = []
    for path in files:
        try:
            papers.append(read_paper(path))
        except InvalidFileError as error:
            problems.extend(error.problems or [Problem(path.name, 0, error.message, error.hint)])
    try:
        signed = merge(found, papers, as_read)
    except InvalidFileError as error:
        problems.extend(error.problems)
    if problems:
        raise InvalidFileError("the sign-off cannot be used", problems=tuple(sorted(problems)))
    write_text(out, encode(signed))
    click.echo(out)
    waiting = len(still_open(found, signed.decided))
    say(f"{counted(len(signed.decided), 'cluster')} read, {counted(waiting, 'cluster')} still open")
    say(f"next: permmigrate signoff status {quoted(comparison)} {quoted(out)}")
