"""`permmigrate why`: whether somebody may do something, before and after, and through what."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from permmigrate.cli.options import compared_options, day, tables_from, today_option

if TYPE_CHECKING:
    from permmigrate.diff.derive_account import Account


@click.command()
@click.argument("principal")
@click.argument("action")
@click.argument("resource")
@compared_options
@click.option("--environment", metavar="NAME", help="Which product environment is meant; or `account`.")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
@today_option
def command(
    principal: str,
    action: str,
    resource: str,
    snapshot: Path,
    mappings: Path | None,
    assigned: Path | None,
    environment: str | None,
    as_json: bool,
    today: datetime | None,
) -> None:
    """Tell whether PRINCIPAL may do ACTION to RESOURCE before and after, and which policies say so.

    PRINCIPAL is an id, an e-mail address, a name or a key; user:, group:, key: or account-key: before it
    says which kind is meant. ACTION is Cedar's: read, update, delete, download (use, for a feature).

    \b
    RESOURCE is one of
      Brands/Aurora               an asset in that folder (also: "asset in Brands/Aurora")
      folder:Brands/Aurora        the folder itself
      collection:ID               the collection itself (also: "asset in collection ID")
      feature:users::create       a feature of the Console
      UploadPreset, Account, ...  any resource of a type; TYPE:ID for one of them

    \b
    Example:
      permmigrate why jane@example.com delete Brands/Aurora --in account.snapshot
      permmigrate why group:EMEA update folder:Brands --in account.snapshot --environment prod
    """
    from permmigrate.report.derivation import derivation_document, derivation_lines

    account = asked_account(snapshot, mappings, assigned, today)
    asked = account.reader.question(action, resource, environment)
    found = account.derivations.why(account.reader.principal(principal), asked)
    if as_json:
        document = derivation_document(found, account.cause_words)
        click.echo(json.dumps(document, indent=2, ensure_ascii=False))
        return
    for line in derivation_lines(found, account.cause_words):
        click.echo(line)


def asked_account(
    snapshot: Path, mappings: Path | None, assigned: Path | None, today: datetime | None
) -> Account:
    """Load both sides of what is asked about."""
    from permmigrate.cli.diff import later_of
    from permmigrate.diff.derive_account import Account
    from permmigrate.snapshot.file import load

    before = load(snapshot)
    after = later_of(before, assigned) if assigned else None
    return Account.of(before, tables_from(mappings), today=day(today), assigned=after)
