"""A snapshot from lists: filled in as people do, looked at first, written once, and good for a diff."""

from __future__ import annotations

import csv
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

import builders
from command_line import Account, Ran
from permmigrate.errors import ExitCode
from permmigrate.snapshot.catalogfile import dump_catalog
from permmigrate.snapshot.file import load

Call = Callable[..., Ran]


@pytest.fixture
def catalog(tmp_path: Path) -> Path:
    """The sandbox's catalog as a file of its own."""
    path = tmp_path / "catalog.json"
    dump_catalog(builders.sandbox_catalog(), path, pulled_at="2026-11-22T00:00:00Z", tool_version="1")
    return path


@pytest.fixture
def messy(call: Call, tmp_path: Path) -> Path:
    """The template, filled in in a hurry: other order, other case, blanks, merged cells, notes."""
    path = tmp_path / "Acme Corp.xlsx"
    assert call("import", "template", "--out", path).code == 0
    book = openpyxl.load_workbook(path)
    users = book["Users"]
    for at, title in enumerate(("Legacy role", "NAME", " e-mail ", "Remarks", "groups", "Status"), 1):
        users.cell(1, at).value = title
    users.delete_cols(7, 2)
    for row in (
        ("Master Admin", "Ann Lee", "Ann@Example.com ", "the boss", None, "Active"),
        (None, None, None, None, None, None),
        ("media_library_user", "Bob", " bob@example.com", None, "EMEA; 2024", "x"),
        ("Media Library user", "Cy", "cy@example.com", None, "emea", "disabled"),
    ):
        users.append(row)
    keys = book["API keys"]
    keys.append(("shop", "799451857115779", "Website", None))
    shares = book["Shares"]
    titles = ("Level", "Folder path", "Group", "User", "Product environment")
    for at, title in enumerate(titles, 1):
        shares.cell(1, at).value = title
    shares.delete_cols(6, 2)
    for row in (
        ("Can view", "Brands/Aurora ", "EMEA", None, "shop"),
        ("Can Manage", None, None, "BOB@example.com", "Shop"),
        (None, None, None, None, None),
        ("edit", " /Brands/Borealis/", 2024, None, "shop"),
        ("EDIT", "Brands/Borealis", 2024.0, "", "SHOP"),
    ):
        shares.append(row)
    shares.merge_cells("B2:B3")
    book.save(path)
    return path


def test_a_messy_workbook_alone_becomes_a_snapshot_and_a_diff(
    call: Call, messy: Path, catalog: Path, tmp_path: Path
) -> None:
    """One workbook and a catalog are enough for a comparison, which says that it is not complete."""
    out = tmp_path / "acme.snapshot"
    ran = call("import", "--out", out, "--catalog", catalog, messy)
    assert ran.code == 0, ran.err
    taken = load(out)
    assert taken.account_id == "Acme Corp"
    assert {one.email: (one.legacy_role, one.enabled) for one in taken.users} == {
        "Ann@Example.com": ("master_admin", True),
        "bob@example.com": ("media_library_user", True),
        "cy@example.com": ("media_library_user", False),
    }
    assert {one.name: len(one.member_ids) for one in taken.groups} == {"EMEA": 2, "2024": 1}
    assert [one.path for one in taken.folders] == ["Brands", "Brands/Aurora", "Brands/Borealis"]
    assert [one.id for one in taken.api_keys] == ["799451857115779"]
    paths = taken.content_labels
    assert sorted((paths[s.content], taken.principal_name(s.principal), s.level) for s in taken.shares) == [
        ("Brands/Aurora", "Bob", "can_manage"),
        ("Brands/Aurora", "EMEA", "can_view"),
        ("Brands/Borealis", "2024", "can_edit"),
    ]
    assert "1 shares" in ran.err

    compared = call("diff", out, "--out", tmp_path / "reports")
    assert compared.code == 0, compared.err
    document = json.loads((tmp_path / "reports" / "diff.json").read_text(encoding="utf-8"))
    assert document["complete"] is False
    assert call("readiness", out, "--out", tmp_path / "reports").code == 0
    gated = call("diff", out, "--out", tmp_path / "reports", "--fail-on", "expansions")
    assert gated.code == ExitCode.FINDINGS


def test_without_a_catalog_everything_runs_and_says_incomplete(
    call: Call, messy: Path, tmp_path: Path
) -> None:
    """No roles to look up is told at the import, in the diff and in the readiness report."""
    out = tmp_path / "acme.snapshot"
    ran = call("import", "--out", out, messy)
    assert ran.code == 0
    assert "--catalog" in ran.err
    assert "INCOMPLETE" in call("diff", out, "--out", tmp_path / "reports").err
    assert "incomplete" in call("readiness", out, "--out", tmp_path / "reports").err
    page = (tmp_path / "reports" / "readiness.html").read_text(encoding="utf-8")
    assert "The catalog of roles and policies is missing" in page


