"""One Cedar statement as the parts the engine decides on. Parses text; knows nothing of roles or people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import cedarpy

from permmigrate.cedar.position import locate

JsonObject = Mapping[str, Any]

ANY: Final = "any"


@dataclass(frozen=True, slots=True)
class PrincipalConstraint:
    """Whom a statement's head names."""

    op: str = ANY
    """`any`, `==`, `in`, `is`; anything else makes the statement opaque."""
    type: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Statement:
    """A permit or forbid as a conjunction of tests on one request.

    Matches when the principal, action and resource heads match and every `contains` and `equals` test holds.
    A test on an attribute that the resource lacks is an error in Cedar: the statement then does not match.
    """

    effect: str
    """`permit` or `forbid`."""
    principal: PrincipalConstraint
    actions: frozenset[tuple[str, str]] | None
    """(type, id) pairs such as `("Cloudinary::Action", "read")`; None for any action."""
    action_op: str
    """`==`, `in` (which reaches the members of action groups) or `any`."""
    resource_type: str
    """`Cloudinary::Asset`, or empty for any."""
    resource_id: str | None
    """The id in `resource == Type::"id"`."""
    contains: tuple[tuple[str, str], ...] = ()
    """(attribute, literal) of each `resource.attribute.contains("literal")`."""
    equals: tuple[tuple[str, str], ...] = ()
    """(attribute, literal) of each `resource.attribute == "literal"`."""
    opaque: str = ""
    """Why the parts above are only a superset of what matches; empty when they are exact."""
    text: str = ""
    """The policy text it came from."""


@dataclass(frozen=True, slots=True)
class Unparsed:
    """Policy text that the Cedar parser refuses, with its own words."""

    text: str
    reason: str
    """What is wrong and where: "invalid variable: x at 1:42, near `when { x }`"."""


@lru_cache(maxsize=4096)
def parse(text: str) -> tuple[Statement, ...] | Unparsed:
    """Parse policy text (one statement or several) into statements, in their order."""
    found = documents(text)
    return found if isinstance(found, Unparsed) else tuple(_statement(one, text) for one in found)


@lru_cache(maxsize=4096)
def documents(text: str) -> tuple[JsonObject, ...] | Unparsed:
    """The statements of a policy text in Cedar's JSON policy format, in their order.

    Source of the shape: `cedarpy.policies_to_json_str`.
    """
    try:
        document = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError as error:
        message = " ".join(str(error).split())
        return Unparsed(text, f"{message} at {locate(text, message, _complaint)}")
    policies: JsonObject = document["staticPolicies"]
    if document.get("templates") or not policies:
        return Unparsed(text, "holds a template or no statement")
    in_order = sorted(policies, key=lambda name: int(name.removeprefix("policy")))
    return tuple(policies[name] for name in in_order)


def _complaint(text: str) -> str:
    """What the parser says of a piece of text; empty when nothing."""
    try:
        cedarpy.policies_to_json_str(text)
    except ValueError as error:
        return " ".join(str(error).split())
    return ""


def _statement(policy: JsonObject, text: str) -> Statement:
    principal, principal_reason = _principal(policy["principal"])
    actions, action_op, action_reason = _actions(policy["action"])
    resource_type, resource_id, resource_reason = _resource(policy["resource"])
    contains: list[tuple[str, str]] = []
    equals: list[tuple[str, str]] = []
    reasons = [reason for reason in (principal_reason, action_reason, resource_reason) if reason]
    for condition in policy["conditions"]:
        if condition["kind"] != "when":
            reasons.append("an `unless` condition")
            continue
        for term in _conjuncts(condition["body"]):
            _sort_term(term, contains, equals, reasons)
    return Statement(
        effect=policy["effect"],
        principal=principal,
        actions=actions,
        action_op=action_op,
        resource_type=resource_type,
        resource_id=resource_id,
        contains=tuple(sorted(set(contains))),
        equals=tuple(sorted(set(equals))),
        opaque="; ".join(dict.fromkeys(reasons)),
        text=text,
    )


def _principal(head: JsonObject) -> tuple[PrincipalConstraint, str]:
    match head:
        case {"op": "All"}:
            return PrincipalConstraint(), ""
        case {"op": "==" | "in" as op, "entity": {"type": str(type_), "id": str(id_)}}:
            return PrincipalConstraint(op, type_, id_), ""
        case {"op": "is", "entity_type": str(type_), **rest} if "in" not in rest:
            return PrincipalConstraint("is", type_), ""
        case _:
            return PrincipalConstraint(), "a principal head outside `==`, `in` and `is`"


def _actions(head: JsonObject) -> tuple[frozenset[tuple[str, str]] | None, str, str]:
    match head:
        case {"op": "All"}:
            return None, ANY, ""
        case {"op": "==" | "in" as op, "entity": {"type": str(type_), "id": str(id_)}}:
            return frozenset({(type_, id_)}), op, ""
        case {"op": "in", "entities": list(entities)}:
            return frozenset((entity["type"], entity["id"]) for entity in entities), "in", ""
        case _:
            return None, ANY, "an action head outside `==` and `in`"


def _resource(head: JsonObject) -> tuple[str, str | None, str]:
    match head:
        case {"op": "All"}:
            return "", None, ""
        case {"op": "is", "entity_type": str(type_), **rest} if "in" not in rest:
            return type_, None, ""
        case {"op": "==", "entity": {"type": str(type_), "id": str(id_)}}:
            return type_, id_, ""
        case _:
            return "", None, "a resource head outside `is` and `==`"


def _conjuncts(body: JsonObject) -> Iterator[JsonObject]:
    match body:
        case {"&&": {"left": left, "right": right}}:
            yield from _conjuncts(left)
            yield from _conjuncts(right)
        case _:
            yield body


def _sort_term(
    term: JsonObject,
    contains: list[tuple[str, str]],
    equals: list[tuple[str, str]],
    reasons: list[str],
) -> None:
    match term:
        case {"Value": True}:
            return
        case {
            "contains": {
                "left": {".": {"left": {"Var": "resource"}, "attr": str(attribute)}},
                "right": {"Value": str(literal)},
            }
        }:
            contains.append((attribute, literal))
        case {
            "==": {
                "left": {".": {"left": {"Var": "resource"}, "attr": str(attribute)}},
                "right": {"Value": str(literal)},
            }
        } | {
            "==": {
                "right": {".": {"left": {"Var": "resource"}, "attr": str(attribute)}},
                "left": {"Value": str(literal)},
            }
        }:
            equals.append((attribute, literal))
        case _:
            reasons.append(f"a condition on {', '.join(sorted(set(_operators(term)))) or 'a constant'}")


def _operators(term: Any) -> Iterator[str]:
    """The operators and variables a condition uses, to say in words why it is not decided."""
    if isinstance(term, Mapping):
        for key, value in term.items():
            if key == "Var":
                yield f"`{value}`"
            elif key not in ("left", "right", "attr", "Value", "Slot", "pattern", "arg", "."):
                yield f"`{key}`"
            yield from _operators(value)
    elif isinstance(term, list):
        for item in term:
            yield from _operators(item)
