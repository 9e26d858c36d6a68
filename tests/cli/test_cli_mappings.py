"""`permmigrate mappings`: copying and checking the tables."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from permmigrate.errors import ExitCode
from permmigrate.resources import mappings_dir

pytestmark = pytest.mark.usefixtures("compared_once")
USER_ROLES = """\
legacy_role,target_type,target,scope,source,confidence,note
admin,role,account/Admn,account,us,customer,
billing,role,account/Billing,acount,us,customer,
reports,bundle,Reprots,each_environment,us,customer,
technical_admin,bundel,Technical Admin,each_environment,us,customer,
media_library_user,role,,account,us,customer,
media_library_admin,none,Media Library Admin,,us,customer,
master_admin,bundle,Master Admin,all_environments,us,sure,
master_admin,bundle,Master Admin,all_environments,,inferred,
*,bundle,Admin,each_environment,us,customer,
"""
API_KEYS = """\
match,environment,enabled,target_type,target,scope,source,confidence,note
7.99E+14,*,any,none,,,us,customer,
*,*,maybe,none,,,us,customer,
*,*,any,role,collection/Viewer,each_environment,us,customer,
*,atlantis,any,none,,,us,customer,
"""
PLACES = [
    *(f"api_keys.csv:{line}" for line in (2, 3, 4, 5)),
    *(f"user_roles.csv:{line}" for line in range(2, 11)),
]


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    """The shipped tables, copied."""
    copy = tmp_path / "mappings"
    shutil.copytree(mappings_dir(), copy)
    return copy


def test_the_shipped_tables_pass_with_the_small_account(call, snapshot: Path, tables: Path) -> None:
    """People whom no row speaks of are warnings; the hint for one without a role can be followed."""
    ran = call("mappings", "check", tables, "--snapshot", snapshot)
    assert ran.code == ExitCode.OK
    assert "translates users without a legacy role" in ran.out
    assert f"next: permmigrate diff {snapshot}" in ran.err
    with (tables / "user_roles.csv").open("a", encoding="utf-8") as file:
        file.write("(none),none,,,us,customer,\ncontent_curator,none,,,us,customer,\n")
    mended = call("mappings", "check", tables, "--snapshot", snapshot)
    assert (mended.code, "unmapped" in mended.out) == (ExitCode.OK, False)
    compared = call("diff", snapshot, "--mappings", tables, "--out", tables.parent, "--format", "json")
    assert ExitCode.OK == compared.code


def test_mistakes_of_writing_and_of_meaning_come_at_once(call, snapshot: Path, tables: Path) -> None:
    """Thirteen mistakes in two tables, some of which hide rows, are told together by file and line."""
    (tables / "user_roles.csv").write_text(USER_ROLES, encoding="utf-8")
    (tables / "api_keys.csv").write_text(API_KEYS, encoding="utf-8")
    ran = call("mappings", "check", tables, "--snapshot", snapshot)
    assert ran.code == ExitCode.INVALID_FILE
    told = [line.split(": ")[0].strip() for line in ran.err.splitlines() if line.startswith("  ")]
    assert [place for place in told if ".csv:" in place] == PLACES
    assert ran.err.startswith(f"permmigrate: `{tables}` has {len(PLACES)} mistakes\n")
    assert "unmapped" not in ran.out
    as_json = call("mappings", "check", tables, "--snapshot", snapshot, "--json")
    found = [each for each in json.loads(as_json.out) if each["level"] == "error"]
    assert [f"{each['file']}:{each['line']}" for each in found] == PLACES
    assert {each["rule"] for each in found} == {
        "unreadable",
        "unknown-role",
        "unknown-bundle",
        "unknown-environment",
        "wrong-principal",
    }
    refused = call("diff", snapshot, "--mappings", tables, "--out", tables.parent / "reports")
    assert refused.code == ExitCode.INVALID_FILE


def test_one_is_not_many(call, tables: Path) -> None:
    """One warning is a warning, and one mistake is a mistake."""
    with (tables / "overrides.csv").open("a", encoding="utf-8") as file:
        file.write("user,id,7,any,*,none,,,,,us,customer,\n")
    ran = call("mappings", "check", tables)
    assert (ran.code, ran.err) == (ExitCode.OK, f"{tables}: no mistakes, 1 warning\n")
    with (tables / "overrides.csv").open("a", encoding="utf-8") as file:
        file.write("user,id,8,any,*,none,,,why,tomorrow,us,customer,\n")
    ran = call("mappings", "check", tables)
    assert ran.err.startswith(f"permmigrate: `{tables}` has 1 mistake\n")


def test_init_refuses_a_folder_that_holds_a_table(call, tmp_path: Path) -> None:
    """What somebody edited is neither overwritten nor completed, as the help says."""
    (tmp_path / "user_roles.csv").write_text("mine")
    ran = call("mappings", "init", tmp_path)
    assert ran.code == ExitCode.REFUSED
    assert [path.name for path in tmp_path.iterdir()] == ["user_roles.csv"]
    assert "refused" in call("mappings", "init", "--help").out
    assert call("mappings", "init", tmp_path / "new").code == ExitCode.OK
    assert call("mappings", "check", tmp_path / "new").code == ExitCode.OK


def test_a_narrow_row_for_keys_leaves_no_expansion(call, few: Path, tables: Path) -> None:
    """As shipped every key is widened; mapped to Contributor none is, and the losses are still told."""
    wide = _keys(call, few, tables)
    assert wide
    assert all(key["gained"] for key in wide)
    path = tables / "api_keys.csv"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("cld::role::prodenv::master_admin", "environment/Contributor"), "utf-8")
    narrow = _keys(call, few, tables)
    assert not any(key["gained"] or key["maybe_gained"] for key in narrow)
    assert all(key["lost"] for key in narrow)


def _keys(call, snapshot: Path, tables: Path) -> list[dict[str, object]]:
    """What the comparison says of the API keys of environments."""
    out = tables.parent / "reports"
    assert call("diff", snapshot, "--mappings", tables, "--out", out, "--format", "json").code == ExitCode.OK
    keys = json.loads((out / "diff.json").read_text(encoding="utf-8"))["tables"]["keys"]
    return [key for key in keys if "legacy API key" in str(key["before"])]
