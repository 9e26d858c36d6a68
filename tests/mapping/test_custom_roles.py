"""custom_roles.csv: roles that rows may give before the account has them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import builders
from permmigrate.catalog import Catalog, UnknownTarget
from permmigrate.diff.compare import compare
from permmigrate.diff.value import Verdict
from permmigrate.errors import InvalidFileError
from permmigrate.mapping.custom_roles import extended
from permmigrate.mapping.lint import check
from permmigrate.mapping.tables import MappingTables, load
from permmigrate.mapping.translate import translate
from permmigrate.model import ManagementType, Role, RoleId
from permmigrate.resources import mappings_dir

TODAY = date(2026, 11, 22)
FOLDER = "cld::policy::content::folder::"
HEADER = "role,level,policies,description,source,confidence,note\n"
SEER = f"Seer,folder,{FOLDER}view_download {FOLDER}download_public*,looks,us,customer,\n"


def tables(folder: Path, custom: str = SEER, level: str = "can_view,any,role,new-role/Seer") -> MappingTables:
    """The shipped tables with a custom role, given for Can view."""
    for path in mappings_dir().glob("*.csv"):
        (folder / path.name).write_bytes(path.read_bytes())
    (folder / "custom_roles.csv").write_text(HEADER + custom, encoding="utf-8")
    levels = "level,principal_type,target_type,target,source,confidence,note\n" + level + ",us,customer,\n"
    (folder / "folder_levels.csv").write_text(levels, encoding="utf-8")
    return load(folder)


SNAPSHOT = builders.snapshot(
    users=(builders.user("u1"),),
    folders=(builders.folder("Brands"),),
    shares=(builders.share("Brands", builders.a_user("u1")),),
)


def test_a_role_to_be_created_is_planned_and_compared(tmp_path: Path) -> None:
    """Its stand-in is assigned on the folder, and what it permits is what its policies permit."""
    mine = tables(tmp_path)
    planned = [p.assignment for p in translate(SNAPSHOT, mine, today=TODAY).planned]
    assert [("new-role/Seer", "f:Brands")] == [
        (a.role_id, a.folder_id) for a in planned if a.folder_id is not None
    ]
    diff = compare(SNAPSHOT, mine, today=TODAY, tool_version="0")
    folder = [finding for finding in diff.findings if finding.region.content_id]
    assert {Verdict.MAYBE_LOST} == {finding.verdict for finding in folder}
    assert SNAPSHOT.catalog.digest == diff.catalog_digest
    wider = tables(tmp_path, SEER.replace("view_download", "*"))
    diff = compare(SNAPSHOT, wider, today=TODAY, tool_version="0")
    assert Verdict.GAINED in {finding.verdict for finding in diff.findings if finding.region.content_id}


def test_a_role_that_was_created_since_is_the_accounts(tmp_path: Path) -> None:
    """The same rows then name the role by the id the account gave it, and nothing is planned twice."""
    mine = tables(tmp_path)
    book = extended(SNAPSHOT.catalog, mine.custom_roles)
    planned = book.roles[RoleId("new-role/Seer")]
    created = replace(planned, id=RoleId("seer_2378"), name="SEER")
    later = Catalog.of(
        SNAPSHOT.catalog.policies.values(),
        (*SNAPSHOT.catalog.roles.values(), created),
        SNAPSHOT.catalog.schema,
        SNAPSHOT.catalog.source,
    )
    assert created == extended(later, mine.custom_roles).resolve("new-role/Seer")
    assert not extended(later, mine.custom_roles).planned
    roles = {
        p.assignment.role_id for p in translate(replace(SNAPSHOT, catalog=later), mine, today=TODAY).planned
    }
    assert "seer_2378" in roles
    assert "new-role/Seer" not in roles
    other = replace(created, policy_ids=created.policy_ids[:1])
    narrower = Catalog.of(SNAPSHOT.catalog.policies.values(), (other,), SNAPSHOT.catalog.schema)
    assert {"new-role/Seer"} == extended(narrower, mine.custom_roles).planned


def test_extending_twice_is_extending_once(tmp_path: Path) -> None:
    """The catalog's digest and its roles stay; without rows it is the very same catalog."""
    mine = tables(tmp_path)
    once = extended(SNAPSHOT.catalog, mine.custom_roles)
    assert once is extended(once, mine.custom_roles)
    assert SNAPSHOT.catalog is extended(SNAPSHOT.catalog, ())
    assert SNAPSHOT.catalog.digest == once.digest
    role = once.roles[RoleId("new-role/Seer")]
    assert isinstance(role, Role)
    assert ("folder", ManagementType.CUSTOM) == (role.level, role.management_type)
    assert isinstance(SNAPSHOT.catalog.resolve("new-role/Seer"), UnknownTarget)


@pytest.mark.parametrize(
    ("custom", "level", "rule", "words"),
    [
        (
            SEER + SEER.replace("looks", "sees").replace("Seer", "seer"),
            "new-role/Seer",
            "ambiguous",
            "line 2",
        ),
        (SEER.replace("view_download", "view_dwnload"), "new-role/Seer", "unknown-policy", "did you mean"),
        (SEER.replace("folder,", "environment,"), "new-role/Seer", "unknown-policy", "for folder roles"),
        (SEER.replace(",folder,", ",account,"), "new-role/Seer", "unknown-policy", "no policy"),
        (SEER, "folder/Viewer", "dead", "gives `new-role/Seer` to anybody"),
        (SEER, "new-role/Sear", "unknown-role", "new-role/Seer"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, custom: str, level: str, rule: str, words: str) -> None:
    """Policies that are not there or not for that level, names taken, roles nobody is given."""
    mine = tables(tmp_path, custom, f"can_view,any,role,{level}")
    notices = check(mine, catalog=SNAPSHOT.catalog, snapshot=None, today=TODAY)
    told = [str(n.problem) for n in notices if n.rule == rule]
    assert any(words in each for each in told), notices


def test_good_rows_are_not_told_and_read_in_words(tmp_path: Path) -> None:
    """A defined and given role is fine, is described, and changes the tables' digest."""
    mine = tables(tmp_path)
    notices = check(mine, catalog=None, snapshot=SNAPSHOT, today=TODAY)
    assert not [n for n in notices if n.problem.file == "custom_roles.csv" or n.level == "error"]
    words = {text for ref, text, _, _ in mine.all_rows() if ref.file == "custom_roles.csv"}
    assert {f"new role Seer for folders, made of {FOLDER}view_download {FOLDER}download_public*"} == words
    assert mine.digest != replace(mine, custom_roles=()).digest


def test_custom_collection_roles_do_not_exist(tmp_path: Path) -> None:
    """The level is refused where the row stands."""
    with pytest.raises(InvalidFileError) as caught:
        tables(tmp_path, SEER.replace("folder,", "collection,", 1))
    assert ["custom_roles.csv:2"] == [problem.where for problem in caught.value.problems]
