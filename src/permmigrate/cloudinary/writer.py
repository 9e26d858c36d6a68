"""The account as it is changed: the one client that can write, and the only key to the transport's guard.

It sends each write once and says what the answer says; what an unanswered write did is for its caller to
read. Only the commands that write may import it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import wraps
from types import TracebackType
from typing import Any, Concatenate, Final, ParamSpec, Self, TypeVar

import httpx

from permmigrate.apply.live import (
    Answer,
    Assign,
    CreateRole,
    DeleteRole,
    Invite,
    Verdict,
    Write,
)
from permmigrate.catalog import refusal, scope_refusal
from permmigrate.cloudinary import wire, writing
from permmigrate.cloudinary.credentials import AccountKeyPair, KeyPair
from permmigrate.cloudinary.folderroles import cloud_of, read_folder
from permmigrate.cloudinary.listing import cursor_pages
from permmigrate.cloudinary.questions import Questions
from permmigrate.cloudinary.record import Record
from permmigrate.cloudinary.session import Params, Patience, Sent, Session, Timing
from permmigrate.cloudinary.transport import DEFAULT_API_URL, check_api_url, open_client
from permmigrate.errors import AbsentError, MalformedAnswerError, RefusedError, UsageError
from permmigrate.model import (
    CustomPolicy,
    EnvironmentId,
    FolderId,
    PrincipalRef,
    Role,
    RoleAssignment,
    RoleId,
)
from permmigrate.plan import RoleBody

P = ParamSpec("P")
T = TypeVar("T")

PRINCIPALS_A_READ: Final = 100
"""How many principals are asked for in one call: the vendor's limit is not documented."""
RATE_SHARE: Final = 0.5
MALFORMED_AT_MOST: Final = 3
"""So many answers in a row that are no answers are passed over before a read fails."""

_PERMISSIONS: Final = "/v2/accounts/{account_id}/permissions"
_ENVIRONMENTS: Final = "GET /v1_1/provisioning/accounts/{account_id}/sub_accounts"
_INSPECT: Final = f"POST {_PERMISSIONS}/principal_roles/inspect"
_ROLE_KINDS: Final = (("account", "global"), ("prodenv", "global"), ("prodenv", "content"))
_MARK: Final = "permmigrate.write"


def _persistent(read: Callable[Concatenate[Writer, P], T]) -> Callable[Concatenate[Writer, P], T]:
    """Ask again when an answer is not the service's own: a proxy's page may stand in its place for once."""

    @wraps(read)
    def reading(writer: Writer, /, *given: P.args, **named: P.kwargs) -> T:
        for _ in range(MALFORMED_AT_MOST):
            try:
                return read(writer, *given, **named)
            except MalformedAnswerError:
                continue
        return read(writer, *given, **named)

    return reading


class _WriteKey:
    """Opens the guard for a request that carries it, on the exact methods and paths of our writes."""

    def __init__(self, account_id: str) -> None:
        owned = writing.segment(account_id)
        self._doors = [
            (method, re.compile("[^/?]+".join(map(re.escape, re.split(r"\{\w+\}", path))).encode()))
            for method, path in (
                each.replace("{account_id}", owned).split(" ", 1) for each in writing.ENDPOINTS
            )
        ]

    def __call__(self, request: httpx.Request) -> bool:
        return request.extensions.get(_MARK) is self and any(
            method == request.method and path.fullmatch(request.url.raw_path) for method, path in self._doors
        )


