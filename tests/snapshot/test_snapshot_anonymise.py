"""An anonymised snapshot: the same account in shape, and not one name of it left."""

from __future__ import annotations

import json
import re
import zipfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from builders import (
    a_group,
    a_key,
    a_user,
    api_key,
    environment,
    folder,
    folder_id,
    group,
    share,
    snapshot,
    user,
)
from permmigrate.diff import Diff
from permmigrate.diff.compare import compare
from permmigrate.mapping.tables import MappingTables, load
from permmigrate.model import (
    Collection,
    CollectionId,
    ContentKind,
    ContentRef,
    CustomPolicy,
    EnvironmentId,
    LedgerEntry,
    OrphanShare,
    ReadStatus,
    RoleAssignment,
    RoleId,
    ScopeType,
    Share,
)
from permmigrate.resources import mappings_dir
from permmigrate.snapshot import Snapshot, rows
from permmigrate.snapshot.anonymity import RULES
from permmigrate.snapshot.anonymous import anonymise
from permmigrate.snapshot.file import dump
from permmigrate.snapshot.pseudonyms import Pseudonyms
from random_accounts import account
from sampling import some

SALT = b"a salt of more than sixteen bytes"
TODAY = date(2026, 11, 22)


def telling() -> Snapshot:
    """An account that gives itself away in every field that can."""
    env = EnvironmentId("env-Zanzibar")
    col = ContentRef(env, ContentKind.COLLECTION, "col-Quixote")
    statement = (
        '// Wilhelmina asked for it\n@id("Ticket Palimpsest")\n'
        'permit(principal == Cloudinary::User::"u-Wilhelmina", action in [Cloudinary::Action::"read"], '
        'resource is Cloudinary::Asset) when { resource.ancestor_ids.contains("f:Brands:Xylophone") && '
        'resource.access_control == "public" && resource.tag like "Nebuchad*ezzar" };'
        'forbid(principal in Cloudinary::Group::"g-Obelisk", action, '
        'resource == Cloudinary::UploadPreset::"preset \\u{5a}anzibar");'
    )
    orphan = OrphanShare(
        (
            ("environment", "cloud-Zanzibar"),
            ("content_type", "folder"),
            ("content", "Brands/Gone Vesuvius"),
            ("content_name", ""),
            ("principal_type", "user"),
            ("principal", "ghost@kilimanjaro.example.org"),
            ("level", "can_view"),
        ),
        "there is no user `ghost@kilimanjaro.example.org`",
        "Zanzibar shares.csv:9",
    )
    endpoint = "GET /v1_1/provisioning/accounts/{account_id}/users"
    ledger = (
        LedgerEntry("people", endpoint, "", ReadStatus.READ, 2, 200),
        LedgerEntry("people", endpoint + "/x", "wilhelmina@Zanzibar.example.com", ReadStatus.FAILED, 0, 500),
        LedgerEntry("folders", "GET /v1_1/{cloud_name}/folders", "Prod Zanzibar: Brands/Xylophone",
                    ReadStatus.FAILED, detail="something with Wilhelmina in it"),
        LedgerEntry("folders", "GET /v1_1/{cloud_name}/folders", "Prod Zanzibar", ReadStatus.SKIPPED,
                    detail="no CLOUDINARY_URL was given for cloud name cloud-Zanzibar"),
        LedgerEntry("people", endpoint, "Wilhelmina?", ReadStatus.DENIED, 0, 403,
                    "the key of `CLOUDINARY_URL` may not call `GET /v1_1/secret-Zanzibar/users` (403)"),
        LedgerEntry("shares", "list Zanzibar shares.csv", "", ReadStatus.READ, 2),
    )  # fmt: skip
    return snapshot(
        account_id="acc-Zanzibar",
        api_url="https://zanzibar-dam.example.net",
        environments=(environment(env, name="Prod Zanzibar", cloud_name="cloud-Zanzibar"),),
        users=(
            user("u-Wilhelmina", name="Wilhelmina Zuckmayer", email="Wilhelmina@zanzibar.example.com",
                 providers=("saml", "Okta Zanzibar"), technical_role="Chief Wilhelmina"),
            user("u-other", "admin", name="=HYPERLINK(1)", email="other@Zanzibar.example.com"),
        ),
        groups=(group("g-Obelisk", "u-Wilhelmina", "u-other", "u-Departed"),),
        api_keys=(api_key("799451857115779", env, name="Key Zanzibar"),),
        folders=(folder("Brands", env), folder("Brands/Xylophone", env), folder("Xylophone", env)),
        collections=(Collection(CollectionId("col-Quixote"), env, "Spring Quixote"),),
        shares=(
            share("Brands/Xylophone", a_user("u-Wilhelmina"), environment_id=env),
            share("Brands", a_group("g-Obelisk"), "can_edit", env, 3),
            Share(col, a_group("g-Obelisk"), "Level Wilhelmina", "Zanzibar lists.xlsx Sheet Obelisk!4"),
        ),
        orphan_shares=(orphan,),
        custom_policies=(
            CustomPolicy("custom-Zanzibar", "Policy Zanzibar", "for Wilhelmina", ScopeType.ENVIRONMENT,
                         env, statement),
            CustomPolicy("custom-2", "Number", "", ScopeType.ENVIRONMENT, "all",
                         "pprincipal Wilhelmina 799451857115779 \u202eZanzibar"),
        ),
        assignments=(
            RoleAssignment(a_key("799451857115779"), RoleId("cld::role::prodenv::admin"), "all"),
            RoleAssignment(a_user("u-Wilhelmina"), RoleId("role-Zanzibar-gone"), env),
        ),
        ledger=ledger,
    )  # fmt: skip


