"""`permmigrate catalog pull`: the public catalog as a file."""

from __future__ import annotations

import os
from pathlib import Path

import click

from permmigrate import __version__
from permmigrate.cli.options import FILE, api_url_option, now, say


@click.command()
@click.option("--out", type=FILE, required=True, help="The catalog file to write.")
@api_url_option
def command(out: Path, api_url: str | None) -> None:
    """Save the public catalog and Cedar schema in one small file, fit for version control.

    The catalog is public: no credentials are sent. The file is read back and checked before it counts.

    \b
    Example:
      permmigrate catalog pull --out catalog.json
    """
    from permmigrate.cloudinary.public import pull
    from permmigrate.cloudinary.sources import find
    from permmigrate.report.text import visible
    from permmigrate.snapshot.catalogfile import dump_catalog

    found = find(os.environ, folder=Path.cwd(), api_url=api_url)
    catalog = pull(found.api_url.value, inner=found.network(1))
    saved = dump_catalog(catalog, out, pulled_at=now(), tool_version=__version__)
    held = saved.catalog
    click.echo(out)
    say(f"{len(held.roles)} roles, {len(held.policies)} policies, digest {saved.digest[:12]}")
    say(f"from {held.source}")
    for role_id, policy_id in held.missing_policies:
        say(visible(f"role `{role_id}` names policy `{policy_id}`, which the catalog does not define"))
    say(f"next: permmigrate catalog show --in {out}")
