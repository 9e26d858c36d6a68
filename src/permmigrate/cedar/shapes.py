"""What a Cedar schema says requests are made of: the attributes of each type, what may lie in what, contexts.

Only the JSON form is read. What a schema does not say is not guessed at: it is `Unknown`, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

T = TypeVar("T")
JsonObject = Mapping[str, Any]
Uid = tuple[str, str]
"""(type, id) of an entity."""


@dataclass(frozen=True, slots=True)
class Scalar:
    """`Bool`, `Long` or `String`."""

    kind: str


@dataclass(frozen=True, slots=True)
class EntityOf:
    """A reference to an entity of one type."""

    type: str


@dataclass(frozen=True, slots=True)
class SetOf:
    """A set whose elements are all alike."""

    element: Shape


@dataclass(frozen=True, slots=True)
class Field:
    """One attribute of a record or entity."""

    shape: Shape
    required: bool = True


@dataclass(frozen=True, slots=True)
class RecordOf:
    """Named fields, each perhaps missing."""

    fields: Mapping[str, Field] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unknown:
    """A value whose operations are not decided: an extension type, or a name the schema lacks."""

    reason: str
    example: str = ""
    """The extension function that makes one, such as `ip`; empty when nobody knows."""


Shape = Scalar | EntityOf | SetOf | RecordOf | Unknown

EMPTY: Final = RecordOf()
_SCALARS: Final = {
    "Boolean": Scalar("Bool"),
    "Bool": Scalar("Bool"),
    "Long": Scalar("Long"),
    "String": Scalar("String"),
}
_EXTENSIONS: Final = {"ipaddr": "ip", "decimal": "decimal", "datetime": "datetime", "duration": "duration"}


@dataclass(frozen=True)
class Schema:
    """The types of one schema."""

    entities: Mapping[str, RecordOf]
    above: Mapping[str, frozenset[str]]
    """Entity type to the types that its entities may lie in, however deep."""
    contexts: Mapping[Uid, RecordOf]
    """Action to the shape of its context, where the schema gives one."""
    action_groups: Mapping[Uid, frozenset[Uid]]
    """Action to the groups it is in, however deep."""
    action_parents: Mapping[Uid, frozenset[Uid]]
    """Action to the groups it is directly in."""
    closed: bool = False
    """Whether silence means no: else an attribute or parent type it does not name may be there or not."""

    def attribute(self, entity_type: str, name: str) -> Field | None:
        """The attribute's shape; None when the schema does not give it to the type."""
        record = self.entities.get(entity_type)
        return None if record is None else record.fields.get(name)

    @staticmethod
    def of(document: JsonObject, *, closed: bool = False) -> Schema:
        """Read a schema's JSON form."""
        entities: dict[str, RecordOf] = {}
        parents: dict[str, set[str]] = {}
        contexts: dict[Uid, RecordOf] = {}
        groups: dict[Uid, set[Uid]] = {}
        for namespace, body in document.items():
            names = _Names(namespace, body.get("commonTypes") or {}, document)
            for name, entity in (body.get("entityTypes") or {}).items():
                shape = names.shape(entity["shape"]) if entity.get("shape") else EMPTY
                entities[names.full(name)] = shape if isinstance(shape, RecordOf) else EMPTY
                parents[names.full(name)] = {names.full(above) for above in entity.get("memberOfTypes") or ()}
            for name, action in (body.get("actions") or {}).items():
                uid = (names.full("Action"), name)
                groups[uid] = {
                    (parent.get("type") or names.full("Action"), parent["id"])
                    for parent in action.get("memberOf") or ()
                }
                context = (action.get("appliesTo") or {}).get("context")
                if context:
                    shape = names.shape(context)
                    contexts[uid] = shape if isinstance(shape, RecordOf) else EMPTY
        return Schema(
            entities=entities,
            above=_closed(parents),
            contexts=contexts,
            action_groups=_closed(groups),
            action_parents={uid: frozenset(direct) for uid, direct in groups.items()},
            closed=closed,
        )


@dataclass(frozen=True, slots=True)
class _Names:
    """Resolves the names of one namespace."""

    namespace: str
    common: JsonObject
    document: JsonObject

    def full(self, name: str) -> str:
        return name if "::" in name or not self.namespace else f"{self.namespace}::{name}"

    def shape(self, described: JsonObject, depth: int = 0) -> Shape:
        kind = described.get("type", "")
        name = str(described.get("name") or "").removeprefix("__cedar::")
        match kind:
            case "Record":
                return RecordOf(
                    {
                        name: Field(self.shape(inner, depth), inner.get("required", True))
                        for name, inner in (described.get("attributes") or {}).items()
                    }
                )
            case "Set":
                return SetOf(self.shape(described["element"], depth))
            case "Entity":
                return EntityOf(self.full(name))
            case "Extension":
                return _extension(name)
            case "EntityOrCommon":
                return self._named(name, depth)
            case _:
                return self._named(str(kind).removeprefix("__cedar::"), depth)

    def _named(self, name: str, depth: int) -> Shape:
        if name in _SCALARS:
            return _SCALARS[name]
        if name in _EXTENSIONS:
            return _extension(name)
        namespace, _, last = self.full(name).rpartition("::")
        body = self.document.get(namespace) or {}
        common = body.get("commonTypes") or {}
        if last in common and depth < len(common) + len(self.common) + 1:
            return _Names(namespace, common, self.document).shape(common[last], depth + 1)
        if last in (body.get("entityTypes") or {}):
            return EntityOf(self.full(name))
        return Unknown(f"the type `{name}`, which the schema does not declare")


def _extension(name: str) -> Unknown:
    return Unknown(f"the extension type `{name}`", _EXTENSIONS.get(name, ""))


def _closed(direct: Mapping[T, Iterable[T]]) -> dict[T, frozenset[T]]:
    """Everything above each node, however far."""
    found: dict[T, frozenset[T]] = {}
    for node in direct:
        above: set[T] = set()
        waiting = list(direct[node])
        while waiting:
            one = waiting.pop()
            if one not in above:
                above.add(one)
                waiting += direct.get(one, ())
        found[node] = frozenset(above)
    return found
