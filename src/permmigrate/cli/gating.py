"""The options that turn a comparison into a gate: what is tolerated, what was accepted, and the refusal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from permmigrate.cli.options import FILE, counted, say

if TYPE_CHECKING:
    from permmigrate.diff import Diff
    from permmigrate.diff.accepted import Accepted
    from permmigrate.diff.gate import Limits, Outcome

F = TypeVar("F", bound=Callable[..., Any])

SEVERITIES: Final = ("critical", "high", "medium", "low")
SHOWN: Final = 5


def _read_limits(
    ctx: click.Context, param: click.Parameter, values: tuple[str, ...]
) -> tuple[tuple[str, int], ...]:
    """`10`, or `critical=0`: how many expansions of at least that severity are tolerated."""
    found = []
    for value in values:
        severity, equals, number = value.rpartition("=")
        severity = severity.strip().casefold() if equals else SEVERITIES[-1]
        if severity not in SEVERITIES:
            known = ", ".join(SEVERITIES)
            raise click.BadParameter(f"`{severity}` is not one of {known}", ctx, param)
        if not (number.strip().isascii() and number.strip().isdigit()):
            message = f"`{value}` is neither a number nor a severity and a number, as in critical=0"
            raise click.BadParameter(message, ctx, param)
        found.append((severity, int(number)))
    return tuple(found)


def gate_options(command: F) -> F:
    """Everything that makes `diff` leave with exit 5."""
    options = (
        click.option(
            "--fail-on",
            type=click.Choice(["expansions", *SEVERITIES]),
            help="Leave with exit 5 when there is an expansion (of at least that severity), when one cannot "
            "be ruled out, or when the data are incomplete.",
        ),
        click.option(
            "--max-expansions",
            callback=_read_limits,
            multiple=True,
            metavar="[SEVERITY=]N",
            help="Leave with exit 5 when there are more than N (of at least that severity). May be repeated.",
        ),
        click.option(
            "--max-admin-promotions",
            type=click.IntRange(min=0),
            metavar="N",
            help="Leave with exit 5 when more than N principals become administrators.",
        ),
        click.option(
            "--baseline",
            type=FILE,
            metavar="FILE",
            help="Accepted findings, each with a reason and perhaps an end: they do not count.",
        ),
        click.option(
            "--write-baseline",
            type=FILE,
            metavar="FILE",
            help="Write every expansion to FILE, to be accepted there; what --baseline has is kept.",
        ),
        click.option(
            "--allow-incomplete", is_flag=True, help="Let incomplete data pass when nothing else is wrong."
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def limits_of(
    fail_on: str | None,
    max_expansions: tuple[tuple[str, int], ...],
    max_admin_promotions: int | None,
    allow_incomplete: bool,
) -> Limits:
    """What the options tolerate; of two limits for one severity the smaller holds."""
    from permmigrate.diff import Severity
    from permmigrate.diff.gate import Limits

    asked = [(Severity(severity), number) for severity, number in max_expansions]
    if fail_on is not None:
        asked.append((Severity.LOW if fail_on == "expansions" else Severity(fail_on), 0))
    most: dict[Severity, int] = {}
    for severity, number in asked:
        most[severity] = min(number, most.get(severity, number))
    return Limits(most, max_admin_promotions, allow_incomplete)


def read_accepted(baseline: Path | None) -> Accepted:
    """The accepted findings of the file, or none."""
    from permmigrate.diff.accepted import Accepted, load

    return load(baseline) if baseline else Accepted()


def save_accepted(path: Path, diff: Diff, accepted: Accepted, today: date) -> None:
    """Write the file of expansions to accept, and say what it is for."""
    from permmigrate.diff.accepted import write
    from permmigrate.report.files import write_text

    write_text(path, write(diff, accepted, today))
    say(f"{path} lists every expansion: give those that are accepted a reason, take out the others")


def hold(diff: Diff, limits: Limits, accepted: Accepted, today: date) -> None:
    """Say what was accepted; raise `FindingsError` when a limit does not hold."""
    from permmigrate.diff.gate import judge
    from permmigrate.errors import FindingsError

    if not limits.are_set and not accepted.entries:
        return
    outcome = judge(diff, limits, accepted, today)
    _talk(outcome)
    if outcome.failures:
        raise FindingsError(
            "; ".join(outcome.failures),
            hint="read diff.html: it names the cause of each; accept what is meant with --baseline",
        )


def _talk(outcome: Outcome) -> None:
    if outcome.accepted:
        say(f"{counted(outcome.accepted, 'finding')} accepted before and left out of the count")
    told = (
        ("has ended", outcome.expired),
        ("is of a finding that is gone", outcome.idle),
        ("was for other people than the finding holds for now", outcome.outgrown),
    )
    for words, entries in told:
        for entry in entries[:SHOWN]:
            say(f"baseline line {entry.line}: the acceptance of {entry.finding} {words}")
        if len(entries) > SHOWN:
            say(f"  and {len(entries) - SHOWN:,} more of which each {words}")
