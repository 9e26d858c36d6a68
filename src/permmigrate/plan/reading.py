"""A plan from its parsed JSON: every value of the kind it must be, or an error that says which is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from permmigrate.model import (
    CollectionId,
    FolderId,
    PermissionType,
    PolicyId,
    PrincipalRef,
    PrincipalType,
    RoleAssignment,
    RoleId,
    ScopeType,
)
from permmigrate.plan.operation import Definition, Kind, Operation, PolicyBody, RoleBody
from permmigrate.plan.value import (
    ByHand,
    Digests,
    Expansion,
    Expected,
    GuardResult,
    LeftOut,
    Limits,
    Plan,
    Standing,
)
from permmigrate.plan.writing import LIMITS, compact


def plan(document: dict[str, Any]) -> Plan:
    who = _Principals()
    digests, expected, limits = document["digests"], document["expected"], document["limits"]
    return Plan.of(
        account_id=_text(document["account_id"]),
        purpose=_text(document["purpose"]),
        undoes=_maybe(document["undoes"]),
        created=_text(document["created"]),
        expires=_text(document["expires"]),
        tool_version=_text(document["tool_version"]),
        api_url=_text(document["api_url"]),
        digests=Digests(
            _text(digests["snapshot"]),
            _text(digests["mapping"]),
            _text(digests["catalog"]),
            _maybe(digests["signoff"]),
            _maybe(digests["assigned"]),
        ),
        captured_at=_text(document["captured_at"]),
        acting_key=who.optional(document["acting_key"]),
        required_admins=map(who.named, document["required_admins"]),
        protected=map(who.named, document["protected"]),
        admins_before=map(who.named, document["admins_before"]),
        admin_roles=[RoleId(_text(each)) for each in document["admin_roles"]],
        limits=Limits(
            master_admins=_number(limits["master_admins"]),
            **{name: limits[name] and _number(limits[name]) for name in LIMITS if name != "master_admins"},
        ),
        guards=tuple(
            GuardResult(_text(name), _text(limit), _text(measured), holds is True, _text(sentence))
            for name, limit, measured, holds, sentence in document["guards"]
        ),
        expected=Expected(*(_number(expected[name]) for name in ("writes", "reads", "calls_an_hour"))),
        operations=[each for row in document["operations"] for each in _operations(row, who)],
        held={
            holder: [
                _assignment(holder, role, scope, folder, collection)
                for role, scope, folder, collection in rows
            ]
            for holder, rows in ((who.of(kind, id_), rows) for kind, id_, rows in document["held"])
        },
        expansions=[
            Expansion(who.named(p), cause, Standing(s), n) for p, cause, s, n in document["expansions"]
        ],
        by_hand=[
            ByHand(operation, reason)
            for reason, row in document["by_hand"]
            for operation in _operations(row, who)
        ],
        left_out=[LeftOut(who.optional(p), *map(_text, rest)) for p, *rest in document["left_out"]],
        environments={_text(k): _text(v) for k, v in document["environments"].items()},
        labels={_text(k): _text(v) for k, v in document["labels"]},
    )


class _Principals:
    """Each principal once, however many lines name it."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], PrincipalRef] = {}

    def of(self, kind: str, identity: str) -> PrincipalRef:
        found = self._known.get((kind, identity))
        if found is None:
            found = self._known[kind, identity] = PrincipalRef(PrincipalType(kind), _text(identity))
        return found

    def named(self, text: str) -> PrincipalRef:
        kind, _, identity = text.partition(":")
        return self.of(kind, identity)

    def optional(self, text: str | None) -> PrincipalRef | None:
        return None if text is None else self.named(text)


def _operations(row: dict[str, Any], who: _Principals) -> Iterator[Operation]:
    kind, wave, cause = Kind(row["kind"]), _number(row["wave"]), _text(row["cause"])
    if "to" not in row:
        body = _read_role if kind in (Kind.CREATE_ROLE, Kind.DELETE_ROLE) else _read_policy
        yield Operation(
            kind, wave, cause, Definition(_text(row["id"]), body(row["before"]), body(row["after"]))
        )
        return
    role_id, scope_id, content = _text(row["role"]), _maybe(row["scope"]), row["content"]
    for type_, identity, *bound in row["to"]:
        folder = _text(bound[0]) if content == "folder" else None
        collection = _text(bound[0]) if content == "collection" else None
        yield Operation(
            kind, wave, cause, _assignment(who.of(type_, identity), role_id, scope_id, folder, collection)
        )


def _assignment(
    principal: PrincipalRef, role_id: str, scope_id: str | None, folder: str | None, collection: str | None
) -> RoleAssignment:
    return RoleAssignment(
        principal,
        RoleId(_text(role_id)),
        _maybe(scope_id),
        FolderId(folder) if folder else None,
        CollectionId(collection) if collection else None,
    )


def _read_role(row: dict[str, Any] | None) -> RoleBody | None:
    if row is None:
        return None
    return RoleBody(
        _text(row["name"]),
        _text(row["description"]),
        PermissionType(row["permission_type"]),
        ScopeType(row["scope_type"]),
        tuple(PolicyId(_text(each)) for each in row["policy_ids"]),
    )


def _read_policy(row: dict[str, Any] | None) -> PolicyBody | None:
    if row is None:
        return None
    return PolicyBody(
        _text(row["name"]),
        _text(row["description"]),
        ScopeType(row["scope_type"]),
        _maybe(row["scope_id"]),
        _text(row["statement"]),
        row["enabled"] is True,
    )


def no_number(text: str) -> float:
    raise ValueError(f"a plan has whole numbers only, not {text}")


def _text(value: Any) -> str:
    if type(value) is not str:
        raise TypeError(f"{compact(value)[:40]} is not text")
    return value


def _maybe(value: Any) -> str | None:
    return None if value is None else _text(value)


def _number(value: Any) -> int:
    if type(value) is not int:
        raise TypeError(f"{compact(value)[:40]} is not a number")
    return value
