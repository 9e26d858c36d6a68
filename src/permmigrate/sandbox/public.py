"""The three public endpoints of the Permissions API: catalog, schema and Cedar validation. No login."""

from __future__ import annotations

import re
from typing import Final

import cedarpy

from permmigrate.sandbox.context import Context
from permmigrate.sandbox.routes import Router
from permmigrate.sandbox.state import Account
from permmigrate.sandbox.wire import ApiError, Request, Response, missing

BASE: Final = "/v2/accounts/permissions/public"
CEDAR_CODE: Final = "ACCOUNTS_00002"
_CATALOG_POLICY: Final = (
    "id",
    "name",
    "description",
    "category",
    "sub_category",
    "permission_type",
    "scope_type",
    "policy_parameters",
    "policy",
)


class Public:
    """The handlers, over one account's catalog."""

    def __init__(self, context: Context) -> None:
        self._account = context.account

    def register(self, router: Router) -> None:
        router.add("GET", f"{BASE}/catalog", "public", self.catalog)
        router.add("GET", f"{BASE}/schema", "public", self.schema)
        router.add("POST", f"{BASE}/validate", "public", self.validate)

    def catalog(self, request: Request) -> Response:
        policies = [
            {name: policy[name] for name in _CATALOG_POLICY if policy.get(name) not in (None, [], ())}
            for policy in self._account.system_policies.values()
        ]
        roles = [
            {
                "id": role.id,
                "name": role.name,
                "description": role.description,
                "permission_type": role.permission_type,
                "scope_type": role.scope_type,
                **({"policy_parameters": list(role.parameters)} if role.parameters else {}),
                "system_policy_ids": list(role.policy_ids),
            }
            for role in self._account.roles.values()
            if role.management_type == "system"
        ]
        return Response.json({"catalog": {"system_policies": policies, "system_roles": roles}})

    def schema(self, request: Request) -> Response:
        return Response.json({"schema": self._account.schema})

    def validate(self, request: Request) -> Response:
        policy = request.payload().get("policy")
        if not isinstance(policy, str) or not policy.strip():
            raise missing("policy")
        found = cedar_errors(self._account, policy)
        if not found:
            return Response.json({"valid": True, "errors": []})
        errors = [{"cedar_message": message, "cedar_code": CEDAR_CODE} for message in found]
        return Response.json({"valid": False, "errors": errors})


def cedar_errors(account: Account, statement: str) -> list[str]:
    """What is wrong with a statement by the account's schema, the usual mistakes in the vendor's words."""
    result = cedarpy.validate_policies(statement, account.schema)
    return list(dict.fromkeys(_worded(account, statement, str(error.error)) for error in result.errors))


def _worded(account: Account, statement: str, message: str) -> str:
    """`invalid_principal` and its like, as the specification's example has it; else Cedar's own words."""
    for part in ("principal", "resource"):
        named = re.search(rf"\b{part}\s*(?:==|is|in)\s*\[?\s*(\w+)::(\w+)", statement)
        if named is not None:
            types = account.schema.get(named[1], {}).get("entityTypes", {})
            if named[2] not in types:
                return f"invalid_{part}"
    return message


def refuse_cedar(account: Account, statement: str) -> None:
    """Raise the documented 400 when a statement is not valid Cedar for the account's schema."""
    found = cedar_errors(account, statement)
    if found:
        raise ApiError(
            400,
            "invalid request",
            code=CEDAR_CODE,
            fields=[
                {"policy_statement": statement},
                {"cedar_errors": [{"cedar_message": message} for message in found]},
            ],
        )
