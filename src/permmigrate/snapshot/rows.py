"""How each table of a snapshot is written as rows of JSON, and read back.

One codec a table, with every field spelled out: the file is a contract, not a mirror of our classes.
It reads rows, not files; what is wrong with a row is a RowError that names the field.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain, starmap
from operator import itemgetter
from sys import intern
from typing import Any, Final

from permmigrate.model import (
    AccountKey,
    ApiKey,
    Collection,
    ContentKind,
    ContentRef,
    CustomPolicy,
    Folder,
    Group,
    LedgerEntry,
    ManagementType,
    OrphanShare,
    PermissionType,
    Policy,
    PrincipalRef,
    PrincipalType,
    ProductEnvironment,
    ReadStatus,
    Role,
    RoleAssignment,
    ScopeType,
    Share,
    User,
)

Row = Mapping[str, Any]

_REPEATED: Final = ("id", "role", "reason")
"""How the names of fields end that say the same in many rows."""

TEXT: Final = (str,)
MAYBE: Final = (str, type(None))
FLAG: Final = (bool,)
TEXTS: Final = (list,)
"""A list of texts."""


class RowError(Exception):
    """A row is not what its table wants; the text says which field and why."""


@dataclass(frozen=True)
class Table:
    """One kind of row: its fields, and the way to a value and back."""

    name: str
    fields: Mapping[str, tuple[type, ...]]
    encode: Callable[[Any], dict[str, Any]]
    decode: Callable[[Any], Any]
    decode_columns: Callable[[Mapping[str, Sequence[Any]]], list[Any]] | None = None
    """The same for many rows, where there is a way that is faster than one by one."""

    @property
    def counts(self) -> bool:
        """Whether it has whole numbers, which not every reader of JSON reads as such at any size."""
        return any(int in kinds for kinds in self.fields.values())

    def read(self, row: Any) -> Any:
        """Turn a parsed JSON row into its value. Raises RowError."""
        if not isinstance(row, dict):
            raise RowError("is not an object")
        if row.keys() != self.fields.keys():
            raise RowError(self._misfit(row))
        for name, kinds in self.fields.items():
            value = row[name]
            if type(value) not in kinds:
                raise RowError(f"has the wrong kind of value in field `{name}`")
            if kinds is TEXTS and not all(type(item) is str for item in value):
                raise RowError(f"has something other than text in field `{name}`")
        try:
            return self.decode(row)
        except ValueError as error:
            raise RowError(f"holds a value this version does not know: {error}") from None

    def read_all(self, items: Sequence[Any]) -> list[Any] | None:
        """Turn many rows into values; None when one of them is wrong: `read` says what is."""
        if not {dict}.issuperset(map(type, items)) or not {len(self.fields)}.issuperset(map(len, items)):
            return None
        try:
            columns = {name: list(map(itemgetter(name), items)) for name in self.fields}
            for name, kinds in self.fields.items():
                if not set(kinds).issuperset(map(type, columns[name])):
                    return None
                if kinds is TEXTS and not {str}.issuperset(map(type, chain.from_iterable(columns[name]))):
                    return None
            return self.decode_columns(columns) if self.decode_columns else list(map(self.decode, items))
        except (KeyError, ValueError, RowError):
            return None

    def _misfit(self, row: Row) -> str:
        missing = [name for name in self.fields if name not in row]
        if missing:
            return f"lacks field `{missing[0]}`"
        return f"has the unknown field `{next(name for name in row if name not in self.fields)}`"


_texts: Final[dict[str, str]] = {}


def same(text: str) -> str:
    """The first text of the file being read that is equal: ids stand in many rows."""
    return _texts.setdefault(text, text)


@cache
def _pair(column: str, text: str) -> tuple[str, str]:
    return intern(column), same(text)


@cache
def _principal(kind: str, id_: str) -> PrincipalRef:
    return PrincipalRef(PrincipalType(kind), same(id_))


@cache
def _content(environment_id: str, kind: str, id_: str) -> ContentRef:
    return ContentRef(same(environment_id), ContentKind(kind), same(id_))  # type: ignore[arg-type]


def forget() -> None:
    """Let go of the texts and references shared between the rows of the file just read."""
    _texts.clear()
    for kept in (_pair, _principal, _content):
        kept.cache_clear()


def _values(value: Any, names: Mapping[str, Any]) -> dict[str, Any]:
    """The fields as they are; a tuple of texts becomes a list when it is written."""
    return {name: getattr(value, name) for name in names}


def _table(
    name: str, cls: type, enums: Mapping[str, type] | None = None, /, **fields: tuple[type, ...]
) -> Table:
    """The codec of a class whose rows have its own fields: texts, flags, numbers, lists of texts, enums."""
    lists = tuple(field for field, kinds in fields.items() if kinds is TEXTS)
    ids = tuple(field for field, kinds in fields.items() if kinds is TEXT and field.endswith(_REPEATED))
    words = dict(enums or {})
    order = tuple(field.name for field in dataclasses.fields(cls))

    def decode(columns: Mapping[str, Iterable[Any]]) -> list[Any]:
        values = dict(columns)
        for field in ids:
            values[field] = map(_texts.setdefault, columns[field], columns[field])
        for field in lists:
            values[field] = (tuple(map(same, texts)) for texts in values[field])
        for field, enum in words.items():
            values[field] = map(enum, values[field])
        return list(map(cls, *(values[field] for field in order)))

    return Table(
        name, fields, lambda value: _values(value, fields), lambda row: decode(_as_columns(row))[0], decode
    )


def _as_columns(row: Row) -> dict[str, tuple[Any]]:
    return {field: (value,) for field, value in row.items()}


def _encode_share(share: Share) -> dict[str, Any]:
    return {
        "environment_id": share.content.environment_id,
        "content_type": share.content.kind,
        "content": share.content.id,
        "principal_type": share.principal.type,
        "principal": share.principal.id,
        "level": share.level,
        "source": share.source,
    }


def _decode_share(row: Row) -> Share:
    return Share(
        _content(row["environment_id"], row["content_type"], row["content"]),
        _principal(row["principal_type"], row["principal"]),
        intern(row["level"]),
        row["source"],
    )


def _decode_orphans(columns: Mapping[str, Sequence[Any]]) -> list[OrphanShare]:
    pairs = list(chain.from_iterable(columns["fields"]))
    regular = {list}.issuperset(map(type, pairs)) and {2}.issuperset(map(len, pairs))
    if not regular or not {str}.issuperset(map(type, chain.from_iterable(pairs))):
        raise RowError("has something other than pairs of texts in field `fields`")
    fields = (tuple(starmap(_pair, row)) for row in columns["fields"])
    return list(map(OrphanShare, fields, map(same, columns["reason"]), columns["source"]))


_BINDING: Final = ("role_id", "scope_id", "folder_id", "collection_id")


def _encode_assignment(one: RoleAssignment) -> dict[str, Any]:
    who = {"principal_type": one.principal.type, "principal": one.principal.id}
    return who | {name: getattr(one, name) for name in _BINDING}


def _decode_assignment(row: Row) -> RoleAssignment:
    return RoleAssignment(
        _principal(row["principal_type"], row["principal"]), **{name: row[name] for name in _BINDING}
    )


ENVIRONMENTS: Final = _table(
    "environments", ProductEnvironment, id=TEXT, name=TEXT, cloud_name=TEXT, enabled=FLAG, created_at=MAYBE
)
USERS: Final = _table(
    "users",
    User,
    id=TEXT,
    name=TEXT,
    email=TEXT,
    legacy_role=TEXT,
    enabled=FLAG,
    pending=FLAG,
    all_environments=FLAG,
    environment_ids=TEXTS,
    last_login=MAYBE,
    created_at=MAYBE,
    root=(bool, type(None)),
    technical_role=MAYBE,
    providers=TEXTS,
)
GROUPS: Final = _table("groups", Group, id=TEXT, name=TEXT, member_ids=TEXTS)
API_KEYS: Final = _table(
    "api_keys",
    ApiKey,
    id=TEXT,
    name=TEXT,
    environment_id=TEXT,
    enabled=FLAG,
    created_at=MAYBE,
    updated_at=MAYBE,
)
ACCOUNT_KEYS: Final = _table("account_keys", AccountKey, id=TEXT, name=TEXT)
FOLDERS: Final = _table("folders", Folder, id=TEXT, environment_id=TEXT, path=TEXT)
COLLECTIONS: Final = _table("collections", Collection, id=TEXT, environment_id=TEXT, name=TEXT)
SHARES: Final = Table(
    "shares",
    dict.fromkeys(
        ("environment_id", "content_type", "content", "principal_type", "principal", "level", "source"), TEXT
    ),
    _encode_share,
    _decode_share,
)
ORPHAN_SHARES: Final = Table(
    "orphan_shares",
    {"fields": (list,), "reason": TEXT, "source": TEXT},
    lambda orphan: _values(orphan, {"fields": (), "reason": (), "source": ()}),
    lambda row: _decode_orphans(_as_columns(row))[0],
    _decode_orphans,
)
CUSTOM_POLICIES: Final = _table(
    "custom_policies",
    CustomPolicy,
    {"scope_type": ScopeType},
    id=TEXT,
    name=TEXT,
    description=TEXT,
    scope_type=TEXT,
    scope_id=MAYBE,
    statement=TEXT,
    enabled=FLAG,
)
ASSIGNMENTS: Final = Table(
    "assignments",
    {"principal_type": TEXT, "principal": TEXT, "role_id": TEXT} | dict.fromkeys(_BINDING[1:], MAYBE),
    _encode_assignment,
    _decode_assignment,
)
LEDGER: Final = _table(
    "ledger",
    LedgerEntry,
    {"status": ReadStatus},
    area=TEXT,
    endpoint=TEXT,
    subject=TEXT,
    status=TEXT,
    count=(int,),
    http_status=(int, type(None)),
    detail=TEXT,
    read_at=TEXT,
)

TABLES: Final = (
    ENVIRONMENTS,
    USERS,
    GROUPS,
    API_KEYS,
    ACCOUNT_KEYS,
    FOLDERS,
    COLLECTIONS,
    SHARES,
    ORPHAN_SHARES,
    CUSTOM_POLICIES,
    ASSIGNMENTS,
    LEDGER,
)
"""The tables with a member of their own, named like the fields of `Snapshot`."""

POLICIES: Final = _table(
    "policies",
    Policy,
    {"scope_type": ScopeType, "permission_type": PermissionType},
    id=TEXT,
    name=TEXT,
    description=TEXT,
    scope_type=TEXT,
    permission_type=TEXT,
    statement=TEXT,
    category=TEXT,
    sub_category=TEXT,
    parameters=TEXTS,
)
ROLES: Final = _table(
    "roles",
    Role,
    {"management_type": ManagementType, "permission_type": PermissionType, "scope_type": ScopeType},
    id=TEXT,
    name=TEXT,
    description=TEXT,
    management_type=TEXT,
    permission_type=TEXT,
    scope_type=TEXT,
    policy_ids=TEXTS,
    parameters=TEXTS,
)
"""Policies and roles are the two lists inside `catalog.json`."""
