"""Writes as the vendor's calls, and what the answers to them say: pure functions (spec: permissions.yml, and
asset-management.yml for folder roles).

No message holds a payload or a secret. What an answer leaves open is called unsure, never done.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, assert_never
from urllib.parse import quote

import httpx

from permmigrate.apply.live import (
    Answer,
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
from permmigrate.cloudinary import answer
from permmigrate.cloudinary.credentials import KeyPair
from permmigrate.cloudinary.record import Record
from permmigrate.model import (
    ContentKind,
    EnvironmentId,
    FolderId,
    PrincipalRef,
    PrincipalType,
    RoleAssignment,
    RoleId,
    ScopeType,
)
from permmigrate.plan import PolicyBody

_PERMISSIONS: Final = "/v2/accounts/{account_id}/permissions"
ASSIGN: Final = f"PUT {_PERMISSIONS}/roles/{{role_id}}/principals"
INVITE: Final = "POST /v1_1/{cloud_name}/folder_operations/invite/{folder_id}"
CREATE_ROLE: Final = f"POST {_PERMISSIONS}/roles"
DELETE_ROLE: Final = f"DELETE {_PERMISSIONS}/roles/{{role_id}}"
CREATE_POLICY: Final = f"POST {_PERMISSIONS}/policies/custom"
UPDATE_POLICY: Final = f"PUT {_PERMISSIONS}/policies/custom/{{policy_id}}"
DELETE_POLICY: Final = f"DELETE {_PERMISSIONS}/policies/custom/{{policy_id}}"
ENDPOINTS: Final = (ASSIGN, INVITE, CREATE_ROLE, DELETE_ROLE, CREATE_POLICY, UPDATE_POLICY, DELETE_POLICY)
"""Everything that can be written; what is not here does not pass the guard."""
_NO_EFFECT_KNOWN: Final = frozenset({408, 409, 425})
"""Refusals that may stand for something done before: the same call that came through earlier, a conflict."""


@dataclass(frozen=True, slots=True)
class Call:
    """One call: its template, the values in it, its body, and how it is answered when all is well."""

    endpoint: str
    values: Mapping[str, str]
    body: Mapping[str, Any] | None
    success: int = 200
    tells: str = ""
    """`id`: the answer has what was made. `success`: it says so. Empty: it need not have a body."""


def segment(value: str) -> str:
    """A value as one segment of a path."""
    return quote(value, safe="")


def call(write: Write) -> Call:
    """The call for a write."""
    match write:
        case Assign():
            principals = [_principal(row) for row in write.rows]
            body: dict[str, Any] = {"operation": _operation(write.add), "principals": principals}
            return Call(ASSIGN, {"role_id": write.role_id}, body)
        case Invite():
            body = {
                "principal": {"type": write.principal.type.value, "id": write.principal.id},
                "operation": _operation(write.add),
                "roles": list(write.role_ids),
            }
            return Call(INVITE, {"folder_id": write.folder_id}, body, tells="success")
        case CreateRole():
            role = write.body
            body = {
                "id": write.id,
                "name": role.name,
                "description": role.description,
                "permission_type": role.permission_type.value,
                "scope_type": role.scope_type.value,
                "system_policy_ids": list(role.policy_ids),
            }
            return Call(CREATE_ROLE, {}, body, 201, "id")
        case DeleteRole():
            return Call(DELETE_ROLE, {"role_id": write.id}, None, 204)
        case CreatePolicy():
            return Call(CREATE_POLICY, {}, _policy(write.body), 201, "id")
        case UpdatePolicy():
            return Call(UPDATE_POLICY, {"policy_id": write.id}, _policy(write.body), tells="id")
        case DeletePolicy():
            return Call(DELETE_POLICY, {"policy_id": write.id}, None, 204)
        case _:
            assert_never(write)


def understood(
    call: Call, outcome: httpx.Response | httpx.RequestError, key: KeyPair, secrets: tuple[str, ...]
) -> Answer:
    """What an answer, or none, says of the write. Raises CredentialsError for a 401."""
    if isinstance(outcome, httpx.RequestError):
        return Answer(Verdict.UNSURE, None, answer.given_up(call.endpoint, outcome, 1, None).message)
    status, request_id = outcome.status_code, _request_id(outcome)
    if status == call.success:
        told = _told(call, outcome)
        if told is not None:
            return Answer(Verdict.TOOK, status, request_id=request_id, given_id=told)
        why = f"`{call.endpoint}` answered {status} with something else than the specification says"
        return Answer(Verdict.UNSURE, status, why, request_id)
    if status in answer.THROTTLED:
        why = answer.given_up(call.endpoint, outcome, 1, None).message
        return Answer(Verdict.LATER, status, why, request_id)
    error = answer.refusal(call.endpoint, status, answer.told(outcome, secrets), key)
    if status == 401:
        raise error
    definite = 400 <= status < 500 and status not in _NO_EFFECT_KNOWN
    return Answer(Verdict.REFUSED if definite else Verdict.UNSURE, status, error.message, request_id)


def invited(record: Record, environment: EnvironmentId, folder: FolderId) -> Iterator[RoleAssignment]:
    """folder_roles_response: the roles given on the folder itself, not those inherited."""
    for item in record.records("shared_with"):
        if item.text("folder_id") != folder:
            continue
        principal = PrincipalRef(item.one_of("type", PrincipalType), item.text("id"))
        for role in item.records("roles"):
            yield RoleAssignment(principal, RoleId(role.text("id")), environment, folder)


def _told(call: Call, response: httpx.Response) -> str | None:
    """What the body tells (an id, or nothing), or None when it is not what it should be."""
    if not call.tells and not response.content:
        return ""
    try:
        content = json.loads(response.content)
        match call.tells:
            case "id":
                given = content["data"]["id"]
                return given if isinstance(given, str) and given else None
            case "success":
                return "" if content["success"] is True else None
            case _:
                return "" if isinstance(content, dict) and "error" not in content else None
    except (ValueError, KeyError, TypeError, RecursionError):
        return None


def _request_id(response: httpx.Response) -> str:
    """The service's number for the call; its header is not documented, and absent it is empty."""
    return "".join(c for c in response.headers.get("X-Request-Id", "")[:100] if c.isprintable())


def _operation(add: bool) -> str:
    return "add" if add else "remove"


def _principal(row: RoleAssignment) -> dict[str, Any]:
    """UpdateRolePrincipal: what does not apply is left out."""
    fields: dict[str, Any] = {"principal_type": row.principal.type.value, "principal_id": row.principal.id}
    if row.scope_id:
        fields["scope_id"] = row.scope_id
    if row.folder_id:
        fields["policy_parameters"] = {ContentKind.FOLDER.parameter: row.folder_id}
    elif row.collection_id:
        fields["policy_parameters"] = {ContentKind.COLLECTION.parameter: row.collection_id}
    return fields


def _policy(body: PolicyBody) -> dict[str, Any]:
    """CreateCustomPolicy and UpdateCustomPolicy: always the whole of it."""
    fields: dict[str, Any] = {
        "name": body.name,
        "description": body.description,
        "policy_statement": body.statement,
        "scope_type": body.scope_type.value,
        "enabled": body.enabled,
    }
    if body.scope_type is ScopeType.ENVIRONMENT:
        fields["scope_id"] = body.scope_id
    return fields
