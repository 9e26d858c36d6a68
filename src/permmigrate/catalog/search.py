"""Find roles and policies by words, the best first. It reads texts, and knows no Cedar."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from permmigrate.catalog.value import Catalog
from permmigrate.model import Policy, Role

_WORD: Final = re.compile(r"[^\W_]+")
_WEIGHTS: Final = {"id": 6, "name": 8, "category": 3, "description": 2, "statement": 1}


@dataclass(frozen=True, slots=True)
class Hit:
    """One role or policy that has the words."""

    found: Role | Policy
    score: int
    fields: tuple[str, ...]
    """Where the words are, the weightiest first."""


@dataclass(frozen=True, slots=True)
class Search:
    """What a search came to."""

    hits: tuple[Hit, ...]
    suggestions: tuple[str, ...] = ()
    """Near words that the catalog has, when nothing was found."""


def search(catalog: Catalog, text: str) -> Search:
    """Find what has every word of the text somewhere; a whole word counts more than the start of one."""
    words = [word.casefold() for word in _WORD.findall(text)]
    everything: Iterable[Role | Policy] = (*catalog.roles.values(), *catalog.policies.values())
    if not words:
        return Search(())
    hits = [hit for one in everything if (hit := _hit(one, words, text.strip().casefold()))]
    if not hits:
        return Search((), _near(catalog, words))
    return Search(tuple(sorted(hits, key=lambda h: (-h.score, isinstance(h.found, Policy), h.found.id))))


def _fields(one: Role | Policy) -> dict[str, str]:
    found = {"id": str(one.id), "name": one.name, "description": one.description}
    if isinstance(one, Policy):
        return found | {"category": f"{one.category} {one.sub_category}", "statement": one.statement}
    return found | {"category": one.level}


def _hit(one: Role | Policy, words: list[str], whole: str) -> Hit | None:
    fields = {name: text.casefold() for name, text in _fields(one).items()}
    tokens = {name: set(_WORD.findall(text)) for name, text in fields.items()}
    score, where = 0, set[str]()
    for word in words:
        best = 0
        for name, weight in _WEIGHTS.items():
            if name not in fields or word not in fields[name]:
                continue
            exact = word in tokens[name]
            starts = exact or any(token.startswith(word) for token in tokens[name])
            best = max(best, weight * (4 if exact else 2 if starts else 1))
            where.add(name)
        if not best:
            return None
        score += best
    if whole in (fields["id"], fields["name"]):
        score += 100
    return Hit(one, score, tuple(name for name in sorted(where, key=lambda n: -_WEIGHTS[n])))


def _near(catalog: Catalog, words: list[str]) -> tuple[str, ...]:
    """For each word the catalog lacks, its nearest words there; else the words are only never together."""
    everything: tuple[Role | Policy, ...] = (*catalog.roles.values(), *catalog.policies.values())
    texts = " ".join(text for one in everything for name, text in _fields(one).items() if name != "statement")
    known = sorted({word.casefold() for word in _WORD.findall(texts)})
    found: dict[str, None] = {}
    for word in words:
        if not any(word in one for one in known):
            found.update(dict.fromkeys(difflib.get_close_matches(word, known, n=3, cutoff=0.6)))
    return tuple(found)
