"""A capture of the built-in sandbox, over a socket and in process."""

from __future__ import annotations

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from permmigrate.cloudinary.credentials import from_environment
from permmigrate.cloudinary.reader import Reader
from permmigrate.cloudinary.session import Patience, Timing
from permmigrate.model import ReadStatus
from permmigrate.sandbox import CANARY, Knobs, Sandbox
from permmigrate.sandbox.server import serving
from permmigrate.snapshot import Snapshot
from permmigrate.snapshot.capture import capture
from permmigrate.snapshot.file import dump, load
from sandbox_variables import variables

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
QUICK = Timing(sleep=lambda _: None, now=lambda: NOON)


def take(sandbox: Sandbox, base: str = "", **fields: object) -> Snapshot:
    """In process without a base address, else over its socket."""
    credentials = from_environment(variables(sandbox))
    inner = None if base else httpx.WSGITransport(app=sandbox.wsgi)
    with Reader(credentials, api_url=base or "http://localhost", inner=inner, timing=QUICK) as reader:
        return capture(reader, captured_at="2026-11-22T08:00:00Z", tool_version="0", **fields)  # type: ignore[arg-type]


def listed(sandbox: Sandbox, path: Path) -> Path:
    """The sandbox's hand-made share list, as a file."""
    rows = list(sandbox.share_rows())
    (path / "shares.json").write_text(json.dumps(rows), encoding="utf-8")
    return path / "shares.json"


def same(one: Snapshot, other: Snapshot) -> bool:
    """Equal but for the address they were read from."""
    return dataclasses.replace(one, api_url="", catalog=other.catalog) == dataclasses.replace(
        other, api_url=""
    ) and (one.catalog.digest, one.catalog.roles) == (other.catalog.digest, other.catalog.roles)


def test_small_account_end_to_end(tmp_path: Path) -> None:
    """Over a socket, with its share list: everything is there, it survives a file, and no secret does."""
    sandbox = Sandbox("small", seed=1)
    with serving(sandbox) as base:
        taken = take(sandbox, base, share_lists=[listed(sandbox, tmp_path)], keep_unknown=True)

    saved = dump(taken, tmp_path / "a.snapshot")

    assert saved == load(tmp_path / "a.snapshot")
    assert () == tuple(entry for entry in taken.gaps)
    assert len(sandbox.account.users) == len(taken.users)
    assert len(sandbox.account.groups) == len(taken.groups)
    assert len(sandbox.account.folders) == len(taken.folders)
    assert len(sandbox.account.keys) == len(taken.api_keys)
    assert len(list(sandbox.share_rows())) == len(taken.shares) + len(taken.orphan_shares)
    assert taken.shares
    assert CANARY not in repr(taken)
    assert sandbox.account_secret not in repr(taken)


@pytest.mark.parametrize("state", ["legacy", "migrated"])
def test_page_size_is_invisible(state: str) -> None:
    """Pages of one, of seven and of everything give the same snapshot."""
    whole = take(Sandbox("small", state=state))

    assert [True, True] == [
        same(whole, take(Sandbox("small", state=state, knobs=Knobs(page_size=size)))) for size in (1, 7)
    ]


def test_a_migrated_account_has_assignments() -> None:
    """After the migration every kind of principal holds roles, and the catalog defines them all."""
    taken = take(Sandbox("small", state="migrated"))

    assert {"user", "group", "apiKey", "provisioningKey"} == {
        str(a.principal.type) for a in taken.assignments
    }
    assert set() == {a.role_id for a in taken.assignments} - set(taken.catalog.roles)
    assert () == taken.catalog.missing_policies


@pytest.mark.parametrize(
    "knobs", [Knobs(fail_nth=3), Knobs(rate_limit=(30, 0.2)), Knobs(rate_limit=(30, 0.2), limit_status=420)]
)
def test_a_service_that_stumbles_gives_the_same_snapshot(knobs: Knobs) -> None:
    """Failures and limits that pass are not seen in the result."""
    sandbox = Sandbox("small", knobs=knobs)
    credentials = from_environment(variables(sandbox))
    timing, patience = Timing(chance=lambda: 0.1, now=lambda: NOON), Patience(base=0.1)
    with (
        serving(sandbox) as base,
        Reader(credentials, api_url=base, timing=timing, patience=patience) as reader,
    ):
        taken = capture(reader, captured_at="2026-11-22T08:00:00Z", tool_version="0")

    assert same(take(Sandbox("small")), taken)


def test_an_account_key_without_rights_leaves_gaps() -> None:
    """A key that may read people and roles only gives a snapshot that says what it is missing."""
    sandbox = Sandbox("small", state="migrated")
    audit = sandbox.audit_key
    url = f"account://{audit.id}:{audit.secret}@{sandbox.account_id}"
    credentials = from_environment({"CLOUDINARY_ACCOUNT_URL": url})

    with Reader(
        credentials, api_url="http://localhost", inner=httpx.WSGITransport(app=sandbox.wsgi)
    ) as reader:
        taken = capture(reader, captured_at="2026-11-22T08:00:00Z", tool_version="0")

    assert taken.users
    assert ReadStatus.DENIED in {entry.status for entry in taken.gaps}