TELLING = (
    *("zanzibar", "wilhelmina", "zuckmayer", "xylophone", "obelisk", "quixote", "vesuvius", "kilimanjaro"),
    *("departed", "hyperlink", "799451857115779", "palimpsest", "nebuchad", "ezzar", "brands", "u-other"),
)


def written(anonymous: Snapshot, folder: Path) -> dict[str, str]:
    """The text of each member of the file."""
    dump(anonymous, folder / "a.snapshot")
    with zipfile.ZipFile(folder / "a.snapshot") as archive:
        return {name: archive.read(name).decode() for name in archive.namelist()}


def originals(account: Snapshot) -> Iterator[str]:
    """Every name, e-mail, id and path segment of an account, and what its custom policies call things."""
    yield account.account_id
    for one in account.environments:
        yield from (one.id, one.name, one.cloud_name)
    for person in account.users:
        yield from (person.id, person.name, person.email)
    for team in account.groups:
        yield from (team.id, team.name, *team.member_ids)
    for key in (*account.api_keys, *account.account_keys):
        yield from (key.id, key.name)
    for one_folder in account.folders:
        yield from (one_folder.id, one_folder.path, *one_folder.path.split("/"))
    for collection in account.collections:
        yield from (collection.id, collection.name)
    for custom in account.custom_policies:
        yield from (custom.id, custom.name, custom.description)
    for role in account.catalog.roles.values():
        if role.management_type == "custom":
            yield from (role.id, role.name, role.description)
    for orphan in account.orphan_shares:
        yield from (text for name, text in orphan.fields if name in ("principal", "content", "environment"))


def test_no_name_survives_anywhere_in_the_file(tmp_path: Path) -> None:
    """Not one telling text is left in any member: not in a statement, a source, a reason or the ledger."""
    members = written(anonymise(telling(), SALT), tmp_path)
    text = "".join(members.values()).casefold()

    assert [] == [name for name in TELLING if name in text]


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("state", ["legacy", "migrated"])
def test_no_original_of_a_whole_company_survives(
    tmp_path: Path, sandboxes: Any, seed: int, state: str
) -> None:
    """Of the sandbox's accounts no id, name, e-mail or path segment longer than three characters is left.

    Only times, digests, the vendor's own words and this tool's own may coincide with one.
    """
    taken: Snapshot = sandboxes(seed, state)
    anonymous = anonymise(taken, SALT)
    members = written(anonymous, tmp_path)
    vendor = members.pop("cedar_schema.json") + json.dumps(
        [[p.id, p.name, p.description, p.statement, p.category, p.sub_category]
         for p in taken.catalog.policies.values() if p.id.startswith("cld::")]
        + [[r.id, r.name, r.description] for r in taken.catalog.roles.values() if r.id.startswith("cld::")]
    )  # fmt: skip
    catalog = json.loads(members.pop("catalog.json"))
    own = [e for e in (*catalog["roles"], *catalog["policies"]) if not e["id"].startswith("cld::")]
    text = "\n".join(members.values()) + json.dumps(own)
    text = re.sub(r"\b[0-9a-f]{64}\b", "", text)
    for moment in sorted(_moments(taken), key=len, reverse=True):
        text = text.replace(moment, "")
    ours = {"user", "group", "environment", "cloud", "collection", "policy", "role", "admin", "reports"}
    searched = {o for o in originals(taken) if len(o) > 3 and o.casefold() not in ours and o not in vendor}

    assert len(searched) > 300
    assert [] == sorted(original for original in searched if original in text)


