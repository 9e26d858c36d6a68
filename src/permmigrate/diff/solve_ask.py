"""Ask the solver what can happen to one principal at one place, and let Cedar confirm it under real texts.

Questions that differ in names only are asked once. It knows findings neither in nor out.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final, NamedTuple

import cedarpy

from permmigrate.cedar import Atom
from permmigrate.cedar.request import Request, Side
from permmigrate.cedar.shapes import Field, RecordOf, Scalar, Schema, SetOf, Uid, Unknown
from permmigrate.cedar.solve import Answer, Case, Known, Prepared, Question, Sat, Undecided, Why
from permmigrate.cedar.universe import COLLECTION_ATTRIBUTE, FOLDER_ATTRIBUTE, PLACES, Universe
from permmigrate.diff.derive_ask import Decision, Sides, Worlds, policies
from permmigrate.diff.derive_value import Spot
from permmigrate.diff.derive_ways import WayFinder
from permmigrate.diff.solve_places import FOLDER_TYPE, Ground, Stop, tested
from permmigrate.diff.solve_texts import (
    Asked,
    JsonObject,
    Who,
    cut,
    entities,
    relevant,
    settled_places,
    strings,
    written,
)
from permmigrate.diff.value import Verdict, Witness
from permmigrate.diff.witness_request import RequestMaker, entity
from permmigrate.entitlements import Entitlements
from permmigrate.entitlements.custom import CEDAR_TYPES
from permmigrate.model import PrincipalRef, PrincipalType, UserId

WANTED: Final[Mapping[Verdict, tuple[bool | None, ...]]] = {
    Verdict.GAINED: (False, False, True, True),
    Verdict.MAYBE_GAINED: (False, True, True, True),
    Verdict.LOST: (True, True, False, False),
    Verdict.MAYBE_LOST: (False, True, False, False),
    Verdict.UNKNOWN: (None, None, False, True),
}
"""What before and after decide, each at least and at most, for a request to show the verdict."""
STRINGS: Final = Field(SetOf(Scalar("String")))


class Outcome(NamedTuple):
    """What becomes of one set of atoms at one stop."""

    shown: Mapping[Verdict, Witness]
    """The verdicts that some request shows; none means that nothing changes."""
    undecided: str = ""
    """Why more may change than that."""


class Asking(NamedTuple):
    """A question about one principal at one stop."""

    question: Question
    folders: list[str | None]
    """The folder that each of its cases is about."""
    texts: tuple[tuple[str, ...], ...]
    """The four worlds' statements as they were cut."""
    personal: bool
    """Whether a condition is on who asks."""


