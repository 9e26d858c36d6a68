"""One concrete request with everything it brings along, and what Cedar itself decides about it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
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


@dataclass
class Replay:
    """Puts requests to Cedar under several policy sets. `parents` is of actions."""

    sides: Sequence[Side]
    parents: Mapping[Uid, frozenset[Uid]]

    def decisions(self, request: Request) -> list[bool | None]:
        """What Cedar says under each side's policies; None where it cannot be asked."""
        said: dict[int, bool | None] = {}
        question, entities = _question(request), self._entities(request)
        for number in self._first:
            if number not in said:
                said[number] = _decision(question, self._sets[number], entities)
        return [said[number] for number in self._first]

    def shows(self, request: Request, wanted: Sequence[bool | None]) -> bool:
        """Whether each side decides it as wanted; None where it does not matter, as long as it decides."""
        question, entities = _question(request), self._entities(request)
        seen: dict[int, bool | None] = {}
        for number, want in zip(self._first, wanted, strict=True):
            if number not in seen:
                seen[number] = _decision(question, self._sets[number], entities)
            if seen[number] is None or want not in (None, seen[number]):
                return False
        return True

    def _entities(self, request: Request) -> cedarpy.Entities | None:
        brought = [one.document() for one in request.entities if not self.parents.get(one.uid)]
        return joined(self._actions, brought)

    @cached_property
    def _actions(self) -> cedarpy.Entities:
        return action_groups(self.parents)

    @cached_property
    def _texts(self) -> list[str]:
        return list(map(_text, self.sides))

    @cached_property
    def _first(self) -> list[int]:
        """For each side the first that has the same policies."""
        return [self._texts.index(text) for text in self._texts]

    @cached_property
    def _sets(self) -> list[cedarpy.PolicySet]:
        return list(map(_policy_set, self._texts))


def decisions(
    request: Request, sides: Sequence[Side], parents: Mapping[Uid, frozenset[Uid]]
) -> list[bool | None]:
    """What Cedar says under each side's policies; None where it cannot be asked. `parents` is of actions."""
    return Replay(sides, parents).decisions(request)


def action_groups(parents: Mapping[Uid, frozenset[Uid]]) -> cedarpy.Entities:
    """The actions that are in others, as entities."""
    groups = [
        EntityData(uid, parents=tuple(sorted(above))).document() for uid, above in parents.items() if above
    ]
    return _entities(json.dumps(groups))


@lru_cache(maxsize=16)
def _entities(written: str) -> cedarpy.Entities:
    return cedarpy.Entities.from_json_str(written)


def joined(entities: cedarpy.Entities, others: Sequence[JsonObject]) -> cedarpy.Entities | None:
    """The entities with others in Cedar's JSON form; None where Cedar does not take them."""
    try:
        return entities.with_added_json_str(json.dumps(others))
    except ValueError:
        return None


def _question(request: Request) -> dict[str, Any]:
    return {
        "principal": _uid(request.principal),
        "action": _uid(request.action),
        "resource": _uid(request.resource),
        "context": dict(request.context),
    }


def _decision(
    question: dict[str, Any], policies: cedarpy.PolicySet, entities: cedarpy.Entities | None
) -> bool | None:
    if entities is None:
        return None
    result = cedarpy.is_authorized(question, policies, entities)
    return None if result.decision is cedarpy.Decision.NoDecision else bool(result.allowed)


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
