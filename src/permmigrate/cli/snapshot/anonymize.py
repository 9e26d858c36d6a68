"""`permmigrate snapshot anonymize`: a snapshot to show to others."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

import click

from permmigrate.cli.options import FILE, say

SALT_BYTES = 32
SALT_AT_LEAST = 16


@click.command()
@click.argument("source", type=FILE, metavar="IN")
@click.argument("target", type=FILE, metavar="OUT")
@click.option(
    "--salt-file",
    type=FILE,
    help="Use this secret, so that several snapshots get the same pseudonyms; made when it is not there.",
)
def command(source: Path, target: Path, salt_file: Path | None) -> None:
    """Write a snapshot with pseudonyms for names, e-mails, ids, paths and whatever else people typed.

    Its shape stays: a diff of it finds what a diff of the original finds. Times, counts, legacy roles, levels
    and the vendor's catalog stay as well. Without --salt-file the salt is random and not kept: nobody can go
    back, nor compare with another snapshot. Mapping rows that name people, keys or custom roles fit no more.

    \b
    Example:
      permmigrate snapshot anonymize account.snapshot to-show.snapshot
    """
    from permmigrate.errors import UsageError
    from permmigrate.snapshot.anonymous import anonymise
    from permmigrate.snapshot.file import dump, load

    if target.exists() and source.exists() and target.samefile(source):
        raise UsageError("OUT is IN: the original would be lost", hint="name another file")
    taken = load(source)
    salt = _salt(salt_file) if salt_file else secrets.token_bytes(SALT_BYTES)
    dump(anonymise(taken, salt), target)
    click.echo(target)
    kept = f"keep `{salt_file}` as secret as the original" if salt_file else "the salt was not kept"
    say(f"{len(taken.users):,} users and {len(taken.folders):,} folders under pseudonyms; {kept}")


def _salt(path: Path) -> bytes:
    """The secret in a file, which is made when there is none. Raises UsageError."""
    from permmigrate.errors import UsageError

    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return _read_salt(path)
    except OSError as error:
        raise UsageError(f"cannot write `{path}`: {error.strerror}") from None
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(SALT_BYTES) + "\n")
    say(f"made a new salt: {path}")
    return _read_salt(path)


def _read_salt(path: Path) -> bytes:
    from permmigrate.errors import UsageError

    try:
        salt = path.read_bytes().strip()
    except OSError as error:
        raise UsageError(f"cannot read `{path}`: {error.strerror}") from None
    if len(salt) < SALT_AT_LEAST:
        raise UsageError(
            f"the salt in `{path}` is too short: guesses could be tried against it",
            hint=f"at least {SALT_AT_LEAST} random bytes; name a new file to have one made",
        )
    return salt
