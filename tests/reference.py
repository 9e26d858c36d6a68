"""A second opinion: who may do what, asked of Cedar itself one request at a time.

It collects the policies of one principal in one scope as text and lets `cedarpy` decide. It shares no code
with `permmigrate.cedar`, `permmigrate.entitlements` or `permmigrate.diff`: slow and obvious on purpose.
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache

import cedarpy

from permmigrate.catalog import Catalog
from permmigrate.mapping import Granted, LegacyKind, Translation
from permmigrate.mapping.tables import MappingTables
from permmigrate.model import (
    CustomPolicy,
    ManagementType,
    PermissionType,
    Policy,
    PrincipalRef,
    PrincipalType,
    RoleAssignment,
    ScopeType,
    Share,
    User,
)
from permmigrate.snapshot import Snapshot

ACCOUNT = ""
OTHER = "~other~"
"""The value of an attribute that no policy names."""
UNNAMED = "~unnamed~"
"""The id of an entity that no policy names."""
BATCH = 10_000
TYPES = {"user": "User", "group": "Group", "apiKey": "APIKey", "provisioningKey": "ProvisioningKey"}
EVERYTHING = "permit(principal, action, resource)"

STATEMENT_END = re.compile(r";\s*(?=(?:permit|forbid|@)\b|$)")
GROUP_HEAD = re.compile(r'principal\s*==\s*(Cloudinary::Group::")')
RESOURCE_HEAD = re.compile(r"resource\s*(?:is|==)\s*([A-Za-z_:]*[A-Za-z_])(?:::)?")
ENTITY = re.compile(r'resource\s*==\s*((?:\w+::)+\w+)::"([^"]*)"')
TEST = re.compile(r'resource\.(\w+)\s*==\s*"([^"]*)"')
LOCATED_HEAD = re.compile(r'resource\s*==\s*(Cloudinary::(?:Folder|Asset))::"[^"]*"')
PRINCIPAL_HEAD = re.compile(r"principal[^,]*,")
PRINCIPAL_NAMED = re.compile(r"principal\s*(==|!=|in\b|is\b|has\b|\.)")
ACTION = re.compile(r'((?:\w+::)*Action)::"([^"]*)"')
GROUP_TYPE = re.compile(r"principal\s+is\s+(?:Cloudinary::Group\b|\S+\s+in\s+[^,]+)")
CONDITION = re.compile(r"\)\s*(?:when|unless)\s*\{.*\}\s*$", re.DOTALL)
EXPECTED_ERRORS = ("does not have the attribute", "type error")


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One question. What is tested is part of it, so that whoever compares needs no Cedar."""

    action_type: str
    action: str
    resource_type: str
    resource_id: str
    named: bool
    """Whether a policy names the entity by its id; never for what lies in folders and collections."""
    tests: tuple[tuple[str, str], ...] = ()
    folder: str | None = None
    """The folder that the resource is or lies in."""
    collections: tuple[str, ...] = ()
    """The collections that the resource is or lies in."""
    entity: str = ""
    """The resource's attributes as JSON."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What is expected of the engine for one request."""

    verdict: str
    excused: bool
    """The request meets a statement that the engine need not decide: it may say `unknown` instead."""
    moot: bool = False
    """Nobody of this kind can ask, before or after: there is nothing to compare."""


@dataclass(slots=True)
class Texts:
    """The statements of one principal in one scope."""

    before: set[str] = field(default_factory=set)
    before_maybe: set[str] = field(default_factory=set)
    after: set[str] = field(default_factory=set)
    after_unknown: set[str] = field(default_factory=set)
    """What legacy grants that no row translates gave, or might have."""
    custom_before: set[str] = field(default_factory=set)
    custom_after: set[str] = field(default_factory=set)
    excuses: set[str] = field(default_factory=set)
    """Statements without their conditions: what the engine may leave undecided."""


def statements(text: str) -> list[str]:
    """Split policy text into statements without their semicolons."""
    return [part.strip() for part in STATEMENT_END.split(text.strip()) if part.strip()]


def widened(statement: str, *, by_role: bool = False) -> str:
    """The statement as a permit without conditions: all it could be about, for any holder of its role."""
    if by_role:
        statement = PRINCIPAL_HEAD.sub("principal,", statement, count=1)
    head = CONDITION.sub(")", statement).replace("forbid", "permit", 1)
    head = LOCATED_HEAD.sub(r"resource is \1", head)
    return GROUP_TYPE.sub("principal", head)