@dataclass
class Asker:
    """Answers for one comparison."""

    entitlements: Entitlements
    checks: int = 0
    """How many different questions the solver was asked."""
    unconfirmed: int = 0
    _answers: dict[tuple[object, ...], Answer] = field(default_factory=dict)
    _worlds: dict[tuple[PrincipalRef, Spot], Worlds] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ways = WayFinder(self.entitlements)
        self.requests = RequestMaker(self.entitlements)

    def outcome(self, principal: PrincipalRef, ground: Ground, stop: Stop, atoms: Sequence[int]) -> Outcome:
        """Decide the atoms (their numbers in the scope's universe) for a principal at a stop."""
        universe = self.entitlements.universe(ground.scope)
        shown: dict[Verdict, Witness] = {}
        reasons: dict[str, None] = {}
        for alike in _alike(universe, atoms):
            for verdict, answer in self._ask(principal, ground, stop, universe, alike):
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
        named = frozenset(s for side in sides for one in side for s in strings(one))
        ids = frozenset(
            i for side in sides for one in side for t, i in entities(one) if t == atom.resource_type
        ) | frozenset(a.entity_id for _, a in universe.of_type(atom.resource_type) if a.entity_id)
        cases = list(ground.cases(stop, atom.resource_type, attributes, named, ids))
        surely, never = _always([case for _, case in cases])
        texts = [written(settled_places(one, surely, never) for one in side) for side in sides]
        cuts = {text: cut(text) for text in set().union(*texts)}
        left = frozenset[str]().union(*(one.strings for one in cuts.values()))
        cases = list(ground.cases(stop, atom.resource_type, attributes, named & left, ids))
        others = _other_values(universe, atom)
        everything = len(atoms) == _variants(universe, atom)
        full = [
            (folder, tested(case, {} if everything else dict(one.tests), others, one.entity_id, ids))
            for folder, case in cases
            for one in (atoms[:1] if everything else atoms)
        ]
        question = Question(
            schema=self.schema,
            principal_type=CEDAR_TYPES[principal.type],
            action=action,
            resource_type=atom.resource_type,
            sides=tuple(Side(tuple(cuts[text].document for text in side)) for side in texts),
            principal=self._known(principal),
            cases=tuple(case for _, case in full),
        )
        personal = any(one.personal for one in cuts.values())
        return Asking(question, [folder for folder, _ in full], tuple(texts), personal)

    def _statements(self, principal: PrincipalRef, spot: Spot, asked: Asked) -> list[list[JsonObject]]:
        """The statements of the four worlds: before at least and at most, after likewise."""
        key = (principal, spot)
        if key not in self._worlds:
            self._worlds[key] = Worlds.of(*self.ways.of(principal, spot))
        before, after = self._who(principal)
        least, most, after_least, after_most = self._worlds[key]
        return [
            list(relevant(least, asked, before)),
            list(relevant(most, asked, before)),
            list(relevant(after_least, asked, after)),
            list(relevant(after_most, asked, after)),
        ]

    def _who(self, principal: PrincipalRef) -> tuple[Who, Who]:
        uid, found = (CEDAR_TYPES[principal.type], str(principal.id)), []
        for snapshot in (self.ways.legacy.snapshot, self.entitlements.snapshot):
            is_user = principal.type is PrincipalType.USER
            groups = snapshot.groups_of.get(UserId(principal.id), ()) if is_user else ()
            found.append(Who(uid, frozenset((CEDAR_TYPES[PrincipalType.GROUP], str(g)) for g in groups)))
        return found[0], found[1]

    def _known(self, principal: PrincipalRef) -> Known:
        user = self.entitlements.snapshot.user_by_id.get(principal.id)
        is_user = principal.type is PrincipalType.USER and user is not None
        root = {"root": user.root} if is_user and user is not None and user.root is not None else {}
        return Known(str(principal.id), self._who(principal)[1].groups, root)

    # ------------------------------------------------------------------ asking

    def _decided(self, principal: PrincipalRef, asking: Asking, wanted: tuple[bool | None, ...]) -> Answer:
        question = asking.question
        if asking.personal:
            before, after = self._who(principal)
            if before.groups != after.groups:
                reason = "a condition on who asks, whose groups are not the same on both sides"
                return Undecided(Why.BEYOND, reason)
        key = (
            principal if asking.personal else principal.type,
            (question.action, question.resource_type),
            asking.texts,
            tuple(map(_case_key, question.cases)),
            wanted,
        )
        if key not in self._answers:
            self.checks += 1
            self._answers[key] = Prepared(question).decide(wanted)
        return self._answers[key]

    def _confirmed(
        self,
        principal: PrincipalRef,
        stop: Stop,
        asking: Asking,
        answer: Sat,
        verdict: Verdict,
    ) -> Witness | Undecided:
        """The request made this principal's, at this place, and put to Cedar under the texts as they are."""
        cases = asking.question.cases
        folder = None if answer.case is None else asking.folders[cases.index(answer.case)]
        resource, attributes = self._resource(stop, answer.request, folder)
        who = (CEDAR_TYPES[principal.type], str(principal.id))
        request = replace(answer.request, principal=who, resource=resource)
        sides = self._replayed(principal, stop.spot, request, attributes)
        if sides.verdict is not verdict:
            self.unconfirmed += 1
            reason = "it hangs on folders or people otherwise than is encoded"
            return Undecided(Why.UNCONFIRMED, reason)
        return Witness(
            principal=entity(*who),
            action=entity(*request.action),
            resource=entity(*resource),
            attributes=dict(sorted(attributes.items())),
            context=dict(request.context),
            before=_words(sides.before_least, sides.before_most),
            after=_words(sides.after_least, sides.after_most),
        )

    def _resource(self, stop: Stop, request: Request, folder: str | None) -> tuple[Uid, Mapping[str, Any]]:
        """The resource where the folder is, with all that is above it."""
        type_, id_ = request.resource
        attributes = dict(request.entity(request.resource).attributes)
        if FOLDER_ATTRIBUTE in attributes and stop.spot.scope in self.entitlements.trees:
            tree = self.entitlements.trees[stop.spot.scope]
            above = list(tree.ancestor_ids(tree.index[folder])) if folder is not None else []
            if type_ == FOLDER_TYPE and id_ != folder:
                above = [id_, *above]
            attributes[FOLDER_ATTRIBUTE] = above
        return (type_, id_), attributes

    def _replayed(
        self, principal: PrincipalRef, spot: Spot, request: Request, attributes: Mapping[str, Any]
    ) -> Sides:
        asked = {
            "principal": {"type": request.principal[0], "id": request.principal[1]},
            "action": {"type": request.action[0], "id": request.action[1]},
            "resource": {"type": request.resource[0], "id": request.resource[1]},
            "context": dict(request.context),
        }
        found: list[Decision] = []
        for number, texts in enumerate(self._worlds[principal, spot]):
            snapshot = self.entitlements.snapshot if number > 1 else self.ways.legacy.snapshot
            stored: dict[Uid, dict[str, Any]] = {
                request.resource: {"uid": asked["resource"], "attrs": dict(attributes), "parents": []}
            }
            for one in request.entities:
                if one.uid != request.resource:
                    stored[one.uid] = dict(one.document())
            who = self.requests.who(principal, snapshot)
            own = stored.get(request.principal, {"attrs": {}})
            stored[request.principal] = {**who, "attrs": dict(own["attrs"]) | dict(who["attrs"])}
            groups = [
                {"uid": _document(uid), "attrs": {}, "parents": [_document(one) for one in sorted(above)]}
                for uid, above in self.schema.action_parents.items()
                if above
            ]
            result = cedarpy.is_authorized(asked, policies(texts), json.dumps([*stored.values(), *groups]))
            undecided = result.decision is cedarpy.Decision.NoDecision
            found.append(None if undecided else bool(result.allowed))
        return Sides(*found)

    # ------------------------------------------------------------------ the schema

    @cached_property
    def schema(self) -> Schema:
        """The catalog's, with what the universes add to it and what is known of principals."""
        schema = Schema.of(self.entitlements.snapshot.catalog.schema)
        found = {name: dict(record.fields) for name, record in schema.entities.items()}
        for universe in self.entitlements.compiler.universes.values():
            for type_, attributes in universe.attributes.items():
                fields = found.setdefault(type_, {})
                for name in attributes - fields.keys():
                    missing = Field(
                        Unknown(f"`{name}`, which the schema does not give {type_}"), required=False
                    )
                    fields[name] = STRINGS if name in PLACES else missing
        if any(user.root is None for user in self.entitlements.snapshot.users):
            user = found.setdefault(CEDAR_TYPES[PrincipalType.USER], {})
            if "root" in user:
                user["root"] = Field(Unknown("whether the user is root, which was not read"), required=False)
        return replace(schema, entities={name: RecordOf(fields) for name, fields in found.items()})