def _moments(taken: Snapshot) -> set[str]:
    found = {taken.captured_at} | {entry.read_at for entry in taken.ledger}
    for one in (*taken.users, *taken.environments, *taken.api_keys):
        found |= {
            getattr(one, name) or ""
            for name in ("created_at", "last_login", "updated_at")
            if hasattr(one, name)
        }
    return found - {""}


def test_every_field_of_every_table_has_a_rule() -> None:
    """A field that nobody thought about is no field that is written as it is."""
    tables = {table.name: table for table in (*rows.TABLES, rows.POLICIES, rows.ROLES)}

    assert {name: set(table.fields) for name, table in tables.items()} == {
        name: set(rules) for name, rules in RULES.items()
    }


def test_structure_stays() -> None:
    """What belonged together still does: domains, members, nested paths, ids in statements, lines."""
    one = anonymise(telling(), SALT)
    names = Pseudonyms(SALT)
    paths = [f.path for f in one.folders]
    first, second = sorted(paths, key=lambda p: p.count("/"))[:2]
    nested = next(path for path in paths if "/" in path)

    assert {nested.partition("/")[0], nested.partition("/")[2]} == {first, second}
    assert 1 == len({u.email.partition("@")[2] for u in one.users})
    assert 3 == len(one.groups[0].member_ids)
    assert {u.id for u in one.users} < set(one.groups[0].member_ids)
    custom = next(c for c in one.custom_policies if "forbid" in c.statement)
    for kind, original in (("User", "u-Wilhelmina"), ("Group", "g-Obelisk")):
        assert f'Cloudinary::{kind}::"{names.id(original)}"' in custom.statement
    assert f'.contains("{names.id(folder_id("Brands/Xylophone"))}")' in custom.statement
    assert 'resource.access_control == "public"' in custom.statement
    assert [2, 3] == sorted(int(s.source.rpartition(":")[2]) for s in one.shares if ":" in s.source)
    assert "all" in {c.scope_id for c in one.custom_policies}
    assert {e.status for e in one.ledger} == {e.status for e in telling().ledger}
    assert "walked" in {e.detail for e in anonymise(_with_detail("walked"), SALT).ledger}


def _with_detail(detail: str) -> Snapshot:
    return snapshot(
        ledger=(LedgerEntry("folders", "GET /v1_1/{cloud_name}/folders", "", ReadStatus.READ, detail=detail),)
    )


@pytest.mark.parametrize(
    "detail",
    [
        "104 of 104 read; from the users of each environment; 3 people asked for one by one agree",
        "all below each of 11 root folders; as many as a search counts",
        "no API lists legacy shares; give a list with `--shares`",
        "it changed while it was read, and was read again whole",
    ],
)
def test_remarks_that_name_nobody_stay(detail: str) -> None:
    """What the tool says of its own reading is evidence: only what may name somebody goes."""
    assert [detail] == [entry.detail for entry in anonymise(_with_detail(detail), SALT).ledger]


@pytest.mark.parametrize(
    "detail", ["read Wilhelmina again", "1 of 799451857115779 read", "3 \u202eusers", "ünit"]
)
def test_remarks_that_may_name_somebody_go(detail: str) -> None:
    """A word that is not the tool's own, or a number like an id, takes the whole remark with it."""
    (entry,) = anonymise(_with_detail(detail), SALT).ledger
    assert "removed when the snapshot was anonymised" == entry.detail


