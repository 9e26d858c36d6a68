"""Compare before and after: who gains, who loses, where, why, and what cannot be told."""

from permmigrate.diff.value import (
    Capability,
    Cause,
    Concern,
    ConcernKind,
    Coverage,
    Diff,
    Finding,
    PrincipalSummary,
    Region,
    RegionKind,
    Severity,
    Uncertainty,
    Verdict,
    Witness,
)

__all__ = [
    "Capability",
    "Cause",
    "Concern",
    "ConcernKind",
    "Coverage",
    "Diff",
    "Finding",
    "PrincipalSummary",
    "Region",
    "RegionKind",
    "Severity",
    "Uncertainty",
    "Verdict",
    "Witness",
]
