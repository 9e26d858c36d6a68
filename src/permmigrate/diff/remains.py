"""What of one comparison's findings there is still something of in another comparison of the same people."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Final

from permmigrate.diff.findings import in_brief
from permmigrate.diff.value import Capability, Diff, Finding, Region, RegionKind, Verdict
from permmigrate.model import PrincipalRef, PrincipalType

ANY: Final = "any"
"""A capability's action that stands for all of them."""

Wanted = Callable[[Verdict], bool]


@dataclass(frozen=True)
class Held:
    """The findings of a comparison that hold for some principals, by principal and environment."""

    diff: Diff
    findings: Mapping[tuple[PrincipalRef, str], list[Finding]]
    holder_of: Mapping[str, PrincipalRef]
    """One of the principals that each finding holds for, by the finding's id."""

    @staticmethod
    def of(diff: Diff, holders: Collection[PrincipalRef]) -> Held:
        users = {holder.id: holder for holder in holders if holder.type is PrincipalType.USER}
        found: dict[tuple[PrincipalRef, str], list[Finding]] = {}
        holder_of: dict[str, PrincipalRef] = {}
        for finding in in_brief(diff.findings):
            held_by = [finding.principal] if finding.principal in holders else []
            held_by += [users[other] for other in finding.others if other in users]
            for principal in held_by:
                found.setdefault((principal, finding.region.environment_id), []).append(finding)
                holder_of[finding.id] = principal
        return Held(diff, found, holder_of)


@dataclass
class Overlaps:
    """Which findings of one comparison there is still something of in another."""

    these: Held
    others: Held

    def any(self, finding: Finding, principal: PrincipalRef, wanted: Wanted) -> bool:
        """Whether anything of a finding is in the other comparison, with a verdict that is wanted."""
        near = self._meets[finding.capabilities]
        return any(
            wanted(other.verdict) and near & _bits(other.capabilities) and _meet(finding.region, other.region)
            for other in self.others.findings.get((principal, finding.region.environment_id), ())
        )

    def whole(self, finding: Finding, principal: PrincipalRef, wanted: Wanted) -> bool:
        """Whether something of each of its capabilities is there, in a region that covers the finding's."""
        covering = 0
        for other in self.others.findings.get((principal, finding.region.environment_id), ()):
            if wanted(other.verdict) and _covers(other.region, finding.region):
                covering |= _bits(other.capabilities)
        return all(self._meets.each[number] & covering for number in finding.capabilities)

    def new(self, wanted: Wanted) -> int:
        """How many of these findings have a verdict that is wanted and nothing in the other comparison."""
        by_id = {finding.id: finding for found in self.these.findings.values() for finding in found}
        return sum(
            wanted(finding.verdict) and not self.any(finding, self.these.holder_of[id_], wanted)
            for id_, finding in by_id.items()
        )

    @cached_property
    def _meets(self) -> _Meets:
        return _Meets(self.these.diff.capabilities, self.others.diff.capabilities)


class _Meets(dict[tuple[int, ...], int]):
    """Capabilities by number in one comparison, to those in the other that share requests with them."""

    def __init__(self, these: tuple[Capability, ...], others: tuple[Capability, ...]) -> None:
        super().__init__()
        by_resource: dict[tuple[str, str], list[tuple[int, Capability]]] = {}
        for number, other in enumerate(others):
            by_resource.setdefault((other.scope, other.resource), []).append((number, other))
        self.each = [
            sum(1 << n for n, other in by_resource.get((c.scope, c.resource), ()) if _share(c, other))
            for c in these
        ]

    def __missing__(self, numbers: tuple[int, ...]) -> int:
        found = 0
        for number in numbers:
            found |= self.each[number]
        self[numbers] = found
        return found


def _share(one: Capability, other: Capability) -> bool:
    """Whether two capabilities on one resource have a request in common; errs to yes."""
    action = one.action == other.action or ANY in (one.action, other.action)
    condition = one.condition == other.condition or "" in (one.condition, other.condition)
    return action and condition


@cache
def _bits(numbers: tuple[int, ...]) -> int:
    return sum(1 << number for number in numbers)


def _meet(one: Region, other: Region) -> bool:
    """Whether two regions of one environment, or of the account, have a place in common."""
    return _covers(one, other) or _covers(other, one)


def _covers(upper: Region, region: Region) -> bool:
    """Whether a region holds another one of the same environment, or of the account."""
    if upper.kind is RegionKind.ENVIRONMENT or (upper.kind is RegionKind.ACCOUNT and not upper.content_id):
        return True
    if upper.kind is RegionKind.FOLDER and region.kind is RegionKind.FOLDER:
        return (region.label + "/").startswith(upper.label + "/")
    return upper.kind is region.kind and upper.content_id == region.content_id
