"""`permmigrate journal`: prove that a journal is whole, and read it out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from permmigrate.cli.options import FILE, counted

if TYPE_CHECKING:
    from permmigrate.apply.chain import Chain, Line


@click.group()
def command() -> None:
    """Prove that a journal is whole, and read it out. It only reads files.

    \b
    Example:
      permmigrate journal check move.journal
    """


@command.command()
@click.argument("file", type=FILE)
@click.option(
    "--head", metavar="HASH", help="The last line's hash, kept elsewhere: proves that nothing was cut."
)
def check(file: Path, head: str | None) -> None:
    """Prove that no line was changed, taken out or put in; leave with 3 and the line's number otherwise.

    \b
    Example:
      permmigrate journal check move.journal --head 9c1e...
    """
    from permmigrate.apply.chain import Chain
    from permmigrate.errors import InvalidFileError

    chain, wanted = Chain(file), (head or "").lower()
    found = sum(line.hash == wanted for line in chain)
    if head is not None and not found:
        raise InvalidFileError(
            f"`{file}` is whole to line {chain.count}, and lacks the line with the hash `{head}`",
            hint="its end was cut off, or the hash is of another journal",
        )
    click.echo(f"{file}: whole, {counted(chain.count, 'line')}, last hash {chain.head}")
    if chain.torn:
        click.echo(
            f"after it {counted(len(chain.torn), 'byte')} of a line that was cut short; --resume mends it"
        )
    if chain.kind != "end":
        click.echo("the run did not come to its end: permmigrate apply --resume goes on with it")


@command.command()
@click.argument("file", type=FILE)
@click.option("--json", "as_json", is_flag=True, help="A JSON object a line, as they are in the file.")
def show(file: Path, as_json: bool) -> None:
    """Read a journal out: what was done to whom, when, by which key, and what came of it.

    \b
    Example:
      permmigrate journal show move.journal
    """
    from permmigrate.apply.chain import check as prove
    from permmigrate.report.text import visible

    chain = prove(file)  # all of it, before the first line is shown
    for text in _json(chain) if as_json else _words(chain):
        click.echo(text if as_json else visible(text))


def _json(chain: Chain) -> Iterator[str]:
    for line in chain:
        own = {"n": line.number, "at": line.at, "kind": line.kind, "hash": line.hash}
        yield json.dumps({**own, **line.fields}, sort_keys=True)


def _words(chain: Chain) -> Iterator[str]:
    names: dict[str, str] = {}
    for line in chain:
        if line.kind == "intent":
            names |= {row[0]: _subject(row[2]) for row in line.fields["operations"]}
        yield f"{line.at}  {line.number:>5}  {_sentence(line)}"
        if line.kind == "done":
            for identity, before, after, _ in line.fields["operations"]:
                change = f"{_state(before)} -> {_state(after)}"
                yield f"{'':>29}{identity}  {change:<20}  {names.pop(identity, '')}"


def _sentence(line: Line) -> str:
    fields = line.fields
    match line.kind:
        case "begin":
            return (
                f"begins: plan {fields.get('plan')} on account {fields.get('account')} at "
                f"{fields.get('api_url')}, by {fields.get('actor')} ({fields.get('operator')}), "
                f"permmigrate {fields.get('tool_version')}"
            )
        case "intent":
            role = f" {fields['role']}" if "role" in fields else ""
            return f"will {fields['call']}{role}, {counted(len(fields['operations']), 'operation')}"
        case "done":
            status = f" {fields['status']}" if fields.get("status") else ""
            request = f", request {fields['request_id']}" if fields.get("request_id") else ""
            why = f": {fields['why']}" if fields.get("why") else ""
            return f"line {fields['intent']}: {fields['how']}{status}{request}{why}"
        case "already":
            return f"already so: {counted(len(fields['operations']), 'operation')}"
        case "failed":
            return f"failed: {counted(len(fields['operations']), 'operation')}: {fields['why']}"
        case _:
            rest = ", ".join(f"{name} {_plain(value)}" for name, value in fields.items())
            return f"{line.kind}: {rest}"


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _subject(named: list[Any]) -> str:
    if len(named) == 2:
        return str(named[0])
    kind, identity, role, *where = named
    return " ".join([f"{kind}:{identity}", role, *(str(each) for each in where if each)])


def _state(value: Any) -> str:
    match value:
        case True:
            return "held"
        case False:
            return "not held"
        case None:
            return "none"
        case _:
            return "defined"
