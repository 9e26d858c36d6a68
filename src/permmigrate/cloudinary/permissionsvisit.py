"""The Permissions API's side of a doctor's visit: the roles, and first pages of policies and assignments."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from permmigrate.cloudinary import wire
from permmigrate.cloudinary.budget import PERMISSIONS
from permmigrate.cloudinary.credentials import AccountKeyPair
from permmigrate.cloudinary.record import Record
from permmigrate.cloudinary.visit import Visit, of_account
from permmigrate.model import (
    CustomPolicy,
    PrincipalType,
    ProductEnvironment,
    Role,
    RoleAssignment,
    RoleId,
)

T = TypeVar("T")

PERMISSIONS_API: Final = "Permissions API"
ROLES: Final = "roles"

_ROLE_KINDS: Final = (("account", "global"), ("prodenv", "global"), ("prodenv", "content"))


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A first page."""

    rows: tuple[T, ...]
    whole: bool
    """Whether there is no other page."""
    by_kind: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    """Of assignments, by kind of principal: how many principals, and their assignments together."""


@dataclass(frozen=True, slots=True)
class PermissionsSide:
    """What the API told."""

    roles: tuple[Role, ...] | None = None
    """Those that the public catalog does not have; None when they could not be listed."""
    policies: tuple[Page[CustomPolicy], ...] = ()
    """First pages: the account's, then an environment's."""
    assignments: tuple[Page[RoleAssignment], ...] = ()
    """First pages: the account's, then an environment's."""

    def holders(self, *kinds: PrincipalType) -> int:
        """How many principals of these kinds were seen to hold a role."""
        return len(
            {one.principal for page in self.assignments for one in page.rows if one.principal.type in kinds}
        )


def visit_permissions(
    visit: Visit,
    account: AccountKeyPair,
    environments: Sequence[ProductEnvironment] | None,
    known: frozenset[RoleId],
) -> PermissionsSide:
    """Look at the API; `known` are the public catalog's roles."""
    scopes: list[Mapping[str, str]] = [{"scope_type": "account"}]
    if environments:
        scopes.append({"scope_type": "prodenv", "scope_id": environments[0].id})
    return PermissionsSide(
        _roles(visit, account, known),
        _pages(visit, account, "custom policies", "policies/custom", scopes, _policies),
        _pages(visit, account, "role assignments", "principal_roles/inspect", scopes, _assignments),
    )


def _roles(visit: Visit, account: AccountKeyPair, known: frozenset[RoleId]) -> tuple[Role, ...] | None:
    listed: list[Role] = []
    for scope, permission in _ROLE_KINDS:
        params = {"scope_type": scope, "permission_type": permission}
        question = of_account(account, PERMISSIONS_API, ROLES, f"{PERMISSIONS}/roles", params=params)
        rows = visit.ask(question, wire.roles, None)
        if rows is None:
            return None
        listed.extend(rows)
    others = tuple({role.id: role for role in listed if role.id not in known}.values())
    visit.answered(question, f"{len(listed):,} roles, {len(others):,} not in the public catalog")
    if others:
        one = of_account(
            account,
            PERMISSIONS_API,
            "contents of a role",
            f"{PERMISSIONS}/roles/{{role_id}}",
            role_id=others[0].id,
        )
        visit.ask(one, wire.role_contents, lambda read: f"{len(read.policies)} policies")
    return others


def _pages(
    visit: Visit,
    account: AccountKeyPair,
    subject: str,
    path: str,
    scopes: Sequence[Mapping[str, str]],
    parse: Callable[[Record], Page[T]],
) -> tuple[Page[T], ...]:
    """First pages for the account and for one environment: the others are asked in the same way."""
    pages: list[Page[T]] = []
    for scope in scopes:
        question = of_account(account, PERMISSIONS_API, subject, f"{PERMISSIONS}/{path}", params=scope)
        page = visit.ask(question, parse, None)
        if page is None:
            return tuple(pages)
        pages.append(page)
    more = "" if all(page.whole for page in pages) else ", and there are more"
    seen = sum(len(page.rows) for page in pages)
    visit.answered(question, f"{seen:,} on the first pages{more}")
    return tuple(pages)


def _policies(answer: Record) -> Page[CustomPolicy]:
    return Page(wire.custom_policies(answer), not answer.optional_text("next_cursor"))


def _assignments(answer: Record) -> Page[RoleAssignment]:
    rows = wire.assignments(answer, None)
    principals = Counter(one.type.value for one in {row.principal for row in rows})
    held = Counter(row.principal.type.value for row in rows)
    by_kind = {kind: (principals[kind], held[kind]) for kind in principals}
    return Page(rows, not answer.optional_text("next_cursor"), by_kind)
