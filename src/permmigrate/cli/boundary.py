"""The only place where an error becomes words and an exit code. No traceback gets past it, and no secret."""

from __future__ import annotations

import sys
import traceback
from pathlib import Path
from typing import Final

import click

from permmigrate.errors import ExitCode, GuardError, InvalidFileError, PermmigrateError

INTERRUPTED: Final = 130
"""What a shell expects after Ctrl-C."""
PROBLEMS_SHOWN: Final = 100


def run(command: click.Command, arguments: list[str] | None = None) -> int:
    """Run a command and return the process's exit code; what went wrong is told on stderr."""
    stdout = sys.stdout
    try:
        command.main(args=arguments, prog_name="permmigrate", standalone_mode=False)
    except PermmigrateError as error:
        _tell(error)
        return error.exit_code
    except click.exceptions.Exit as leave:
        return leave.exit_code
    except click.Abort as stop:
        if isinstance(stop.__cause__, KeyboardInterrupt):  # click makes an Abort of a Ctrl-C
            click.echo("permmigrate: interrupted", err=True)
            return INTERRUPTED
        click.echo("permmigrate: stopped before anything was written", err=True)
        return ExitCode.REFUSED
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except KeyboardInterrupt:
        click.echo("permmigrate: interrupted", err=True)
        return INTERRUPTED
    except SystemExit:
        if sys.stdout is stdout:
            raise
        return ExitCode.OK  # nobody reads any more: click put a silent stream in place and left
    except OSError as error:
        click.echo(f"permmigrate: the system refused: {error.strerror or type(error).__name__}", err=True)
        return ExitCode.USAGE
    except Exception as error:  # noqa: BLE001 - the one place that may catch all: it reports a bug as a bug
        _tell_bug(error)
        return ExitCode.BUG
    return ExitCode.OK


def _tell(error: PermmigrateError) -> None:
    from permmigrate.report.text import visible

    click.echo(f"permmigrate: {visible(error.message)}", err=True)
    if isinstance(error, InvalidFileError):
        for problem in error.problems[:PROBLEMS_SHOWN]:
            click.echo(f"  {visible(str(problem))}", err=True)
        if len(error.problems) > PROBLEMS_SHOWN:
            click.echo(f"  and {len(error.problems) - PROBLEMS_SHOWN} more", err=True)
    if isinstance(error, GuardError):
        for failure in error.failures:
            click.echo(f"  ! {visible(failure)}", err=True)
    if error.hint:
        click.echo(f"  try: {visible(error.hint)}", err=True)


def _tell_bug(error: Exception) -> None:
    """Name the place and the kind only: the text of an unforeseen exception may hold anything."""
    frame = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(frame.filename).name}:{frame.lineno}"
    click.echo(f"permmigrate: a bug in permmigrate ({type(error).__name__} at {where})", err=True)
    click.echo("  please report this line with what you ran", err=True)
