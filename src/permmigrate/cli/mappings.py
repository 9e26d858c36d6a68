"""`permmigrate mappings`: the tables people edit."""

from __future__ import annotations

import json
import shutil
from datetime import datetime
from pathlib import Path

import click

from permmigrate.cli.options import DIRECTORY, FILE, day, say, today_option


@click.group()
def command() -> None:
    """Copy, check and edit the mapping tables.

    \b
    Example:
      permmigrate mappings init mappings
      permmigrate mappings check mappings --snapshot account.snapshot
    """


@command.command()
@click.argument("directory", type=DIRECTORY)
def init(directory: Path) -> None:
    """Copy the shipped tables into DIRECTORY for editing.

    A folder that holds one of them already is refused (exit code 6) and left as it is.

    \b
    Example:
      permmigrate mappings init mappings
    """
    from permmigrate.errors import RefusedError, UsageError
    from permmigrate.resources import mappings_dir

    shipped = sorted(path for path in mappings_dir().iterdir() if path.suffix in (".csv", ".md"))
    present = [path.name for path in shipped if (directory / path.name).exists()]
    if present:
        raise RefusedError(
            f"`{directory}` holds {', '.join(present)} already",
            hint="name an empty folder; nothing was copied",
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for path in shipped:
            shutil.copyfile(path, directory / path.name)
    except OSError as error:
        raise UsageError(f"cannot write to `{directory}`: {error.strerror}") from None
    click.echo(directory)
    say(f"{len(shipped)} files; start with {directory / 'README.md'}")
    say(f"next: permmigrate mappings check {directory} --snapshot account.snapshot")


@command.command()
@click.argument("directory", type=DIRECTORY)
@click.option(
    "--snapshot", "snapshot_file", type=FILE, help="Check against this account's people and catalog."
)
@click.option("--json", "as_json", is_flag=True, help="Print the notices as JSON.")
@today_option
def check(directory: Path, snapshot_file: Path | None, as_json: bool, today: datetime | None) -> None:
    """Find every mistake in the tables at once, each as file:line.

    Mistakes of writing (a misspelt word) and of meaning (a role that no catalog has) come together. Warnings
    are things that work and may not be meant, or people and keys that no row speaks of.

    \b
    Example:
      permmigrate mappings check mappings --snapshot account.snapshot
    """
    from permmigrate.errors import InvalidFileError
    from permmigrate.mapping.lint import check as lint
    from permmigrate.mapping.tables import read
    from permmigrate.report.text import plural
    from permmigrate.snapshot.file import load

    tables, problems = read(directory)
    snapshot = load(snapshot_file) if snapshot_file else None
    notices = lint(tables, catalog=None, snapshot=snapshot, today=day(today), problems=problems)
    errors = tuple(notice.problem for notice in notices if notice.level == "error")
    warnings = [notice for notice in notices if notice.level == "warning"]
    if as_json:
        click.echo(
            json.dumps(
                [
                    {
                        "level": notice.level,
                        "rule": notice.rule,
                        "file": notice.problem.file,
                        "line": notice.problem.line,
                        "message": notice.problem.message,
                        "hint": notice.problem.hint,
                    }
                    for notice in notices
                ],
                indent=2,
                ensure_ascii=False,
            )
        )
    else:
        for notice in warnings:
            click.echo(f"warning [{notice.rule}] {notice.problem}")
    if errors:
        raise InvalidFileError(f"`{directory}` has {plural(len(errors), 'mistake')}", problems=errors)
    say(f"{directory}: no mistakes, {plural(len(warnings), 'warning')}")
    if snapshot_file:
        say(f"next: permmigrate diff {snapshot_file} --mappings {directory} --out reports")
