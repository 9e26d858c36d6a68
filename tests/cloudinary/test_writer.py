"""The one client that writes: what it sends, what it makes of answers, and that nobody else can."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import pytest

from permmigrate.apply.live import (
    Assign,
    CreatePolicy,
    CreateRole,
    DeletePolicy,
    DeleteRole,
    Invite,
    UpdatePolicy,
    Verdict,
    Write,
)
from permmigrate.cloudinary.credentials import AccountKeyPair, KeyPair
from permmigrate.cloudinary.session import Patience, Timing
from permmigrate.cloudinary.transport import open_client
from permmigrate.cloudinary.writer import Writer, _WriteKey
from permmigrate.errors import CredentialsError, RefusedError, UsageError
from permmigrate.model import (
    AccountId,
    CollectionId,
    EnvironmentId,
    FolderId,
    PermissionType,
    PolicyId,
    PrincipalRef,
    PrincipalType,
    RoleAssignment,
    RoleId,
    ScopeType,
)
from permmigrate.plan import PolicyBody, RoleBody

API = "https://api.example.com"
ANN = PrincipalRef(PrincipalType.USER, "ann")
KEY = PrincipalRef(PrincipalType.API_KEY, "1234")
E1 = EnvironmentId("e1")
ACCOUNT_ROLE, ROLE, FOLDER_ROLE, COLLECTION_ROLE = map(RoleId, ("acc", "env", "folder/1", "coll"))
ROLE_BODY = RoleBody("R", "d", PermissionType.GLOBAL, ScopeType.ENVIRONMENT, (PolicyId("p"),))
POLICY = PolicyBody("P", "", ScopeType.ENVIRONMENT, "e1", "permit(principal, action, resource);")
ACCOUNT_POLICY = PolicyBody("P", "", ScopeType.ACCOUNT, None, "permit(principal, action, resource);")
GIVEN = {"data": {"id": "given-1"}}


def role(identity: str, scope: str, permission: str, **more: object) -> dict[str, object]:
    kinds = {"scope_type": scope, "permission_type": permission, "management_type": "system"}
    return {"id": identity, "name": identity, **kinds, **more}


ROLES = {
    ("account", "global"): [role(ACCOUNT_ROLE, "account", "global")],
    ("prodenv", "global"): [role(ROLE, "prodenv", "global")],
    ("prodenv", "content"): [
        role(FOLDER_ROLE, "prodenv", "content", policy_parameters=["folder_id"]),
        role(COLLECTION_ROLE, "prodenv", "content", policy_parameters=["collection_id"]),
    ],
}


class Service:
    """Answers reads of roles, and every write with what it is told to."""

    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self._answers = list(answers)
        self.writes: list[httpx.Request] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.method == "GET" and request.url.path.endswith("/roles"):
            kind = (request.url.params["scope_type"], request.url.params["permission_type"])
            return httpx.Response(200, json={"data": ROLES[kind]})
        self.writes.append(request)
        answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@contextmanager
def writer(service: Callable[[httpx.Request], httpx.Response], attempts: int = 3) -> Iterator[Writer]:
    with Writer(
        AccountKeyPair(AccountId("a/1"), KeyPair("9", "s3cret", "CLOUDINARY_ACCOUNT_URL")),
        {"cloud": KeyPair("8", "s3cret2", "CLOUDINARY_URL")},
        {"e1": "cloud", "e2": "elsewhere"},
        api_url=API,
        patience=Patience(attempts=attempts, base=0),
        timing=Timing(sleep=lambda seconds: None),
        inner=httpx.MockTransport(service),
    ) as live:
        yield live


def row(role_id: RoleId = ROLE, principal: PrincipalRef = ANN, **where: object) -> RoleAssignment:
    return RoleAssignment(principal, role_id, **({"scope_id": "e1"} | where))  # type: ignore[arg-type]


WRITES: list[tuple[Write, httpx.Response, str, str, object]] = [
    (
        Assign(True, ROLE, (row(), row(scope_id="all"))),
        httpx.Response(200),
        "PUT",
        "/v2/accounts/a%2F1/permissions/roles/env/principals",
        {
            "operation": "add",
            "principals": [
                {"principal_type": "user", "principal_id": "ann", "scope_id": "e1"},
                {"principal_type": "user", "principal_id": "ann", "scope_id": "all"},
            ],
        },
    ),
    (
        Assign(False, FOLDER_ROLE, (row(FOLDER_ROLE, folder_id=FolderId("f")),)),
        httpx.Response(200),
        "PUT",
        "/v2/accounts/a%2F1/permissions/roles/folder%2F1/principals",
        {
            "operation": "remove",
            "principals": [
                {
                    "principal_type": "user",
                    "principal_id": "ann",
                    "scope_id": "e1",
                    "policy_parameters": {"folder_id": "f"},
                }
            ],
        },
    ),
    (
        Assign(True, COLLECTION_ROLE, (row(COLLECTION_ROLE, collection_id=CollectionId("c")),)),
        httpx.Response(200),
        "PUT",
        "/v2/accounts/a%2F1/permissions/roles/coll/principals",
        {
            "operation": "add",
            "principals": [
                {
                    "principal_type": "user",
                    "principal_id": "ann",
                    "scope_id": "e1",
                    "policy_parameters": {"collection_id": "c"},
                }
            ],
        },
    ),
    (
        Invite(True, E1, FolderId("f"), KEY, (FOLDER_ROLE,)),
        httpx.Response(200, json={"success": True}),
        "POST",
        "/v1_1/cloud/folder_operations/invite/f",
        {"principal": {"type": "apiKey", "id": "1234"}, "operation": "add", "roles": ["folder/1"]},
    ),
    (
        CreateRole(RoleId("r_1"), ROLE_BODY),
        httpx.Response(201, json=GIVEN),
        "POST",
        "/v2/accounts/a%2F1/permissions/roles",
        {
            "id": "r_1",
            "name": "R",
            "description": "d",
            "permission_type": "global",
            "scope_type": "prodenv",
            "system_policy_ids": ["p"],
        },
    ),
    (
        DeleteRole(RoleId("r_1")),
        httpx.Response(204),
        "DELETE",
        "/v2/accounts/a%2F1/permissions/roles/r_1",
        None,
    ),
    (
        CreatePolicy(ACCOUNT_POLICY),
        httpx.Response(201, json=GIVEN),
        "POST",
        "/v2/accounts/a%2F1/permissions/policies/custom",
        {
            "name": "P",
            "description": "",
            "policy_statement": "permit(principal, action, resource);",
            "scope_type": "account",
            "enabled": True,
        },
    ),
    (
        UpdatePolicy("x", POLICY),
        httpx.Response(200, json=GIVEN),
        "PUT",
        "/v2/accounts/a%2F1/permissions/policies/custom/x",
        {
            "name": "P",
            "description": "",
            "policy_statement": "permit(principal, action, resource);",
            "scope_type": "prodenv",
            "scope_id": "e1",
            "enabled": True,
        },
    ),
    (
        DeletePolicy("x"),
        httpx.Response(204),
        "DELETE",
        "/v2/accounts/a%2F1/permissions/policies/custom/x",
        None,
    ),
]


@pytest.mark.parametrize(("write", "answer", "method", "path", "body"), WRITES)
def test_each_write_is_the_call_of_the_specification(
    write: Write, answer: httpx.Response, method: str, path: str, body: object
) -> None:
    """Method, path and body as the vendor's contract has them, sent once; the answer says it was done."""
    service = Service(answer)
    with writer(service) as live:
        told = live.write(write)
    (sent,) = service.writes
    assert (method, path) == (sent.method, sent.url.raw_path.decode())
    assert body == (json.loads(sent.content) if sent.content else None)
    assert Verdict.TOOK is told.verdict
    assert ("given-1" if answer.content and b"data" in answer.content else "") == told.given_id