def test_a_preview_shows_and_writes_nothing(call: Call, messy: Path, tmp_path: Path) -> None:
    """Sheets, columns as understood, samples and counts; no file appears."""
    before = sorted(tmp_path.rglob("*"))
    ran = call("import", "--preview", messy)
    assert ran.code == 0
    assert "Acme Corp.xlsx Users: users, 3 rows" in ran.out
    assert "Legacy role = role" in ran.out
    assert "not read  Remarks" in ran.out
    assert "Brands/Aurora · EMEA · can_view" in ran.out
    assert "ids made up from names" in ran.out
    assert before == sorted(tmp_path.rglob("*"))


def test_a_preview_shows_problems_beside_what_was_read(call: Call, tmp_path: Path) -> None:
    """Counts and samples come on stdout, every problem on stderr, and the exit code is that of a bad file."""
    file = tmp_path / "shares.csv"
    file.write_text("Environment,Folder,User,Level\nshop,A,ann@x.org,view\nshop,A,7.99E+14,vew\n")
    ran = call("import", "--preview", file)
    assert ran.code == ExitCode.INVALID_FILE
    assert "shares.csv: shares, 2 rows" in ran.out
    assert ran.err.count("shares.csv:3") == 2
    assert "paste the id again" in ran.err


def test_german_excel_csv_is_read(call: Call, catalog: Path, tmp_path: Path) -> None:
    """Semicolons, Windows-1252 and dates with dots, with the encoding named once."""
    users, shares = tmp_path / "users.csv", tmp_path / "shares.csv"
    users.write_bytes("E-Mail;Role;Last login\r\nann@x.org;Admin;22.11.2026\r\n".encode("cp1252"))
    shares.write_bytes("Folder;User;Level\r\nGärten/Süd;ann@x.org;Can view\r\n".encode("cp1252"))
    out = tmp_path / "a.snapshot"
    arguments = ("import", "--out", out, "--environment", "shop", "--catalog", catalog, users, shares)
    refused = call(*arguments)
    assert refused.code == ExitCode.INVALID_FILE
    assert "--encoding cp1252" in refused.err
    assert not out.exists()
    assert call(*arguments, "--encoding", "cp1252").code == 0
    assert [one.path for one in load(out).folders] == ["Gärten", "Gärten/Süd"]


def test_shares_are_added_to_a_snapshot(call: Call, account: Account, snapshot: Path, tmp_path: Path) -> None:
    """Into the sandbox's snapshot: what it has is a duplicate, what it knows is added, the rest is told."""
    out, before = tmp_path / "more.snapshot", load(snapshot)
    again = call("import", "--out", out, "--into", snapshot, "--keep-unknown", account.shares)
    assert again.code == 0, again.err
    assert len(load(out).shares) == len(before.shares)
    assert f"{len(before.shares):,} shares" in again.err

    folder, user = before.folders[0], before.users[0]
    cloud = before.environment_by_id[folder.environment_id].cloud_name
    rows = tmp_path / "rows.csv"
    rows.write_text(f"Environment,Folder,User,Level\n{cloud},{folder.path},{user.email},manage\n"
                    f"{cloud},No/Such,{user.email},manage\n", encoding="utf-8")  # fmt: skip
    refused = call("import", "--out", out, "--into", snapshot, rows)
    assert refused.code == ExitCode.INVALID_FILE
    assert "rows.csv:3: there is no folder `No/Such`" in refused.err
    assert "--keep-unknown" in refused.err
    assert call("import", "--out", out, "--into", snapshot, "--keep-unknown", rows).code == 0
    after = load(out)
    assert len(after.shares) == len(before.shares) + 1
    assert len(after.orphan_shares) == len(before.orphan_shares) + 1
    assert (after.users, after.folders, after.captured_at) == (
        before.users,
        before.folders,
        before.captured_at,
    )


def test_the_public_catalog_is_fetched_without_a_login(
    call: Call, account: Account, messy: Path, tmp_path: Path
) -> None:
    """With --api-url the catalog comes from the service, and no credential is needed."""
    out = tmp_path / "a.snapshot"
    ran = call("import", "--out", out, "--api-url", account.url, messy)
    assert ran.code == 0, ran.err
    catalog = load(out).catalog
    assert catalog.roles
    assert catalog.schema
    assert "127.0.0.1" in catalog.source
    assert {e.status.value for e in load(out).ledger if e.area == "catalog"} == {"read"}


