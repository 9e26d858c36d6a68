"""Rows by several numbers each sort as numpy's own way of doing it says."""

from __future__ import annotations

import numpy as np
import pytest

from permmigrate.diff.order import order_by


@pytest.mark.parametrize("highest", [1, 3, 1 << 20, 1 << 40])
def test_rows_sort_by_every_key_and_stay_where_they_are_alike(highest: int) -> None:
    """The first key counts most; that all of them take more bits than one number has makes no difference."""
    rng = np.random.default_rng(highest)
    keys = [rng.choice(rng.integers(0, highest, 5), 400) for _ in range(4)]

    assert (
        np.lexsort(keys[::-1]).tolist()
        == order_by([highest] * 4, lambda key, some: keys[key][some], 400).tolist()
    )


def test_no_rows_have_an_order() -> None:
    """Nothing sorts as nothing."""
    assert [] == order_by([1], lambda key, some: np.zeros(0, dtype=np.int64), 0).tolist()
