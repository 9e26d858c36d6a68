"""What a journal tells of earlier runs: what was done, what was sent without a word of what came of it.

It believes a chain that was proved and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from permmigrate.apply.chain import Chain
from permmigrate.errors import InvalidFileError
from permmigrate.model import PermissionType, PolicyId, ScopeType
from permmigrate.plan import Body, Done, PolicyBody, RoleBody


@dataclass(frozen=True, slots=True)
class Sent:
    """An intent that no line says the end of."""

    number: int
    """The line it is on."""
    before: Mapping[str, Body | bool | None]
    """By operation id, as it was read before it was sent."""


@dataclass(frozen=True, slots=True)
class Past:
    """What earlier runs under this journal did."""

    begin: Mapping[str, Any] = field(default_factory=dict)
    done: Mapping[str, Done] = field(default_factory=dict)
    """By operation id: what it was before we began, and what it is since."""
    open: tuple[Sent, ...] = ()
    undo: str = ""
    """The digest of the undo plan; empty when it was not written yet."""
    ended: bool = False
    """Whether the latest run came to its end."""


def past(chain: Chain) -> Past:
    """Read what a chain tells. Raises InvalidFileError when it or one of its lines is broken."""
    done: dict[str, Done] = {}
    sent: dict[int, Sent] = {}
    begin: Mapping[str, Any] = {}
    undo, ended = "", False
    for line in chain:
        try:
            ended = line.kind == "end"
            match line.kind:
                case "begin":
                    begin = begin or line.fields
                case "intent":
                    rows = line.fields["operations"]
                    sent[line.number] = Sent(line.number, {row[0]: state(row[1]) for row in rows})
                case "done":
                    sent.pop(line.fields["intent"], None)
                    for row in line.fields["operations"]:
                        _learn(done, Done(row[0], state(row[1]), state(row[2]), row[3]))
                case "already":
                    for row in line.fields["operations"]:
                        _learn(done, Done(row[0], state(row[1]), state(row[1]), row[2]))
                case "undo":
                    undo = line.fields["digest"]
        except (KeyError, TypeError, ValueError, IndexError):
            raise InvalidFileError(
                f"`{chain.path}:{line.number}` is whole, and lacks what a line `{line.kind}` has",
                hint="use the version of permmigrate that wrote it",
            ) from None
    return Past(begin, done, tuple(sent.values()), undo, ended)


def _learn(done: dict[str, Done], latest: Done) -> None:
    """Keep what an operation was before we changed it, and what it was found to be last."""
    first = done.get(latest.operation_id)
    if first is not None and first.changed:
        given = latest.given_id or first.given_id
        latest = Done(latest.operation_id, first.before, latest.after, given)
    done[latest.operation_id] = latest


def written(value: Body | bool | None) -> Any:
    """A state of an operation's subject as a journal has it."""
    match value:
        case RoleBody():
            return {
                "role": value.name,
                "description": value.description,
                "permission_type": value.permission_type.value,
                "scope_type": value.scope_type.value,
                "policy_ids": list(value.policy_ids),
            }
        case PolicyBody():
            return {
                "policy": value.name,
                "description": value.description,
                "scope_type": value.scope_type.value,
                "scope_id": value.scope_id,
                "statement": value.statement,
                "enabled": value.enabled,
            }
        case _:
            return value


def state(value: Any) -> Body | bool | None:
    """What `written` wrote. Raises KeyError, TypeError or ValueError for anything else."""
    match value:
        case None | bool():
            return value
        case {"role": name}:
            return RoleBody(
                name,
                value["description"],
                PermissionType(value["permission_type"]),
                ScopeType(value["scope_type"]),
                tuple(PolicyId(each) for each in value["policy_ids"]),
            )
        case {"policy": name}:
            return PolicyBody(
                name,
                value["description"],
                ScopeType(value["scope_type"]),
                value["scope_id"],
                value["statement"],
                value["enabled"],
            )
        case _:
            raise TypeError("not a state")
