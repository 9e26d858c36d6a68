"""Keys that would begin to get 403, and keys that hold more than they held, by API operation.

A page of the Console is no operation: no key opens one, so losing it is not told, and gaining it only when
nothing else is gained.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from permmigrate.cedar import Universe
from permmigrate.cedar.words import FEATURE, action_of, label_of, resource_of
from permmigrate.diff.api_operations import operations_of
from permmigrate.diff.decide import state_at
from permmigrate.diff.value import Concern, ConcernKind, Severity
from permmigrate.diff.verdicts import Side, State, Verdicts, judge, sides
from permmigrate.entitlements import Entitlements, Grant, Holding
from permmigrate.model import PrincipalRef, PrincipalType, ScopeType

SeverityOf = Callable[[ScopeType, int], Severity]


def key_concerns(entitlements: Entitlements, severity_of: SeverityOf) -> Iterator[Concern]:
    """At most one concern of each kind for every key."""
    run = _Keys(entitlements)
    for principal in entitlements.principals:
        if principal.type in (PrincipalType.API_KEY, PrincipalType.ACCOUNT_KEY):
            denied, more = _Told(), _Told()
            for holding in entitlements.holdings(principal):
                run.tell(principal.type, holding, denied, more)
            once = ", once it is enabled" if entitlements.snapshot.is_dormant(principal) else ""
            if denied.parts:
                text = f"{'begins' if denied.sure else 'may begin'} to get 403 where it worked before{once}"
                yield run.concern(ConcernKind.KEY_DENIED, principal, text, denied, severity_of)
            if more.parts:
                text = f"{'holds' if more.sure else 'may hold'} more than it held{once}"
                yield run.concern(ConcernKind.KEY_OVERPOWERED, principal, text, more, severity_of)


@dataclass
class _Told:
    """What becomes of one key in one direction."""

    sure: bool = False
    parts: list[tuple[ScopeType, int]] = field(default_factory=list)
    """The atoms concerned, scope by scope."""
    where: dict[str, list[str]] = field(default_factory=dict)
    """Each operation in words, and the scopes in which it is concerned."""
    also: list[str] = field(default_factory=list)
    causes: list[str] = field(default_factory=list)

    def add(self, scope: str, operations: Iterable[str], *, sure: bool) -> None:
        self.sure = self.sure or sure
        for words in operations:
            if sure or scope not in self.where.get(words, ()):
                self.where.setdefault(words if sure else f"perhaps {words}", []).append(scope)


@dataclass
class _Keys:
    entitlements: Entitlements
    _pages: dict[ScopeType, int] = field(default_factory=dict)

    def tell(self, holder: PrincipalType, holding: Holding, denied: _Told, more: _Told) -> None:
        """Put on record what becomes of a key in one scope."""
        state = State().with_grants(holding.before.wide, holding.after.wide)
        tree = self.entitlements.trees[holding.scope]
        named = holding.before.folders.keys() | holding.after.folders.keys()
        inside = {tree.paths[tree.index[name]]: judge(state_at(holding, tree, name)) for name in named}
        self._lose(holder, holding, sides(state)[0], judge(state), inside, denied)
        self._gain(holder, holding, judge(state), inside, more)

    def _lose(
        self,
        holder: PrincipalType,
        holding: Holding,
        before: Side,
        wide: Verdicts,
        inside: Mapping[str, Verdicts],
        told: _Told,
    ) -> None:
        """Whatever is lost outside of the folders that the key holds roles on."""
        usable = holding.valid & ~self._pages_of(holding)
        lost = (wide.lost | wide.maybe_lost) & usable
        if lost:
            had = _operations(holder, self._universe(holding), before.possible & usable)
            for atoms, sure in ((wide.lost & lost, True), (wide.maybe_lost & lost, False)):
                found = _operations(holder, self._universe(holding), atoms)
                words = (f"{each} (for some)" if had[each] & ~lost else each for each in found)
                told.add(self._name(holding), words, sure=sure and bool(atoms))
            kept = sorted(path for path, here in inside.items() if lost & ~(here.lost | here.maybe_lost))
            told.also += [f"some of it stays in {path}" for path in kept]
            told.parts.append((_scope(holding), lost))
            told.causes += _causes(holding.before, lost)

    def _gain(
        self,
        holder: PrincipalType,
        holding: Holding,
        wide: Verdicts,
        inside: Mapping[str, Verdicts],
        told: _Told,
    ) -> None:
        """Whatever is gained, in the whole scope or in some folder."""
        sure, perhaps = wide.gained, wide.maybe_gained
        for here in inside.values():
            sure |= here.gained & self._universe(holding).folder_mask
            perhaps |= here.maybe_gained & self._universe(holding).folder_mask
        sure, perhaps = sure & holding.valid, perhaps & ~sure & holding.valid
        gained = sure | perhaps
        if gained:
            shown = gained & ~self._pages_of(holding) or gained
            for atoms, surely in ((sure, True), (perhaps, False)):
                found = _operations(holder, self._universe(holding), atoms & shown)
                told.add(self._name(holding), found, sure=surely and bool(atoms))
            told.parts.append((_scope(holding), gained))
            told.causes += _causes(holding.after, gained)

    def concern(
        self, kind: ConcernKind, principal: PrincipalRef, text: str, told: _Told, severity_of: SeverityOf
    ) -> Concern:
        every = len(self.entitlements.snapshot.environments)
        details = [
            f"{words}, in " + ("every environment" if len(where) == every > 1 else ", ".join(where))
            for words, where in told.where.items()
        ]
        return Concern(
            kind,
            principal,
            min((severity_of(*part) for part in told.parts), key=lambda severity: severity.rank),
            text,
            (*details, *told.also),
            tuple(dict.fromkeys(told.causes)),
        )

    def _universe(self, holding: Holding) -> Universe:
        return self.entitlements.universe(holding.scope)

    def _name(self, holding: Holding) -> str:
        if not holding.scope:
            return "the account"
        environment = self.entitlements.snapshot.environment_by_id[holding.scope]
        return environment.name or environment.cloud_name

    def _pages_of(self, holding: Holding) -> int:
        scope = _scope(holding)
        if scope not in self._pages:
            atoms = self._universe(holding).atoms
            self._pages[scope] = sum(
                1 << bit for bit, atom in enumerate(atoms) if resource_of(atom).startswith(FEATURE)
            )
        return self._pages[scope]


def _scope(holding: Holding) -> ScopeType:
    return ScopeType.ENVIRONMENT if holding.scope else ScopeType.ACCOUNT


def _operations(holder: PrincipalType, universe: Universe, atoms: int) -> dict[str, int]:
    """API operations in words, or the action where none is known, and the atoms behind each."""
    found: dict[str, int] = {}
    for bit in universe.bits(atoms):
        action, resource = action_of(universe.atoms[bit]), resource_of(universe.atoms[bit])
        why = "a page of the Console" if resource.startswith(FEATURE) else "no API is known for it"
        known = [operation.words for operation in operations_of(holder, action, resource)]
        for words in known or [f"{label_of(universe.atoms[bit])} ({why})"]:
            found[words] = found.get(words, 0) | 1 << bit
    return found


def _causes(grants: Iterable[Grant], atoms: int) -> list[str]:
    return [grant.cause for grant in grants if grant.cause and grant.masks.touched & atoms]
