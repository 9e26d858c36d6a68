"""Put requests to Cedar under the policies of both sides, in the two worlds that the unknown leaves open."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import cedarpy

from permmigrate.diff.derive_value import Way
from permmigrate.diff.value import Verdict
from permmigrate.diff.witness_request import Request, question

BATCH: Final = 10_000
"""More requests at once cost memory and save no time (measured)."""
Texts = tuple[str, ...]
Decision = bool | None
"""Allowed, denied, or None when Cedar could not take the question."""


class Worlds(NamedTuple):
    """The policy texts of both sides: were all that nobody knows against the principal, and in its favour."""

    before_least: Texts
    before_most: Texts
    after_least: Texts
    after_most: Texts

    @staticmethod
    def of(before: Iterable[Way], after: Iterable[Way]) -> Worlds:
        """Join the texts of the ways of each side, each text once."""
        sides = tuple(before), tuple(after)
        found = []
        for ways in sides:
            found.append(tuple(dict.fromkeys(way.least for way in ways if way.policies.least)))
            found.append(tuple(dict.fromkeys(way.most for way in ways if way.policies.most)))
        return Worlds(*found)


class Sides(NamedTuple):
    """Cedar's decisions on one request in the four worlds."""

    before_least: Decision
    before_most: Decision
    after_least: Decision
    after_most: Decision

    @property
    def verdict(self) -> Verdict:
        """What they amount to: a maybe is one about the past, an after that is open leaves it unknown."""
        before_least, before_most, least, most = self
        if None in self or least != most:
            return Verdict.UNKNOWN
        if before_least != before_most:
            return Verdict.MAYBE_GAINED if least else Verdict.MAYBE_LOST
        if before_least == least:
            return Verdict.UNCHANGED
        return Verdict.GAINED if least else Verdict.LOST


@lru_cache(maxsize=64)
def policies(texts: Texts) -> cedarpy.PolicySet:
    """The policy set of some texts; its policies are numbered through them in their order."""
    return cedarpy.PolicySet.from_str("\n".join(texts))


def decisions(
    texts: Texts, who: Mapping[str, Any], requests: Sequence[Request], entities: cedarpy.Entities
) -> list[Decision]:
    """Cedar's decision on each request under the policies of these texts."""
    found: list[Decision] = []
    for start in range(0, len(requests), BATCH):
        asked = [question(who, request) for request in requests[start : start + BATCH]]
        results = cedarpy.is_authorized_batch(asked, policies(texts), entities)
        found += [_decision(result) for result in results]
    return found


def _decision(result: cedarpy.AuthzResult) -> Decision:
    return None if result.decision is cedarpy.Decision.NoDecision else bool(result.allowed)
