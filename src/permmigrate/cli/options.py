"""Options and small talk that several commands share."""

from __future__ import annotations

import shlex
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from permmigrate.mapping.tables import MappingTables

F = TypeVar("F", bound=Callable[..., Any])

FILE = click.Path(path_type=Path, dir_okay=False)
DIRECTORY = click.Path(path_type=Path, file_okay=False)


def snapshot_argument(command: F) -> F:
    """The snapshot a command works on."""
    return click.argument("snapshot", type=FILE)(command)


def mappings_option(command: F) -> F:
    """Which mapping tables to use; the shipped ones by default."""
    return click.option(
        "--mappings",
        "mappings",
        type=DIRECTORY,
        metavar="DIR",
        help="Folder of your mapping tables (see `mappings init`). Default: the tables that ship.",
    )(command)


def compared_options(command: F) -> F:
    """The two sides a question is asked about: a snapshot, and its mapping or what was assigned since."""
    assigned = click.option(
        "--assigned",
        type=FILE,
        metavar="SNAPSHOT",
        help="After is the roles really assigned in this (later) snapshot, not what the mapping makes.",
    )
    account = click.option(
        "--in", "snapshot", type=FILE, required=True, metavar="SNAPSHOT", help="The account."
    )
    return account(mappings_option(assigned(command)))


def api_url_option(command: F) -> F:
    """The service's host, when it is not said where the credentials are."""
    return click.option(
        "--api-url",
        metavar="URL",
        help="Region or host. Default: CLOUDINARY_API_URL, CLOUDINARY_REGION, permmigrate.toml, the "
        "upload_prefix of a CLOUDINARY_URL, or https://api.cloudinary.com.",
    )(command)


def out_option(command: F) -> F:
    """The folder reports go to."""
    return click.option(
        "--out", "out", type=DIRECTORY, required=True, metavar="DIR", help="Folder for the reports."
    )(command)


def today_option(command: F) -> F:
    """The day overrides expire against."""
    return click.option(
        "--today",
        "today",
        type=click.DateTime(["%Y-%m-%d"]),
        metavar="YYYY-MM-DD",
        help="The day to judge expiry dates by. Default: today.",
    )(command)


def day(today: datetime | None) -> date:
    """The day given, or today in UTC."""
    return (today or datetime.now(UTC)).date()


def now() -> str:
    """The moment in UTC as snapshots write it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def tables_from(mappings: Path | None) -> MappingTables:
    """Load the tables of a folder, or those that ship."""
    from permmigrate.mapping.tables import load
    from permmigrate.resources import mappings_dir

    return load(mappings or mappings_dir())


def counted(number: int, noun: str) -> str:
    """`1 gap`, `1,204 gaps`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def quoted(path: Path | str) -> str:
    """A path as a shell takes it."""
    return shlex.quote(str(path))


def say(text: str = "") -> None:
    """Talk to the person: on stderr, so that stdout stays data."""
    click.echo(text, err=True)