@dataclass
class Oracle:
    """Answers for one snapshot. Give a translation, or the assignments of a later snapshot."""

    snapshot: Snapshot
    tables: MappingTables
    translation: Translation | None = None
    assigned: Snapshot | None = None
    opaque: frozenset[str] = frozenset()
    """Ids of policies, system or custom, that the engine is known not to decide exactly."""
    decisions: int = 0
    """How many decisions Cedar was asked for."""
    _decided: dict[object, dict[Request, bool]] = field(default_factory=dict)
    _slices: dict[object, tuple[str, ...]] = field(default_factory=dict)
    _entity_sets: dict[object, cedarpy.Entities] = field(default_factory=dict)
    _requests: dict[str, dict[tuple[str, str, str], list[Request]]] = field(default_factory=dict)

    # ------------------------------------------------------------------ what holds, as text

    @property
    def catalog(self) -> Catalog:
        return self.assigned.catalog if self.assigned else self.snapshot.catalog

    @property
    def customs_after(self) -> tuple[CustomPolicy, ...]:
        return self.assigned.custom_policies if self.assigned else self.snapshot.custom_policies

    def assignments(self) -> list[RoleAssignment]:
        if self.assigned is not None:
            return list(self.assigned.assignments)
        assert self.translation is not None
        return [planned.assignment for planned in self.translation.planned]

    def texts(self, principal: PrincipalRef, scope: str) -> Texts:
        """Collect every statement that bears on the principal in the scope."""
        found = Texts()
        self._legacy_role(found, principal, scope)
        for holder in self.holders(principal):
            self._shares(found, principal, holder, scope)
            for assignment in self.assignments():
                if assignment.principal == holder:
                    self._assignment(found, assignment, scope)
            self._untranslated(found, principal, holder, scope)
        for customs, into in (
            (self.snapshot.custom_policies, found.custom_before),
            (self.customs_after, found.custom_after),
        ):
            for custom in customs:
                if custom.enabled and self._custom_in(custom, scope):
                    self._custom(found, custom, into)
        return found

    def holders(self, principal: PrincipalRef) -> list[PrincipalRef]:
        """The principal and the groups it is in."""
        groups = [
            PrincipalRef(PrincipalType.GROUP, group.id)
            for group in self.snapshot.groups
            if principal.type is PrincipalType.USER and principal.id in group.member_ids
        ]
        return [principal, *groups]

    def user(self, principal: PrincipalRef) -> User | None:
        if principal.type is not PrincipalType.USER:
            return None
        return next(user for user in self.snapshot.users if user.id == principal.id)

    def reaches(self, user: User, scope: str) -> bool:
        everywhere = user.all_environments or user.legacy_role == "master_admin"
        return everywhere or scope in user.environment_ids

    def _legacy_role(self, found: Texts, principal: PrincipalRef, scope: str) -> None:
        for policy, granted in self._legacy_policies(principal, scope):
            self._legacy(found, policy, granted, policy.statement)

    def _legacy_policies(self, principal: PrincipalRef, scope: str) -> Iterator[tuple[Policy, Granted]]:
        kind, value = LegacyKind.ACCOUNT_KEY, "*"
        user = self.user(principal)
        if principal.type is PrincipalType.GROUP:
            return
        if user is not None:
            kind, value = LegacyKind.USER_ROLE, user.legacy_role
            if scope != ACCOUNT and not self.reaches(user, scope):
                return
        if principal.type is PrincipalType.API_KEY:
            kind = LegacyKind.API_KEY
            if scope not in [key.environment_id for key in self.snapshot.api_keys if key.id == principal.id]:
                return
        for policy in self.catalog.policies.values():
            if policy.permission_type is PermissionType.GLOBAL and self._in_scope(policy.scope_type, scope):
                yield policy, self.tables.baseline(kind, value, policy).granted

    @staticmethod
    def _in_scope(scope_type: ScopeType, scope: str) -> bool:
        return (scope_type is ScopeType.ACCOUNT) == (scope == ACCOUNT)

    def _legacy(self, found: Texts, policy: Policy, granted: Granted, text: str) -> None:
        for statement in statements(text):
            if granted is Granted.YES:
                found.before.add(statement)
            elif granted is Granted.UNKNOWN and statement.startswith("forbid"):
                found.excuses.add(widened(statement, by_role=True))
            elif granted is Granted.UNKNOWN:
                found.before_maybe.add(statement)
            if granted not in (Granted.NO, Granted.MOOT) and policy.id in self.opaque:
                found.excuses.add(widened(statement, by_role=True))

    def _shares(self, found: Texts, principal: PrincipalRef, holder: PrincipalRef, scope: str) -> None:
        user = self.user(principal)
        for share in self.snapshot.shares:
            if share.principal != holder or share.content.environment_id != scope:
                continue
            if user is not None and not self.reaches(user, scope):
                continue
            for policy, granted, text in self._share_policies(share):
                gate = Granted.YES
                if user is not None:
                    gate = self.tables.baseline(LegacyKind.USER_ROLE, user.legacy_role, policy).granted
                both = (granted, gate)
                if Granted.NO not in both:
                    unsure = Granted.UNKNOWN in both
                    self._legacy(found, policy, Granted.UNKNOWN if unsure else Granted.YES, text)

    def _share_policies(self, share: Share) -> Iterator[tuple[Policy, Granted, str]]:
        kind = LegacyKind(f"{share.content.kind.value}_level")
        for policy in self.catalog.policies.values():
            if policy.permission_type is not PermissionType.CONTENT:
                continue
            if f"{share.content.kind.value}_id" in policy.parameters:
                text = policy.statement.replace(f"<{share.content.kind.value}_id>", share.content.id)
                yield policy, self.tables.baseline(kind, share.level, policy).granted, text

    def effective(self, assignment: RoleAssignment, scope: str) -> bool:
        """The vendor's rules: a role at the wrong scope, or on the wrong kind of principal, does nothing."""
        where, kind = assignment.scope_id, assignment.principal.type
        here = where is None if scope == ACCOUNT else where in (scope, "all")
        if kind is PrincipalType.API_KEY and scope not in {
            ACCOUNT,
            *(key.environment_id for key in self.snapshot.api_keys if key.id == assignment.principal.id),
        }:
            return False
        role = self.catalog.roles.get(assignment.role_id)
        if role is None or not here:
            return here
        if role.scope_type is ScopeType.ACCOUNT or scope == ACCOUNT:
            of_account = role.scope_type is ScopeType.ACCOUNT and scope == ACCOUNT
            return of_account and kind is not PrincipalType.API_KEY
        if role.permission_type is PermissionType.GLOBAL:
            return True
        if "collection_id" in role.parameters:
            holds = kind in (PrincipalType.USER, PrincipalType.GROUP)
            system = role.management_type is ManagementType.SYSTEM
            return holds and system and bool(assignment.collection_id)
        return kind is not PrincipalType.ACCOUNT_KEY and bool(assignment.folder_id)

    def _assignment(self, found: Texts, assignment: RoleAssignment, scope: str) -> None:
        if not self.effective(assignment, scope):
            return
        role = self.catalog.roles.get(assignment.role_id)
        if role is None:
            found.after_unknown.add(EVERYTHING)
            return
        for policy_id in role.policy_ids:
            policy = self.catalog.policies.get(policy_id)
            if policy is None:
                found.excuses.add(EVERYTHING)
                continue
            text = policy.statement
            if assignment.folder_id:
                text = text.replace("<folder_id>", assignment.folder_id)
            if assignment.collection_id:
                text = text.replace("<collection_id>", assignment.collection_id)
            found.after.update(statements(text))
            if policy_id in self.opaque:
                found.excuses.update(widened(s, by_role=True) for s in statements(text))

    def _untranslated(self, found: Texts, principal: PrincipalRef, holder: PrincipalRef, scope: str) -> None:
        """A legacy grant that no row translates may be there after the move, whatever held it back before."""
        for missing in self.translation.untranslated if self.translation else ():
            if missing.principal != holder:
                continue
            given: list[tuple[Granted, str]] = []
            if missing.content is None:
                given = [(granted, p.statement) for p, granted in self._legacy_policies(holder, scope)]
            for share in self.snapshot.shares:
                meant = share.principal == holder and share.content == missing.content
                if meant and share.content.environment_id == scope:
                    given += [(granted, text) for _, granted, text in self._share_policies(share)]
            for granted, text in given:
                if granted not in (Granted.NO, Granted.MOOT):
                    found.after_unknown.update(s for s in statements(text) if s.startswith("permit"))

    @staticmethod
    def _custom_in(custom: CustomPolicy, scope: str) -> bool:
        if custom.scope_type is ScopeType.ACCOUNT:
            return scope == ACCOUNT
        return scope != ACCOUNT and custom.scope_id in (None, "all", scope)

    def _custom(self, found: Texts, custom: CustomPolicy, into: set[str]) -> None:
        text = GROUP_HEAD.sub(r"principal in \1", custom.statement)
        try:
            cedarpy.policies_to_json_str(text)
        except ValueError:
            found.excuses.add(EVERYTHING)
            return
        into.update(statements(text))
        if custom.id in self.opaque:
            found.excuses.update(widened(statement) for statement in statements(text))

    # ------------------------------------------------------------------ what can be asked

    def questions(self, principal: PrincipalRef, scope: str) -> Iterator[tuple[str, str, str]]:
        """Every (resource type, action type, action) that the principal's type can ask about."""
        kind = "APIKey" if principal.type is PrincipalType.ACCOUNT_KEY else TYPES[principal.type.value]
        for action_type, action, resource_type, principals in self._pairs():
            if f"Cloudinary::{kind}" in principals:
                yield resource_type, action_type, action

    def _pairs(self) -> Iterator[tuple[str, str, str, list[str]]]:
        for namespace, body in self.catalog.schema.items():

            def full(name: str, namespace: str = namespace) -> str:
                return name if "::" in name else f"{namespace}::{name}"

            for action, shape in body["actions"].items():
                applies = shape.get("appliesTo") or {}
                principals = [full(name) for name in applies.get("principalTypes", ())]
                for resource in applies.get("resourceTypes", ()):
                    yield full("Action"), action, full(resource), principals

    def _action_parents(self) -> list[dict[str, object]]:
        found = []
        for namespace, body in self.catalog.schema.items():
            for action, shape in body["actions"].items():
                parents = [
                    {"type": parent.get("type") or f"{namespace}::Action", "id": parent["id"]}
                    for parent in shape.get("memberOf") or ()
                ]
                if parents:
                    uid = {"type": f"{namespace}::Action", "id": action}
                    found.append({"uid": uid, "attrs": {}, "parents": parents})
        return found

    def _attributes(self, resource_type: str) -> dict[str, str]:
        namespace, _, name = resource_type.rpartition("::")
        entity = self.catalog.schema[namespace]["entityTypes"].get(name, {})
        return {key: shape["type"] for key, shape in entity.get("shape", {}).get("attributes", {}).items()}

    def _policy_texts(self, scope: str) -> list[str]:
        texts = [p.statement for p in self.catalog.policies.values() if self._in_scope(p.scope_type, scope)]
        customs = (*self.snapshot.custom_policies, *self.customs_after)
        return texts + [c.statement for c in customs if c.enabled and self._in_scope(c.scope_type, scope)]

    def _all_requests(self, scope: str) -> dict[tuple[str, str, str], list[Request]]:
        if scope not in self._requests:
            texts = "\n".join(self._policy_texts(scope))
            self._requests[scope] = {
                (resource_type, action_type, action): [
                    Request(action_type, action, resource_type, *resource)
                    for resource in self._resources(resource_type, scope, texts)
                ]
                for action_type, action, resource_type, _ in self._pairs()
            }
        return self._requests[scope]

    def _resources(
        self, resource_type: str, scope: str, texts: str
    ) -> Iterator[tuple[str, bool, tuple[tuple[str, str], ...], str | None, tuple[str, ...], str]]:
        attributes = self._attributes(resource_type)
        tested = {
            name: sorted({value for test, value in TEST.findall(texts) if test == name} | {OTHER})
            for name, kind in attributes.items()
            if kind == "String"
        }
        named = sorted({id_ for type_, id_ in ENTITY.findall(texts) if type_ == resource_type})
        for values in itertools.product(*tested.values()):
            tests = dict(zip(tested, values, strict=True))
            for entity_id, is_named, folder, collections in self._places(resource_type, scope, named):
                attrs: dict[str, object] = dict(tests)
                for name, kind in attributes.items():
                    if kind == "Set":
                        attrs[name] = []
                if "ancestor_ids" in attributes:
                    attrs["ancestor_ids"] = self.ancestors(scope, folder) if folder else []
                    if resource_type == "Cloudinary::Folder" and not folder:
                        attrs["ancestor_ids"] = [entity_id]
                if "collection_ids" in attributes:
                    attrs["collection_ids"] = list(collections)
                shape = json.dumps(attrs, sort_keys=True)
                yield entity_id, is_named, tuple(sorted(tests.items())), folder, collections, shape

    def _places(
        self, resource_type: str, scope: str, named: list[str]
    ) -> Iterator[tuple[str, bool, str | None, tuple[str, ...]]]:
        """(entity id, named by a policy, folder, collections) of each resource worth asking about."""
        if resource_type == "Cloudinary::Collection":
            for name in self.collection_ids(scope):
                yield name, False, None, (name,)
            yield UNNAMED, False, None, ()
        elif resource_type == "Cloudinary::Folder":
            for name in self.folder_ids(scope):
                yield name, False, name, ()
            yield UNNAMED, False, None, ()
        elif resource_type == "Cloudinary::Asset":
            folders, collections = [None, *self.folder_ids(scope)], self.collection_ids(scope)
            for folder in folders:
                yield f"asset in {folder}", False, folder, ()
            for number, name in enumerate(collections):
                for folder in {None, folders[(number * 3 + 1) % len(folders)]}:
                    yield f"asset in {folder} and {name}", False, folder, (name,)
            if len(collections) > 1:
                yield "asset in two collections", False, None, (collections[0], collections[1])
        else:
            for entity in named:
                yield entity, True, None, ()
            yield UNNAMED, False, None, ()

    def folder_ids(self, scope: str) -> list[str]:
        found = {folder.id for folder in self.snapshot.folders if folder.environment_id == scope}
        for share in self.snapshot.shares:
            if share.content.environment_id == scope and share.content.kind.value == "folder":
                found.add(share.content.id)
        for assignment in self.assignments():
            if assignment.folder_id and scope and assignment.scope_id in (scope, "all"):
                found.add(assignment.folder_id)
        return sorted(str(folder) for folder in found)

    def collection_ids(self, scope: str) -> list[str]:
        found = {c.id for c in self.snapshot.collections if c.environment_id == scope}
        for share in self.snapshot.shares:
            if share.content.environment_id == scope and share.content.kind.value == "collection":
                found.add(share.content.id)
        for assignment in self.assignments():
            if assignment.collection_id and scope and assignment.scope_id in (scope, "all"):
                found.add(assignment.collection_id)
        return sorted(str(name) for name in found)

    def ancestors(self, scope: str, folder_id: str) -> list[str]:
        """The folder itself and every folder of the environment whose path leads to it."""
        paths = {f.path: str(f.id) for f in self.snapshot.folders if f.environment_id == scope}
        own = [path for path, id_ in paths.items() if id_ == folder_id]
        above = [id_ for path, id_ in paths.items() if own and own[0].startswith(path + "/")]
        return [folder_id, *above]

    # ------------------------------------------------------------------ what Cedar says

    def allowed(
        self, principal: PrincipalRef, scope: str, about_: tuple[str, str, str], texts: frozenset[str]
    ) -> dict[Request, bool]:
        """Cedar's decisions on every request of one action on one resource type.

        Cedar is given the statements about that type and action, and is not asked again for the same ones.
        """
        slice_ = self._slice(texts, about_)
        whose = str(principal) if any(PRINCIPAL_NAMED.search(text) for text in slice_) else ""
        key = (scope, about_, slice_, whose)
        if key not in self._decided:
            self._decided[key] = self._ask(principal, slice_, scope, about_)
        return self._decided[key]

    def _slice(self, texts: frozenset[str], about_: tuple[str, str, str]) -> tuple[str, ...]:
        key = (texts, about_)
        if key not in self._slices:
            self._slices[key] = tuple(sorted(text for text in texts if about(text, *about_)))
        return self._slices[key]

    def _ask(
        self, principal: PrincipalRef, texts: tuple[str, ...], scope: str, about_: tuple[str, str, str]
    ) -> dict[Request, bool]:
        asked = self._all_requests(scope)[about_]
        if not any(text.startswith("permit") for text in texts):
            return dict.fromkeys(asked, False)
        policies = cedarpy.PolicySet.from_str("".join(f"{text};\n" for text in texts))
        groups = [{"type": "Cloudinary::Group", "id": holder.id} for holder in self.holders(principal)[1:]]
        who = {"type": f"Cloudinary::{TYPES[principal.type.value]}", "id": principal.id}
        found: dict[Request, bool] = {}
        for tests, same in itertools.groupby(asked, key=lambda request: request.tests):
            variants = list(same)
            entities = self._entities(scope, about_[0], tests, variants).with_added_json_str(
                json.dumps([{"uid": who, "attrs": {}, "parents": groups}])
            )
            for start in range(0, len(variants), BATCH):
                part = variants[start : start + BATCH]
                batch = [_question(who, request) for request in part]
                results = cedarpy.is_authorized_batch(batch, policies, entities)
                found |= {r: _checked(result) for r, result in zip(part, results, strict=True)}
        self.decisions += len(asked)
        return found

    def _entities(
        self, scope: str, resource_type: str, tests: object, requests: list[Request]
    ) -> cedarpy.Entities:
        """The resources of one type with one set of attribute values, and the groups of actions."""
        key = (scope, resource_type, tests)
        if key not in self._entity_sets:
            resources = {
                request.resource_id: {
                    "uid": {"type": request.resource_type, "id": request.resource_id},
                    "attrs": json.loads(request.entity),
                    "parents": [],
                }
                for request in requests
            }
            text = json.dumps([*resources.values(), *self._action_parents()])
            self._entity_sets[key] = cedarpy.Entities.from_json_str(text)
        return self._entity_sets[key]

    # ------------------------------------------------------------------ the verdict

    def answers(self, principal: PrincipalRef, scope: str) -> Iterator[tuple[Request, Answer]]:
        """The expected verdict on every request of the principal in the scope."""
        texts = self.texts(principal, scope)
        before, after = texts.before | texts.custom_before, texts.after | texts.custom_after
        sides = [
            frozenset(side)
            for side in (
                before,
                before | texts.before_maybe,
                after,
                after | texts.after_unknown,
                texts.excuses,
            )
        ]
        for about_ in self.questions(principal, scope):
            *decided, excused = (self.allowed(principal, scope, about_, side) for side in sides)
            moot = self._moot(principal, scope, about_)
            for request in self._all_requests(scope)[about_]:
                answers = (side[request] for side in decided)
                yield request, Answer(verdict(*answers), excused[request], request in moot)

    def _moot(self, principal: PrincipalRef, scope: str, about_: tuple[str, str, str]) -> set[Request]:
        """What moot policies permit and no other policy of the scope is about."""
        kinds = {"apiKey": LegacyKind.API_KEY, "provisioningKey": LegacyKind.ACCOUNT_KEY}
        kind = kinds.get(principal.type.value)
        moot: set[str] = set()
        others: set[str] = set()
        for policy in self.catalog.policies.values() if kind else ():
            if policy.permission_type is PermissionType.GLOBAL and self._in_scope(policy.scope_type, scope):
                assert kind is not None
                if self.tables.baseline(kind, "*", policy).granted is Granted.MOOT:
                    assert policy.id not in self.opaque
                    moot.update(text for text in statements(policy.statement) if text.startswith("permit"))
                elif policy.id in self.opaque:
                    others.update(widened(text, by_role=True) for text in statements(policy.statement))
                else:
                    others.update(
                        text.replace("forbid", "permit", 1) for text in statements(policy.statement)
                    )
        if not moot:
            return set()
        permitted, met = (self.allowed(principal, scope, about_, frozenset(each)) for each in (moot, others))
        return {request for request, allowed in permitted.items() if allowed and not met[request]}


