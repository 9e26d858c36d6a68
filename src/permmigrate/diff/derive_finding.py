"""Explain one finding: the request that shows it, why each side answers so, and what else its rows make."""

from __future__ import annotations

from dataclasses import dataclass

from permmigrate.diff.derive import Derivation
from permmigrate.diff.derive_account import Account
from permmigrate.diff.value import Capability, Cause, Diff, Finding, Region, RegionKind, Verdict, Witness
from permmigrate.diff.witness import Refuted, Witnesses
from permmigrate.entitlements import Place


@dataclass(frozen=True, slots=True)
class Sibling:
    """A cause of a finding, and what else it makes."""

    cause: Cause
    others: tuple[Finding, ...]
    """The other findings that it makes, the worst first."""


@dataclass(frozen=True, slots=True)
class Explained:
    """Everything there is to say about one finding."""

    finding: Finding
    name: str
    capabilities: tuple[Capability, ...]
    witness: Witness | None
    """As Cedar was asked; None for an unknown."""
    derivation: Derivation
    """For the worst of the capabilities."""
    causes: tuple[Sibling, ...]


def explained(account: Account, diff: Diff, finding: Finding) -> Explained:
    """Explain a finding of the comparison that the account was made for."""
    capabilities = tuple(diff.capabilities[number] for number in finding.capabilities)
    asked = account.reader.asked(capabilities[0], finding.region)
    witness = finding.witness
    if witness is None and finding.verdict is not Verdict.UNKNOWN:
        place = _place(finding.region)
        atoms = sum(1 << atom for atom in asked.atoms)
        witnesses = Witnesses(account.entitlements)
        shown = witnesses.of(finding.principal, asked.scope, place, atoms, finding.verdict)
        witness = None if isinstance(shown, Refuted) else shown
    return Explained(
        finding=finding,
        name=account.entitlements.snapshot.principal_name(finding.principal),
        capabilities=capabilities,
        witness=witness,
        derivation=account.derivations.why(finding.principal, asked),
        causes=tuple(
            Sibling(cause, tuple(one for one in diff.findings if cause.ref in one.causes and one != finding))
            for cause in diff.causes
            if cause.ref in finding.causes
        ),
    )


def _place(region: Region) -> Place:
    if region.kind in (RegionKind.FOLDER, RegionKind.COLLECTION):
        return Place(region.kind.value, region.content_id)
    return Place()
