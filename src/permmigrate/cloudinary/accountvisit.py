"""The account's side of a doctor's visit: a few first pages of the Provisioning and the Permissions API.

It counts, and keeps nothing of what it reads but what the budget and the conclusion need.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from permmigrate.cloudinary import wire
from permmigrate.cloudinary.budget import PERMISSIONS, PROVISIONING
from permmigrate.cloudinary.credentials import AccountKeyPair
from permmigrate.cloudinary.record import Record
from permmigrate.cloudinary.visit import Question, Visit
from permmigrate.errors import CredentialsError, ServiceError
from permmigrate.model import (
    ApiKey,
    CustomPolicy,
    PrincipalType,
    ProductEnvironment,
    Role,
    RoleAssignment,
    RoleId,
)
from permmigrate.snapshot.source import ListedGroup, ListedUser

T = TypeVar("T")

PROVISIONING_API: Final = "Provisioning API"
PERMISSIONS_API: Final = "Permissions API"

PAGE_SIZE: Final = 100
"""What a snapshot asks for."""
_NO_PLAN: Final = "this plan or account does not have it: ask the vendor, or describe the account by lists"
_ENVIRONMENT_ROLES: Final = ("technical_admin", "media_library_admin", "media_library_user")
_PAGES_AT_MOST: Final = 20_000
_ROLE_KINDS: Final = (("account", "global"), ("prodenv", "global"), ("prodenv", "content"))


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """A first page."""

    rows: tuple[T, ...]
    entries: int
    """What the page is counted in: principals, for assignments."""
    whole: bool
    """Whether there is no other page."""


@dataclass(slots=True)
class AccountSide:
    """What the account's APIs told."""

    environments: tuple[ProductEnvironment, ...] | None = None
    users: int | None = None
    user_pages: int = 1
    users_exact: bool = True
    limited_users: int = 0
    account_people: int = 0
    """Users whose legacy role reaches beyond the product environments, or who have none."""
    groups: tuple[ListedGroup, ...] | None = None
    key_pages: int = 1
    roles: tuple[Role, ...] | None = None
    keys: int = 0
    """The keys of the environment that was looked at, as far as one page shows them."""
    policy_pages: list[Page[CustomPolicy]] = field(default_factory=list)
    assignments: list[Page[RoleAssignment]] = field(default_factory=list)
    """First pages: the account's, then an environment's."""

    @property
    def holders(self) -> Mapping[PrincipalType, int]:
        """How many principals of each kind were seen to hold a role."""
        seen = {one.principal for page in self.assignments for one in page.rows}
        return {kind: sum(one.type is kind for one in seen) for kind in PrincipalType}


