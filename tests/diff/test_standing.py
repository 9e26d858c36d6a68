"""What is looked up of the grants at a place is what going through all of a principal's grants finds."""

from __future__ import annotations

from typing import Any

import pytest
from cedar_agreement import TODAY

from permmigrate.diff import standing
from permmigrate.diff.automaton import Automaton
from permmigrate.diff.compare import compare, entitled
from permmigrate.diff.findings import Findings
from permmigrate.diff.profiles import Profiles, askers
from permmigrate.diff.standing import Standing
from permmigrate.diff.words import reaching
from permmigrate.entitlements import Entitlements, Grant
from random_accounts import account

SEEDS = range(500, 540)


def sides(seed: int) -> Entitlements:
    made = account(seed)
    return entitled(made.snapshot, made.tables, today=TODAY, assigned=made.assigned)


def told(found: tuple[list[Grant], list[Grant]]) -> Any:
    """Everything a grant says, in order."""
    return [[(g.place, g.masks, g.text, g.cause, g.reasons, g.shared) for g in side] for side in found]


def unworded(found: tuple[list[Grant], list[Grant]]) -> Any:
    """What counts of grants and why, in order; the same twice counts once."""
    return [list(dict.fromkeys((g.masks, g.reasons) for g in side)) for side in found]


def differences(seed: int, *, straying: bool = False) -> tuple[int, int, int]:
    """At how many of an account's principals and places the two disagree, how many of these have grants,
    and how many principals are looked up at all."""
    entitlements = sides(seed)
    entitlements.compiler.__dict__["strays"] = straying
    looked_up = Standing(Profiles(entitlements, Automaton(askers(entitlements))))
    wrong = granted = 0
    for number, principal in enumerate(entitlements.principals):
        holdings = {holding.scope: holding for holding in entitlements.holdings(principal)}
        for at in range(len(entitlements.places)):
            scope, place = entitlements.places.of(at)
            found = looked_up.at(number, at)
            expected: tuple[list[Grant], list[Grant]] = ([], [])
            if scope in holdings:
                expected = reaching(holdings[scope], entitlements.trees[scope], place)
            wrong += told(found) != told(expected)
            wrong += unworded(looked_up.wordless(number, at)) != unworded(expected)
            granted += any(found)
    people = sum(one is not None for one in looked_up._people.values())
    return wrong, granted, people


def test_every_grant_at_every_place() -> None:
    """For every principal, in order and with every field, with one side's groups and with two sides'."""
    found = [differences(seed) for seed in SEEDS]

    assert not sum(wrong for wrong, _, _ in found)
    assert sum(granted for _, granted, _ in found) > 1500
    assert sum(people for _, _, people in found) > 150


def test_forgetting_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """With room for next to nothing the same is found."""
    monkeypatch.setattr(standing, "REMEMBERED", 2)
    monkeypatch.setattr(standing, "PLACES", 3)
    assert not sum(differences(seed)[0] for seed in range(500, 510))


def test_grants_that_hold_elsewhere_are_gone_through() -> None:
    """Where a share or a role may reach beyond its content nobody is looked up, and the same is found."""
    found = [differences(seed, straying=True) for seed in range(500, 505)]

    assert not sum(wrong for wrong, _, _ in found)
    assert not sum(people for _, _, people in found)


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Looking at every finding keeps no more than there is room for."""
    monkeypatch.setattr(standing, "REMEMBERED", 5)
    made = account(501)
    found = compare(made.snapshot, made.tables, today=TODAY, tool_version="0").findings
    assert isinstance(found, Findings)
    for _ in found:
        assert len(found.standing._parts) <= 5
        assert len(found.standing._people) <= 5
