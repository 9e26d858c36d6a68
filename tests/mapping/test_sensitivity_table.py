"""sensitivity.csv: which folders matter more, and what that does to a severity."""

from __future__ import annotations

import fnmatch
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from mapping_builders import CATALOG, TODAY, environment, snapshot, write

from permmigrate.errors import InvalidFileError
from permmigrate.mapping.lint import check
from permmigrate.mapping.rows import Origin
from permmigrate.mapping.schema import SEVERITIES
from permmigrate.mapping.sensitivity import SensitivityRow
from permmigrate.mapping.tables import MappingTables, load
from permmigrate.mapping.value import RowRef
from permmigrate.model import Confidence, EnvironmentId, Folder, FolderId
from permmigrate.snapshot import Snapshot

EU, US = environment("env_eu"), environment("env_us")
HEADER = "environment,folder,label,raise,reason,source,confidence,note\n"


def tables(directory: Path, *rows: str) -> MappingTables:
    write(directory)
    text = HEADER + "".join(row + ",why,test,customer,\n" for row in rows)
    (directory / "sensitivity.csv").write_text(text, encoding="utf-8")
    return load(directory)


def row(folder: str, label: str = "secret", line: int = 2) -> SensitivityRow:
    origin = Origin(RowRef("sensitivity.csv", line), "test", Confidence.CUSTOMER)
    return SensitivityRow(origin=origin, environment="*", folder=folder, label=label, steps=1)


def label(found: SensitivityRow | None) -> str:
    return found.label if found else ""


@pytest.mark.parametrize(
    ("glob", "inside", "outside"),
    [
        ("/legal", ("legal", "Legal/2026", "LEGAL/2026/a"), ("legals", "x/legal", "le")),
        ("/legal/**", ("legal", "legal/2026"), ("legals/2026", "x/legal")),
        ("**/contracts", ("contracts", "a/Contracts", "a/b/contracts/c"), ("a/contracts2", "a/my contracts")),
        ("/brands/*/legal", ("brands/a/legal/x",), ("brands/legal", "brands/a/b/legal")),
        ("/brands/**/legal", ("brands/legal", "brands/a/b/legal/c"), ("legal", "x/brands/legal")),
        ("**/embargo*", ("embargo", "a/embargo 2026"), ("a/no embargo",)),
        ("/q?", ("q1", "q2/x"), ("q", "q10")),
        ("/[draft] (1)", ("[draft] (1)",), ("d (1)",)),
        ("/**", ("anything", "at/all"), ()),
        ("**", ("anything", "at/all"), ()),
    ],
)
def test_a_glob_means_folders_and_all_in_them(
    glob: str, inside: tuple[str, ...], outside: tuple[str, ...]
) -> None:
    """A slash in front means the top, two stars any depth; everything below a folder that fits is in."""
    mapping = MappingTables(sensitivities=(row(glob),))

    assert [path for path in inside if mapping.sensitivity(EU, path) is None] == []
    assert [path for path in outside if mapping.sensitivity(EU, path) is not None] == []


def _fits(names: list[str], path: list[str]) -> bool:
    """The same rule, spelt out: some beginning of the path fits the names one by one."""
    if not names:
        return True
    if names[0] == "**":
        return any(_fits(names[1:], path[skipped:]) for skipped in range(len(path) + 1))
    return bool(path) and fnmatch.fnmatchcase(path[0], names[0]) and _fits(names[1:], path[1:])


NAME = st.text("ab*?", min_size=1, max_size=3).filter(lambda name: "**" not in name)


NAMES = st.lists(NAME | st.just("**"), min_size=1, max_size=4)


@given(NAMES, st.lists(st.text("ab", min_size=1, max_size=3), min_size=1))
@example(["**", "a", "**"], ["b", "a"])
@example(["**", "**", "a"], ["a"])
def test_globs_agree_with_the_rule_spelt_out(names: list[str], path: list[str]) -> None:
    """One expression over all rows answers as a walk over names does."""
    mapping = MappingTables(sensitivities=(row("/" + "/".join(names)),))

    assert _fits(names, path) == (mapping.sensitivity(EU, "/".join(path)) is not None)


