"""Everything a snapshot needs, read from a live account: the `Source` that speaks HTTP.

It cannot write: its client refuses to. A refusal of the service comes back inside the `Reading`; a 401 is
raised, because nothing that follows it would be true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx

from permmigrate.cloudinary import wire
from permmigrate.cloudinary.credentials import Credentials
from permmigrate.cloudinary.foldertree import read_folders
from permmigrate.cloudinary.listing import numbered_pages
from permmigrate.cloudinary.record import Record
from permmigrate.cloudinary.session import Params, Patience, Session, Timing
from permmigrate.cloudinary.transport import DEFAULT_API_URL, check_api_url, open_client
from permmigrate.errors import CredentialsError, ServiceError
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
from permmigrate.snapshot.source import ListedGroup, ListedUser, Reading, RoleContents, SystemCatalog

T = TypeVar("T")
S = TypeVar("S")

_PROVISIONING: Final = "GET /v1_1/provisioning/accounts/{account_id}"
_PERMISSIONS: Final = "GET /v2/accounts/{account_id}/permissions"
_PUBLIC: Final = "GET /v2/accounts/permissions/public"
_ROLE_KINDS: Final = (("account", "global"), ("prodenv", "global"), ("prodenv", "content"))
"""The role lists to ask for: `permission_type` is required, and what no `scope_type` means is not said."""


class Reader:
    """A live account. Use it as a context manager; leaving it closes connections and drops what is queued."""

    def __init__(
        self,
        credentials: Credentials,
        *,
        api_url: str = DEFAULT_API_URL,
        proxy: str | None = None,
        workers: int = 8,
        page_size: int = 100,
        patience: Patience | None = None,
        timing: Timing | None = None,
        inner: httpx.BaseTransport | None = None,
    ) -> None:
        """`inner` replaces the network under the read-only guard, for an application in this process."""
        self._credentials = credentials
        self._api_url = check_api_url(api_url)
        self._page_size = page_size
        self._client = open_client(self._api_url, proxy=proxy, connections=workers, inner=inner)
        self._session = Session(self._client, secrets=credentials.secrets, patience=patience, timing=timing)
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="permmigrate")

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

    def environments(self) -> Reading[ProductEnvironment]:
        endpoint = f"{_PROVISIONING}/sub_accounts"
        return _reading(endpoint, lambda: self._all(endpoint, {}, wire.environments))

    def users(self) -> Reading[ListedUser]:
        """Every user, pending ones included (spec: the default of `pending` is all users)."""
        endpoint = f"{_PROVISIONING}/users"

        def page(params: Params) -> tuple[tuple[ListedUser, ...], int | None]:
            answer = self._session.read(endpoint, self._owner(), params, key=self._credentials.account)
            return wire.users(answer), None

        return _reading(
            endpoint, lambda: numbered_pages(endpoint, page, lambda row: row.user.id, self._page_size)
        )

    def environments_of(self, users: Sequence[User]) -> Iterator[Reading[EnvironmentId]]:
        endpoint = f"{_PROVISIONING}/users/{{user_id}}/sub_accounts"
        return self._each(
            users,
            lambda user: _reading(
                endpoint,
                lambda: self._all(endpoint, {}, wire.user_environments, user_id=user.id),
                user.email or user.id,
            ),
        )

    def groups(self) -> Reading[ListedGroup]:
        endpoint = f"{_PROVISIONING}/user_groups"
        return _reading(endpoint, lambda: self._all(endpoint, {"extended_details": True}, wire.groups))

    def members_of(self, groups: Sequence[Group]) -> Iterator[Reading[UserId]]:
        endpoint = f"{_PROVISIONING}/user_groups/{{group_id}}/users"
        return self._each(
            groups,
            lambda group: _reading(
                endpoint,
                lambda: self._all(endpoint, {}, wire.group_users, group_id=group.id),
                group.name or group.id,
            ),
        )

    def api_keys(self, environments: Sequence[ProductEnvironment]) -> Iterator[Reading[ApiKey]]:
        endpoint = f"{_PROVISIONING}/sub_accounts/{{sub_account_id}}/access_keys"

        def read(environment: ProductEnvironment) -> tuple[ApiKey, ...]:
            values = self._owner() | {"sub_account_id": environment.id}

            def page(params: Params) -> tuple[tuple[ApiKey, ...], int | None]:
                answer = self._session.read(endpoint, values, params, key=self._credentials.account)
                return wire.api_keys(answer, environment.id), answer.count("total")

            return numbered_pages(endpoint, page, lambda key: key.id, self._page_size)

        return self._each(environments, lambda one: _reading(endpoint, lambda: read(one), one.name))

    def folders(
        self, environment: ProductEnvironment, found: Callable[[int], None]
    ) -> Iterator[Reading[Folder]]:
        key = self._credentials.environments[environment.cloud_name]
        return read_folders(self._session, key, environment, self._each, found)

    def system_catalog(self) -> Reading[SystemCatalog]:
        """Sends no credentials: the catalog is public (spec: tag Public)."""
        endpoint = f"{_PUBLIC}/catalog"
        return _reading(endpoint, lambda: (wire.catalog(self._session.read(endpoint)),))

    def cedar_schema(self) -> Reading[Mapping[str, Any]]:
        endpoint = f"{_PUBLIC}/schema"
        return _reading(endpoint, lambda: (wire.schema(self._session.read(endpoint)),))

    def roles(self) -> Iterator[Reading[Role]]:
        endpoint = f"{_PERMISSIONS}/roles"
        return self._each(
            _ROLE_KINDS,
            lambda kind: _reading(
                endpoint,
                lambda: self._all(endpoint, {"scope_type": kind[0], "permission_type": kind[1]}, wire.roles),
                " ".join(kind),
            ),
        )

    def role_contents(self, roles: Sequence[Role]) -> Iterator[Reading[RoleContents]]:
        endpoint = f"{_PERMISSIONS}/roles/{{role_id}}"

        def read(role: Role) -> tuple[RoleContents]:
            values = self._owner() | {"role_id": role.id}
            return (wire.role_contents(self._session.read(endpoint, values, key=self._credentials.account)),)

        return self._each(roles, lambda role: _reading(endpoint, lambda: read(role), role.id))

    def custom_policies(self, environments: Sequence[ProductEnvironment]) -> Iterator[Reading[CustomPolicy]]:
        endpoint = f"{_PERMISSIONS}/policies/custom"
        return self._each(
            (None, *environments),
            lambda one: _reading(
                endpoint,
                lambda: self._all(endpoint, _scope(one), wire.custom_policies),
                one.name if one else "",
            ),
        )

    def assignments(self, environments: Sequence[ProductEnvironment]) -> Iterator[Reading[RoleAssignment]]:
        endpoint = f"{_PERMISSIONS}/principal_roles/inspect"

        def read(one: ProductEnvironment | None) -> tuple[RoleAssignment, ...]:
            asked = one.id if one else None
            return self._all(endpoint, _scope(one), lambda answer: wire.assignments(answer, asked))

        return self._each(
            (None, *environments), lambda one: _reading(endpoint, lambda: read(one), one.name if one else "")
        )

    def _owner(self) -> dict[str, str]:
        return {"account_id": self._credentials.account_id}

    def _all(
        self, endpoint: str, params: Params, parse: Callable[[Record], tuple[T, ...]], **values: str
    ) -> tuple[T, ...]:
        pages = self._session.pages(endpoint, self._owner() | values, params, key=self._credentials.account)
        return tuple(row for page in pages for row in parse(page))

    def _each(self, items: Iterable[S], read: Callable[[S], T]) -> Iterator[T]:
        """Read the items side by side and yield what came of them in order; leaving early drops the rest."""
        futures = [self._pool.submit(read, item) for item in items]
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()


def _scope(environment: ProductEnvironment | None) -> Params:
    return {"scope_type": "prodenv", "scope_id": environment.id} if environment else {"scope_type": "account"}


def _reading(endpoint: str, read: Callable[[], Iterable[T]], subject: str = "") -> Reading[T]:
    try:
        return Reading(endpoint, tuple(read()), subject)
    except CredentialsError:
        raise
    except ServiceError as error:
        return Reading(endpoint, (), subject, error)