def _alike(universe: Universe, atoms: Sequence[int]) -> list[list[Atom]]:
    """The atoms in lists of those that differ in attribute values only."""
    found: dict[tuple[str, ...], list[Atom]] = {}
    for number in atoms:
        atom = universe.atoms[number]
        key = (atom.action_type, atom.action, atom.resource_type, atom.entity_id)
        found.setdefault(key, []).append(atom)
    return list(found.values())


def _variants(universe: Universe, atom: Atom) -> int:
    key = (atom.action_type, atom.action, atom.entity_id)
    same = universe.of_type(atom.resource_type)
    return sum((one.action_type, one.action, one.entity_id) == key for _, one in same)


def _other_values(universe: Universe, atom: Atom) -> Mapping[str, frozenset[str]]:
    """For each attribute that policies test, the values they name."""
    found: dict[str, set[str]] = {name: set() for name, _ in atom.tests}
    for _, one in universe.of_type(atom.resource_type):
        for name, value in one.tests:
            if value is not None:
                found.setdefault(name, set()).add(value)
    return {name: frozenset(values) for name, values in found.items()}


def _always(
    cases: Sequence[Case],
) -> tuple[dict[str, frozenset[str]], dict[str, frozenset[str]]]:
    """What every case's sets hold, and what none's does."""
    surely: dict[str, frozenset[str]] = {}
    never: dict[str, frozenset[str]] = {}
    for name in (FOLDER_ATTRIBUTE, COLLECTION_ATTRIBUTE):
        if all(name in case.holds for case in cases):
            surely[name] = frozenset.intersection(*(case.holds[name] for case in cases))
            never[name] = frozenset.intersection(*(case.lacks[name] for case in cases))
    return surely, never


def _case_key(case: Case) -> tuple[object, ...]:
    tables = (case.differs, case.holds, case.lacks)
    return (
        case.id,
        tuple(sorted(case.other_than)),
        tuple(sorted(case.equals.items())),
        *(tuple(sorted((name, tuple(sorted(values))) for name, values in table.items())) for table in tables),
    )


def _words(least: Decision, most: Decision) -> str:
    if least == most:
        return "allow" if least else "deny"
    return "allow or deny"


def _document(uid: Uid) -> dict[str, str]:
    return {"type": uid[0], "id": uid[1]}
