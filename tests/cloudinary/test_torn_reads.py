"""An account that changes while it is read: what is noticed, read again, or said to be a gap."""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from permmigrate.cloudinary.credentials import from_environment
from permmigrate.cloudinary.listing import by_cursor, numbered_pages, straight_pages
from permmigrate.cloudinary.reader import Reader
from permmigrate.cloudinary.session import Params, Timing
from permmigrate.errors import MalformedAnswerError
from permmigrate.sandbox import Knobs, Sandbox
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.capture import capture
from permmigrate.snapshot.survey import RECOUNT
from sampling import times
from sandbox_variables import variables

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def taken(
    sandbox: Sandbox, before: Callable[[str, str], None], told: Callable[[str], None] = lambda _: None
) -> Snapshot:
    """A snapshot of an account to which something happens before certain calls; `told` of each phase."""

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        before(environ["PATH_INFO"].rpartition("/")[2], environ["QUERY_STRING"])
        return sandbox.wsgi(environ, start)

    with Reader(
        from_environment(variables(sandbox)),
        api_url="http://localhost",
        inner=httpx.WSGITransport(app=app),
        timing=Timing(sleep=lambda _: None, now=lambda: NOON),
    ) as reader:
        return capture(
            reader,
            captured_at="2026-11-22T12:00:00Z",
            tool_version="0",
            progress=lambda progress: told(progress.phase),
        )


def hire(sandbox: Sandbox, number: int) -> str:
    """A new user, at the end of the list."""
    some = next(iter(sandbox.account.users.values()))
    name = f"new{number}"
    fields = {slot: getattr(some, slot) for slot in some.__slots__}
    sandbox.account.users[name] = type(some)(**{**fields, "id": name, "email": f"{name}@example.com"})
    return name


def test_someone_hired_meanwhile_is_read() -> None:
    """A user who comes after the list was read is seen at the end, and the list is read again whole."""
    sandbox = Sandbox("small")
    asked = 0

    def before(path: str, query: str) -> None:
        nonlocal asked
        asked += path == "users"
        if path == "users" and asked == 4:
            hire(sandbox, 1)

    found = taken(sandbox, before)

    assert "new1" in found.user_by_id
    [mended] = [e for e in found.ledger if e.area == "people" and "read again whole" in e.detail]
    assert not mended.status.is_gap
    assert {"shares"} == {gap.area for gap in found.gaps}


def test_an_account_that_never_rests_is_a_gap() -> None:
    """A list that is different each time it is looked at is said to be incomplete."""
    sandbox = Sandbox("small")
    number = 0

    def before(path: str, query: str) -> None:
        nonlocal number
        if path == "users":
            number += 1
            hire(sandbox, number)

    found = taken(sandbox, before)

    [gap] = [gap for gap in found.gaps if gap.area == "people"]
    assert "changed while it was read" in gap.detail


@pytest.mark.parametrize("area", ["groups", "assignments"])
def test_groups_and_assignments_are_looked_at_too(area: str) -> None:
    """A member who joins or a role that is given after the reading does not go unnoticed."""
    sandbox = Sandbox("small", state="migrated")
    people = list(sandbox.account.users)
    path_of = {"groups": "user_groups", "assignments": "inspect"}[area]
    seen = 0

    def before(path: str, query: str) -> None:
        nonlocal seen
        seen += path == path_of
        if path != path_of or seen != {"groups": 2, "assignments": 4}[area]:
            return
        if area == "groups":
            group = next(iter(sandbox.account.groups.values()))
            group.member_ids[next(one for one in people if one not in group.member_ids)] = None
        else:
            one = next(sandbox.account.assignments.rows())
            free = [p for p in people if sandbox.account.assignments.add(one._replace(principal_id=p))]
            assert free

    found = taken(sandbox, before)

    assert any(e.area == area and "read again whole" in e.detail for e in found.ledger)


def pages_of(rows: list[list[str]]) -> Callable[[Params], tuple[tuple[str, ...], None]]:
    def read(asked: Params) -> tuple[tuple[str, ...], None]:
        page = int(asked.get("page", 1)) - 1
        return tuple(rows[page]) if page < len(rows) else (), None

    return read


def test_a_row_that_moves_between_pages_shows() -> None:
    """A page with rows both new and seen tells that rows moved; a page that only repeats does not."""
    moved = numbered_pages("GET /x", pages_of([["a", "b"], ["b", "c"]]), str, 2)
    still = numbered_pages("GET /x", pages_of([["a", "b"], ["c"]]), str, 2)

    assert (("a", "b", "c"), "1 rows came twice") == (moved.rows, moved.torn)
    assert (("a", "b", "c"), "") == (still.rows, still.torn)


