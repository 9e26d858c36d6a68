"""`permmigrate demo`: the whole journey against the built-in sandbox, over a real socket."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from permmigrate import __version__
from permmigrate.cli.options import DIRECTORY, day, now, say, tables_from, today_option
from permmigrate.cli.sandbox import account_options, variables

if TYPE_CHECKING:
    from permmigrate.snapshot import Snapshot


@click.command()
@click.option(
    "--out", type=DIRECTORY, default=Path("demo"), show_default=True, help="Folder for what it makes."
)
@account_options
@today_option
def command(out: Path, account: str, seed: int, today: datetime | None) -> None:
    """Walk the whole journey against the built-in sandbox: no account, no credentials, no network.

    It starts the sandbox on a loopback socket, takes a snapshot over real HTTP, and writes the readiness
    report and the dry-run diff. The company, its people and its catalog are made up.

    \b
    Example:
      permmigrate demo --out demo
    """
    from permmigrate.cli import diff as diff_command
    from permmigrate.cli import readiness as readiness_command
    from permmigrate.diff.compare import compare
    from permmigrate.mapping.lint import check
    from permmigrate.readiness import assess
    from permmigrate.report.view import diff_view

    say("1/3  snapshot: reading the sandbox's account over HTTP")
    path, snapshot = _snapshot(out, account, seed)
    tables, date = tables_from(None), day(today)
    say("2/3  readiness: what to mend before the move")
    diff = compare(snapshot, tables, today=date, tool_version=__version__)
    notices = check(tables, catalog=None, snapshot=snapshot, today=date)
    readiness = assess(snapshot, tables, diff, notices=notices)
    written = readiness_command.write_reports(readiness, snapshot, out)
    readiness_command.summarise(readiness)
    say("3/3  diff: who could do what they could not do before")
    view = diff_view(diff, snapshot)
    written += diff_command.write_reports(view, out)
    for line in diff_command.summary_lines(view):
        say(line)
    say("open the HTML reports in a browser, the workbooks in a spreadsheet:")
    for each in (path, *written, out / "shares.csv"):
        click.echo(each)


def _snapshot(out: Path, account: str, seed: int) -> tuple[Path, Snapshot]:
    from permmigrate.cli.progress import progress_display
    from permmigrate.cli.snapshot import describe
    from permmigrate.cloudinary.credentials import from_environment
    from permmigrate.cloudinary.reader import Reader
    from permmigrate.errors import UsageError
    from permmigrate.sandbox import Sandbox
    from permmigrate.sandbox.server import serving
    from permmigrate.snapshot.capture import capture
    from permmigrate.snapshot.file import dump

    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"cannot write to `{out}`: {error.strerror}") from None
    sandbox = Sandbox(account=account, seed=seed)
    shares = out / "shares.csv"
    sandbox.write_shares(shares)
    shares.chmod(0o600)
    with serving(sandbox) as url:
        credentials = from_environment(variables(sandbox.describe(url)))
        with Reader(credentials, api_url=url) as reader, progress_display() as progress:
            taken = capture(
                reader,
                share_lists=(shares,),
                keep_unknown=True,
                captured_at=now(),
                tool_version=__version__,
                progress=progress,
            )
    path = out / "account.snapshot"
    saved = dump(taken, path)
    describe(saved)
    return path, saved
