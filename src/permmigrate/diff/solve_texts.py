"""Policy statements cut down to what one principal's question at one place can still hang on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from permmigrate.cedar.shapes import Uid
from permmigrate.cedar.statements import Unparsed, documents

JsonObject = Mapping[str, Any]


class Who(NamedTuple):
    """A principal on one side."""

    uid: Uid
    groups: frozenset[Uid]

    def named_by(self, head: JsonObject) -> bool:
        """Whether a statement's head is about it."""
        match head:
            case {"op": "==", "entity": uid}:
                return _uid(uid) == self.uid
            case {"op": "in", "entity": uid}:
                return _uid(uid) in {self.uid, *self.groups}
            case {"op": "is", "entity_type": type_, **rest}:
                inside = rest.get("in")
                named = inside is None or _uid(inside["entity"]) in {self.uid, *self.groups}
                return bool(type_ == self.uid[0]) and named
            case _:
                return True


class Asked(NamedTuple):
    """What is asked to be done to what."""

    action: Uid
    groups: frozenset[Uid]
    """The action groups that the action is in."""
    resource_type: str

    def about(self, document: JsonObject) -> bool:
        """Whether a statement's head leaves room for it."""
        return self._action(document["action"]) and self._resource(document["resource"])

    def _action(self, head: JsonObject) -> bool:
        match head:
            case {"op": "==", "entity": uid}:
                return _uid(uid) == self.action
            case {"op": "in", "entity": uid}:
                return _uid(uid) in {self.action, *self.groups}
            case {"op": "in", "entities": uids}:
                return any(_uid(uid) in {self.action, *self.groups} for uid in uids)
            case _:
                return True

    def _resource(self, head: JsonObject) -> bool:
        match head:
            case {"op": "==", "entity": uid}:
                return bool(uid["type"] == self.resource_type)
            case {"op": "is", "entity_type": type_}:
                return bool(type_ == self.resource_type)
            case _:
                return True


def relevant(texts: Iterable[str], asked: Asked, who: Who) -> Iterator[JsonObject]:
    """The statements that can bear on the question, for this principal: their heads name whoever asks."""
    for text in texts:
        found = documents(text)
        assert not isinstance(found, Unparsed), found
        for document in found:
            if asked.about(document) and who.named_by(document["principal"]):
                yield {**document, "principal": {"op": "All"}, "action": {"op": "All"}}


def settled_places(
    node: Any, surely: Mapping[str, frozenset[str]], never: Mapping[str, frozenset[str]]
) -> Any:
    """The statement with tests of folders and collections that go one way for every resource here put in."""
    match node:
        case {
            "contains": {
                "left": {".": {"left": {"Var": "resource"}, "attr": str(attribute)}},
                "right": {"Value": str(literal)},
            }
        } if attribute in surely and literal in surely[attribute]:
            return {"Value": True}
        case {
            "contains": {
                "left": {".": {"left": {"Var": "resource"}, "attr": str(attribute)}},
                "right": {"Value": str(literal)},
            }
        } if attribute in never and literal in never[attribute]:
            return {"Value": False}
        case dict():
            return {key: settled_places(value, surely, never) for key, value in node.items()}
        case list():
            return [settled_places(value, surely, never) for value in node]
        case _:
            return node


def written(documents_: Iterable[JsonObject]) -> tuple[str, ...]:
    """Statements as text that is the same for the same statements; those that never apply are left out."""
    found = {json.dumps(document, sort_keys=True): document for document in documents_}
    return tuple(text for text in sorted(found) if not _never(found[text]))


def _never(document: JsonObject) -> bool:
    """Whether some term is false of which all have to be true."""
    conditions = [c["body"] for c in document["conditions"] if c["kind"] == "when"]
    return any(term == {"Value": False} for body in conditions for term in _conjuncts(body))


def _conjuncts(body: JsonObject) -> Iterator[JsonObject]:
    match body:
        case {"&&": {"left": left, "right": right}}:
            yield from _conjuncts(left)
            yield from _conjuncts(right)
        case _:
            yield body


class Cut(NamedTuple):
    """A statement cut down, with what matters about it."""

    document: JsonObject
    strings: frozenset[str]
    personal: bool
    """Whether a condition is on who asks."""


@lru_cache(maxsize=16_384)
def cut(text: str) -> Cut:
    """A statement that was written down."""
    document = json.loads(text)
    return Cut(document, frozenset(strings(document)), mentions(document["conditions"], "principal"))


def strings(node: Any) -> Iterator[str]:
    """Every string literal in a statement."""
    match node:
        case {"Value": str(literal)}:
            yield literal
        case dict():
            for value in node.values():
                yield from strings(value)
        case list():
            for value in node:
                yield from strings(value)


def entities(node: Any) -> Iterator[Uid]:
    """Every entity that a statement names."""
    match node:
        case {"type": str(type_), "id": str(id_), **rest} if not rest:
            yield type_, id_
        case dict():
            for value in node.values():
                yield from entities(value)
        case list():
            for value in node:
                yield from entities(value)


def mentions(node: Any, variable: str) -> bool:
    """Whether a statement's conditions look at a variable."""
    match node:
        case {"Var": str(name)}:
            return name == variable
        case dict():
            return any(mentions(value, variable) for value in node.values())
        case list():
            return any(mentions(value, variable) for value in node)
        case _:
            return False


def _uid(document: JsonObject) -> Uid:
    return document["type"], document["id"]
