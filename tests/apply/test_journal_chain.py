"""The journal proves itself: nothing can be changed, taken out or put in; a kill costs one line at most."""

from __future__ import annotations

import os
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from permmigrate.apply.chain import GENESIS, check
from permmigrate.apply.journal import Journal
from permmigrate.apply.lock import locked
from permmigrate.apply.past import past, state, written
from permmigrate.errors import InvalidFileError, RefusedError, UsageError
from permmigrate.model import PermissionType, PolicyId, ScopeType
from permmigrate.plan import PolicyBody, RoleBody


def noon() -> str:
    return "2026-11-22T12:00:00Z"


def made(path: Path, lines: int = 5) -> Path:
    with Journal.begin(path, {"plan": "abc"}, noon) as journal:
        for number in range(lines - 1):
            journal.write("wave", {"wave": number, "name": "=1+1 é \n"})
    return path


def test_a_journal_is_whole_and_private(tmp_path: Path) -> None:
    """Every line follows the one before; the file is its owner's alone; its head is the last line's hash."""
    path = made(tmp_path / "j")
    chain = check(path)
    assert 5 == len(chain.lines)
    assert ["begin"] + ["wave"] * 4 == [line.kind for line in chain.lines]
    assert path.stat().st_size == chain.size
    assert 0o600 == path.stat().st_mode & 0o777
    assert chain.head == chain.lines[-1].hash != GENESIS


