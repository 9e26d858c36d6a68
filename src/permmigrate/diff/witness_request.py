"""Requests as Cedar takes them: who asks, to do what, with which resource there. Knows no policies."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

import cedarpy

from permmigrate.cedar import Atom
from permmigrate.cedar.universe import COLLECTION_ATTRIBUTE, COLLECTION_TYPE, FOLDER_ATTRIBUTE
from permmigrate.diff.derive_texts import quoted
from permmigrate.diff.derive_value import Spot
from permmigrate.entitlements import Entitlements
from permmigrate.entitlements.custom import CEDAR_TYPES
from permmigrate.model import PrincipalRef, PrincipalType, UserId
from permmigrate.snapshot import Snapshot

FOLDER_TYPE: Final = "Cloudinary::Folder"
MADE_UP: Final = "any "
"""How the ids of made-up resources begin."""
OTHER: Final = "anything else"
ELSEWHERE: Final = "~"
DEFAULTS: Final[Mapping[str, object]] = {"Set": [], "Boolean": False, "Bool": False, "Long": 0}


class Request(NamedTuple):
    """One question, without who asks it."""

    action_type: str
    action: str
    resource_type: str
    resource_id: str
    attributes: Mapping[str, object]


def entity(type_: str, id_: str) -> str:
    """An entity as Cedar writes it: `Cloudinary::User::"u-1"`."""
    return f'{type_}::"{quoted(id_)}"'


@dataclass
class RequestMaker:
    """Makes requests over the schema of one catalog, and the entities that Cedar needs to decide them."""

    entitlements: Entitlements
    _shapes: dict[tuple[str, int], Mapping[str, object]] = field(default_factory=dict)

    def of(self, scope: str, number: int, spot: Spot) -> Request:
        """The smallest request for an atom (its number in the scope's universe) at a spot."""
        atom = self.entitlements.universe(scope).atoms[number]
        key = (scope, number)
        if key not in self._shapes:
            self._shapes[key] = self._shape(atom)
        resource_id = atom.entity_id or self.resource_id(atom.resource_type, spot)
        attributes = placed(self._shapes[key], atom.resource_type, resource_id, spot)
        return Request(atom.action_type, atom.action, atom.resource_type, resource_id, attributes)

    def _shape(self, atom: Atom) -> Mapping[str, object]:
        """The attributes the schema gives such a resource, and those that policies test."""
        tests = dict(atom.tests)
        found: dict[str, object] = {}
        for name, attribute in self._attributes(atom.resource_type).items():
            kind = attribute.get("type")
            if name in tests or kind == "String":
                value = tests.get(name)
                found[name] = self._other if value is None else value
            elif str(kind) in DEFAULTS and attribute.get("required", True):
                found[name] = DEFAULTS[str(kind)]
        for name, value in tests.items():
            found.setdefault(name, self._other if value is None else value)
        for name in (FOLDER_ATTRIBUTE, COLLECTION_ATTRIBUTE):
            if name in self._known(atom.resource_type):
                found.setdefault(name, [])
        return dict(sorted(found.items()))

    def _known(self, resource_type: str) -> frozenset[str]:
        return frozenset().union(
            *(
                u.attributes.get(resource_type, frozenset())
                for u in self.entitlements.compiler.universes.values()
            )
        )

    def _attributes(self, resource_type: str) -> Mapping[str, Mapping[str, Any]]:
        namespace, _, name = resource_type.rpartition("::")
        body = self.entitlements.snapshot.catalog.schema.get(namespace) or {}
        shape = (body.get("entityTypes", {}).get(name) or {}).get("shape") or {}
        if "attributes" not in shape:
            common = body.get("commonTypes") or {}
            shape = common.get(str(shape.get("name") or shape.get("type") or "").rpartition("::")[2]) or {}
        return shape.get("attributes") or {}

    def is_placed(self, resource_type: str) -> bool:
        """Whether resources of the type are, or lie in, folders or collections."""
        places = {FOLDER_ATTRIBUTE, COLLECTION_ATTRIBUTE}
        return resource_type == COLLECTION_TYPE or bool(self._known(resource_type) & places)

    def resource_id(self, resource_type: str, spot: Spot) -> str:
        """The folder or collection itself, or a made-up id for what may lie there."""
        if resource_type == COLLECTION_TYPE and spot.collections:
            return spot.collections[0]
        if resource_type == FOLDER_TYPE and spot.folders:
            return spot.folders[0]
        name = resource_type.rpartition("::")[2]
        where = self._label(spot) if self.is_placed(resource_type) else ""
        return f"{MADE_UP}{name}{' in ' if where else ''}{where}{self._nobodys}"

    def _label(self, spot: Spot) -> str:
        tree = self.entitlements.trees[spot.scope]
        if spot.folders:
            position = tree.index.get(spot.folders[0])
            return tree.paths[position] if position is not None else spot.folders[0]
        return f"collection {spot.collections[0]}" if spot.collections else ""

    @cached_property
    def policy_texts(self) -> tuple[str, ...]:
        """Every policy there is on either side."""
        return (
            *(policy.statement for policy in self.entitlements.snapshot.catalog.policies.values()),
            *(custom.statement for custom in self.entitlements.compiler.custom_policies),
        )

    @cached_property
    def _nobodys(self) -> str:
        """What made-up ids and values end with, so that no policy names one."""
        ending = ""
        while any('"any' in text and f'{ending}"' in text for text in self.policy_texts):
            ending += ELSEWHERE
        return ending

    @property
    def _other(self) -> str:
        return OTHER + self._nobodys

    # ------------------------------------------------------------------ for Cedar

    @cached_property
    def _actions(self) -> cedarpy.Entities:
        """The groups that actions are in."""
        found = []
        for namespace, body in self.entitlements.snapshot.catalog.schema.items():
            for action, shape in (body.get("actions") or {}).items():
                parents = [
                    {"type": parent.get("type") or f"{namespace}::Action", "id": parent["id"]}
                    for parent in shape.get("memberOf") or ()
                ]
                if parents:
                    found.append(
                        {
                            "uid": {"type": f"{namespace}::Action", "id": action},
                            "attrs": {},
                            "parents": parents,
                        }
                    )
        return cedarpy.Entities.from_json_str(json.dumps(found))

    def entities(self, who: Mapping[str, Any], requests: Iterable[Request]) -> cedarpy.Entities:
        """Whoever asks and the resources; no two requests may differ about one resource."""
        resources = {
            (r.resource_type, r.resource_id): {
                "uid": {"type": r.resource_type, "id": r.resource_id},
                "attrs": r.attributes,
                "parents": [],
            }
            for r in requests
        }
        resources.pop((who["uid"]["type"], who["uid"]["id"]), None)
        return self._actions.with_added_json_str(json.dumps([who, *resources.values()]))

    def who(self, principal: PrincipalRef, snapshot: Snapshot) -> Mapping[str, Any]:
        """The principal as an entity, with the groups it has in this snapshot above it."""
        groups: Iterable[str] = ()
        attributes: dict[str, object] = {}
        if principal.type is PrincipalType.USER:
            groups = snapshot.groups_of.get(UserId(principal.id), ())
            user = snapshot.user_by_id.get(principal.id)
            if user is not None and user.root is not None:
                attributes["root"] = user.root
        group_type = CEDAR_TYPES[PrincipalType.GROUP]
        return {
            "uid": {"type": CEDAR_TYPES[principal.type], "id": str(principal.id)},
            "attrs": attributes,
            "parents": [{"type": group_type, "id": str(group)} for group in groups],
        }


def placed(
    shape: Mapping[str, object], resource_type: str, resource_id: str, spot: Spot
) -> Mapping[str, object]:
    """A resource's attributes at a spot: its folders and collections put in."""
    here: dict[str, object] = dict(shape)
    if FOLDER_ATTRIBUTE in here:
        above = list(spot.folders)
        here[FOLDER_ATTRIBUTE] = above or ([resource_id] if resource_type == FOLDER_TYPE else [])
    if COLLECTION_ATTRIBUTE in here:
        here[COLLECTION_ATTRIBUTE] = list(spot.collections)
    return here


def question(who: Mapping[str, Any], request: Request) -> dict[str, Any]:
    """The request as `cedarpy` takes it."""
    return {
        "principal": who["uid"],
        "action": {"type": request.action_type, "id": request.action},
        "resource": {"type": request.resource_type, "id": request.resource_id},
    }


def compatible(requests: Sequence[Request]) -> list[list[int]]:
    """The numbers of the requests in groups in which no two differ about the attributes of one resource."""
    groups: list[tuple[dict[tuple[str, str], Mapping[str, object]], list[int]]] = []
    for number, request in enumerate(requests):
        resource = (request.resource_type, request.resource_id)
        for seen, numbers in groups:
            if seen.setdefault(resource, request.attributes) == request.attributes:
                numbers.append(number)
                break
        else:
            groups.append(({resource: request.attributes}, [number]))
    return [numbers for _, numbers in groups]
