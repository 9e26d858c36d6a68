"""What guards need to know of the account: who there is, who holds what, and what roles and policies mean.

It is made from a snapshot when a plan is drafted, and from what was read live before it is applied.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from permmigrate.catalog import Catalog
from permmigrate.model import (
    CustomPolicy,
    GroupId,
    PrincipalRef,
    PrincipalType,
    RoleAssignment,
    UserId,
)
from permmigrate.snapshot import Snapshot


@dataclass(frozen=True)
class World:
    """The account at one moment."""

    account_id: str
    catalog: Catalog
    users: frozenset[UserId]
    """Those who can act: enabled and not pending."""
    members: Mapping[GroupId, frozenset[UserId]]
    held: Mapping[PrincipalRef, frozenset[RoleAssignment]]
    """Principals that hold nothing may be absent."""
    policies: tuple[CustomPolicy, ...] = ()
    knows_assignments: bool = True
    """False where the account has no Permissions API that could tell."""

    @staticmethod
    def of(snapshot: Snapshot, *, knows_assignments: bool = True) -> World:
        """The account as the snapshot has it."""
        return World(
            account_id=snapshot.account_id,
            catalog=snapshot.catalog,
            users=frozenset(user.id for user in snapshot.users if user.enabled and not user.pending),
            members={group.id: frozenset(group.member_ids) for group in snapshot.groups},
            held=held_by(snapshot.assignments),
            policies=snapshot.custom_policies,
            knows_assignments=knows_assignments,
        )

    def with_held(self, held: Mapping[PrincipalRef, Iterable[RoleAssignment]]) -> World:
        """The same with what these principals hold now."""
        return replace(self, held={**self.held, **{who: frozenset(has) for who, has in held.items()}})

    def reach(self, principal: PrincipalRef) -> tuple[PrincipalRef, ...]:
        """The principal, and a group's members: whom a role of its own reaches."""
        if principal.type is not PrincipalType.GROUP:
            return (principal,)
        members = sorted(self.members.get(GroupId(principal.id), ()))
        return (principal, *(PrincipalRef(PrincipalType.USER, member) for member in members))

    @cached_property
    def groups_of(self) -> Mapping[UserId, frozenset[GroupId]]:
        """The groups of every user who is in one."""
        found: dict[UserId, set[GroupId]] = {}
        for group, members in self.members.items():
            for member in members:
                found.setdefault(member, set()).add(group)
        return {user: frozenset(groups) for user, groups in found.items()}

    def can_act(self, principal: PrincipalRef) -> bool:
        """Whether it is a person who can log in, or no person at all."""
        return principal.type is not PrincipalType.USER or principal.id in self.users


def held_by(assignments: Iterable[RoleAssignment]) -> dict[PrincipalRef, frozenset[RoleAssignment]]:
    """Assignments by who holds them."""
    found: dict[PrincipalRef, set[RoleAssignment]] = {}
    for assignment in assignments:
        found.setdefault(assignment.principal, set()).add(assignment)
    return {who: frozenset(has) for who, has in found.items()}
