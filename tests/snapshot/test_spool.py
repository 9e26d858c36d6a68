"""Answers that outlive the run that asked for them."""

from __future__ import annotations

import dataclasses
import stat
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from permmigrate.errors import InvalidFileError, RefusedError, UsageError
from permmigrate.snapshot.spool import Head, Kept, Spool, spool_path

HEAD = Head("acc1", "https://api.example.com", "0.1.0", "2026-11-22T08:00:00Z", {"shares.csv": "abc"})
ANSWERS = [
    (
        ["GET /users", {"account_id": "a"}, {"page": n}, {}, 0],
        Kept(200, {"users": [{"id": f"ü{n}"}]}, f"t{n}"),
    )
    for n in range(20)
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A spool with twenty answers, closed."""
    where = spool_path(tmp_path / "a.snapshot")
    with Spool.begin(where, HEAD) as spool:
        for question, kept in ANSWERS:
            spool.keep(question, kept)
    return where


def test_what_is_kept_is_found(path: Path) -> None:
    """Every answer comes back as it was, a question that was not asked does not."""
    with Spool.resume(path, dataclasses.replace(HEAD, started_at="later")) as spool:
        assert [kept for _, kept in ANSWERS] == [spool.find(question) for question, _ in ANSWERS]
        assert spool.find(["GET /users", {}, {}, {}, 0]) is None
        assert (HEAD, 20) == (spool.head, spool.count)


def test_it_goes_on_where_it_was(path: Path) -> None:
    """Answers are added after a resume, and are found in the same run and in the next."""
    question, kept = ["other"], Kept(403, "no", "t")
    with Spool.resume(path, HEAD) as spool:
        spool.keep(question, kept)
        assert kept == spool.find(question)
    with Spool.resume(path, HEAD) as spool:
        assert (kept, 21) == (spool.find(question), spool.count)


def test_only_the_owner_reads_it(path: Path) -> None:
    """It names people: mode 0600, whatever the umask."""
    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(scope="module")
def content(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    where = tmp_path_factory.mktemp("spool") / "s"
    with Spool.begin(where, HEAD) as spool:
        for question, kept in ANSWERS:
            spool.keep(question, kept)
    return where.read_bytes()


@settings(deadline=None, max_examples=60)  # each example syncs files
@given(cut=st.integers(min_value=0), garbage=st.binary(max_size=30))
def test_a_torn_end_is_dropped(
    tmp_path_factory: pytest.TempPathFactory, content: bytes, cut: int, garbage: bytes
) -> None:
    """Cut anywhere, with anything behind the cut: whole answers are kept, and new ones follow them."""
    ends = [place + 1 for place, byte in enumerate(content) if byte == 10]
    cut = ends[0] + cut % (len(content) - ends[0] + 1)
    where = tmp_path_factory.mktemp("torn") / "s"
    where.write_bytes(content[:cut] + garbage)
    whole = sum(end <= cut for end in ends) - 1

    with Spool.resume(where, HEAD) as spool:
        assert whole <= spool.count <= whole + 1
        assert [kept for _, kept in ANSWERS[:whole]] == [
            spool.find(question) for question, _ in ANSWERS[:whole]
        ]
        spool.keep(["new"], ANSWERS[0][1])
    with Spool.resume(where, HEAD) as spool:
        assert ANSWERS[0][1] == spool.find(["new"])


@pytest.mark.parametrize("cut", [0, 1, 30])
def test_a_broken_beginning_is_told(tmp_path: Path, content: bytes, cut: int) -> None:
    """A file that does not begin as it should is not guessed at."""
    (tmp_path / "s").write_bytes(content[:cut])

    with pytest.raises(InvalidFileError) as caught:
        Spool.resume(tmp_path / "s", HEAD)

    assert "--restart" in caught.value.hint


@pytest.mark.parametrize("field", ["account_id", "api_url", "tool_version"])
def test_another_accounts_answers_are_refused(path: Path, field: str) -> None:
    """An account, address or version that differs is named with both values."""
    other = dataclasses.replace(HEAD, **{field: "other"})  # type: ignore[arg-type]

    with pytest.raises(RefusedError, match=f"`{getattr(HEAD, field)}`.*`other`"):
        Spool.resume(path, other)


def test_what_is_left_is_not_written_over(path: Path) -> None:
    """Beginning again says what to do instead, and leaves nothing else in the folder."""
    before = path.read_bytes()

    with pytest.raises(RefusedError) as caught:
        Spool.begin(path, HEAD)

    assert "--resume" in caught.value.hint
    assert "--restart" in caught.value.hint
    assert before == path.read_bytes()
    assert [path] == list(path.parent.iterdir())


def test_two_runs_do_not_share_it(tmp_path: Path) -> None:
    """While one run writes, another neither resumes nor throws it away."""
    with Spool.begin(tmp_path / "s", HEAD):
        with pytest.raises(RefusedError, match="another run"):
            Spool.resume(tmp_path / "s", HEAD)
        with pytest.raises(RefusedError, match="another run"):
            Spool.discard(tmp_path / "s")


def test_nothing_to_resume_is_told(tmp_path: Path) -> None:
    """Without a file there is nothing to go on from."""
    with pytest.raises(UsageError, match="nothing to resume"):
        Spool.resume(tmp_path / "s", HEAD)


def test_a_folder_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    """Before anything is asked it is known whether answers can be kept."""
    with pytest.raises(InvalidFileError):
        Spool.begin(tmp_path / "nowhere" / "s", HEAD)


def test_it_goes_when_it_is_done_with(path: Path) -> None:
    """Removing it leaves nothing; throwing away what is not there is fine."""
    Spool.resume(path, HEAD).remove()
    Spool.discard(path)

    assert [] == list(path.parent.iterdir())
