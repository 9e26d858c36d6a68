"""A snapshot without the names in it: the same account in shape, and nobody's in particular.

The vendor's words (catalog, schema, legacy roles, levels), counts, flags and times stay; what people named or
typed does not. It reads and writes no file, and keeps no way back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from permmigrate.catalog import ILLUSTRATIVE_SOURCE, Catalog
from permmigrate.model import (
    ALL_ENVIRONMENTS,
    ContentKind,
    ManagementType,
    Policy,
    PolicyId,
    Role,
    RoleId,
)
from permmigrate.snapshot import cedartext, rows
from permmigrate.snapshot.anonymity import RULES
from permmigrate.snapshot.crawl import UNREAD_CONTENTS
from permmigrate.snapshot.pseudonyms import Pseudonyms
from permmigrate.snapshot.sharelist import COLUMNS
from permmigrate.snapshot.telltale import REMOVED, Telltale
from permmigrate.snapshot.value import Snapshot

_SYSTEM: Final = "cld::"
_HOSTS: Final = re.compile(
    r"https://api(-eu|-ap)?\.cloudinary\.com|https?://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?"
)
_PUBLIC_CATALOG: Final = "/v2/accounts/permissions/public/catalog"
_WORD: Final = re.compile(r"[a-z]{1,20}(_[a-z]{1,20}){0,4}")
_PROVIDERS: Final = frozenset({"saml", "google", "github", "email", "password", "sso", "okta", "microsoft"})
_PLACEHOLDERS: Final = frozenset(f"<{kind.parameter}>" for kind in ContentKind)
_KNOWN_WORDS: Final = frozenset({"Cloudinary", "MediaFlows", "Action", "ancestor_ids", "collection_ids"})


def anonymise(snapshot: Snapshot, salt: bytes) -> Snapshot:
    """Return the snapshot under pseudonyms, without a digest. The same salt gives the same pseudonyms."""
    return _Anonymiser(snapshot, Pseudonyms(salt)).snapshot()


class _Anonymiser:
    """One snapshot, one salt."""

    def __init__(self, snapshot: Snapshot, names: Pseudonyms) -> None:
        self._snapshot = snapshot
        self._names = names
        self._ids = frozenset(_ids_of(snapshot))
        self._own_roles = {
            role.id
            for role in snapshot.catalog.roles.values()
            if role.management_type is ManagementType.CUSTOM
        }
        self._categories = {
            text
            for policy in snapshot.catalog.policies.values()
            if policy.id.startswith(_SYSTEM)
            for text in (policy.category, policy.sub_category)
        }
        self._words, self._literals = self._vendor_vocabulary()
        self._telltale = Telltale(snapshot, names)
        rules: dict[str, Callable[[Any], Any]] = {
            "keep": lambda value: value,
            "removed": lambda value: REMOVED if value else value,
            "id": self._id,
            "ids": lambda value: tuple(sorted(map(names.id, value))),
            "scope": lambda value: value if value == ALL_ENVIRONMENTS else self._id(value),
            "email": names.email,
            "path": names.path,
            "word": self._word,
            "providers": lambda value: tuple(
                one if one in _PROVIDERS else names.name("provider", one) for one in value
            ),
            "collection_name": lambda value: (
                names.id(value) if value in self._ids else names.name("collection", value)
            ),
            "source": self._telltale.source,
            "orphan": self._orphan,
            "reason": self._telltale.reason,
            "endpoint": self._telltale.endpoint,
            "subject": self._telltale.subject,
            "detail": self._telltale.detail,
            "statement": self._statement,
            "role_id": self._role_id,
            "policy_id": self._policy_id,
            "policy_ids": lambda value: tuple(map(self._policy_id, value)),
            "category": lambda value: value if value in self._categories else names.name("category", value),
        }
        for kind in ("environment", "cloud", "user", "group", "key", "policy", "role"):
            rules[kind] = self._namer(kind)
        self._rules: Mapping[str, Callable[[Any], Any]] = rules

    def snapshot(self) -> Snapshot:
        old = self._snapshot
        tables: dict[str, Any] = {
            table.name: tuple(self._row(table, value) for value in getattr(old, table.name))
            for table in rows.TABLES
        }
        return Snapshot.of(
            account_id=self._names.id(old.account_id),
            captured_at=old.captured_at,
            tool_version=old.tool_version,
            api_url=self._address(old.api_url),
            catalog=self._catalog(old.catalog),
            **tables,
        )

    def _row(self, table: rows.Table, value: Any) -> Any:
        rules = RULES[table.name]
        row = table.encode(value)
        return table.decode({name: self._rules[rules[name]](row[name]) for name in table.fields})

    def _catalog(self, catalog: Catalog) -> Catalog:
        return Catalog.of(
            (self._policy(policy) for policy in catalog.policies.values()),
            (self._role(role) for role in catalog.roles.values()),
            catalog.schema,
            self._catalog_source(catalog.source),
        )

    def _policy(self, policy: Policy) -> Policy:
        found: Policy = policy if policy.id.startswith(_SYSTEM) else self._row(rows.POLICIES, policy)
        return found

    def _role(self, role: Role) -> Role:
        if role.id in self._own_roles:
            found: Role = self._row(rows.ROLES, role)
            return found
        ids = tuple(PolicyId(self._policy_id(one)) for one in role.policy_ids)
        return replace(role, policy_ids=ids)

    def _catalog_source(self, source: str) -> str:
        if source in ("", ILLUSTRATIVE_SOURCE):
            return source
        if source.endswith(_PUBLIC_CATALOG):
            return self._address(source.removesuffix(_PUBLIC_CATALOG)) + _PUBLIC_CATALOG
        return self._names.name("source", source)

    def _address(self, url: str) -> str:
        if not url or _HOSTS.fullmatch(url):
            return url
        return f"https://{self._names.name('host', url).replace(' ', '-')}.example"

    def _namer(self, kind: str) -> Callable[[str], str]:
        return lambda text: self._names.name(kind, text)

    def _id(self, value: str | None) -> str | None:
        return None if value is None else self._names.id(value)

    def _word(self, value: str | None) -> str | None:
        """The vendor's words for legacy roles and levels stay: the mapping tables match them."""
        return value if not value or _WORD.fullmatch(value) else self._names.word(value)

    def _role_id(self, value: str) -> str:
        if value in self._own_roles:
            return self._names.id(value)
        kept = value.startswith(_SYSTEM) or RoleId(value) in self._snapshot.catalog.roles
        return value if kept else self._names.id(value)

    def _policy_id(self, value: str) -> str:
        if value.startswith(UNREAD_CONTENTS):
            return UNREAD_CONTENTS + self._role_id(value.removeprefix(UNREAD_CONTENTS))
        return value if value.startswith(_SYSTEM) else self._names.id(value)

    def _orphan(self, fields: tuple[tuple[str, str], ...]) -> list[list[str]]:
        row = dict(fields)
        return [
            [name if name in COLUMNS else self._names.name("column", name), self._cell(name, text, row)]
            for name, text in fields
        ]

    def _cell(self, column: str, text: str, row: Mapping[str, str]) -> str:
        match column:
            case "content_type" | "principal_type" | "level":
                return str(self._word(text))
            case "environment":
                return self._names.id(text) if text in self._ids else self._names.name("cloud", text)
            case "content":
                folder = row.get("content_type") == ContentKind.FOLDER and text not in self._ids
                return self._names.path(text) if folder else self._names.id(text)
            case "principal":
                return self._telltale.person(text, row.get("principal_type", ""))
            case "content_name":
                return self._names.name("collection", text)
            case _:
                return self._names.name("text", text)

    def _statement(self, text: str) -> str:
        by = cedartext.Exchange(self._literal, self._identifier, self._number)
        return cedartext.exchange(text, by)

    def _literal(self, type_: str, text: str) -> str:
        """An id for an id; a word of the vendor's own policies and schema stays."""
        if text in _PLACEHOLDERS or (type_ == "Action" and text in self._literals):
            return text
        if text in self._ids:
            return self._names.id(text)
        if text in self._literals:
            return text
        if (known := self._telltale.known(text)) is not None:
            return known
        if "@" in text:
            return self._names.email(text)
        return self._names.path(text) if "/" in text else self._names.id(text)

    def _identifier(self, text: str) -> str:
        return text if text in self._words else self._names.word(text)

    def _number(self, digits: str) -> str:
        return digits if len(digits) < 5 and digits not in self._ids else self._names.number(digits)

    def _vendor_vocabulary(self) -> tuple[frozenset[str], frozenset[str]]:
        """The identifiers and literals of the schema and of the vendor's own policies."""
        catalog = self._snapshot.catalog
        found = {part for text in _texts_of(catalog.schema) for part in (text, *text.split("::"))}
        words, literals = set(cedartext.KEYWORDS | _KNOWN_WORDS) | found, set(found)
        for policy in catalog.policies.values():
            if policy.id.startswith(_SYSTEM):
                words |= cedartext.words(policy.statement)
                literals |= {text for _, text in cedartext.literals(policy.statement)}
        return frozenset(words), frozenset(literals)


def _ids_of(snapshot: Snapshot) -> Iterator[str]:
    yield snapshot.account_id
    for table in (
        *(snapshot.environments, snapshot.users, snapshot.groups, snapshot.api_keys, snapshot.account_keys),
        *(snapshot.folders, snapshot.collections, snapshot.custom_policies),
    ):
        yield from (one.id for one in table)
    for group in snapshot.groups:
        yield from group.member_ids
    for share in snapshot.shares:
        yield share.content.id
        yield share.principal.id
    for assignment in snapshot.assignments:
        yield assignment.principal.id
        yield from (one for one in (assignment.folder_id, assignment.collection_id) if one)


def _texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from value
        for inner in value.values():
            yield from _texts_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts_of(inner)
