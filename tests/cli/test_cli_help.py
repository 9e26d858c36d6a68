"""The help is complete, and the README tells the truth about commands and exit codes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from permmigrate.cli import COMMANDS, cli
from permmigrate.errors import ExitCode

ROOT = Path(__file__).parents[2]


def leaves() -> Iterator[tuple[str, ...]]:
    """The path of every command that does something."""
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            if command.invoke_without_command:
                yield (name,)
            for sub in command.list_commands(click.Context(command)):
                yield (name, sub)
        else:
            yield (name,)


@pytest.mark.parametrize("path", list(leaves()), ids=" ".join)
def test_every_command_has_an_example_in_its_help(path: tuple[str, ...]) -> None:
    """A person who asks for help is shown a line to copy."""
    result = CliRunner().invoke(cli, [*path, "--help"])
    assert result.exit_code == 0
    assert re.search(r"Example:\s+permmigrate " + " ".join(path), result.output)


def test_the_list_of_commands_names_the_modules_there_are() -> None:
    """No command is hidden, and none is named in vain."""
    folder = ROOT / "src/permmigrate/cli"
    files = [*folder.glob("*.py"), *folder.glob("*/__init__.py")]
    commands = [path for path in files if "\ndef command(" in path.read_text(encoding="utf-8")]
    names = [path.parent.name if path.stem == "__init__" else path.stem for path in commands]
    assert set(COMMANDS) == {name.rstrip("_").replace("_", "-") for name in names}


def test_the_readme_documents_every_exit_code() -> None:
    """The table of exit codes has each code once, in order."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    table = readme.partition("## Exit codes")[2].partition("\n## ")[0]
    codes = [int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)]
    assert [code.value for code in ExitCode] == codes


def test_every_command_in_the_readme_exists() -> None:
    """Each `permmigrate ...` line of the README names a command and options that there are."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    lines = re.findall(r"^permmigrate (.+?)(?:\s+#.*)?$", readme, re.MULTILINE)
    assert len(lines) >= 6
    for line in lines:
        words = line.split()
        depth = 2 if len(words) > 1 and (words[0], words[1]) in set(leaves()) else 1
        help_text = CliRunner().invoke(cli, [*words[:depth], "--help"])
        assert help_text.exit_code == 0, line
        for option in re.findall(r"--[a-z-]+", line):
            assert option in help_text.output, line


def test_python_dash_m_is_the_same_program() -> None:
    """`python -m permmigrate` answers as the console script does."""
    import subprocess
    import sys

    done = subprocess.run(
        [sys.executable, "-m", "permmigrate", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("permmigrate, version ")
