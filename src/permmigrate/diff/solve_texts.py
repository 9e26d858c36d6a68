"""Policy statements cut down to what one principal's question at one place can still hang on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, reduce
from typing import Any, Final, NamedTuple

from permmigrate.cedar.shapes import Uid
from permmigrate.cedar.statements import Unparsed, documents

JsonObject = Mapping[str, Any]
VARIABLES: Final = ("principal", "action", "resource")
_ANY: Final = {"op": "All"}
_BARE: Final = {"principal": _ANY, "action": _ANY, "resource": _ANY, "conditions": []}
EVERYTHING: Final = json.dumps({**_BARE, "effect": "permit"}, sort_keys=True)
"""The statement that allows whatever is asked."""
NOTHING: Final = json.dumps({**_BARE, "effect": "forbid"}, sort_keys=True)
"""The one that forbids it."""


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


class Given(NamedTuple):
    """A policy text, and the folder or collection it is given on, as (kind, id)."""

    text: str
    content: tuple[tuple[str, str], ...]


class Piece(NamedTuple):
    """A statement without whom and which action it is about, as text, with what it names."""

    who: JsonObject
    """Its principal's head."""
    resource_id: str | None
    """The one resource its head is about; None for more than one."""
    text: str
    strings: frozenset[str]
    entities: frozenset[Uid]


def relevant(texts: Iterable[Given], asked: Asked, who: Who) -> list[Piece]:
    """The statements that can bear on the question, for this principal: their heads name whoever asks."""
    return [piece for one in texts for piece in _about(one, asked) if who.named_by(piece.who)]


@lru_cache(maxsize=65_536)
def _about(given: Given, asked: Asked) -> tuple[Piece, ...]:
    return tuple(piece for document, piece in _pieces(given) if asked.about(document))


@lru_cache(maxsize=16_384)
def _pieces(given: Given) -> tuple[tuple[JsonObject, Piece], ...]:
    """A policy's statements, each as it is and as it is once its heads are known to match."""
    return tuple(
        (one, _piece(one)) for one in (_bound(written, given.content) for written in _parsed(given.text))
    )


@lru_cache(maxsize=4_096)
def _parsed(text: str) -> tuple[str, ...]:
    found = documents(text)
    assert not isinstance(found, Unparsed), found
    return tuple(json.dumps(document) for document in found)


def _bound(written: str, content: tuple[tuple[str, str], ...]) -> JsonObject:
    """The statement with placeholders replaced by what it is given on."""
    for kind, content_id in content:
        written = written.replace(f"<{kind}_id>", json.dumps(content_id)[1:-1])
    document: JsonObject = json.loads(written)
    return document


def _piece(document: JsonObject) -> Piece:
    resource = document["resource"]
    named_id = resource["entity"]["id"] if resource["op"] == "==" else None
    if resource["op"] == "is" and "in" not in resource:
        resource = _ANY
    heads = {"principal": _ANY, "action": _ANY, "resource": resource}
    bare = {"effect": document["effect"], **heads, "conditions": document["conditions"]}
    named = frozenset(strings(bare)), frozenset(entities(bare))
    return Piece(document["principal"], named_id, json.dumps(bare, sort_keys=True), *named)


def about_one(pieces: Iterable[Piece], resource_id: str | None) -> list[Piece]:
    """The statements that bear on one resource; with None, on those that no statement names."""
    return [
        piece if piece.resource_id is None else _unbound(piece)
        for piece in pieces
        if piece.resource_id in (None, resource_id)
    ]


def _unbound(piece: Piece) -> Piece:
    document = {**json.loads(piece.text), "resource": _ANY}
    return piece._replace(text=json.dumps(document, sort_keys=True), resource_id=None)


Pairs = frozenset[tuple[str, str]]
"""Set attributes with what is, or is not, in them."""


def settled_places(node: Any, surely: Pairs, never: Pairs) -> Any:
    """The statement with tests of folders and collections that go one way for every resource here put in."""
    match node:
        case {
            "contains": {
                "left": {".": {"left": {"Var": "resource"}, "attr": str(attribute)}},
                "right": {"Value": str(literal)},
            }
        } if (attribute, literal) in surely | never:
            return {"Value": (attribute, literal) in surely}
        case dict():
            return {key: settled_places(value, surely, never) for key, value in node.items()}
        case list():
            return [settled_places(value, surely, never) for value in node]
        case _:
            return node


