"""The engine's verdicts on random accounts are those of Cedar itself; and the comparison can fail."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from cedar_agreement import Agreement, disagreements

from permmigrate.catalog import refusal
from permmigrate.cedar import Universe
from permmigrate.diff import verdicts
from permmigrate.diff.verdicts import Side, State
from permmigrate.entitlements import FolderTree, after
from permmigrate.entitlements.before import Before
from permmigrate.entitlements.compiled import Compiler
from permmigrate.entitlements.custom import Custom
from random_accounts import account
from reference import Oracle

ACCOUNTS = int(os.environ.get("PERMMIGRATE_FUZZ", "40"))


def test_every_verdict_is_cedars(capsys: pytest.CaptureFixture[str]) -> None:
    """Over random accounts every request of every principal gets the verdict that Cedar's decisions give."""
    total = Agreement()
    for seed in range(ACCOUNTS):
        found = disagreements(account(seed))
        assert [] == found.wrong[:3], f"account({seed}) disagrees on {len(found.wrong)} requests"
        total.compared += found.compared
        total.decisions += found.decisions
        total.excused += found.excused
        total.moot += found.moot
        total.verdicts += found.verdicts
    with capsys.disabled():
        print(
            f"\n{ACCOUNTS} accounts: {total.compared} verdicts on {total.decisions} Cedar decisions, "
            f"{total.excused} undecided on purpose"
        )
    assert set(verdicts.COMPARED) <= total.verdicts.keys()
    assert total.excused < 0.12 * total.compared
    assert total.moot > 0


def test_slicing_policies_by_type_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The oracle gives Cedar only the policies about a resource type; all of them give the same answers."""
    for seed in (3, 11):
        engine_free = [_answers(seed)]
        with monkeypatch.context() as patched:
            patched.setattr("reference.about", lambda *_: True)
            engine_free.append(_answers(seed))
        assert engine_free[0] == engine_free[1]
        assert len(Counter(answer for *_, answer in engine_free[0])) > 2


def _answers(seed: int) -> list[tuple[object, ...]]:
    from cedar_agreement import sides

    engine, oracle = sides(account(seed))
    return [
        (principal, scope, repr(request), answer.verdict)
        for principal in engine.principals
        for scope in engine.scopes
        for request, answer in oracle.answers(principal, scope)
    ]


def _without_forbid(state: State) -> tuple[Side, Side]:
    return (
        Side(state.before_permit, state.before_permit | state.before_maybe),
        Side(state.after_permit, state.after_permit | state.after_maybe),
    )


MUTATIONS: dict[str, tuple[object, str, Callable[..., object]]] = {
    "forbid is ignored": (verdicts, "sides", _without_forbid),
    "the legacy role's gate is ignored": (
        Compiler,
        "_add_gated",
        lambda self, bundle, policy, granted, reason, role: self._add(bundle, policy, granted, reason),
    ),
    "inheritance is cut": (
        FolderTree,
        "ancestor_ids",
        lambda self, position: (self.ids[position],),
    ),
    "a role on the wrong principal counts": (after, "refusal", lambda role, kind: ""),
    "a role at the wrong scope counts": (after, "scope_refusal", lambda *_: ""),
    "limited users reach everything": (
        Before,
        "reach",
        lambda self, user: tuple(e.id for e in self.snapshot.environments),
    ),
    "group roles are not for members": (
        after.After,
        "_through",
        lambda self, group, contents: (),
    ),
    "custom policies are skipped": (Custom, "grants", lambda self, principal, scope: ([], [])),
    "what no key can use is compared": (Compiler, "moot", lambda self, kind, scope: 0),
    "action groups are not resolved": (Universe, "_actions", lambda self, statement: statement.actions),
}


@pytest.fixture
def fresh_verdicts() -> Iterator[None]:
    """Verdicts are cached by state: a mutation must neither see nor leave any."""
    verdicts.judge.cache_clear()
    yield
    verdicts.judge.cache_clear()


@pytest.mark.usefixtures("fresh_verdicts")
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_broken_engine_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each rule of the engine, taken out, makes some account disagree with Cedar."""
    target, attribute, replacement = MUTATIONS[name]
    monkeypatch.setattr(target, attribute, replacement)

    assert any(_notices(seed) for seed in range(60))


def _notices(seed: int) -> bool:
    try:
        return bool(disagreements(account(seed)).wrong)
    except KeyError:  # a mutant may name a place that no tree has
        return True


def test_the_oracle_borrows_nothing_from_the_engine() -> None:
    """The second opinion imports neither the atoms nor the entitlements nor the verdicts."""
    with open(Oracle.__init__.__globals__["__file__"], encoding="utf-8") as file:
        imports = [line for line in file if line.startswith(("from permmigrate", "import permmigrate"))]

    assert imports
    assert not [line for line in imports if any(w in line for w in (".cedar", ".entitlements", ".diff"))]
    assert refusal.__module__.startswith("permmigrate.catalog")
