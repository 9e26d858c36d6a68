"""`permmigrate plan`: made, shown and listed from the command line."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import openpyxl
import pytest

from command_line import Ran
from permmigrate.errors import ExitCode
from permmigrate.model import PrincipalType, RoleAssignment, RoleId
from permmigrate.plan import checklist
from permmigrate.plan.file import load as load_plan
from permmigrate.plan.wishes import REJECTED
from permmigrate.report.sheets import one_line
from permmigrate.signoff.comparison import read as read_comparison
from permmigrate.signoff.file import encode as encode_signed
from permmigrate.signoff.value import Decided, Decision, Signed
from permmigrate.snapshot.file import dump, load

Call = Callable[..., Ran]
pytestmark = pytest.mark.usefixtures("compared_once")
GENEROUS = ("--max-expansions", "100000", "--allow-incomplete")


@pytest.fixture
def made(call: Call, snapshot: Path, tmp_path: Path) -> Path:
    """A plan of the small account whose guards hold."""
    path = tmp_path / "plan.json"
    ran = call("plan", "make", snapshot, "--out", path, *GENEROUS)
    assert ExitCode.OK == ran.code, ran.err
    assert f"next: permmigrate plan show {path}" in ran.err
    return path


def test_a_plan_is_made_and_shown(call: Call, made: Path) -> None:
    """Its digest, waves, guards and the next command are there; nothing is folded with --all."""
    plan = load_plan(made)
    ran = call("plan", "show", made)
    assert ExitCode.OK == ran.code
    assert f"Plan {plan.digest}" in ran.out
    assert "Wave 1, the canary" in ran.out
    assert f"next: permmigrate apply {made} --digest {plan.digest}" in ran.err
    assert f"{len(plan.operations):,} to grant" in ran.out
    whole = call("plan", "show", made, "--all").out
    assert len(plan.operations) == whole.count("    + ")
    document = json.loads(call("plan", "show", made, "--json").out)
    assert plan.digest == document["digest"]
    assert len(plan.operations) == sum(wave["operations"] for wave in document["waves"])


def test_nothing_in_a_name_reaches_the_terminal(call: Call, made: Path) -> None:
    """Control characters and direction marks of the account's names are made visible."""
    out = call("plan", "show", made, "--all").out
    assert not any(ord(letter) < 32 and letter != "\n" for letter in out)
    assert "\u202e" not in out


def test_a_plan_that_breaks_a_guard_is_written_and_refused(
    call: Call, snapshot: Path, tmp_path: Path
) -> None:
    """It can be looked at, says which guard with its numbers, and the command leaves with exit 6."""
    path = tmp_path / "plan.json"
    ran = call("plan", "make", snapshot, "--out", path, "--allow-incomplete")
    assert ExitCode.REFUSED == ran.code
    assert "expansions that nobody signed where none may be" in ran.err
    shown = call("plan", "show", path)
    assert "  !  unsigned expansions" in shown.out
    assert "next:" not in shown.err


def unsigned_in(path: Path) -> int:
    """What the plan's guard measured."""
    return next(int(g.measured.replace(",", "")) for g in load_plan(path).guards if "unsigned" in g.name)


def test_signed_expansions_count_no_longer(call: Call, snapshot: Path, tmp_path: Path) -> None:
    """What a file of accepted findings covers needs no other leave."""
    accepted, path = tmp_path / "accepted.csv", tmp_path / "plan.json"
    call("diff", snapshot, "--out", tmp_path, "--format", "json", "--write-baseline", accepted)
    head, *rows = accepted.read_text(encoding="utf-8").splitlines()[2:]
    text = "\n".join([head, *(row.replace(",,,,", ",,security,agreed,", 1) for row in rows)]) + "\n"
    accepted.write_text(text, encoding="utf-8")
    unsigned = call("plan", "make", snapshot, "--out", path, "--allow-incomplete")
    before = unsigned_in(path)
    signed = call("plan", "make", snapshot, "--out", path, "--allow-incomplete", "--signoff", accepted)
    assert ExitCode.REFUSED == unsigned.code
    assert ExitCode.OK == signed.code or unsigned_in(path)  # the undecided are in no such file
    assert unsigned_in(path) < before
    assert load_plan(path).digests.signoff


