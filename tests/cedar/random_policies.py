"""Random pairs of policy sets in Cedar's full grammar, and random requests to try them on. All seeded."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cedarpy

from permmigrate.cedar.shapes import Schema, Uid

TEXT = {"type": "String"}
TEXTS = {"type": "Set", "element": {"type": "String"}}


def _maybe(shape: dict[str, Any]) -> dict[str, Any]:
    return shape | {"required": False}


def _record(**attributes: Any) -> dict[str, Any]:
    return {"type": "Record", "attributes": attributes}


SCHEMA = {
    "C": {
        "entityTypes": {
            "User": {
                "memberOfTypes": ["Group"],
                "shape": _record(root=_maybe({"type": "Boolean"}), level={"type": "Long"}, tags=TEXTS),
            },
            "Group": {"memberOfTypes": ["Group"], "shape": _record(open={"type": "Boolean"})},
            "Key": {},
            "Folder": {"memberOfTypes": ["Folder"], "shape": _record(name=TEXT, ancestor_ids=TEXTS)},
            "Asset": {
                "memberOfTypes": ["Folder"],
                "shape": _record(
                    ancestor_ids=TEXTS,
                    kind=TEXT,
                    title=_maybe(TEXT),
                    size=_maybe({"type": "Long"}),
                    owner=_maybe({"type": "Entity", "name": "User"}),
                    sharers={"type": "Set", "element": {"type": "Entity", "name": "Group"}},
                    info=_maybe(_record(draft={"type": "Boolean"}, stage=_maybe(TEXT))),
                    sizes={"type": "Set", "element": {"type": "Long"}},
                ),
            },
        },
        "actions": {
            "write": {},
            "read": {
                "appliesTo": {
                    "principalTypes": ["User", "Key"],
                    "resourceTypes": ["Asset", "Folder"],
                    "context": _record(
                        mfa={"type": "Boolean"}, hour=_maybe({"type": "Long"}), via=_maybe(TEXT)
                    ),
                }
            },
            "update": {
                "memberOf": [{"id": "write"}],
                "appliesTo": {
                    "principalTypes": ["User"],
                    "resourceTypes": ["Asset", "Folder", "User"],
                    "context": _record(ip=_maybe({"type": "Extension", "name": "ipaddr"})),
                },
            },
        },
    }
}
CLOSED = Schema.of(SCHEMA, closed=True)
KINDS = [
    ("C::User", "read", "C::Asset"),
    ("C::User", "read", "C::Asset"),
    ("C::User", "read", "C::Folder"),
    ("C::Key", "read", "C::Asset"),
    ("C::User", "update", "C::Asset"),
    ("C::User", "update", "C::User"),
]
IDS = ["a", "b", "c"]
WORDS = ["a", "b", "ab", "abc", "ba", "draft", "é*"]
PATTERNS = ["*", "a*", "*b", "a*b", "*a*", "ab*", "d*f*", "é\\*", "*\\**", "abc", ""]
LONGS = [0, 1, 2, 3, -1, 9223372036854775807, -9223372036854775808]
EXTENSION_SHARE = 0.004

TEXT_OF = {
    "principal": ["principal.tag"],
    "C::Asset": ["resource.kind", "resource.kind", "resource.title", "resource.info.stage"],
    "C::Folder": ["resource.name", "resource.name"],
    "C::User": [],
}


@dataclass(frozen=True)
class Pair:
    """Two policy sets and the kind of request they are compared for."""

    before: tuple[str, ...]
    after: tuple[str, ...]
    principal_type: str
    action: Uid
    resource_type: str

    @property
    def swapped(self) -> Pair:
        """The question the other way round."""
        return replace(self, before=self.after, after=self.before)


class Expressions:
    """Makes expressions about one kind of request, mostly well typed."""

    def __init__(self, rng: random.Random, principal: str, action: str, resource: str) -> None:
        self.rng, self.principal, self.action, self.resource = rng, principal, action, resource

    def one_of(self, *makers: Callable[[], str]) -> str:
        return self.rng.choice(makers)()

    def boolean(self, depth: int) -> str:
        """An expression that is mostly a boolean."""
        rng = self.rng
        if rng.random() < 0.03:
            return rng.choice(["1", '"a"', "resource", "[]", "resource.nothing", "context.nothing", "{}"])
        if rng.random() < EXTENSION_SHARE:
            return rng.choice(
                [
                    'ip("10.0.0.1").isLoopback()',
                    'decimal("1.0").lessThan(decimal("2.0"))',
                    'principal.hasTag("x")',
                ]
            )
        if depth <= 0 or rng.random() < 0.25:
            return f"({self._test(depth)})"
        inner = depth - 1
        return self.one_of(
            lambda: f"({self.boolean(inner)} && {self.boolean(inner)})",
            lambda: f"({self.boolean(inner)} && {self.boolean(inner)})",
            lambda: f"({self.boolean(inner)} || {self.boolean(inner)})",
            lambda: f"({self.boolean(inner)} || {self.boolean(inner)})",
            lambda: f"!({self.boolean(inner)})",
            lambda: f"(if {self.boolean(inner)} then {self.boolean(inner)} else {self.boolean(inner)})",
            lambda: f"(({self.anything(inner)}) {rng.choice(['==', '!='])} ({self.anything(inner)}))",
            lambda: self._guarded(inner),
        )

    def _guarded(self, depth: int) -> str:
        attribute = self.rng.choice(["title", "size", "owner", "info"])
        test = {
            "title": lambda: f'resource.title like "{self.rng.choice(PATTERNS)}"',
            "size": lambda: f"resource.size {self.rng.choice(['<', '<=', '>', '>='])} {self.long(depth)}",
            "owner": lambda: f"resource.owner {self.rng.choice(['==', 'in'])} {self.entity(depth)}",
            "info": lambda: self.rng.choice(["resource.info.draft", 'resource.info.stage == "draft"']),
        }[attribute]()
        joined = self.rng.choice(["resource has {0} && {1}", "!(resource has {0}) || {1}", "{1}"])
        return f"({joined.format(attribute, test)})"

    def _test(self, depth: int) -> str:
        rng = self.rng
        return self.one_of(
            lambda: rng.choice(["true", "false", "context.mfa", "principal.root", "resource.info.draft"]),
            lambda: f"principal in {self.group()}",
            lambda: f"principal in [{self.group()}, {self.group()}]",
            lambda: f"resource in {self.folder()}",
            lambda: f"{self.entity(depth)} in {self.entity(depth)}",
            lambda: "principal in resource.sharers",
            lambda: f"({self.group()} in {self.group()} && principal in {self.group()})",
            lambda: f"({self.folder()} in {self.folder()} && resource in {self.folder()})",
            lambda: f"{self.text(depth)} == {self.text(depth)}",
            lambda: f'{self.text(depth)} like "{rng.choice(PATTERNS)}"',
            lambda: f"{self.long(depth)} {rng.choice(['<', '<=', '>', '>=', '==', '!='])} {self.long(depth)}",
            lambda: f"{self.texts(depth)}.contains({self.text(depth)})",
            lambda: f"{self.texts(depth)}.{rng.choice(['containsAll', 'containsAny'])}({self.texts(depth)})",
            lambda: f"{self.texts(depth)}.isEmpty()",
            lambda: f"resource.sizes.contains({self.long(depth)})",
            lambda: (
                f"{rng.choice(['resource', 'resource', 'principal', 'context', 'resource.info'])} has "
                + rng.choice(["title", "size", "owner", "info", "root", "hour", "via", "stage", "nothing"])
            ),
            lambda: f"{self.entity(depth)} is C::{rng.choice(['User', 'Asset', 'Folder'])}",
            lambda: f"resource is C::Asset in {self.folder()}",
            lambda: f"principal == {self.entity(depth)}",
            lambda: f"{self.group()}.open",
            lambda: (
                f'action {rng.choice(["==", "in"])} C::Action::"{rng.choice(["read", "write", "update"])}"'
            ),
        )

    def anything(self, depth: int) -> str:
        return self.one_of(
            lambda: self.text(depth),
            lambda: self.long(depth),
            lambda: self.texts(depth),
            lambda: self.entity(depth),
            lambda: self.boolean(depth - 1),
            lambda: "{a: " + self.text(depth) + "}",
            lambda: self.rng.choice(["resource.info", "context", "resource.sizes", "[1, 2]", '[1, "a"]']),
        )

    def text(self, depth: int) -> str:
        rng = self.rng
        named = {
            "C::Asset": ["resource.kind", "resource.kind", "resource.title", "resource.info.stage"],
            "C::Folder": ["resource.name"],
            "C::User": ["context.via"],
        }[self.resource]
        literal = f'"{rng.choice(WORDS)}"'
        if depth > 1 and rng.random() < 0.1:
            return f"(if {self.boolean(depth - 2)} then {self.text(depth - 2)} else {self.text(depth - 2)})"
        if rng.random() < 0.05:
            return '{a: "a", b: 1}.a'
        return rng.choice([*named, *(["context.via"] if self.action == "read" else []), literal, literal])

    def long(self, depth: int) -> str:
        rng = self.rng
        if depth > 0 and rng.random() < 0.35:
            left, right = self.long(depth - 1), self.long(depth - 1)
            operator = rng.choice(["+", "-", "*"])
            if operator == "*":
                right = str(rng.choice([0, 2, 3, -1]))
            return f"({left} {operator} {right})"
        if rng.random() < 0.08:
            return f"-({self.long(depth - 1)})"
        return rng.choice(
            [
                str(rng.choice(LONGS)),
                str(rng.choice(LONGS[:4])),
                "principal.level",
                "resource.size",
                "context.hour",
            ]
        )

    def texts(self, depth: int) -> str:
        written = (
            "[" + ", ".join(f'"{w}"' for w in self.rng.sample(IDS + WORDS[:3], self.rng.randrange(3))) + "]"
        )
        if self.rng.random() < 0.06:
            written = "[" + self.text(depth) + ", " + self.text(depth) + "]"
        return self.rng.choice(["resource.ancestor_ids", "resource.ancestor_ids", "principal.tags", written])

    def entity(self, depth: int) -> str:
        return self.one_of(
            lambda: "principal", lambda: "resource", lambda: "resource.owner", self.group, self.folder,
            lambda: f'C::User::"{self.rng.choice(IDS)}"',
        )  # fmt: skip

    def group(self) -> str:
        return f'C::Group::"{self.rng.choice(IDS)}"'

    def folder(self) -> str:
        return f'C::Folder::"{self.rng.choice(IDS)}"'

    def policy(self) -> str:
        rng = self.rng
        kind = self.principal.removeprefix("C::")
        principal = rng.choice(
            ["principal"] * 6
            + [f"principal is C::{kind}", f'principal == C::{kind}::"a"', f"principal in {self.group()}"]
            + [f"principal is C::{kind} in {self.group()}", "principal is C::Key"]
        )
        action = rng.choice(
            ["action"] * 4
            + [f'action == C::Action::"{self.action}"'] * 3
            + ['action in C::Action::"write"', 'action in [C::Action::"read", C::Action::"write"]']
        )
        type_ = self.resource
        resource = rng.choice(
            ["resource"] * 5
            + [f"resource is {type_}"] * 3
            + [
                f'resource == {type_}::"a"',
                f"resource in {self.folder()}",
                f"resource is {type_} in {self.folder()}",
            ]
        )
        conditions = "".join(
            f" {'when' if rng.random() < 0.75 else 'unless'} {{ {self.boolean(rng.randrange(1, 4))} }}"
            for _ in range(rng.choice((0, 1, 1, 1, 2)))
        )
        effect = "permit" if rng.random() < 0.72 else "forbid"
        return f"{effect}({principal}, {action}, {resource}){conditions};"


def pair(seed: int) -> Pair:
    """One random pair; in most the second is a change of the first, as policies change."""
    rng = random.Random(seed)
    principal, action, resource = rng.choice(KINDS)
    make = Expressions(rng, principal, action, resource)
    before = [make.policy() for _ in range(rng.choice((1, 1, 2, 3)))]
    after = list(before)
    for _ in range(rng.choice((1, 1, 2))):
        _change(rng, make, after)
    if rng.random() < 0.06:  # through another group is through this one
        outer, inner = (make.group() for _ in range(2))
        before.append(f"permit(principal in {outer}, action, resource);")
        after.append(f"permit(principal in {inner}, action, resource) when {{ {inner} in {outer} }};")
    if rng.random() < 0.3:
        before, after = after, before
    if rng.random() < 0.15:
        after = [make.policy() for _ in range(rng.choice((1, 2)))]
    return Pair(tuple(before), tuple(after), principal, ("C::Action", action), resource)


def _change(rng: random.Random, make: Expressions, policies: list[str]) -> None:
    number = rng.randrange(len(policies)) if policies else 0
    what = rng.randrange(8)
    if not policies or what == 0:
        policies.append(make.policy())
    elif what == 1:
        del policies[number]
    elif what == 2:
        policies[number] = f"{policies[number][:-1]} when {{ {make.boolean(2)} }};"
    elif what == 3:
        policies[number] = f"{policies[number][:-1]} unless {{ {make.boolean(1)} }};"
    elif what == 4:
        policies[number] = policies[number].replace('"a"', '"b"')
    elif what == 5:
        policies[number] = (
            policies[number].replace(" when {", " when { true &&").replace(".kind ==", ".kind !=")
        )
    elif what == 6:
        effect = rng.choice(("permit", "forbid"))
        policies.append(f"{effect}(principal, action, resource) when {{ {make.boolean(2)} }};")
    else:
        policies.append(f"forbid(principal, action, resource) when {{ {make.boolean(2)} }};")


def statements(texts: tuple[str, ...]) -> tuple[dict[str, Any], ...]:
    """The policies in Cedar's JSON form."""
    found = json.loads(cedarpy.policies_to_json_str("\n".join(texts)))["staticPolicies"]
    return tuple(found[name] for name in sorted(found, key=lambda name: int(name.removeprefix("policy"))))


