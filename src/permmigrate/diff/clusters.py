"""Put findings together that one decision is about: the same cause, the same kind of people, the same place.

Every finding is in exactly one cluster. It groups and counts, and decides nothing anew.
"""

from __future__ import annotations

import hashlib
from bisect import insort
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Final

from permmigrate.diff.findings import in_brief
from permmigrate.diff.value import Diff, Finding, Region, RegionKind, Severity, Verdict
from permmigrate.model import PrincipalRef, PrincipalType
from permmigrate.snapshot import Snapshot

EXAMPLES: Final = 3

_KINDS: Final = {
    PrincipalType.GROUP: "groups",
    PrincipalType.API_KEY: "API keys",
    PrincipalType.ACCOUNT_KEY: "account keys",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """The findings of one set of causes for one kind of principal in one top-level folder or environment."""

    id: str
    """`c` and twelve hex digits that depend on what the causes say, the kind of principal and the place: rows
    that move, names that change and findings that come or go leave it as it is."""
    causes: tuple[str, ...]
    """As in its findings; empty for what no grant is behind."""
    principals: str
    """`users with legacy role admin`, `groups`, `API keys`."""
    region: Region
    """A top-level folder, an environment, the collections of one, or the account."""
    counts: Mapping[Verdict, int]
    """Findings by verdict; zeros left out."""
    severities: Mapping[Severity, int]
    """Findings by severity, the worst first; zeros left out."""
    people: int
    """How many principals they hold for."""
    examples: tuple[str, ...]
    """Ids of the first findings, the worst first."""
    findings: tuple[str, ...]
    """The ids of all of them, sorted."""
    digest: str
    """The sha256 of which findings they are and whom they hold for: what a signature is for."""

    @property
    def severity(self) -> Severity:
        """The worst."""
        return next(iter(self.severities))

    @property
    def expansions(self) -> int:
        return sum(count for verdict, count in self.counts.items() if verdict.is_expansion)


_Key = tuple[tuple[str, ...], str, str, str, str]
"""Causes in words, kind of principal, region kind, environment, id of the top-level folder."""


def cluster(diff: Diff, snapshot: Snapshot) -> tuple[Cluster, ...]:
    """Group a comparison's findings; most expansions first, then the worst, then the largest.

    `snapshot` is the one that was compared: it has the users' legacy roles and the top-level folders.
    """
    words = {cause.ref: cause.text for cause in diff.causes}
    tops = {
        (str(folder.environment_id), folder.path): str(folder.id)
        for folder in snapshot.folders
        if "/" not in folder.path
    }
    made: dict[_Key, _Making] = {}
    for finding in in_brief(diff.findings):
        region, top = finding.region, ""
        if region.kind is RegionKind.FOLDER:
            label = region.label.partition("/")[0]
            top = tops.get((region.environment_id, label), label)
        causes = tuple(words.get(cause, cause) for cause in finding.causes)
        kind = _kind(finding.principal, snapshot)
        key: _Key = (causes, kind, region.kind.value, region.environment_id, top)
        made.setdefault(key, _Making()).add(finding)
    clusters = [making.finished(key) for key, making in made.items()]
    return tuple(sorted(clusters, key=lambda c: (-c.expansions, c.severity.rank, -len(c.findings), c.id)))


@dataclass(slots=True)
class _Making:
    """A cluster to which findings are added one by one; they are not kept."""

    counts: Counter[Verdict] = field(default_factory=Counter)
    severities: Counter[Severity] = field(default_factory=Counter)
    users: set[str] = field(default_factory=set)
    keys: set[PrincipalRef] = field(default_factory=set)
    """And groups."""
    contents: list[str] = field(default_factory=list)
    """Each finding's id, and a digest of the others it holds for."""
    first: list[tuple[tuple[object, ...], Finding]] = field(default_factory=list)
    """The first few in their order."""

    def add(self, finding: Finding) -> None:
        self.counts[finding.verdict] += 1
        self.severities[finding.severity] += 1
        if finding.principal.type is PrincipalType.USER:
            self.users.add(finding.principal.id)
        else:
            self.keys.add(finding.principal)
        self.users.update(finding.others)
        self.contents.append(f"{finding.id} {_sha256(finding.others)}" if finding.others else finding.id)
        insort(self.first, (finding.sort_key(), finding), key=itemgetter(0))
        del self.first[EXAMPLES:]

    def finished(self, key: _Key) -> Cluster:
        causes, kind, *place = key
        first = self.first[0][1]
        self.contents.sort()
        return Cluster(
            id="c" + _sha256((*causes, "", kind, *place))[:12],
            causes=first.causes,
            principals=kind,
            region=_widened(first.region),
            counts={one: self.counts[one] for one in Verdict if self.counts[one]},
            severities={
                severity: self.severities[severity] for severity in Severity if self.severities[severity]
            },
            people=len(self.users) + len(self.keys),
            examples=tuple(finding.id for _, finding in self.first),
            findings=tuple(content.partition(" ")[0] for content in self.contents),
            digest=_sha256(self.contents),
        )


def _sha256(lines: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogatepass")).hexdigest()


def _kind(principal: PrincipalRef, snapshot: Snapshot) -> str:
    if principal.type is not PrincipalType.USER:
        return _KINDS[principal.type]
    user = snapshot.user_by_id.get(principal.id)
    if user is None:
        return "users whom the snapshot does not have"
    return f"users with legacy role {user.legacy_role}" if user.legacy_role else "users without a legacy role"


def _widened(region: Region) -> Region:
    """The top-level folder, or the whole of what is no folder."""
    match region.kind:
        case RegionKind.FOLDER:
            return replace(region, content_id="", label=region.label.partition("/")[0], folders=0)
        case RegionKind.COLLECTION:
            return replace(region, content_id="", label="collections")
        case RegionKind.ACCOUNT:
            return replace(region, content_id="", label="the account")
        case RegionKind.ENVIRONMENT:
            return region