def test_the_salt_decides() -> None:
    """One salt, one file; another salt, another one; and the order of capture plays no part."""
    taken = telling()
    again = Snapshot.of(
        **{f.name: getattr(taken, f.name) for f in fields(taken)}
        | {name: getattr(taken, name)[::-1] for name in ("users", "folders", "shares", "ledger")}
    )

    assert anonymise(taken, SALT) == anonymise(again, SALT)
    assert anonymise(taken, SALT) != anonymise(taken, b"another salt, just as long as that")


def test_two_captures_stay_comparable() -> None:
    """Under one salt what is in both captures has one pseudonym, whatever else came or went."""
    taken = telling()
    later = replace(taken, users=taken.users[:1], folders=taken.folders[1:])
    ids = {u.id for u in anonymise(taken, SALT).users}

    assert {u.id for u in anonymise(later, SALT).users} < ids


def shape(diff: Diff) -> tuple[Any, ...]:
    """What a comparison says when it may name nobody."""
    capabilities = [
        (c.scope, c.action, c.resource.partition(" ")[0], bool(c.condition), c.severity)
        for c in diff.capabilities
    ]
    findings: Counter[Any] = Counter()
    holders: Counter[Any] = Counter()
    for f in diff.findings:
        words = tuple(sorted(str(capabilities[n]) for n in f.capabilities))
        key = (f.verdict, f.severity, f.region.kind, f.region.folders, words, len(f.causes), bool(f.reason))
        findings[f.principal.type, key] += 1
        for principal in f.principals:
            holders[principal.type, key] += 1
    return findings, holders, diff.counts, diff.headline, diff.complete, len(diff.principals), diff.decided


def hidden(tables: MappingTables, taken: Snapshot) -> MappingTables:
    """The tables with the ids they name under their pseudonyms."""
    names = Pseudonyms(SALT)

    def target(row: Any) -> Any:
        role = taken.catalog.roles.get(row.target.name)
        if role is None or role.management_type == "system":
            return row
        return replace(row, target=replace(row.target, name=names.id(row.target.name)))

    rows_of = ("user_roles", "folder_levels", "collection_levels", "api_keys", "account_keys")
    found: dict[str, Any] = {name: tuple(map(target, getattr(tables, name))) for name in rows_of}
    overrides = tuple(replace(target(row), match=names.id(row.match)) for row in tables.overrides)
    return replace(tables, overrides=overrides, **found)


@pytest.mark.sampled
@pytest.mark.parametrize("seed", some(range(60), 12))
def test_the_diff_of_the_anonymised_is_the_same_diff(seed: int) -> None:
    """Over random accounts: the same findings, members, counts and verdict, by the tables and as assigned."""
    one = account(seed)
    for assigned in (None, one.assigned):
        plain = compare(one.snapshot, one.tables, today=TODAY, tool_version="0", assigned=assigned)
        disguised = compare(
            anonymise(one.snapshot, SALT),
            hidden(one.tables, one.snapshot),
            today=TODAY,
            tool_version="0",
            assigned=anonymise(assigned, SALT) if assigned else None,
        )
        assert shape(plain) == shape(disguised)


@pytest.mark.sampled
def test_the_diff_of_an_anonymised_company_is_the_same_diff(sandboxes: Any) -> None:
    """The sandbox's account or a part of it, by the shipped tables and against the roles assigned since."""
    tables = load(mappings_dir())
    legacy, migrated = sandboxes(1, "legacy"), sandboxes(1, "migrated")
    legacy = replace(legacy, users=some(legacy.users, 12), shares=some(legacy.shares, 60))
    for assigned in (None, migrated):
        plain = compare(legacy, tables, today=TODAY, tool_version="0", assigned=assigned)
        disguised = compare(
            anonymise(legacy, SALT), tables, today=TODAY, tool_version="0",
            assigned=anonymise(assigned, SALT) if assigned else None,
        )  # fmt: skip
        assert len(plain.findings) > 20
        assert shape(plain) == shape(disguised)
