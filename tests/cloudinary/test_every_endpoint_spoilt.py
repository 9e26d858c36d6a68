"""Each endpoint that a snapshot calls, spoilt in every way: the ledger has it, and downstream knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from permmigrate.cli.snapshot import refuse_gaps
from permmigrate.cloudinary import foldertree
from permmigrate.cloudinary.credentials import from_environment
from permmigrate.cloudinary.reader import Reader
from permmigrate.cloudinary.session import Patience, Timing
from permmigrate.diff.compare import compare
from permmigrate.errors import ExitCode, ServiceError
from permmigrate.mapping.tables import load
from permmigrate.model import ReadStatus
from permmigrate.readiness import assess
from permmigrate.resources import mappings_dir
from permmigrate.sandbox import Sandbox
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.capture import capture
from sandbox_variables import variables

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
ENDPOINTS = {
    "sub_accounts": ("environments", r"GET .*/accounts/[^/]+/sub_accounts"),
    "users": ("people", r"GET .*/users"),
    "users' environments": ("people", r"GET .*/users/[^/]+/sub_accounts"),
    "groups": ("groups", r"GET .*/user_groups"),
    "keys": ("keys", r"GET .*/access_keys"),
    "root folders": ("folders", r"GET .*/folders(/search)?"),
    "folders' own": ("folders", r"(GET|PUT) .*/folders/.+"),
    "catalog": ("catalog", r"GET .*/public/catalog"),
    "schema": ("catalog", r"GET .*/public/schema"),
    "roles": ("roles", r"GET .*/permissions/roles"),
    "role": ("roles", r"GET .*/permissions/roles/.+"),
    "policies": ("policies", r"GET .*/policies/custom"),
    "assignments": ("assignments", r"GET .*/principal_roles/inspect"),
}
"""The ledger's area, and which calls are spoilt: folders have more than one way, so all but the one tried."""
SPOILS = {
    "403": (403, b'{"error": {"message": "no"}}'),
    "404": (404, b"{}"),
    "500": (500, b"{}"),
    "no JSON": (200, b"<html>"),
    "another shape": (200, b'{"unexpected": [1, {"secret": "CANARYSECRET"}]}'),
}


@pytest.fixture(scope="module")
def shares(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("lists") / "shares.csv"
    Sandbox("small").write_shares(path)
    return path


def taken(shares: Path, spoil: Callable[[str], tuple[int, bytes] | None]) -> Snapshot:
    sandbox = Sandbox("small")

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        other = spoil(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        if other is None:
            return sandbox.wsgi(environ, start)
        start(f"{other[0]} X", [("Content-Type", "application/json")])
        return [other[1]]

    with Reader(
        from_environment(variables(sandbox)),
        api_url="http://localhost",
        inner=httpx.WSGITransport(app=app),
        patience=Patience(attempts=2),
        timing=Timing(sleep=lambda _: None, now=lambda: NOON),
    ) as reader:
        return capture(
            reader,
            share_lists=[shares],
            keep_unknown=True,
            captured_at="2026-11-22T12:00:00Z",
            tool_version="0",
        )


def spoilt(shares: Path, endpoint: str, spoil: str) -> Snapshot:
    pattern = re.compile(ENDPOINTS[endpoint][1])
    return taken(shares, lambda call: SPOILS[spoil] if pattern.fullmatch(call) else None)


@pytest.mark.parametrize("spoil", SPOILS)
@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_a_spoilt_endpoint_is_a_gap(shares: Path, endpoint: str, spoil: str) -> None:
    """The ledger has it with its status, the command leaves with 4, and what could be read is there."""
    snapshot = spoilt(shares, endpoint, spoil)

    area, _ = ENDPOINTS[endpoint]
    gaps = [gap for gap in snapshot.gaps if gap.area == area]
    expected = {
        "403": (ReadStatus.DENIED, 403),
        "404": (ReadStatus.FAILED, 404),
        "500": (ReadStatus.FAILED, 500),
    }
    assert gaps
    assert {expected.get(spoil, (ReadStatus.FAILED, 200))} == {(gap.status, gap.http_status) for gap in gaps}
    assert all(gap.detail and "CANARY" not in gap.detail for gap in gaps)
    assert any(entry.status is ReadStatus.READ for entry in snapshot.ledger)
    with pytest.raises(ServiceError) as caught:
        refuse_gaps(snapshot, allow_gaps=False)
    assert ExitCode.SERVICE == caught.value.exit_code
    assert ("--resume" in caught.value.hint) == (spoil == "500")
    refuse_gaps(snapshot, allow_gaps=True)


def test_unspoilt_there_is_no_gap(shares: Path) -> None:
    """What the others find is the spoiling's alone."""
    snapshot = taken(shares, lambda _: None)

    assert () == snapshot.gaps
    refuse_gaps(snapshot, allow_gaps=False)


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_nothing_downstream_claims_completeness(shares: Path, endpoint: str) -> None:
    """The comparison and the readiness say that they rest on incomplete data."""
    snapshot, tables, today = spoilt(shares, endpoint, "403"), load(mappings_dir()), date(2026, 11, 22)
    snapshot = replace(snapshot, users=snapshot.users[:8], shares=snapshot.shares[:20])  # as good, and quick

    diff = compare(snapshot, tables, today=today, tool_version="0")
    readiness = assess(snapshot, tables, diff, notices=())

    assert "gap" in {uncertainty.kind for uncertainty in diff.uncertainties}
    assert (False, False) == (diff.complete, readiness.complete)


def test_a_field_more_does_no_harm(shares: Path) -> None:
    """Fields that the contract does not have yet are passed over; the Cedar schema alone is kept whole."""
    calm = taken(shares, lambda _: None)
    sandbox = Sandbox("small")

    def app(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        body = b"".join(sandbox.wsgi(environ, start))
        if environ["PATH_INFO"].endswith("/schema"):
            return [body]
        return [body.replace(b'"name":', b'"tomorrow":{"secret":"CANARYSECRET"},"name":')]

    with Reader(
        from_environment(variables(sandbox)),
        api_url="http://localhost",
        inner=httpx.WSGITransport(app=app),
        timing=Timing(sleep=lambda _: None, now=lambda: NOON),
    ) as reader:
        more = capture(
            reader,
            share_lists=[shares],
            keep_unknown=True,
            captured_at="2026-11-22T12:00:00Z",
            tool_version="0",
        )

    assert (calm.users, calm.groups, calm.folders, calm.ledger) == (
        more.users,
        more.groups,
        more.folders,
        more.ledger,
    )
    assert "CANARYSECRET" not in repr(more)


def test_every_endpoint_of_the_reader_is_in_the_table(shares: Path) -> None:
    """A call that a snapshot makes and that no row of the table spoils would go unnoticed."""
    calls: list[str] = []
    taken(shares, lambda call: calls.append(call))  # type: ignore[func-returns-value]

    assert foldertree.DESCENDANTS.startswith("PUT ")
    patterns = [re.compile(pattern) for _, pattern in ENDPOINTS.values()]
    assert [] == [call for call in calls if not any(pattern.fullmatch(call) for pattern in patterns)]
