"""Which grants go because what they would make was rejected, and which a rejection cannot take out.

A grant that makes something approved as well stays, with what was rejected of it: the guard on rejected
expansions then refuses the plan, until the mapping is another. It decides nothing for people.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from permmigrate.diff import Diff, Finding
from permmigrate.diff.findings import in_brief
from permmigrate.diff.value import Region, RegionKind
from permmigrate.diff.widening import Pair, is_widening, pairs_of, widening
from permmigrate.model import ALL_ENVIRONMENTS, PrincipalRef, RoleAssignment
from permmigrate.plan.operation import Operation
from permmigrate.plan.signoff import Signoff
from permmigrate.plan.value import Expansion, Standing
from permmigrate.snapshot import Snapshot


def expanding(diff: Diff) -> Iterator[Finding]:
    """The findings that somebody has to decide about, in brief."""
    return (each for each in in_brief(diff.findings) if is_widening(each.verdict))


@dataclass
class Places:
    """Whether what a grant makes may show in a region."""

    snapshot: Snapshot
    _paths: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._paths = {str(each.id): tuple(each.path.split("/")) for each in self.snapshot.folders}

    def touch(self, row: RoleAssignment, region: Region) -> bool:
        """Whether the two lie one in the other, or it is not known that they do not."""
        if row.scope_id is None or region.kind is RegionKind.ACCOUNT:
            return row.scope_id is None and region.kind is RegionKind.ACCOUNT
        if row.scope_id not in (ALL_ENVIRONMENTS, region.environment_id):
            return False
        if region.kind is RegionKind.FOLDER:
            return not row.collection_id and (not row.folder_id or self._nested(row.folder_id, region))
        if region.kind is RegionKind.COLLECTION:
            return not row.folder_id and row.collection_id in (None, region.content_id)
        return True

    def _nested(self, folder_id: str, region: Region) -> bool:
        one, other = self._paths.get(folder_id), self._paths.get(region.content_id)
        if one is None or other is None:
            return True
        shorter = min(len(one), len(other))
        return one[:shorter] == other[:shorter]


@dataclass
class Rejections:
    """What was rejected, by who would get it and by which row."""

    places: Places
    _of: Mapping[Pair, tuple[tuple[Region, Standing], ...]]

    @staticmethod
    def of(diff: Diff, signoff: Signoff, snapshot: Snapshot) -> Rejections:
        """Collect what was said wherever something was rejected. `snapshot` has the folders."""
        found: defaultdict[Pair, list[tuple[Region, Standing]]] = defaultdict(list)
        if Standing.REJECTED in signoff.standings.values():
            for finding in expanding(diff):
                for pair in pairs_of(finding):
                    found[pair].append((finding.region, signoff.of(finding.id)))
        bad = {pair: tuple(said) for pair, said in found.items() if any(map(_is_no, said))}
        return Rejections(Places(snapshot), bad)

    def takes_out(self, row: RoleAssignment, cause: str) -> bool:
        """Whether something the grant makes was rejected, and nothing that it makes was approved."""
        said = [
            standing
            for region, standing in self._of.get((row.principal, cause), ())
            if self.places.touch(row, region)
        ]
        return Standing.REJECTED in said and Standing.SIGNED not in said

    def still_made(self, finding: Finding, pair: Pair, rows: Iterable[RoleAssignment]) -> bool:
        """Whether one of the grants that stay makes the finding; `rows` are the pair's."""
        return pair not in self._of or any(self.places.touch(row, finding.region) for row in rows)


def expansions_of(
    diff: Diff, signoff: Signoff, operations: Iterable[Operation], rejections: Rejections
) -> tuple[Expansion, ...]:
    """The expansions that grants make, counted by principal and cause.

    What may be an expansion or is not known counts as one. What a row makes for a group it makes for every
    member, and is counted once, with the group.
    """
    made: defaultdict[Pair, list[RoleAssignment]] = defaultdict(list)
    for operation in operations:
        if operation.kind.grants:
            row = operation.assignment
            made[row.principal, operation.cause].append(row)
    counted: Counter[tuple[PrincipalRef, str, Standing]] = Counter()
    if not signoff.standings:
        for pair, findings in widening(diff.findings).items():
            if pair in made:
                counted[(*pair, Standing.UNSIGNED)] = findings
    for finding in expanding(diff) if signoff.standings else ():
        standing = signoff.of(finding.id)
        for pair in pairs_of(finding):
            if pair in made and rejections.still_made(finding, pair, made[pair]):
                counted[(*pair, standing)] += 1
    return tuple(Expansion(*key, findings) for key, findings in sorted(counted.items()))


def _is_no(said: tuple[Region, Standing]) -> bool:
    return said[1] is Standing.REJECTED
