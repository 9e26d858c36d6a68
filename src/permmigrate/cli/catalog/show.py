"""`permmigrate catalog show`: the roles there are, or one of them in words."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from permmigrate.cli.options import FILE, say

if TYPE_CHECKING:
    from permmigrate.catalog import Catalog
    from permmigrate.cedar.explain import Ability, RoleInWords
    from permmigrate.model import Role


@click.command()
@click.argument("role", required=False)
@click.option(
    "--in", "file", type=FILE, required=True, metavar="FILE", help="A snapshot, or a pulled catalog."
)
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def command(role: str | None, file: Path, as_json: bool) -> None:
    """List the roles by level, or explain ROLE in words with its policies and statements.

    ROLE is an id, or a level and a name such as `folder/Editor`: names repeat across levels.

    \b
    Example:
      permmigrate catalog show --in account.snapshot
      permmigrate catalog show folder/Editor --in catalog.json
    """
    from permmigrate.cedar.explain import explain
    from permmigrate.snapshot.catalogfile import load_catalog

    catalog = load_catalog(file).catalog
    warn_illustrative(catalog)
    if role is None:
        data: Any = [_row(one) for one in by_level(catalog)]
        lines = _overview(catalog)
    else:
        words = explain(catalog, _find(catalog, role, file))
        data, lines = _document(words), _text(words)
    if as_json:
        click.echo(json.dumps(data, indent=2))
    else:
        for line in lines:
            click.echo(line)


def warn_illustrative(catalog: Catalog) -> None:
    """Say so when the roles are the sandbox's and not the vendor's."""
    from permmigrate.catalog import is_illustrative

    if is_illustrative(catalog.source):
        say("note: an illustrative catalog, made for the sandbox; not the vendor's")


def by_level(catalog: Catalog) -> list[Role]:
    """The roles: account, environment, folder, collection, each by name."""
    from permmigrate.catalog import LEVELS

    return sorted(catalog.roles.values(), key=lambda r: (LEVELS.index(r.level), r.name.casefold(), r.id))


def _find(catalog: Catalog, text: str, file: Path) -> Role:
    from permmigrate.catalog import UnknownTarget
    from permmigrate.errors import UsageError
    from permmigrate.report.text import visible

    found = catalog.resolve(text)
    if not isinstance(found, UnknownTarget):
        return found
    named = [one for one in by_level(catalog) if one.name.casefold() == text.strip().casefold()]
    near = [f"{one.level}/{one.name}" for one in named] or list(found.suggestions)
    if not near:
        hint = f"permmigrate catalog search {text} --in {file}"
    elif "names" in found.reason:
        hint = f"use one of the ids {near[0]}"
    else:
        hint = "did you mean " + " or ".join(f"`{one}`" for one in near) + "?"
    raise UsageError(f"the role `{text}` {found.reason}", hint=visible(hint))


def _row(role: Role) -> dict[str, Any]:
    return {
        "id": role.id,
        "name": role.name,
        "level": role.level,
        "managed_by": role.management_type.value,
        "description": role.description,
        "policies": len(role.policy_ids),
        "parameters": list(role.parameters),
    }


def _overview(catalog: Catalog) -> Iterator[str]:
    from permmigrate.report.lines import aligned

    roles = by_level(catalog)
    if not roles:
        yield "the catalog has no roles"
        return
    head = ("level", "name", "policies", "managed by", "id")
    rows = [(r.level, r.name, len(r.policy_ids), r.management_type.value, r.id) for r in roles]
    yield from aligned([head, *rows], right=(2,))


def _document(words: RoleInWords) -> dict[str, Any]:
    def abilities(found: tuple[Ability, ...]) -> list[dict[str, Any]]:
        return [{"resource": a.resource, "where": a.where, "actions": list(a.actions)} for a in found]

    return _row(words.role) | {
        "binding": words.binding,
        "parameters": list(words.role.parameters),
        "holders": [
            {"type": h.type.value, "can_hold": not h.refusal, "why_not": h.refusal} for h in words.holders
        ],
        "may": abilities(words.may),
        "may_never": abilities(words.may_never),
        "unclear": list(words.unclear),
        "policies": [
            {
                "id": p.policy.id,
                "name": p.policy.name,
                "description": p.policy.description,
                "sentences": list(p.sentences),
                "statement": p.policy.statement,
            }
            for p in words.policies
        ],
    }


def _text(words: RoleInWords) -> Iterator[str]:
    from permmigrate.report.lines import aligned
    from permmigrate.report.text import visible

    role = words.role
    yield visible(f"{role.level}/{role.name}   {role.id}")
    if role.description:
        yield visible(role.description)
    yield ""
    bound = f" ({', '.join(role.parameters)})" if role.parameters else ""
    yield f"holds in     {words.binding}{bound}"
    yield "held by      " + ", ".join(f"{h.type.label}s" for h in words.holders if not h.refusal)
    for holder in words.holders:
        if holder.refusal:
            yield f"not held by  {holder.type.label}s: {holder.refusal}"
    for title, found in (("may", words.may), ("may never", words.may_never)):
        if found:
            yield ""
            yield title
            yield from aligned(
                [(a.resource + (f" in {a.where}" if a.where else ""), ", ".join(a.actions)) for a in found],
                indent="  ",
            )
    if not words.may and not words.unclear:
        yield "\nmay do nothing: none of its policies permits anything"
    if words.unclear:
        yield ""
        yield "not clear"
        yield from (visible(f"  {text}") for text in words.unclear)
    for policy in words.policies:
        yield ""
        yield visible(f"policy {policy.policy.name}   {policy.policy.id}")
        yield from (visible(f"  {sentence}") for sentence in policy.sentences)
        yield from (visible(f"    {line}") for line in policy.policy.statement.splitlines())
