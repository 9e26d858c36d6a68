"""One concrete request with everything it brings along, and what Cedar itself decides about it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, Final

import cedarpy

from permmigrate.cedar.shapes import Uid

JsonObject = Mapping[str, Any]
PERMIT_ALL: Final = "permit(principal, action, resource);\n"
FORBID_ALL: Final = "forbid(principal, action, resource);\n"


@dataclass(frozen=True, slots=True)
class Side:
    """A policy set, as statements in Cedar's JSON form and what is known of the rest."""

    policies: tuple[JsonObject, ...] = ()
    permit: bool = False
    """Something else permits whatever is asked."""
    forbid: bool = False
    """Something else forbids it."""


@dataclass(frozen=True, slots=True)
class EntityData:
    """An entity as a request brings it along, values in Cedar's JSON form."""

    uid: Uid
    attributes: Mapping[str, Any] = field(default_factory=dict)
    parents: tuple[Uid, ...] = ()

    def document(self) -> JsonObject:
        return {
            "uid": _uid(self.uid),
            "attrs": dict(self.attributes),
            "parents": [_uid(parent) for parent in self.parents],
        }


@dataclass(frozen=True, slots=True)
class Request:
    """Who asks to do what to what, with which entities and which context."""

    principal: Uid
    action: Uid
    resource: Uid
    entities: tuple[EntityData, ...] = ()
    context: Mapping[str, Any] = field(default_factory=dict)

    def entity(self, uid: Uid) -> EntityData:
        return next((entity for entity in self.entities if entity.uid == uid), EntityData(uid))

    def smaller(self, kept: Mapping[Uid, frozenset[str]]) -> Iterator[Request]:
        """The request with one thing less, in each possible way; attributes in `kept` stay as they are."""
        for number, one in enumerate(self.entities):
            rest = (self.entities[:number], self.entities[number + 1 :])
            if one.uid not in (self.principal, self.resource):
                yield replace(self, entities=(*rest[0], *rest[1]))
            pinned = kept.get(one.uid, frozenset())
            for attributes in _less(one.attributes, pinned):
                yield replace(self, entities=(*rest[0], replace(one, attributes=attributes), *rest[1]))
            if "parents" not in pinned:
                for parent in one.parents:
                    fewer = tuple(p for p in one.parents if p != parent)
                    yield replace(self, entities=(*rest[0], replace(one, parents=fewer), *rest[1]))
        for context in _less(self.context, frozenset()):
            yield replace(self, context=context)


def _less(attributes: Mapping[str, Any], pinned: frozenset[str]) -> Iterator[Mapping[str, Any]]:
    for name, value in attributes.items():
        if name in pinned:
            continue
        if isinstance(value, list):
            for index in range(len(value)):
                yield {**attributes, name: value[:index] + value[index + 1 :]}


def decisions(
    request: Request, sides: Sequence[Side], parents: Mapping[Uid, frozenset[Uid]]
) -> list[bool | None]:
    """What Cedar says under each side's policies; None where it cannot be asked. `parents` is of actions."""
    groups = [
        EntityData(uid, parents=tuple(sorted(above))).document() for uid, above in parents.items() if above
    ]
    entities = json.dumps([*(entity.document() for entity in request.entities), *groups])
    question = {
        "principal": _uid(request.principal),
        "action": _uid(request.action),
        "resource": _uid(request.resource),
        "context": dict(request.context),
    }
    found: list[bool | None] = []
    for side in sides:
        result = cedarpy.is_authorized(question, _policy_set(_text(side)), entities)
        undecided = result.decision is cedarpy.Decision.NoDecision
        found.append(None if undecided else bool(result.allowed))
    return found


def _text(side: Side) -> str:
    named = {f"policy{number}": policy for number, policy in enumerate(side.policies)}
    written = json.dumps({"staticPolicies": named, "templates": {}, "templateLinks": []}, sort_keys=True)
    return (PERMIT_ALL if side.permit else "") + (FORBID_ALL if side.forbid else "") + _as_cedar(written)


@lru_cache(maxsize=4096)
def _as_cedar(written: str) -> str:
    return str(cedarpy.policies_from_json_str(written))


@lru_cache(maxsize=4096)
def _policy_set(text: str) -> cedarpy.PolicySet:
    return cedarpy.PolicySet.from_str(text)


def _uid(uid: Uid) -> dict[str, str]:
    return {"type": uid[0], "id": uid[1]}
