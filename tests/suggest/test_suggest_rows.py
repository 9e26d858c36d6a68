"""Suggested rows stand where the old ones stood; everything else of a table stays byte for byte."""

from __future__ import annotations

from pathlib import Path

import pytest
from table_texts import reloaded

from permmigrate.diff import Severity
from permmigrate.mapping import LegacyKind
from permmigrate.mapping.rows import Scope, ScopeKind
from permmigrate.resources import mappings_dir
from permmigrate.suggest import Choice, Cost, Item, NewRole, Pick, Suggestion, rewritten

FOLDER = Scope(ScopeKind.FOLDER)


def choice(file: str, key: tuple[str, ...], replaces: tuple[int, ...], *targets: str) -> Choice:
    picks = tuple(Pick(target, target, FOLDER) for target in targets)
    cost = Cost(gained=(Item(Severity.HIGH, 'Share "all" assets'),))
    return Choice(
        LegacyKind.FOLDER_LEVEL, "can_edit", "Can edit", file, (key,), replaces, 3, ("Editor",), cost,
        picks, Cost(), True, "said, so",
    )  # fmt: skip


def suggestion(*choices: Choice, new_roles: tuple[NewRole, ...] = ()) -> Suggestion:
    return Suggestion("a" * 64, "b" * 64, choices, new_roles)


LEVELS = """\
# first, a comment
level{0}principal_type{0}target_type{0}target{0}source{0}confidence{0}note
can_view{0}any{0}role{0}folder/Viewer{0}us{0}inferred{0}"one
# no comment
two"

# about edit
can_edit{0}any{0}role{0}folder/Editor{0}us{0}inferred{0}
can_manage{0}any{0}none{0}{0}us{0}inferred{0}"""
"""With a note over three lines, of which one looks like a comment, and no end of the last line."""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("bom", ["", "\ufeff"])
def test_rows_take_the_place_of_others(end: str, separator: str, bom: str) -> None:
    """Comments, line ends, separators, the byte order mark and other rows are as they were."""
    text = bom + LEVELS.format(separator).replace("\n", end)
    made = suggestion(choice("folder_levels.csv", ("can_edit", "any"), (8,), "a::role", "folder/b"))
    lines = rewritten({"folder_levels.csv": text}, made)["folder_levels.csv"].split(end)
    old = text.split(end)
    assert old[:7] == lines[:7]
    assert old[8:] == [line for line in lines[9:] if line]
    for line, target in zip(lines[7:9], ("a::role", "folder/b"), strict=True):
        cells = ["can_edit", "any", "role", target, f"suggested from {'a' * 12} against catalog {'b' * 12}"]
        assert line.startswith(separator.join(cells))
        assert 'adds 1 high (Share ""all"" assets)' in line


def test_rows_that_replace_none_come_last() -> None:
    """The last line gets its end first."""
    made = suggestion(choice("folder_levels.csv", ("can_wonder", "user"), ()))
    text = LEVELS.format(",")
    lines = rewritten({"folder_levels.csv": text}, made)["folder_levels.csv"].splitlines()
    assert text.splitlines() == lines[:-1]
    assert lines[-1].startswith("can_wonder,user,none,,suggested from")


def test_tables_that_were_not_there_are_begun(tmp_path: Path) -> None:
    """Overrides and new roles get a header row; what is not touched is the same text."""
    files = {
        path.name: path.read_text(encoding="utf-8")
        for path in mappings_dir().glob("*.csv")
        if path.name != "overrides.csv"
    }
    role = NewRole("Seer", "folder", ("cld::policy::content::folder::view_download", "x::y"), "sees")
    key = ("user", "id", "u1", "folder_level", "*")
    made = suggestion(choice("overrides.csv", key, (), role.target), new_roles=(role,))
    found = rewritten(files, made)
    assert {"overrides.csv", "custom_roles.csv"} == found.keys() - files.keys()
    assert files == {name: found[name] for name in files}
    tables = reloaded(tmp_path, found)
    (override,), (custom,) = tables.overrides, tables.custom_roles
    assert ("new-role/Seer", "folder", "said, so") == (
        override.target.name, str(override.target.scope), override.reason
    )  # fmt: skip
    assert (role.name, role.level, role.policies) == (custom.role, custom.level, custom.policies)


def test_nothing_to_change_changes_nothing() -> None:
    """Without changed choices the texts come out as they went in."""
    assert {"folder_levels.csv": LEVELS} == rewritten({"folder_levels.csv": LEVELS}, suggestion())
