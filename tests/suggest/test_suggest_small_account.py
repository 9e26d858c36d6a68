"""The sandbox's small account with the shipped tables: what suggestions are for."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from table_texts import reloaded

from permmigrate.catalog import Catalog
from permmigrate.cloudinary.credentials import from_environment
from permmigrate.cloudinary.reader import Reader
from permmigrate.cloudinary.session import Timing
from permmigrate.diff import Diff, Verdict
from permmigrate.diff.compare import compare
from permmigrate.mapping.lint import check
from permmigrate.mapping.tables import MappingTables, load
from permmigrate.model import ManagementType
from permmigrate.resources import mappings_dir
from permmigrate.sandbox import Sandbox
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.capture import capture
from permmigrate.suggest import Outcome, Suggestion, document, has_custom_roles, lines, rewritten, suggest

TODAY = date(2026, 11, 22)
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(mappings_dir().iterdir())}


@pytest.fixture(scope="module")
def snapshot(tmp_path_factory: pytest.TempPathFactory) -> Snapshot:
    """The account as the reader takes it, in process, with its share list."""
    sandbox = Sandbox("small", seed=1, state="legacy")
    shares = tmp_path_factory.mktemp("small") / "shares.json"
    shares.write_text(json.dumps(list(sandbox.share_rows())), encoding="utf-8")
    credentials = from_environment(
        {"CLOUDINARY_ACCOUNT_URL": sandbox.account_url("")}
        | {f"CLOUDINARY_URL_{n}": url for n, url in enumerate(sandbox.cloudinary_urls(""), start=2)}
    )
    inner, timing = httpx.WSGITransport(app=sandbox.wsgi), Timing(sleep=lambda _: None)
    with Reader(credentials, api_url="http://localhost", inner=inner, timing=timing) as reader:
        return capture(
            reader,
            share_lists=[shares],
            keep_unknown=True,
            captured_at="2026-11-22T08:00:00Z",
            tool_version="0",
        )


@cache
def shipped() -> MappingTables:
    return load(mappings_dir())


DIFFS: dict[tuple[int, str], Diff] = {}
SOLVED: dict[int, tuple[Snapshot, Any]] = {}


def diffed(snapshot: Snapshot, tables: MappingTables) -> Diff:
    """Compared once for each snapshot and what its tables say, with the solver's answers about it kept."""
    key = id(snapshot), tables.digest
    if key not in DIFFS:
        _, answers = SOLVED.setdefault(id(snapshot), (snapshot, {}))
        DIFFS[key] = compare(snapshot, tables, today=TODAY, tool_version="0", answers=answers)
    return DIFFS[key]


def outcome(snapshot: Snapshot, folder: Path, *, custom_roles: bool) -> tuple[Outcome, MappingTables]:
    made = suggest(snapshot, shipped(), today=TODAY, custom_roles=custom_roles)
    tables = reloaded(folder, rewritten(TEXTS, made))
    return Outcome.of(made, tables, diffed(snapshot, shipped()), diffed(snapshot, tables)), tables


@pytest.mark.parametrize("custom_roles", [False, True])
def test_nothing_is_lost_and_less_is_added(
    snapshot: Snapshot, tmp_path: Path, capsys: pytest.CaptureFixture[str], custom_roles: bool
) -> None:
    """Applying the rows loses nothing for certain, fewer expansions remain, and each says why it does."""
    found, tables = outcome(snapshot, tmp_path, custom_roles=custom_roles)
    before = found.before[Verdict.GAINED] + found.before[Verdict.MAYBE_GAINED]
    after = found.after[Verdict.GAINED] + found.after[Verdict.MAYBE_GAINED]
    with capsys.disabled():
        print(f"\ncustom roles {custom_roles}: {before} expansions before, {after} after")
    assert (3, 0) == (found.before[Verdict.LOST], found.after[Verdict.LOST])
    assert after < (0.7 if custom_roles else 1) * before
    assert found.after[Verdict.GAINED] < found.before[Verdict.GAINED]
    causes = {
        cause
        for finding in diffed(snapshot, tables).findings
        if finding.verdict.is_expansion
        for cause in finding.causes
    }
    assert causes == {each.cause for each in found.leftovers}
    assert all(each.why for each in (*found.leftovers, *found.losses))
    notices = check(tables, catalog=None, snapshot=snapshot, today=TODAY)
    assert not [notice for notice in notices if notice.level == "error"]
    assert not [notice for notice in notices if notice.problem.file in ("overrides.csv", "custom_roles.csv")]


