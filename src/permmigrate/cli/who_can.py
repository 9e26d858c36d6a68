"""`permmigrate who-can`: everybody who may do something, before and after, and through what."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import click

from permmigrate.cli.options import compared_options, today_option
from permmigrate.cli.why import asked_account


@click.command()
@click.argument("action")
@click.argument("resource")
@compared_options
@click.option("--environment", metavar="NAME", help="Which product environment is meant; or `account`.")
@click.option("--json", "as_json", is_flag=True, help="Print everybody as JSON.")
@today_option
def command(
    action: str,
    resource: str,
    snapshot: Path,
    mappings: Path | None,
    assigned: Path | None,
    environment: str | None,
    as_json: bool,
    today: datetime | None,
) -> None:
    """Tell who may do ACTION to RESOURCE before and after, and through what; maybes count.

    ACTION and RESOURCE are written as for `permmigrate why`. People who came by it alike are told together.

    \b
    Example:
      permmigrate who-can delete Brands/Aurora --in account.snapshot
      permmigrate who-can use feature:users::create --in account.snapshot --json
    """
    from permmigrate.report.derivation import who_document, who_lines

    account = asked_account(snapshot, mappings, assigned, today)
    found = account.who.who_can(account.reader.question(action, resource, environment))
    people = account.entitlements.snapshot
    if as_json:
        click.echo(json.dumps(who_document(found, people), indent=2, ensure_ascii=False))
        return
    for line in who_lines(found, people):
        click.echo(line)