# ---------------------------------------------------------------------- requests


def world(rng: random.Random) -> list[dict[str, Any]]:
    """Some users, groups, folders and assets that the policies may well name."""

    def uid(type_: str, id_: str) -> dict[str, str]:
        return {"type": f"C::{type_}", "id": id_}

    def some(values: list[Any]) -> list[Any]:
        return [value for value in values if rng.random() < 0.4]

    def entity(type_: str, id_: str, attrs: dict[str, Any], parents: list[dict[str, str]]) -> dict[str, Any]:
        kept = {name: value for name, value in attrs.items() if value is not None}
        return {"uid": uid(type_, id_), "attrs": kept, "parents": parents}

    def perhaps(value: Any) -> Any:
        return value if rng.random() < 0.6 else None

    found = []
    for number, name in enumerate(IDS):
        upper = IDS[number + 1 :]
        if rng.random() < 0.8:
            found.append(
                entity("Group", name, {"open": rng.random() < 0.5}, [uid("Group", i) for i in some(upper)])
            )
        folder = {"name": rng.choice(WORDS), "ancestor_ids": some(IDS + WORDS[:3])}
        found.append(entity("Folder", name, folder, [uid("Folder", i) for i in some(upper)]))
        user = {
            "root": perhaps(rng.random() < 0.5),
            "level": rng.choice(LONGS),
            "tags": some(IDS + WORDS[:3]),
        }
        found.append(entity("User", name, user, [uid("Group", i) for i in some(IDS)]))
        found.append(entity("Key", name, {}, []))
    for name in ["a", "b", "d", "e"]:
        info = {"draft": rng.random() < 0.5} | ({"stage": rng.choice(WORDS)} if rng.random() < 0.5 else {})
        asset = {
            "ancestor_ids": some(IDS + WORDS[:3]),
            "kind": rng.choice(WORDS),
            "title": perhaps(rng.choice(WORDS)),
            "size": perhaps(rng.choice(LONGS)),
            "owner": perhaps({"__entity": uid("User", rng.choice(IDS))}),
            "sharers": [{"__entity": uid("Group", i)} for i in some(IDS)],
            "info": perhaps(info),
            "sizes": some(LONGS[:4]),
        }
        found.append(entity("Asset", name, asset, [uid("Folder", i) for i in some(IDS)]))
    groups = {"uid": uid("Action", "update"), "attrs": {}, "parents": [uid("Action", "write")]}
    return [*found, groups]


