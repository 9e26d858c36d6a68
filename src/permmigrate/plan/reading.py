"""A plan from its parsed JSON: every value of the kind it must be, or an error that says which is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

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

T = TypeVar("T")


def plan(document: dict[str, Any]) -> Plan:
    """The plan of a document, which is used up: of a large one there is no room for both."""
    who = _Named()
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
        operations=(each for row in _drained(document["operations"]) for each in _operations(row, who)),
        held=dict(_held(row, who) for row in _drained(document["held"])),
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
        labels={who.text(k): _text(v) for k, v in _drained(document["labels"])},
    )


def _drained(rows: list[T]) -> Iterator[T]:
    """The rows in their order, each let go of once it is read."""
    rows.reverse()
    while rows:
        yield rows.pop()


class _Named:
    """Each principal and each id once, however many lines name it."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], PrincipalRef] = {}
        self._texts: dict[str, str] = {}

    def text(self, value: Any) -> str:
        return self._texts.setdefault(_text(value), value)

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


def _operations(row: dict[str, Any], who: _Named) -> Iterator[Operation]:
    kind, wave, cause = Kind(row["kind"]), _number(row["wave"]), _text(row["cause"])
    if "to" not in row:
        body = _read_role if kind in (Kind.CREATE_ROLE, Kind.DELETE_ROLE) else _read_policy
        yield Operation(
            kind, wave, cause, Definition(_text(row["id"]), body(row["before"]), body(row["after"]))
        )
        return
    role_id, scope_id = RoleId(_text(row["role"])), _maybe(row["scope"])
    for type_, identity, *bound in row["to"]:
        holder = who.of(type_, identity)
        for assignment in _assignments(holder, role_id, scope_id, row["content"], bound, who):
            yield Operation(kind, wave, cause, assignment)


def _held(row: list[Any], who: _Named) -> tuple[PrincipalRef, list[RoleAssignment]]:
    kind, identity, rows = row
    holder = who.of(kind, identity)
    held = (
        _assignments(holder, RoleId(who.text(role)), _maybe(scope), content, bound, who)
        for role, scope, content, *bound in rows
    )
    return holder, [each for some in held for each in some]


def _assignments(
    holder: PrincipalRef,
    role_id: RoleId,
    scope_id: str | None,
    content: str | None,
    bound: list[Any],
    who: _Named,
) -> Iterator[RoleAssignment]:
    """One role of a principal at one scope, on each folder or collection that is listed, or as a whole."""
    match content:
        case None:
            yield RoleAssignment(holder, role_id, scope_id)
        case "folder":
            for each in bound:
                yield RoleAssignment(holder, role_id, scope_id, FolderId(who.text(each)))
        case "collection":
            for each in bound:
                yield RoleAssignment(holder, role_id, scope_id, None, CollectionId(who.text(each)))
        case _:
            raise ValueError(f"{compact(content)[:40]} is no content")


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
