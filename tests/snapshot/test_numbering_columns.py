"""Columns of small numbers are numbered, looked up and put in order as the slow ways would."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from permmigrate.snapshot.shares import firsts, numbered, ordered_by

columns = st.lists(st.integers(0, 400), max_size=60)


@given(columns, st.sampled_from([1, 1 << 40]))
def test_codes_are_numbered_in_their_order(values: list[int], scale: int) -> None:
    """Whether they are small enough for a table or not, and keep the width they came with."""
    codes = np.array(values, dtype=np.int64) * scale
    distinct, number = numbered(codes)
    assert sorted(set(codes.tolist())) == distinct.tolist()
    assert codes.tolist() == distinct[number].tolist()
    assert codes.dtype == distinct.dtype


@given(columns)
def test_the_first_of_several_is_found(values: list[int]) -> None:
    """Of each number there is where it comes first."""
    distinct, number = numbered(np.array(values, dtype=np.int64))
    expected = [values.index(one) for one in distinct.tolist()]
    assert expected == firsts(number, len(distinct)).tolist()


@given(columns, st.sampled_from([401, 1 << 17]))
def test_rows_are_ordered_by_their_numbers(values: list[int], many: int) -> None:
    """Rows of one number stay in their order, and a number without rows begins where the next one does."""
    order, starts = ordered_by(np.array(values, dtype=np.int32), many)
    assert sorted(range(len(values)), key=values.__getitem__) == order.tolist()
    assert many + 1 == len(starts)
    for number in {*values, 0, 400}:
        mine = order[starts[number] : starts[number + 1]].tolist()
        assert [row for row, value in enumerate(values) if value == number] == mine


@pytest.mark.parametrize("many", [0, 3])
def test_there_may_be_no_rows(many: int) -> None:
    """Nothing begins anywhere then."""
    order, starts = ordered_by(np.zeros(0, dtype=np.int32), many)
    assert ([], [0] * (many + 1)) == (order.tolist(), starts.tolist())
