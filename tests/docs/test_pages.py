"""The pages fit together: links lead somewhere, commands exist, the README leads to every page."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from permmigrate.cli import cli

ROOT = Path(__file__).parents[2]
PAGES = [*sorted((ROOT / "docs").glob("*.md")), *(ROOT / name for name in ("README.md", "CONTRIBUTING.md"))]
PAGES += [ROOT / "CHANGELOG.md", ROOT / "mappings" / "README.md"]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
COMMAND = re.compile(r"^ *(?:\w+=\$\()?permmigrate ([^|>&;#)\n]+)", re.MULTILINE)
OURS = re.compile(r"`((?:tests|docs|src|mappings|bench)/[\w./-]+\.\w+)`")


def slugs(page: Path) -> set[str]:
    """The anchors that GitHub gives a page's headings."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    """Relative links name files that are there, and headings that they have."""
    for link in LINK.findall(FENCE.sub("", page.read_text(encoding="utf-8"))):
        if re.match(r"https?://", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), link
        assert target.is_relative_to(ROOT), link
        if anchor:
            assert anchor in slugs(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_of_ours_that_is_named_is_there(page: Path) -> None:
    """A page that names a test or a table names one that exists."""
    named = OURS.findall(page.read_text(encoding="utf-8"))
    assert [] == [name for name in named if not (ROOT / name).exists()]


def test_every_rule_of_apply_names_tests_that_exist() -> None:
    """The table of `docs/apply.md` has the twelve rules in order, and each test in it can be found."""
    page = (ROOT / "docs" / "apply.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\d+) \| (`test_.+) \|$", page, re.MULTILINE)
    assert [str(number) for number in range(1, 13)] == [number for number, _ in rows]
    tests = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
    named = [name for _, names in rows for name in re.findall(r"`(test_\w+)`", names)]
    assert [] == [name for name in named if f"\ndef {name}(" not in tests]


def test_every_page_can_be_found() -> None:
    """The README links to each of them."""
    links = LINK.findall((ROOT / "README.md").read_text(encoding="utf-8"))
    targets = {link.partition("#")[0] for link in links}
    assert {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")} <= targets


def commands(page: Path) -> Iterator[list[str]]:
    """The arguments of every line that calls the tool."""
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for line in COMMAND.findall(text):
        if "[OPTIONS]" not in line:
            yield shlex.split(line)


def parse(arguments: list[str]) -> None:
    """Let click read a command line, and do nothing. Raises ClickException when it does not fit."""
    command: click.Command = cli
    context = click.Context(cli, info_name="permmigrate")
    words = list(arguments)
    while isinstance(command, click.Group) and words and words[0] in command.list_commands(context):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None
        command, context = found, click.Context(found, info_name=name, parent=context)
    if isinstance(command, click.Group) and words and not words[0].startswith("-"):
        command.resolve_command(context, words)
    command.make_context(command.name, words, parent=context.parent)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_line_can_be_read(page: Path) -> None:
    """The command is there, with these options, and what they need is given."""
    for arguments in commands(page):
        parse(arguments)


def test_a_line_that_does_not_fit_is_noticed() -> None:
    """Or the test above would hold for anything."""
    with pytest.raises(click.UsageError):
        parse(["diff", "account.snapshot", "--outt", "reports"])
    with pytest.raises(click.UsageError):
        parse(["plan", "maek"])
    assert sum(1 for _ in commands(ROOT / "docs" / "tutorial.md")) > 20


def test_every_refusal_that_is_explained_is_one() -> None:
    """What the page about apply quotes is said by the code, letters for values aside."""
    page = (ROOT / "docs" / "apply.md").read_text(encoding="utf-8")
    quoted = re.findall(r"^ +\| `([^`]+)` \|", page, re.MULTILINE)
    folders = [ROOT / "src" / "permmigrate" / name for name in ("apply", "plan", "cli")]
    code = " ".join(path.read_text(encoding="utf-8") for folder in folders for path in folder.rglob("*.py"))
    assert len(quoted) >= 8
    for words in quoted:
        for part in re.split(r"\b[XYZ]\b", words):
            assert part.strip(" ,") in code, words
