"""An account that changes while it is read: what is noticed, read again, or said to be a gap."""

from __future__ import annotations

from collections.abc import Callable, Iterable
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
from sandbox_variables import variables

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def taken(sandbox: Sandbox, before: Callable[[str, str], None]) -> Snapshot:
    """A snapshot of an account to which something happens before certain calls."""

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        before(environ["PATH_INFO"].rpartition("/")[2], environ["QUERY_STRING"])
        return sandbox.wsgi(environ, start)

    with Reader(
        from_environment(variables(sandbox)),
        api_url="http://localhost",
        inner=httpx.WSGITransport(app=app),
        timing=Timing(sleep=lambda _: None, now=lambda: NOON),
    ) as reader:
        return capture(reader, captured_at="2026-11-22T12:00:00Z", tool_version="0")


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


def test_a_row_on_two_cursors_shows() -> None:
    """The same holds for pages by cursor."""
    assert "1 rows came twice" == by_cursor([({}, ("a", "b")), ({"cursor": "x"}, ("b",))], str).torn
    assert "" == by_cursor([({}, ("a", "a"))], str).torn


@pytest.mark.parametrize(
    ("rows", "tails"),
    [
        ([["a", "b"], ["c"]], 1),
        ([["a", "b"], ["c", "d"]], 2),
        ([["a"]], 1),
        ([["a", "b"]], 2),
        ([], 0),
    ],
)
def test_the_end_of_a_list_is_remembered(rows: list[list[str]], tails: int) -> None:
    """Its last page, and the empty one behind it where the last is full: a row more would be there."""
    listed = numbered_pages("GET /x", pages_of(rows), str, 2)

    assert (
        [tuple(rows[-1]), ()][:tails] == [found for _, found in listed.tails] if rows else listed.tails == ()
    )


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