@pytest.mark.parametrize(("pages", "remembered"), [("a", "a"), ("abc", "abc"), ("abcd", "d")])
def test_a_list_by_cursor_is_remembered(pages: str, remembered: str) -> None:
    """A short one whole, a long one by its last page."""
    listed = by_cursor((({"cursor": row}, (row,)) for row in pages), str)

    assert list(remembered) == [row for _, (row,) in listed.tails]


def test_a_row_on_two_cursors_shows() -> None:
    """The same holds for pages by cursor."""
    assert "1 rows came twice" == by_cursor([({}, ("a", "b")), ({"cursor": "x"}, ("b",))], str).torn
    assert "" == by_cursor([({}, ("a", "a"))], str).torn


@pytest.mark.parametrize(
    ("rows", "remembered"),
    [
        ([["a", "b"], ["c"]], [("a", "b"), ("c",)]),
        ([["a", "b"], ["c", "d"]], [("a", "b"), ("c", "d"), ()]),
        ([["a"]], [("a",), ()]),
        ([["a", "b"]], [("a", "b"), ()]),
        ([["a", "b"], ["c", "d"], ["e", "f"], ["g"]], [("a", "b"), ("c", "d"), ("e", "f"), ("g",)]),
        ([], []),
    ],
)
def test_a_list_is_remembered_by_its_end(rows: list[list[str]], remembered: list[tuple[str, ...]]) -> None:
    """All its pages, and the empty one behind them where the last may be full."""
    listed = numbered_pages("GET /x", pages_of(rows), str, 2)

    assert remembered == [found for _, found in listed.tails]


def fire(sandbox: Sandbox) -> None:
    """Take someone from the middle of the list away."""
    names = list(sandbox.account.users)
    gone = names[len(names) // 2]
    for group in sandbox.account.groups.values():
        group.member_ids.pop(gone, None)
    del sandbox.account.users[gone]


def promote(sandbox: Sandbox) -> None:
    """Change someone at the beginning of the list in place."""
    first = next(iter(sandbox.account.users.values()))
    first.role = "billing" if first.role != "billing" else "reports"


@pytest.mark.sampled
@pytest.mark.parametrize(
    ("pages", "change"), [(pages, change) for pages in (1, 3, 7) for change in (hire, fire, promote)]
)
def test_no_moment_of_a_change_goes_unseen(pages: int, change: Callable[..., object]) -> None:
    """Whichever call someone comes, goes or changes before: the snapshot has it, or says that it may not."""
    people = len(Sandbox("small").account.users)
    knobs = Knobs(page_size=-(-people // pages))
    calm = Sandbox("small", knobs=knobs)
    looked: list[int] = []
    taken(calm, lambda *_: None, lambda phase: looked.append(len(calm.log)) if phase == RECOUNT else None)
    chance = random.Random(pages)

    for moment in [0, looked[0] - 1, *(chance.randrange(looked[0]) for _ in range(times(3, 6)))]:
        sandbox = Sandbox("small", knobs=knobs)
        calls = itertools.count()

        def meanwhile(*_: str, sandbox: Sandbox = sandbox, calls: Iterator[int] = calls) -> None:
            if next(calls) == moment:  # noqa: B023
                change(sandbox, *([1] if change is hire else []))

        found = taken(sandbox, meanwhile)
        now = {user.id: user.role for user in sandbox.account.users.values()}
        told = "people" in {gap.area for gap in found.gaps}
        assert told or now == {user.id: user.legacy_role for user in found.users}


def test_a_server_that_stops_being_straight_is_not_believed() -> None:
    """Pages that repeat rows are refused where the server was taken to count from 1."""
    assert ("a", "b", "c") == straight_pages("GET /x", pages_of([["a", "b"], ["c"]]), str, 2).rows
    with pytest.raises(MalformedAnswerError):
        straight_pages("GET /x", pages_of([["a", "b"], ["a", "b"]]), str, 2)


def test_small_pages_are_looked_at_from_their_end() -> None:
    """With pages of one the end is still one page, and nothing is taken for a change."""
    found = taken(Sandbox("small", knobs=Knobs(page_size=1)), lambda *_: None)

    assert {"shares"} == {gap.area for gap in found.gaps}
    assert not any("changed" in entry.detail for entry in found.ledger)
