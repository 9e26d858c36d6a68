"""Large trees in few calls: what is chosen, what it falls back to, and what the ledger says of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from permmigrate.cloudinary import choices, foldertree
from permmigrate.cloudinary.credentials import from_environment
from permmigrate.cloudinary.reader import Reader
from permmigrate.cloudinary.session import Patience, Timing
from permmigrate.model import Folder, ReadStatus
from permmigrate.sandbox import Sandbox
from permmigrate.sandbox import folders as sandbox_folders
from permmigrate.snapshot.capture import capture
from permmigrate.snapshot.source import Reading
from sandbox_variables import variables

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
Spoil = Callable[[str, str], int | dict[str, Any] | None]


@pytest.fixture(autouse=True)
def low_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that stops at 30 makes the small account a large one."""
    monkeypatch.setattr(choices, "SEARCH_LIMIT", 30)
    monkeypatch.setattr(sandbox_folders, "LIST_LIMIT", 30)


def readings(sandbox: Sandbox, spoil: Spoil = lambda *_: None) -> list[Reading[Folder]]:
    """The readings of the first environment's folders; `spoil` may answer with a status or a body instead."""

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        query = environ["QUERY_STRING"]
        other = spoil(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO'].rpartition('/')[2]}", query)
        if other is None:
            return sandbox.wsgi(environ, start)
        status = other if isinstance(other, int) else 200
        content = httpx.Response(200, json=other if isinstance(other, dict) else {}).content
        start(f"{status} X", [("Content-Type", "application/json")])
        return [content]

    with Reader(
        from_environment(variables(sandbox)),
        api_url="http://localhost",
        inner=httpx.WSGITransport(app=app),
        patience=Patience(attempts=2),
        timing=Timing(sleep=lambda _: None, now=lambda: NOON),
    ) as reader:
        environment = reader.environments().rows[0]
        return list(reader.folders(environment, lambda _: None))


def everything(sandbox: Sandbox) -> set[str]:
    return {sandbox.account.folders.paths[number] for number in sandbox.account.folders.of(0)}


def calls(sandbox: Sandbox) -> Counter[str]:
    """How often each kind of call was made for folders."""
    paths = [
        (str(r["method"]), str(r["path"]).split("/", 3)[3])
        for r in sandbox.log
        if "/folders" in str(r["path"])
    ]
    return Counter(
        method if method == "PUT" else {"folders/search": "search", "folders": "roots"}.get(path, "children")
        for method, path in paths
    )


def refuse(name: str, status: int = 404) -> Spoil:
    return lambda call, _: status if call == name else None


def test_below_each_root_folder() -> None:
    """One call counts, one lists the root folders, one for each gives all below."""
    sandbox = Sandbox("small")

    [reading] = readings(sandbox)

    assert everything(sandbox) == {folder.path for folder in reading.rows}
    assert Counter(search=1, roots=1, PUT=11) == calls(sandbox)
    assert (foldertree.DESCENDANTS, None) == (reading.endpoint, reading.error)
    assert "all below each of 11 root folders; as many as a search counts" == reading.note


@pytest.mark.parametrize("status", [400, 403, 404, 405, 500, 501])
def test_without_descendants_the_search_is_parted(status: int) -> None:
    """Where the read spelled PUT does not answer, each root folder is searched, large ones in parts."""
    sandbox = Sandbox("small")

    [reading] = readings(sandbox, refuse("PUT descendants", status))

    assert everything(sandbox) == {folder.path for folder in reading.rows}
    assert foldertree.SEARCH == reading.endpoint
    assert "as many as one search counts" in reading.note
    assert calls(sandbox)["search"] < 40


def test_without_either_it_is_walked() -> None:
    """When only listing answers, every folder is asked for its own."""
    sandbox = Sandbox("small")

    def spoil(call: str, query: str) -> int | None:
        return 404 if call in ("PUT descendants", "GET search") else None

    [reading] = readings(sandbox, spoil)

    assert everything(sandbox) == {folder.path for folder in reading.rows}
    assert ("walked", 101) == (reading.note, sum(calls(sandbox).values()))


def test_a_search_that_is_refused_leaves_the_count_open() -> None:
    """All below each root folder is believed without a search, and the ledger says that none counted it."""
    sandbox = Sandbox("small")

    [reading] = readings(sandbox, refuse("GET search", 403))

    assert everything(sandbox) == {folder.path for folder in reading.rows}
    assert "not counted by a search" in reading.note


def test_descendants_that_do_not_add_up_are_not_believed() -> None:
    """Fewer folders than a search counts, twice: the search's parts are taken."""
    sandbox = Sandbox("small")

    [reading] = readings(sandbox, lambda call, _: {"folders": []} if call == "PUT descendants" else None)

    assert everything(sandbox) == {folder.path for folder in reading.rows}
    assert foldertree.SEARCH == reading.endpoint


def test_strangers_among_descendants_are_not_believed() -> None:
    """A server that answers with folders from elsewhere is not asked for more."""
    sandbox = Sandbox("small")
    strangers = {"folders": [{"path": "Elsewhere", "external_id": "f"}]}

    [reading] = readings(sandbox, lambda call, _: strangers if call == "PUT descendants" else None)

    assert everything(sandbox) == {folder.path for folder in reading.rows}


def test_an_expression_that_is_ignored_is_not_believed() -> None:
    """A search that gives everything for every part does not pass for parts: the tree is walked."""
    sandbox = Sandbox("small")
    small = {"total_count": 1, "folders": [{"path": "Elsewhere", "external_id": "f"}]}

    def spoil(call: str, query: str) -> int | dict[str, Any] | None:
        if call == "PUT descendants":
            return 404
        return small if call == "GET search" and "expression" in query else None

    [reading] = readings(sandbox, spoil)

    assert "walked" == reading.note
    assert everything(sandbox) == {folder.path for folder in reading.rows}


def test_a_folder_made_meanwhile_is_counted_again() -> None:
    """When the counts differ by what was made just now, a second count settles it."""
    sandbox = Sandbox("small")

    def spoil(call: str, query: str) -> None:
        if call == "PUT descendants" and "Brands/New" not in sandbox.account.folders.paths:
            sandbox.account.folders.add(0, "Brands/New", "c7c0new", 1)

    [reading] = readings(sandbox, spoil)

    assert foldertree.DESCENDANTS == reading.endpoint
    assert "Brands/New" in {folder.path for folder in reading.rows}


def test_a_limit_that_is_reached_does_not_lead_to_a_walk() -> None:
    """A service that says slow down is not asked for every folder instead: that is a gap."""
    sandbox = Sandbox("small")

    [reading] = readings(sandbox, refuse("PUT descendants", 429))

    assert reading.error is not None
    assert 429 == reading.error.status
    assert "children" not in calls(sandbox)


def test_the_ledger_says_how_a_tree_was_read() -> None:
    """The note reaches the snapshot."""
    sandbox = Sandbox("small")
    with Reader(
        from_environment(variables(sandbox)),
        api_url="http://localhost",
        inner=httpx.WSGITransport(app=sandbox.wsgi),
        timing=Timing(now=lambda: NOON),
    ) as reader:
        taken = capture(reader, captured_at="2026-11-22T12:00:00Z", tool_version="0")

    [found] = [
        entry for entry in taken.ledger if entry.subject == "Meridian Production" and entry.area == "folders"
    ]
    assert (ReadStatus.READ, 100, "2026-11-22T12:00:00Z") == (found.status, found.count, found.read_at)
    assert "as many as a search counts" in found.detail
