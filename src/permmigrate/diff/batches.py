"""Principals that are walked together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from permmigrate.diff.parts import Parts, numbered
from permmigrate.diff.profiles import Profile, Profiles, Source
from permmigrate.model import PrincipalRef
from permmigrate.snapshot.shares import Ints

SIZE: Final = 1 << 16
"""Parts of content grants in one batch: enough to keep numpy busy, few enough for the processor's caches."""
GRANTS: Final = 1 << 20
"""Content grants in one batch, unless one subject has more: a part may have many."""
SLOTS: Final = 32
"""Subjects in one batch at most."""
FEW: Final = 16
"""The same, where what is found for one subject is for many."""


class Subject(NamedTuple):
    """Who is walked, and all that it holds."""

    number: int
    """Of the principal."""
    profile: Profile
    sources: Sequence[Source]


@dataclass(frozen=True, eq=False)
class Batch:
    """Subjects that are walked together; each is a slot."""

    principals: tuple[PrincipalRef, ...]
    numbers: Ints
    profiles: tuple[Profile, ...]
    sources: tuple[Source, ...]
    """Everybody's, one after the other."""
    slot: Ints
    """The slot of each source."""

    @staticmethod
    def of(principals: Sequence[PrincipalRef], subjects: Sequence[Subject]) -> Batch:
        """A batch of these; `principals` are all of the comparison."""
        return Batch(
            tuple(principals[one.number] for one in subjects),
            np.array([one.number for one in subjects], dtype=np.int32),
            tuple(one.profile for one in subjects),
            tuple(chain.from_iterable(one.sources for one in subjects)),
            np.repeat(np.arange(len(subjects), dtype=np.int32), [len(one.sources) for one in subjects]),
        )

    @cached_property
    def lenses(self) -> Ints:
        """A row for each source: its holder, and its lens within reach and beyond."""
        return numbered([(one.holder, one.within, one.beyond) for one in self.sources], 3)

    @cached_property
    def in_group(self) -> npt.NDArray[np.bool_]:
        """Which sources are groups that the principal is in after the migration."""
        return np.array([one.is_group for one in self.sources], dtype=bool)


def subjects(
    principals: Sequence[PrincipalRef], numbers: Iterable[int], profiles: Profiles
) -> Iterator[Subject]:
    """These principals with all that they hold."""
    for number in numbers:
        one = principals[number]
        yield Subject(number, profiles.profile(one), profiles.sources(one))


def batches(
    principals: Sequence[PrincipalRef], everybody: Iterable[Subject], parts: Parts, slots: int = SLOTS
) -> Iterator[Batch]:
    """These subjects, some at a time."""
    held, granted = np.diff(parts.starts).tolist(), np.diff(parts.entries[parts.starts]).tolist()
    batch: list[Subject] = []
    size = grants = 0
    for one in everybody:
        own = sum(held[source.holder] for source in one.sources)
        own += len(one.profile.wide) + len(one.profile.extras)
        more = sum(granted[source.holder] for source in one.sources)
        if batch and (size + own > SIZE or grants + more > GRANTS or len(batch) == slots):
            yield Batch.of(principals, batch)
            batch, size, grants = [], 0, 0
        batch.append(one)
        size, grants = size + own, grants + more
    if batch:
        yield Batch.of(principals, batch)