def test_with_custom_roles_only_what_no_row_can_tell_apart_is_left(
    snapshot: Snapshot, tmp_path: Path
) -> None:
    """No choice adds anything of its own but collections, which know system roles only; keys gain nothing."""
    found, tables = outcome(snapshot, tmp_path, custom_roles=True)
    adding = {choice.file for choice in found.suggestion.choices if choice.cost.expansions}
    assert {"collection_levels.csv"} == adding
    diff = diffed(snapshot, tables)
    for finding in diff.findings:
        if finding.verdict is Verdict.GAINED:
            assert all(path.startswith(("group ", "custom policy ")) for path in finding.after), finding
            assert any("without effect" in path for path in finding.before), finding
        if finding.verdict.is_expansion:
            assert {cause.partition(":")[0] for cause in finding.causes} <= {
                "folder_levels.csv",
                "collection_levels.csv",
                "no mapping row",
            }


def test_custom_roles_are_found_to_be_available(snapshot: Snapshot) -> None:
    """An account that has roles of its own making may make more; nothing else says so."""
    catalog = snapshot.catalog
    system = [r for r in catalog.roles.values() if r.management_type is ManagementType.SYSTEM]
    without = replace(snapshot, catalog=Catalog.of(catalog.policies.values(), system, catalog.schema))
    assert (True, False) == (has_custom_roles(snapshot), has_custom_roles(without))


def test_what_may_have_been_had_can_be_kept(snapshot: Snapshot) -> None:
    """Then nothing is lost, not even perhaps, where a role holds it; it is a maybe gained instead."""

    def lost(made: Suggestion) -> int:
        return sum(len(c.cost.maybe_lost) for c in made.choices if c.file != "user_roles.csv")

    careful = suggest(snapshot, shipped(), today=TODAY, custom_roles=True)
    kind = suggest(snapshot, shipped(), today=TODAY, custom_roles=True, keep_doubtful=True)
    assert 0 == lost(kind) < lost(careful)
    assert not [c for c in kind.choices if c.changed and c.cost.lost]


def test_limited_people_get_each_of_their_environments(snapshot: Snapshot, tmp_path: Path) -> None:
    """A row for all environments is narrowed where somebody had a list, and stays for master admins."""
    files = TEXTS | {
        "user_roles.csv": TEXTS["user_roles.csv"].replace("each_environment", "all_environments")
    }
    given = reloaded(tmp_path / "given", files)
    users = tuple(
        replace(user, all_environments=False, environment_ids=(snapshot.environments[0].id,))
        if user.legacy_role in ("media_library_user", "master_admin")
        else replace(user, all_environments=True, environment_ids=())
        for user in snapshot.users
    )
    account = replace(snapshot, users=users)
    made = suggest(account, given, today=TODAY, custom_roles=False)
    tables = reloaded(tmp_path / "better", rewritten(files, made))
    scopes = {row.legacy_role: str(row.target.scope) for row in tables.user_roles}
    assert "each_environment" == scopes["media_library_user"]
    assert "all_environments" == scopes["master_admin"] == scopes["media_library_admin"]
    (choice,) = [c for c in made.changed if c.legacy == "media_library_user"]
    assert "limited to some environments" in choice.why
    assert choice.given_cost.gained
    assert not choice.cost.gained


