"""The `permmigrate` command. Each subcommand is a module that is imported only when it is called."""

from __future__ import annotations

from typing import Final

import click

from permmigrate import __version__
from permmigrate.cli.boundary import run
from permmigrate.cli.lazy import LazyGroup

COMMANDS: Final = {
    "apply": "Do what a reviewed plan says, and keep a journal of it.",
    "catalog": "Look at roles and policies, and at what changed in them.",
    "demo": "Walk the whole journey against the built-in sandbox.",
    "diff": "Compare who may do what before and after, and write the reports.",
    "doctor": "Check credentials and rights, and tell what a snapshot will cost.",
    "explain": "Explain one finding of a comparison, with the request that shows it.",
    "import": "Make a snapshot from lists, or add lists to one.",
    "journal": "Prove that a journal is whole, and read it out.",
    "mappings": "Copy, check and edit the mapping tables.",
    "notices": "Tell the people concerned what changes for them.",
    "plan": "Plan the move: what is given and taken, in which order, under which guards.",
    "readiness": "Report how ready an account is to move.",
    "sandbox": "Serve an imitation of the vendor's API, for trying things out.",
    "signoff": "Have expansions approved or rejected by their owners.",
    "snapshot": "Save what an account looks like today in one file.",
    "undo": "Make the plan that takes back what a journal says was done.",
    "verify": "Hold the live account to its plan and to the legacy side.",
    "who-can": "List everybody who may do something, before and after, and through what.",
    "why": "Tell whether somebody may do something, before and after, and through what.",
}
"""Every subcommand and its one line of help; the module `cli/<name>.py` holds `command`."""


@click.group(
    cls=LazyGroup,
    package=__name__,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="permmigrate")
def cli() -> None:
    """Move a Cloudinary account from legacy permissions to Roles and Permissions, knowing who gains what.

    The journey: doctor, snapshot, readiness, edit the mapping tables, diff, plan, apply.
    Only apply changes an account.

    \b
    Try it without an account:
      permmigrate demo --out demo
    """


def main() -> None:
    """Run the command line and leave with its exit code."""
    raise SystemExit(run(cli))
