"""Ask the solver what can happen to one principal at one place, and let Cedar confirm it under real texts.

Questions that differ in names only are asked once. It knows findings neither in nor out.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Final, Literal, NamedTuple

from permmigrate.cedar import Atom
from permmigrate.cedar.request import Side
from permmigrate.cedar.shapes import Field, RecordOf, Scalar, Schema, SetOf, Uid, Unknown
from permmigrate.cedar.solve import (
    Answer,
    Case,
    Known,
    Prepared,
    Question,
    Sat,
    Undecided,
    Unsat,
    Why,
)
from permmigrate.cedar.universe import PLACES, Universe
from permmigrate.diff.derive_value import Spot, Way, Ways
from permmigrate.diff.derive_ways import WayFinder
from permmigrate.diff.solve_cases import alike, always, case_key, nameless, other_values, variants
from permmigrate.diff.solve_confirm import Confirmer
from permmigrate.diff.solve_places import Ground, Stop, tested
from permmigrate.diff.solve_texts import (
    EVERYTHING,
    Asked,
    Given,
    Piece,
    Who,
    about_one,
    cut,
    implies,
    relevant,
    written,
)
from permmigrate.diff.value import Verdict, Witness
from permmigrate.entitlements import Entitlements
from permmigrate.entitlements.custom import CEDAR_TYPES
from permmigrate.model import PrincipalRef, PrincipalType, UserId

Wanted = tuple[bool | None, ...]
WANTED: Final[Mapping[Verdict, Wanted]] = {
    Verdict.GAINED: (False, False, True, True),
    Verdict.MAYBE_GAINED: (False, True, True, True),
    Verdict.LOST: (True, True, False, False),
    Verdict.MAYBE_LOST: (False, True, False, False),
    Verdict.UNKNOWN: (None, None, False, True),
}
"""What before and after decide, each at least and at most, for a request to show the verdict."""
STRINGS: Final = Field(SetOf(Scalar("String")))


Answers = dict[tuple[tuple[object, ...], Wanted], Answer]
"""By all that a question says, and what is wanted of the four worlds."""


class Outcome(NamedTuple):
    """What becomes of one set of atoms at one stop."""

    shown: Mapping[Verdict, Witness]
    """The verdicts that some request shows; none means that nothing changes."""
    undecided: str = ""
    """Why more may change than that."""


class Asking(NamedTuple):
    """A question about one principal at one stop."""

    question: Question
    cases: list[tuple[str | None, Case]]
    """Its cases in full, with the folder that each is about."""
    texts: tuple[tuple[str, ...], ...]
    """The four worlds' statements as they were cut."""
    looked_at: frozenset[str]
    """The variables that conditions are on."""
    unlike: bool
    """Whether a condition is on who asks, whose groups are not the same on both sides."""