class AccountVisit:
    """Asks with one account key."""

    def __init__(self, visit: Visit, account: AccountKeyPair) -> None:
        self._visit = visit
        self._account = account
        self.found = AccountSide()

    def provisioning(self) -> bool:
        """Look at the Provisioning API; False when the key was not accepted and nothing more can be told."""
        found, visit = self.found, self._visit
        question = self._question(PROVISIONING_API, "product environments", f"{PROVISIONING}/sub_accounts")
        found.environments = visit.ask(
            question, wire.environments, lambda rows: f"{len(rows)} product environments"
        )
        if isinstance(visit.errors.get(question.subject), CredentialsError):
            for subject in ("users", "groups", "API keys"):
                visit.unchecked(PROVISIONING_API, subject, "the account key was not accepted")
            visit.unchecked(PERMISSIONS_API, "roles and assignments", "the account key was not accepted")
            return False
        self._users()
        self._groups()
        if found.environments:
            self._keys(found.environments[0])
        return True

    def permissions(self, known: frozenset[RoleId]) -> None:
        """Look at the Permissions API; `known` are the public catalog's roles."""
        self._roles(known)
        self._policies()
        self._assignments()

    def _users(self) -> None:
        question = self._question(
            PROVISIONING_API, "users", f"{PROVISIONING}/users", params={"page_size": PAGE_SIZE}
        )
        first = self._visit.ask(question, wire.users, None)
        if first is None:
            return
        pages = self._count_pages(question, first)
        limited = [row for rows in pages.values() for row in rows if not row.environments_known]
        seen = sum(len(rows) for rows in pages.values())
        found, size = self.found, max(1, len(first))
        last = max(number for number, rows in pages.items() if rows or number == 1)
        found.user_pages, found.users = last, (last - 1) * size + len(pages[last])
        found.users_exact = seen == found.users
        found.limited_users = round(len(limited) * found.users / max(1, seen))
        beyond = [
            row for rows in pages.values() for row in rows if row.user.legacy_role not in _ENVIRONMENT_ROLES
        ]
        found.account_people = round(len(beyond) * found.users / max(1, seen))
        self._good(question, f"{found.users:,} users")
        if limited:
            endpoint = f"{PROVISIONING}/users/{{user_id}}/sub_accounts"
            one = self._question(
                PROVISIONING_API, "environments of a user", endpoint, user_id=limited[0].user.id
            )
            self._visit.ask(one, wire.user_environments, lambda _: f"{found.limited_users:,} users need it")

    def _count_pages(
        self, question: Question, first: tuple[ListedUser, ...]
    ) -> Mapping[int, tuple[ListedUser, ...]]:
        """Find the last page by doubling and halving: a few calls for thousands of users."""
        pages = {1: first}
        low, high, step = 1, 0, 2
        if not first:
            return pages
        while not high or high - low > 1:
            number = step if not high else (low + high) // 2
            rows = self._page(question, number, pages)
            if rows is None or number > _PAGES_AT_MOST:
                break
            pages[number] = rows
            if not rows:
                high = number
            elif len(rows) < len(first):
                low, high = number, number + 1
            else:
                low, step = number, step * 2
        return pages

    def _page(
        self, question: Question, number: int, pages: Mapping[int, Sequence[ListedUser]]
    ) -> tuple[ListedUser, ...] | None:
        """A page's rows, none when it only repeats what was seen, None when it could not be read."""
        asked = Question(
            question.area,
            question.subject,
            question.lane,
            question.endpoint,
            question.values,
            question.key,
            {"page_size": PAGE_SIZE, "page": number},
        )
        rows = self._visit.peek(asked, wire.users)
        if isinstance(rows, ServiceError):
            self._visit.refused(asked, rows)
            return None
        seen: set[Hashable] = {row.user.id for page in pages.values() for row in page}
        return rows if any(row.user.id not in seen for row in rows) else ()

    def _groups(self) -> None:
        endpoint, found = f"{PROVISIONING}/user_groups", self.found
        question = self._question(PROVISIONING_API, "groups", endpoint, params={"extended_details": True})
        found.groups = self._visit.ask(question, wire.groups, lambda rows: f"{len(rows):,} groups")
        unknown = [row.group for row in found.groups or () if not row.members_known]
        if unknown:
            one = self._question(
                PROVISIONING_API,
                "members of a group",
                f"{endpoint}/{{group_id}}/users",
                group_id=unknown[0].id,
            )
            self._visit.ask(one, wire.group_users, lambda _: f"{len(unknown):,} groups need it")

    def _keys(self, environment: ProductEnvironment) -> None:
        endpoint = f"{PROVISIONING}/sub_accounts/{{sub_account_id}}/access_keys"
        question = self._question(
            PROVISIONING_API,
            "API keys",
            endpoint,
            params={"page_size": PAGE_SIZE},
            sub_account_id=environment.id,
        )

        def parse(answer: Record) -> tuple[tuple[ApiKey, ...], int | None]:
            return wire.api_keys(answer, environment.id), answer.count("total")

        read = self._visit.ask(question, parse, lambda both: f"{len(both[0])} keys in {environment.name}")
        if read is not None:
            keys, total = read
            self.found.keys = len(keys)
            self.found.key_pages = max(1, -(-(total or len(keys)) // max(1, len(keys) or 1)))

    def _roles(self, known: frozenset[RoleId]) -> None:
        roles: list[Role] = []
        for scope, permission in _ROLE_KINDS:
            question = self._question(
                PERMISSIONS_API,
                "roles",
                f"{PERMISSIONS}/roles",
                params={"scope_type": scope, "permission_type": permission},
            )
            rows = self._visit.ask(question, wire.roles, None)
            if rows is None:
                return
            roles.extend(rows)
        self.found.roles = tuple(role for role in roles if role.id not in known)
        self._good(question, f"{len(roles):,} roles, {len(self.found.roles):,} not in the public catalog")
        if self.found.roles:
            one = self._question(
                PERMISSIONS_API,
                "contents of a role",
                f"{PERMISSIONS}/roles/{{role_id}}",
                role_id=self.found.roles[0].id,
            )
            self._visit.ask(one, wire.role_contents, lambda read: f"{len(read.policies)} policies")

    def _policies(self) -> None:
        for scope in self._scopes():
            question = self._question(
                PERMISSIONS_API, "custom policies", f"{PERMISSIONS}/policies/custom", params=scope
            )
            page = self._visit.ask(question, _policy_page, None)
            if page is None:
                return
            self.found.policy_pages.append(page)
        self._good(question, _seen(self.found.policy_pages))

    def _assignments(self) -> None:
        endpoint = f"{PERMISSIONS}/principal_roles/inspect"
        for scope in self._scopes():
            question = self._question(PERMISSIONS_API, "role assignments", endpoint, params=scope)
            page = self._visit.ask(question, _assignment_page, None)
            if page is None:
                return
            self.found.assignments.append(page)
        self._good(question, _seen(self.found.assignments))

    def _scopes(self) -> list[Mapping[str, str]]:
        """The account, and one environment for all: the others are asked in the same way."""
        scopes: list[Mapping[str, str]] = [{"scope_type": "account"}]
        if self.found.environments:
            scopes.append({"scope_type": "prodenv", "scope_id": self.found.environments[0].id})
        return scopes

    def _good(self, question: Question, detail: str) -> None:
        """Put down that all parts of a question were answered, unless one was not."""
        if question.subject not in self._visit.errors:
            self._visit.answered(question, detail)

    def _question(
        self,
        area: str,
        subject: str,
        endpoint: str,
        *,
        params: Mapping[str, str | int | bool] | None = None,
        **values: str,
    ) -> Question:
        return Question(
            area,
            subject,
            "provisioning" if area == PROVISIONING_API else "permissions",
            endpoint,
            {"account_id": self._account.id} | values,
            self._account.pair,
            params,
            absent=_NO_PLAN,
        )


def _policy_page(answer: Record) -> Page[CustomPolicy]:
    rows = wire.custom_policies(answer)
    return Page(rows, len(rows), not answer.optional_text("next_cursor"))


def _assignment_page(answer: Record) -> Page[RoleAssignment]:
    principals = sum(1 for _ in answer.object("data").records("principals"))
    return Page(wire.assignments(answer, None), principals, not answer.optional_text("next_cursor"))


def _seen(pages: Sequence[Page[T]]) -> str:
    more = "" if all(page.whole for page in pages) else ", and there are more"
    return f"{sum(len(page.rows) for page in pages):,} on the first pages{more}"
