"""Many lines of shares at once: the same as row by row, or left to the reader of rows."""

from __future__ import annotations

import json

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from permmigrate.model import ContentKind, ContentRef, EnvironmentId, PrincipalRef, PrincipalType, Share
from permmigrate.snapshot import rows
from permmigrate.snapshot.sharelines import LineReader, lines_of
from permmigrate.snapshot.shares import Gathered, Shares

PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters='"\\'), max_size=12)
SOURCES = PLAIN | st.sampled_from(
    ["a.csv:7", "a.csv:07", "a.csv:0", "b:999999999", "b:9999999999", "12", "", "a.csv:12x", "x" * 2000]
)
SHARES = st.builds(
    Share,
    st.builds(ContentRef, st.sampled_from("eé").map(EnvironmentId), st.sampled_from(ContentKind), PLAIN),
    st.builds(PrincipalRef, st.sampled_from(PrincipalType), PLAIN),
    st.sampled_from(["can_view", "can_edit", ""]),
    SOURCES,
)
LINE = (
    b'{"content":"f","content_type":"folder","environment_id":"e","level":"can_view",'
    b'"principal":"u","principal_type":"user","source":"a.csv:12"}\n'
)


def read(lines: bytes) -> list[Share] | None:
    found = Gathered()
    return list(found.finished()) if LineReader(found).read(lines) else None


def by_rows(lines: bytes) -> list[Share] | None:
    """What the plain reader makes of lines; None when it refuses one."""
    try:
        return [rows.SHARES.read(json.loads(line)) for line in lines.split(b"\n")[:-1]]
    except (ValueError, rows.RowError):
        return None


@given(st.lists(SHARES, min_size=1, max_size=8), st.integers(1, 8))
def test_lines_come_back_as_they_were(shares: list[Share], first: int) -> None:
    """Whatever is written is read in as many pieces as it comes; only texts with escapes are left alone."""
    lines = list(lines_of(Shares.of(shares)))
    found = Gathered()
    reader = LineReader(found)

    taken = [reader.read(b"".join(part)) for part in (lines[:first], lines[first:]) if part]

    if all(taken):
        assert list(found.finished()) == shares
    else:
        assert any("é" in one.content.environment_id for one in shares)


@given(
    st.lists(st.sampled_from([LINE, LINE.replace(b"u", b"group"), LINE.replace(b"12", b"9")]), min_size=1),
    st.integers(0),
    st.binary(max_size=3) | st.sampled_from([b'"', b"\n", b"\\", b'","', b"\0", b"}\n{", b":", b"}\n"]),
    st.integers(0, 4),
)
@example([LINE] * 2, len(LINE) - 4, b'"', 0)
@example([LINE], 12, b"\n", 0)
@example([LINE], len(LINE), b" \n", 0)
def test_other_lines_are_never_misread(lines: list[bytes], at: int, other: bytes, gone: int) -> None:
    """A change anywhere gives what the reader of rows makes of it, or nothing."""
    whole = b"".join(lines)
    at %= len(whole) + 1
    changed = whole[:at] + other + whole[at + gone :]

    found = read(changed)

    assert found is None or found == by_rows(changed)


@pytest.mark.parametrize("cut", [b'"level":"', b'"level":"can_view"', b'"principal":"u"', b'"source":"'])
def test_a_line_that_ends_early_is_left_alone(cut: bytes) -> None:
    """A line without its last fields is not read together with the next."""
    short = LINE[: LINE.index(cut)] + cut.removesuffix(b'"') + b'"}\n'

    assert read(short) is None
    assert read(LINE + short + LINE) is None


def test_long_texts_are_read_or_left_alone() -> None:
    """Of texts too long to be compared, sources are read one by one, contents left to the reader of rows."""
    source, content = LINE.replace(b"a.csv", b"a" * 2000), LINE.replace(b'"f"', b'"%b"' % (b"f" * 2000))

    assert read(source + LINE + source) == by_rows(source + LINE + source)
    assert read(LINE + content) is None


def test_blocks_that_go_on_are_read_as_one() -> None:
    """What the block before ended with is known again, and left when another list or folder begins."""
    found = Gathered()
    reader = LineReader(found)
    other = LINE.replace(b"a.csv", b"b.csv").replace(b'"f"', b'"g"')
    blocks = [LINE, LINE * 2, other, LINE + other, LINE]

    assert all(reader.read(block) for block in blocks)
    assert list(found.finished()) == by_rows(b"".join(blocks))
