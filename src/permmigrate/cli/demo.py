"""`permmigrate demo`: the whole journey against the built-in sandbox, over a real socket.

It runs the commands that people run, with the sandbox's credentials and no others, and shows a few lines of
what each of them says.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from permmigrate.cli.options import DIRECTORY, quoted, say, today_option
from permmigrate.cli.sandbox import account_options, variables

if TYPE_CHECKING:
    from permmigrate.sandbox import Sandbox

SNAPSHOT: Final = "account.snapshot"
PLAN: Final = "plan.json"
UNDO: Final = "undo-plan.json"
OF_AN_EARLIER_DEMO: Final = (PLAN, UNDO, "reports", "signoff", "evidence")
"""What is cleared away first, with what is named after it; mapping tables stay as they are."""
SHOWN: Final = ("reports", "evidence")
ALIKE_SHOWN: Final = 3


@click.command()
@click.option(
    "--out", type=DIRECTORY, default=Path("demo"), show_default=True, help="Folder for what it makes."
)
@click.option("--dry-run", is_flag=True, help="Stop after the reports and their plan; apply nothing.")
@account_options
@today_option
def command(out: Path, dry_run: bool, account: str, seed: int, today: datetime | None) -> None:
    """Walk the whole journey against the built-in sandbox: no account, no credentials, no network.

    It starts the sandbox on a loopback socket and runs each command of the journey, from `doctor` to `undo`,
    as you would; the account ends as it was. The company, its people and its catalog are made up. Tables that
    are in OUT/mappings already are used as they are: edit them, and run it again.

    \b
    Example:
      permmigrate demo --out demo
    """
    from permmigrate.sandbox import Sandbox
    from permmigrate.sandbox.server import serving

    sandbox = Sandbox(account=account, seed=seed)
    _make_ready(out, sandbox)
    day = ["--today", today.date().isoformat()] if today else []
    with serving(sandbox) as url, _only_there(out, sandbox, url):
        say(f"a made-up company of {len(sandbox.account.users):,} people, its API imitated at {url}\n")
        _look(day)
        if not dry_run:
            before = set(sandbox.account.assignments.rows())
            _move(day)
            same = before == set(sandbox.account.assignments.rows())
            say(f"\nthe account is {'as it was' if same else 'NOT as it was'} before the move")
    say("open the HTML reports in a browser, the workbooks in a spreadsheet:")
    for path in sorted(path for name in SHOWN for path in (out / name).glob("*.*")):
        click.echo(path)
    say(f"everything is in {out}")


def _look(day: Sequence[str]) -> None:
    """Everything up to the reports: nothing can be written."""
    _run("doctor").shows("Ready", "this visit")
    _run("snapshot", "--out", SNAPSHOT, "--shares", "shares.csv", "--keep-unknown", "--quiet").shows(
        "environments", "matched"
    )
    _run("readiness", SNAPSHOT, "--out", "reports", *day).shows("readiness ", "attention")
    if Path("mappings").is_dir():
        _run("mappings", "check", "mappings", "--snapshot", SNAPSHOT).shows("mappings:")
    else:
        _run("mappings", "init", "mappings").shows("files")
    compared = (SNAPSHOT, "--mappings", "mappings", "--out", "reports", *day)
    _run("diff", *compared).shows("gained", "expansions by")


def _move(day: Sequence[str]) -> None:
    """Sign, apply, verify, and take it back."""
    compared, tables = "reports/diff.json", ("--mappings", "mappings")
    _run("signoff", "split", compared, "--out", "signoff").shows("unassigned.xlsx:")
    _approve(Path(compared), Path("signoff/unassigned.xlsx"))
    say("  here every row is approved unread, as nobody should")
    _run("signoff", "merge", compared, "signoff/unassigned.xlsx", "--out", "signoff.json").shows("clusters")
    signed = ("--signoff", "signoff.json", "--allow-incomplete", "--out", PLAN)
    _run("plan", "make", SNAPSHOT, *tables, *signed, *day).shows("plan:")
    _apply(PLAN)
    _run("verify", "--plan", PLAN, "--against", SNAPSHOT, *tables, "--out", "evidence", *day).shows(
        "PLANNED", "gained"
    )
    _run("undo", f"{PLAN}.journal", "--out", UNDO, "--quiet").shows("take back")
    _apply(UNDO)
    _run("journal", "check", f"{PLAN}.journal").shows("whole")


def _apply(plan: str) -> None:
    from permmigrate.plan.file import load

    digest = load(Path(plan)).digest
    _run("apply", plan, "--digest", digest, "--yes", "--quiet").shows("applied", "result", "verified")


def _make_ready(out: Path, sandbox: Sandbox) -> None:
    """Make the folder, and clear away what an earlier demo left: its account is gone."""
    from permmigrate.errors import UsageError

    try:
        out.mkdir(parents=True, exist_ok=True)
        for name in OF_AN_EARLIER_DEMO:
            for path in (out / name, *out.glob(f"{name}.*")):
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
        sandbox.write_shares(out / "shares.csv")
        (out / "shares.csv").chmod(0o600)
    except OSError as error:
        raise UsageError(f"cannot write to `{out}`: {(error.strerror or 'error').lower()}") from None


@contextmanager
def _only_there(out: Path, sandbox: Sandbox, url: str) -> Iterator[None]:
    """Work in the folder, with the sandbox's credentials and none of the user's own."""
    own = dict(os.environ)
    with tempfile.TemporaryDirectory() as nowhere, chdir(out):
        for name in own:
            if name.startswith("CLOUDINARY_"):
                del os.environ[name]
        os.environ.update(variables(sandbox.describe(url)))
        os.environ.update(CLOUDINARY_API_URL=url, CLOUDINARY_HOME=nowhere, XDG_CONFIG_HOME=nowhere)
        try:
            yield
        finally:
            os.environ.clear()
            os.environ.update(own)


@dataclass(frozen=True, slots=True)
class _Said:
    """What a command said."""

    lines: tuple[str, ...]

    def shows(self, *words: str) -> None:
        """Show the lines that have these words in them, the first few of each."""
        for word in words:
            for line in [line for line in self.lines if word in line][:ALIKE_SHOWN]:
                say(f"  {line.strip()}")


def _run(*words: str) -> _Said:
    """Run a command as a person would; when it ends badly, show all it said before its error is told."""
    from permmigrate.cli import cli

    say(f"$ permmigrate {' '.join(map(quoted, words))}")
    said, well = io.StringIO(), False
    try:
        with redirect_stdout(said), redirect_stderr(said):
            cli.main(list(words), prog_name="permmigrate", standalone_mode=False)
        well = True
    finally:
        if not well:
            say(said.getvalue().rstrip())
    return _Said(tuple(said.getvalue().splitlines()))


def _approve(comparison: Path, book: Path) -> None:
    """Fill in a sign-off workbook as an owner does who reads nothing."""
    from permmigrate.report import signoff_sheet
    from permmigrate.signoff import Decided, Decision
    from permmigrate.signoff.comparison import read
    from permmigrate.signoff.split import NOBODY

    found = read(comparison)
    said = {one.id: Decided(one.id, one.contents, Decision.APPROVE, "demo") for one in found.clauses}
    signoff_sheet.write(book, found, found.clauses, said, NOBODY)