def test_a_journal_is_proved_without_holding_it(tmp_path: Path) -> None:
    """A journal of many megabytes is gone through in the room of its longest line."""
    path = tmp_path / "j"
    with Journal.begin(path, {"plan": "abc"}, noon) as journal:
        for number in range(200):
            journal.write("wave", {"wave": number, "name": "x" * 10_000})
    tracemalloc.start()
    chain = check(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (201, path.stat().st_size) == (chain.count, chain.size)
    assert peak < chain.size / 4


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return made(tmp_path_factory.mktemp("whole") / "j").read_bytes()


@settings(max_examples=200, deadline=None)
@given(place=st.integers(0, 10**6), byte=st.integers(0, 255))
def test_no_byte_can_be_changed(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, place: int, byte: int
) -> None:
    """Whatever byte is put anywhere: the journal is refused, or its last line is no line any more."""
    path, changed = tmp_path_factory.getbasetemp() / "changed.journal", bytearray(content)
    place %= len(changed)
    if changed[place] == byte:
        return
    changed[place] = byte
    path.write_bytes(changed)
    if place < len(changed) - 1:
        with pytest.raises(InvalidFileError):
            check(path)
    else:
        assert check(path).torn
        assert len(check(path).lines) == 4


@pytest.mark.parametrize(
    ("change", "line"),
    [
        (lambda lines: lines[:2] + lines[3:], 3),
        (lambda lines: [lines[1], lines[0], *lines[2:]], 1),
        (lambda lines: [*lines[:3], lines[2], *lines[3:]], 4),
        (lambda lines: lines[1:], 1),
        (lambda lines: [lines[0], lines[1].replace(b'"wave":0', b'"wave":9'), *lines[2:]], 2),
        (lambda lines: [lines[0], b" " + lines[1], *lines[2:]], 2),
        (lambda lines: [lines[0], b"\n", *lines[1:]], 2),
        (lambda lines: [lines[0], b'{"n":2}\n', *lines[1:]], 2),
        (lambda lines: [lines[0], b"[" * 100_000 + b"\n", *lines[1:]], 2),
    ],
)
def test_the_first_line_that_is_not_whole_is_named(tmp_path: Path, change: object, line: int) -> None:
    """A line taken out, put in, moved or rewritten shows where it was."""
    path = made(tmp_path / "j")
    path.write_bytes(b"".join(change(path.read_bytes().splitlines(keepends=True))))  # type: ignore[operator]
    with pytest.raises(InvalidFileError) as caught:
        check(path)
    assert line == caught.value.problems[0].line


def test_a_line_that_a_kill_cut_short_is_mended_once_and_told(tmp_path: Path) -> None:
    """Resuming cuts it off, says so in the journal, and goes on; in the middle nothing of that is allowed."""
    path = made(tmp_path / "j")
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"at":"2026')
    assert b'{"at":"2026' == check(path).torn

    journal, chain = Journal.resume(path, noon)
    with journal:
        assert 5 == chain.count
        journal.write("end", {})

    lines = check(path).lines
    assert ["repaired", "end"] == [line.kind for line in lines[-2:]]
    assert 11 == lines[-2].fields["bytes"]
    assert path.read_bytes().startswith(whole)
    path.write_bytes(whole[:-20] + b"\n" + path.read_bytes()[len(whole) :])
    with pytest.raises(InvalidFileError):
        Journal.resume(path, noon)


def test_what_is_there_is_not_written_over(tmp_path: Path) -> None:
    """Another journal, or any other file; one that is empty was begun and killed at once."""
    path = made(tmp_path / "j")
    with pytest.raises(RefusedError, match="is there already"):
        Journal.begin(path, {}, noon)
    (tmp_path / "notes").write_text("mine")
    with pytest.raises(RefusedError):
        Journal.begin(tmp_path / "notes", {}, noon)
    assert "mine" == (tmp_path / "notes").read_text()
    (tmp_path / "empty").touch()
    Journal.begin(tmp_path / "empty", {}, noon).close()
    assert 1 == len(check(tmp_path / "empty").lines)


def test_two_runs_do_not_write_one_journal(tmp_path: Path) -> None:
    """The second one is refused as long as the first is open."""
    path = made(tmp_path / "j")
    journal, _ = Journal.resume(path, noon)
    with journal, pytest.raises(RefusedError, match="another run is writing"):
        Journal.resume(path, noon)
    Journal.resume(path, noon)[0].close()


def test_nothing_to_resume_and_nowhere_to_write_are_told(tmp_path: Path) -> None:
    """A journal that is not there, one without a first line, and a folder that cannot be written to."""
    with pytest.raises(UsageError, match="nothing to resume"):
        Journal.resume(tmp_path / "none", noon)
    (tmp_path / "empty").touch()
    with pytest.raises(InvalidFileError, match="no first line"):
        check(tmp_path / "empty")
    with pytest.raises(InvalidFileError, match="cannot be read"):
        check(tmp_path / "none")
    with pytest.raises(InvalidFileError, match="cannot be kept"):
        Journal.begin(tmp_path / "no" / "folder", {}, noon)


def test_a_line_is_on_the_disk_before_the_next_step(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each line is synced when the call returns; a disk that refuses ends it with its reason."""
    synced: list[int] = []
    sync = os.fsync
    monkeypatch.setattr(os, "fsync", lambda handle: (synced.append(os.fstat(handle).st_size), sync(handle)))
    with Journal.begin(tmp_path / "j", {}, noon) as journal:
        for _ in range(3):
            journal.write("wave", {})
            assert (tmp_path / "j").stat().st_size == synced[-1]

        def full(handle: int, content: object) -> int:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "write", full)
        with pytest.raises(InvalidFileError, match="no space left"):
            journal.write("wave", {})


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        False,
        RoleBody("R", "", PermissionType.CONTENT, ScopeType.ENVIRONMENT, (PolicyId("p"), PolicyId("q"))),
        PolicyBody("P", "d", ScopeType.ENVIRONMENT, "all", "permit(principal, action, resource);", False),
    ],
)
def test_what_was_before_and_after_comes_back(value: object) -> None:
    """Every state that a journal holds is read as it was written."""
    assert value == state(written(value))  # type: ignore[arg-type]


def test_a_line_that_lacks_something_is_refused(tmp_path: Path) -> None:
    """A chain can be whole and still not be what this version writes."""
    with Journal.begin(tmp_path / "j", {}, noon) as journal:
        journal.write("done", {"operations": [["a", 7, True, ""]], "intent": 1})
    with pytest.raises(InvalidFileError, match="j:2"):
        past(check(tmp_path / "j"))


def test_one_run_an_account(tmp_path: Path) -> None:
    """The lock is the account's, says who holds it, and is free again when the run ends or dies."""
    with locked(tmp_path / "locks", "a/../b", "process 1"):
        with (
            pytest.raises(RefusedError, match="process 1"),
            locked(tmp_path / "locks", "a/../b", "process 2"),
        ):
            pass
        with locked(tmp_path / "locks", "c", "process 3"):
            pass
    with locked(tmp_path / "locks", "a/../b", "process 4"):
        pass
    assert {"a____b.lock", "c.lock"} == {path.name for path in (tmp_path / "locks").iterdir()}
    (tmp_path / "file").touch()
    with pytest.raises(InvalidFileError, match="cannot be made"), locked(tmp_path / "file", "a", ""):
        pass
