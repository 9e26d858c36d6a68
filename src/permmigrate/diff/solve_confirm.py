"""A request that the solver found, made somebody's at a place and put to Cedar under the real texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import cedarpy

from permmigrate.cedar.request import Request, action_groups, joined
from permmigrate.cedar.shapes import Schema, Uid
from permmigrate.cedar.solve import Case
from permmigrate.cedar.universe import COLLECTION_ATTRIBUTE, FOLDER_ATTRIBUTE
from permmigrate.diff.derive_ask import Decision, Sides, Texts, Worlds, policies
from permmigrate.diff.derive_value import Ways
from permmigrate.diff.derive_ways import WayFinder
from permmigrate.diff.solve_places import FOLDER_TYPE, Stop
from permmigrate.diff.value import Verdict, Witness
from permmigrate.diff.witness_request import RequestMaker, entity
from permmigrate.entitlements import Entitlements
from permmigrate.entitlements.custom import CEDAR_TYPES
from permmigrate.model import PrincipalRef


@dataclass
class Confirmer:
    """Answers for one comparison."""

    entitlements: Entitlements
    finder: WayFinder
    schema: Schema

    def __post_init__(self) -> None:
        self.requests = RequestMaker(self.entitlements)

    def witness(
        self,
        principal: PrincipalRef,
        stop: Stop,
        ways: Ways,
        found: Request,
        at: tuple[str | None, Case],
        verdict: Verdict,
    ) -> Witness | None:
        """The request made this principal's, at this place (the folder and the case it is about); None where
        Cedar does not decide it so."""
        resource, attributes = self._resource(stop, found, *at)
        who = (CEDAR_TYPES[principal.type], str(principal.id))
        request = replace(
            found,
            principal=who,
            resource=resource,
            entities=tuple(
                replace(one, uid=who) if one.uid == found.principal else one
                for one in found.entities
                if one.uid != found.resource or one.uid == found.principal
            ),
        )
        sides = self._replayed(principal, ways, request, attributes)
        if sides.verdict is not verdict:
            return None
        return Witness(
            principal=entity(*who),
            action=entity(*request.action),
            resource=entity(*resource),
            attributes=dict(sorted(attributes.items())),
            context=dict(request.context),
            before=_words(sides.before_least, sides.before_most),
            after=_words(sides.after_least, sides.after_most),
        )

    def _resource(
        self, stop: Stop, request: Request, folder: str | None, case: Case
    ) -> tuple[Uid, Mapping[str, Any]]:
        """The resource where the folder is, with all that is above it."""
        type_, id_ = request.resource
        id_ = id_ if case.id is None else case.id
        while id_ in case.other_than:
            id_ += "_"
        attributes = dict(request.entity(request.resource).attributes)
        if FOLDER_ATTRIBUTE in attributes and stop.spot.scope in self.entitlements.trees:
            tree = self.entitlements.trees[stop.spot.scope]
            above = list(tree.ancestor_ids(tree.index[folder])) if folder is not None else []
            if type_ == FOLDER_TYPE and id_ != folder:
                above = [id_, *above]
            attributes[FOLDER_ATTRIBUTE] = above
        return (type_, id_), attributes

    def _replayed(
        self, principal: PrincipalRef, ways: Ways, request: Request, attributes: Mapping[str, Any]
    ) -> Sides:
        asked = {
            "principal": _document(request.principal),
            "action": _document(request.action),
            "resource": _document(request.resource),
            "context": dict(request.context),
        }
        stored: dict[Uid, dict[str, Any]] = {
            request.resource: {"uid": asked["resource"], "attrs": dict(attributes), "parents": []}
        }
        for one in request.entities:
            if one.uid != request.resource and not self.schema.action_parents.get(one.uid):
                stored[one.uid] = dict(one.document())
        own = stored.get(request.principal, {"attrs": {}})
        sides, found = [], dict[tuple[int, Texts], Decision]()
        for snapshot in (self.finder.legacy.snapshot, self.entitlements.snapshot):
            who = self.requests.who(principal, snapshot)
            stored[request.principal] = {**who, "attrs": dict(own["attrs"]) | dict(who["attrs"])}
            sides.append(joined(self._actions, [*stored.values()]))
        worlds = list(zip((0, 0, 1, 1), Worlds.of(*ways), strict=True))
        for side, texts in dict.fromkeys(worlds):
            brought = sides[side]
            if brought is not None:
                result = cedarpy.is_authorized(asked, policies(texts), brought)
                if result.decision is not cedarpy.Decision.NoDecision:
                    found[side, texts] = bool(result.allowed)
        return Sides(*(found.get(world) for world in worlds))

    @cached_property
    def _actions(self) -> cedarpy.Entities:
        return action_groups(self.schema.action_parents)


def moved(witness: Witness, principal: PrincipalRef, old: Stop, new: Stop) -> Witness | None:
    """The same request by somebody else at another stop; None where it is not at the stop's own folder."""
    who = entity(CEDAR_TYPES[principal.type], str(principal.id))
    attributes, resource = dict(witness.attributes), witness.resource
    if old.spot == new.spot or (old.place == new.place and not attributes.get(FOLDER_ATTRIBUTE)):
        return replace(witness, principal=who)
    if old.place.kind != "folder" or attributes.get(COLLECTION_ATTRIBUTE):
        return None
    if attributes.get(FOLDER_ATTRIBUTE) != list(old.spot.folders):
        return None
    attributes[FOLDER_ATTRIBUTE] = list(new.spot.folders)
    if resource == entity(FOLDER_TYPE, old.place.id):
        resource = entity(FOLDER_TYPE, new.place.id)
    return replace(witness, principal=who, resource=resource, attributes=attributes)


def _words(least: Decision, most: Decision) -> str:
    if least == most:
        return "allow" if least else "deny"
    return "allow or deny"


def _document(uid: Uid) -> dict[str, str]:
    return {"type": uid[0], "id": uid[1]}
