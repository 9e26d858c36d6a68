"""What becomes of one unknown finding for one principal: which verdicts begin where in its region.

A question is put once for all places that nothing undecided tells apart. Findings are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from permmigrate.cedar import Located, Universe, Unparsed
from permmigrate.cedar.statements import documents
from permmigrate.cedar.words import FEATURE, action_of, condition_of, resource_of
from permmigrate.diff.decide import state_at
from permmigrate.diff.derive_value import scope_type
from permmigrate.diff.value import (
    Capability,
    Finding,
    Region,
    RegionKind,
    Verdict,
)
from permmigrate.diff.verdicts import State, judge
from permmigrate.entitlements import ACCOUNT_SCOPE, Entitlements, FolderTree, Grant, Holding, Place
from permmigrate.model import (
    ContentRef,
    PrincipalRef,
    ScopeType,
)

if TYPE_CHECKING:
    from permmigrate.diff.solve_ask import Answers, Asker, Outcome
    from permmigrate.diff.solve_places import Ground, Stop

DOUBTS: Final = ("not known whether it reaches their members", "a principal in a role's policy")
"""What no solver can tell: how the vendor reads such a policy."""
KEPT: Final = 4_096
"""How many holdings and answers are kept at hand."""


class Part(NamedTuple):
    """What is said of some capabilities at one stop."""

    place: Place
    verdict: Verdict
    capabilities: tuple[int, ...]
    folders: int
    reason: str


class At(NamedTuple):
    """A question: these atoms, for this principal, at this stop."""

    principal: PrincipalRef
    ground: Ground
    stop: Stop
    atoms: tuple[int, ...]


@dataclass(slots=True)
class Begun:
    """One verdict on one capability from where it begins."""

    at: At
    capability: int
    verdict: Verdict
    why: str
    like: At
    """The question that was asked: this one, or the first that is one with it."""
    folders: int = 0


@dataclass
class Settling:
    """Answers for one comparison, one finding and principal after the other."""

    entitlements: Entitlements
    capabilities: tuple[Capability, ...]
    answers: Answers
    _holdings: dict[tuple[PrincipalRef, bool], dict[str, Holding]] = field(default_factory=dict)
    """Of each principal, and in the account alone: nothing there is on a folder or collection."""
    _grounds: dict[tuple[PrincipalRef, str], Ground] = field(default_factory=dict)
    _by_capability: dict[str, dict[tuple[str, str, str], list[int]]] = field(default_factory=dict)
    _states: dict[Place, tuple[State, int]] = field(default_factory=dict)
    """Of the principal that is looked at, with the atoms that are unknown there."""
    _stops: dict[tuple[bool, bool], list[Stop]] = field(default_factory=dict)
    """Of the region that is looked at, with its folders and collections."""
    _known: dict[tuple[object, ...], tuple[Mapping[Verdict, str], At, list[Grant]]] = field(
        default_factory=dict
    )
    """What was found out, with the grants whose identity it hangs on: they must not go."""
    _outcomes: dict[tuple[object, ...], Outcome] = field(default_factory=dict)

    @cached_property
    def asker(self) -> Asker:
        from permmigrate.diff.solve_ask import Asker  # the solver takes a moment to load

        return Asker(self.entitlements, self.answers)

    def parts(self, finding: Finding, principal: PrincipalRef) -> list[tuple[Part, Begun]]:
        """The finding's verdicts for one principal, each where it begins."""
        scope = finding.region.environment_id
        holding, tree = self._holding(principal, scope), self.entitlements.trees[scope]
        ground = self._ground(principal, holding)
        place = place_of(finding.region, tree)
        self._states.clear()
        self._stops.clear()
        begun: list[Begun] = []
        for number in finding.capabilities:
            begun += self._of_capability(principal, ground, holding, place, number)
        return _gathered(begun, finding.reason)

    def _ground(self, principal: PrincipalRef, holding: Holding) -> Ground:
        from permmigrate.diff.solve_places import Ground

        key = (principal, holding.scope)
        if key not in self._grounds:
            if len(self._grounds) >= KEPT:
                self._grounds.clear()
            tree = self.entitlements.trees[holding.scope]
            self._grounds[key] = Ground.of(holding.scope, holding, tree)
        return self._grounds[key]

    def _of_capability(
        self, principal: PrincipalRef, ground: Ground, holding: Holding, place: Place, number: int
    ) -> Iterable[Begun]:
        """Where one capability's verdicts begin, from the top of the region down."""
        universe = self.entitlements.universe(ground.scope)
        atoms = [a for a in self._atoms(ground.scope, self.capabilities[number]) if holding.valid >> a & 1]
        located = universe.located(universe.atoms[atoms[0]].resource_type)
        inside = Located.FOLDER in located, Located.COLLECTION in located
        if inside not in self._stops:
            self._stops[inside] = ground.stops(place, folders=inside[0], collections=inside[1])
        stops = self._stops[inside]
        open_: dict[int, dict[Verdict, Begun]] = {}
        begun: list[Begun] = []
        for index, stop in enumerate(stops):
            state, unknown = self._state(holding, ground, stop)
            here = tuple(atom for atom in atoms if unknown >> atom & 1)
            if not here:
                continue
            upper = stop.upper
            while upper is not None and upper not in open_:
                upper = stops[upper].upper
            above = open_[upper] if upper is not None else {}
            open_[index] = {}
            at = At(principal, ground, stop, here)
            said, like = self._said(at, holding, state)
            for verdict, why in said.items():
                one = above.get(verdict)
                if one is None:
                    one = Begun(at, number, verdict, why, like)
                    begun.append(one)
                one.folders += stop.own
                open_[index][verdict] = one
        return begun

    def _state(self, holding: Holding, ground: Ground, stop: Stop) -> tuple[State, int]:
        if stop.place not in self._states:
            folder = stop.place.id if stop.place.kind == "folder" else None
            collections = (stop.place.id,) if stop.place.kind == "collection" else ()
            state = state_at(holding, ground.tree, folder, collections)
            self._states[stop.place] = state, judge(state).of(Verdict.UNKNOWN)
        return self._states[stop.place]

    def _said(self, at: At, holding: Holding, state: State) -> tuple[Mapping[Verdict, str], At]:
        """The verdicts of the atoms at one stop, for an unknown why; and where that was found out."""
        mask = sum(1 << atom for atom in at.atoms)
        undecided = [
            g for g in _grants(holding, at.stop) if mask & (g.masks.opaque_permit | g.masks.opaque_forbid)
        ]
        key = self._sameness(at, state, mask, undecided)
        if key not in self._known:
            doubts = dict.fromkeys(
                reason
                for grant in undecided
                for atoms, reason in grant.reasons
                if atoms & mask and any(doubt in reason for doubt in DOUBTS)
            )
            found = {Verdict.UNKNOWN: "; ".join(doubts)}
            if not doubts:
                outcome = self.outcome(at)
                found = dict.fromkeys(outcome.shown, "")
                if outcome.undecided:
                    found[Verdict.UNKNOWN] = outcome.undecided
            self._known[key] = found, at, undecided
        said, like, _ = self._known[key]
        return said, like

    def _sameness(self, at: At, state: State, mask: int, undecided: list[Grant]) -> tuple[object, ...]:
        """What the answer hangs on: what is sure there, the undecided grants, what they can tell apart."""
        names, personal = self._told_apart[scope_type(at.ground.scope)]
        ground, stop = at.ground, at.stop
        folders = list(ground.candidates(stop, (name for name in names if name in ground.tree.index)))
        return (
            at.principal if personal else at.principal.type,
            (ground.scope, stop.place.kind, stop.place.id if stop.place.id in names else ""),
            at.atoms,
            tuple(field_ & mask for field_ in state),
            tuple(sorted(map(id, undecided))),
            frozenset(frozenset(ground.above(folder)) & names for folder in folders),
            names & (frozenset(folders) | frozenset(ground.collections)),
        )

    @cached_property
    def _told_apart(self) -> Mapping[ScopeType, tuple[frozenset[str], bool]]:
        """The names in undecided policies, and whether a condition of theirs is on who asks."""
        from permmigrate.diff.solve_texts import entities, mentions, strings

        compiler = self.entitlements.compiler
        every = [(c.id, c.statement, {c.scope_type}) for c in compiler.custom_policies]
        every += [(p.id, p.statement, set(ScopeType)) for p in compiler.catalog.policies.values()]
        undecided = [
            (one, where)
            for policy_id, text, where in every
            if policy_id in compiler.opaque
            for one in _documents(text)
        ]
        found = {}
        for scope in ScopeType:
            here = [one for one, where in undecided if scope in where]
            names = frozenset(
                name for one in here for name in (*strings(one), *(i for _, i in entities(one)))
            )
            found[scope] = names, any(mentions(one["conditions"], "principal") for one in here)
        return found

    def outcome(self, at: At) -> Outcome:
        key = (at.principal, at.ground.scope, at.stop.place, at.atoms)
        if key not in self._outcomes:
            if len(self._outcomes) >= KEPT:
                self._outcomes.clear()
            self._outcomes[key] = self.asker.outcome(at.principal, at.ground, at.stop, at.atoms)
        return self._outcomes[key]

    def _atoms(self, scope: str, capability: Capability) -> list[int]:
        """The atoms that a capability stands for."""
        universe = self.entitlements.universe(scope)
        kind = "prodenv" if scope else "account"
        if kind not in self._by_capability:
            self._by_capability[kind] = _numbered(universe)
        found = self._by_capability[kind]
        key = (capability.action, capability.resource, capability.condition)
        if capability.action == "any" and capability.resource.startswith(FEATURE):
            return [a for (_, resource, _), atoms in found.items() if resource == key[1] for a in set(atoms)]
        return found[key]

    def _holding(self, principal: PrincipalRef, scope: str) -> Holding:
        contents = frozenset[ContentRef]() if scope == ACCOUNT_SCOPE else None
        key = (principal, scope == ACCOUNT_SCOPE)
        if key not in self._holdings:
            if len(self._holdings) >= KEPT:
                self._holdings.clear()
            found = self.entitlements.holdings_of(principal, contents)
            self._holdings[key] = {holding.scope: holding for holding in found}
        return self._holdings[key][scope]


