"""Write docs/reference.md: every command from the click tree, every file format from the schemas that ship.

It invents no words: what is missing there is missing in a help text, an error class or a schema.
"""

from __future__ import annotations

import inspect
import json
import re
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from permmigrate.cli import cli

ROOT: Final = Path(__file__).parent.parent
PAGE: Final = ROOT / "docs" / "reference.md"
WIDTH: Final = 110
HEAD: Final = """\
# Reference

Made by `make docs` from the commands and the schemas themselves: do not edit it here.

"""


def page() -> str:
    """The whole page."""
    commands = list(_commands(cli, click.Context(cli, info_name="permmigrate")))
    schemas = sorted((ROOT / "src" / "permmigrate").rglob("*.schema.json"))
    names = [context.command_path for _, context in commands]
    parts = [
        HEAD + "\n".join([*_contents(names), *(_link(f"File: {path.name}", 0) for path in schemas)]),
        _exit_codes(),
        *(_command(command, context) for command, context in commands),
        *(_schema(path) for path in schemas),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _contents(names: list[str]) -> Iterator[str]:
    yield _link("Exit codes", 0)
    for name in names:
        yield _link(name, max(0, name.count(" ") - 1))


def _link(heading: str, depth: int) -> str:
    """A line of the contents; the anchor is the one that GitHub gives the heading."""
    anchor = re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
    return f"{'  ' * depth}- [{heading}](#{anchor})"


def _commands(
    command: click.Command, context: click.Context
) -> Iterator[tuple[click.Command, click.Context]]:
    yield command, context
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            yield from _commands(child, click.Context(child, info_name=name, parent=context))


def _exit_codes() -> str:
    """The README's table, which a test holds to `ExitCode`."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("## Exit codes\n")[2].partition("\n## ")[0]
    return f"## Exit codes\n\n{table.strip()}"


def _command(command: click.Command, context: click.Context) -> str:
    usage = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    lines = [f"## {context.command_path}", "", f"    {usage}", "", *_help(command.help or "")]
    records = [record for each in command.get_params(context) if (record := each.get_help_record(context))]
    records = [(names, words) for names, words in records if words and "--help" not in names]
    if records:
        lines += ["", *(_wrapped(f"- `{names}`: {words}", "  ") for names, words in records)]
    return "\n".join(lines)


def _help(text: str) -> Iterator[str]:
    r"""Paragraphs wrapped; what click leaves as it is (`\b`), as code under its first line."""
    for number, paragraph in enumerate(inspect.cleandoc(text).split("\n\n")):
        if number:
            yield ""
        if not paragraph.startswith("\b\n"):
            yield _wrapped(" ".join(paragraph.split()))
            continue
        head, *rest = paragraph.removeprefix("\b\n").splitlines()
        is_head = head.endswith(":") or not head.startswith("permmigrate")
        shell = "sh" if head == "Example:" else ""
        body = textwrap.dedent("\n".join(rest if is_head else [head, *rest]))
        yield from ([f"{head}", ""] if is_head else [])
        yield from (f"```{shell}", body, "```")


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(
        text, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def _schema(path: Path) -> str:
    """One file format: what it is, then every object in it with its fields."""
    document = json.loads(path.read_text(encoding="utf-8"))
    inside = path.relative_to(ROOT / "src").as_posix()
    head = [f"## File: {path.name}", "", f"The JSON Schema is `{inside}` in the package.", ""]
    named = [("the file", document), *sorted(document.get("$defs", {}).items())]
    parts = ["\n".join([*head, _wrapped(document.get("description", document.get("title", "")))])]
    for name, each in named:
        text = "" if each is document else each.get("description", "")
        shapes = each.get("anyOf") or each.get("oneOf") or [each]
        lines = [f"### {path.name.partition('.')[0]}: {name}"]
        lines += ["", _wrapped(text)] if text else []
        for shape in shapes:
            lines += ["", *_shape(shape, is_one_of=len(shapes) > 1)]
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def _shape(shape: dict[str, Any], *, is_one_of: bool) -> Iterator[str]:
    if is_one_of and (text := shape.get("description")):
        yield from (_wrapped(text), "")
    if not shape.get("properties"):
        yield f"- {_holds(shape)}"
    needed = set(shape.get("required", ()))
    for name, field in sorted(shape.get("properties", {}).items()):
        optional = "" if name in needed else ", may be left out"
        said = field.get("description", "")
        yield _wrapped(f"- `{name}`: {_holds(field)}{optional}" + (f". {said}" if said else ""), "  ")


def _holds(field: dict[str, Any]) -> str:
    """What a value may be, in words."""
    match field:
        case {"$ref": str(name)}:
            return f"`{name.rpartition('/')[2]}`"
        case {"const": value}:
            return f"`{json.dumps(value)}`"
        case {"enum": values}:
            return "one of " + ", ".join(f"`{json.dumps(value)}`" for value in values)
        case {"anyOf": options} | {"oneOf": options}:
            return " or ".join(_holds(each) for each in options)
        case {"prefixItems": parts}:
            return "[" + ", ".join(_holds(part) for part in parts) + "]"
        case {"type": "array", "items": dict(items)}:
            return f"list of {_holds(items)}"
        case {"type": "object", "properties": dict(inner)}:
            return "object of " + ", ".join(
                f"`{name}` ({_holds(each)})" for name, each in sorted(inner.items())
            )
        case {"type": "object", "additionalProperties": dict(values)}:
            return f"object of {_holds(values)} by name"
        case {"type": list(names)}:
            return " or ".join(names)
        case {"type": str(name)}:
            return name
        case _:
            return "anything"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
