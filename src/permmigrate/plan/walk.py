"""The account as it would be after each operation in turn: who administers it, and what a principal holds.

It follows roles held at the account, directly and through groups, and custom policies that forbid. It decides
no single request: for who may do what see `entitlements`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from permmigrate.cedar import ANY, PrincipalConstraint, Statement, Unparsed, parse
from permmigrate.model import (
    PolicyId,
    PrincipalRef,
    PrincipalType,
    RoleAssignment,
    RoleId,
    ScopeType,
)
from permmigrate.plan.operation import Definition, Kind, Operation, PolicyBody, RoleBody
from permmigrate.plan.world import World

MASTER_ADMIN: Final = RoleId("cld::role::account::master_admin")
"""The one role that makes a master admin of the account (spec: permissions, GetRolesExample)."""

_ENTITIES: Final = {
    PrincipalType.USER: "Cloudinary::User",
    PrincipalType.GROUP: "Cloudinary::Group",
    PrincipalType.API_KEY: "Cloudinary::APIKey",
}
_MANAGING: Final = ("user", "group", "role", "polic", "permission", "principal")
"""Words of the resource types and features that administrators need so as not to lock themselves out."""
Right = tuple[str, PolicyId, str]
"""Scope, policy, and the folder or collection it is bound to; empty for the account and for none."""


@dataclass
class Holders:
    """Who holds any of some account roles, directly or through a group."""

    world: World
    roles: frozenset[RoleId]
    _ways: Counter[PrincipalRef] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        for held in self.world.held.values():
            for assignment in held:
                self.add(assignment, 1)

    def add(self, assignment: RoleAssignment, ways: int) -> None:
        if assignment.role_id in self.roles and assignment.scope_id is None:
            for who in self.world.reach(assignment.principal):
                self._ways[who] += ways

    def now(self) -> frozenset[PrincipalRef]:
        return frozenset(who for who, ways in self._ways.items() if ways > 0)


@dataclass
class Walk:
    """An account that operations are done to, one after the other."""

    world: World
    admin_roles: Iterable[RoleId]
    created: Mapping[RoleId, RoleBody]
    """The roles that the plan makes."""

    def __post_init__(self) -> None:
        self.master_roles = masters_among(self.world, self.created)
        self._masters = Holders(self.world, self.master_roles)
        self._admins = Holders(self.world, self.master_roles | frozenset(self.admin_roles))
        self._held: dict[PrincipalRef, frozenset[RoleAssignment]] = {}
        self._policies = {
            policy.id: PolicyBody(policy.name, "", policy.scope_type, None, policy.statement, policy.enabled)
            for policy in self.world.policies
        }

    def concerns(self, operation: Operation, watched: frozenset[PrincipalRef]) -> bool:
        """Whether a guard could see a difference after it."""
        subject = operation.subject
        return (
            isinstance(subject, Definition)
            or subject.role_id in self._admins.roles
            or subject.principal in watched
        )

    def do(self, operation: Operation) -> None:
        """Do one operation. What is held already is given in vain, and what is not held taken in vain."""
        subject = operation.subject
        if isinstance(subject, Definition):
            self._define(operation.kind, subject)
            return
        held = self.held(subject.principal)
        if operation.kind.grants and subject not in held:
            self._change(subject, held | {subject}, 1)
        elif operation.kind.revokes and subject in held:
            self._change(subject, held - {subject}, -1)

    def _change(self, assignment: RoleAssignment, held: frozenset[RoleAssignment], ways: int) -> None:
        self._held[assignment.principal] = held
        self._masters.add(assignment, ways)
        self._admins.add(assignment, ways)

    def _define(self, kind: Kind, definition: Definition) -> None:
        if kind in (Kind.CREATE_POLICY, Kind.UPDATE_POLICY) and isinstance(definition.after, PolicyBody):
            self._policies[definition.id] = definition.after
        elif kind is Kind.DELETE_POLICY:
            self._policies.pop(definition.id, None)

    def held(self, principal: PrincipalRef) -> frozenset[RoleAssignment]:
        """What the principal itself holds now."""
        return self._held.get(principal, self.world.held.get(principal, frozenset()))

    def masters(self) -> frozenset[PrincipalRef]:
        """The users who are master admins, can log in, and are not named by a policy that forbids."""
        return frozenset(
            who
            for who in self._masters.now()
            if who.type is PrincipalType.USER and self.world.can_act(who) and not self.forbidden(who)
        )

    def admins(self) -> frozenset[PrincipalRef]:
        """Every principal that administers the account, whether it can act or not."""
        return self._admins.now()

    def forbidden(self, principal: PrincipalRef) -> bool:
        """Whether an enabled policy of the account may forbid the principal to manage people or roles."""
        return any(
            policy.enabled
            and policy.scope_type is ScopeType.ACCOUNT
            and self._means(policy.statement, principal, locking=True)
            for policy in self._policies.values()
        )

    def forbidden_anywhere(self, principal: PrincipalRef) -> frozenset[str]:
        """The enabled policies of any scope that forbid anything and may mean the principal."""
        return frozenset(
            identity
            for identity, policy in self._policies.items()
            if policy.enabled and self._means(policy.statement, principal)
        )

    def _means(self, statement: str, principal: PrincipalRef, *, locking: bool = False) -> bool:
        parsed = parse(statement)
        if isinstance(parsed, Unparsed):
            return True
        return any(
            each.effect == "forbid"
            and self._named(each.principal, principal)
            and (not locking or _locks(each))
            for each in parsed
        )

    def _named(self, head: PrincipalConstraint, principal: PrincipalRef) -> bool:
        """Whether a statement's head may name the principal; account keys have no Cedar entity."""
        if head.op == ANY:
            return True
        if head.type == _ENTITIES[PrincipalType.GROUP]:
            return principal in self.world.reach(PrincipalRef(PrincipalType.GROUP, head.id))
        if head.type != _ENTITIES.get(principal.type):
            return False
        return head.op == "is" or head.id == principal.id

    def rights(
        self, principal: PrincipalRef, but: frozenset[RoleAssignment] = frozenset()
    ) -> frozenset[Right]:
        """The policies that the principal holds by its own roles `but` some, each where it holds them."""
        found: set[Right] = set()
        for assignment in self.held(principal) - but:
            content = assignment.folder_id or assignment.collection_id or ""
            for policy_id in self._policies_of(assignment.role_id):
                found.add((assignment.scope_id or "", policy_id, content))
        return frozenset(found)

    def _policies_of(self, role_id: RoleId) -> Iterable[PolicyId]:
        created = self.created.get(role_id)
        if created is not None:
            return created.policy_ids
        role = self.world.catalog.roles.get(role_id)
        return role.policy_ids if role else (PolicyId(role_id),)


