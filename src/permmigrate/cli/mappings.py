"""`permmigrate mappings`: the tables people edit."""

from __future__ import annotations

import json
import shutil
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from permmigrate import __version__
from permmigrate.cli.options import (
    DIRECTORY,
    FILE,
    day,
    mappings_option,
    quoted,
    say,
    snapshot_argument,
    today_option,
)

if TYPE_CHECKING:
    from permmigrate.diff.solve_ask import Answers
    from permmigrate.snapshot import Snapshot
    from permmigrate.suggest import Outcome


@click.group()
def command() -> None:
    """Copy, check and improve the mapping tables.

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


@command.command()
@snapshot_argument
@click.option(
    "--out",
    "out",
    type=DIRECTORY,
    required=True,
    metavar="DIR",
    help="Folder for the suggested tables; it must not hold tables already.",
)
@mappings_option
@click.option(
    "--custom-roles/--no-custom-roles",
    default=None,
    help="Define roles of your own where none of the catalog fits. Default: if the account has such roles.",
)
@click.option(
    "--keep-doubtful", is_flag=True, help="Also give what nobody knows whether it was had: a maybe gained."
)
@click.option("--json", "as_json", is_flag=True, help="Print the choices and what they come to as JSON.")
@today_option
def suggest(
    snapshot: Path,
    out: Path,
    mappings: Path | None,
    custom_roles: bool | None,
    keep_doubtful: bool,
    as_json: bool,
    today: datetime | None,
) -> None:
    """Search SNAPSHOT's catalog for rows that lose nothing and add least; write tables with them to --out.

    Every legacy role, level and kind of key that the account holds is answered: from the roles of its
    catalog, and with roles of your own (custom_roles.csv) where they are allowed and nothing else fits. Rows
    that you decided (confidence `customer`) and overrides stay as they are. Your tables are not touched.

    \b
    Example:
      permmigrate mappings suggest account.snapshot --out suggested
      permmigrate mappings suggest account.snapshot --mappings mappings --no-custom-roles --out suggested
    """
    from permmigrate.resources import mappings_dir
    from permmigrate.snapshot.file import load
    from permmigrate.suggest import document, has_custom_roles, lines

    directory, account = mappings or mappings_dir(), load(snapshot)
    allowed = has_custom_roles(account) if custom_roles is None else custom_roles
    outcome = _suggested(
        account, directory, out, day(today), custom_roles=allowed, keep_doubtful=keep_doubtful
    )
    if as_json:
        click.echo(json.dumps(document(outcome), indent=2, ensure_ascii=False))
    else:
        for line in lines(outcome):
            click.echo(line)
    if custom_roles is None:
        known = "the account has some" if allowed else "the account has none, so its plan may not allow them"
        say(f"custom roles: {'allowed' if allowed else 'not used'}, {known}")
    for choice in outcome.suggestion.changed:
        if any(item.severity == "critical" for item in {*choice.cost.gained} - {*choice.given_cost.gained}):
            say(f"look twice: {choice.who} would gain something critical: giving less would lose something")
    say(f"next: permmigrate diff {quoted(snapshot)} --mappings {quoted(out)} --out reports")


def _suggested(
    account: Snapshot, directory: Path, out: Path, today: date, *, custom_roles: bool, keep_doubtful: bool
) -> Outcome:
    """Write the suggested tables, read them back, and compare the account with both."""
    from permmigrate.diff.compare import compare
    from permmigrate.mapping.tables import load
    from permmigrate.suggest import Outcome, rewritten
    from permmigrate.suggest import suggest as choose

    given = load(directory)
    suggestion = choose(account, given, today=today, custom_roles=custom_roles, keep_doubtful=keep_doubtful)
    texts = {path.name: _text(path) for path in sorted(directory.iterdir()) if path.suffix in (".csv", ".md")}
    write_tables(out, rewritten(texts, suggestion))
    better = load(out)
    answers: Answers = {}
    diffs = [
        compare(account, tables, today=today, tool_version=__version__, answers=answers)
        for tables in (given, better)
    ]
    return Outcome.of(suggestion, better, *diffs)


def _text(path: Path) -> str:
    """A table's text with its line ends and its byte order mark as they are."""
    return path.read_bytes().decode("utf-8")


def write_tables(directory: Path, texts: dict[str, str]) -> None:
    """Write tables into a folder that holds none of them; raises RefusedError when it does."""
    from permmigrate.errors import RefusedError, UsageError

    present = [name for name in texts if (directory / name).exists()]
    if present:
        raise RefusedError(
            f"`{directory}` holds {', '.join(present)} already",
            hint="name an empty folder; nothing was written",
        )
    try:
        directory.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            (directory / name).write_bytes(text.encode("utf-8"))
    except OSError as error:
        raise UsageError(f"cannot write to `{directory}`: {error.strerror}") from None
