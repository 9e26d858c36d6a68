"""A whole snapshot over a real socket, from the vendor's own examples, and from them gone wrong."""

from __future__ import annotations

import dataclasses
import logging
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from vendor_examples import EXAMPLES, Answer, vendor_examples

from permmigrate.cloudinary.credentials import from_environment
from permmigrate.cloudinary.reader import Reader
from permmigrate.cloudinary.session import Patience, Timing
from permmigrate.errors import (
    CredentialsError,
    InvalidFileError,
    PermmigrateError,
    UnreachableError,
)
from permmigrate.model import LedgerEntry, PrincipalType, ReadStatus
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.capture import UNREAD_CONTENTS, Progress, capture
from permmigrate.snapshot.file import dump

ENV = {
    "CLOUDINARY_ACCOUNT_URL": "account://11122233344:canary-account@acc1",
    "CLOUDINARY_URL": "cloudinary://123456789012345:canary-admin@product1",
}
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
QUICK = Timing(sleep=lambda _: None, chance=lambda: 0.0, now=lambda: NOON)
USERS = "/v1_1/provisioning/accounts/{account_id}/users"
GROUPS = "/v1_1/provisioning/accounts/{account_id}/user_groups"
KEYS = "/v1_1/provisioning/accounts/{account_id}/sub_accounts/{sub_account_id}/access_keys"
ENVIRONMENTS = "/v1_1/provisioning/accounts/{account_id}/sub_accounts"
CATALOG = "/v2/accounts/permissions/public/catalog"
ROLES = "/v2/accounts/{account_id}/permissions/roles"
ROLE = "/v2/accounts/{account_id}/permissions/roles/{role_id}"
INSPECT = "/v2/accounts/{account_id}/permissions/principal_roles/inspect"


def take(
    override: Callable[[str, str, dict[str, str]], Answer | None] = lambda *_: None,
    requests: list[str] | None = None,
    **fields: Any,
) -> Snapshot:
    with vendor_examples(override) as (base, seen):
        reader = Reader(
            from_environment(ENV), api_url=base, workers=4, timing=QUICK, patience=Patience(attempts=2)
        )
        with reader:
            taken = capture(reader, captured_at="2026-11-22T08:00:00Z", tool_version="0", **fields)
        if requests is not None:
            requests.extend(seen)
    return taken


def instead(template: str, status: int, body: Any = b"", **headers: str) -> Callable[..., Answer | None]:
    return lambda found, *_: (status, body, headers) if found == template else None


def entry(snapshot: Snapshot, endpoint: str, subject: str = "") -> LedgerEntry:
    return next(e for e in snapshot.ledger if e.endpoint == f"GET {endpoint}" and e.subject == subject)


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    return take()


def test_the_vendors_examples_make_a_snapshot(snapshot: Snapshot) -> None:
    """Every table is filled from the specification's own examples."""
    assert {"product1", "product2"} == {one.cloud_name for one in snapshot.environments}
    assert {"media_library_user", "master_admin"} == {user.legacy_role for user in snapshot.users}
    assert [2, 2] == [len(group.member_ids) for group in snapshot.groups]
    assert {"814814814814814", "418418418418418"} == {key.id for key in snapshot.api_keys}
    assert [False, True] == sorted({key.enabled for key in snapshot.api_keys})
    assert {"folder/a", "folder/b"} == {folder.path for folder in snapshot.folders}
    assert ["11122233344"] == [key.id for key in snapshot.account_keys]
    assert 2 == len(snapshot.custom_policies)
    assert {"global", "content"} == {str(role.permission_type) for role in snapshot.catalog.roles.values()}


def test_assignments_keep_their_bindings(snapshot: Snapshot) -> None:
    """A role on a folder keeps the folder, its environment and its principal."""
    found = next(a for a in snapshot.assignments if a.folder_id)

    assert ("user:1234abc", "975l29lz02jt0836fhwi", "asdfjkl12347890") == (
        str(found.principal),
        found.scope_id,
        found.folder_id,
    )
    assert 3 == len(snapshot.assignments)


def test_custom_roles_have_their_policies(snapshot: Snapshot) -> None:
    """A custom role's contents come from its own endpoint, and their policies join the catalog."""
    role = snapshot.catalog.roles["upload_manager_12334565"]  # type: ignore[index]

    assert {
        "cld::policy::global::upload_presets::manage",
        "cld::policy::global::folder_and_asset_management::create_asset",
    } == set(role.policy_ids)
    assert set(role.policy_ids) <= set(snapshot.catalog.policies)


