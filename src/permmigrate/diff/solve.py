"""Settle what hangs on conditions beyond the atoms: unknown findings become gained, lost, nothing, or stay.

Only unknown findings that name an undecided statement are touched. What stays unknown says why, with the
statement's text.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from permmigrate.cedar import Located, Universe, Unparsed
from permmigrate.cedar.statements import documents
from permmigrate.cedar.words import FEATURE, action_of, condition_of, resource_of
from permmigrate.diff.decide import state_at
from permmigrate.diff.derive_value import scope_type
from permmigrate.diff.findings import of_verdict, revised
from permmigrate.diff.people import recounted, without_findings
from permmigrate.diff.tally import INCOMPLETE, causes_of, counts_of
from permmigrate.diff.value import (
    Capability,
    Diff,
    Finding,
    PrincipalSummary,
    Region,
    RegionKind,
    Uncertainty,
    Verdict,
    Witness,
)
from permmigrate.diff.verdicts import State, judge
from permmigrate.entitlements import ACCOUNT_SCOPE, Entitlements, FolderTree, Grant, Holding, Place
from permmigrate.model import (
    ContentKind,
    ContentRef,
    EnvironmentId,
    PrincipalRef,
    PrincipalType,
    ScopeType,
    UserId,
)

if TYPE_CHECKING:
    from permmigrate.diff.solve_ask import Asker, Outcome
    from permmigrate.diff.solve_places import Ground, Stop

UNDECIDED: Final = ", which is not decided"
"""How a reason ends that names a statement outside the atoms (`entitlements` says so)."""
AND_MORE: Final = " more"
"""How a reason ends that leaves some out, which may be such."""
DOUBTS: Final = ("not known whether it reaches their members", "a principal in a role's policy")
"""What no solver can tell: how the vendor reads such a policy."""
TEXT_SHOWN: Final = 300
KEPT: Final = 4_096
"""How many holdings and answers are kept at hand."""


def settled(diff: Diff, entitlements: Entitlements) -> Diff:
    """Decide the unknown findings that hang on undecided statements, as far as can be."""
    if not any(map(_is_of_a_condition, diff.uncertainties)):
        return diff
    unknown = of_verdict(diff.findings, Verdict.UNKNOWN)
    open_ = [f for f in unknown if UNDECIDED in f.reason or f.reason.endswith(AND_MORE)]
    return _Settlement(diff, entitlements).run(open_)


def _is_of_a_condition(uncertainty: Uncertainty) -> bool:
    """Whether it is about a statement that can be read and is outside the atoms."""
    return uncertainty.kind == "statement" and uncertainty.reason.endswith(": not decided")


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
class _Settlement:
    diff: Diff
    entitlements: Entitlements
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

        return Asker(self.entitlements)

    def run(self, open_: Sequence[Finding]) -> Diff:
        diff = self.diff
        touched = {finding.id for finding in open_}
        made = [finding for one in open_ for finding in self._settle(one)]
        uncertainties = tuple(self._uncertainties(made))
        complete = not any(u.kind in INCOMPLETE for u in uncertainties)
        if not open_:
            return replace(diff, uncertainties=uncertainties, complete=complete)
        findings = revised(diff.findings, touched, made)
        summaries = self._recounted(open_, made)
        words = {cause.ref: (cause.text, cause.confidence) for cause in diff.causes}
        unchanged = without_findings(summaries)
        return replace(
            diff,
            findings=findings,
            causes=causes_of(findings, words),
            principals=summaries,
            uncertainties=uncertainties,
            complete=complete,
            counts=counts_of(findings, unchanged),
        )

    # ------------------------------------------------------------------ one finding

    def _settle(self, finding: Finding) -> Iterator[Finding]:
        """What becomes of a finding: alike for some of its principals, and otherwise for others."""
        same: dict[tuple[Part, ...], list[PrincipalRef]] = {}
        sources: dict[tuple[Part, ...], list[Begun]] = {}
        for principal in finding.principals:
            parts = self._parts(finding, principal)
            key = tuple(part for part, _ in parts)
            same.setdefault(key, []).append(principal)
            sources.setdefault(key, [source for _, source in parts])
        for key, principals in same.items():
            for part, source in zip(key, sources[key], strict=True):
                yield self._finding(finding, part, principals, source)

    def _parts(self, finding: Finding, principal: PrincipalRef) -> list[tuple[Part, Begun]]:
        """The finding's verdicts for one principal, each where it begins."""
        scope = finding.region.environment_id
        holding, tree = self._holding(principal, scope), self.entitlements.trees[scope]
        ground = self._ground(principal, holding)
        place = _place(finding.region, tree)
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
        atoms = [
            a for a in self._atoms(ground.scope, self.diff.capabilities[number]) if holding.valid >> a & 1
        ]
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
                outcome = self._outcome(at)
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

    def _outcome(self, at: At) -> Outcome:
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

    # ------------------------------------------------------------------ as findings

    def _finding(
        self, finding: Finding, part: Part, principals: list[PrincipalRef], source: Begun
    ) -> Finding:
        first, *others = principals
        witness = None
        if part.verdict is not Verdict.UNKNOWN:
            witness = self._witness(source, part.verdict)
            if witness is None:
                part = part._replace(verdict=Verdict.UNKNOWN, reason="Cedar does not confirm what was found")
        region = self._region(finding.region, part)
        worst = min((self.diff.capabilities[n].severity for n in part.capabilities), key=lambda s: s.rank)
        all_worst = min(
            (self.diff.capabilities[n].severity for n in finding.capabilities), key=lambda s: s.rank
        )
        raised = finding.severity if worst is all_worst else worst
        return replace(
            finding,
            id=self._id(first, part, region),
            principal=first,
            verdict=part.verdict,
            severity=raised,
            region=region,
            capabilities=part.capabilities,
            reason=self._reason(finding, part),
            others=tuple(UserId(other.id) for other in others if other.type is PrincipalType.USER),
            dormant=self.entitlements.snapshot.is_dormant(first),
            witness=witness,
        )

    def _witness(self, source: Begun, verdict: Verdict) -> Witness | None:
        """The request that was found, with this principal and place put in where nothing tells them apart."""
        from permmigrate.diff.solve_ask import moved

        at, like = source.at, source.like
        found = self._outcome(like).shown.get(verdict)
        if at is like or found is None:
            return found
        put = moved(found, at.principal, like.stop, at.stop)
        return put if put is not None else self._outcome(at).shown.get(verdict)

    def _reason(self, finding: Finding, part: Part) -> str:
        """On what condition it is so; for what stays unknown, why, and the text of the statements."""
        if part.verdict is not Verdict.UNKNOWN:
            return finding.reason.replace(UNDECIDED, ": it is so for some requests, as the one shown")
        texts = [text for name, text in self._texts.items() if name in finding.reason]
        return "; ".join((finding.reason, *filter(None, [part.reason]), *texts))

    @property
    def _texts(self) -> Mapping[str, str]:
        """Each undecided policy's words in reasons, and its text."""
        compiler = self.entitlements.compiler
        found = {
            f"custom policy {custom.name} has": custom.statement
            for custom in compiler.custom_policies
            if custom.id in compiler.opaque
        }
        found |= {
            f"policy {policy.name} has": policy.statement
            for policy in compiler.catalog.policies.values()
            if policy.id in compiler.opaque
        }
        return {name: f"`{_short(text)}`" for name, text in found.items()}

    def _id(self, principal: PrincipalRef, part: Part, region: Region) -> str:
        capabilities = (self.diff.capabilities[number] for number in part.capabilities)
        lines = sorted("\t".join((c.scope, c.action, c.resource, c.condition)) for c in capabilities)
        identity = (str(principal), part.verdict, region.kind, region.environment_id, region.content_id)
        text = "\n".join((*identity, *lines))
        return "f" + hashlib.sha256(text.encode()).hexdigest()[:12]

    def _region(self, region: Region, part: Part) -> Region:
        if _place(region, self.entitlements.trees[region.environment_id]) == part.place:
            return replace(region, folders=part.folders if region.folders else 0)
        kind, snapshot = ContentKind(part.place.kind), self.entitlements.snapshot
        content = ContentRef(EnvironmentId(region.environment_id), kind, part.place.id)
        if not region.environment_id:
            label = f"the account, {part.place.kind} {part.place.id}"
            return replace(region, content_id=part.place.id, label=label)
        label = snapshot.content_labels.get(content, part.place.id)
        return Region(RegionKind(kind.value), region.environment_id, part.place.id, label, part.folders)

    # ------------------------------------------------------------------ what else counts findings

    def _recounted(self, gone: Iterable[Finding], made: Iterable[Finding]) -> Sequence[PrincipalSummary]:
        """The summaries with the findings' verdicts counted anew."""
        change: dict[PrincipalRef, Counter[Verdict]] = {}
        for findings, sign in ((gone, -1), (made, 1)):
            for finding in findings:
                for principal in finding.principals:
                    change.setdefault(principal, Counter())[finding.verdict] += sign
        return recounted(self.diff.principals, change)

    def _uncertainties(self, made: list[Finding]) -> Iterator[Uncertainty]:
        """Those that are left: a statement whose every question was decided is none."""
        reasons = [finding.reason for finding in made if finding.verdict is Verdict.UNKNOWN]
        if any(f"{AND_MORE};" in f"{reason};" for reason in reasons):
            yield from self.diff.uncertainties
            return
        left = " ".join(reasons)
        compiler = self.entitlements.compiler
        names = {custom.id: custom.name for custom in compiler.custom_policies}
        decided = {names.get(policy_id, policy_id) for policy_id in compiler.opaque}
        decided -= {name for name in decided if f"policy {name} has" in left}
        for uncertainty in self.diff.uncertainties:
            if not (_is_of_a_condition(uncertainty) and uncertainty.subject in decided):
                yield uncertainty


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


def _place(region: Region, tree: FolderTree) -> Place:
    if not region.content_id:
        return Place()
    if region.kind is RegionKind.ACCOUNT:
        return Place("folder" if region.content_id in tree.index else "collection", region.content_id)
    return Place(region.kind.value, region.content_id)


def _short(text: str) -> str:
    words = " ".join(text.split())
    return words if len(words) <= TEXT_SHOWN else words[: TEXT_SHOWN - 1] + "…"
