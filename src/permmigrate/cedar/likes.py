"""Which combinations of `like` patterns some string can match, and a string for each.

Patterns have literal characters and runs of anything, nothing else. A combination that a string with a
character outside all patterns shows is shown by endlessly many; any other is shown by a few strings only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

Pattern = tuple[str | None, ...]
"""Pieces of literal text; None stands for any run of characters."""
Answers = tuple[bool, ...]
"""For each pattern whether it matches."""
MOST_STATES: Final = 4_000
MOST_WORDS: Final = 500


def written(parts: tuple[str, ...], strange: str, times: int) -> str:
    """One of the endlessly many strings, with this strange character."""
    first, second, *rest = parts
    return strange.join((first + strange * times + second, *rest))


class TooManyError(Exception):
    """The patterns together have more combinations than are worth looking at."""


@dataclass(frozen=True)
class Combinations:
    """What strings can do to some patterns together."""

    endless: dict[Answers, tuple[str, ...]] = field(default_factory=dict)
    """The parts between characters that no pattern has; of the first such there may be any number."""
    few: dict[str, Answers] = field(default_factory=dict)
    """The strings that show combinations which no others show."""


def matches(text: str, pattern: Pattern) -> bool:
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


_State = tuple[frozenset[int], ...]
"""For each pattern the places in it that a string read so far may have come to."""
_Node = tuple[_State, bool]
"""With whether the string has a character that no pattern has."""


def combinations(patterns: Sequence[Pattern]) -> Combinations:
    """Read all strings through all patterns at once; raises TooManyError when that does not end soon."""
    tokens = [[c for piece in p for c in ([None] if piece is None else piece)] for p in patterns]
    letters = sorted({c for one in tokens for c in one if c is not None})
    start: _Node = (tuple(_closed(one, {0}) for one in tokens), False)
    came: dict[_Node, tuple[_Node, str | None] | None] = {start: None}
    waiting = deque([start])
    while waiting:
        node = waiting.popleft()
        state, strange = node
        for letter in (*letters, None):
            after = (_step(tokens, state, letter), strange or letter is None)
            if after not in came:
                came[after] = (node, letter)
                waiting.append(after)
        if len(came) > MOST_STATES:
            raise TooManyError
    found = Combinations()
    for node in came:
        if node[1]:
            found.endless.setdefault(_answers(tokens, node[0]), _parts(came, node))
    rare = {node[0] for node in came if not node[1] and _answers(tokens, node[0]) not in found.endless}
    for word in _words(tokens, letters, start[0], rare) if rare else ():
        found.few[word] = tuple(matches(word, pattern) for pattern in patterns)
    return found


def _closed(tokens: list[str | None], places: set[int]) -> frozenset[int]:
    """The places with those that an empty run leads to."""
    found = set(places)
    for place in places:
        while place < len(tokens) and tokens[place] is None:
            place += 1
            found.add(place)
    return frozenset(found)


def _step(tokens: list[list[str | None]], state: _State, letter: str | None) -> _State:
    after = []
    for one, places in zip(tokens, state, strict=True):
        reached = {place for place in places if place < len(one) and one[place] is None}
        if letter is not None:
            reached |= {place + 1 for place in places if place < len(one) and one[place] == letter}
        after.append(_closed(one, reached))
    return tuple(after)


def _answers(tokens: list[list[str | None]], state: _State) -> Answers:
    return tuple(len(one) in places for one, places in zip(tokens, state, strict=True))


def _parts(came: dict[_Node, tuple[_Node, str | None] | None], node: _Node) -> tuple[str, ...]:
    """The string that leads to a node, cut at its strange characters."""
    letters: list[str | None] = []
    step = came[node]
    while step is not None:
        letters.append(step[1])
        step = came[step[0]]
    parts = [""]
    for letter in reversed(letters):
        if letter is None:
            parts.append("")
        else:
            parts[-1] += letter
    return tuple(parts)


def _words(
    tokens: list[list[str | None]], letters: list[str], start: _State, wanted: set[_State]
) -> list[str]:
    """Every string that leads to one of the states; there are finitely many."""
    longest = sum(len(one) for one in tokens)
    found: list[str] = []
    layer = [(start, "")]
    for _ in range(longest + 1):
        found += [word for state, word in layer if state in wanted]
        layer = [
            (after, word + letter)
            for state, word in layer
            for letter in letters
            if _alive(tokens, wanted, after := _step(tokens, state, letter))
        ]
        if len(layer) > MOST_WORDS or len(found) > MOST_WORDS:
            raise TooManyError
    return found


def _alive(tokens: list[list[str | None]], wanted: set[_State], state: _State) -> bool:
    """Whether some wanted state may still be ahead: what matches there is not yet ruled out here."""
    return any(
        all(places or not there for places, there in zip(state, goal_places, strict=True))
        for goal_places in wanted
    )
