"""The `permmigrate` command. Each subcommand is a module that is imported only when it is called."""

from __future__ import annotations

import importlib
from typing import Final

import click

from permmigrate import __version__
from permmigrate.cli.boundary import run

COMMANDS: Final = {
    "demo": "Walk the whole journey against the built-in sandbox.",
    "diff": "Compare who may do what before and after, and write the reports.",
    "mappings": "Copy, check and edit the mapping tables.",
    "readiness": "Report how ready an account is to move.",
    "sandbox": "Serve an imitation of the vendor's API, for trying things out.",
    "snapshot": "Save what an account looks like today in one file.",
}
"""Every subcommand and its one line of help; the module `cli/<name>.py` holds `command`."""


class LazyGroup(click.Group):
    """Knows its subcommands by name and loads one only when it is used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"permmigrate.cli.{cmd_name}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(COMMANDS.items()))


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="permmigrate")
def cli() -> None:
    """Move a Cloudinary account from legacy permissions to Roles and Permissions, knowing who gains what.

    The journey: snapshot, readiness, edit the mapping tables, diff. Nothing here changes an account.

    \b
    Try it without an account:
      permmigrate demo --out demo
    """


def main() -> None:
    """Run the command line and leave with its exit code."""
    raise SystemExit(run(cli))