def test_content_roles_of_the_catalog_are_known_as_such(snapshot: Snapshot) -> None:
    """The public catalog does not say what a role is bound to; its policies' statements do."""
    assert "folder" == snapshot.catalog.roles["cld::role::folder::viewer"].level  # type: ignore[index]


def test_policies_that_the_example_leaves_out_are_noted(snapshot: Snapshot) -> None:
    """A role may name policies that the catalog does not define; they are listed, not lost."""
    assert ("cld::role::folder::viewer", "cld::policy::content::folder::download_public_assets") in (
        snapshot.catalog.missing_policies
    )


def test_a_search_that_is_not_whole_is_not_believed(snapshot: Snapshot) -> None:
    """The example of a search promises 14 folders and repeats its cursor: the tree is walked instead."""
    assert "walked" == entry(snapshot, "/v1_1/{cloud_name}/folders/{folder}", "Product1 Application").detail


def test_an_environment_without_key_is_skipped_by_name(snapshot: Snapshot) -> None:
    """The ledger says which CLOUDINARY_URL is missing."""
    found = entry(snapshot, "/v1_1/{cloud_name}/folders", "Product2 Application")

    assert (ReadStatus.SKIPPED, True) == (found.status, "product2" in found.detail)


def test_shares_are_a_gap_without_a_list(snapshot: Snapshot) -> None:
    """No API lists legacy shares, and the ledger says so."""
    assert [ReadStatus.UNREADABLE] == [e.status for e in snapshot.ledger if e.area == "shares"]


def test_only_reads_are_sent_and_public_ones_without_a_key() -> None:
    """Every request is a GET; the public catalog and schema see no credentials."""
    keys: dict[str, set[bool]] = {}

    def note(template: str, path: str, headers: dict[str, str]) -> None:
        keys.setdefault(template, set()).add("Authorization" in headers)

    requests: list[str] = []
    take(note, requests)

    assert all(request.startswith("GET ") for request in requests)
    assert {False} == keys[CATALOG]
    assert {True} == set().union(*(seen for template, seen in keys.items() if "/public/" not in template))


