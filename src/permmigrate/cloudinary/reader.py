"""Everything a snapshot needs, read from a live account: the `Source` that speaks HTTP.

It cannot write: its client refuses to. A refusal of the service comes back inside the `Reading`; a 401 is
raised, because nothing that follows it would be true.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx

from permmigrate.cloudinary import choices, wire
from permmigrate.cloudinary.asker import Asker
from permmigrate.cloudinary.credentials import Credentials
from permmigrate.cloudinary.foldertree import Tree
from permmigrate.cloudinary.listing import Listed, numbered_pages, straight_pages
from permmigrate.cloudinary.questions import Memory, Questions
from permmigrate.cloudinary.session import Params, Patience, Sent, Session, Timing
from permmigrate.cloudinary.transport import DEFAULT_API_URL, check_api_url, open_client
from permmigrate.errors import ServiceError
from permmigrate.model import (
    ApiKey,
    CustomPolicy,
    EnvironmentId,
    Folder,
    Group,
    ProductEnvironment,
    Role,
    RoleAssignment,
    User,
    UserId,
)
from permmigrate.snapshot.source import (
    Change,
    ListedGroup,
    ListedUser,
    Reading,
    RoleContents,
    SystemCatalog,
)

T = TypeVar("T")
S = TypeVar("S")

_PROVISIONING: Final = "GET /v1_1/provisioning/accounts/{account_id}"
_PERMISSIONS: Final = "GET /v2/accounts/{account_id}/permissions"
_PUBLIC: Final = "GET /v2/accounts/permissions/public"
_ROLE_KINDS: Final = (("account", "global"), ("prodenv", "global"), ("prodenv", "content"))
"""The role lists to ask for: `permission_type` is required, and what no `scope_type` means is not said."""
_USERS: Final = f"{_PROVISIONING}/users"
_ENVIRONMENTS_OF: Final = f"{_USERS}/{{user_id}}/sub_accounts"


class Reader:
    """A live account. Use it as a context manager; leaving it closes connections and drops what is queued."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        api_url: str = DEFAULT_API_URL,
        proxy: str | None = None,
        workers: int = choices.WORKERS,
        page_size: int = choices.USERS_A_PAGE,
        rate_share: float = choices.RATE_SHARE,
        memory: Memory | None = None,
        patience: Patience | None = None,
        timing: Timing | None = None,
        sent: Callable[[Sent], None] = lambda _: None,
        waiting: Callable[[str, float], None] = lambda lane, seconds: None,
        inner: httpx.BaseTransport | None = None,
    ) -> None:
        """`inner` replaces the network under the read-only guard, for an application in this process.

        `memory` holds answers that are not asked for again; `sent` is told of each request and `waiting` of
        each pause for the account's call rate.
        """
        self._credentials = credentials
        self._api_url = check_api_url(api_url)
        self._page_size = page_size
        self._client = open_client(self._api_url, proxy=proxy, connections=workers, inner=inner)
        self._session = Session(
            self._client,
            secrets=credentials.secrets,
            patience=patience,
            timing=timing,
            workers=workers,
            rate_share=rate_share,
            sent=sent,
            waiting=waiting,
        )
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="permmigrate")
        self._asker = Asker(
            Questions(self._session, memory), self._pool, credentials.account_id, credentials.account
        )
        self._user_count = 0
        self._straight = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._client.close()

    @property
    def account_id(self) -> str:
        return self._credentials.account_id

    @property
    def api_url(self) -> str:
        return self._api_url

    @property
    def account_key(self) -> str:
        return self._credentials.account.key

    @property
    def admin_clouds(self) -> frozenset[str]:
        return frozenset(self._credentials.environments)

    @property
    def calls(self) -> int:
        return self._session.calls

    @property
    def gone(self) -> bool:
        return self._session.gone

    def stop(self) -> None:
        self._session.close()

    def changes(self) -> tuple[Change, ...]:
        return self._asker.watch.changes(self._asker.each)

    def reread(self, area: str) -> None:
        self._asker.watch.renew(area)

    def environments(self) -> Reading[ProductEnvironment]:
        endpoint = f"{_PROVISIONING}/sub_accounts"
        return self._asker.plainly(
            endpoint, lambda: self._asker.all(endpoint, {}, wire.environments, _id).rows
        )

    def users(self) -> Reading[ListedUser]:
        """Every user, pending ones included (spec: the default of `pending` is all users)."""

        def read(again: int) -> Listed[ListedUser]:
            listed = self._listed_users({}, again)
            self._user_count, self._straight = len(listed.rows), listed.straight
            return listed

        def end(asked: Params, again: int) -> tuple[ListedUser, ...]:
            return wire.users(self._asker.ask(_USERS, asked, again))

        return self._asker.settled("people", _USERS, read, end, _standing)

    def environments_of(
        self, users: Sequence[User], environments: Sequence[ProductEnvironment]
    ) -> Iterator[Reading[EnvironmentId]]:
        """One call a user, or the users of each environment where that takes fewer calls and agrees."""
        if choices.by_environment(self._user_count, len(users), len(environments)):
            found = self._users_by_environment(users, environments)
            if found is not None:
                yield from found
                return
        yield from self._asker.each(users, self._environments_of)

    def _environments_of(self, user: User) -> Reading[EnvironmentId]:
        def read() -> tuple[EnvironmentId, ...]:
            return self._asker.all(
                _ENVIRONMENTS_OF, {}, wire.user_environments, _itself, user_id=user.id
            ).rows

        return self._asker.plainly(_ENVIRONMENTS_OF, read, user.email or user.id)

    def _users_by_environment(
        self, users: Sequence[User], environments: Sequence[ProductEnvironment]
    ) -> list[Reading[EnvironmentId]] | None:
        """Ask each environment for its users; None when it fails or a user's own call says otherwise."""
        endpoint = f"{_USERS}?sub_account_id={{sub_account_id}}"
        again = self._asker.watch.round("people")

        def read(environment: ProductEnvironment) -> Reading[UserId]:
            def rows() -> tuple[UserId, ...]:
                listed = self._listed_users({"sub_account_id": environment.id}, again, self._straight)
                return tuple(row.user.id for row in listed.rows)

            return self._asker.plainly(endpoint, rows, environment.name)

        found: dict[str, set[EnvironmentId]] = defaultdict(set)
        at = ""
        for environment, reading in zip(environments, self._asker.each(environments, read), strict=True):
            if reading.error is not None:
                return None
            at = max(at, reading.at)
            for user_id in reading.rows:
                found[user_id].add(environment.id)
        sample = _sample(users)
        for user, reading_ in zip(sample, self._asker.each(sample, self._environments_of), strict=True):
            if reading_.error is not None or set(reading_.rows) != found[user.id]:
                return None
        note = f"from the users of each environment; {len(sample)} people asked for one by one agree"
        return [
            Reading(endpoint, tuple(sorted(found[user.id])), user.email or user.id, note=note, at=at)
            for user in users
        ]

    def groups(self) -> Reading[ListedGroup]:
        endpoint = f"{_PROVISIONING}/user_groups"
        extended: Params = {"extended_details": True}

        def read(again: int) -> Listed[ListedGroup]:
            return self._asker.all(endpoint, extended, wire.groups, lambda row: row.group.id, again=again)

        def end(asked: Params, again: int) -> tuple[ListedGroup, ...]:
            return wire.groups(self._asker.ask(endpoint, asked, again))

        return self._asker.settled("groups", endpoint, read, end, _itself)

    def members_of(self, groups: Sequence[Group]) -> Iterator[Reading[UserId]]:
        endpoint = f"{_PROVISIONING}/user_groups/{{group_id}}/users"
        again = self._asker.watch.round("groups")

        def read(group: Group) -> Reading[UserId]:
            return self._asker.plainly(
                endpoint,
                lambda: (
                    self._asker.all(
                        endpoint, {}, wire.group_users, _itself, again=again, group_id=group.id
                    ).rows
                ),
                group.name or group.id,
            )

        return self._asker.each(groups, read)

    def api_keys(self, environments: Sequence[ProductEnvironment]) -> Iterator[Reading[ApiKey]]:
        endpoint = f"{_PROVISIONING}/sub_accounts/{{sub_account_id}}/access_keys"
        size = min(self._page_size, choices.KEYS_A_PAGE)

        def read(environment: ProductEnvironment) -> Reading[ApiKey]:
            def page(params: Params) -> tuple[tuple[ApiKey, ...], int | None]:
                answer = self._asker.ask(endpoint, params, sub_account_id=environment.id)
                return wire.api_keys(answer, environment.id), answer.count("total")

            return self._asker.plainly(
                endpoint, lambda: numbered_pages(endpoint, page, _id, size).rows, environment.name
            )

        return self._asker.each(environments, read)

    def folders(
        self, environment: ProductEnvironment, found: Callable[[int], None]
    ) -> Iterator[Reading[Folder]]:
        key = self._credentials.environments[environment.cloud_name]
        return Tree(self._asker.questions, key, environment, self._asker.each, found).read()

    def system_catalog(self) -> Reading[SystemCatalog]:
        """Sends no credentials: the catalog is public (spec: tag Public)."""
        endpoint = f"{_PUBLIC}/catalog"
        return self._asker.plainly(endpoint, lambda: (wire.catalog(self._asker.questions.read(endpoint)),))

    def cedar_schema(self) -> Reading[Mapping[str, Any]]:
        endpoint = f"{_PUBLIC}/schema"
        return self._asker.plainly(endpoint, lambda: (wire.schema(self._asker.questions.read(endpoint)),))

    def roles(self) -> Iterator[Reading[Role]]:
        endpoint = f"{_PERMISSIONS}/roles"

        def read(kind: tuple[str, str]) -> Reading[Role]:
            params = {"scope_type": kind[0], "permission_type": kind[1]}
            return self._asker.plainly(
                endpoint, lambda: self._asker.all(endpoint, params, wire.roles, _id).rows, " ".join(kind)
            )

        return self._asker.each(_ROLE_KINDS, read)

    def role_contents(self, roles: Sequence[Role]) -> Iterator[Reading[RoleContents]]:
        endpoint = f"{_PERMISSIONS}/roles/{{role_id}}"

        def read(role: Role) -> Reading[RoleContents]:
            return self._asker.plainly(
                endpoint,
                lambda: (wire.role_contents(self._asker.ask(endpoint, {}, role_id=role.id)),),
                role.id,
            )

        return self._asker.each(roles, read)

    def custom_policies(self, environments: Sequence[ProductEnvironment]) -> Iterator[Reading[CustomPolicy]]:
        endpoint = f"{_PERMISSIONS}/policies/custom"

        def read(one: ProductEnvironment | None) -> Reading[CustomPolicy]:
            return self._asker.plainly(
                endpoint,
                lambda: self._asker.all(endpoint, _scope(one), wire.custom_policies, _id).rows,
                one.name if one else "",
            )

        return self._asker.each((None, *environments), read)

    def assignments(self, environments: Sequence[ProductEnvironment]) -> Iterator[Reading[RoleAssignment]]:
        endpoint = f"{_PERMISSIONS}/principal_roles/inspect"

        def read(one: ProductEnvironment | None) -> Reading[RoleAssignment]:
            scope = one.id if one else None

            def whole(again: int) -> Listed[RoleAssignment]:
                return self._asker.all(
                    endpoint, _scope(one), lambda page: wire.assignments(page, scope), _itself, again=again
                )

            def end(asked: Params, again: int) -> tuple[RoleAssignment, ...]:
                return wire.assignments(self._asker.ask(endpoint, asked, again), scope)

            return self._asker.settled("assignments", endpoint, whole, end, _itself, one.name if one else "")

        return self._asker.each((None, *environments), read)

    def _listed_users(self, params: Params, again: int, straight: bool = False) -> Listed[ListedUser]:
        """Users in large pages, or in smaller ones where large ones are refused."""

        def page(asked: Params) -> tuple[tuple[ListedUser, ...], int | None]:
            return wire.users(self._asker.ask(_USERS, {**params, **asked}, again)), None

        if straight:
            return straight_pages(_USERS, page, _user_id, self._page_size)
        try:
            return numbered_pages(_USERS, page, _user_id, self._page_size)
        except ServiceError as error:
            if error.status != 400 or self._page_size <= choices.CAREFUL_PAGE:
                raise
        return numbered_pages(_USERS, page, _user_id, choices.CAREFUL_PAGE)


def _scope(environment: ProductEnvironment | None) -> Params:
    return {"scope_type": "prodenv", "scope_id": environment.id} if environment else {"scope_type": "account"}


def _itself(row: Hashable) -> Hashable:
    return row


def _id(row: ProductEnvironment | Role | ApiKey | CustomPolicy) -> str:
    return row.id


def _user_id(row: ListedUser) -> str:
    return row.user.id


def _standing(row: ListedUser) -> Hashable:
    """What of a user counts as a change: not when they logged in last."""
    user = row.user
    return user.id, user.legacy_role, user.enabled, user.pending, user.all_environments, user.environment_ids


def _sample(users: Sequence[User]) -> tuple[User, ...]:
    """Some users from the beginning, the middle and the end."""
    places = sorted({0, len(users) // 2, len(users) - 1}) if users else ()
    return tuple(users[place] for place in places)
