"""The knobs: delays, failures, limits, drops and the log, and that no secret gets out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from permmigrate.sandbox import CANARY, DroppedConnectionError, Knobs, Sandbox

Connect = Callable[..., httpx.Client]


def test_knobs_are_read_as_options_spell_them() -> None:
    """`20ms`, `0.5s`, `100/1` and `after:5` mean what they say."""
    knobs = Knobs.parse(latency="20ms", rate_limit="100/1.5", drop="after:5", page_size=3, fail_nth=7)
    assert knobs == Knobs(
        latency=0.02, rate_limit=(100, 1.5), drop="after", drop_nth=5, page_size=3, fail_nth=7
    )
    assert Knobs.parse(latency="0.5s").latency == 0.5
    assert Knobs.parse() == Knobs()


@pytest.mark.parametrize(
    "options",
    [
        {"latency": "soon"},
        {"rate_limit": "100"},
        {"rate_limit": "0/1"},
        {"drop": "during"},
        {"drop": "after:x"},
        {"drop": "after:0"},
        {"page_size": 0},
        {"fail_nth": -1},
        {"limit_status": 418},
    ],
)
def test_bad_knobs_are_refused_with_what_was_given(options: dict[str, Any]) -> None:
    """A knob out of its range is a ValueError with a message."""
    with pytest.raises(ValueError, match=r"."):
        Knobs.parse(**options)


def test_latency_is_waited_out_before_each_answer(provisioning: Connect) -> None:
    """Each call sleeps once for the knob's time."""
    slept: list[float] = []
    client = provisioning(Sandbox(knobs=Knobs(latency=0.02), sleep=slept.append))
    client.get("/users")
    client.get("/user_groups")
    assert slept == [0.02, 0.02]


def test_every_nth_call_fails_without_effect(provisioning: Connect) -> None:
    """With `fail_nth=2` each second call is 500 and changes nothing."""
    client = provisioning(Sandbox(knobs=Knobs(fail_nth=2)))
    before = len(client.get("/user_groups").json()["user_groups"])
    failed = client.post("/user_groups", json={"name": "x"})
    assert (failed.status_code, failed.json()) == (500, {"error": {"message": "something went wrong"}})
    assert len(client.get("/user_groups").json()["user_groups"]) == before


def test_a_failure_of_the_permissions_api_has_its_own_body(permissions: Connect) -> None:
    """The 500 of the Permissions API is the specification's example."""
    client = permissions(Sandbox(knobs=Knobs(fail_nth=1)))
    assert client.get("/roles?permission_type=global").json() == {
        "error": {"category": "server_error", "code": "ACCOUNTS_00001", "message": "something went wrong"}
    }


def test_the_rate_limit_refuses_and_recovers(provisioning: Connect, cloud: Connect) -> None:
    """Past the limit the account APIs answer 429 and the Admin API 420, with Retry-After; time heals it.

    Each API and each key has a limit of its own.
    """
    now = [100.0]
    sandbox = Sandbox(knobs=Knobs(rate_limit=(2, 10)), ticks=lambda: now[0])
    client = provisioning(sandbox)
    remaining = [client.get("/users").headers["X-FeatureRateLimit-Remaining"] for _ in range(2)]
    assert remaining == ["1", "0"]
    now[0] += 4
    refused = client.get("/users")
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, "6")
    assert refused.headers["X-FeatureRateLimit-Limit"] == "2"
    assert refused.headers["X-FeatureRateLimit-Reset"].endswith("GMT")
    assert [cloud(sandbox).get("/ping").status_code for _ in range(3)] == [200, 200, 420]
    now[0] += 6
    assert client.get("/users").status_code == 200


def test_the_limits_status_can_be_chosen(provisioning: Connect) -> None:
    """`limit_status` makes every API answer the one that is wanted."""
    client = provisioning(Sandbox(knobs=Knobs(rate_limit=(1, 10), limit_status=420)))
    assert [client.get("/users").status_code for _ in range(2)] == [200, 420]


@pytest.mark.parametrize(("drop", "made"), [("before", False), ("after", True)])
def test_a_dropped_write_took_effect_or_not(provisioning: Connect, drop: str, made: bool) -> None:
    """`before` loses the write, `after` only its answer; reads are never dropped."""
    sandbox = Sandbox(knobs=Knobs.parse(drop=drop))
    client = provisioning(sandbox)
    with pytest.raises(DroppedConnectionError):
        client.post("/user_groups", json={"name": "Dropped"})
    names = {group["name"] for group in client.get("/user_groups").json()["user_groups"]}
    assert ("Dropped" in names) is made


def test_only_every_nth_write_is_dropped(provisioning: Connect) -> None:
    """`after:2` answers the first write and drops the second."""
    client = provisioning(Sandbox(knobs=Knobs.parse(drop="after:2")))
    assert client.post("/user_groups", json={"name": "one"}).status_code == 200
    with pytest.raises(DroppedConnectionError):
        client.post("/user_groups", json={"name": "two"})


def test_reads_that_are_spelled_post_are_no_writes(permissions: Connect, cloud: Connect) -> None:
    """Inspect, validate and folder search are not dropped."""
    sandbox = Sandbox(knobs=Knobs(drop="before"))
    body = {
        "scope_type": "account",
        "principals": [{"type": "user", "id": next(iter(sandbox.account.users))}],
    }
    assert permissions(sandbox).post("/principal_roles/inspect", json=body).status_code == 200
    assert cloud(sandbox).post("/folders/search", json={}).status_code == 200


def test_the_log_has_one_line_a_call_and_no_secret(
    tmp_path: Path, connect: Connect, provisioning: Connect, cloud: Connect
) -> None:
    """The log says time, method, path, query, status and key id; a secret given in a query is hidden."""
    path = tmp_path / "calls.jsonl"
    sandbox = Sandbox(knobs=Knobs(log=path))
    provisioning(sandbox).get("/users", params={"page": 1, "prefix": "é"})
    provisioning(sandbox, auth=(sandbox.account_key, "wrong")).get("/users")
    cloud(sandbox).get("/ping")
    connect(sandbox).get("/v1_1/x/ping", params={"api_secret": sandbox.account_secret, "signature": "s"})
    text = path.read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["status"] for line in lines] == [200, 401, 200, 401]
    assert lines == sandbox.log
    assert {k: lines[0][k] for k in ("time", "method", "path", "query", "key")} == {
        "time": "2026-11-02T09:00:00Z",
        "method": "GET",
        "path": f"/v1_1/provisioning/accounts/{sandbox.account_id}/users",
        "query": {"page": ["1"], "prefix": ["é"]},
        "key": sandbox.account_key,
    }
    assert lines[1]["key"] is None
    assert lines[3]["query"] == {"api_secret": ["***"], "signature": ["***"]}
    assert CANARY not in text


def test_no_secret_shows_in_a_repr() -> None:
    """Keys hide their secrets from tracebacks and logs."""
    sandbox = Sandbox()
    values = [*sandbox.account.keys.values(), *sandbox.account.account_keys.values()]
    assert values
    assert CANARY not in repr(values)
    assert all(CANARY in value.secret for value in values)
