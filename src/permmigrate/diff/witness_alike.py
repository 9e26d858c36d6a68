"""When two questions are one to Cedar: they differ in names only that no policy compares with."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import cedarpy

from permmigrate.cedar.universe import PLACES
from permmigrate.diff.derive_value import Spot, Way, Ways
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
            names = _named(text)
            if names is None:
                return None
            found |= names
        return frozenset(found)

    def key(
        self, principal: PrincipalRef, spot: Spot, ways: Ways, request: Request, *, placed: bool
    ) -> tuple[object, ...] | None:
        """What Cedar's answer can hang on, or None when it may be anything about the request."""
        if self.named is None:
            return None
        depths = depths_of(spot)
        personal, sides = False, []
        for side in ways:
            held = [way for way in side if way.policies.clauses]
            personal = personal or any(way.policies.personal for way in held)
            sides.append(frozenset((w.policies.least, w.policies.most, relative(w, depths)) for w in held))
        return (
            principal if personal else principal.type,
            *sides,
            *self.of_request(spot, request, placed=placed),
        )

    def of_request(self, spot: Spot, request: Request, *, placed: bool) -> tuple[object, ...]:
        """What policies can tell of a request, apart from who asks and what is bound to its place."""
        named = self.named or frozenset()
        return (
            bool(spot.scope),
            tuple((name, depth) for (_, name), depth in depths_of(spot).items() if name in named),
            (request.action_type, request.action, request.resource_type),
            "" if placed else request.resource_id,
            tuple((name, value) for name, value in request.attributes.items() if isinstance(value, str)),
        )


def depths_of(spot: Spot) -> dict[tuple[str, str], int]:
    """Each folder and collection of a spot: 0 for the first, which may be the resource, 1 for others."""
    found = {("folder", name): min(number, 1) for number, name in enumerate(spot.folders)}
    return found | {("collection", name): min(number, 1) for number, name in enumerate(spot.collections)}


def relative(way: Way, depths: Mapping[tuple[str, str], int]) -> tuple[object, ...]:
    """What a way is given on, seen from the spot."""
    return tuple((depths.get(one, one), one[0]) for one in way.content)


@lru_cache(maxsize=4096)
def _named(text: str) -> frozenset[str] | None:
    """The strings in a policy text, none where it is no policy; None when a place is tested otherwise than by
    one name."""
    try:
        document = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError:
        return frozenset()
    if not all(_by_name(policy) for policy in document["staticPolicies"].values()):
        return None
    return frozenset(_strings(document))


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
