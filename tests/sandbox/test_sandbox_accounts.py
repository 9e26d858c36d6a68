"""The imaginary accounts: their sizes, their awkward cases, and that the seed alone makes them."""

from __future__ import annotations

import csv
import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import cedarpy
import httpx
import openpyxl
import pytest

from permmigrate.sandbox import Sandbox, accounts, people
from permmigrate.sandbox.shares import COLUMNS, GONE_GROUP, LEFT, LEVELS

Connect = Callable[..., httpx.Client]


@pytest.mark.parametrize(
    ("size", "users", "groups", "environments", "folders", "shares"),
    [("small", 40, 8, 2, 150, 400), ("medium", 1_500, 80, 3, 8_000, 40_000)],
)
def test_accounts_have_their_sizes(
    size: str, users: int, groups: int, environments: int, folders: int, shares: int
) -> None:
    """An account holds as much as its size says, and its share list as many rows."""
    account = Sandbox(size).account
    counts = (len(account.users), len(account.groups), len(account.environments), len(account.folders))
    assert counts == (users, groups, environments, folders)
    assert sum(1 for _ in Sandbox(size).share_rows()) == shares


def test_the_large_account_is_made_in_seconds_and_little_memory() -> None:
    """10,000 users and 100,000 folders come at once; a million shares wait until they are asked for."""
    started = time.process_time()
    sandbox = Sandbox("large")
    made = time.process_time() - started
    account = sandbox.account
    assert (len(account.users), len(account.groups), len(account.folders)) == (10_000, 500, 100_000)
    assert accounts.SIZES["large"].shares == 1_000_000
    assert made < 20  # of the processor's time: coverage and slow machines included, it is a few
    assert len(list(islice(sandbox.share_rows(), 2_000))) == 2_000
    shares = sandbox._shares
    assert len(shares) == 1_000_000
    assert sum(sys.getsizeof(c) for c in (shares.contents, shares.principals, shares.levels)) < 16_000_000


def test_an_unknown_size_or_state_is_refused() -> None:
    """The message names what is allowed."""
    with pytest.raises(ValueError, match="small, medium, large"):
        Sandbox("huge")
    with pytest.raises(ValueError, match="legacy or migrated"):
        Sandbox(state="half")


def everything(sandbox: Sandbox, connect: Connect) -> bytes:
    """All that a crawl of the account sees."""
    provisioning = f"/v1_1/provisioning/accounts/{sandbox.account_id}"
    permissions = f"/v2/accounts/{sandbox.account_id}/permissions"
    paths = [
        f"{provisioning}/sub_accounts",
        f"{provisioning}/users",
        f"{provisioning}/user_groups?extended_details=true",
        f"{permissions}/roles?permission_type=global",
        f"{permissions}/policies/custom",
        f"{permissions}/principal_roles/inspect?scope_type=prodenv",
    ]
    found = [connect(sandbox).get(path).content for path in paths]
    key = sandbox.keys(sandbox.cloud_names[0])[0]
    cloud = connect(sandbox, (key.id, key.secret))
    found.append(cloud.get(f"/v1_1/{sandbox.cloud_names[0]}/folders/search?max_results=500").content)
    found.append(json.dumps(list(sandbox.share_rows())).encode())
    return b"\n".join(found)


def test_the_same_seed_makes_the_same_bytes(connect: Connect) -> None:
    """Two sandboxes of one seed answer alike to the byte; another seed answers differently."""
    one, two, other = (everything(Sandbox(seed=seed, state="migrated"), connect) for seed in (7, 7, 8))
    assert one == two
    assert one != other


def test_writes_make_the_same_ids_again(provisioning: Callable[..., httpx.Client]) -> None:
    """New ids and secrets come from the seed too: the same calls make the same account."""
    made = [provisioning(Sandbox()).post("/user_groups", json={"name": "x"}).json() for _ in range(2)]
    assert made[0] == made[1]


def test_names_come_from_many_scripts(legacy: Sandbox) -> None:
    """Right-to-left, CJK, Cyrillic, Devanagari, Thai and very long names are among the people."""
    names = " ".join(user.name for user in legacy.account.users.values())
    for first, last in (
        ("א", "ת"),
        ("ء", "ي"),
        ("一", "龥"),
        ("А", "я"),
        ("अ", "ह"),
        ("ก", "ฮ"),
        ("가", "힣"),
    ):
        assert any(first <= letter <= last for letter in names), first
    assert max(len(user.name) for user in legacy.account.users.values()) > 100


