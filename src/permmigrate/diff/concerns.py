"""What deserves an eye beside the differences of today: promotions, keys, and what is wider tomorrow.

Everything is told from the grants of a principal, not from the list of findings. Nothing new is decided here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from permmigrate.cedar.words import label_of
from permmigrate.diff.capabilities import CapabilityIndex, Severities
from permmigrate.diff.concerns_future import future_concerns
from permmigrate.diff.concerns_keys import key_concerns
from permmigrate.diff.people import promoted
from permmigrate.diff.value import Concern, ConcernKind, PrincipalSummary, Severity
from permmigrate.diff.verdicts import State, sides
from permmigrate.entitlements import ACCOUNT_SCOPE, Entitlements, Holding, Place
from permmigrate.model import RoleId, ScopeType

DETAILS_SHOWN: Final = 20


def concerns_of(
    entitlements: Entitlements, severities: Severities, summaries: Iterable[PrincipalSummary]
) -> tuple[Concern, ...]:
    """Find every concern, sorted by kind, severity and principal."""
    ratings = Ratings(entitlements, CapabilityIndex(entitlements.compiler.universes, severities))
    found = [
        *future_concerns(entitlements, ratings.of_role),
        *_promotions(entitlements, ratings, summaries),
        *key_concerns(entitlements, ratings.of_atoms),
    ]
    kinds = list(ConcernKind)
    return tuple(
        sorted(
            found, key=lambda c: (kinds.index(c.kind), c.severity.rank, str(c.principal), c.text, c.details)
        )
    )


@dataclass
class Ratings:
    """How severe sets of atoms are, and roles."""

    entitlements: Entitlements
    index: CapabilityIndex

    def of_atoms(self, scope: ScopeType, atoms: int) -> Severity:
        """The severity of the worst of some atoms; low when there are none."""
        fitting = (s for s in Severity if atoms & self._atoms[scope, s])
        return next(fitting, Severity.LOW)

    def of_role(self, role_id: RoleId) -> Severity:
        """The severity of the worst that a role permits; of one that no catalog has, critical."""
        role = self.entitlements.snapshot.catalog.roles.get(role_id)
        if role is None:
            return Severity.CRITICAL
        if role_id not in self._roles:
            parts = self.entitlements.compiler.role(role.id).parts()
            touched = 0
            for _, masks, _ in parts:
                touched |= masks.touched
            self._roles[role_id] = self.of_atoms(role.scope_type, touched)
        return self._roles[role_id]

    @cached_property
    def _atoms(self) -> Mapping[tuple[ScopeType, Severity], int]:
        return {(scope, s): self.index.atoms_of(scope, s) for scope in ScopeType for s in Severity}

    @cached_property
    def _roles(self) -> dict[RoleId, Severity]:
        return {}


def _promotions(
    entitlements: Entitlements, ratings: Ratings, summaries: Iterable[PrincipalSummary]
) -> Iterator[Concern]:
    """Who becomes an administrator of the account, and by which role."""
    critical = ratings.index.atoms_of(ScopeType.ACCOUNT, Severity.CRITICAL)
    for summary in promoted(summaries):
        holding = entitlements.reaching(summary.principal, ACCOUNT_SCOPE, Place())
        yield _promotion(entitlements, summary, holding, critical & holding.valid)


def _promotion(
    entitlements: Entitlements, summary: PrincipalSummary, holding: Holding, critical: int
) -> Concern:
    _, after = sides(State().with_grants(holding.before.wide, holding.after.wide))
    gained = after.sure & critical
    by = [grant for grant in holding.after.wide if grant.masks.permit & gained]
    through = " and ".join(dict.fromkeys(grant.text for grant in by))
    atoms = entitlements.universe(ACCOUNT_SCOPE).atoms
    labels = list(dict.fromkeys(label_of(atoms[bit]) for bit in _bits(gained)))
    shown = labels[:DETAILS_SHOWN]
    if len(labels) > len(shown):
        shown.append(f"and {len(labels) - len(shown)} more")
    once = ", once it can sign in" if summary.dormant else ""
    return Concern(
        ConcernKind.ADMIN_PROMOTION,
        summary.principal,
        Severity.CRITICAL,
        f"becomes an administrator of the account through {through}{once}",
        tuple(shown),
        tuple(dict.fromkeys(grant.cause for grant in by if grant.cause)),
    )


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low
