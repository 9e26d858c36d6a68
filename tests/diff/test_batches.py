"""How many are walked together changes nothing of what is found."""

from __future__ import annotations

import os

import pytest
from cedar_agreement import TODAY

from permmigrate.diff import batches, gathering, replay, solve
from permmigrate.diff.automaton import Automaton
from permmigrate.diff.compare import compare, entitled
from permmigrate.diff.gathering import Gathering
from permmigrate.diff.profiles import Profiles, askers
from permmigrate.diff.solve_ask import Answers
from random_accounts import Account, account


@pytest.mark.parametrize("limit", ["SIZE", "GRANTS"])
@pytest.mark.parametrize("seed", [3, 12, 27])
def test_everybody_alone_is_found_what_is_found_together(
    seed: int, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A limit that one subject reaches makes as many batches as there are subjects."""
    made = account(seed)
    together = compare(made.snapshot, made.tables, today=TODAY, tool_version="0")
    monkeypatch.setattr(batches, limit, 0)
    alone = compare(made.snapshot, made.tables, today=TODAY, tool_version="0")

    assert list(alone.findings) == list(together.findings)
    assert alone == together


@pytest.mark.parametrize("seed", [21, 42, 43, 76, 112])
def test_halves_are_found_what_all_are_found_together(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many users one half is walked in a copy of the process, and numbers what it meets in its own way."""
    together = told(account(seed))
    monkeypatch.setattr(gathering, "MANY", 0)
    assert told(account(seed)) == together


@pytest.mark.parametrize("seed", [18, 32, 49, 57])
@pytest.mark.parametrize("processors", [1, 2])
def test_halves_become_what_all_become_together(
    processors: int, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when half of the requests are put to Cedar, and half of the findings settled, in such a copy (or
    one half after the other); what the solver said there is known here."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(processors)), raising=False)
    made = account(seed)
    said: list[Answers] = [{}, {}]
    together = compare(made.snapshot, made.tables, today=TODAY, tool_version="0", answers=said[0])
    monkeypatch.setattr(replay, "MANY", 2)
    monkeypatch.setattr(solve, "MANY", 0)
    halved = compare(made.snapshot, made.tables, today=TODAY, tool_version="0", answers=said[1])

    assert list(halved.findings) == list(together.findings)
    assert halved == together
    assert said[1].keys() == said[0].keys()


def told(made: Account) -> tuple[object, ...]:
    """Everything that is gathered, in words and in order."""
    entitlements = entitled(made.snapshot, made.tables, today=TODAY)
    automaton = Automaton(askers(entitlements))
    found = Gathering(entitlements, automaton, Profiles(entitlements, automaton)).run()
    findings = [
        (who, place, automaton.kinds[kind], folders, automaton.states[state], found.others_of(at).tolist())
        for at, (who, place, kind, folders, state) in enumerate(
            zip(found.principal, found.place, found.kind, found.folders, found.state, strict=True)
        )
    ]
    caused = sorted(zip(found.cause_sets, found.caused.T.tolist(), strict=True))
    held = [one for one in caused if any(one[1])]
    return sorted(findings), found.counts.tolist(), held, found.decided
