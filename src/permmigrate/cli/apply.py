"""`permmigrate apply`: do what a reviewed plan says, and keep a journal of it."""

from __future__ import annotations

import os
import time
from collections import Counter
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from permmigrate.cli.options import FILE, api_url_option, now, quoted, say
from permmigrate.errors import RefusedError, UsageError

if TYPE_CHECKING:
    from permmigrate.apply.journal import Journal
    from permmigrate.apply.outcome import Result
    from permmigrate.apply.past import Past
    from permmigrate.apply.run import Asked
    from permmigrate.cli.applying import Account
    from permmigrate.cloudinary.writer import Writer
    from permmigrate.model import PrincipalRef
    from permmigrate.plan import Plan


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asked for."""

    plan: Path | None
    digest: str | None
    yes: bool
    wave: int | None
    only: tuple[str, ...]
    keep_going: bool
    journal: Path | None
    resume: Path | None
    api_url: str | None
    rate_share: float
    quiet: bool
    verbose: bool
    log: Path | None


@click.command()
@click.argument("plan", type=FILE, required=False)
@click.option("--digest", metavar="HEX", help="The digest of the plan that was reviewed.")
@click.option("--yes", is_flag=True, help="Do not ask; needs --digest beside it.")
@click.option("--wave", type=click.IntRange(1), help="Only this wave; those before must be done.")
@click.option("--only", multiple=True, metavar="PRINCIPAL", help="Only for these, such as user:ID.")
@click.option(
    "--keep-going",
    is_flag=True,
    help="Go on past principals that others changed, and after a first wave with errors.",
)
@click.option("--journal", type=FILE, metavar="FILE", help="The journal to write. Default: PLAN.journal")
@click.option("--resume", type=FILE, metavar="JOURNAL", help="Go on with a run that was cut short.")
@api_url_option
@click.option(
    "--rate-share",
    type=click.FloatRange(0, 1, min_open=True),
    default=0.5,
    show_default=True,
    help="The part of each hourly allowance it may use; the rest is for your own traffic.",
)
@click.option("--quiet", is_flag=True, help="No progress.")
@click.option("-v", "--verbose", is_flag=True, help="Say every request.")
@click.option("--log-json", "log", type=FILE, metavar="FILE", help="Add a JSON line for each request.")
def command(plan: Path | None, **options: object) -> None:
    """Do what a plan says: on its account, by its digest, before it expires, and under its guards.

    Everything is checked against the account as it is before the first write. Each wave is read back before
    the next. What is done is in the journal before and after each call; a run that is cut short anywhere goes
    on with --resume. Leaves with 7 when only a part was done: what was not is in a .failed.csv file.

    \b
    Example:
      permmigrate apply plan.json --digest 4f2a... --journal move.journal
      permmigrate apply --resume move.journal --digest 4f2a...
    """
    apply(Wanted(plan, **options))  # type: ignore[arg-type]


def apply(wanted: Wanted) -> None:
    """Apply; raises the error with the exit code that fits when anything was not done."""
    from permmigrate.apply.chain import check
    from permmigrate.apply.past import past
    from permmigrate.cli import applying
    from permmigrate.cli.progress import progress_display
    from permmigrate.cli.requestlog import request_log
    from permmigrate.cloudinary.sources import find
    from permmigrate.cloudinary.writer import Writer

    earlier = past(check(wanted.resume)) if wanted.resume else None
    path, plan = _plan(wanted, earlier)
    digest = wanted.digest
    asked = _asked(wanted, plan)
    found = find(os.environ, folder=Path.cwd(), api_url=wanted.api_url)
    with ExitStack() as stack:
        display = stack.enter_context(progress_display(quiet=wanted.quiet))
        sent = stack.enter_context(request_log(wanted.log, verbose=wanted.verbose, secrets=found.secrets))
        live = stack.enter_context(
            Writer(
                None if applying.by_folders_only(plan) else found.account,
                found.environments,
                plan.environments,
                api_url=found.api_url.value,
                rate_share=wanted.rate_share,
                inner=found.network(1),
                sent=sent,
                waiting=display.waiting,
            )
        )
        key = applying.acting_key(plan, found)
        kinds = Counter(each.kind.value for each in asked.part(plan))
        applying.confirm(
            plan,
            live,
            yes=wanted.yes,
            digest=digest,
            doing=applying.intentions(plan, live, key, kinds),
        )
        stack.enter_context(_lock(plan, key))
        account = applying.read(found, plan, wanted.rate_share, display, sent)
        _refuse(plan, account, digest or "", key, asked, earlier)
        journal = stack.enter_context(_journal(wanted, plan, path, live, key, account, earlier))
        try:
            result = _run(plan, live, journal, account, asked, earlier, wanted.quiet)
        except KeyboardInterrupt:
            say(f"go on with: permmigrate apply --resume {quoted(journal.path)} --digest {plan.digest}")
            raise
        _close(result, journal.path, key)


def _plan(wanted: Wanted, earlier: Past | None) -> tuple[Path, Plan]:
    """The plan to apply. Raises UsageError or RefusedError when it is not the one that was meant."""
    from permmigrate.plan.file import load

    if wanted.resume and wanted.journal:
        raise UsageError("`--resume` goes on in its own journal", hint="leave out --journal")
    if earlier is not None:
        path = wanted.plan or Path(str(earlier.begin.get("plan_file", "")))
    elif wanted.plan is not None:
        path = wanted.plan
    else:
        raise UsageError("which plan is to be applied is not said", hint="name the plan, or --resume JOURNAL")
    plan = load(path)
    if not wanted.digest:
        raise RefusedError(
            "no digest was given: it says which plan was reviewed",
            hint=f"look at it with `permmigrate plan show {quoted(path)}`, then give --digest",
        )
    if wanted.digest.lower() != plan.digest:
        raise RefusedError(
            f"the plan's digest is {plan.digest}, and not {wanted.digest.lower()}",
            hint="apply the plan that was reviewed",
        )
    if earlier is not None and earlier.begin.get("plan") != plan.digest:
        raise RefusedError(
            f"`{wanted.resume}` is the journal of another plan, `{earlier.begin.get('plan')}`",
            hint="resume with the plan it was begun with",
        )
    return path, plan


def _asked(wanted: Wanted, plan: Plan) -> Asked:
    from permmigrate.apply.ready import find_principal
    from permmigrate.apply.run import Asked

    only = frozenset(find_principal(plan, text) for text in wanted.only)
    return Asked(wanted.wave, only, wanted.keep_going)


def _lock(plan: Plan, key: PrincipalRef) -> AbstractContextManager[None]:
    from permmigrate.apply.lock import locked
    from permmigrate.cli.applying import lock_folder

    return locked(lock_folder(), plan.account_id, f"process {os.getpid()}, {key}, since {now()}")


def _refuse(
    plan: Plan, account: Account, digest: str, key: PrincipalRef, asked: Asked, earlier: Past | None
) -> None:
    from permmigrate.apply.ready import examine, refuse

    results = examine(
        plan, account.world, digest=digest, now=now(), acting_key=key, asked=asked, past=earlier
    )
    refuse(results)


def _journal(
    wanted: Wanted,
    plan: Plan,
    path: Path,
    live: Writer,
    key: PrincipalRef,
    account: Account,
    earlier: Past | None,
) -> Journal:
    """Open the journal, and write the undo plan before anything is changed: a run that was killed before it
    had written it has changed nothing."""
    from permmigrate.apply.journal import Journal
    from permmigrate.cli import applying
    from permmigrate.plan.file import dump

    place = wanted.resume or wanted.journal or path.with_name(f"{path.name}.journal")
    if wanted.resume:
        journal, _ = Journal.resume(place, now)
    else:
        journal = Journal.begin(place, applying.header(plan, path, live, key), now)
    with ExitStack() as trouble:
        trouble.enter_context(journal)
        if wanted.resume:
            journal.write("resume", applying.resumed(key))
        if earlier is None or not earlier.undo:
            undo = place.with_name(f"{place.name}.undo-plan.json")
            digest = dump(applying.undo_beforehand(plan, account.world, key), undo)
            journal.write("undo", {"plan_file": str(undo.resolve()), "digest": digest})
            say(f"the journal is {place}; the plan that would take all of it back is {undo}")
        trouble.pop_all()
    return journal


def _run(
    plan: Plan,
    live: Writer,
    journal: Journal,
    account: Account,
    asked: Asked,
    earlier: Past | None,
    quiet: bool,
) -> Result:
    from permmigrate.apply.reading import Pace
    from permmigrate.apply.run import Run
    from permmigrate.cli.applyprogress import shown

    pace = Pace(now, time.sleep)
    with shown(quiet=quiet) as progress:
        return Run(
            plan,
            live,
            journal,
            account.environments,
            pace,
            asked=asked,
            past=earlier,
            held=account.world.held,
            progress=progress,
        ).go()


def _close(result: Result, journal: Path, key: PrincipalRef) -> None:
    from permmigrate.cli import applying

    files = applying.write_leftovers(result, journal)
    for line in applying.summary(result, journal, key, files):
        click.echo(line)
    applying.next_steps(result, journal)
    applying.refuse_less(result)
