"""A catalog's file: small, canonical, checked; and the catalog of a snapshot."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from builders import sandbox_catalog, snapshot
from permmigrate.errors import InvalidFileError
from permmigrate.snapshot.catalogfile import dump_catalog, load_catalog
from permmigrate.snapshot.file import dump
from random_accounts import catalog


def saved(path: Path, book: Any = None) -> Path:
    dump_catalog(book or sandbox_catalog(), path, pulled_at="2026-11-22T08:00:00Z", tool_version="0")
    return path


@pytest.mark.parametrize("book", [sandbox_catalog(), catalog(opaque=True)], ids=["sandbox", "small"])
def test_what_is_written_is_read(tmp_path: Path, book: Any) -> None:
    """Roles, policies, schema and source come back, with the time and a digest."""
    there = load_catalog(saved(tmp_path / "c.json", book))

    assert book == there.catalog
    assert ("2026-11-22T08:00:00Z", None) == (there.taken_at, there.snapshot)
    assert 64 == len(there.digest)


def test_same_catalog_same_bytes(tmp_path: Path) -> None:
    """Nothing of the machine gets in, and each role and policy has a line of its own."""
    one, two = saved(tmp_path / "1"), saved(tmp_path / "2")
    text = one.read_text(encoding="ascii")

    assert one.read_bytes() == two.read_bytes()
    assert len(sandbox_catalog().policies) == sum(
        line.startswith('{"category"') for line in text.splitlines()
    )


def test_a_snapshot_is_a_catalog_too(tmp_path: Path) -> None:
    """From a snapshot its catalog is taken, and the snapshot is at hand."""
    dump(snapshot(), tmp_path / "a.snapshot")
    there = load_catalog(tmp_path / "a.snapshot")

    assert sandbox_catalog() == there.catalog
    assert there.snapshot is not None


def test_every_change_is_noticed(tmp_path: Path) -> None:
    """A character changed anywhere is refused, and so is a field too many or too few."""
    path = saved(tmp_path / "c.json", catalog())
    text = path.read_text()
    for at in range(0, len(text), 211):
        if text[at].isalnum():
            (tmp_path / "x").write_text(text[:at] + ("x" if text[at] != "x" else "y") + text[at + 1 :])
            with pytest.raises(InvalidFileError):
                load_catalog(tmp_path / "x")
    for change in ({"more": 1}, {"source": 5}, {"schema": 99}, {"roles": None}, {"cedar_schema": []}):
        (tmp_path / "x").write_text(json.dumps(json.loads(text) | change))
        with pytest.raises(InvalidFileError):
            load_catalog(tmp_path / "x")


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"PK", b"\xff\xfe", b"id,name\n", b"[" * 100_000])
def test_other_files_are_refused_with_words(tmp_path: Path, content: bytes) -> None:
    """Neither a snapshot nor a catalog: said so, without a traceback."""
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(InvalidFileError, match="snapshot"):
        load_catalog(tmp_path / "x")


def test_no_file_and_no_place_are_said(tmp_path: Path) -> None:
    """A path that leads nowhere, and a folder that is not there."""
    with pytest.raises(InvalidFileError, match="no such file"):
        load_catalog(tmp_path / "none")
    with pytest.raises(InvalidFileError, match="cannot be written"):
        saved(tmp_path / "no" / "c.json")
    assert [] == list(tmp_path.iterdir())
