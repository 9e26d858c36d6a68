"""A snapshot as tables of text, one file each, for spreadsheets and scripts. It only writes what is there.

Ids and the vendor's words are written as they are, so that they can be read back. What people typed (names,
paths, e-mails, sentences) gets an apostrophe in front where a spreadsheet would take it for a formula, and
where it begins with an apostrophe already: take one off to have the text back.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from permmigrate.model import ContentKind, ContentRef, EnvironmentId, RoleAssignment
from permmigrate.snapshot.sharelist import COLUMNS
from permmigrate.snapshot.value import Snapshot

Cell = str | int | bool | None

_RISKY: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_BOM: Final = "\ufeff"


@dataclass(frozen=True)
class OutTable:
    """One table: columns whose name ends in `*` hold what people typed."""

    name: str
    columns: tuple[str, ...]
    rows: Iterable[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class OutFile:
    """A table as the bytes of its file."""

    name: str
    content: bytes
    rows: int
    raw_formulas: int
    """Ids that a spreadsheet would take for formulas, written as they are all the same."""


def files(snapshot: Snapshot) -> Iterator[OutFile]:
    """Yield each table as a CSV file: UTF-8 with a byte order mark, commas, every field in quotes."""
    for table in tables(snapshot):
        text = io.StringIO(newline="")
        writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
        typed = [name.endswith("*") for name in table.columns]
        writer.writerow([name.rstrip("*") for name in table.columns])
        count = risky = 0
        for row in table.rows:
            cells = [_plain(cell) for cell in row]
            risky += sum(c.startswith(_RISKY) for c, by_hand in zip(cells, typed, strict=True) if not by_hand)
            writer.writerow(guarded(c) if by_hand else c for c, by_hand in zip(cells, typed, strict=True))
            count += 1
        content = (_BOM + text.getvalue()).encode("utf-8", "backslashreplace")
        yield OutFile(file_name(table), content, count, risky)


def file_name(table: OutTable) -> str:
    """`shares.csv`."""
    return f"{table.name}.csv"


def guarded(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would run it; `unguarded` takes it off."""
    runs = text.startswith(_RISKY) or text.lstrip().startswith(_RISKY)
    return "'" + text if runs or text.startswith("'") else text


def unguarded(text: str) -> str:
    """What was typed."""
    return text.removeprefix("'")


def _plain(cell: Cell) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "yes" if cell else "no"
        case _:
            return str(cell)


def tables(snapshot: Snapshot) -> Iterator[OutTable]:
    """The tables, in the order people look for them."""
    s = snapshot
    yield OutTable("about", ("field", "value*"), _about(s))
    yield OutTable(
        "environments",
        ("id", "name*", "cloud_name", "enabled", "created_at"),
        ((e.id, e.name, e.cloud_name, e.enabled, e.created_at) for e in s.environments),
    )
    yield from _people(s)
    yield OutTable(
        "api_keys",
        ("id", "name*", "environment_id", "enabled", "created_at", "updated_at"),
        ((k.id, k.name, k.environment_id, k.enabled, k.created_at, k.updated_at) for k in s.api_keys),
    )
    yield OutTable("account_keys", ("id", "name*"), ((k.id, k.name) for k in s.account_keys))
    yield OutTable(
        "folders", ("id", "environment_id", "path*"), ((f.id, f.environment_id, f.path) for f in s.folders)
    )
    yield OutTable(
        "collections",
        ("id", "environment_id", "name*"),
        ((c.id, c.environment_id, c.name) for c in s.collections),
    )
    yield from _shares(s)
    yield from _permissions(s)
    yield OutTable(
        "ledger",
        ("area", "endpoint", "subject*", "status", "count", "http_status", "detail*", "read_at"),
        (
            (e.area, e.endpoint, e.subject, e.status.value, e.count, e.http_status, e.detail, e.read_at)
            for e in s.ledger
        ),
    )


def _about(s: Snapshot) -> Iterator[tuple[str, Cell]]:
    yield "account_id", s.account_id
    yield "captured_at", s.captured_at
    yield "tool_version", s.tool_version
    yield "api_url", s.api_url
    yield "digest", s.digest
    yield "catalog_source", s.catalog.source
    yield "catalog_digest", s.catalog.digest
    yield "gaps", len(s.gaps)


