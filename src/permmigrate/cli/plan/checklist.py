"""`permmigrate plan checklist`: what somebody does in the Console."""

from __future__ import annotations

from pathlib import Path

import click

from permmigrate.cli.options import FILE, counted, quoted, say


@click.command()
@click.argument("plan", type=FILE)
@click.option(
    "--out",
    "out",
    type=FILE,
    required=True,
    metavar="FILE",
    help="Where to write it: a list to tick off (.md), a workbook (.xlsx), or a table (.csv).",
)
@click.option("--all", "everything", is_flag=True, help="List what an API could do as well.")
def command(plan: Path, out: Path, everything: bool) -> None:
    """List what PLAN leaves to be done by hand, because no API of the account can do it.

    \b
    Example:
      permmigrate plan checklist plan.json --out checklist.md
      permmigrate plan checklist plan.json --all --out checklist.xlsx
    """
    from permmigrate.errors import UsageError
    from permmigrate.plan.checklist import markdown, sheet, steps
    from permmigrate.plan.file import load
    from permmigrate.report import checklist
    from permmigrate.report.files import write_text
    from permmigrate.report.text import visible

    loaded = load(plan)
    match out.suffix.lower():
        case ".md":
            text = markdown(loaded, everything=everything)
            write_text(out, "\n".join(visible(line) for line in text.split("\n")))
        case ".xlsx":
            checklist.write(loaded, out, everything=everything)
        case ".csv":
            write_text(out, "\ufeff" + sheet(loaded, everything=everything))
        case _:
            raise UsageError(
                f"`{out}` is neither a list nor a sheet",
                hint="give it a name that ends in .md, .xlsx or .csv",
            )
    click.echo(out)
    number = len(steps(loaded, everything=everything))
    if not number:
        say("nothing is left to be done by hand")
        return
    say(f"{counted(number, 'step')} to do by hand")
    say(f"when they are done: permmigrate verify --plan {quoted(plan)} --out evidence")