def _locks(statement: Statement) -> bool:
    """Whether it may be about managing people, roles or policies; other things lock nobody out."""
    name = statement.resource_type.rpartition("::")[2]
    if name == "Feature":
        identity = (statement.resource_id or "").casefold()
        return not identity or any(word in identity for word in _MANAGING)
    return not name or any(word in name.casefold() for word in _MANAGING)


def masters_among(world: World, created: Mapping[RoleId, RoleBody]) -> frozenset[RoleId]:
    """The account roles that hold every policy of Master Admin; none when the catalog does not have it."""
    master = world.catalog.roles.get(MASTER_ADMIN)
    if master is None:
        return frozenset()
    all_of_it = frozenset(master.policy_ids)
    known = {
        role.id: role.policy_ids
        for role in world.catalog.roles.values()
        if role.scope_type is ScopeType.ACCOUNT
    }
    known |= {id_: body.policy_ids for id_, body in created.items() if body.scope_type is ScopeType.ACCOUNT}
    return frozenset(
        {MASTER_ADMIN} | {id_ for id_, ids in known.items() if all_of_it and all_of_it <= set(ids)}
    )


def covered(right: Right, rights: frozenset[Right]) -> bool:
    """Whether a right is among others, there or in all environments."""
    _, policy, content = right
    return right in rights or ("all", policy, content) in rights
