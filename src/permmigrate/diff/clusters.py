"""Put findings together that one decision is about: the same cause, the same kind of people, the same place.

Every finding is in exactly one cluster. It groups and counts, and decides nothing anew.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
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
    members: dict[_Key, list[Finding]] = {}
    for finding in in_brief(diff.findings):
        region, top = finding.region, ""
        if region.kind is RegionKind.FOLDER:
            label = region.label.partition("/")[0]
            top = tops.get((region.environment_id, label), label)
        causes = tuple(words.get(cause, cause) for cause in finding.causes)
        kind = _kind(finding.principal, snapshot)
        key: _Key = (causes, kind, region.kind.value, region.environment_id, top)
        members.setdefault(key, []).append(finding)
    clusters = [_cluster(key, findings) for key, findings in members.items()]
    return tuple(sorted(clusters, key=lambda c: (-c.expansions, c.severity.rank, -len(c.findings), c.id)))


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


def _cluster(key: _Key, findings: list[Finding]) -> Cluster:
    causes, kind, *place = key
    findings.sort(key=Finding.sort_key)
    counts = Counter(finding.verdict for finding in findings)
    severities = Counter(finding.severity for finding in findings)
    people = {(finding.principal.type, finding.principal.id) for finding in findings}
    people |= {(PrincipalType.USER, other) for finding in findings for other in finding.others}
    contents = sorted(f"{finding.id} {' '.join(finding.others)}" for finding in findings)
    return Cluster(
        id="c"
        + hashlib.sha256("\n".join((*causes, "", kind, *place)).encode("utf-8", "surrogatepass")).hexdigest()[
            :12
        ],
        causes=findings[0].causes,
        principals=kind,
        region=_widened(findings[0].region),
        counts={verdict: counts[verdict] for verdict in Verdict if counts[verdict]},
        severities={severity: severities[severity] for severity in Severity if severities[severity]},
        people=len(people),
        examples=tuple(finding.id for finding in findings[:EXAMPLES]),
        findings=tuple(sorted(finding.id for finding in findings)),
        digest=hashlib.sha256("\n".join(contents).encode("utf-8", "surrogatepass")).hexdigest(),
    )