def test_the_first_row_that_fits_decides_for_everything_below(tmp_path: Path) -> None:
    """An earlier row takes its folder, and all in it, out of a later one."""
    mapping = tables(
        tmp_path, "*,/legal/public,open,0", "acme-us,**/legal,us only,2", "*,/legal,secret,at least high"
    )

    assert ["open", "open", "secret", "", "us only"] == [
        label(mapping.sensitivity(where, path))
        for where, path in (
            (EU, "legal/public"),
            (US, "legal/public/x"),
            (EU, "legal/2026"),
            (EU, "hr/legal"),
            (US, "hr/legal"),
        )
    ]


def test_severities_go_up_and_never_down(tmp_path: Path) -> None:
    """Steps stop at critical; `at least` leaves what is worse already."""
    mapping = tables(tmp_path, "*,/one,l,1", "*,/three,l,3", "*,/least,l,at least HIGH", "*,/none,l,0")

    assert {
        "/one": ["critical", "critical", "high", "medium"],
        "/three": ["critical"] * 4,
        "/least": ["critical", "high", "high", "high"],
        "/none": list(SEVERITIES),
    } == {each.folder: [each.raised(severity) for severity in SEVERITIES] for each in mapping.sensitivities}
    assert [True, True, True, False] == [each.raises for each in mapping.sensitivities]


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """Cells that cannot be meant are reported together, by line, with what to write instead."""
    with pytest.raises(InvalidFileError) as caught:
        tables(
            tmp_path,
            "*,legal,secret,1",
            "*,/a//b,secret,1",
            "*,/a/x**,secret,1",
            ",,,",
            "*,/a,secret,4",
            "*,/a,secret,at least low",
        )

    assert [
        (2, "`legal` does not say where the folder is"),
        (3, "`/a//b` has a folder without a name"),
        (4, "`**` stands alone between slashes, unlike in `/a/x**`"),
        (5, "`environment` is empty"),
        (5, "`folder` is empty"),
        (5, "`label` is empty"),
        (5, "`raise` is empty"),
        (6, "`4` is not a word for `raise`"),
        (7, "`at least low` is not a word for `raise`"),
    ] == [(problem.line, problem.message) for problem in caught.value.problems]
    assert "`**/legal` for any of that name" in caught.value.problems[0].hint


def account(*paths: str) -> Snapshot:
    folders = (Folder(FolderId(path), EnvironmentId("env_eu"), path) for path in paths)
    return replace(snapshot(), folders=tuple(folders))


def notices(mapping: MappingTables, account: Snapshot | None) -> list[str]:
    found = check(mapping, catalog=CATALOG, snapshot=account, today=TODAY)
    return [str(notice) for notice in found if notice.problem.file == "sensitivity.csv"]


def test_rows_that_meet_no_folder_are_told(tmp_path: Path) -> None:
    """With a snapshot's folders, a row that meets none is dead; without any folders nothing is said."""
    mapping = tables(tmp_path, "*,/legal,secret,1", "nowhere,/hr,secret,1", "*,/hr,secret,at least medium")
    dead = "warning dead: sensitivity.csv:{}: no folder of the snapshot meets this row: {}"

    assert [
        dead.format(
            3, "folders /hr of environment nowhere are secret: what is found there is 1 step more severe"
        ),
        dead.format(4, "folders /hr are secret: what is found there is medium at least"),
    ] == notices(mapping, account("Legal/2026", "Brands"))
    assert [] == notices(mapping, account()) == notices(mapping, None)


def test_a_row_below_a_wider_one_is_shadowed(tmp_path: Path) -> None:
    """What surely leaves nothing to a later row is told once, without a second notice that it is dead."""
    mapping = tables(tmp_path, "*,/legal/**,a,2", "acme-eu,/legal,b,1", "*,/**,c,0", "*,/hr,d,1")
    shadowed = "warning shadowed: sensitivity.csv:{}: never matches: line {} comes first and covers it"

    assert [
        f"{shadowed.format(3, 2)} (put the narrower row first, or remove it)",
        f"{shadowed.format(5, 4)} (put the narrower row first, or remove it)",
    ] == notices(mapping, account("legal", "hr"))


def test_the_digest_follows_the_rows(tmp_path: Path) -> None:
    """An empty table is as if it were not there; a row changes the digest; no row translates anything."""
    without = write(tmp_path)
    plain = load(without).digest
    empty, filled = tables(tmp_path), tables(tmp_path, "*,/legal,secret,0")

    assert plain == empty.digest != filled.digest
    assert list(empty.rows()) == list(filled.rows())
    assert "folders /legal are secret: no more severe than elsewhere" in {
        text for _, text, _, _ in filled.all_rows()
    }