def test_the_template_offers_a_snapshots_names(call: Call, snapshot: Path, tmp_path: Path) -> None:
    """Dropdowns come from named ranges on a hidden sheet; a row picked from them finds its people."""
    path, before = tmp_path / "shares.xlsx", load(snapshot)
    assert call("import", "template", "--out", path, "--snapshot", snapshot).code == 0
    book = openpyxl.load_workbook(path)
    assert book["Choices"].sheet_state == "hidden"
    sheet = book["Shares"]
    assert sheet.freeze_panes == "A2"
    header = [cell.value for cell in sheet[1]]
    assert all(cell.comment is not None for cell in sheet[1])
    rules = {str(rule.sqref).split(":")[0]: rule.formula1 for rule in sheet.data_validations.dataValidation}
    picked: dict[str, list[str]] = {}
    for place, name in rules.items():
        area = book.defined_names[name.lstrip("=")].attr_text.partition("!")[2]
        cells = book["Choices"][area.replace("$", "")]
        column = cells if isinstance(cells, tuple) else ((cells,),)
        picked[header[sheet[place].column - 1]] = [cell.value for (cell,) in column]
    assert len(picked["User"]) == len(before.users)
    assert {one.email for one in before.users} - set(picked["User"]) < {one.email for one in before.users}
    assert set(picked["Folder"]) == {one.path for one in before.folders}
    where = before.environment_by_id[before.folders[0].environment_id].cloud_name
    rows = tmp_path / "rows.csv"
    with rows.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["Environment", "Folder", "User", "Group", "Level"])
        for user in picked["User"]:
            writer.writerow([where, before.folders[0].path, user, "", "Can view"])
        for group in picked["Group"]:
            writer.writerow([where, before.folders[0].path, "", group, "Can view"])
    assert call("import", "--preview", "--into", snapshot, rows).code == 0


def test_a_filled_template_comes_back_as_the_same_shares(call: Call, snapshot: Path, tmp_path: Path) -> None:
    """Everything that lists can say of the sandbox's account survives the way through Excel."""
    path, out, before = tmp_path / "filled.xlsx", tmp_path / "again.snapshot", load(snapshot)
    assert call("import", "template", "--out", path, "--snapshot", snapshot, "--filled").code == 0
    ran = call("import", "--out", out, "--catalog", snapshot, "--account", before.account_id, path)
    assert ran.code == 0, ran.err
    after = load(out)
    for table in ("environments", "users", "groups", "folders", "collections", "account_keys"):
        ids = {one.id for one in getattr(before, table)}
        assert ids == {one.id for one in getattr(after, table)}, table
    assert [(s.content, s.principal, s.level) for s in before.shares] == [
        (s.content, s.principal, s.level) for s in after.shares
    ]
    assert after.catalog.digest == before.catalog.digest


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing argument 'LIST...'"),
        (("a.csv",), "Missing option '--out'"),
        (("--out", "a.csv", "a.csv"), "'--out' is one of the lists"),
        (("--preview", "--encoding", "klingon", "a.csv"), "is no encoding"),
        (("--preview", "--catalog", "x", "--api-url", "y", "a.csv"), "give one"),
        (("template", "--out", "a.csv"), "is a workbook"),
        (("template", "--out", "a.xlsx", "--filled"), "needs '--snapshot'"),
    ],
)
def test_words_that_do_not_fit_are_told(call: Call, arguments: tuple[str, ...], said: str) -> None:
    """A call that cannot be meant leaves with exit 2 and says why."""
    ran = call("import", *arguments)
    assert ran.code == ExitCode.USAGE
    assert said in ran.err


def test_a_secret_in_a_list_reaches_no_file(call: Call, catalog: Path, tmp_path: Path) -> None:
    """A column of secrets is left out: not in the preview, not in the snapshot."""
    keys = tmp_path / "api keys.csv"
    keys.write_text("Environment,API key,API secret,Name\nshop,799451857115779,CANARYSECRET,Web\n")
    out = tmp_path / "a.snapshot"
    assert "not read  API secret" in call("import", "--preview", keys).out
    assert call("import", "--out", out, "--catalog", catalog, keys).code == 0
    with zipfile.ZipFile(out) as archive:
        assert b"CANARYSECRET" not in b"".join(archive.read(name) for name in archive.namelist())
    assert out.stat().st_mode & 0o777 == 0o600
