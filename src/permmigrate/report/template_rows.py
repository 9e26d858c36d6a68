"""What a snapshot knows, as the rows of lists that lead back to it. Only what lists can say; no roles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, assert_never

from permmigrate.model import ContentKind, PrincipalType, User
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.lists.schema import ListTable
from permmigrate.snapshot.lists.words import LEVEL_TITLES, NONE, ROLE_TITLES

Row = Mapping[str, str]
MEMBERS_A_ROW: Final = 500
"""A cell holds 32,767 characters; a group of more members has several rows."""


def rows_of(table: ListTable, snapshot: Snapshot) -> Iterator[Row]:
    """The rows of one list. Names are written beside ids; shares name both by id, which never repeats."""
    match table.name:
        case "environments":
            for environment in snapshot.environments:
                yield {"id": environment.id, "name": environment.name, "cloud_name": environment.cloud_name,
                       "enabled": _yes(environment.enabled)}  # fmt: skip
        case "users":
            yield from (_user(user) for user in snapshot.users)
        case "groups":
            for group in snapshot.groups:
                for members in _batched(group.member_ids):
                    yield {"id": group.id, "name": group.name, "members": "; ".join(members)}
        case "folders":
            for folder in snapshot.folders:
                yield {"environment": folder.environment_id, "path": folder.path, "id": folder.id}
        case "collections":
            for one in snapshot.collections:
                yield {"environment": one.environment_id, "name": one.name, "id": one.id}
        case "api_keys":
            for key in snapshot.api_keys:
                yield {"environment": key.environment_id, "key": key.id, "name": key.name,
                       "enabled": _yes(key.enabled)}  # fmt: skip
        case "account_keys":
            for account_key in snapshot.account_keys:
                yield {"key": account_key.id, "name": account_key.name}
        case _:
            yield from _shares(snapshot)


def _batched(members: Sequence[str]) -> Iterator[Sequence[str]]:
    """The members in parts that fit a cell; one empty part when there are none."""
    for start in range(0, max(len(members), 1), MEMBERS_A_ROW):
        yield members[start : start + MEMBERS_A_ROW]


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"


def _user(user: User) -> Row:
    return {
        "id": user.id,
        "email": user.email,
        "name": user.name,
        "role": ROLE_TITLES.get(user.legacy_role, user.legacy_role),
        "environments": "" if user.all_environments else "; ".join(user.environment_ids) or NONE,
        "enabled": "pending" if user.pending else _yes(user.enabled),
        "last_login": user.last_login or "",
    }


def _shares(snapshot: Snapshot) -> Iterator[Row]:
    for share in snapshot.shares:
        content, principal = share.content, share.principal
        row = {"environment": content.environment_id, "level": LEVEL_TITLES.get(share.level, share.level)}
        match content.kind:
            case ContentKind.FOLDER:
                row["folder"] = content.id
            case ContentKind.COLLECTION:
                row["collection"] = content.id
            case _:
                assert_never(content.kind)
        row["group" if principal.type is PrincipalType.GROUP else "user"] = principal.id
        yield row
