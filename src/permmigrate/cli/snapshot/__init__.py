"""`permmigrate snapshot`: read an account and save it in one file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from permmigrate.cli.lazy import LazyGroup
from permmigrate.cli.options import FILE, api_url_option, counted, quoted, say
from permmigrate.cloudinary import choices

if TYPE_CHECKING:
    from permmigrate.snapshot import Snapshot


SUBCOMMANDS: Final[dict[str, str]] = {
    "anonymize": "Write it under pseudonyms, to show to others.",
    "diff": "Say what changed between two captures.",
    "export": "Write its tables as CSV files.",
    "show": "Show what is in it, and what could not be read.",
}
"""What can be done with a snapshot once it is taken; the module beside of that name holds `command`."""


@click.group(cls=LazyGroup, package=__name__, lazy=SUBCOMMANDS, invoke_without_command=True)
@click.pass_context
@click.option("--out", type=FILE, help="The snapshot file to write.")
@click.option(
    "--shares",
    "shares",
    type=FILE,
    multiple=True,
    metavar="LIST",
    help="A list of legacy folder and collection shares (.csv, .xlsx, .json); may be repeated.",
)
@api_url_option
@click.option("--keep-unknown", is_flag=True, help="Keep shares of people or folders that are not there.")
@click.option("--allow-gaps", is_flag=True, help="Exit 0 although something could not be read.")
@click.option(
    "--workers",
    type=click.IntRange(1, choices.WORKERS_AT_MOST),
    default=choices.WORKERS,
    show_default=True,
    help="Calls at the same time, at most.",
)
@click.option(
    "--rate-share",
    type=click.FloatRange(0, 1, min_open=True),
    default=choices.RATE_SHARE,
    show_default=True,
    help="The part of each hourly allowance it may use; the rest is for your own traffic.",
)
@click.option("--resume", is_flag=True, help="Go on from where a run that was cut short had come to.")
@click.option("--restart", is_flag=True, help="Throw away what a run that was cut short had read.")
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option("-v", "--verbose", is_flag=True, help="Say every request.")
@click.option(
    "--log-json", type=FILE, metavar="FILE", help="Add a JSON line for each request, without secrets."
)
def command(
    context: click.Context,
    out: Path | None,
    shares: tuple[Path, ...],
    api_url: str | None,
    keep_unknown: bool,
    allow_gaps: bool,
    workers: int,
    rate_share: float,
    resume: bool,
    restart: bool,
    quiet: bool,
    verbose: bool,
    log_json: Path | None,
) -> None:
    """Save what an account looks like today in one file. It only reads.

    Credentials come from CLOUDINARY_ACCOUNT_URL=account://KEY:SECRET@ACCOUNT_ID and, for the folders of each
    product environment, CLOUDINARY_URL, CLOUDINARY_URL_2, ..., else from .env, permmigrate.toml or the saved
    configurations of `cld`; `permmigrate doctor` shows which. No API lists legacy shares: give the lists you
    keep with --shares. A run that is cut short leaves what it read beside the file: go on with --resume.

    \b
    Example:
      permmigrate snapshot --out account.snapshot --shares shares.csv
      permmigrate snapshot --out account.snapshot --shares shares.csv --resume
    """
    if context.invoked_subcommand is not None:
        return
    if out is None:
        raise click.MissingParameter(param_hint="--out", param_type="option", ctx=context)
    from permmigrate.cli.taking import Taking, take
    from permmigrate.cloudinary.sources import find

    found = find(os.environ, folder=Path.cwd(), api_url=api_url)
    asked = Taking(
        out=out,
        shares=shares,
        keep_unknown=keep_unknown,
        allow_gaps=allow_gaps,
        workers=workers,
        rate_share=rate_share,
        resume=resume,
        restart=restart,
        quiet=quiet,
        verbose=verbose,
        log=log_json,
    )
    saved = take(asked, found)
    describe(saved)
    click.echo(out)
    say(f"next: permmigrate readiness {quoted(out)} --out reports")
    refuse_gaps(saved, allow_gaps=allow_gaps)


def describe(snapshot: Snapshot) -> None:
    """Say what was read, and what was not."""
    counts = (
        (len(snapshot.environments), "environment"),
        (len(snapshot.users), "user"),
        (len(snapshot.groups), "group"),
        (len(snapshot.api_keys), "API key"),
        (len(snapshot.folders), "folder"),
        (len(snapshot.shares), "share"),
        (len(snapshot.catalog.roles), "role"),
        (len(snapshot.assignments), "role assignment"),
    )
    say(", ".join(counted(count, what) for count, what in counts))
    for entry in snapshot.gaps:
        where = f" ({entry.subject})" if entry.subject else ""
        say(f"not read: {entry.area}{where}: {entry.detail or entry.status.value}")
    if snapshot.orphan_shares:
        lost = counted(len(snapshot.orphan_shares), "share")
        say(f"{lost} could not be matched to the account; the reports list them")


def refuse_gaps(snapshot: Snapshot, *, allow_gaps: bool) -> None:
    """Leave with exit 4 when something could not be read, unless that is allowed.

    That no API lists legacy shares is no fault of this run: it is said, and not counted here.
    """
    from permmigrate.cli.taking import may_heal
    from permmigrate.errors import ServiceError

    gaps = [entry for entry in snapshot.gaps if entry.area != "shares"]
    if gaps and not allow_gaps:
        hint = "give what is missing and take it again, or accept the gaps with --allow-gaps"
        if any(may_heal(gap) for gap in gaps):
            hint = "run it again with --resume to ask only for what failed, or accept it with --allow-gaps"
        raise ServiceError(
            f"the snapshot is saved with {counted(len(gaps), 'gap')}: what follows from it is incomplete",
            hint=hint,
        )