def decided_by(diff: Path, decision: Decision, path: Path, account_id: str = "") -> Path:
    """A file of decisions in which one thing is said of every cluster."""
    found = read_comparison(diff)
    said = tuple(Decided(each.id, each.contents, decision) for each in found.clauses)
    signed = Signed(
        account_id or found.account_id, found.digest, said, {each.id: each.findings for each in found.clauses}
    )
    path.write_text(encode_signed(signed), encoding="utf-8")
    return path


def test_decisions_about_clusters_hold_for_their_findings(call: Call, snapshot: Path, tmp_path: Path) -> None:
    """Approved, the plan passes; rejected, what makes them is not in it; another account's are no use."""
    call("diff", snapshot, "--out", tmp_path, "--format", "json")
    diff, path = tmp_path / "diff.json", tmp_path / "plan.json"
    run = ("plan", "make", snapshot, "--out", path, "--allow-incomplete", "--signoff")
    approved = decided_by(diff, Decision.APPROVE, tmp_path / "yes.json")
    ran = call(*run, approved)
    assert ExitCode.OK == ran.code, ran.err
    assert 0 == unsigned_in(path)
    rejected = call(*run, decided_by(diff, Decision.REJECT, tmp_path / "no.json"))
    assert ExitCode.OK == rejected.code, rejected.err
    plan = load_plan(path)
    assert () == plan.expansions
    assert any(REJECTED == each.reason for each in plan.left_out)
    foreign = decided_by(diff, Decision.APPROVE, tmp_path / "theirs.json", "another")
    assert ExitCode.USAGE == call(*run, foreign).code


def test_an_approval_is_for_the_people_who_were_seen(call: Call, snapshot: Path, tmp_path: Path) -> None:
    """Somebody joins a group after it was signed: what its members gain is to be signed again."""
    call("diff", snapshot, "--out", tmp_path, "--format", "json")
    diff, path, later = tmp_path / "diff.json", tmp_path / "plan.json", tmp_path / "later.snapshot"
    approved = decided_by(diff, Decision.APPROVE, tmp_path / "yes.json")
    one = load(snapshot)
    party, *others = one.groups
    new = next(user.id for user in one.users if user.id not in party.member_ids)
    grown = replace(party, member_ids=tuple(sorted((*party.member_ids, new))))
    dump(replace(one, groups=(grown, *others)), later)
    ran = call("plan", "make", later, "--out", path, "--allow-incomplete", "--signoff", approved)
    assert ExitCode.REFUSED == ran.code
    assert "does not hold: its findings are others now" in ran.err
    assert 0 < unsigned_in(path)


def test_people_are_named_as_they_are_known(call: Call, snapshot: Path, tmp_path: Path) -> None:
    """By e-mail address, id or type and id; nobody else."""
    one, path = load(snapshot), tmp_path / "plan.json"
    someone, key = one.users[0], one.api_keys[0]
    ran = call(
        "plan",
        "make",
        snapshot,
        "--out",
        path,
        *GENEROUS,
        "--protect",
        someone.email.upper(),
        "--protect",
        key.id,
        "--protect",
        f"group:{one.groups[0].id}",
        "--acting-key",
        "key-1",
    )
    assert ExitCode.OK == ran.code, ran.err
    plan = load_plan(path)
    assert {someone.id, key.id, one.groups[0].id} == {who.id for who in plan.protected}
    assert "provisioningKey:key-1" == str(plan.acting_key)
    nobody = call("plan", "make", snapshot, "--out", path, "--protect", "nobody@example.com")
    assert ExitCode.USAGE == nobody.code
    assert "`nobody@example.com` names nobody in the account" in nobody.err
    assert ExitCode.USAGE == call("plan", "make", snapshot, "--out", path, "--protect", "user:nobody").code


