"""Cedar values as logical terms: what an expression may be, each with the condition under which it is that.

Constants stay Python values, so that what can be told without the solver never reaches it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import z3

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
    """Strings and ids as terms: numbers where only equality matters, real strings where `like` is asked."""

    real: bool
    numbers: dict[str, int] = field(default_factory=dict)

    @property
    def sort(self) -> Any:
        return z3.StringSort() if self.real else z3.IntSort()

    def term(self, text: Term) -> Term:
        if not isinstance(text, str):
            return text
        if self.real:
            return z3.StringVal("".join(c if " " <= c < "\x7f" and c != "\\" else _escaped(c) for c in text))
        return z3.IntVal(self.numbers.setdefault(text, len(self.numbers)))

    def same(self, one: Term, other: Term) -> Term:
        if isinstance(one, str) and isinstance(other, str):
            return one == other
        left, right = self.term(one), self.term(other)
        return True if left.eq(right) else left == right

    def like(self, text: Term, pattern: tuple[str | None, ...]) -> Term:
        """Whether the text matches; None stands for any run of characters."""
        if isinstance(text, str):
            return matches(text, pattern)
        anything = z3.Full(z3.ReSort(z3.StringSort()))
        parts = [anything if piece is None else z3.Re(self.term(piece)) for piece in pattern]
        if not parts:
            return text == z3.StringVal("")
        return z3.InRe(text, parts[0] if len(parts) == 1 else z3.Concat(*parts))

    def value(self, term: Any) -> str:
        """The string that a model's value stands for."""
        if isinstance(term, str):
            return term
        if self.real:
            return _unescaped(term.as_string())
        number = term.as_long()
        by_number = {value: text for text, value in self.numbers.items()}
        if number in by_number:
            return by_number[number]
        text = f"any{number}"
        while text in self.numbers:
            text += "_"
        return text


def matches(text: str, pattern: tuple[str | None, ...]) -> bool:
    """Cedar's `like` on two known strings: greedy from the left, which is enough for runs of anything."""
    pieces = [""]
    for piece in pattern:
        if piece is None:
            pieces.append("")
        else:
            pieces[-1] += piece
    if len(pieces) == 1:
        return text == pieces[0]
    first, *middle, last = pieces
    if not (text.startswith(first) and text.endswith(last) and len(text) >= len(first) + len(last)):
        return False
    position, end = len(first), len(text) - len(last)
    for piece in middle:
        found = text.find(piece, position, end)
        if found < 0:
            return False
        position = found + len(piece)
    return True


def _escaped(character: str) -> str:
    return f"\\u{{{ord(character):x}}}"


def _unescaped(text: str) -> str:
    """z3 writes every character outside printable ASCII, and only those, as `\\u{...}`."""
    parts = text.split("\\u{")
    found = [parts[0]]
    for part in parts[1:]:
        digits, _, rest = part.partition("}")
        found += [chr(int(digits, 16)), rest]
    return "".join(found)
