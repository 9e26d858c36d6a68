"""What becomes of one unknown finding for one principal: which verdicts begin where in its region.

A question is put once for all places and people that nothing undecided tells apart. Findings are made
elsewhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

from permmigrate.cedar import Located, Universe
from permmigrate.cedar.words import FEATURE, action_of, condition_of, resource_of
from permmigrate.diff.derive_value import Spot, scope_type
from permmigrate.diff.derive_ways import WayFinder
from permmigrate.diff.profiles import Profiles
from permmigrate.diff.solve_held import KEPT, PEOPLE, Holdings, Turn
from permmigrate.diff.solve_named import Named
from permmigrate.diff.value import Capability, Finding, Region, RegionKind, Verdict
from permmigrate.entitlements import FolderTree, Grant, Place
from permmigrate.entitlements.places import COLLECTION, FOLDER, SCOPE
from permmigrate.model import PrincipalRef, PrincipalType

if TYPE_CHECKING:
    from permmigrate.diff.solve_ask import Answers, Asker, Outcome
    from permmigrate.diff.solve_places import Ground, Stop

DOUBTS: Final = ("not known whether it reaches their members", "a principal in a role's policy")
"""What no solver can tell: how the vendor reads such a policy."""
UNDECIDED: Final = ", which is not decided"
"""How a reason ends that names a statement outside the atoms (`entitlements` says so)."""


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


class Begun(NamedTuple):
    """One verdict on one capability from where it begins."""

    at: At
    capability: int
    verdict: Verdict
    why: str
    like: At
    """The question that was asked: this one, or the first that is one with it."""
    folders: int


class Said(NamedTuple):
    """What is said of some atoms at one stop."""

    atoms: int
    why: Mapping[Verdict, str]
    """The verdicts, for an unknown why."""
    like: At
    """Where that was found out."""


@dataclass(frozen=True, eq=False, slots=True)
class Spoken:
    """What is said of a finding's capabilities at one stop; sets of them are masks, by their order."""

    open: int
    """Those about which there is something to say."""
    verdicts: tuple[tuple[Verdict, int], ...]
    said: Mapping[int, Said]


class Matter(NamedTuple):
    """What a finding is about, for one type of principal."""

    scope: str
    wide: bool
    """Whether the whole scope is its region: then not everything lies in the folders that are in it."""
    capabilities: tuple[int, ...]
    type: PrincipalType


