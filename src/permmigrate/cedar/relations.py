"""What two values are to each other: equal, one in the other, sets that hold or share elements."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from permmigrate.cedar.symbols import (
    ERROR,
    Bool,
    Entity,
    Items,
    Long,
    Record,
    Stored,
    Sym,
    Term,
    Text,
    Value,
    conj,
    disj,
    either,
    evaluates,
    just,
    neg,
)
from permmigrate.cedar.world import World, kind_of

ACTION_SUFFIX: Final = "Action"


@dataclass(frozen=True)
class Relations:
    """Compares values as terms over one world."""

    world: World

    def equal(self, one: Value, other: Value) -> Term:
        """Cedar's `==`: never an error; values of different types differ."""
        match one, other:
            case (Bool(a), Bool(b)):
                return either(a, b, neg(b))
            case (Long(a), Long(b)):
                return a == b
            case (Text(a), Text(b)):
                return self.world.texts.same(a, b)
            case (Entity(), Entity()):
                return self.world.same_entity(one, other)
            case (Items() | Stored(), Items() | Stored()):
                return conj(self.subset(one, other), self.subset(other, one))
            case (Record(), Record()):
                return self._equal_records(one, other)
            case _:
                return False

    def _equal_records(self, one: Record, other: Record) -> Term:
        left, right = dict(one.fields), dict(other.fields)
        terms = []
        for name in sorted(left.keys() | right.keys()):
            a, b = left.get(name, ERROR), right.get(name, ERROR)
            terms.append(disj(self.same(a, b), conj(neg(evaluates(a)), neg(evaluates(b)))))
        return conj(*terms)

    def same(self, one: Sym, other: Sym) -> Term:
        """Where both are there and equal."""
        return disj(*(conj(g, h, self.equal(a, b)) for g, a in one for h, b in other))

    def contains(self, place: Value, element: Value) -> Term:
        """Whether a set holds an element."""
        if isinstance(place, Stored):
            return self.world.member(place, element)
        assert isinstance(place, Items)
        return disj(*(self.same(one, just(element)) for one in place.elements))

    def subset(self, lower: Value, upper: Value) -> Term:
        """Whether everything in the one is in the other."""
        if isinstance(lower, Stored):
            return neg(self.world.some(lower, lambda one: neg(self.contains(upper, one))))
        assert isinstance(lower, Items)
        return conj(
            *(
                disj(*(conj(guard, self.contains(upper, value)) for guard, value in one))
                for one in lower.elements
            )
        )

    def meets(self, one: Value, other: Value) -> Term:
        """Whether the sets share an element."""
        if isinstance(one, Stored) and isinstance(other, Stored):
            return self.world.some(one, lambda element: self.contains(other, element))
        written, place = (one, other) if isinstance(one, Items) else (other, one)
        assert isinstance(written, Items)
        return disj(
            *(conj(guard, self.contains(place, v)) for element in written.elements for guard, v in element)
        )

    def empty(self, one: Value) -> Sym:
        """Whether a set has no element; an error for what is no set."""
        match one:
            case Items(elements):
                return just(Bool(not elements))
            case Stored():
                return just(Bool(neg(self.world.some(one, lambda _: True))))
            case _:
                return ERROR

    def in_(self, lower: Value, upper: Value) -> Sym:
        """Cedar's `in`: an entity in another, or in one of a set of them."""
        if not isinstance(lower, Entity):
            return ERROR
        match upper:
            case Entity():
                return just(Bool(self.within(lower, upper)))
            case Stored(element=kind) if kind not in ("Bool", "Long", "String"):
                return just(
                    Bool(
                        self.world.some(
                            upper, lambda one: self.within(lower, one) if isinstance(one, Entity) else False
                        )
                    )
                )
            case Stored():
                return just(Bool(False), neg(self.world.some(upper, lambda _: True)))
            case Items(elements):
                entities = [[(g, v) for g, v in one if isinstance(v, Entity)] for one in elements]
                fine = conj(*(disj(*(g for g, _ in one)) for one in entities))
                return just(
                    Bool(disj(*(conj(g, self.within(lower, v)) for one in entities for g, v in one))), fine
                )
            case _:
                return ERROR

    def within(self, lower: Entity, upper: Entity) -> Term:
        """Whether an entity is another or in it; how actions are grouped is known."""
        if isinstance(lower.id, str) and lower.type.rpartition("::")[2] == ACTION_SUFFIX:
            uid, other = (lower.type, lower.id), (upper.type, upper.id)
            return uid == other or other in self.world.schema.action_groups.get(uid, frozenset())
        return self.world.within(lower, upper)


def _compared(compare: Callable[[Term, Term], Term]) -> Callable[[Relations, Value, Value], Sym]:
    def test(_: Relations, left: Value, right: Value) -> Sym:
        if isinstance(left, Long) and isinstance(right, Long):
            return just(Bool(compare(left.term, right.term)))
        return ERROR

    return test


def _of_sets(method: Callable[[Relations, Value, Value], Term]) -> Callable[[Relations, Value, Value], Sym]:
    def test(relations: Relations, left: Value, right: Value) -> Sym:
        if kind_of(left) == "set" and kind_of(right) == "set":
            return just(Bool(method(relations, left, right)))
        return ERROR

    return test


def _contains(relations: Relations, place: Value, element: Value) -> Sym:
    return just(Bool(relations.contains(place, element))) if kind_of(place) == "set" else ERROR


BINARY: Final[Mapping[str, Callable[[Relations, Value, Value], Sym]]] = {
    "==": lambda relations, a, b: just(Bool(relations.equal(a, b))),
    "!=": lambda relations, a, b: just(Bool(neg(relations.equal(a, b)))),
    "<": _compared(lambda a, b: a < b),
    "<=": _compared(lambda a, b: a <= b),
    ">": _compared(lambda a, b: a > b),
    ">=": _compared(lambda a, b: a >= b),
    "in": lambda relations, a, b: relations.in_(a, b),
    "contains": _contains,
    "containsAll": _of_sets(lambda relations, a, b: relations.subset(b, a)),
    "containsAny": _of_sets(lambda relations, a, b: relations.meets(a, b)),
}
"""The tests of two values, by Cedar's operators."""
