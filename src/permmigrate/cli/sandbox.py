"""`permmigrate sandbox`: an imitation of the vendor's API on a loopback socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import click

from permmigrate.cli.options import FILE, say

F = TypeVar("F", bound=Callable[..., Any])


def account_options(command: F) -> F:
    """Which of the sandbox's accounts."""
    for option in (
        click.option("--seed", default=1, show_default=True, help="Another seed is another company."),
        click.option(
            "--account",
            type=click.Choice(["small", "medium", "large"]),
            default="small",
            show_default=True,
            help="40, 1,500 or 10,000 people.",
        ),
    ):
        command = option(command)
    return command


@click.group()
def command() -> None:
    """Serve an imitation of the vendor's API, for trying things out.

    Its accounts, secrets and catalog are made up; only the wire format is the vendor's.

    \b
    Example:
      permmigrate sandbox serve --port 8042
    """


@command.command()
@account_options
@click.option("--state", type=click.Choice(["legacy", "migrated"]), default="legacy", show_default=True)
@click.option(
    "--port", type=click.IntRange(0, 65535), default=0, show_default=True, help="0 picks a free one."
)
@click.option("--page-size", type=click.IntRange(1), help="The most entries on any page.")
@click.option("--latency", default="", metavar="TIME", help="Wait before each answer: 20ms.")
@click.option("--fail-nth", type=click.IntRange(0), default=0, help="Every nth request answers 500.")
@click.option("--rate-limit", default="", metavar="CALLS/SECONDS", help="Answer 420 or 429 beyond this.")
@click.option("--limit-status", type=int, metavar="420|429", help="What to answer beyond the limit.")
@click.option(
    "--drop",
    default="",
    metavar="before|after[:N]",
    help="Close the connection before or after every (Nth) write took effect.",
)
@click.option("--storm", default="", metavar="SHARE[:SEED]", help="Spoil this share of the calls: 0.3.")
@click.option(
    "--stale",
    default="",
    metavar="READS|TIME",
    help="Show a change of roles only after 3 reads, or after 2s.",
)
@click.option(
    "--revoke-after", type=click.IntRange(0), default=0, help="Refuse the account key after N writes."
)
@click.option("--log", type=FILE, help="Write one JSON line a request to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print the addresses as one JSON line first.")
def serve(account: str, seed: int, state: str, port: int, as_json: bool, **knobs: Any) -> None:
    """Serve an account until interrupted.

    \b
    Example:
      permmigrate sandbox serve --port 8042 --account medium --latency 20ms
    """
    from permmigrate.errors import UsageError
    from permmigrate.sandbox import Knobs, Sandbox
    from permmigrate.sandbox.server import serving

    log: Path | None = knobs["log"]
    if log is not None and not log.parent.is_dir():
        raise UsageError(f"cannot write `{log}`: there is no folder `{log.parent}`")
    try:
        sandbox = Sandbox(account=account, seed=seed, state=state, knobs=Knobs.parse(**knobs))
    except ValueError as error:
        raise UsageError(str(error)) from None
    try:
        with serving(sandbox, port=port) as url:
            _announce(sandbox.describe(url), as_json=as_json)
            _wait()
    except OSError as error:
        raise UsageError(f"cannot listen on port `{port}`: {error.strerror}", hint="--port 0") from None
    except KeyboardInterrupt:
        say("stopped")


def _announce(addresses: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps(addresses))
    else:
        click.echo(f"# the sandbox answers on {addresses['url']} with made-up secrets; stop it with Ctrl-C")
        for name, value in variables(addresses).items():
            click.echo(f"export {name}={value}")
        click.echo(f"# then: permmigrate snapshot --api-url {addresses['url']} --out account.snapshot")


def variables(addresses: Mapping[str, Any]) -> dict[str, str]:
    """The sandbox's credentials as the variables a person would export."""
    urls = enumerate(addresses["cloudinary_urls"], start=1)
    return {"CLOUDINARY_ACCOUNT_URL": addresses["account_url"]} | {
        f"CLOUDINARY_URL_{number}" if number > 1 else "CLOUDINARY_URL": url for number, url in urls
    }


def _wait() -> None:
    import threading

    threading.Event().wait()


@command.command()
@account_options
@click.option("--out", type=FILE, required=True, help="A .csv, .xlsx or .json file.")
def shares(account: str, seed: int, out: Path) -> None:
    """Write the list of legacy folder and collection shares of a sandbox account.

    No API of the vendor lists them: people keep such lists by hand.

    \b
    Example:
      permmigrate sandbox shares --account small --seed 1 --out shares.csv
    """
    from permmigrate.errors import UsageError
    from permmigrate.sandbox import Sandbox

    try:
        Sandbox(account=account, seed=seed).write_shares(out)
        out.chmod(0o600)
    except OSError as error:
        raise UsageError(f"cannot write `{out}`: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"cannot write `{out}`: {error}") from None
    click.echo(out)