@pytest.mark.parametrize(("write", "answer", "method", "path", "body"), WRITES)
@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        *((status, Verdict.UNSURE) for status in (302, 408, 409, 425, 500, 501, 502, 503, 504, 202)),
        *((status, Verdict.REFUSED) for status in (400, 403, 404, 405, 413, 422)),
    ],
)
def test_an_answer_that_leaves_it_open_is_unsure(
    write: Write, answer: httpx.Response, method: str, path: str, body: object, status: int, verdict: Verdict
) -> None:
    """Only what the contract calls success took effect; what the service may have done before is unsure."""
    service = Service(httpx.Response(status, json={"error": {"message": "s3cret no"}}))
    with writer(service) as live:
        told = live.write(write)
    assert verdict is told.verdict
    assert status == told.status
    assert "s3cret" not in told.why
    assert 1 == len(service.writes)


@pytest.mark.parametrize(("write", "answer", "method", "path", "body"), WRITES)
def test_an_answer_that_never_came_or_is_none_is_unsure(
    write: Write, answer: httpx.Response, method: str, path: str, body: object
) -> None:
    """No answer, a page in place of one, a success that does not say so: nothing is sent again."""
    spoilt: list[httpx.Response | Exception] = [
        httpx.ReadTimeout("late"),
        httpx.ConnectError("gone"),
        httpx.RemoteProtocolError("cut"),
        httpx.Response(answer.status_code, content=b"<html>log in</html>"),
        httpx.DecodingError("not what it says it is"),
    ]
    if answer.status_code != 204:
        spoilt.append(httpx.Response(answer.status_code, json={"error": {"message": "no"}}))
        spoilt.append(httpx.Response(answer.status_code, json=[]))
    for each in spoilt:
        service = Service(each)
        with writer(service) as live:
            told = live.write(write)
        assert Verdict.UNSURE is told.verdict, each
        assert told.why
        assert 1 == len(service.writes)


