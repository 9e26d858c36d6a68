"""The request budget is what a snapshot then really takes, endpoint by endpoint."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import httpx
import pytest

from permmigrate.cloudinary.budget import Paged, Sizes, Tree, estimate
from permmigrate.cloudinary.diagnosis import Allowance, Diagnosis
from permmigrate.cloudinary.doctor import examine
from permmigrate.cloudinary.reader import Reader
from permmigrate.cloudinary.session import Timing
from permmigrate.cloudinary.sources import find
from permmigrate.cloudinary.transport import open_client
from permmigrate.cloudinary.usercount import Rows, count
from permmigrate.errors import DeniedError, ServiceError
from permmigrate.model import User, UserId
from permmigrate.sandbox import Knobs, Sandbox
from permmigrate.snapshot.capture import capture
from permmigrate.snapshot.source import ListedUser
from sandbox_variables import variables

NOWHERE = Path("/nowhere")
BASE = "http://localhost"


def told_and_taken(sandbox: Sandbox) -> tuple[Diagnosis, list[dict[str, object]]]:
    """What the doctor says, and the calls of the capture after it."""
    found = find(variables(sandbox), folder=NOWHERE, home=NOWHERE, api_url=BASE)
    inner = httpx.WSGITransport(app=sandbox.wsgi)
    with open_client(BASE, inner=inner) as client:
        diagnosis = examine(found, client)
    before = len(sandbox.log)
    with Reader(
        found.credentials(), api_url=BASE, inner=inner, timing=Timing(sleep=lambda _: None)
    ) as reader:
        capture(reader, captured_at="2026-11-22T08:00:00Z", tool_version="0")
    return diagnosis, sandbox.log[before:]


def endpoint(record: dict[str, object]) -> str:
    """The template of a call that the sandbox logged."""
    path, query = str(record["path"]), record["query"]
    path = re.sub(r"(/accounts)/[0-9a-f]{20,}", r"\1/{account_id}", path)
    path = re.sub(r"(/sub_accounts)/[0-9a-f]{20,}", r"\1/{sub_account_id}", path)
    path = re.sub(r"(/users)/[0-9a-f]{20,}", r"\1/{user_id}", path)
    path = re.sub(r"(/permissions/roles)/.+", r"\1/{role_id}", path)
    path = re.sub(r"(/user_groups)/[0-9a-f]{20,}", r"\1/{group_id}", path)
    path = re.sub(r"/v1_1/(?!provisioning)[^/]+", "/v1_1/{cloud_name}", path)
    if isinstance(query, dict) and "sub_account_id" in query:
        path += "?sub_account_id={sub_account_id}"
    return f"{record['method']} {path}"


@pytest.mark.parametrize(
    ("account", "state"), [("small", "legacy"), ("small", "migrated"), ("medium", "legacy")]
)
def test_the_budget_is_what_a_snapshot_takes(account: str, state: str) -> None:
    """In all within a few percent; each endpoint that is said to be exact to the call."""
    diagnosis, calls = told_and_taken(Sandbox(account, state=state))

    budget = diagnosis.budget
    assert budget is not None
    taken, told, guessed = Counter(endpoint(call) for call in calls), Counter[str](), set[str]()
    for line in budget.lines:
        told[line.endpoint] += line.calls
        if not line.exact:
            guessed.add(line.endpoint)
    assert set(told) == set(taken)
    assert {name: told[name] for name in told if name not in guessed} == {
        name: taken[name] for name in taken if name not in guessed
    }
    assert abs(budget.calls - len(calls)) <= max(1, 0.05 * len(calls))


def test_small_pages_are_noticed() -> None:
    """A server that gives fewer rows than asked for makes more calls, and the budget knows it."""
    diagnosis, calls = told_and_taken(Sandbox("small", knobs=Knobs(page_size=7)))

    assert diagnosis.budget is not None
    users = [call for call in calls if endpoint(call).endswith("/users")]
    line = next(line for line in diagnosis.budget.lines if line.endpoint.endswith("/users"))
    assert len(users) == line.calls


def person(number: int, *, known: bool = True, role: str = "media_library_user") -> ListedUser:
    return ListedUser(User(UserId(f"u{number}"), "", "", role, True, False, True, ()), known)


@pytest.mark.parametrize("total", [0, 1, 99, 100, 101, 199, 200, 201, 1_000, 1_600, 1_650, 9_999, 10_000])
@pytest.mark.parametrize("repeats", [False, True])
def test_users_are_counted_by_few_pages(total: int, repeats: bool) -> None:
    """The last page is found in a few calls, also where a page past the end repeats the first."""
    everyone = [person(number, known=number % 5 != 0) for number in range(total)]
    asked: list[int] = []

    def page(number: int) -> Rows | ServiceError:
        asked.append(number)
        rows = tuple(everyone[(number - 1) * 100 : number * 100])
        return rows or (tuple(everyone[:100]) if repeats else ())

    found = count(page(1) if total else (), 100, page)

    assert total == found.total
    assert abs(found.limited - (total + 4) // 5) <= max(1, total // 100)
    assert len(asked) == len(set(asked)) <= 15
    assert found.exact is (total < 300)


def test_a_page_that_is_refused_is_told() -> None:
    """The count goes as far as it went, and is not called exact."""
    error = DeniedError("no", status=403)

    found = count(tuple(person(number) for number in range(100)), 100, lambda _: error)

    assert (100, False, error) == (found.total, found.exact, found.error)


SIZES = Sizes(
    environments=2,
    users=1_000,
    users_a_page=1_000,
    limited_users=0,
    users_exact=True,
    unknown_groups=4,
    keys=250,
    other_roles=0,
    policies=Paged(1, 2, exact=False),
    assignments=(1, 1, 1),
    assignments_exact=True,
    trees=(Tree("one", 5_000, 12, below=False), Tree("two", None, 3), Tree("three", 501)),
)


def test_large_trees_and_unread_groups_have_their_lines() -> None:
    """A call a group, a call a folder where nothing shorter answers, pages of a search where it is whole."""
    budget = estimate(SIZES, {}, share=0.5, workers=8, latency=0.1)

    def calls(end: str) -> list[int]:
        return [line.calls for line in budget.lines if line.endpoint.endswith(end)]

    assert [5_000] == calls("folders/{folder}")
    assert [3] == calls("/descendants")
    assert [1, 1, 2] == calls("/folders/search")
    assert [4] == calls("{group_id}/users")
    assert [5] == calls("{account_id}/users")
    assert [8] == calls("/access_keys")
    assert [5] == calls("/policies/custom")
    assert [6] == calls("/principal_roles/inspect")
    assert not budget.exact
    assert budget.calls * 0.1 / 8 == budget.seconds


@pytest.mark.parametrize(
    ("limit", "remaining", "resets_in", "share", "waiting"),
    [
        (10_004, 10_000, 600.0, 0.5, 0.0),
        (5_000, 5_000, 600.0, 0.5, 600.0 + 3600.0),
        (5_014, 0, 600.0, 0.5, 600.0 + 3600.0),
        (100_000, 14, 600.0, 0.5, 600.0),
        (5_000, 5_000, None, 1.0, 3600.0),
    ],
)
def test_waiting_follows_the_allowance(
    limit: int, remaining: int, resets_in: float | None, share: float, waiting: float
) -> None:
    """What the present window leaves to us, then our share of each next one, an hour apart."""
    allowances = {"admin one": Allowance("admin one", limit, remaining, resets_in)}

    budget = estimate(SIZES, allowances, share=share, workers=8, latency=0.0)

    assert waiting == budget.waiting