def _people(s: Snapshot) -> Iterator[OutTable]:
    yield OutTable(
        "users",
        (
            *("id", "name*", "email*", "legacy_role", "enabled", "pending", "all_environments"),
            *("last_login", "created_at", "root", "technical_role", "providers"),
        ),
        (
            (
                *(u.id, u.name, u.email, u.legacy_role, u.enabled, u.pending, u.all_environments),
                *(u.last_login, u.created_at, u.root, u.technical_role, " ".join(u.providers)),
            )
            for u in s.users
        ),
    )
    yield OutTable(
        "user_environments",
        ("user_id", "user_email*", "environment_id"),
        ((u.id, u.email, one) for u in s.users for one in u.environment_ids),
    )
    yield OutTable(
        "groups", ("id", "name*", "members"), ((g.id, g.name, len(g.member_ids)) for g in s.groups)
    )
    emails = {u.id: u.email for u in s.users}
    yield OutTable(
        "group_members",
        ("group_id", "group_name*", "user_id", "user_email*"),
        ((g.id, g.name, one, emails.get(one, "")) for g in s.groups for one in g.member_ids),
    )


def _shares(s: Snapshot) -> Iterator[OutTable]:
    """Shares by ids, so that the list can be given to `snapshot --shares` again; orphans as they were."""
    labels = s.content_labels
    names = {ref: s.principal_name(ref) for ref in {share.principal for share in s.shares}}
    head = (*COLUMNS[:3], "content_name*", *COLUMNS[4:6], "principal_name*", "level", "source*")
    yield OutTable(
        "shares",
        head,
        (
            (
                *(one.content.environment_id, one.content.kind.value, one.content.id),
                labels.get(one.content, ""),
                *(one.principal.type.value, one.principal.id, names[one.principal], one.level, one.source),
            )
            for one in s.shares
        ),
    )
    yield OutTable(
        "orphan_shares",
        (*COLUMNS[:3], "content_name*", *COLUMNS[4:], "reason*", "source*"),
        (
            (*(dict(one.fields).get(name, "") for name in COLUMNS), one.reason, one.source)
            for one in s.orphan_shares
        ),
    )


def _permissions(s: Snapshot) -> Iterator[OutTable]:
    roles, policies = s.catalog.roles, s.catalog.policies
    yield OutTable(
        "assignments",
        (
            *("principal_type", "principal", "principal_name*", "role_id", "role_name*"),
            *("scope_id", "folder_id", "collection_id", "content_name*"),
        ),
        (
            (
                *(a.principal.type.value, a.principal.id, s.principal_name(a.principal), a.role_id),
                *(roles[a.role_id].name if a.role_id in roles else "", a.scope_id),
                *(a.folder_id, a.collection_id, _content_name(s, a)),
            )
            for a in s.assignments
        ),
    )
    yield OutTable(
        "custom_policies",
        ("id", "name*", "description*", "scope_type", "scope_id", "enabled", "statement*"),
        (
            (p.id, p.name, p.description, p.scope_type.value, p.scope_id, p.enabled, p.statement)
            for p in s.custom_policies
        ),
    )
    yield OutTable(
        "roles",
        ("id", "name*", "description*", "level", "management_type", "permission_type", "scope_type"),
        (
            (
                r.id,
                r.name,
                r.description,
                r.level,
                r.management_type.value,
                r.permission_type.value,
                r.scope_type.value,
            )
            for r in roles.values()
        ),
    )
    yield OutTable(
        "role_policies",
        ("role_id", "policy_id", "policy_name*"),
        (
            (r.id, one, policies[one].name if one in policies else "")
            for r in roles.values()
            for one in r.policy_ids
        ),
    )
    yield OutTable(
        "policies",
        (
            *("id", "name*", "description*", "category*", "sub_category*", "scope_type"),
            *("permission_type", "parameters", "statement*"),
        ),
        (
            (
                *(p.id, p.name, p.description, p.category, p.sub_category, p.scope_type.value),
                *(p.permission_type.value, " ".join(p.parameters), p.statement),
            )
            for p in policies.values()
        ),
    )


def _content_name(s: Snapshot, one: RoleAssignment) -> str:
    kind = ContentKind.FOLDER if one.folder_id else ContentKind.COLLECTION
    id_ = one.folder_id or one.collection_id
    if not id_:
        return ""
    return s.content_labels.get(ContentRef(EnvironmentId(one.scope_id or ""), kind, id_), "")