def test_a_call_rate_is_waited_out_and_told_when_it_holds() -> None:
    """420 and 429 say that nothing was done: the write is sent again, within patience."""
    service = Service(httpx.Response(429), httpx.Response(420), httpx.Response(200))
    with writer(service) as live:
        assert Verdict.TOOK is live.write(WRITES[0][0]).verdict
    assert 3 == len(service.writes)
    service = Service(httpx.Response(429, headers={"Retry-After": "0"}))
    with writer(service) as live:
        assert Verdict.LATER is live.write(WRITES[0][0]).verdict
    assert 3 == len(service.writes)


def test_a_401_is_raised() -> None:
    """It is about who writes, not about what: nothing else makes sense after it."""
    with writer(Service(httpx.Response(401))) as live, pytest.raises(CredentialsError) as caught:
        live.write(WRITES[0][0])
    assert "s3cret" not in str(caught.value)


def test_the_services_number_for_the_call_is_kept() -> None:
    """The request id of the answer goes to the journal."""
    service = Service(httpx.Response(200, headers={"X-Request-Id": "abc\x01" + "d" * 200}))
    with writer(service) as live:
        told = live.write(WRITES[0][0])
    assert told.request_id.startswith("abcd")
    assert len(told.request_id) <= 100


@pytest.mark.parametrize(
    "assigned",
    [
        row(ACCOUNT_ROLE),
        row(ROLE, scope_id=None),
        row(FOLDER_ROLE),
        row(COLLECTION_ROLE),
        row(RoleId("nobody-knows")),
        row(ACCOUNT_ROLE, KEY, scope_id=None),
        row(COLLECTION_ROLE, KEY, collection_id=CollectionId("c")),
        row(FOLDER_ROLE, PrincipalRef(PrincipalType.ACCOUNT_KEY, "9"), folder_id=FolderId("f")),
    ],
)
def test_what_would_have_no_effect_is_refused_unsent(assigned: RoleAssignment) -> None:
    """The vendor accepts a role at the wrong scope or for the wrong principal, and ignores it."""
    service = Service(httpx.Response(200))
    with writer(service) as live, pytest.raises(RefusedError, match="was not given"):
        live.write(Assign(True, assigned.role_id, (assigned,)))
    assert [] == service.writes


def test_a_folder_role_needs_the_environments_key() -> None:
    """Without one the call is not made, and the environment is named."""
    service = Service(httpx.Response(200))
    with writer(service) as live, pytest.raises(UsageError, match="elsewhere"):
        live.write(Invite(True, EnvironmentId("e2"), FolderId("f"), KEY, (FOLDER_ROLE,)))
    assert [] == service.writes


def guarded(sent: list[str], key: _WriteKey) -> httpx.Client:
    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(f"{request.method} {request.url.path}")
        return httpx.Response(200, json={})

    return open_client(API, inner=httpx.MockTransport(answer), opens=key)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PUT", "/v2/accounts/b/permissions/roles/r/principals"),
        ("PUT", "/v2/accounts/a/permissions/roles/r"),
        ("PUT", "/v2/accounts/a/permissions/principal_roles"),
        ("DELETE", "/v2/accounts/a/permissions/roles/r?force=true"),
        ("DELETE", "/v2/accounts/a/permissions/roles/r/principals"),
        ("POST", "/v2/accounts/a/permissions/roles/"),
        ("PATCH", "/v2/accounts/a/permissions/roles"),
        ("POST", "/v1_1/provisioning/accounts/a/users"),
        ("DELETE", "/v1_1/provisioning/accounts/a/users/u"),
        ("PUT", "/v1_1/cloud/folder_operations/rename"),
        ("POST", "/v1_1/cloud/folder_operations/invite/f/g"),
    ],
)
def test_even_the_writers_key_opens_nothing_else(method: str, path: str) -> None:
    """What this program never writes does not pass with its key: other accounts, forced deletions, users."""
    sent: list[str] = []
    key = _WriteKey("a")
    with guarded(sent, key) as client, pytest.raises(RefusedError):
        client.request(method, path, extensions={"permmigrate.write": key})
    assert [] == sent


def test_the_key_must_come_with_the_call() -> None:
    """A client that can write refuses a write that does not carry its key, or carries another one."""
    sent: list[str] = []
    path, key = "/v2/accounts/a/permissions/roles", _WriteKey("a")
    with guarded(sent, key) as client:
        for extensions in ({}, {"permmigrate.write": _WriteKey("a")}, {"permmigrate.write": True}):
            with pytest.raises(RefusedError):
                client.request("POST", path, extensions=extensions)
        assert [] == sent
        client.request("POST", path, extensions={"permmigrate.write": key})
    assert [f"POST {path}"] == sent