def written(pieces: Iterable[Piece], surely: Pairs, never: Pairs) -> tuple[str, ...]:
    """Statements as text that is the same for the same statements, without those that change nothing.

    Empty where nothing is allowed, and `EVERYTHING` alone where everything is.
    """
    names = {piece.text: piece.strings for piece in pieces}
    found = [_settled(text, _of(surely, named), _of(never, named)) for text, named in names.items()]
    cuts = {text: cut(text) for text in found}
    permits = {text for text, one in cuts.items() if one.permits and not one.never}
    forbids = {text for text, one in cuts.items() if not one.permits and not one.never}
    if not permits or NOTHING in forbids:
        return ()
    return tuple(sorted(({EVERYTHING} if EVERYTHING in permits else permits) | forbids))


def _of(pairs: Pairs, names: frozenset[str]) -> Pairs:
    return frozenset(pair for pair in pairs if pair[1] in names)


@lru_cache(maxsize=16_384)
def _settled(text: str, surely: Pairs, never: Pairs) -> str:
    if not surely and not never:
        return text
    document = settled_places(json.loads(text), surely, never)
    return json.dumps({**document, "conditions": _needed(document["conditions"])}, sort_keys=True)


def _needed(conditions: Iterable[JsonObject]) -> list[JsonObject]:
    """The conditions without what is true."""
    kept: list[JsonObject] = []
    for condition in conditions:
        if condition["kind"] == "when":
            terms = [term for term in _conjuncts(condition["body"]) if term != {"Value": True}]
            if terms:
                body = reduce(lambda left, right: {"&&": {"left": left, "right": right}}, terms)
                kept.append({"kind": "when", "body": body})
        else:
            kept.append(condition)
    return kept


def implies(one: tuple[str, ...], other: tuple[str, ...]) -> bool:
    """Whether whatever some statements allow others surely allow too; False where it takes more to tell."""
    permits = {text for text in one if cut(text).permits}
    wider = {text for text in other if cut(text).permits}
    if permits and not (EVERYTHING in wider or permits <= wider):
        return False
    return not permits or set(other) - wider <= set(one) - permits


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
    variables: frozenset[str]
    """What it looks at, of `principal`, `action` and `resource`."""
    permits: bool
    compared: frozenset[Uid | None]
    """The entities that whoever asks is compared with; None for what is not told in so many words."""
    never: bool
    """Whether some term is false of which all have to be true."""


@lru_cache(maxsize=16_384)
def cut(text: str) -> Cut:
    """A statement that was written down."""
    document = json.loads(text)
    terms = [t for c in document["conditions"] if c["kind"] == "when" for t in _conjuncts(c["body"])]
    return Cut(
        document,
        frozenset(strings(document)),
        frozenset(v for v in VARIABLES if document[v] != _ANY or mentions(document["conditions"], v)),
        document["effect"] == "permit",
        frozenset(compared(document["conditions"])),
        {"Value": False} in terms,
    )


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


def compared(node: Any) -> Iterator[Uid | None]:
    """What the principal is compared with, its attributes apart."""
    match node:
        case {"Var": "principal"}:
            yield None
        case {".": {"left": {"Var": "principal"}}} | {"has": {"left": {"Var": "principal"}}}:
            return
        case {"in": {"left": {"Var": "principal"}, "right": right}} | {
            "==": {"left": {"Var": "principal"}, "right": right}
        }:
            yield from _literals(right)
        case dict():
            for value in node.values():
                yield from compared(value)
        case list():
            for value in node:
                yield from compared(value)


def _literals(node: Any) -> Iterator[Uid | None]:
    match node:
        case {"Value": {"__entity": {"type": str(type_), "id": str(id_)}}}:
            yield type_, id_
        case {"Set": list(elements)}:
            for element in elements:
                yield from _literals(element)
        case _:
            yield None


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