def _question(who: dict[str, str], request: Request) -> dict[str, object]:
    return {
        "principal": who,
        "action": {"type": request.action_type, "id": request.action},
        "resource": {"type": request.resource_type, "id": request.resource_id},
    }


def _checked(result: cedarpy.AuthzResult) -> bool:
    assert result.decision is not cedarpy.Decision.NoDecision, result.diagnostics.errors
    for error in result.diagnostics.errors:
        assert any(words in error for words in EXPECTED_ERRORS), error
    return bool(result.allowed)


def about(statement: str, resource_type: str, action_type: str, action: str) -> bool:
    """Whether the statement's head leaves room for the resource type and the action."""
    named_type, named, any_action = _head(statement)
    return named_type in ("", resource_type) and (any_action or (action_type, action) in named)


@cache
def _head(statement: str) -> tuple[str, frozenset[tuple[str, str]], bool]:
    """The resource type and the actions that a statement's head names, and whether it may be any action."""
    head = statement.partition(") when")[0].partition(") unless")[0]
    resource = RESOURCE_HEAD.search(head)
    named = ACTION.findall(head)
    by_group = " in " in head and not head.count("[")  # one action after `in` may be a group of actions
    any_action = not named or by_group or any(name == "write" for _, name in named)
    return resource.group(1) if resource is not None else "", frozenset(named), any_action


def verdict(sure: bool, possible: bool, after: bool, after_possible: bool) -> str:
    """Three answers before (yes, maybe, no) and after (yes, unknown, no) as one word."""
    if after != after_possible:
        return "unknown"
    if after:
        return "unchanged" if sure else "maybe gained" if possible else "gained"
    return "lost" if sure else "maybe lost" if possible else "unchanged"
