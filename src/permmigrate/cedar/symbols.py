"""Cedar values as logical terms: what an expression may be, each with the condition under which it is that.

Constants stay Python values, so that what can be told without the solver never reaches it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import z3

from permmigrate.cedar.likes import Combinations, Pattern, combinations, matches, written

Term = Any
"""A z3 expression, or the Python value of a constant."""
LONG_MIN: Final = -(2**63)
LONG_MAX: Final = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Bool:
    term: Term


@dataclass(frozen=True, slots=True)
class Long:
    term: Term


@dataclass(frozen=True, slots=True)
class Text:
    term: Term


@dataclass(frozen=True, slots=True)
class Entity:
    type: str
    id: Term


@dataclass(frozen=True, slots=True)
class Items:
    """A set written out; none of its elements errs where the set does not."""

    elements: tuple[Sym, ...]


@dataclass(frozen=True, slots=True)
class Stored:
    """A set attribute: membership is a relation between its owner and the element."""

    path: str
    owner: tuple[Term, ...]
    element: str
    """`Bool`, `Long`, `String`, or the type of the entities."""


@dataclass(frozen=True, slots=True)
class Record:
    """Field name to its value; a field that is missing has no alternative that holds."""

    fields: tuple[tuple[str, Sym], ...]
    open: bool = False
    """Whether it may hold fields that nobody named."""


@dataclass(frozen=True, slots=True)
class Opaque:
    """A value about which nothing is known: any test of it may go either way, or err."""

    key: str
    """The same for the same expression, so that both sides of a comparison see one value."""
    example: str = ""
    """The extension function that makes one."""


Value = Bool | Long | Text | Entity | Items | Stored | Record | Opaque


class Alternative(NamedTuple):
    guard: Term
    value: Value


Sym = tuple[Alternative, ...]
"""Alternatives of which at most one holds; where none does, evaluation errs."""

ERROR: Final[Sym] = ()


def just(value: Value, guard: Term = True) -> Sym:
    return () if guard is False else (Alternative(guard, value),)


def conj(*terms: Term) -> Term:
    """And, with constants folded."""
    kept = []
    for term in terms:
        if term is False:
            return False
        if term is not True:
            kept.append(term)
    return True if not kept else kept[0] if len(kept) == 1 else z3.And(*kept)


def disj(*terms: Term) -> Term:
    """Or, with constants folded."""
    kept = []
    for term in terms:
        if term is True:
            return True
        if term is not False:
            kept.append(term)
    return False if not kept else kept[0] if len(kept) == 1 else z3.Or(*kept)


def neg(term: Term) -> Term:
    return not term if isinstance(term, bool) else z3.Not(term)


def either(test: Term, yes: Term, no: Term) -> Term:
    """If-then-else over booleans."""
    if isinstance(test, bool):
        return yes if test else no
    return disj(conj(test, yes), conj(neg(test), no))


def evaluates(sym: Sym) -> Term:
    """Where it does not err."""
    return disj(*(guard for guard, _ in sym))


def holds(sym: Sym) -> Term:
    """Where it is the boolean true."""
    return disj(*(conj(guard, value.term) for guard, value in sym if isinstance(value, Bool)))


def is_bool(sym: Sym) -> Term:
    """Where it is a boolean at all."""
    return disj(*(guard for guard, value in sym if isinstance(value, Bool)))


def under(guard: Term, sym: Iterable[Alternative]) -> Sym:
    """The same value where the guard holds, an error elsewhere."""
    kept = ((conj(guard, own), value) for own, value in sym)
    return tuple(Alternative(both, value) for both, value in kept if both is not False)


def truth(yes: Term, no: Term) -> Sym:
    """True here, false there, an error where neither holds."""
    return just(Bool(yes), disj(yes, no))


@dataclass
class Texts:
    """Strings and ids as numbers: only what equals what, and which patterns they match, is ever asked."""

    context: z3.Context = field(default_factory=z3.Context)
    """Where the terms are: one's own, since what z3 finds hangs on all terms that were ever made in one."""
    numbers: dict[str, int] = field(default_factory=dict)
    patterns: dict[Pattern, Any] = field(default_factory=dict)
    """Each pattern asked of a string that is not known, with the relation that says whether it matches."""
    matched: dict[str, Term] = field(default_factory=dict)
    """Every unknown string of which some pattern was asked."""
    combined: Combinations = field(default_factory=Combinations)

    @property
    def sort(self) -> Any:
        return z3.IntSort(self.context)

    @property
    def truth(self) -> Any:
        """The sort of what is true or not."""
        return z3.BoolSort(self.context)

    def term(self, text: Term) -> Term:
        if not isinstance(text, str):
            return text
        return z3.IntVal(self.numbers.setdefault(text, len(self.numbers)), self.context)

    def same(self, one: Term, other: Term) -> Term:
        if isinstance(one, str) and isinstance(other, str):
            return one == other
        left, right = self.term(one), self.term(other)
        return True if left.eq(right) else left == right

    def like(self, text: Term, pattern: Pattern) -> Term:
        """Whether the text matches; None stands for any run of characters."""
        if isinstance(text, str):
            return matches(text, pattern)
        if pattern not in self.patterns:
            name = f"like {len(self.patterns)}"
            self.patterns[pattern] = z3.Function(name, self.sort, self.truth)
        self.matched[text.sexpr()] = text
        return self.patterns[pattern](text)

    def axioms(self) -> list[Term]:
        """What strings can match together; raises TooManyError when that is not found out soon."""
        if not self.patterns:
            return []
        self.combined = combinations(tuple(self.patterns))
        for word in self.combined.few:
            self.term(word)
        laws = [
            relation(number) == matches(text, pattern)
            for pattern, relation in self.patterns.items()
            for text, number in self.numbers.items()
        ]
        for term in self.matched.values():
            known = [term == number for number in self.numbers.values()]
            ways = [
                conj(*(r(term) == does for r, does in zip(self.patterns.values(), answers, strict=True)))
                for answers in self.combined.endless
            ]
            laws.append(disj(*known, *ways))
        return laws

    def value(self, term: Any, model: Any) -> str:
        """The string that a model's value stands for."""
        number = term.as_long()
        for text, known in self.numbers.items():
            if known == number:
                return text
        answers = tuple(
            z3.is_true(model.eval(relation(term), model_completion=True))
            for relation in self.patterns.values()
        )
        text = f"any{number}"
        if any(
            matches(text, pattern) is not does for pattern, does in zip(self.patterns, answers, strict=True)
        ):
            parts = self.combined.endless.get(answers, ("", ""))
            text = written(parts, self._strange, 1 + number if number >= 0 else len(self.numbers) - number)
        while text in self.numbers:
            text += "_"
        return text

    @property
    def _strange(self) -> str:
        """A character that no string and no pattern has."""
        used = {c for text in self.numbers for c in text}
        used |= {c for pattern in self.patterns for piece in pattern for c in piece or ""}
        return next(c for c in map(chr, range(ord("x"), 0x10000)) if c not in used and c.isprintable())
