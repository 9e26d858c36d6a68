"""Where in a policy text the parser stumbles. The engine says what is wrong and not where; this finds where.

It only cuts text into tokens and asks the engine again about shorter pieces: what a policy means is not its
business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

END_OF_INPUT: Final = "unexpected end of input"
EXCERPT: Final = 40
"""How many characters of the line are shown."""
MOST_TOKENS: Final = 2_000
"""Of a longer text only whole statements are tried."""


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a policy text, counted from one, and what stands there."""

    line: int
    column: int
    excerpt: str

    def __str__(self) -> str:
        return (
            f"{self.line}:{self.column}, near `{self.excerpt}`"
            if self.excerpt
            else f"{self.line}:{self.column}"
        )


def locate(text: str, message: str, complaint: Callable[[str], str]) -> Position:
    """Find where a text goes wrong; `complaint` is what the parser says of a text, empty when nothing.

    A mistake of grammar stands at the token that ends the shortest piece with the same complaint. One of
    meaning shows only once its statement is whole: it stands at the word that the message quotes.
    """
    if message == END_OF_INPUT:
        return _position(text, len(text.rstrip()))
    tokens = list(_tokens(text))
    ends = [end for start, end in tokens if len(tokens) <= MOST_TOKENS or text[start] == ";"]
    begin = 0
    for end in ends:
        said = complaint(text[begin:end])
        last = next(start for start, stop in tokens if stop == end)
        if said == message:
            return _position(text, _stumble(text, tokens, message, begin, last))
        if not said and text[last] == ";":
            begin = end
    return _position(text, len(text.rstrip()))


def _stumble(text: str, tokens: list[tuple[int, int]], message: str, begin: int, last: int) -> int:
    """The offset of the token to blame, in the statement that begins at one offset and ends with a token."""
    if text[last] != ";":
        return last
    inside = [(start, end) for start, end in tokens if begin <= start <= last]
    quoted = message.split("`")[1] if message.count("`") >= 2 else message.rpartition(": ")[2]
    for start, _ in inside:
        if quoted and text.startswith(quoted, start):
            return start
    within = text.find(quoted, begin, last) if quoted else -1
    return within if within >= 0 else inside[0][0]


def _tokens(text: str) -> Iterator[tuple[int, int]]:
    """The (start, end) of each token: words, strings, and single signs; comments and blanks are left out."""
    position = 0
    while position < len(text):
        start = position
        if text[position].isspace():
            position += 1
            continue
        if text.startswith("//", position):
            found = text.find("\n", position)
            position = len(text) if found < 0 else found
            continue
        if text[position] == '"':
            position = _end_of_string(text, position)
        elif _in_word(text[position]):
            while position < len(text) and _in_word(text[position]):
                position += 1
        else:
            position += 2 if text[position : position + 2] in _PAIRS else 1
        yield start, position


_PAIRS: Final = frozenset({"::", "==", "!=", "<=", ">=", "&&", "||"})


def _end_of_string(text: str, start: int) -> int:
    position = start + 1
    while position < len(text) and text[position] != '"':
        position += 2 if text[position] == "\\" else 1
    return min(position + 1, len(text))


def _in_word(character: str) -> bool:
    return character.isalnum() or character in "_?"


def _position(text: str, offset: int) -> Position:
    before = text[:offset]
    line, column = before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1
    row = text.split("\n")[line - 1]
    start = max(0, min(column - 1 - EXCERPT // 4, len(row) - EXCERPT))
    excerpt = row[start : start + EXCERPT].strip()
    return Position(line, column, excerpt)