@pytest.mark.parametrize("size", ["small", "medium"])
def test_the_awkward_cases_are_there(size: str) -> None:
    """Every case that has broken such tools before is in every account."""
    account = Sandbox(size).account
    users = list(account.users.values())
    roles = Counter(user.role for user in users)
    assert roles["master_admin"] in (2, 3)
    assert roles["media_library_user"] == max(roles.values())
    assert set(roles) >= {"", "content_curator", "billing", "reports", "technical_admin"}
    limited = {user.role for user in users if user.environment_ids}
    assert limited >= {"admin", "media_library_admin", "media_library_user", "technical_admin"}
    assert [user.root for user in users].count(True) == 1
    assert any(user.pending and not user.enabled for user in users)
    assert any(not user.enabled and user.role == "admin" for user in users)
    assert any(user.technical_role for user in users)
    assert any(user.last_login is None for user in users)
    names = {user.name for user in users}
    assert people.FORMULA in names
    assert any("onerror" in name for name in names)
    assert any("</script>" in name for name in names)
    assert any("\x00" in name for name in names)
    groups = list(account.groups.values())
    assert {"Brand Managers", "Brand  Managers"} <= {group.name for group in groups}
    assert any(not group.member_ids for group in groups)
    joined = {member for group in groups for member in group.member_ids}
    assert any(user.id not in joined for user in users)
    assert any(not key.enabled for key in account.keys.values())
    assert len({key.created_at // 31_536_000 for key in account.keys.values()}) > 4
    assert all(len(key.id) == 15 and key.id.isdigit() for key in account.keys.values())


def test_the_awkward_shares_are_there(legacy: Sandbox) -> None:
    """Somebody who left, a gone group, a folder for a user and their group, nested levels both ways."""
    rows = list(legacy.share_rows())
    assert {row["level"] for row in rows} == set(LEVELS)
    assert {row["content_type"] for row in rows} == {"folder", "collection"}
    assert any(row["principal"] in LEFT for row in rows)
    assert any(row["principal"] == GONE_GROUP for row in rows)
    account, folders = legacy.account, legacy.account.folders
    users, groups = list(account.users.values()), list(account.groups.values())
    levels: dict[tuple[str, int], int] = {}
    for share in legacy._shares:
        if share.content < 0 or share.principal >= len(users) + len(groups):
            continue
        identity = (
            users[share.principal].id
            if share.principal < len(users)
            else groups[share.principal - len(users)].id
        )
        assert (identity, share.content) not in levels, "a pair has one level"
        levels[identity, share.content] = share.level
    both = [
        (level, levels[group.id, folder])
        for (identity, folder), level in levels.items()
        for group in groups
        if identity in group.member_ids and (group.id, folder) in levels
    ]
    assert any(own != through for own, through in both)
    nested = [
        levels[identity, folder] - levels[identity, above]
        for identity, folder in levels
        for above in folders.lineage(folder)[1:]
        if (identity, above) in levels
    ]
    assert min(nested) < 0 < max(nested)
    finance = groups[accounts.FINANCE_GROUP]
    assert {account.users[m].role for m in finance.member_ids} >= {"billing", "reports"}
    assert any(identity == finance.id for identity, _ in levels)


def test_custom_policies_are_valid_cedar(legacy: Sandbox) -> None:
    """Every custom policy passes the catalog's schema; some forbid, one is off, one names a group."""
    policies = list(legacy.account.custom_policies.values())
    for policy in policies:
        result = cedarpy.validate_policies(policy.statement, legacy.account.schema)
        assert result.validation_passed, (policy.name, result.errors)
    assert any(policy.statement.startswith("forbid") for policy in policies)
    assert any(not policy.enabled for policy in policies)
    assert any("Cloudinary::Group::" in policy.statement for policy in policies)
    assert {policy.scope_type for policy in policies} == {"account", "prodenv"}


def test_share_rows_name_things_in_both_ways(legacy: Sandbox) -> None:
    """Some rows have ids, others cloud names, paths, e-mails and names; all of them lead somewhere."""
    account = legacy.account
    rows = list(legacy.share_rows())
    assert all(tuple(row) == COLUMNS for row in rows)
    clouds = {e.cloud_name for e in account.environments}
    environments = {e.id for e in account.environments}
    assert {row["environment"] for row in rows} == clouds | environments
    mails = {user.email for user in account.users.values()}
    names = {group.name for group in account.groups.values()}
    known = set(account.users) | set(account.groups) | mails | names | set(LEFT) | {GONE_GROUP}
    assert {row["principal"] for row in rows} <= known
    for ways in (set(account.users), mails, set(account.groups), names):
        assert {row["principal"] for row in rows} & ways
    contents = {row["content"] for row in rows if row["content_type"] == "folder"}
    assert contents & set(account.folders.ids)
    assert contents & set(account.folders.paths)
    assert contents <= set(account.folders.ids) | set(account.folders.paths)


def test_share_lists_are_written_in_three_forms(legacy: Sandbox, tmp_path: Path) -> None:
    """CSV, JSON and XLSX hold the same rows, as text; another ending is refused."""
    rows = list(legacy.share_rows())
    for name in ("s.csv", "s.json", "s.xlsx"):
        assert legacy.write_shares(tmp_path / name) == len(rows)
    with (tmp_path / "s.csv").open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == rows
    assert json.loads((tmp_path / "s.json").read_text(encoding="utf-8")) == rows
    book = openpyxl.load_workbook(tmp_path / "s.xlsx")
    cells = [tuple(cell or "" for cell in row) for row in book.active.iter_rows(values_only=True)]
    assert cells == [COLUMNS, *(tuple(row.values()) for row in rows)]
    assert {cell.data_type for row in book.active.iter_rows() for cell in row} <= {"s", "n"}
    assert not any(cell.data_type == "f" for row in book.active.iter_rows() for cell in row)
    book.close()
    with pytest.raises(ValueError, match=r"use \.csv, \.json or \.xlsx"):
        legacy.write_shares(tmp_path / "s.ods")
    assert legacy.write_shares(tmp_path / "few.csv", limit=3) == 3


def test_the_migrated_account_is_the_legacy_one_with_roles(migrated: Sandbox, legacy: Sandbox) -> None:
    """People, keys and folders are the same, legacy roles stay; bundles, levels and keys became roles."""
    assert migrated.account.users == legacy.account.users
    assert migrated.account.keys == legacy.account.keys
    assert migrated.account.folders.paths == legacy.account.folders.paths
    rows = list(migrated.account.assignments.rows())
    user = next(u for u in migrated.account.users.values() if u.role == "admin" and u.environment_ids)
    given = {(r.role_id, r.scope_id) for r in rows if r.principal_id == user.id and not r.content_kind}
    assert given == {
        ("cld::role::account::admin", None),
        ("cld::role::prodenv::admin", user.environment_ids[0]),
    }
    unknown = {u.id for u in migrated.account.users.values() if u.role in ("", "content_curator")}
    assert not [r for r in rows if r.principal_id in unknown and not r.content_kind]
    keys = {(r.principal_id, r.scope_id, r.role_id) for r in rows if r.principal_type == "apiKey"}
    assert keys == {
        (key.id, key.environment_id, "cld::role::prodenv::master_admin")
        for key in migrated.account.keys.values()
    }
    shared = [r for r in rows if r.content_kind]
    listed = sum(1 for row in migrated.share_rows() if row["principal"] not in (*LEFT, GONE_GROUP))
    assert len(shared) == listed


def test_urls_and_description(legacy: Sandbox) -> None:
    """The credentials come as the vendor's SDKs spell them, one address for each enabled environment."""
    assert legacy.account_url("http://h") == (
        f"account://{legacy.account_key}:{legacy.account_secret}@{legacy.account_id}"
    )
    key = next(k for k in legacy.keys("meridian-prod") if k.enabled)
    assert legacy.cloudinary_urls("http://h")[0] == f"cloudinary://{key.id}:{key.secret}@meridian-prod"
    assert legacy.describe("http://h") == {
        "url": "http://h",
        "account_url": legacy.account_url(),
        "cloudinary_urls": legacy.cloudinary_urls(),
    }
