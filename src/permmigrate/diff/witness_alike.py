"""When two questions are one to Cedar: they differ in names only that no policy compares with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import cedarpy

from permmigrate.cedar.universe import PLACES
from permmigrate.diff.derive_value import Spot, Ways
from permmigrate.diff.witness_request import Request
from permmigrate.model import PrincipalRef


@dataclass
class Likeness:
    """Tells it for questions under the policies of one comparison."""

    texts: tuple[str, ...]
    """Every policy text there is."""

    @cached_property
    def named(self) -> frozenset[str] | None:
        """The names in policy texts; None when one tests places otherwise than by one name."""
        found: set[str] = set()
        for text in self.texts:
            try:
                document = json.loads(cedarpy.policies_to_json_str(text))
            except ValueError:
                continue
            if not all(_by_name(policy) for policy in document["staticPolicies"].values()):
                return None
            found.update(_strings(document))
        return frozenset(found)

    def key(
        self, principal: PrincipalRef, spot: Spot, ways: Ways, request: Request, *, placed: bool
    ) -> tuple[object, ...] | None:
        """What Cedar's answer can hang on, or None when it may be anything about the request."""
        if self.named is None:
            return None
        depth = {("folder", name): min(number, 1) for number, name in enumerate(spot.folders)}
        depth |= {("collection", name): min(number, 1) for number, name in enumerate(spot.collections)}
        personal, sides = False, []
        for side in ways:
            bundles = [(way.policies, way.content) for way in side if way.policies.clauses]
            personal = personal or any(policies.personal for policies, _ in bundles)
            sides.append(
                frozenset(
                    (policies.least, policies.most, tuple((depth.get(one, one), one[0]) for one in content))
                    for policies, content in bundles
                )
            )
        return (
            principal if personal else principal.type,
            *sides,
            tuple((name, number) for (_, name), number in depth.items() if name in self.named),
            (request.action_type, request.action, request.resource_type),
            "" if placed else request.resource_id,
            tuple((name, value) for name, value in request.attributes.items() if isinstance(value, str)),
        )


def _by_name(node: Any) -> bool:
    """Whether folders and collections are only tested for one literal; no id is ever a string in Cedar."""
    match node:
        case {
            "contains": {
                "left": {".": {"left": {"Var": "resource"}, "attr": str()}},
                "right": {"Value": str()},
            }
        }:
            return True
        case {".": {"attr": str(attribute)}} | {"has": {"attr": str(attribute)}} if attribute in PLACES:
            return False
        case dict():
            return all(_by_name(one) for one in node.values())
        case list():
            return all(_by_name(one) for one in node)
        case _:
            return True


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict | list):
        children: Iterable[Any] = node.values() if isinstance(node, dict) else node
        for one in children:
            yield from _strings(one)
