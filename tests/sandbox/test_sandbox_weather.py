"""The sandbox's bad weather: storms, caches that lag, keys that are revoked, what counts as an effect."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

import pytest

from permmigrate.sandbox import DroppedConnectionError, Knobs, Sandbox
from permmigrate.sandbox.wire import Request, Response

ROLE = "cld::role::account::reports"


def call(sandbox: Sandbox, method: str, path: str, body: Any = None, **query: str) -> Response:
    basic = b64encode(f"{sandbox.account_key}:{sandbox.account_secret}".encode()).decode()
    base = f"/v2/accounts/{sandbox.account_id}/permissions"
    asked = {name: (value,) for name, value in query.items()}
    text = json.dumps(body).encode() if body is not None else b""
    return sandbox.answer(Request(method, base + path, asked, f"Basic {basic}", "application/json", text))


def give(sandbox: Sandbox, number: int, operation: str = "add") -> Response:
    who = {"principal_type": "user", "principal_id": list(sandbox.account.users)[number]}
    return call(sandbox, "PUT", f"/roles/{ROLE}/principals", {"operation": operation, "principals": [who]})


def holders(sandbox: Sandbox) -> int:
    answer = call(sandbox, "GET", "/principal_roles/inspect", scope_type="account")
    assert isinstance(answer.body, bytes)
    return len(json.loads(answer.body)["data"]["principals"])


def test_a_change_shows_after_so_many_reads() -> None:
    """Each change is held back on its own; the account itself has it at once."""
    sandbox = Sandbox(knobs=Knobs(stale_reads=2))
    give(sandbox, 0)
    assert [0, 0, 1] == [holders(sandbox) for _ in range(3)]
    give(sandbox, 1)
    assert 1 == holders(sandbox)
    give(sandbox, 0, "remove")
    assert [1, 2, 1] == [holders(sandbox) for _ in range(3)]
    assert 1 == len(list(sandbox.account.assignments.rows()))


def test_a_change_shows_after_so_long() -> None:
    """As with caches of which nobody knows how long they keep."""
    clock = [0.0]
    sandbox = Sandbox(knobs=Knobs(stale_seconds=5), ticks=lambda: clock[0])
    give(sandbox, 0)
    seen = []
    for clock[0] in (1.0, 5.9, 6.1):
        seen.append(holders(sandbox))
    assert [0, 0, 1] == seen


def test_only_what_changes_something_is_an_effect() -> None:
    """Giving what is held and taking what is not are answered with success and do nothing."""
    sandbox = Sandbox()
    for operation in ("remove", "add", "add", "remove", "remove", "add"):
        assert 200 == give(sandbox, 0, operation).status
    assert ["add", "remove", "add"] == [what for what, _ in sandbox.effects]
    assert {ROLE} == {row.role_id for _, row in sandbox.effects}


def test_a_key_is_revoked_after_so_many_writes() -> None:
    """From then on it is not accepted, for reading either."""
    sandbox = Sandbox(knobs=Knobs(revoke_after=2))
    assert [200, 200, 401] == [give(sandbox, n).status for n in range(3)]
    assert 401 == call(sandbox, "GET", "/principal_roles/inspect", scope_type="account").status
    assert 2 == len(sandbox.effects)


def test_something_can_happen_after_so_many_writes() -> None:
    """Once, and right after the write took effect."""
    sandbox, seen = Sandbox(), []
    sandbox.after_writes(2, lambda: seen.append(len(sandbox.effects)))
    for number in range(4):
        give(sandbox, number)
    assert [2] == seen


def test_a_storm_spoils_before_and_after_effects() -> None:
    """In many calls every kind comes; what was spoilt after its effect took effect, what before did not."""
    waits: list[float] = []
    sandbox = Sandbox(knobs=Knobs(storm=0.6, storm_seed=3, hang=9), sleep=waits.append)
    kinds: dict[str, int] = {}
    for number in range(300):
        before = len(sandbox.effects)
        try:
            answer = give(sandbox, number % 40, "add" if number < 40 or number % 80 < 40 else "remove")
            kind = "html" if answer.body == b"<html>bad weather</html>" else str(answer.status)
        except DroppedConnectionError:
            kind = "drop"
        name = f"{kind} {'after' if len(sandbox.effects) > before else 'before'}"
        kinds[name] = kinds.get(name, 0) + 1
    assert {f"{kind} before" for kind in ("420", "429", "500", "502", "html", "drop", "200")} <= kinds.keys()
    assert {f"{kind} after" for kind in ("500", "502", "html", "drop", "200")} <= kinds.keys()
    assert not {"420 after", "429 after"} & kinds.keys()
    assert waits
    assert {9} == set(waits)


def test_the_same_seed_is_the_same_weather() -> None:
    """So that a failure can be looked at again."""

    def weather(seed: int) -> list[object]:
        sandbox = Sandbox(knobs=Knobs(storm=0.5, storm_seed=seed))
        found: list[object] = []
        for number in range(30):
            try:
                found.append(give(sandbox, number).status)
            except DroppedConnectionError:
                found.append("drop")
        return found

    assert weather(1) == weather(1) != weather(2)


def test_every_answer_has_a_number_of_its_own() -> None:
    """As services do, for those who ask about a call later."""
    sandbox = Sandbox()
    numbers = [give(sandbox, n).headers["X-Request-Id"] for n in range(5)]
    assert 5 == len(set(numbers))


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"storm": "0.3:7"}, Knobs(storm=0.3, storm_seed=7)),
        ({"storm": ".5"}, Knobs(storm=0.5)),
        ({"stale": "3"}, Knobs(stale_reads=3)),
        ({"stale": "2s"}, Knobs(stale_seconds=2)),
        ({"revoke_after": 4}, Knobs(revoke_after=4)),
    ],
)
def test_the_knobs_are_read_as_options_spell_them(given: dict[str, Any], expected: Knobs) -> None:
    """A share and a seed, reads or a time, a number of writes."""
    assert expected == Knobs.parse(**given)


@pytest.mark.parametrize("given", [{"storm": "much"}, {"storm": "2"}, {"stale": "soon"}])
def test_knobs_that_make_no_sense_are_refused(given: dict[str, Any]) -> None:
    """With a message for people."""
    with pytest.raises(ValueError, match=r"storm|latency|stale"):
        Knobs.parse(**given)


def test_times_are_not_negative() -> None:
    """Nothing happens before it was asked for."""
    with pytest.raises(ValueError, match="0 or more"):
        Knobs(stale_seconds=-1)
