"""The entities a request may meet, as relations a solver can choose: attributes, sets, what lies in what.

Everything is a function of an entity's id. Only what was asked about is constrained, which is enough: a model
restricted to the terms that occur answers every question of the expressions it was built for.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import z3

from permmigrate.cedar.shapes import EntityOf, Field, RecordOf, Scalar, Schema, SetOf, Shape, Unknown
from permmigrate.cedar.symbols import (
    ERROR,
    LONG_MAX,
    LONG_MIN,
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
    Texts,
    Value,
    conj,
    disj,
    just,
    neg,
)


@dataclass(frozen=True, slots=True)
class Semantics:
    """Cedar's rules, each of which can be left out to see that its absence is noticed."""

    errors: bool = True
    """A policy whose evaluation errs is skipped."""
    transitive: bool = True
    """What lies in something lies in all that lies in."""
    presence: bool = True
    """`has` tells whether an attribute is there."""
    forbid: bool = True
    """A forbid wins over every permit."""
    short_circuit: bool = True
    """`&&`, `||` and `if` leave alone what they need not look at."""


CEDAR = Semantics()


@dataclass
class World:
    """Collects terms as expressions are evaluated; `axioms` then says what must hold between them."""

    schema: Schema
    texts: Texts
    semantics: Semantics = CEDAR
    entities: dict[tuple[str, str], Entity] = field(default_factory=dict)
    """Every entity term met, by type and the text of its id."""
    pools: dict[str, dict[str, Term]] = field(default_factory=dict)
    """Element kind to every term whose membership in some set was asked."""
    imprecise: dict[str, None] = field(default_factory=dict)
    """Why the encoding allows more than Cedar would, in the order met."""
    known: dict[tuple[str, str], frozenset[tuple[str, str]]] = field(default_factory=dict)
    """Entities of which it is known what they lie in: all of it."""
    _laws: list[Callable[[], list[Term]]] = field(default_factory=list)
    """Axioms about whole pools, stated once every term is known."""
    _facts: dict[str, Term] = field(default_factory=dict)
    _placed: dict[tuple[str, str], Entity] = field(default_factory=dict)
    """The entity terms whose place in the hierarchy was asked."""
    _touched: set[str] = field(default_factory=set)
    """The paths of the attributes looked at."""
    _fresh: itertools.count[int] = field(default_factory=itertools.count)

    # ------------------------------------------------------------------ attributes

    def entity(self, type_: str, id_: Term) -> Entity:
        """The entity, noted."""
        self.texts.term(id_)  # a literal is numbered before the solver chooses among the other numbers
        made = Entity(type_, id_)
        return self.entities.setdefault((type_, key_of(id_)), made)

    def exists(self, entity: Entity) -> Term:
        """Whether the request brings the entity along, and not only its name."""
        return self._apply(f"exists {entity.type}", (self.texts.term(entity.id),), self.texts.truth)

    def attribute(self, entity: Entity, name: str) -> Sym:
        """The attribute's value where the entity has it."""
        field_ = self.schema.attribute(entity.type, name)
        if field_ is None:
            if self.schema.closed:
                return ERROR
            reason = f"`{name}`, which the schema does not give {entity.type}"
            return self.anything(f"{entity.type}.{name} {key_of(entity.id)}", reason)
        owner = (self.texts.term(entity.id),)
        path = f"{entity.type}.{name}"
        self._touched.add(path)
        there = conj(self.exists(entity), self._present(path, owner, field_))
        return just(self.stored(path, owner, field_.shape), there if self.semantics.presence else True)

    def _present(self, path: str, owner: tuple[Term, ...], field_: Field) -> Term:
        return True if field_.required else self._apply(f"{path}?", owner, self.texts.truth)

    def stored(self, path: str, owner: tuple[Term, ...], shape: Shape) -> Value:
        """The value of an attribute as a function of its owner."""
        match shape:
            case Scalar("Bool"):
                return Bool(self._apply(path, owner, self.texts.truth))
            case Scalar("Long"):
                return Long(self.long(self._apply(path, owner, z3.IntSort(self.texts.context))))
            case Scalar():
                return Text(self._apply(path, owner, self.texts.sort))
            case EntityOf(type_):
                return self.entity(type_, self._apply(path, owner, self.texts.sort))
            case SetOf(element) if (kind := element_kind(element)) is not None:
                return Stored(path, owner, kind)
            case SetOf():
                return self.opaque(f"{path} {' '.join(map(key_of, owner))}", "a set of sets or records")
            case RecordOf(fields):
                return Record(
                    tuple(
                        (
                            name,
                            just(
                                self.stored(f"{path}.{name}", owner, inner.shape),
                                self._present(f"{path}.{name}", owner, inner)
                                if self.semantics.presence
                                else True,
                            ),
                        )
                        for name, inner in fields.items()
                    )
                )
            case Unknown(reason, example):
                return self.opaque(f"{path} {' '.join(map(key_of, owner))}", reason, example)

    def long(self, term: Term) -> Term:
        """A number that Cedar can hold."""
        self.fact(z3.And(term >= LONG_MIN, term <= LONG_MAX))
        return term

    def fact(self, term: Term) -> None:
        """Something that holds in every request."""
        if term is not True:
            self._facts.setdefault(key_of(term), term)

    def opaque(self, key: str, reason: str, example: str = "") -> Opaque:
        self.imprecise.setdefault(reason)
        return Opaque(key, example)

    def anything(self, key: str, reason: str) -> Sym:
        """A value that may be there or not, and about which nothing is known."""
        return just(self.opaque(key, reason), self.unknown(f"there {key}"))

    def unknown(self, key: str) -> Term:
        """A truth value that nothing decides: the same for the same key."""
        return z3.Bool(f"unknown {key}", self.texts.context)

    def _apply(self, name: str, owner: tuple[Term, ...], sort: Any) -> Term:
        if not owner:
            return z3.Const(name, sort)
        return z3.Function(name, *(term.sort() for term in owner), sort)(*owner)

    def asked(self, path: str) -> bool:
        """Whether any expression looked at the attribute."""
        return path in self._touched

    @property
    def placed(self) -> tuple[Entity, ...]:
        """The entities whose place in the hierarchy was asked."""
        return tuple(self._placed.values())

    def _invent(self, kind: str) -> Value:
        """Some element of the kind, and nothing said about it."""
        name = f"some {kind} {next(self._fresh)}"
        match kind:
            case "Bool":
                return Bool(z3.Bool(name, self.texts.context))
            case "Long":
                return Long(self.long(z3.Int(name, self.texts.context)))
            case "String":
                return Text(z3.Const(name, self.texts.sort))
            case _:
                return self.entity(kind, z3.Const(name, self.texts.sort))

    # ------------------------------------------------------------------ sets

    def member(self, stored: Stored, element: Value) -> Term:
        """Whether the element is in the set."""
        if kind_of(element) != stored.element:
            return False
        term = self._element(element)
        self.pools.setdefault(stored.element, {})[key_of(term)] = term
        return self._apply(f"{stored.path} contains", (*stored.owner, term), self.texts.truth)

    def _element(self, element: Value) -> Term:
        match element:
            case Bool(term):
                return z3.BoolVal(term, self.texts.context) if isinstance(term, bool) else term
            case Long(term):
                return z3.IntVal(term, self.texts.context) if isinstance(term, int) else term
            case Text(term) | Entity(_, term):
                return self.texts.term(term)
            case _:
                raise AssertionError(element)

    def from_pool(self, kind: str) -> list[Value]:
        terms = self.pools.get(kind, {}).values()
        match kind:
            case "Bool":
                return [Bool(term) for term in terms]
            case "Long":
                return [Long(term) for term in terms]
            case "String":
                return [Text(term) for term in terms]
            case _:
                return [Entity(kind, term) for term in terms]

    def some(self, stored: Stored, test: Callable[[Value], Term]) -> Term:
        """Whether the test holds of some element of the set."""
        found = z3.Bool(f"some {next(self._fresh)}", self.texts.context)
        witness = self._invent(stored.element)
        self.fact(z3.Implies(found, conj(self.member(stored, witness), test(witness))))
        self._laws.append(
            lambda: [
                z3.Implies(neg(found), neg(conj(self.member(stored, one), test(one))))
                for one in self.from_pool(stored.element)
            ]
        )
        return found

    # ------------------------------------------------------------------ hierarchy

    def within(self, lower: Entity, upper: Entity) -> Term:
        """`lower in upper`: itself, or below it however far."""
        same = self.same_entity(lower, upper)
        if same is True:
            return True
        if upper.type in self.schema.above.get(lower.type, frozenset()):
            return disj(same, self._below(lower, upper))
        if (known := self.known.get((lower.type, key_of(lower.id)))) is not None:
            return disj(same, *(t == upper.type and self.texts.same(upper.id, i) for t, i in sorted(known)))
        if self.schema.closed or (lower.type, upper.type) in self._known_apart:
            return same
        reason = f"whether {lower.type} lies in {upper.type}, which the schema does not say"
        self.imprecise.setdefault(reason)
        return disj(same, self.unknown(f"{lower.type} {key_of(lower.id)} in {upper.type} {key_of(upper.id)}"))

    _known_apart: set[tuple[str, str]] = field(default_factory=set)

    def apart(self, lower: str, upper: str) -> None:
        """No entity of the one type lies in one of the other, whatever the schema leaves out."""
        self._known_apart.add((lower, upper))

    def same_entity(self, one: Entity, other: Entity) -> Term:
        return one.type == other.type and self.texts.same(one.id, other.id)

    def _below(self, lower: Entity, upper: Entity) -> Term:
        for one in (lower, upper):
            self._placed[one.type, key_of(one.id)] = one
        ids = self.texts.term(lower.id), self.texts.term(upper.id)
        return self._apply(f"{lower.type} in {upper.type}", ids, self.texts.truth)

    def below(self, lower: Entity, upper: Entity) -> Term:
        """Strictly below, False where the schema has no such thing."""
        if upper.type not in self.schema.above.get(lower.type, frozenset()):
            return False
        return self._below(lower, upper)

    def _hierarchy(self) -> list[Term]:
        placed = list(self._placed.values())
        above: dict[int, list[tuple[int, Term]]] = {}
        laws: list[Term] = []
        for i, lower in enumerate(placed):
            for j, upper in enumerate(placed):
                if upper.type not in self.schema.above.get(lower.type, frozenset()):
                    continue
                below = self._below(lower, upper)
                above.setdefault(i, []).append((j, below))
                laws.append(z3.Implies(below, self.exists(lower)))
                if lower.type == upper.type:  # a hierarchy has no cycles
                    laws.append(z3.Implies(below, neg(self.same_entity(lower, upper))))
        if self.semantics.transitive:
            for steps in above.values():
                for j, first in steps:
                    for k, second in above.get(j, ()):
                        direct = dict(steps).get(k)
                        laws.append(
                            z3.Not(z3.And(first, second))
                            if direct is None
                            else z3.Implies(z3.And(first, second), direct)
                        )
        return laws

    def lies_in(self, lower: Entity, uppers: frozenset[tuple[str, str]]) -> None:
        """State that the entity lies in exactly these others."""
        self.known[lower.type, key_of(lower.id)] = uppers

    def _settle(self) -> None:
        for key, uppers in self.known.items():
            lower = self.entities[key]
            for upper in list(self._placed.values()):
                below = self.below(lower, upper)
                if below is not False:
                    among = disj(
                        *(t == upper.type and self.texts.same(upper.id, i) for t, i in sorted(uppers))
                    )
                    self.fact(below == among)

    def axioms(self) -> list[Term]:
        """Everything that holds between the terms met; asked for once, when there are no more to come."""
        size = -1
        laws: list[Term] = []
        while size != (size := sum(map(len, self.pools.values())) + len(self._placed)):
            laws = [law for state in self._laws for law in state()]
        if self.known:
            self._settle()
            laws = [law for state in self._laws for law in state()]
        self._laws.clear()  # they know the world: it would stay until garbage is collected, with its terms
        return [*self._facts.values(), *laws, *self._hierarchy(), *self.texts.axioms()]


def element_kind(shape: Shape) -> str | None:
    """What the elements of a stored set are called; None for sets of sets or records."""
    match shape:
        case Scalar(kind):
            return kind
        case EntityOf(type_):
            return type_
        case _:
            return None


def kind_of(value: Value) -> str:
    match value:
        case Bool():
            return "Bool"
        case Long():
            return "Long"
        case Text():
            return "String"
        case Entity(type_):
            return type_
        case Items() | Stored():
            return "set"
        case Record():
            return "record"
        case Opaque():
            return "?"


def key_of(term: Term) -> str:
    """The term in full: what is printed of a long one is cut short."""
    return repr(term) if isinstance(term, (bool, int, str)) else term.sexpr()