def test_a_later_snapshot_is_cut_back(call: Call, snapshot: Path, tmp_path: Path) -> None:
    """Who holds what comes from --assigned; what is extra is taken only when asked, and up to the limit."""
    legacy = load(snapshot)
    who = next(p for p in legacy.shares if p.principal.type is PrincipalType.USER).principal
    environment = legacy.environments[0].id
    extra = RoleAssignment(who, RoleId("cld::role::prodenv::master_admin"), environment)
    later = replace(legacy, assignments=(extra,), captured_at="2027-01-01T00:00:00Z")
    today, path = tmp_path / "today.snapshot", tmp_path / "cut.json"
    dump(later, today)
    run = ("plan", "make", snapshot, "--assigned", today, "--out", path, *GENEROUS)
    assert ExitCode.OK == call(*run).code
    assert not any(each.kind.revokes for each in load_plan(path).operations)
    refused = call(*run, "--remove-extra")
    assert ExitCode.REFUSED == refused.code
    assert "takes 1 away where none may be" in refused.err
    assert ExitCode.OK == call(*run, "--remove-extra", "--max-removals", "1").code
    assert [extra] == [each.assignment for each in load_plan(path).operations if each.kind.revokes]


def test_a_comparison_leaves_a_plan_beside_its_reports(call: Call, few: Path, tmp_path: Path) -> None:
    """Where it can be planned; where not, the reason is told and no old plan is left standing."""
    run = ("diff", few, "--out", tmp_path, "--format", "json")
    ran = call(*run, "--allow-incomplete")
    assert (tmp_path / "plan.json").stat().st_mode & 0o077 == 0
    assert str(tmp_path / "plan.json") in ran.out
    assert "  ! unsigned expansions" in ran.err
    foreign = replace(load(few), api_url="https://api.cloudinary.com")
    other = tmp_path / "other.snapshot"
    dump(foreign, other)
    told = call("diff", other, "--out", tmp_path, "--format", "json", "--allow-incomplete")
    assert ExitCode.OK == told.code
    assert "no plan.json: the catalog is illustrative" in told.err
    assert not (tmp_path / "plan.json").exists()


def test_the_checklist_is_a_list_or_a_sheet(call: Call, made: Path, tmp_path: Path) -> None:
    """By the name of the file, with the same rows; nothing is by hand where an API does it all."""
    listed, rows = tmp_path / "list.md", tmp_path / "list.csv"
    ran = call("plan", "checklist", made, "--out", listed)
    assert (ExitCode.OK, f"{listed}\n") == (ran.code, ran.out)
    assert "nothing is left to be done by hand" in ran.err
    count = len(load_plan(made).operations)
    assert f"{count} steps" in call("plan", "checklist", made, "--all", "--out", listed).err
    assert count == listed.read_text(encoding="utf-8").count("- [ ] ")
    assert ExitCode.OK == call("plan", "checklist", made, "--all", "--out", rows).code
    with rows.open(encoding="utf-8-sig", newline="") as stream:
        table = list(csv.DictReader(stream))
    assert count == len(table)
    workbook = tmp_path / "list.xlsx"
    ran = call("plan", "checklist", made, "--all", "--out", workbook)
    assert ExitCode.OK == ran.code
    assert f"verify --plan {made}" in ran.err
    book = openpyxl.load_workbook(workbook)
    head, *cells = book["Checklist"].iter_rows(values_only=True)
    assert [name.replace("_", " ").capitalize() for name in table[0]] == list(head)
    expected = checklist.rows(load_plan(made), everything=True)  # names as they are, if they can be shown
    assert [[*map(one_line, row)] for row in expected] == [[cell or "" for cell in row] for row in cells]
    assert {"s", "n"} >= {cell.data_type for row in book["Checklist"].iter_rows() for cell in row}
    (ticks,) = book["Checklist"].data_validations.dataValidation
    assert (f"A2:A{count + 1}", '"done,not done"') == (str(ticks.sqref), ticks.formula1)
    assert load_plan(made).digest in {row[1] for row in book["Plan"].iter_rows(values_only=True)}
    assert ExitCode.OK == call("plan", "checklist", made, "--out", workbook).code
    wrong = call("plan", "checklist", made, "--out", tmp_path / "list.docx")
    assert ExitCode.USAGE == wrong.code


def test_an_edited_plan_is_refused(call: Call, made: Path) -> None:
    """One changed byte, and no command takes it."""
    made.write_text(made.read_text().replace('"wave":2', '"wave":1', 1))
    for command in (("show", made), ("checklist", made, "--out", made.with_suffix(".md"))):
        ran = call("plan", *command)
        assert ExitCode.REFUSED == ran.code
        assert "was changed after it was made" in ran.err
