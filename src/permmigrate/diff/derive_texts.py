"""Policy text as Cedar is given it: split into statements, bound to content, sure or not. Decides nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, NamedTuple

import cedarpy

from permmigrate.cedar import ANY, PrincipalConstraint, Statement, Unparsed, parse
from permmigrate.cedar.universe import PLACES
from permmigrate.entitlements.grants import PLACEHOLDERS
from permmigrate.mapping import Granted
from permmigrate.model import Policy

GROUP: Final = "Cloudinary::Group"
PERMIT_ALL: Final = "permit(principal, action, resource);"
FORBID_ALL: Final = "forbid(principal, action, resource);"


class Sentence(NamedTuple):
    """One statement of a policy text."""

    effect: str
    """`permit` or `forbid`."""
    text: str
    """As it was written."""
    head: PrincipalConstraint
    """Whom it names."""
    personal: bool
    """Whether its answer may differ from one principal of a type to the next."""
    local: bool
    """Whether it can only match in the folder or collection that its placeholder stands for."""


@lru_cache(maxsize=4096)
def sentences(text: str) -> tuple[Sentence, ...]:
    """The statements of a policy text in their order; none when it is not Cedar or holds a template."""
    try:
        document = json.loads(cedarpy.policies_to_json_str(text))
    except ValueError:
        return ()
    if document.get("templates") or not document["staticPolicies"]:
        return ()
    policies: dict[str, Any] = document["staticPolicies"]
    in_order = sorted(policies, key=lambda name: int(name.removeprefix("policy")))
    parsed = parse(text)
    assert not isinstance(parsed, Unparsed)
    pieces = _pieces(text)
    if len(pieces) != len(parsed):
        pieces = [_formatted(policies[name]) for name in in_order]
    return tuple(
        _sentence(policies[name], one, piece)
        for name, one, piece in zip(in_order, parsed, pieces, strict=True)
    )


def _pieces(text: str) -> list[str]:
    """The text cut after each semicolon up to which Cedar can read one statement."""
    found, start = [], 0
    for end in (number + 1 for number, letter in enumerate(text) if letter == ";"):
        try:
            document = json.loads(cedarpy.policies_to_json_str(text[start:end]))
        except ValueError:
            continue
        if not document["staticPolicies"]:
            continue
        found.append(text[start:end].strip())
        start = end
    return found


def _formatted(policy: dict[str, Any]) -> str:
    """One statement in Cedar's own words."""
    alone = {"staticPolicies": {"policy0": policy}, "templates": {}, "templateLinks": []}
    return str(cedarpy.policies_from_json_str(json.dumps(alone)))


def _sentence(policy: dict[str, Any], statement: Statement, text: str) -> Sentence:
    by_type = statement.principal.op in (ANY, "is") and set(policy["principal"]) <= {"op", "entity_type"}
    personal = not by_type or '"Var": "principal"' in json.dumps(policy["conditions"])
    local = statement.resource_id in PLACEHOLDERS or any(
        attribute in PLACES and literal in PLACEHOLDERS for attribute, literal in statement.contains
    )
    return Sentence(policy["effect"], text, statement.principal, personal, local)


@lru_cache(maxsize=4096)
def for_members(text: str) -> str:
    """The text with `principal == Group::"g"` read as "g and its members", as the comparison assumes."""
    if f'{GROUP}::"' not in text:
        return text
    document = json.loads(cedarpy.policies_to_json_str(text))
    changed = False
    for policy in document["staticPolicies"].values():
        head = policy["principal"]
        if head["op"] == "==" and head.get("entity", {}).get("type") == GROUP:
            head["op"], changed = "in", True
    return str(cedarpy.policies_from_json_str(json.dumps(document))) if changed else text


def quoted(text: str) -> str:
    """A text as it stands inside a Cedar string."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


@dataclass(frozen=True, slots=True)
class Clause:
    """One policy as one grant hands it out."""

    policy_id: str
    name: str
    text: str
    """Cedar, its placeholders in place; empty when it cannot be read."""
    granted: Granted = Granted.YES
    """Yes or unknown; what was surely not granted is no clause."""
    reason: str = ""
    """Why it is unknown."""
    basis: str = ""
    """The row of the legacy baseline that says so."""

    @staticmethod
    def of(policy: Policy, granted: Granted = Granted.YES, reason: str = "", basis: str = "") -> Clause:
        if sentences(policy.statement):
            return Clause(policy.id, policy.name, policy.statement, granted, reason, basis)
        return Clause.unreadable(policy.id, policy.name, "is not Cedar that can be read")

    @staticmethod
    def unreadable(policy_id: str, name: str, why: str) -> Clause:
        """A policy whose text is not at hand: it may permit or forbid anything."""
        return Clause(policy_id, name, "", Granted.UNKNOWN, f"policy `{policy_id}` {why}")

    def least(self) -> str:
        """What holds for sure, and what may forbid."""
        if self.granted is Granted.YES:
            return self.text
        return self._only("forbid") if self.text else FORBID_ALL

    def most(self) -> str:
        """What holds for sure, and what may permit."""
        if self.granted is Granted.YES:
            return self.text
        return self._only("permit") if self.text else PERMIT_ALL

    def _only(self, effect: str) -> str:
        return "\n".join(s.text for s in sentences(self.text) if s.effect == effect)


class Bundle(NamedTuple):
    """Clauses that come together, with their texts in the two worlds joined once."""

    clauses: tuple[Clause, ...]
    least: str
    """Were all that nobody knows turned against whoever holds it."""
    most: str
    """Were it turned in favour."""
    local: bool = True
    """Whether all of it holds only where it is bound."""
    personal: bool = False
    """Whether it may answer one principal of a type otherwise than the next."""

    @staticmethod
    def of(clauses: Iterable[Clause]) -> Bundle:
        kept = tuple(clauses)
        said = [sentence for clause in kept for sentence in sentences(clause.text)]
        return Bundle(
            kept,
            _joined(clause.least() for clause in kept),
            _joined(clause.most() for clause in kept),
            local=all(clause.text for clause in kept) and all(sentence.local for sentence in said),
            personal=any(sentence.personal for sentence in said),
        )


def bound(text: str, content: tuple[tuple[str, str], ...]) -> str:
    """The text with `<folder_id>` and `<collection_id>` replaced by what is given, as (kind, id)."""
    for kind, content_id in content:
        text = text.replace(f"<{kind}_id>", quoted(content_id))
    return text


def _joined(texts: Iterable[str]) -> str:
    return "\n".join(dict.fromkeys(text for text in texts if text))