@dataclass
class Asker:
    """Answers for one comparison."""

    entitlements: Entitlements
    ways: WayFinder
    answers: Answers = field(default_factory=dict)
    """What the solver said; other comparisons of the account may have asked before."""
    checks: int = 0
    """How many different questions the solver was asked."""
    unconfirmed: int = 0
    _last: tuple[PrincipalRef, Spot, Ways] | None = None
    """What the last question was about."""
    _prepared: tuple[tuple[object, ...], Prepared] | None = None
    """The last question, which may be asked in other ways next."""
    _contexts: dict[Uid, str] = field(default_factory=dict)
    _ids: dict[tuple[str, str], frozenset[str]] = field(default_factory=dict)
    _people: dict[PrincipalRef, tuple[Who, Who]] = field(default_factory=dict)

    def outcome(self, principal: PrincipalRef, ground: Ground, stop: Stop, atoms: Sequence[int]) -> Outcome:
        """Decide the atoms (their numbers in the scope's universe) for a principal at a stop."""
        universe = self.entitlements.universe(ground.scope)
        shown: dict[Verdict, Witness] = {}
        reasons: dict[str, None] = {}
        for same in alike(universe, atoms):
            for verdict, answer in self._ask(principal, ground, stop, universe, same):
                if isinstance(answer, Witness):
                    shown.setdefault(verdict, answer)
                elif isinstance(answer, Undecided):
                    reasons[f"{answer.reason}: {answer.why}"] = None
        return Outcome(shown, "; ".join(reasons))

    def _ask(
        self, principal: PrincipalRef, ground: Ground, stop: Stop, universe: Universe, atoms: list[Atom]
    ) -> list[tuple[Verdict, Witness | Undecided]]:
        asking = self._question(principal, ground, stop, universe, atoms)
        least, most, after_least, after_most = asking.texts
        found: list[tuple[Verdict, Witness | Undecided]] = []
        for verdict, wanted in WANTED.items():
            if least == most and verdict in (Verdict.MAYBE_GAINED, Verdict.MAYBE_LOST):
                continue
            if after_least == after_most and verdict is Verdict.UNKNOWN:
                continue
            answer = self._decided(principal, asking, wanted)
            if isinstance(answer, Sat):
                found.append((verdict, self._confirmed(principal, stop, asking, answer, verdict)))
            elif isinstance(answer, Undecided):
                found.append((verdict, answer))
        self._prepared = None  # z3 gives back what it took, which is much
        return found

    def _question(
        self, principal: PrincipalRef, ground: Ground, stop: Stop, universe: Universe, atoms: list[Atom]
    ) -> Asking:
        """The question with all that is known put in."""
        atom = atoms[0]
        action = (atom.action_type, atom.action)
        asked = Asked(action, self.schema.action_groups.get(action, frozenset()), atom.resource_type)
        attributes = universe.attributes.get(atom.resource_type, frozenset())
        sides = self._statements(principal, stop.spot, asked)
        pieces = {piece.text: piece for side in sides for piece in side}.values()
        named = frozenset[str]().union(*(one.strings for one in pieces))
        ids = frozenset(i for one in pieces for t, i in one.entities if t == atom.resource_type)
        ids |= self._entity_ids(ground.scope, atom.resource_type)
        cases = list(ground.cases(stop, atom.resource_type, attributes, named, ids))
        surely, never = always([case for _, case in cases])
        known_ids = {atom.entity_id or case.id for _, case in cases}
        if len(known_ids) == 1:
            (known_id,) = known_ids
            sides = [about_one(side, known_id) for side in sides]
        texts = tuple(written(side, surely, never) for side in sides)
        cuts = {text: cut(text) for text in set().union(*texts)}
        left = frozenset[str]().union(*(one.strings for one in cuts.values()))
        looked_at = frozenset[str]().union(*(one.variables for one in cuts.values()))
        cases = list(ground.cases(stop, atom.resource_type, attributes, named & left, ids))
        others = other_values(universe, atom)
        everything = len(atoms) == variants(universe, atom)
        full = [
            (folder, tested(case, {} if everything else dict(one.tests), others, one.entity_id, ids))
            for folder, case in cases
            for one in (atoms[:1] if everything else atoms)
        ]
        if "resource" not in looked_at:
            del full[1:]
        question = Question(
            schema=self.schema,
            principal_type=CEDAR_TYPES[principal.type],
            action=action,
            resource_type=atom.resource_type,
            sides=tuple(Side(tuple(cuts[text].document for text in side)) for side in texts),
            principal=self._known(principal),
            cases=tuple(case if "resource" in looked_at else nameless(case) for _, case in full),
        )
        before, after = self._who(principal)
        unlike = "principal" in looked_at and before.groups != after.groups
        return Asking(question, full, texts, looked_at, unlike)

    def _entity_ids(self, scope: str, resource_type: str) -> frozenset[str]:
        """The ids that the atoms of a resource type name."""
        key = (scope, resource_type)
        if key not in self._ids:
            found = self.entitlements.universe(scope).of_type(resource_type)
            self._ids[key] = frozenset(atom.entity_id for _, atom in found if atom.entity_id)
        return self._ids[key]

    def _statements(self, principal: PrincipalRef, spot: Spot, asked: Asked) -> list[list[Piece]]:
        """The statements of the four worlds: before at least and at most, after likewise."""
        before, after = self._who(principal)
        ways = self._ways(principal, spot)
        return [
            relevant(_given(ways.before, "least"), asked, before),
            relevant(_given(ways.before, "most"), asked, before),
            relevant(_given(ways.after, "least"), asked, after),
            relevant(_given(ways.after, "most"), asked, after),
        ]

    def _ways(self, principal: PrincipalRef, spot: Spot) -> Ways:
        if self._last is None or self._last[:2] != (principal, spot):
            self._last = principal, spot, self.ways.of(principal, spot)
        return self._last[2]

    def _who(self, principal: PrincipalRef) -> tuple[Who, Who]:
        if principal in self._people:
            return self._people[principal]
        uid, found = (CEDAR_TYPES[principal.type], str(principal.id)), []
        for snapshot in (self.ways.legacy.snapshot, self.entitlements.snapshot):
            is_user = principal.type is PrincipalType.USER
            groups = snapshot.groups_of.get(UserId(principal.id), ()) if is_user else ()
            found.append(Who(uid, frozenset((CEDAR_TYPES[PrincipalType.GROUP], str(g)) for g in groups)))
        self._people[principal] = found[0], found[1]
        return found[0], found[1]

    def _known(self, principal: PrincipalRef) -> Known:
        user = self.entitlements.snapshot.user_by_id.get(principal.id)
        is_user = principal.type is PrincipalType.USER and user is not None
        root = {"root": user.root} if is_user and user is not None and user.root is not None else {}
        return Known(str(principal.id), self._who(principal)[1].groups, root)

    # ------------------------------------------------------------------ asking

    def _decided(self, principal: PrincipalRef, asking: Asking, wanted: Wanted) -> Answer:
        if asking.unlike:
            reason = "a condition on who asks, whose groups are not the same on both sides"
            return Undecided(Why.BEYOND, reason)
        if _is_impossible(asking.texts, wanted):
            return Unsat()
        question = asking.question
        key = (
            self._schema_text,
            self._asker(principal, asking),
            question.action if "action" in asking.looked_at else self._context_of(question.action),
            question.resource_type,
            asking.texts,
            tuple(map(case_key, question.cases)),
        )
        if (key, wanted) not in self.answers:
            self.checks += 1
            if self._prepared is None or self._prepared[0] != key:
                self._prepared = key, Prepared(question)
            self.answers[key, wanted] = self._prepared[1].decide(wanted)
        return self.answers[key, wanted]

    def _asker(self, principal: PrincipalRef, asking: Asking) -> object:
        """What conditions can tell of whoever asks."""
        if "principal" not in asking.looked_at:
            return principal.type
        compared = frozenset[Uid | None]().union(*(cut(t).compared for side in asking.texts for t in side))
        return self.likeness(principal, compared)

    def likeness(self, principal: PrincipalRef, compared: frozenset[Uid | None]) -> object:
        """What conditions that compare whoever asks with these can tell of a principal."""
        if None in compared:
            return principal
        before, after = self._who(principal)
        named = after.uid in compared
        groups = before.groups & compared, after.groups & compared, before.groups == after.groups
        attributes = tuple(sorted(self._known(principal).attributes.items()))
        return principal.type, principal.id if named else None, groups, attributes

    def _context_of(self, action: Uid) -> str:
        """The shape of an action's context: all that is left of it where no condition is on the action."""
        if action not in self._contexts:
            self._contexts[action] = repr(self.schema.contexts.get(action))
        return self._contexts[action]

    def _confirmed(
        self, principal: PrincipalRef, stop: Stop, asking: Asking, answer: Sat, verdict: Verdict
    ) -> Witness | Undecided:
        """What was found, if Cedar says so of this principal, at this place."""
        at = asking.cases[0 if answer.case is None else asking.question.cases.index(answer.case)]
        found = replace(answer.request, action=asking.question.action)
        ways = self._ways(principal, stop.spot)
        witness = self._confirmer.witness(principal, stop, ways, found, at, verdict)
        if witness is None:
            self.unconfirmed += 1
            reason = "it hangs on folders or people otherwise than is encoded"
            return Undecided(Why.UNCONFIRMED, reason)
        return witness

    @cached_property
    def _confirmer(self) -> Confirmer:
        return Confirmer(self.entitlements, self.ways, self.schema)

    # ------------------------------------------------------------------ the schema

    @cached_property
    def schema(self) -> Schema:
        """The catalog's, with what the universes add to it and what is known of principals."""
        schema = Schema.of(self.entitlements.snapshot.catalog.schema)
        found = {name: dict(record.fields) for name, record in schema.entities.items()}
        for universe in self.entitlements.compiler.universes.values():
            for type_, attributes in universe.attributes.items():
                fields = found.setdefault(type_, {})
                for name in sorted(attributes - fields.keys()):
                    missing = Field(
                        Unknown(f"`{name}`, which the schema does not give {type_}"), required=False
                    )
                    fields[name] = STRINGS if name in PLACES else missing
        if any(user.root is None for user in self.entitlements.snapshot.users):
            user = found.setdefault(CEDAR_TYPES[PrincipalType.USER], {})
            if "root" in user:
                user["root"] = Field(Unknown("whether the user is root, which was not read"), required=False)
        return replace(schema, entities={name: RecordOf(fields) for name, fields in found.items()})

    @cached_property
    def _schema_text(self) -> str:
        return repr(self.schema)


def _given(ways: Iterable[Way], world: Literal["least", "most"]) -> list[Given]:
    """The texts of some ways, each once; least or most of what nobody knows."""
    found = ((getattr(way.policies, world), way.content) for way in ways)
    return list(dict.fromkeys(Given(text, content) for text, content in found if text))


def _is_impossible(texts: Sequence[tuple[str, ...]], wanted: Wanted) -> bool:
    """Whether it takes no solver to see that no request is decided so."""
    allowing = [side for side, want in zip(texts, wanted, strict=True) if want]
    denying = [side for side, want in zip(texts, wanted, strict=True) if want is False]
    return (
        () in allowing
        or (EVERYTHING,) in denying
        or any(implies(one, other) for one in allowing for other in denying)
    )