def test_people_without_any_environment_get_no_role_in_one(snapshot: Snapshot, tmp_path: Path) -> None:
    """Their exception gives what is left of their role, so that nothing stays untranslated."""
    someone = next(user for user in snapshot.users if user.legacy_role == "media_library_user")
    nowhere = replace(someone, all_environments=False, environment_ids=())
    account = replace(
        snapshot, users=tuple(nowhere if user.id == someone.id else user for user in snapshot.users)
    )
    made = suggest(account, shipped(), today=TODAY, custom_roles=False)
    tables = reloaded(tmp_path, rewritten(TEXTS, made))
    (row,) = [row for row in tables.overrides if row.applies_to == "user_role"]
    assert (someone.id, "none") == (row.match, row.target.type)
    findings = [f for f in diffed(account, tables).findings if f.verdict is Verdict.UNKNOWN]
    assert someone.id not in {
        who.id for f in findings for who in f.principals if "untranslated" in str(f.after)
    }


def test_the_outcome_is_told_in_text_and_json(snapshot: Snapshot, tmp_path: Path) -> None:
    """Both have the same counts, choices and reasons; rows carry their source and cost."""
    found, tables = outcome(snapshot, tmp_path, custom_roles=True)
    text, told = "\n".join(lines(found)), document(found)
    assert json.loads(json.dumps(told)) == told
    for name, counts in told["findings"].items():
        assert any(
            line.startswith(name) and line.endswith(f"{counts['before']:,} → {counts['after']:,}")
            for line in text.splitlines()
        )
    for each in told["still_added"] + told["still_lost"]:
        assert each["cause"] in text
        assert all(why in text for why in each["why"])
    changed = [each for each in told["choices"] if each["changed"]]
    assert all(each["legacy"] in text for each in changed)
    assert len(changed) < len(told["choices"])
    written = [row for row in tables.target_rows() if row.origin.source == found.suggestion.source]
    assert {"inferred"} == {row.origin.confidence for row in written}
    assert all("adds" in row.origin.note for row in written)
    assert sum(len(c.keys) * max(1, len(c.picks)) for c in found.suggestion.changed) == len(written)


def test_good_tables_are_left_as_they_are(snapshot: Snapshot, tmp_path: Path) -> None:
    """Suggested tables cannot be made better, and the outcome says so."""
    _, tables = outcome(snapshot, tmp_path, custom_roles=True)
    again = suggest(snapshot, tables, today=TODAY, custom_roles=True)
    assert not again.changed
    diff = diffed(snapshot, tables)
    text = list(lines(Outcome.of(again, tables, diff, diff)))
    assert "nothing in the tables can be made better" == text[0]
    assert any("decided by overrides.csv" in line for line in text)


def test_what_a_person_decided_is_said_to_be_theirs(snapshot: Snapshot, tmp_path: Path) -> None:
    """Overrides and rows of confidence `customer` stay, and what they still add is put down to them."""
    key = snapshot.api_keys[0]
    header = TEXTS["overrides.csv"].splitlines()[0]
    users = [u.id for u in snapshot.users if u.legacy_role == "media_library_admin"]
    group = snapshot.groups[0]
    rows = (
        f"apiKey,id,{key.id},api_key,*,role,environment/Master Admin,each_environment,ours,,us,customer,",
        f"provisioningKey,id,{snapshot.account_keys[0].id},account_key,*,role,cld::role::account::master_admin,account,ours,,us,customer,",
        f"user,id,{users[0]},user_role,*,role,environment/Master Admin,each_environment,ours,,us,customer,",
        f"group,id,{group.id},folder_level,*,role,cld::role::folder::manager,folder,ours,,us,customer,",
    )
    files = TEXTS | {"overrides.csv": "\n".join((header, *rows)) + "\n"}
    given = reloaded(tmp_path / "given", files)
    made = suggest(snapshot, given, today=TODAY, custom_roles=True)
    tables = reloaded(tmp_path / "better", rewritten(files, made))
    assert {row.key for row in given.overrides} <= {row.key for row in tables.overrides}
    for words in ("1 API keys", "account keys", "the roles of 1 users", "of its holders"):
        assert any(words in kept for kept in made.kept), made.kept
    found = Outcome.of(made, tables, diffed(snapshot, given), diffed(snapshot, tables))
    why = {each.cause: each.why for each in found.leftovers}
    assert ("somebody's decision, left as it is",) == why["overrides.csv:2"]
    assert all(why.values())
