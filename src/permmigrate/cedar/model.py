"""A solver's model as a request: which entities it brings along, their attributes and what they lie in."""

from __future__ import annotations

from typing import Any

import z3

from permmigrate.cedar.request import EntityData, Request
from permmigrate.cedar.shapes import EMPTY, EntityOf, RecordOf, Scalar, SetOf, Shape, Uid, Unknown
from permmigrate.cedar.symbols import (
    Bool,
    Entity,
    Items,
    Long,
    Opaque,
    Record,
    Stored,
    Sym,
    Term,
    Text,
    Value,
)
from permmigrate.cedar.world import World

EXAMPLES = {
    "ip": "192.0.2.1",
    "decimal": "0.0",
    "datetime": "2026-01-01",
    "duration": "0ms",
}
"""A value of each extension type, where something has to stand."""


class Reader:
    """Reads one model of one world."""

    def __init__(self, world: World, model: Any) -> None:
        self.world, self.model = world, model

    def true(self, term: Term) -> bool:
        return term if isinstance(term, bool) else z3.is_true(self._value(term))

    def request(self, principal: Entity, action: Uid, resource: Entity, context: Record) -> Request:
        """The request that the model describes."""
        entities: dict[Uid, EntityData] = {}
        for entity in tuple(self.world.entities.values()):
            uid = self.uid(entity)
            if uid not in entities and self.true(self.world.exists(entity)):
                entities[uid] = self._entity(uid, entity)
        return Request(
            principal=self.uid(principal),
            action=action,
            resource=self.uid(resource),
            entities=tuple(entities[uid] for uid in sorted(entities)),
            context=self._fields(context),
        )

    def uid(self, entity: Entity) -> Uid:
        return entity.type, self._text(entity.id)

    def _entity(self, uid: Uid, entity: Entity) -> EntityData:
        shape = self.world.schema.entities.get(entity.type, EMPTY)
        attributes: dict[str, Any] = {}
        for name, field in shape.fields.items():
            if self.world.asked(f"{entity.type}.{name}"):
                found = self._one(self.world.attribute(entity, name))
                if found is not None:
                    attributes[name] = found[0]
            elif field.required:
                attributes[name] = neutral(field.shape)
        above = {
            self.uid(other)
            for other in self.world.placed
            if self.true(self.world.below(entity, other)) and self.uid(other) != uid
        }
        return EntityData(uid, attributes, tuple(sorted(above)))

    def _fields(self, record: Record) -> dict[str, Any]:
        found = {name: self._one(value) for name, value in record.fields}
        return {name: held[0] for name, held in found.items() if held is not None}

    def _one(self, sym: Sym) -> tuple[Any] | None:
        """The value that holds, in Cedar's JSON form; None where it is missing."""
        for guard, value in sym:
            if self.true(guard):
                return (self._json(value),)
        return None

    def _json(self, value: Value) -> Any:
        match value:
            case Bool(term):
                return self.true(term)
            case Long(term):
                return self._number(term)
            case Text(term):
                return self._text(term)
            case Entity():
                type_, id_ = self.uid(value)
                return {"__entity": {"type": type_, "id": id_}}
            case Stored():
                return self._elements(value)
            case Record():
                return self._fields(value)
            case Opaque(example=function):
                return neutral(Unknown("", function))
            case Items():
                raise AssertionError("nothing stores a set that is written out")

    def _elements(self, stored: Stored) -> list[Any]:
        held = [
            self._json(element)
            for element in self.world.from_pool(stored.element)
            if self.true(self.world.member(stored, element))
        ]
        return sorted({repr(one): one for one in held}.values(), key=repr)

    def _number(self, term: Term) -> int:
        return term if isinstance(term, int) else int(self._value(term).as_long())

    def _text(self, term: Term) -> str:
        return term if isinstance(term, str) else self.world.texts.value(self._value(term), self.model)

    def _value(self, term: Any) -> Any:
        return self.model.eval(term, model_completion=True)


def neutral(shape: Shape) -> Any:
    """Some value of the shape, for what nothing asks about."""
    match shape:
        case Scalar("Bool"):
            return False
        case Scalar("Long"):
            return 0
        case Scalar():
            return "any"
        case EntityOf(type_):
            return {"__entity": {"type": type_, "id": "any"}}
        case SetOf():
            return []
        case RecordOf(fields):
            return {name: neutral(field.shape) for name, field in fields.items() if field.required}
        case Unknown(example=function) if function in EXAMPLES:
            return {"__extn": {"fn": function, "arg": EXAMPLES[function]}}
        case Unknown():
            return "any"
