"""`permmigrate undo`: a plan that takes back what a journal says was done."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import click

from permmigrate import __version__
from permmigrate.cli.options import FILE, api_url_option, counted, now, quoted, say


@click.command()
@click.argument("journal", type=FILE)
@click.option("--out", type=FILE, required=True, metavar="PLAN", help="The plan to write.")
@click.option("--plan", type=FILE, help="The plan that was applied, if it is not where it was.")
@api_url_option
@click.option(
    "--rate-share",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.5,
    show_default=True,
    help="The part of each hourly allowance it may use; the rest is for your own traffic.",
)
@click.option("--quiet", is_flag=True, help="No progress.")
def command(
    journal: Path, out: Path, plan: Path | None, api_url: str | None, rate_share: float, quiet: bool
) -> None:
    """Make the plan that takes back what was done, for `apply` to execute. It changes nothing itself.

    Only what the journal proves to have changed is taken back, and only where the account is still as it was
    left: what others changed since is named and left alone.

    \b
    Example:
      permmigrate undo move.journal --out undo-plan.json
    """
    from permmigrate.apply.chain import check
    from permmigrate.apply.past import past
    from permmigrate.cli import applying
    from permmigrate.cli.progress import progress_display
    from permmigrate.cloudinary.sources import find
    from permmigrate.errors import RefusedError
    from permmigrate.plan.file import dump, load
    from permmigrate.plan.undo import UndoTerms, undo_plan

    told = past(check(journal))
    if told.open:
        raise RefusedError(
            f"what became of {counted(len(told.open), 'call')} is not known",
            hint=f"find out first: permmigrate apply --resume {quoted(journal)}; if its plan has expired, "
            f"apply the undo plan that was written beside it, {quoted(journal)}.undo-plan.json",
        )
    done_plan = load(plan or Path(str(told.begin.get("plan_file", ""))))
    if done_plan.digest != told.begin.get("plan"):
        raise RefusedError(f"`{journal}` is the journal of another plan, `{told.begin.get('plan')}`")
    found = find(os.environ, folder=Path.cwd(), api_url=api_url)
    key = applying.acting_key(done_plan, found)
    with progress_display(quiet=quiet) as display:
        account = applying.read(found, done_plan, rate_share, display, lambda _: None)
    if account.world.account_id != done_plan.account_id:
        raise RefusedError(f"the journal is of account `{done_plan.account_id}`, and the credentials are not")
    terms = UndoTerms(now=datetime.now(UTC), tool_version=__version__, captured_at=now(), acting_key=key)
    undo = undo_plan(done_plan, told.done.values(), account.world, terms)
    dump(undo, out)
    left = counted(len(undo.left_out), "thing")
    say(f"{counted(len(undo.operations), 'operation')} to take back, {left} left as it is")
    for each in undo.left_out:
        say(f"left as it is: {each.principal or ''} {each.what}: {each.reason}")
    click.echo(out)
    say(f"next: permmigrate apply {quoted(out)} --digest {undo.digest}")
