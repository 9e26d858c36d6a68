"""The cheapest cover is the one that trying every set finds."""

from __future__ import annotations

import random
from itertools import combinations

from permmigrate.suggest.search import Option, cheapest, weight


def brute_force(required: int, options: list[Option], severities: list[int]) -> tuple[int, ...]:
    """Every set of options, the best by the same order of worth."""
    coverable = 0
    for option in options:
        coverable |= option.covers
    best = None
    for size in range(len(options) + 1):
        for chosen in combinations(range(len(options)), size):
            covers = gained = doubtful = penalty = 0
            for number in chosen:
                covers |= options[number].covers
                gained |= options[number].gained
                doubtful |= options[number].doubtful
                penalty += options[number].penalty
            if required & coverable & ~covers:
                continue
            counts = [[(units & s).bit_count() for s in severities] for units in (gained, doubtful)]
            added, doubts = weight(*counts)
            key = added, size, doubts, penalty, chosen
            if best is None or key < best:
                best = key
    assert best is not None
    return best[-1]


def options_of(rng: random.Random, count: int) -> list[Option]:
    return [
        Option(
            rng.getrandbits(10) & rng.getrandbits(10),
            rng.getrandbits(8) & rng.getrandbits(8),
            rng.getrandbits(8) & rng.getrandbits(8),
            rng.randrange(2),
        )
        for _ in range(count)
    ]


SEVERITIES = [0b11, 0b1100, 0b110000, 0b11000000]


def test_it_finds_what_trying_everything_finds() -> None:
    """Over 500 random questions, of which some cannot be answered in full."""
    rng = random.Random(7)
    incomplete = 0
    for _ in range(500):
        options, required = options_of(rng, rng.randrange(8)), rng.getrandbits(10)
        found = cheapest(required, options, SEVERITIES)
        assert found.proved
        assert brute_force(required, options, SEVERITIES) == tuple(sorted(found.chosen))
        covered = 0
        for number in found.chosen:
            covered |= options[number].covers
        incomplete += bool(required & ~covered)
    assert 50 < incomplete < 450


def test_nothing_required_needs_nothing() -> None:
    """Without anything to keep, nothing is given."""
    assert ((), True) == cheapest(0, options_of(random.Random(1), 5), SEVERITIES)


def test_a_doubt_of_little_weight_is_not_worth_another_role() -> None:
    """A second option must keep away something sure, or a doubt that is critical or high."""
    two = [Option(0b01, 0, 0), Option(0b10, 0, 0)]
    medium, high, sure = Option(0b11, 0, 0b010000), Option(0b11, 0, 0b0100), Option(0b11, 0b010000, 0)
    assert (2,) == cheapest(0b11, [*two, medium], SEVERITIES).chosen
    assert {0, 1} == set(cheapest(0b11, [*two, high], SEVERITIES).chosen)
    assert {0, 1} == set(cheapest(0b11, [*two, sure], SEVERITIES).chosen)


def test_when_the_budget_runs_out_the_best_found_is_said_to_be_unproved() -> None:
    """The answer still covers everything."""
    rng = random.Random(3)
    options = [
        Option(1 << rng.randrange(8) | 1 << rng.randrange(8), 1 << rng.randrange(8), 0) for _ in range(30)
    ]
    required = 0
    for option in options:
        required |= option.covers
    found = cheapest(required, options, SEVERITIES, budget=20)
    covered = 0
    for number in found.chosen:
        covered |= options[number].covers
    assert not found.proved
    assert not required & ~covered


def test_forty_roles_are_searched_in_no_time() -> None:
    """A catalog of that size is answered within the budget."""
    rng = random.Random(5)
    options = [Option(rng.getrandbits(200), rng.getrandbits(60), rng.getrandbits(60)) for _ in range(40)]
    severities = [0x7FFF << 15 * n for n in range(4)]
    assert cheapest((1 << 200) - 1, options, severities).proved
