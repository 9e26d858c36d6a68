"""`permmigrate snapshot`: read an account and save it in one file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from permmigrate import __version__
from permmigrate.cli.lazy import LazyGroup
from permmigrate.cli.options import FILE, api_url_option, now, say

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
    "--workers", type=click.IntRange(1, 16), default=8, show_default=True, help="Calls at the same time."
)
@click.option("--quiet", is_flag=True, help="No progress.")
def command(
    context: click.Context,
    out: Path | None,
    shares: tuple[Path, ...],
    api_url: str | None,
    keep_unknown: bool,
    allow_gaps: bool,
    workers: int,
    quiet: bool,
) -> None:
    """Save what an account looks like today in one file. It only reads.

    Credentials come from CLOUDINARY_ACCOUNT_URL=account://KEY:SECRET@ACCOUNT_ID and, for the folders of each
    product environment, CLOUDINARY_URL, CLOUDINARY_URL_2, ..., else from .env, permmigrate.toml or the saved
    configurations of `cld`; `permmigrate doctor` shows which. No API lists legacy shares: give the lists you
    keep with --shares.

    \b
    Example:
      permmigrate snapshot --out account.snapshot --shares shares.csv
    """
    if context.invoked_subcommand is not None:
        return
    if out is None:
        raise click.MissingParameter(param_hint="--out", param_type="option", ctx=context)
    from permmigrate.cli.progress import progress_display
    from permmigrate.cloudinary.reader import Reader
    from permmigrate.cloudinary.sources import find
    from permmigrate.snapshot.capture import capture
    from permmigrate.snapshot.file import dump

    found = find(os.environ, folder=Path.cwd(), api_url=api_url)
    with (
        Reader(
            found.credentials(), api_url=found.api_url.value, inner=found.network(workers), workers=workers
        ) as reader,
        progress_display(quiet=quiet) as progress,
    ):
        taken = capture(
            reader,
            share_lists=shares,
            keep_unknown=keep_unknown,
            captured_at=now(),
            tool_version=__version__,
            progress=progress,
        )
    saved = dump(taken, out)
    describe(saved)
    click.echo(out)
    say(f"next: permmigrate readiness {out} --out reports")
    refuse_gaps(saved, allow_gaps=allow_gaps)


def describe(snapshot: Snapshot) -> None:
    """Say what was read, and what was not."""
    counts = (
        (len(snapshot.environments), "environments"),
        (len(snapshot.users), "users"),
        (len(snapshot.groups), "groups"),
        (len(snapshot.api_keys), "API keys"),
        (len(snapshot.folders), "folders"),
        (len(snapshot.shares), "shares"),
        (len(snapshot.catalog.roles), "roles"),
        (len(snapshot.assignments), "role assignments"),
    )
    say(", ".join(f"{count:,} {what}" for count, what in counts))
    for entry in snapshot.gaps:
        where = f" ({entry.subject})" if entry.subject else ""
        say(f"not read: {entry.area}{where}: {entry.detail or entry.status.value}")
    if snapshot.orphan_shares:
        say(f"{len(snapshot.orphan_shares)} shares name people or folders that are not in the account")


def refuse_gaps(snapshot: Snapshot, *, allow_gaps: bool) -> None:
    """Leave with exit 4 when the service refused or failed to answer something, unless that is allowed."""
    from permmigrate.errors import ServiceError
    from permmigrate.model import ReadStatus

    refused = [e for e in snapshot.gaps if e.status in (ReadStatus.DENIED, ReadStatus.FAILED)]
    if refused and not allow_gaps:
        raise ServiceError(
            f"the snapshot is saved with {len(refused)} gaps: what follows from it is incomplete",
            hint="give the key the rights it lacks and take it again, or accept the gaps with --allow-gaps",
        )
