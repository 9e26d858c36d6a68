"""JSON in bulk: what was read is written and read again as it was, by whichever library."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from permmigrate.snapshot import jsontext

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
HALF = "\\ud800 alone"


@given(VALUES)
def test_what_is_written_is_read_back(value: object) -> None:
    """What was read once stays as it is, on one line, with and without a text that only one library reads."""
    plain = json.dumps(value)
    once = jsontext.read(plain.encode())
    half = jsontext.read(f'["{HALF}", {plain}]'.encode())

    assert value == once
    assert once == half[1]
    assert repr(once) == repr(jsontext.read(jsontext.write(once)))
    assert repr(half) == repr(jsontext.read(jsontext.write(half)))
    assert b"\n" not in jsontext.write(half)


@pytest.mark.parametrize("text", ["123456789012345678901234567890", "-9223372036854775809", "0.1e-3"])
def test_both_libraries_read_the_same_numbers(text: str) -> None:
    """A number does not hang on which library read it."""
    assert repr([jsontext.read(text.encode())]) == repr(jsontext.read(f'["{HALF}",{text}]'.encode())[1:])


@pytest.mark.parametrize(
    "text", ["", "{", "<html>", "[1] 2", "[NaN]", "-Infinity", "1e999", f'["{HALF}", 1e999]']
)
def test_what_is_no_json_is_refused(text: str) -> None:
    """It is a ValueError, whichever library found it; numbers that are none are no JSON."""
    with pytest.raises(ValueError, match=r"Expecting|Extra data|no number"):
        jsontext.read(text.encode())


def test_what_is_nested_too_deeply_is_told_apart() -> None:
    """It is a RecursionError, which is no ValueError."""
    with pytest.raises(RecursionError):
        jsontext.read(b"[" * 200_000)