@dataclass
class Settling:
    """Answers for one comparison, one finding after the other."""

    profiles: Profiles
    ways: WayFinder
    capabilities: tuple[Capability, ...]
    answers: Answers
    _grounds: dict[tuple[PrincipalRef, str], Ground] = field(default_factory=dict)
    _by_capability: dict[str, dict[tuple[str, str, str], list[int]]] = field(default_factory=dict)
    _spoken: dict[tuple[object, ...], Spoken] = field(default_factory=dict)
    _known: dict[tuple[object, ...], Said] = field(default_factory=dict)
    """What was found out, by all that it hangs on."""
    _outcomes: dict[tuple[object, ...], Outcome] = field(default_factory=dict)
    _masks: dict[tuple[object, ...], tuple[int, frozenset[int]]] = field(default_factory=dict)
    _people: dict[tuple[PrincipalRef, bool], object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.entitlements = self.profiles.entitlements
        self.holdings = Holdings(self.profiles)
        self.named = Named(self.entitlements)

    @cached_property
    def asker(self) -> Asker:
        from permmigrate.diff.solve_ask import Asker  # the solver takes a moment to load

        return Asker(self.entitlements, self.ways, self.answers)

    def parts(self, finding: Finding) -> Iterator[tuple[PrincipalRef, list[tuple[Part, Begun]]]]:
        """For each of its principals the finding's verdicts, each where it begins.

        Principals for whom the same is said at the same places share them.
        """
        scope = finding.region.environment_id
        place = place_of(finding.region, self.entitlements.trees[scope])
        known: dict[object, list[tuple[Part, Begun]]] = {}
        for principal in finding.principals:
            matter = Matter(scope, not place.kind, finding.capabilities, principal.type)
            turns = self.holdings.turns(principal, scope, place)
            spoken = [self._spoken_at(matter, principal, turn) for turn in turns]
            key = (tuple(turn.place for turn in turns), tuple(spoken))
            if key not in known:
                begun = self._begun(matter, principal, turns, spoken)
                known[key] = _gathered(begun, finding.reason)
            yield principal, known[key]

    # ------------------------------------------------------------------ down the tree

    def _begun(
        self, matter: Matter, principal: PrincipalRef, turns: Sequence[Turn], spoken: Sequence[Spoken]
    ) -> list[Begun]:
        """Where each capability's verdicts begin, one capability after the other, from the top down."""
        found: list[tuple[int, Verdict, int, Counter[int]]] = []
        open_: list[dict[Verdict, list[tuple[int, int]]]] = []
        for number, (turn, said) in enumerate(zip(turns, spoken, strict=True)):
            above = open_[turn.upper] if turn.upper >= 0 else {}
            here = {
                verdict: [(at, mask & ~said.open) for at, mask in began if mask & ~said.open]
                for verdict, began in above.items()
            }
            for verdict, capabilities in said.verdicts:
                left, began = capabilities, here.setdefault(verdict, [])
                for at, mask in above.get(verdict, ()):
                    if mask & capabilities:
                        began.append((at, mask & capabilities))
                        left &= ~mask
                if left:
                    began.append((len(found), left))
                    found.append((number, verdict, left, Counter()))
                for at, mask in began:
                    if mask & capabilities:
                        found[at][3][mask] += turn.own
            open_.append(here)
        begun = []
        for number, verdict, capabilities, extents in found:
            for at in _bits(capabilities):
                one = spoken[number].said[at]
                order = at, number, list(one.why).index(verdict)
                begun.append((order, verdict, sum(n for mask, n in extents.items() if mask >> at & 1)))
        return [
            self._one(matter, principal, turns[number], spoken[number].said[at], at, verdict, folders)
            for (at, number, _), verdict, folders in sorted(begun)
        ]

    def _one(
        self,
        matter: Matter,
        principal: PrincipalRef,
        turn: Turn,
        said: Said,
        at: int,
        verdict: Verdict,
        folders: int,
    ) -> Begun:
        asked = self._at(principal, matter.scope, turn, said.atoms)
        return Begun(asked, matter.capabilities[at], verdict, said.why[verdict], said.like, folders)

    def _at(self, principal: PrincipalRef, scope: str, turn: Turn, atoms: int) -> At:
        return At(principal, self._ground(principal, scope), self._stop(turn), tuple(_bits(atoms)))

    def _stop(self, turn: Turn) -> Stop:
        from permmigrate.diff.solve_places import Stop

        scope, place = self.entitlements.places.of(turn.place)
        if place.kind == "folder":
            tree = self.entitlements.trees[scope]
            return Stop(place, Spot(scope, tree.ancestor_ids(tree.index[place.id])))
        return Stop(place, Spot(scope, (), (place.id,) if place.kind else ()))

    def _ground(self, principal: PrincipalRef, scope: str) -> Ground:
        from permmigrate.diff.solve_places import Ground

        key = (principal, scope)
        if key not in self._grounds:
            if len(self._grounds) >= PEOPLE:
                self._grounds.clear()
            folders, collections = self.holdings.begins(principal, scope)
            self._grounds[key] = Ground(scope, self.entitlements.trees[scope], folders, collections)
        return self._grounds[key]

    # ------------------------------------------------------------------ what is said at a stop

    def _spoken_at(self, matter: Matter, principal: PrincipalRef, turn: Turn) -> Spoken:
        key = (matter, turn.granted.number, *self._told(matter.scope, principal, turn))
        found = self._spoken.get(key)
        if found is None:
            if len(self._spoken) >= KEPT:
                self._spoken.clear()
            found = self._spoken[key] = self._speak(matter, principal, turn)
        return found

    def _speak(self, matter: Matter, principal: PrincipalRef, turn: Turn) -> Spoken:
        kind = self.entitlements.places.kind[turn.place]
        told = self._told(matter.scope, principal, turn)
        said: dict[int, Said] = {}
        verdicts: dict[Verdict, int] = {}
        for at, number in enumerate(matter.capabilities):
            atoms, lies_in = self._atoms(matter.scope, matter.type, self.capabilities[number])
            here = atoms & turn.granted.unknown
            if here and (kind in lies_in or not matter.wide):
                said[at] = self._said(matter.scope, principal, turn, here, told)
                for verdict in said[at].why:
                    verdicts[verdict] = verdicts.get(verdict, 0) | 1 << at
        return Spoken(sum(1 << at for at in said), tuple(verdicts.items()), said)

    def _told(self, scope: str, principal: PrincipalRef, turn: Turn) -> tuple[object, ...]:
        """What undecided policies can tell of whoever asks, and of where."""
        kind, who = int(self.entitlements.places.kind[turn.place]), self._who(principal, scope)
        if not self.named.in_scope(scope):
            return kind, who
        return kind, who, *self.named.places(self._ground(principal, scope), self._stop(turn))

    def _who(self, principal: PrincipalRef, scope: str) -> object:
        compared = self.named.compared(scope)
        if compared is None:
            return principal.type
        key = (principal, bool(scope))
        if key not in self._people:
            self._people[key] = self.asker.likeness(principal, compared)
        return self._people[key]

    def _said(
        self, scope: str, principal: PrincipalRef, turn: Turn, atoms: int, told: tuple[object, ...]
    ) -> Said:
        """The verdicts of some atoms at one stop, for an unknown why; and where that was found out."""
        undecided = [one for one in turn.granted.undecided if atoms & _opaque(one[0])]
        state = tuple(field_ & atoms for field_ in turn.granted.state)
        grants = frozenset((_essence(grant, atoms), place) for grant, place in undecided)
        where = scope if any(isinstance(essence, int) for essence, _ in grants) else bool(scope)
        key = (told, where, atoms, state, grants)
        if key not in self._known:
            at = self._at(principal, scope, turn, atoms)
            self._known[key] = Said(atoms, self._why(at, atoms, undecided), at)
        return self._known[key]

    def _why(self, at: At, atoms: int, undecided: Iterable[tuple[Grant, int]]) -> Mapping[Verdict, str]:
        doubts = dict.fromkeys(
            reason
            for grant, _ in undecided
            for mask, reason in grant.reasons
            if mask & atoms and any(doubt in reason for doubt in DOUBTS)
        )
        if doubts:
            return {Verdict.UNKNOWN: "; ".join(doubts)}
        outcome = self.outcome(at)
        found = dict.fromkeys(outcome.shown, "")
        if outcome.undecided:
            found[Verdict.UNKNOWN] = outcome.undecided
        return found

    def outcome(self, at: At) -> Outcome:
        """What the solver says of a question."""
        key = (at.principal, at.ground.scope, at.stop.place, at.atoms)
        if key not in self._outcomes:
            if len(self._outcomes) >= KEPT:
                self._outcomes.clear()
            self._outcomes[key] = self.asker.outcome(at.principal, at.ground, at.stop, at.atoms)
        return self._outcomes[key]

    # ------------------------------------------------------------------ atoms

    def _atoms(self, scope: str, type_: PrincipalType, capability: Capability) -> tuple[int, frozenset[int]]:
        """The atoms that a capability stands for and such a principal can ask for, and the kinds of place
        that they are asked for in."""
        key = (scope_type(scope), type_, capability)
        if key not in self._masks:
            universe = self.entitlements.universe(scope)
            numbers = self._numbers(universe, scope, capability)
            located = universe.located(universe.atoms[numbers[0]].resource_type)
            lies_in = {SCOPE}
            lies_in |= {FOLDER} if Located.FOLDER in located else set()
            lies_in |= {COLLECTION} if Located.COLLECTION in located else set()
            mask = 0
            for number in numbers:
                mask |= 1 << number
            self._masks[key] = mask & self.entitlements.valid(type_, scope), frozenset(lies_in)
        return self._masks[key]

    def _numbers(self, universe: Universe, scope: str, capability: Capability) -> list[int]:
        kind = "prodenv" if scope else "account"
        if kind not in self._by_capability:
            self._by_capability[kind] = _numbered(universe)
        found = self._by_capability[kind]
        key = (capability.action, capability.resource, capability.condition)
        if capability.action == "any" and capability.resource.startswith(FEATURE):
            return [a for (_, resource, _), atoms in found.items() if resource == key[1] for a in set(atoms)]
        return found[key]


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


def _opaque(grant: Grant) -> int:
    return grant.masks.opaque_permit | grant.masks.opaque_forbid


def _essence(grant: Grant, atoms: int) -> object:
    """What an undecided grant is: one with statements to decide itself, any other what is said of it."""
    reasons = [reason for mask, reason in grant.reasons if mask & atoms]
    if any(reason.endswith(UNDECIDED) for reason in reasons):
        return id(grant)
    return grant.text, *(mask & atoms for mask in grant.masks), *reasons


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


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