def _gathered(begun: Iterable[Begun], reason: str) -> list[tuple[Part, Begun]]:
    """Capabilities with the same verdict from the same place on as one part, with the first of them."""
    grouped: dict[tuple[Place, Verdict, int, str], list[Begun]] = {}
    for one in begun:
        why = "" if one.why in reason else one.why
        grouped.setdefault((one.at.stop.place, one.verdict, one.folders, why), []).append(one)
    return [
        (Part(place, verdict, tuple(sorted(o.capability for o in alike)), folders, why), alike[0])
        for (place, verdict, folders, why), alike in grouped.items()
    ]


def _documents(text: str) -> tuple[Mapping[str, Any], ...]:
    found = documents(text)
    return () if isinstance(found, Unparsed) else found


def _grants(holding: Holding, stop: Stop) -> Iterator[Grant]:
    """Every grant that reaches a stop, on either side."""
    for side in (holding.before, holding.after):
        yield from side.wide
        for name in stop.spot.folders:
            yield from side.folders.get(name, ())
        for name in stop.spot.collections:
            yield from side.collections.get(name, ())


def _numbered(universe: Universe) -> dict[tuple[str, str, str], list[int]]:
    """The atoms by the words of their capabilities, with their condition and without."""
    found: dict[tuple[str, str, str], list[int]] = {}
    for number, atom in enumerate(universe.atoms):
        words = (action_of(atom), resource_of(atom))
        found.setdefault((*words, ""), []).append(number)
        if condition := condition_of(universe, atom):
            found.setdefault((*words, condition), []).append(number)
    return found


def place_of(region: Region, tree: FolderTree) -> Place:
    if not region.content_id:
        return Place()
    if region.kind is RegionKind.ACCOUNT:
        return Place("folder" if region.content_id in tree.index else "collection", region.content_id)
    return Place(region.kind.value, region.content_id)
