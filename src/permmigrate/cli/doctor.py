"""`permmigrate doctor`: whether a snapshot would succeed, and what it would cost, before any crawl."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

import click

from permmigrate import __version__
from permmigrate.cli.options import api_url_option, say
from permmigrate.cloudinary import choices

if TYPE_CHECKING:
    from permmigrate.cloudinary.diagnosis import Allowance, Budget, Diagnosis, System

_STYLES: Final = {
    "ok": "green",
    "note": "cyan",
    "warning": "yellow",
    "missing": "bold red",
    "failed": "bold red",
    "not checked": "magenta",
}


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON document.")
@api_url_option
@click.option(
    "--workers",
    type=click.IntRange(1, choices.WORKERS_AT_MOST),
    default=choices.WORKERS,
    show_default=True,
    help="Calls at the same time that the snapshot will make, at most.",
)
@click.option(
    "--rate-share",
    type=click.FloatRange(0, 1, min_open=True),
    default=choices.RATE_SHARE,
    show_default=True,
    help="The part of each hourly allowance that the snapshot may take.",
)
def command(as_json: bool, api_url: str | None, workers: int, rate_share: float) -> None:
    """Check credentials, rights, reach and clock, and tell what a snapshot will cost. It only reads.

    Credentials come from the environment, .env, permmigrate.toml or the saved configurations of `cld`, in
    this order; their values are never shown. Leaves with 0 when a snapshot would be whole, 4 when something
    it needs is refused or does not answer, 2 when credentials are missing.

    \b
    Example:
      permmigrate doctor
      permmigrate doctor --json > doctor.json
    """
    from permmigrate.cloudinary.diagnosis import document
    from permmigrate.cloudinary.doctor import examine
    from permmigrate.cloudinary.sources import find
    from permmigrate.cloudinary.transport import open_client

    found = find(os.environ, folder=Path.cwd(), api_url=api_url)
    say(f"asking {found.api_url.value} for a few first pages")
    with open_client(found.api_url.value, inner=found.network(1)) as client:
        diagnosis = examine(found, client, share=rate_share, workers=workers)
    if as_json:
        click.echo(json.dumps(document(diagnosis, __version__), indent=2, ensure_ascii=False))
    else:
        _show(diagnosis)
    _leave(diagnosis)


def _leave(diagnosis: Diagnosis) -> None:
    """Say what is next, or leave with the exit code that fits."""
    from permmigrate.cloudinary.diagnosis import Finding
    from permmigrate.errors import ServiceError, UsageError

    failed, missing = diagnosis.count(Finding.FAILED), diagnosis.count(Finding.MISSING)
    if failed and diagnosis.account_id is not None:
        raise ServiceError(
            f"{_counted(failed, 'check')} failed: a snapshot would not be whole",
            hint="mend them from the top, then run permmigrate doctor again",
        )
    if missing:
        raise UsageError(
            f"{_counted(missing, 'credential')} missing: a snapshot would not be whole",
            hint="add them where the others are, then run permmigrate doctor again",
        )
    say("next: permmigrate snapshot --out account.snapshot")


class Row(NamedTuple):
    """One line of the report."""

    mark: str
    subject: str
    text: str


def _show(diagnosis: Diagnosis) -> None:
    sections = list(_sections(diagnosis))
    if _on_terminal():
        _rich(sections)
        return
    for title, rows in sections:
        click.echo(title)
        wide = max(len(row.subject) for row in rows)
        for row in rows:
            click.echo(f"  {row.mark:<11}  {row.subject:<{wide}}  {row.text}".rstrip())
        click.echo()


def _on_terminal() -> bool:
    return sys.stdout.isatty()


def _rich(sections: list[tuple[str, list[Row]]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    for title, rows in sections:
        table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
        table.add_column(min_width=11, justify="left", no_wrap=True)
        table.add_column()
        table.add_column(ratio=1)
        for row in rows:
            table.add_row(
                Text(f"  {row.mark}", _STYLES.get(row.mark, "bold")), Text(row.subject), Text(row.text)
            )
        console.print(Text(title, "bold"))
        console.print(table)
        console.print()


def _sections(diagnosis: Diagnosis) -> Iterator[tuple[str, list[Row]]]:
    outcome = "a snapshot would be whole" if diagnosis.ready else "a snapshot would not be whole"
    yield (
        f"{'Ready' if diagnosis.ready else 'Not ready'}: {outcome}",
        [
            Row("", "account", f"{diagnosis.account_id or 'none'} on {diagnosis.api_url}"),
            Row("", "this visit", f"{_counted(diagnosis.calls, 'call')}, all of them reads"),
        ],
    )
    areas = dict.fromkeys(check.area for check in diagnosis.checks)
    for area in areas:
        rows = [
            Row(one.finding.value, one.subject, one.detail + (f" -> {one.remedy}" if one.remedy else ""))
            for one in diagnosis.checks
            if one.area == area
        ]
        yield area[0].upper() + area[1:], rows
    if diagnosis.features:
        yield "What answers", [Row("", one.name, one.answer) for one in diagnosis.features]
    yield "Permissions system", _system(diagnosis.system)
    if diagnosis.allowances:
        yield "Allowances", [_allowance(one) for one in diagnosis.allowances]
    if diagnosis.budget:
        yield _cost(diagnosis.budget), _budget(diagnosis.budget)


def _system(system: System) -> list[Row]:
    words = {
        "new": "Roles and Permissions, it seems",
        "legacy": "the legacy system, it seems",
        "unknown": "cannot be told from here",
    }
    rows = [
        Row(system.answer, "conclusion", f"{words[system.answer]} (confidence: {system.confidence.value})")
    ]
    rows.extend(
        Row("", f"for {one.speaks_for}", f"{one.text} ({one.confidence.value}: {one.source})")
        for one in system.indications
    )
    return [*rows, Row("", "official test", f"{system.official_test} -> look there before you rely on it")]


def _allowance(one: Allowance) -> Row:
    renewed = "" if one.resets_in is None else f", renewed in {_duration(one.resets_in)}"
    return Row("", one.lane, f"{one.remaining:,} of {one.limit:,} calls left{renewed}")


def _cost(budget: Budget) -> str:
    about = "" if budget.exact else "about "
    waiting = f", of which {_duration(budget.waiting)} waiting for allowances" if budget.waiting else ""
    return (
        f"Request budget: a snapshot takes {about}{_counted(budget.calls, 'call')} and "
        f"{_duration(budget.seconds)}{waiting}, with {budget.workers} at a time and at most "
        f"{budget.share:.0%} of each allowance"
    )


def _budget(budget: Budget) -> list[Row]:
    return [
        Row(f"{'' if line.exact else '~'}{line.calls:,}", line.endpoint, line.basis) for line in budget.lines
    ]


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _duration(seconds: float) -> str:
    if seconds < 1:
        return "less than a second"
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 7200:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"
