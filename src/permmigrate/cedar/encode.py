"""Cedar expressions and policies as logical terms, with its rules for errors and for what is not looked at.

Expressions come in the engine's own JSON form. What cannot be said exactly (extension types, tags, sets of
records) may go either way: more is possible then than Cedar allows, never less; `World.imprecise` says why.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from permmigrate.cedar.relations import BINARY, Relations
from permmigrate.cedar.shapes import Uid
from permmigrate.cedar.symbols import (
    ERROR,
    LONG_MAX,
    LONG_MIN,
    Alternative,
    Bool,
    Entity,
    Items,
    Long,
    Opaque,
    Record,
    Sym,
    Term,
    Text,
    Value,
    conj,
    disj,
    evaluates,
    holds,
    is_bool,
    just,
    neg,
    truth,
    under,
)
from permmigrate.cedar.world import World

JsonObject = Mapping[str, Any]


@dataclass
class Encoder:
    """Evaluates expressions about one request whose parts are terms."""

    world: World
    variables: Mapping[str, Sym]
    """`principal`, `action`, `resource`, `context`."""
    action: Uid
    _memo: dict[int, tuple[JsonObject, Sym]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.relations = Relations(self.world)

    # ------------------------------------------------------------------ policies

    def matches(self, policy: JsonObject) -> Term:
        """Where the policy applies: its head matches, every condition holds, and nothing errs."""
        terms = [
            self._head(self.variables["principal"], policy["principal"]),
            self._head(self.variables["action"], policy["action"]),
            self._head(self.variables["resource"], policy["resource"]),
        ]
        if any(term is False for term in terms):
            return False
        for condition in policy["conditions"]:
            result = self._as_bool(condition["body"])
            if condition["kind"] == "when":
                terms.append(holds(result))
            else:
                terms.append(self._negated(result))
        return conj(*terms)

    def _negated(self, sym: Sym) -> Term:
        """Where it is the boolean false."""
        if not self.world.semantics.errors:
            return neg(holds(sym))
        return disj(*(conj(guard, neg(value.term)) for guard, value in sym if isinstance(value, Bool)))

    def _head(self, who: Sym, head: JsonObject) -> Term:
        ((_, entity),) = who
        assert isinstance(entity, Entity)
        match head:
            case {"op": "All"}:
                return True
            case {"op": "==", "entity": uid}:
                return self.world.same_entity(entity, self._literal(uid))
            case {"op": "in", "entity": uid}:
                return self.relations.within(entity, self._literal(uid))
            case {"op": "in", "entities": uids}:
                return disj(*(self.relations.within(entity, self._literal(uid)) for uid in uids))
            case {"op": "is", "entity_type": type_, "in": {"entity": uid}}:
                return conj(entity.type == type_, self.relations.within(entity, self._literal(uid)))
            case {"op": "is", "entity_type": type_}:
                return bool(entity.type == type_)
            case _:
                raise AssertionError(head)

    def _literal(self, uid: JsonObject) -> Entity:
        return self.world.entity(uid["type"], uid["id"])

    # ------------------------------------------------------------------ expressions

    def value(self, expression: JsonObject) -> Sym:
        """What the expression is; it errs where no alternative holds."""
        known = self._memo.get(id(expression))
        if known is None:
            self._memo[id(expression)] = known = (expression, self._value(expression))
        return known[1]

    def _value(self, expression: JsonObject) -> Sym:
        ((operator, operand),) = expression.items()
        match operator:
            case "Value":
                return self._constant(operand)
            case "Var":
                return self.variables[operand]
            case "&&" | "||":
                return self._connective(operator, operand)
            case "!":
                return self._not(expression, operand["arg"])
            case "if-then-else":
                return self._choice(expression, operand)
            case "." | "has":
                return self._access(operator, operand)
            case "is":
                return self._is(expression, operand)
            case "like":
                return self._like(expression, operand)
            case "Set":
                elements = tuple(self.value(one) for one in operand)
                return just(Items(elements), conj(*map(evaluates, elements)))
            case "Record":
                fields = tuple((name, self.value(one)) for name, one in operand.items())
                return just(Record(fields), conj(*(evaluates(value) for _, value in fields)))
            case "neg":
                return self._arithmetic(expression, [{"Value": 0}, operand["arg"]], "-")
            case "+" | "-" | "*":
                return self._arithmetic(expression, [operand["left"], operand["right"]], operator)
            case "isEmpty":
                return self._operation(expression, [operand["arg"]], lambda one: self.relations.empty(one))
            case _ if operator in BINARY:
                test = BINARY[operator]
                sides = [operand["left"], operand["right"]]
                return self._operation(expression, sides, lambda a, b: test(self.relations, a, b))
            case _:
                return self._beyond(expression, operator, operand)

    def _constant(self, value: Any) -> Sym:
        match value:
            case bool():
                return just(Bool(value))
            case int():
                return just(Long(value))
            case str():
                return just(Text(value))
            case {"__entity": uid}:
                return just(self._literal(uid))
            case list():
                return just(Items(tuple(self._constant(one) for one in value)))
            case _:
                return self.world.anything(_key({"Value": value}), "a constant of an extension type")

    def _beyond(self, expression: JsonObject, operator: str, operand: Any) -> Sym:
        """An extension function or a tag: anything at all, where its arguments do not err."""
        arguments = operand if isinstance(operand, list) else [operand["left"], operand["right"]]
        fine = conj(*(evaluates(self.value(one)) for one in arguments))
        reason = f"the extension function `{operator}`" if isinstance(operand, list) else f"`{operator}`"
        return under(fine, self.world.anything(_key(expression), reason))

    def _connective(self, operator: str, operand: JsonObject) -> Sym:
        left, right = self._as_bool(operand["left"]), self._as_bool(operand["right"])
        l_true, l_false, r_true, r_false = holds(left), _false(left), holds(right), _false(right)
        if not self.world.semantics.short_circuit:
            fine = conj(is_bool(left), is_bool(right))
            both = (conj(l_true, r_true), disj(l_false, r_false))
            some = (disj(l_true, r_true), conj(l_false, r_false))
            yes, no = both if operator == "&&" else some
            return truth(conj(fine, yes), conj(fine, no))
        if operator == "&&":
            return self._truth(conj(l_true, r_true), disj(l_false, conj(l_true, r_false)))
        return self._truth(disj(l_true, conj(l_false, r_true)), conj(l_false, r_false))

    def _truth(self, yes: Term, no: Term) -> Sym:
        return truth(yes, no) if self.world.semantics.errors else just(Bool(yes))

    def _not(self, expression: JsonObject, argument: JsonObject) -> Sym:
        value = self._as_bool(argument)
        if not self.world.semantics.errors:
            return just(Bool(neg(holds(value))))
        return truth(_false(value), holds(value))

    def _choice(self, expression: JsonObject, operand: JsonObject) -> Sym:
        test = self._as_bool(operand["if"])
        yes, no = self.value(operand["then"]), self.value(operand["else"])
        if not self.world.semantics.short_circuit:
            fine = conj(evaluates(yes), evaluates(no))
            return merged((*under(conj(holds(test), fine), yes), *under(conj(_false(test), fine), no)))
        otherwise = _false(test) if self.world.semantics.errors else neg(holds(test))
        return merged((*under(holds(test), yes), *under(otherwise, no)))

    def _as_bool(self, expression: JsonObject) -> Sym:
        """The expression where a boolean is wanted: an unknown may be one or not."""
        found = self.value(expression)
        if not any(isinstance(value, Opaque) for _, value in found):
            return found
        return merged(
            tuple(
                pair
                for guard, value in found
                for pair in (
                    under(guard, self._whichever(value.key))
                    if isinstance(value, Opaque)
                    else just(value, guard)
                )
            )
        )

    def _whichever(self, key: str) -> Sym:
        return just(Bool(self.world.unknown(f"value {key}")), self.world.unknown(f"fits {key}"))

    def _access(self, operator: str, operand: JsonObject) -> Sym:
        name = operand["attr"]
        found: list[Alternative] = []
        for guard, value in self.value(operand["left"]):
            match value:
                case Entity():
                    there = self.world.attribute(value, name)
                case Record(fields, open=True) if name not in dict(fields):
                    reason = f"`{name}` of the context, which the schema does not give it"
                    there = self.world.anything(f"context.{name}", reason)
                case Record(fields):
                    there = dict(fields).get(name, ERROR)
                case Opaque(key):
                    there = self.world.anything(f"{key}.{name}", f"`{name}` of a value that is not known")
                    if operator == "has":
                        found += under(guard, self._whichever(f"{key} has {name}"))
                        continue
                case _:
                    continue
            if operator == "has":
                present = evaluates(there) if self.world.semantics.presence else True
                found += just(Bool(present), guard)
            else:
                found += under(guard, there)
        return merged(tuple(found))

    def _is(self, expression: JsonObject, operand: JsonObject) -> Sym:
        type_, place = operand["entity_type"], operand.get("in")

        def test(one: Value) -> Sym:
            return just(Bool(one.type == type_)) if isinstance(one, Entity) else ERROR

        found = self._operation(expression, [operand["left"]], test)
        if place is None:
            return found
        inside = {"in": {"left": operand["left"], "right": place}}
        return self._connective(
            "&&", {"left": {"is": {k: operand[k] for k in ("left", "entity_type")}}, "right": inside}
        )

    def _like(self, expression: JsonObject, operand: JsonObject) -> Sym:
        pattern: list[str | None] = []
        for piece in operand["pattern"]:
            if piece == "Wildcard":
                pattern.append(None)
            elif pattern and pattern[-1] is not None:
                pattern[-1] += piece["Literal"]
            else:
                pattern.append(piece["Literal"])

        def test(one: Value) -> Sym:
            if not isinstance(one, Text):
                return ERROR
            return just(Bool(self.world.texts.like(one.term, tuple(pattern))))

        return self._operation(expression, [operand["left"]], test)

    def _operation(
        self, expression: JsonObject, operands: Iterable[JsonObject], test: Callable[..., Sym]
    ) -> Sym:
        """Apply a test to every combination of what its operands may be."""
        combinations: list[tuple[Term, tuple[Value, ...]]] = [(True, ())]
        for operand in operands:
            combinations = [
                (both, (*values, value))
                for so_far, values in combinations
                for guard, value in self.value(operand)
                if (both := conj(so_far, guard)) is not False
            ]
        found: list[Alternative] = []
        for guard, values in combinations:
            if any(_has_unknown(value) for value in values):
                found += under(guard, self._whichever(_key(expression)))
            else:
                found += under(guard, test(*values))
        return merged(tuple(found))

    def _arithmetic(self, expression: JsonObject, operands: list[JsonObject], operator: str) -> Sym:
        if any(isinstance(v, Opaque) for one in operands for _, v in self.value(one)):
            return self.world.anything(_key(expression), "arithmetic on a value that is not known")

        def compute(left: Value, right: Value) -> Sym:
            if not (isinstance(left, Long) and isinstance(right, Long)):
                return ERROR
            result = _COMPUTE[operator](left.term, right.term)
            if isinstance(result, int):
                return just(Long(result)) if LONG_MIN <= result <= LONG_MAX else ERROR
            return just(Long(result), conj(result >= LONG_MIN, result <= LONG_MAX))

        return self._operation(expression, operands, compute)


def merged(sym: Sym) -> Sym:
    """Alternatives of a kind as one, so that they do not multiply."""
    bools = [pair for pair in sym if isinstance(pair.value, Bool)]
    if len(bools) < 2:
        return sym
    guard = disj(*(one for one, _ in bools))
    term = disj(*(conj(one, value.term) for one, value in bools if isinstance(value, Bool)))
    rest = tuple(pair for pair in sym if not isinstance(pair.value, Bool))
    return (*just(Bool(term), guard), *rest)


def _false(sym: Sym) -> Term:
    """Where it is the boolean false."""
    return disj(*(conj(guard, neg(value.term)) for guard, value in sym if isinstance(value, Bool)))


def _has_unknown(value: Value) -> bool:
    match value:
        case Opaque():
            return True
        case Items(elements):
            return any(_has_unknown(one) for element in elements for _, one in element)
        case Record(open=True):
            return True
        case Record(fields):
            return any(_has_unknown(one) for _, element in fields for _, one in element)
        case _:
            return False


def _key(expression: JsonObject) -> str:
    return json.dumps(expression, sort_keys=True)


_COMPUTE: Final[Mapping[str, Callable[[Term, Term], Term]]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
}
