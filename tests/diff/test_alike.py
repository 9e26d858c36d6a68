"""What users have in common is told once, whatever order and number it comes in."""

from __future__ import annotations

import numpy as np
import pytest

from permmigrate.diff.alike import Alike, Columns, Growing, _sorted


def _random(seed: int) -> tuple[Alike, dict[tuple[int, bool], list[tuple[int, int]]]]:
    """Findings of few marks for random users, and by mark and dormancy whom each holds for."""
    random = np.random.default_rng(seed)
    dormant = random.random(40) < 0.3
    marks = random.integers(0, 1 << 64, 12, dtype=np.uint64)
    alike, expected = Alike(dormant), {}
    pairs = [(mark, user) for mark in range(12) for user in range(40) if random.random() < 0.3]
    random.shuffle(pairs)
    for some in np.array_split(np.array(pairs).reshape(-1, 2), 5):
        column = some[:, 0].astype(np.int32)
        columns = Columns(some[:, 1].astype(np.int32), column * 10_000, column, column + 1, column + 2)
        numbers = alike.add(columns, marks[some[:, 0]])
        alike.hold(numbers, some[:, 1].astype(np.int32))
        for mark, user in some.tolist():
            expected.setdefault((mark, bool(dormant[user])), []).append(user)
    return alike, {key: sorted(users) for key, users in expected.items()}


@pytest.mark.parametrize("seed", range(20))
def test_each_finding_is_told_once_with_its_first_user_and_the_others_in_order(seed: int) -> None:
    """As many findings as there are sets of users, and with them the columns of one of those alike."""
    alike, expected = _random(seed)
    told = alike.told()
    found = []
    for at, first in enumerate(told.columns.principal.tolist()):
        others = told.others[told.first_other[at] :][: told.number_of_others[at]].tolist()
        kind = int(told.columns.kind[at])
        found.append((kind, [first, *others]))
        assert told.columns.place[at] == 10_000 * kind
        assert (told.columns.folders[at], told.columns.state[at]) == (kind + 1, kind + 2)
    assert sorted(found) == sorted((mark, users) for (mark, _), users in expected.items())
    assert np.all(np.diff(told.columns.principal) >= 0)


def test_nothing_is_told_of_nobody() -> None:
    """Nor does an empty comparison fail."""
    assert len(Alike(np.zeros(3, dtype=bool)).told().columns.principal) == 0


def test_a_column_widens_for_the_first_large_number() -> None:
    """And keeps what it had, over several steps of growing."""
    column, expected = Growing(), []
    for first, size in ((1, 1_000), (5, Growing.STEP), (65_000, 1_000), (1 << 30, 10)):
        more = np.arange(first, first + size) % (65_536 if size == Growing.STEP else 1 << 31)
        column.add(more)
        expected.append(more)
    assert len(column) == sum(map(len, expected))
    assert np.array_equal(column.taken(), np.concatenate(expected))
    assert len(column) == 0


@pytest.mark.parametrize("highest", [3, 1 << 31])
def test_columns_sort_by_the_last_one_first(highest: int) -> None:
    """That they take more bits than one number has makes no difference."""
    random = np.random.default_rng(highest)
    columns = [random.integers(0, highest, 300).astype(np.int32) for _ in range(3)]
    order = np.lexsort(columns)
    expected = [column[order].tolist() for column in columns]

    assert [column.tolist() for column in _sorted(list(columns))] == expected
