"""The solver on random policy pairs: nothing wrong or unconfirmed, little undecided; and it can fail."""

from __future__ import annotations

import os
import statistics
import time
from collections import Counter
from dataclasses import dataclass, field

import pytest
from random_policies import CLOSED, Pair, counterexamples, pair, statements

from permmigrate.cedar.request import decisions
from permmigrate.cedar.solve import Answer, Question, Sat, Side, Undecided, Unsat, Why, decide
from permmigrate.cedar.world import CEDAR, Semantics

PAIRS = int(os.environ.get("PERMMIGRATE_PAIRS", "120"))
WORLDS = 4
"""Random worlds searched for a counterexample to each "no new access"; about twelve requests each."""


@dataclass
class Tally:
    """What became of a number of pairs, each asked in both directions."""

    answers: Counter[str] = field(default_factory=Counter)
    seconds: list[float] = field(default_factory=list)
    wrong: list[int] = field(default_factory=list)
    """Seeds where random search refutes "no new access"."""
    unconfirmed: list[int] = field(default_factory=list)
    """Seeds where Cedar does not confirm what the solver found: never shown, but a sign of a mistake."""

    def add(self, seed: int, semantics: Semantics = CEDAR, worlds: int = WORLDS) -> None:
        for asked in (pair(seed), pair(seed).swapped):
            started = time.perf_counter()
            answer = decide(question(asked), semantics=semantics)
            self.seconds.append(time.perf_counter() - started)
            self.answers[type(answer).__name__] += 1
            self._judge(seed, asked, answer, worlds)

    def _judge(self, seed: int, asked: Pair, answer: Answer, worlds: int) -> None:
        match answer:
            case Unsat() if counterexamples(seed, asked, worlds):
                self.wrong.append(seed)
            case Undecided(why=Why.UNCONFIRMED):
                self.unconfirmed.append(seed)
            case Sat(request):
                said = decisions(request, question(asked).sides, CLOSED.action_parents)
                assert [False, True] == said, f"pair({seed}): a witness that Cedar does not confirm"

    def __str__(self) -> str:
        spent = sorted(self.seconds)
        return (
            f"{len(spent)} checks: {dict(self.answers)}; {len(self.wrong)} wrong, "
            f"{len(self.unconfirmed)} not confirmed; median {statistics.median(spent) * 1000:.1f} ms, "
            f"slowest {spent[-1]:.2f} s"
        )


def question(asked: Pair) -> Question:
    sides = Side(statements(asked.before)), Side(statements(asked.after))
    return Question(CLOSED, asked.principal_type, asked.action, asked.resource_type, sides)


def test_random_pairs_are_decided_rightly(capsys: pytest.CaptureFixture[str]) -> None:
    """No wrong "no new access", no witness that Cedar denies, and less than one in fifty undecided."""
    tally = Tally()
    for seed in range(PAIRS):
        tally.add(seed)
    with capsys.disabled():
        print(f"\n{PAIRS} pairs of custom policies, {tally}")
    assert ([], []) == (tally.wrong, tally.unconfirmed)
    assert tally.answers["Undecided"] < 0.02 * len(tally.seconds)
    assert min(tally.answers["Sat"], tally.answers["Unsat"]) > 0.2 * len(tally.seconds)


@pytest.mark.parametrize("rule", Semantics.__slots__)
def test_the_fuzz_notices_a_missing_rule(rule: str) -> None:
    """With one of Cedar's rules taken out of the encoding, the same pairs come out wrong or unconfirmed."""
    broken, tally = Semantics(**{rule: False}), Tally()
    for seed in range(PAIRS):
        tally.add(seed, broken, worlds=1)
        if tally.wrong or tally.unconfirmed:
            return
    pytest.fail(f"{PAIRS} pairs do not notice that `{rule}` is gone")
