"""`permmigrate signoff status`: what is decided and what is open."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import click

from permmigrate.cli.options import FILE, counted


@click.command()
@click.argument("comparison", type=FILE, metavar="DIFF")
@click.argument("decisions", type=FILE, metavar="SIGNOFF", required=False)
@click.option("--fail-on-open", is_flag=True, help="Leave with exit 5 while a cluster is open.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def command(comparison: Path, decisions: Path | None, fail_on_open: bool, as_json: bool) -> None:
    """Show how many clusters of expansions are approved, rejected, asked about and open, and which.

    \b
    Example:
      permmigrate signoff status reports/diff.json signoff.json
    """
    from permmigrate.errors import FindingsError
    from permmigrate.report.lines import aligned
    from permmigrate.signoff.comparison import read
    from permmigrate.signoff.file import load
    from permmigrate.signoff.merge import still_open
    from permmigrate.signoff.value import Signed

    found = read(comparison)
    signed = load(decisions) if decisions else Signed(found.account_id, found.digest, ())
    waiting = still_open(found, signed.decided)
    said = {each.cluster: each for each in signed.decided}
    waits = {clause.id for clause in waiting}
    counts = Counter(
        str(said[clause.id].decision) for clause in found.clauses if clause.id not in waits
    ) + Counter({"open": len(waiting)})
    rows: list[dict[str, Any]] = [
        {
            "cluster": clause.id,
            "severity": clause.severity,
            "where": clause.locked[6],
            "causes": list(clause.causes),
            "owner": said[clause.id].owner if clause.id in said else "",
            "state": str(said[clause.id].decision or "open") if clause.id in said else "open",
        }
        for clause in waiting
    ]
    if as_json:
        click.echo(json.dumps({"counts": dict(sorted(counts.items())), "open": rows}, indent=1))
    else:
        click.echo(", ".join(f"{counts[key]:,} {key}" for key in ("approve", "reject", "open")))
        if signed.diff_digest != found.digest:
            click.echo("the decisions are about another comparison; those whose findings are the same hold")
        keys = ("severity", "state", "owner", "where", "causes", "cluster")
        lines = [[row[key] if key != "causes" else ", ".join(row[key]) for key in keys] for row in rows]
        for line in aligned([["severity", "state", "owner", "where", "because of", "cluster"], *lines]):
            click.echo(line)
    if waiting and fail_on_open:
        raise FindingsError(
            f"{counted(len(waiting), 'cluster')} of expansions not approved or rejected",
            hint="send them out with `permmigrate signoff split`",
        )
