"""A report is written whole or not at all."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from permmigrate.errors import UsageError
from permmigrate.report.files import write_bytes, write_text, write_with


def test_whole_and_private(tmp_path: Path) -> None:
    """Folders are made, the text is there as given, and only the owner may read it."""
    place = tmp_path / "reports" / "diff.html"
    write_text(place, "é\n")
    assert b"\xc3\xa9\n" == place.read_bytes()
    assert 0o600 == stat.S_IMODE(place.stat().st_mode)
    assert [place] == list(place.parent.iterdir())


def test_failure_keeps_the_old_file(tmp_path: Path) -> None:
    """When filling fails half-way the old report stays and no part is left."""
    place = tmp_path / "diff.xlsx"
    write_bytes(place, b"old")

    def fail(part: Path) -> None:
        part.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    with pytest.raises(UsageError, match="No space left on device"):
        write_with(place, fail)
    assert b"old" == place.read_bytes()
    assert [place] == list(tmp_path.iterdir())


def test_a_bug_passes_through(tmp_path: Path) -> None:
    """What is no trouble with the place is not reported as one, and still leaves nothing behind."""

    def fail(part: Path) -> None:
        raise ValueError(part.name)

    with pytest.raises(ValueError, match="part"):
        write_with(tmp_path / "x", fail)
    assert [] == list(tmp_path.iterdir())
