"""Combinations of `like` patterns: complete, and each with strings that show it."""

from __future__ import annotations

import itertools
import random

import pytest

from permmigrate.cedar.likes import Pattern, TooManyError, combinations, matches, written

PIECES = (None, None, "a", "b", "ab")


def patterns(rng: random.Random) -> list[Pattern]:
    return [tuple(rng.choice(PIECES) for _ in range(rng.randrange(5))) for _ in range(rng.randrange(1, 5))]


def test_combinations_are_those_of_all_short_strings() -> None:
    """Whatever strings show is found, whatever is found strings show, and a few are all there are."""
    words = ["".join(letters) for n in range(6) for letters in itertools.product("abz", repeat=n)]
    rng = random.Random(1)
    for _ in range(60):
        asked = patterns(rng)
        found = combinations(asked)
        for answers, parts in found.endless.items():
            for times in (1, 3):
                assert answers == tuple(matches(written(parts, "z", times), one) for one in asked)
        for word in words:
            answers = tuple(matches(word, one) for one in asked)
            assert answers in found.endless or found.few[word] == answers


def test_strange_characters_on_both_sides_are_kept() -> None:
    """A string with an a inside, neither first nor last."""
    found = combinations([(None, "a", None), ("a", None), (None, "a")])

    assert ("", "a", "") == found.endless[True, False, False]
    assert "zzaz" == written(found.endless[True, False, False], "z", 2)


def test_a_few_strings_are_all_listed() -> None:
    """Begins and ends with a, and has no two: a alone."""
    found = combinations([("a", None), (None, "a"), ("a", None, "a")])

    assert {"a": (True, True, False)} == found.few


def test_too_many_combinations_are_refused() -> None:
    """What would take long says so at once."""
    rng = random.Random(2)
    many = [(None, *("".join(rng.choices("abcdefgh", k=6)), None) * 6) for _ in range(24)]

    with pytest.raises(TooManyError):
        combinations(many)


def test_patterns_match_as_cedar_matches() -> None:
    """Known strings need no search."""
    assert matches("abc", ("a", None, "c"))
    assert matches("abab", (None, "ab", None, "ab"))
    assert not matches("ab", ("ab", None, "ab"))
    assert not matches("axb", ("a", None, "y", None, "b"))
    assert matches("", ())
    assert matches("", (None,))