def test_secrets_reach_no_file_log_or_repr(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Neither our secrets nor those in the service's answers get anywhere."""
    caplog.set_level(logging.DEBUG)
    taken = dump(take(), tmp_path / "a.snapshot")

    with zipfile.ZipFile(tmp_path / "a.snapshot") as archive:
        stored = b"".join(archive.read(name) for name in archive.namelist()).decode()
    out = capfd.readouterr()
    everything = stored + repr(taken) + caplog.text + out.out + out.err
    environments = EXAMPLES["answers"][f"GET {ENVIRONMENTS}"]["sub_accounts"]
    theirs = [key["secret"] for one in environments for key in one["api_access_keys"]]
    theirs += [key["api_secret"] for key in EXAMPLES["answers"][f"GET {KEYS}"]["access_keys"]]

    assert "814814814814814" in everything
    assert [] == [secret for secret in ["canary", *theirs] if secret in everything]


@pytest.mark.parametrize(
    ("template", "status", "expected"),
    [
        (USERS, 403, ReadStatus.DENIED),
        (USERS, 404, ReadStatus.FAILED),
        (USERS, 500, ReadStatus.FAILED),
        (USERS, 429, ReadStatus.FAILED),
        (GROUPS, 403, ReadStatus.DENIED),
        (CATALOG, 403, ReadStatus.DENIED),
        (CATALOG, 401, ReadStatus.DENIED),
        (ENVIRONMENTS, 403, ReadStatus.DENIED),
    ],
)
def test_a_refusal_is_a_gap_and_the_rest_is_read(template: str, status: int, expected: ReadStatus) -> None:
    """One endpoint that refuses is a line in the ledger with its status; the snapshot goes on."""
    taken = take(instead(template, status, EXAMPLES["errors"]["ForbiddenErrorExample"]))
    found = entry(taken, template)

    assert (expected, status, 0) == (found.status, found.http_status, found.count)
    assert found.detail
    assert any(e.status is ReadStatus.READ for e in taken.ledger)


def test_without_environments_what_hangs_on_them_is_a_gap() -> None:
    """When the environments cannot be listed, nothing of theirs is taken for empty."""
    taken = take(instead(ENVIRONMENTS, 403))

    assert {"environments", "folders", "keys", "policies", "assignments", "shares"} == {
        e.area for e in taken.gaps
    }


def test_a_401_ends_it() -> None:
    """Credentials that are not accepted anywhere end the capture, with the variable's name and no value."""
    with pytest.raises(CredentialsError, match="`CLOUDINARY_ACCOUNT_URL`") as caught:
        take(instead(INSPECT, 401))

    assert "canary" not in f"{caught.value}{caught.value.hint}"


def test_a_401_of_an_environment_names_its_variable() -> None:
    """A wrong CLOUDINARY_URL is told apart from a wrong account key."""
    with pytest.raises(CredentialsError, match="`CLOUDINARY_URL`"):
        take(instead("/v1_1/{cloud_name}/folders/search", 401))


def test_nothing_at_all_is_an_error() -> None:
    """An account that refuses everything is no snapshot: the first refusal is raised."""

    def refuse(template: str, *_: object) -> Answer | None:
        return None if "/public/" in template else (403, {}, {})

    with pytest.raises(PermmigrateError, match="sub_accounts"):
        take(refuse)


def test_nobody_there_is_unreachable() -> None:
    """A closed port is told in one sentence."""
    reader = Reader(
        from_environment(ENV), api_url="http://127.0.0.1:1", timing=QUICK, patience=Patience(attempts=2)
    )

    with reader, pytest.raises(UnreachableError, match="could not be made"):
        capture(reader, captured_at="", tool_version="")


@pytest.mark.parametrize(
    ("template", "body", "expected"),
    [
        (USERS, b"<html>canary</html>", "did not answer with JSON"),
        (USERS, [], "`the whole of it` is not an object"),
        (USERS, {}, "`users` is missing"),
        (USERS, {"users": {}}, "`users` is not a list"),
        (USERS, {"users": [{"id": "a"}, {"name": "canary"}]}, "`users[1].id` is missing"),
        (USERS, {"users": [{"id": 5}]}, "`users[0].id` is not text"),
        (USERS, {"users": [{"id": "a", "enabled": "canary"}]}, "`users[0].enabled` is not true or false"),
        (CATALOG, {"catalog": {"system_policies": []}}, "`catalog.system_roles` is missing"),
        (GROUPS, {"user_groups": [{"id": "g", "users": [{}]}]}, "`user_groups[0].users[0].id` is missing"),
    ],
)
def test_a_malformed_answer_is_a_gap_that_names_the_field(template: str, body: Any, expected: str) -> None:
    """The field is named with its path; nothing of the payload is shown."""
    found = entry(take(instead(template, 200, body)), template)

    assert ReadStatus.FAILED is found.status
    assert expected in found.detail
    assert "canary" not in found.detail


def test_old_servers_still_send_the_old_fields() -> None:
    """`sub_account_ids` on a user spares the second call, and says the same."""
    requests: list[str] = []
    user = {
        "id": "u",
        "role": "reports",
        "sub_account_ids": ["e2", "e1"],
        "groups": ["g"],
        "all_sub_accounts": False,
    }

    taken = take(instead(USERS, 200, {"users": [user]}), requests)

    assert (False, ("e1", "e2")) == (taken.users[0].all_environments, taken.users[0].environment_ids)
    assert [] == [request for request in requests if "/users/u/" in request]


def test_limited_users_environments_are_asked_for() -> None:
    """A user who is limited to environments that the list does not name gets a call of their own."""
    taken = take(instead(USERS, 200, {"users": [{"id": "u", "all_sub_accounts": False}]}))

    assert {one.id for one in taken.environments} == set(taken.users[0].environment_ids)


def test_a_user_whose_environments_are_refused_is_a_gap() -> None:
    """One failing call among many is one gap with the person's name."""

    def change(template: str, *_: object) -> Answer | None:
        if template == USERS:
            return 200, {"users": [{"id": "u", "email": "ann@example.com", "all_sub_accounts": False}]}, {}
        return (403, {}, {}) if template == f"{USERS}/{{user_id}}/sub_accounts" else None

    found = entry(take(change), f"{USERS}/{{user_id}}/sub_accounts", "ann@example.com")

    assert ReadStatus.DENIED is found.status


def test_a_thousand_gaps_are_not_a_thousand_lines() -> None:
    """Of one endpoint's many gaps a hundred have a line, and the others are counted."""
    users = [{"id": f"u{n}", "all_sub_accounts": False} for n in range(130)]

    def change(template: str, *_: object) -> Answer | None:
        if template == USERS:
            return 200, {"users": users}, {}
        return (403, {}, {}) if template == f"{USERS}/{{user_id}}/sub_accounts" else None

    gaps = [e for e in take(change).gaps if e.area == "people"]

    assert [101, 1] == [len(gaps), sum(e.subject == "30 more" for e in gaps)]


def test_a_walk_keeps_what_it_could_reach() -> None:
    """A folder that refuses its children is a gap with its path; the other folders are there."""

    def change(template: str, path: str, _: object) -> Answer | None:
        refused = template == "/v1_1/{cloud_name}/folders/{folder}" and path.partition("?")[0].endswith(
            "folder/b"
        )
        return (403, {}, {}) if refused else None

    taken = take(change)

    assert ["folder/a", "folder/b"] == [folder.path for folder in taken.folders]
    found = entry(taken, "/v1_1/{cloud_name}/folders/{folder}", "Product1 Application: folder/b")
    assert ReadStatus.DENIED is found.status


FOLDERS = "/v1_1/{cloud_name}/folders"
SEARCH = f"{FOLDERS}/search"


def test_a_whole_search_spares_the_walk() -> None:
    """A search that gives as many folders as it says, with all their parents, is enough."""
    names = [("a", "f1"), ("a/b", "f2")]
    folders = [{"name": path, "path": path, "external_id": id_} for path, id_ in names]
    requests: list[str] = []

    taken = take(instead(SEARCH, 200, {"total_count": 2, "folders": folders}), requests)

    assert ["a", "a/b"] == [folder.path for folder in taken.folders]
    assert 1 == sum("/folders" in request for request in requests)


@pytest.mark.parametrize(
    "answer",
    [
        {"total_count": 2000, "folders": []},
        {"folders": []},
        {"total_count": 1, "folders": [{"path": "no/parent", "external_id": "f"}]},
        {"total_count": 3, "folders": [{"path": "one", "external_id": "f"}]},
    ],
)
def test_a_search_that_may_be_cut_short_is_not_believed(answer: dict[str, Any]) -> None:
    """At the limit of 2,000, without a total, or with a parent missing, the tree is walked."""
    assert {"folder/a", "folder/b"} == {folder.path for folder in take(instead(SEARCH, 200, answer)).folders}


def test_a_root_that_is_cut_short_is_a_gap() -> None:
    """More root folders than a listing gives, and no cursor, is a failed read."""
    few = EXAMPLES["answers"][f"GET {FOLDERS}"] | {"total_count": 2500}

    found = entry(take(instead(FOLDERS, 200, few)), FOLDERS, "Product1 Application")

    assert (ReadStatus.FAILED, True) == (found.status, "2 of 2500" in found.detail)


def test_group_members_fall_back_to_one_call_a_group() -> None:
    """A server that ignores `extended_details` is asked group by group."""
    plain = EXAMPLES["answers"][f"GET {GROUPS}"]

    taken = take(instead(GROUPS, 200, plain))

    assert [("0abed8dfcc039ea05e2a1d494fd442",)] * 2 == [group.member_ids for group in taken.groups]


def test_a_role_whose_contents_are_refused_is_not_an_empty_role() -> None:
    """It names a policy that no catalog defines, so nobody can take it for a role that grants nothing."""
    taken = take(instead(ROLE, 403))
    role = taken.catalog.roles["custom::role::account::admin_assist"]  # type: ignore[index]

    assert (f"{UNREAD_CONTENTS}{role.id}",) == role.policy_ids
    assert (role.id, role.policy_ids[0]) in taken.catalog.missing_policies
    assert ReadStatus.DENIED is entry(taken, ROLE, role.id).status


def test_without_the_public_catalog_roles_are_read_one_by_one() -> None:
    """When the catalog is out of reach, the account's own role endpoint fills in."""
    taken = take(instead(CATALOG, 403))

    assert "" == taken.catalog.source
    assert "cld::policy::global::upload_presets::manage" in taken.catalog.policies


def test_account_keys_come_from_assignments() -> None:
    """An account key is known because it holds a role."""
    role = EXAMPLES["answers"][f"GET {ROLES}"]["data"][0]
    body = {"data": {"principals": [{"type": "provisioningKey", "id": "k9", "roles": [role]}]}}

    taken = take(instead(INSPECT, 200, body))

    assert ["11122233344", "k9"] == [key.id for key in taken.account_keys]
    assert [(PrincipalType.ACCOUNT_KEY, None)] == [(a.principal.type, a.scope_id) for a in taken.assignments]


def test_numbered_pages_of_any_habit() -> None:
    """Servers that count from 0 or 1, ignore `page` or repeat the last page all give everyone."""
    everyone = [{"id": f"u{n}", "all_sub_accounts": True} for n in range(25)]

    def paged(start: int, size: int, repeat: bool) -> Callable[..., Answer | None]:
        def answer(template: str, path: str, _: object) -> Answer | None:
            if template != USERS:
                return None
            page = int(path.partition("&page=")[2] or start) - start
            if repeat:
                page = min(page, (len(everyone) - 1) // size)
            return 200, {"users": everyone[page * size :][:size] if page >= 0 else everyone[:size]}, {}

        return answer

    habits = [(0, 10, False), (1, 10, False), (1, 10, True), (0, 3, True), (1, 100, True), (0, 100, False)]

    assert [25] * len(habits) == [len(take(paged(*habit)).users) for habit in habits]


def test_keys_that_do_not_all_come_are_a_gap() -> None:
    """A total that the rows never reach is a failed read, not a shorter list."""
    body = EXAMPLES["answers"][f"GET {KEYS}"] | {"total": 5}

    found = entry(take(instead(KEYS, 200, body)), KEYS, "Product1 Application")

    assert (ReadStatus.FAILED, True) == (found.status, "2 of 5" in found.detail)


def share_list(path: Path, principal: str) -> Path:
    file = path / "shares.csv"
    file.write_text(
        "environment,content_type,content,principal_type,principal,level\n"
        f"product1,folder,folder/a,user,{principal},Can view\n"
        "product2,folder,folder/a,user,john_smith@example.com,Can view\n"
    )
    return file


def test_share_lists_join_the_account(tmp_path: Path) -> None:
    """A listed share gets its ids; one in an environment whose folders were not read stays an orphan."""
    taken = take(share_lists=[share_list(tmp_path, "john_smith@example.com")])

    assert ["abcdefg1234567890"] == [share.content.id for share in taken.shares]
    assert ["shares.csv:3"] == [orphan.source for orphan in taken.orphan_shares]
    assert [(ReadStatus.READ, 2)] == [(e.status, e.count) for e in taken.ledger if e.area == "shares"]


def test_strangers_in_a_list_end_it_unless_they_are_kept(tmp_path: Path) -> None:
    """A person who is not in the account is a problem with its line, or an orphan on request."""
    file = share_list(tmp_path, "nobody@example.com")

    with pytest.raises(InvalidFileError) as caught:
        take(share_lists=[file])
    kept = take(share_lists=[file], keep_unknown=True)

    assert ["shares.csv:2: there is no user `nobody@example.com`"] == [str(p) for p in caught.value.problems]
    assert ((), 2) == (kept.shares, len(kept.orphan_shares))


def test_a_broken_list_costs_no_call(tmp_path: Path) -> None:
    """Lists are read before the first request."""
    (tmp_path / "shares.csv").write_text("nothing\n")

    with vendor_examples() as (base, requests), Reader(from_environment(ENV), api_url=base) as reader:
        with pytest.raises(InvalidFileError):
            capture(reader, share_lists=[tmp_path / "shares.csv"], captured_at="", tool_version="")
        assert requests == []


def test_progress_is_told() -> None:
    """Every phase reports how far it is and how many calls were made."""
    told: list[Progress] = []

    take(progress=told.append)

    assert {"environments", "users", "groups", "API keys", "folders", "catalog", "roles"} <= {
        p.phase for p in told
    }
    assert [p.calls for p in told] == sorted(p.calls for p in told)
    assert told[-1].done == told[-1].total


def test_two_captures_are_equal() -> None:
    """Reading side by side does not change the result."""
    first, second = take(), take()

    assert dataclasses.replace(first, api_url="", catalog=second.catalog) == dataclasses.replace(
        second, api_url=""
    )
    assert first.catalog.digest == second.catalog.digest