def questions(rng: random.Random, asked: Pair, entities: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Every principal of the pair's type asking about every resource of its type, with some context."""

    def of(type_: str) -> list[dict[str, str]]:
        return [entity["uid"] for entity in entities if entity["uid"]["type"] == type_]

    found = []
    for principal in of(asked.principal_type):
        for resource in of(asked.resource_type):
            context: dict[str, Any] = {}
            if asked.action[1] == "read":
                context["mfa"] = rng.random() < 0.5
                if rng.random() < 0.5:
                    context["hour"] = rng.choice(LONGS)
                if rng.random() < 0.5:
                    context["via"] = rng.choice(WORDS)
            elif rng.random() < 0.5:
                context["ip"] = {"__extn": {"fn": "ip", "arg": rng.choice(["127.0.0.1", "10.1.2.3"])}}
            action = {"type": asked.action[0], "id": asked.action[1]}
            found.append({"principal": principal, "action": action, "resource": resource, "context": context})
    return found


def counterexamples(seed: int, asked: Pair, worlds: int) -> int:
    """How many random requests the second policy set allows and the first denies."""
    rng = random.Random(seed)
    before, after = (cedarpy.PolicySet.from_str("\n".join(side)) for side in (asked.before, asked.after))
    found = 0
    for _ in range(worlds):
        entities = world(rng)
        stored = cedarpy.Entities.from_json_str(json.dumps(entities))
        batch = questions(rng, asked, entities)
        first, second = (cedarpy.is_authorized_batch(batch, side, stored) for side in (before, after))
        for one, other in zip(first, second, strict=True):
            assert cedarpy.Decision.NoDecision not in (one.decision, other.decision), one.diagnostics.errors
            found += other.allowed and not one.allowed
    return found
