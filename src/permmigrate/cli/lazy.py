"""A group of commands that knows them by name and imports one only when it is used."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click


class LazyGroup(click.Group):
    """Takes its subcommands' one line of help from a table, so that help needs no import."""

    def __init__(self, *args: Any, package: str, lazy: Mapping[str, str], **kwargs: Any) -> None:
        """`lazy` maps each name to its line of help; the module `package.name` holds `command`."""
        super().__init__(*args, **kwargs)
        self._package = package
        self._lazy = dict(lazy)

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(self._lazy)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in self._lazy:
            return None
        module = cmd_name.replace("-", "_") + ("_" if cmd_name == "import" else "")
        command: click.Command = importlib.import_module(f"{self._package}.{module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self._lazy:
            with formatter.section("Commands"):
                formatter.write_dl(sorted(self._lazy.items()))
