"""Raise severities by how sensitive the folders are that a finding reaches, as mappings/sensitivity.csv says.

A finding on a folder reaches everything below it, one on an environment every folder there, so the most
sensitive folder of the subtree counts, even where a deeper grant takes it out again: that errs to the worse.
What is in a collection is not known, so findings on collections, like those on the account, stay as they are.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from permmigrate.cedar.words import resource_of
from permmigrate.diff.findings import Findings
from permmigrate.diff.regions import place_of
from permmigrate.diff.tally import causes_of
from permmigrate.diff.value import Capability, Diff, Finding, Severity
from permmigrate.entitlements import Entitlements, FolderTree, Place
from permmigrate.mapping.sensitivity import Folders, SensitivityRow
from permmigrate.model import ProductEnvironment, ScopeType

_SEVERITIES: Final = tuple(Severity)


class _Raise(NamedTuple):
    """What becomes of one severity; the least of several counts, the topmost folder first."""

    rank: int
    position: int
    """The folder that a row speaks of."""
    row: int


_Reach = tuple[_Raise, ...]
"""One a severity, in the order of `Severity`."""


def rated(diff: Diff, rows: tuple[SensitivityRow, ...], entitlements: Entitlements) -> Diff:
    """The comparison with its severities raised and its findings and causes in the order that makes."""
    if not rows:
        return diff
    sensitivity = Sensitivity(rows, entitlements.snapshot.environment_by_id, entitlements.trees)
    environment = entitlements.compiler.universes[ScopeType.ENVIRONMENT]
    located = {resource_of(environment.atoms[bit]) for bit in environment.bits(environment.folder_mask)}
    raising = _Raising(sensitivity, diff.capabilities, located)
    findings: Sequence[Finding]
    if isinstance(diff.findings, Findings):
        raising.in_folders = [raising.in_folders_of(one) for one in diff.findings.capabilities_of_kinds]
        findings = diff.findings.raised(raising)
    else:
        findings = tuple(sorted(map(raising.of, diff.findings), key=Finding.sort_key))
    words = {cause.ref: (cause.text, cause.confidence) for cause in diff.causes}
    return replace(diff, findings=findings, causes=causes_of(findings, words))


@dataclass
class _Raising:
    """Raises the severities of one comparison's findings."""

    sensitivity: Sensitivity
    capabilities: tuple[Capability, ...]
    located: Container[str]
    """The resources that lie in folders."""
    in_folders: Sequence[Severity | None] = ()
    """Of each kind of finding in columns, the worst severity among what lies in folders."""
    _known: dict[tuple[int, ...], Severity | None] = field(default_factory=dict)

    def in_folders_of(self, numbers: tuple[int, ...]) -> Severity | None:
        """The worst severity among the capabilities on what lies in folders."""
        if numbers not in self._known:
            capabilities = (self.capabilities[number] for number in numbers)
            found = (
                capability.severity for capability in capabilities if capability.resource in self.located
            )
            self._known[numbers] = min(found, key=lambda severity: severity.rank, default=None)
        return self._known[numbers]

    def at(
        self, scope: str, place: Place, worst: Severity, in_folders: Severity | None
    ) -> tuple[Severity, str]:
        """The severity of a finding at a place, and the label behind it."""
        return self.sensitivity.raised(scope, place, worst, in_folders)

    def ranks(self, scope: str, place: Place) -> list[int]:
        """What each severity becomes at a place at most; one beyond the last where it stays as it is."""
        found = [self.sensitivity.raised(scope, place, Severity.LOW, one) for one in Severity]
        return [severity.rank if label else len(_SEVERITIES) for severity, label in found]

    def of(self, finding: Finding) -> Finding:
        """A finding with its severity raised."""
        place, scope = place_of(finding.region), finding.region.environment_id
        in_folders = self.in_folders_of(finding.capabilities)
        severity, label = self.sensitivity.raised(scope, place, finding.severity, in_folders)
        return replace(finding, severity=severity, sensitivity=label) if label else finding


@dataclass
class Sensitivity:
    """Answers for one snapshot; each environment's folders are asked about once."""

    rows: tuple[SensitivityRow, ...]
    environments: Mapping[str, ProductEnvironment]
    trees: Mapping[str, FolderTree]
    _reaches: dict[str, tuple[list[_Reach | None], _Reach | None]] = field(default_factory=dict)

    def raised(
        self, scope: str, place: Place, worst: Severity, in_folders: Severity | None
    ) -> tuple[Severity, str]:
        """The severity of a finding, and the label behind it or an empty string.

        `worst` is the worst of its capabilities, `in_folders` the worst of those on what lies in folders, the
        only ones to be raised: None when there are none.
        """
        if not self.rows or not scope or in_folders is None or place.kind == "collection":
            return worst, ""
        if scope not in self._reaches:
            self._reaches[scope] = self._measure(scope)
        reaches, whole = self._reaches[scope]
        position = self.trees[scope].index[place.id] if place.kind else -1
        reach = reaches[position] if place.kind else whole
        if reach is None:
            return worst, ""
        found = reach[in_folders.rank]
        label = self.rows[found.row].label
        if found.position != position:
            label += f" (holds {self.trees[scope].paths[found.position]})"
        return _SEVERITIES[min(worst.rank, found.rank)], label

    def _measure(self, scope: str) -> tuple[list[_Reach | None], _Reach | None]:
        """What holds for each folder of an environment with all below it, and for the environment."""
        tree = self.trees[scope]
        folders = Folders(self.rows, self.environments[scope])
        numbers = {row.ref: number for number, row in enumerate(self.rows)}
        reaches: list[_Reach | None] = [None] * len(tree.ids)
        whole: _Reach | None = None
        for position in reversed(range(len(tree.ids))):
            upward = reaches[position]
            row = folders.row(tree.paths[position])
            if row is not None:
                own = tuple(
                    _Raise(Severity(row.raised(severity)).rank, position, numbers[row.ref])
                    for severity in _SEVERITIES
                )
                if row.raises:
                    upward = _worse((own, upward))
                reaches[position] = upward or own
            parent = tree.parents[position]
            if parent >= 0:
                reaches[parent] = _worse((upward, reaches[parent]))
            else:
                whole = _worse((upward, whole))
        return reaches, whole


def _worse(reaches: Iterable[_Reach | None]) -> _Reach | None:
    known = [reach for reach in reaches if reach is not None]
    return tuple(map(min, zip(*known, strict=True))) if len(known) > 1 else known[0] if known else None
