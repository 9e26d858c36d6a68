"""Atoms and statements in words a person can read: "Delete assets", "may view assets in the folder".

It puts into words and decides nothing: what a statement cannot be said to mean exactly is said to be so.
"""

from __future__ import annotations

import re
from typing import Final

from permmigrate.cedar.statements import ANY, PrincipalConstraint, Statement
from permmigrate.cedar.universe import (
    COLLECTION_ATTRIBUTE,
    COLLECTION_TYPE,
    FOLDER_ATTRIBUTE,
    Atom,
    Universe,
)

NAMESPACE: Final = "Cloudinary::"
FEATURE: Final = "Feature"
FEATURE_PREFIX: Final = "cld::global::"
VERBS: Final = {
    "read": "view",
    "update": "edit",
    "update_settings": "change settings of",
    "comment": "comment on",
    "add_assets": "add assets to",
    "remove_assets": "remove assets from",
}
WORD_BREAK: Final = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")

_BOUND: Final = {"<folder_id>": "the folder", "<collection_id>": "the collection"}
_PLACES: Final = {FOLDER_ATTRIBUTE: "folder", COLLECTION_ATTRIBUTE: "collection"}
_WHO: Final = {"User": "user", "Group": "group", "APIKey": "API key", "ProvisioningKey": "account key"}


def action_of(atom: Atom) -> str:
    """`read`, or `MediaFlows::read` outside the vendor's main namespace."""
    namespace = atom.action_type.removesuffix("Action").removesuffix("::")
    return atom.action if namespace == "Cloudinary" else f"{namespace}::{atom.action}"


def resource_of(atom: Atom) -> str:
    """`Asset`, `UploadPreset x`, `Feature cld::global::ml::access`, or `Feature *`."""
    name = atom.resource_type.removeprefix(NAMESPACE)
    if atom.entity_id:
        return f"{name} {atom.entity_id}"
    return f"{name} *" if name == FEATURE else name


def condition_of(universe: Universe, atom: Atom) -> str:
    """The atom's attribute values in words: "access_control is public", "type is not usage or errors"."""
    tests = []
    for name, value in atom.tests:
        named = {dict(other.tests).get(name) for _, other in universe.of_type(atom.resource_type)}
        others = " or ".join(sorted(other for other in named if other is not None))
        tests.append(f"{name} is {value}" if value is not None else f"{name} is not {others}")
    return " and ".join(tests)


def label_of(atom: Atom) -> str:
    """The atom without its condition: "Delete assets", "Use users › create"."""
    if atom.resource_type == NAMESPACE + FEATURE:
        return f"Use {feature_words(atom.entity_id)}" if atom.entity_id else "Use any other feature"
    text = f"{verb_of(atom.action)} {things(atom.resource_type, atom.entity_id)}"
    return text[:1].upper() + text[1:]


def verb_of(action: str) -> str:
    """`view` for `read`; others are verbs already."""
    return VERBS.get(action, action.replace("_", " "))


def things(resource_type: str, entity_id: str = "") -> str:
    """`upload presets`, `API keys`, or `upload preset x`."""
    words = WORD_BREAK.sub(" ", resource_type.removeprefix(NAMESPACE).rpartition("::")[2]).split()
    thing = " ".join(word if word.isupper() else word.lower() for word in words)
    return f"{thing} {entity_id}" if entity_id else _plural(thing)


def feature_words(entity_id: str) -> str:
    """`users › create` for `cld::global::users::create`."""
    return entity_id.removeprefix(FEATURE_PREFIX).replace("::", " › ").replace("_", " ")


def statement_words(statement: Statement) -> str:
    """One statement as a sentence: "may view assets in the folder where access_control is public"."""
    parts = [f"{_who(statement.principal)}{'may' if statement.effect == 'permit' else 'may never'}"]
    parts.append(_doing(statement))
    parts += [
        f"in {_place(_PLACES[name], literal)}" for name, literal in statement.contains if name in _PLACES
    ]
    tests = [f"{name} holds {literal}" for name, literal in statement.contains if name not in _PLACES]
    tests += [f"{name} is {literal}" for name, literal in statement.equals]
    if tests:
        parts.append("where " + " and ".join(tests))
    if statement.opaque:
        parts.append(f"(at most: it has {statement.opaque})")
    return " ".join(parts)


def _doing(statement: Statement) -> str:
    resource_type, entity = statement.resource_type, statement.resource_id
    if resource_type == NAMESPACE + FEATURE and entity is not None and statement.actions is None:
        return f"use {feature_words(entity)}"
    if not resource_type:
        what = "anything"
    elif resource_type == COLLECTION_TYPE and entity in _BOUND:
        what = _BOUND[entity]
    else:
        what = things(
            resource_type, feature_words(entity or "") if "Feature" in resource_type else entity or ""
        )
    if statement.actions is None:
        return f"do anything to {what}"
    return f"{_listed([verb_of(action) for _, action in sorted(statement.actions)])} {what}"


def _place(kind: str, literal: str) -> str:
    return _BOUND.get(literal, f"{kind} {literal}")


def _who(principal: PrincipalConstraint) -> str:
    if principal.op == ANY:
        return ""
    kind = principal.type.removeprefix(NAMESPACE)
    noun = _WHO.get(kind, kind)
    match principal.op:
        case "is":
            return f"{_plural(noun)} "
        case "in":
            return f"{noun} {principal.id} and its members "
        case _:
            return f"{noun} {principal.id} "


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _plural(words: str) -> str:
    """`saved searches`, `policies`; a type named in the plural (`security settings`) stays."""
    if words.endswith("y") and not words.endswith(("ay", "ey", "oy", "uy")):
        return words[:-1] + "ies"
    if words.endswith(("ss", "us", "x", "z", "ch", "sh")):
        return words + "es"
    return words if words.endswith("s") else words + "s"
