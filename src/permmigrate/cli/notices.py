"""`permmigrate notices`: tell the people concerned what changes for them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import click

from permmigrate.cli.options import DIRECTORY, FILE, counted, say

KINDS: Final = {"user": "user", "group": "group", "api-key": "API key", "account-key": "account key"}


@click.command()
@click.argument("comparison", type=FILE, metavar="DIFF")
@click.option("--out", type=DIRECTORY, required=True, metavar="DIR", help="Folder for the notices.")
@click.option(
    "--for",
    "kinds",
    type=click.Choice(list(KINDS)),
    multiple=True,
    help="Whom to write for; may be repeated. Default: everybody and everything.",
)
@click.option("--contact", default="", metavar="TEXT", help="Whom readers may ask: an address or a name.")
def command(comparison: Path, out: Path, kinds: tuple[str, ...], contact: str) -> None:
    """Write one short page (HTML and text) for each person, group or key for whom something changes.

    DIFF is the diff.json of a comparison. index.csv says which file is for whom. Nothing is sent.

    \b
    Example:
      permmigrate notices reports/diff.json --out notices --for user --contact dam-team@example.com
    """
    from permmigrate.report.csvtext import csv_text
    from permmigrate.report.files import write_text
    from permmigrate.report.notices import Letters, notices
    from permmigrate.resources import templates_dir
    from permmigrate.signoff.comparison import document_of

    document = document_of(comparison)
    letters = Letters(templates_dir(), contact)
    rows: list[tuple[str, ...]] = []
    for notice in notices(document, [KINDS[kind] for kind in kinds or KINDS]):
        name = f"{notice.kind} {notice.principal_id}".casefold()
        stem = f"{len(rows) + 1:05d}-{re.sub('[^a-z0-9]+', '-', name).strip('-')[:80]}"
        write_text(out / f"{stem}.html", letters.page(notice))
        write_text(out / f"{stem}.txt", letters.text(notice))
        rows.append((stem, notice.kind, notice.name, notice.address, notice.principal_id, notice.subject))
    heads = ("file", "kind", "name", "address", "id", "subject")
    write_text(out / "index.csv", csv_text(heads, rows))
    click.echo(out / "index.csv")
    say(f"{counted(len(rows), 'notice')} in {out}; nothing was sent")
