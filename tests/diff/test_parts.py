"""The parts of grants: what they cover from a topmost place down, and which of them stand alone."""

from __future__ import annotations

from itertools import chain, pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from permmigrate.diff.parts import Parts


class _Places:
    def __init__(self, size: list[int]) -> None:
        self.size = np.array(size, dtype=np.int32)

    def __len__(self) -> int:
        return len(self.size)


def _account(seed: int) -> tuple[Any, Any, list[set[int]], list[set[int]]]:
    """A random tree in pre-order with random grants for five holders, and what lies within each place."""
    random = np.random.default_rng(seed)
    parents = [-1]
    for place in range(1, 40):
        above, up = place - 1, []
        while above >= 0:
            up.append(above)
            above = parents[above]
        parents.append(int(random.choice(up)) if random.random() < 0.9 else -1)
    size = [1] * 40
    for place in range(39, 0, -1):
        if parents[place] >= 0:
            size[parents[place]] += size[place]
    held = [sorted(random.choice(40, int(random.integers(0, 9)), replace=False).tolist()) for _ in range(5)]
    starts = np.cumsum([0, *map(len, held)])
    content = SimpleNamespace(starts=starts, place=np.array(list(chain.from_iterable(held)), dtype=np.int32))
    within = [set(range(place, place + size[place])) for place in range(40)]
    return content, _Places(size), [set(one) for one in held], within


@pytest.mark.parametrize("seed", range(30))
def test_parts_are_topmost_and_stand_alone_where_no_other_touches_them(seed: int) -> None:
    """Against the definition, place by place."""
    content, places, held, within = _account(seed)
    parts = Parts.of(content, places)
    tops = [
        [place for place in sorted(one) if not any(place in within[up] for up in one - {place})]
        for one in held
    ]
    assert parts.top.tolist() == list(chain.from_iterable(tops))
    bounds = pairwise(parts.entries.tolist())
    entries = [content.place[start:end].tolist() for start, end in bounds]
    assert entries == [
        [place for place in sorted(one) if place in within[top]]
        for one, of_holder in zip(held, tops, strict=True)
        for top in of_holder
    ]
    source, part = parts.held_by(np.arange(5))
    slot = np.array([0, 0, 1, 1, 1])[source]
    found = parts.alone(
        slot,
        part,
    )
    for at, alone in enumerate(found.tolist()):
        others = [n for n in range(len(part)) if n != at and slot[n] == slot[at]]
        touched = any(within[parts.top[part[at]]] & within[parts.top[part[n]]] for n in others)
        assert alone is not touched