class Writer:
    """A live account, to be read and changed; a `Live`. Use it as a context manager."""

    def __init__(
        self,
        account: AccountKeyPair | None,
        environments: Mapping[str, KeyPair],
        clouds: Mapping[str, str],
        *,
        api_url: str = DEFAULT_API_URL,
        rate_share: float = RATE_SHARE,
        patience: Patience | None = None,
        timing: Timing | None = None,
        timeout: httpx.Timeout | None = None,
        sent: Callable[[Sent], None] = lambda _: None,
        waiting: Callable[[str, float], None] = lambda lane, seconds: None,
        inner: httpx.BaseTransport | None = None,
    ) -> None:
        """`environments` are keys by cloud name, `clouds` cloud names by environment id.

        Without an account key only folder roles can be read and written. `inner` replaces the network under
        the guard.
        """
        self._account = account
        self._keys = environments
        self._clouds = clouds
        self._api_url = check_api_url(api_url)
        self._write_key = _WriteKey(account.id if account else "")
        options: dict[str, Any] = {} if timeout is None else {"timeout": timeout}
        self._client = open_client(self._api_url, inner=inner, opens=self._write_key, **options)
        secrets = (account.pair.secret,) if account else ()
        self._session = Session(
            self._client,
            secrets=(*secrets, *(pair.secret for pair in environments.values())),
            patience=patience,
            timing=timing,
            workers=1,
            rate_share=rate_share,
            sent=sent,
            waiting=waiting,
        )
        self._questions = Questions(self._session)
        self._roles: dict[RoleId, Role] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()
        self._client.close()

    @property
    def account_id(self) -> str:
        return self._account.id if self._account else ""

    @property
    def api_url(self) -> str:
        return self._api_url

    @property
    def account_key(self) -> str:
        return self._account.pair.key if self._account else ""

    @property
    def calls(self) -> int:
        return self._session.calls

    @_persistent
    def environment_ids(self) -> tuple[EnvironmentId, ...]:
        return tuple(one.id for one in wire.environments(self._ask(_ENVIRONMENTS)))

    def held(
        self, principals: Sequence[PrincipalRef], scope: EnvironmentId | None
    ) -> Mapping[PrincipalRef, frozenset[RoleAssignment] | None]:
        found: dict[PrincipalRef, frozenset[RoleAssignment] | None] = {}
        for start in range(0, len(principals), PRINCIPALS_A_READ):
            found |= self._held(principals[start : start + PRINCIPALS_A_READ], scope)
        return found

    @_persistent
    def _held(
        self, principals: Sequence[PrincipalRef], scope: EnvironmentId | None
    ) -> Mapping[PrincipalRef, frozenset[RoleAssignment] | None]:
        """Ask for them in one call, and in halves when one of them is not there."""
        asked: dict[str, Any] = {"scope_type": "prodenv", "scope_id": scope} if scope else {}
        asked |= {} if scope else {"scope_type": "account"}
        asked["principals"] = [{"type": one.type.value, "id": one.id} for one in principals]
        rows: dict[PrincipalRef, set[RoleAssignment]] = {one: set() for one in principals}
        try:
            for _, page in cursor_pages(
                _INSPECT, lambda more: self._ask(_INSPECT, body={**asked, **more}), {}, "cursor"
            ):
                for row in wire.assignments(page, scope):
                    if row.principal not in rows:
                        raise MalformedAnswerError(f"`{_INSPECT}` answers with principals not asked for")
                    rows[row.principal].add(row)
        except AbsentError:
            if len(principals) == 1:
                return {principals[0]: None}
            half = len(principals) // 2
            return {**self._held(principals[:half], scope), **self._held(principals[half:], scope)}
        return {one: frozenset(held) for one, held in rows.items()}

    @_persistent
    def folder_held(self, environment: EnvironmentId, folder: FolderId) -> frozenset[RoleAssignment]:
        cloud = cloud_of(environment, self._clouds, self._keys)
        return read_folder(self._session, self._keys[cloud], cloud, environment, folder)

    @_persistent
    def roles(self) -> Mapping[RoleId, Role]:
        found: dict[RoleId, Role] = {}
        for scope, permission in _ROLE_KINDS:
            params = {"scope_type": scope, "permission_type": permission}
            for page in self._pages("roles", params):
                found |= {role.id: role for role in wire.roles(page)}
        self._roles = found
        return found

    @_persistent
    def role_body(self, role_id: RoleId) -> RoleBody | None:
        try:
            found = wire.role_contents(self._ask(f"GET {_PERMISSIONS}/roles/{{role_id}}", role_id=role_id))
        except AbsentError:
            return None
        role = found.role
        return RoleBody(
            role.name,
            role.description,
            role.permission_type,
            role.scope_type,
            tuple(sorted(policy.id for policy in found.policies)),
        )

    @_persistent
    def custom_policies(self, scope: EnvironmentId | None) -> tuple[CustomPolicy, ...]:
        params = {"scope_type": "prodenv", "scope_id": scope} if scope else {"scope_type": "account"}
        return tuple(
            row for page in self._pages("policies/custom", params) for row in wire.custom_policies(page)
        )

    def write(self, write: Write) -> Answer:
        self._refuse_what_has_no_effect(write)
        if isinstance(write, Invite):
            cloud = cloud_of(write.environment_id, self._clouds, self._keys)
            owner, key = {"cloud_name": cloud}, self._keys[cloud]
        else:
            account = self._own()
            owner, key = {"account_id": account.id}, account.pair
        call = writing.call(write)
        try:
            outcome = self._session.deliver(
                call.endpoint,
                {**owner, **call.values},
                key=key,
                body=call.body,
                opening={_MARK: self._write_key},
            )
        except MalformedAnswerError as error:
            return Answer(Verdict.UNSURE, error.status, error.message)
        return writing.understood(call, outcome, key, self._session.secrets)

    def _refuse_what_has_no_effect(self, write: Write) -> None:
        """Refuse, unsent, what the vendor would accept and ignore: the wrong scope or kind of principal."""
        rows: tuple[tuple[RoleId, RoleAssignment], ...] = ()
        match write:
            case Assign(True, role_id, assigned):
                rows = tuple((role_id, row) for row in assigned)
            case CreateRole() | DeleteRole():
                self._roles = None
        for role_id, row in rows:
            role = (self._roles or self.roles()).get(role_id)
            why = (
                "there is no such role in the account"
                if role is None
                else refusal(role, row.principal.type)
                or scope_refusal(role, row.scope_id, row.folder_id, row.collection_id)
            )
            if why:
                raise RefusedError(f"role `{role_id}` was not given to `{row.principal}`: {why}")

    def _own(self) -> AccountKeyPair:
        if self._account is None:
            raise UsageError(
                "there is no account key",
                hint="set `CLOUDINARY_ACCOUNT_URL`: the plan needs the Permissions API",
            )
        return self._account

    def _pages(self, path: str, params: Params) -> Iterator[Record]:
        endpoint = f"GET {_PERMISSIONS}/{path}"
        account = self._own()
        pages = self._questions.pages(endpoint, {"account_id": account.id}, params, key=account.pair)
        return (page for _, page in pages)

    def _ask(self, endpoint: str, *, body: Mapping[str, Any] | None = None, **values: str) -> Record:
        account = self._own()
        return self._questions.read(
            endpoint, {"account_id": account.id, **values}, key=account.pair, body=body
        )
