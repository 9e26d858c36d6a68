"""Whatever is sent, the answer is one of the documented ones: the service never breaks."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from permmigrate.sandbox import Sandbox
from permmigrate.sandbox.wire import Request
from sampling import times

SANDBOX = Sandbox(state="migrated")
DOCUMENTED = {200, 201, 204, 400, 401, 403, 404, 405, 409}
NAMES = (
    "name",
    "email",
    "role",
    "sub_account_ids",
    "enabled",
    "id",
    "permission_type",
    "scope_type",
    "scope_id",
    "system_policy_ids",
    "policy_statement",
    "policy_parameters",
    "policy",
    "operation",
    "principal",
    "principals",
    "roles",
    "type",
    "principal_type",
    "principal_id",
    "cursor",
    "expression",
    "max_results",
    "next_cursor",
    "sort_by",
    "asset_folder",
    "file",
    "cloud_name",
    "page",
    "page_size",
    "param_key",
    "param_value",
    "folder_id",
    "pending",
    "force",
    "verbose",
)
USER = next(iter(SANDBOX.account.users))
WORDS = st.sampled_from(
    [
        "",
        "add",
        "user",
        "global",
        "content",
        "account",
        "prodenv",
        "all",
        "true",
        "[",
        "x",
        USER,
        "cld::role::folder::viewer",
    ]
)
SCALARS = WORDS | st.none() | st.booleans() | st.integers(-2, 600) | st.text(max_size=5)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=3),
    max_leaves=6,
)
STATEMENT = (
    f'permit(principal == Cloudinary::User::"{USER}", action == Cloudinary::Action::"comment", '
    "resource is Cloudinary::Asset);"
)
PERSON = {"type": "user", "id": USER, "principal_type": "user", "principal_id": USER}
GOOD = {
    "name": "Somebody",
    "email": "somebody@example.com",
    "role": "reports",
    "enabled": True,
    "permission_type": "global",
    "scope_type": "prodenv",
    "scope_id": SANDBOX.account.environments[0].id,
    "system_policy_ids": ["cld::policy::global::ml::access"],
    "policy_statement": STATEMENT,
    "policy": STATEMENT,
    "operation": "add",
    "principal": PERSON,
    "principals": [PERSON],
    "roles": [{"id": "cld::role::prodenv::ml_user"}],
    "file": "data:,x",
    "asset_folder": "Brands",
}
"""Fields that together satisfy every write; examples then spoil some of them."""
ASKED = {
    "permission_type": ["global"],
    "scope_type": ["prodenv"],
    "scope_id": [SANDBOX.account.environments[0].id],
    "asset_folder": ["Brands"],
    **{name: [PERSON[name]] for name in ("principal_type", "principal_id")},
}
BODIES = st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=3).map(lambda spoilt: {**GOOD, **spoilt})
QUERIES = st.dictionaries(
    st.sampled_from(NAMES), st.lists(WORDS | st.text(max_size=4), min_size=1, max_size=2), max_size=2
).map(lambda spoilt: {**ASKED, **spoilt})
ROUTES = [(route.method, route.pattern.pattern, route.api) for route in SANDBOX._app._router._routes]


def path_of(pattern: str) -> str:
    """A path that fits a route and names things that are there."""
    account = SANDBOX.account
    path = pattern.replace("\\", "")
    for name, value in (
        ("account_id", account.id),
        ("sub_account_id", account.environments[0].id),
        ("key", SANDBOX.keys("meridian-prod")[1].id),
        ("user_id", USER),
        ("group_id", next(iter(account.groups))),
        ("role_id", "upload_manager_12334565"),
        ("policy_id", next(iter(account.custom_policies))),
        ("cloud_name", "meridian-prod"),
        ("folder_id", account.folders.ids[2]),
        ("resource_type", "image"),
        ("folder", "Brands"),
    ):
        path = path.replace(f"(?P<{name}>[^/]+)", value).replace(f"(?P<{name}>.+)", value)
    return path


@pytest.mark.sampled
@pytest.mark.parametrize(("method", "pattern", "api"), ROUTES)
@settings(max_examples=times(8, 40), deadline=None)
@given(body=BODIES, query=QUERIES)
def test_any_call_gets_a_documented_answer(
    method: str, pattern: str, api: str, body: dict, query: dict[str, list[str]]
) -> None:
    """Every route, with known fields of any type, answers with a documented status and JSON."""
    if "invite" in pattern and body["roles"] == GOOD["roles"]:
        body["roles"] = ["cld::role::folder::viewer"]
    sandbox = SANDBOX if method == "GET" else Sandbox(state="migrated")
    key = sandbox.keys("meridian-prod")[0]
    who = (
        (key.id, key.secret) if api in ("admin", "upload") else (sandbox.account_key, sandbox.account_secret)
    )
    answer = sandbox.answer(
        Request(
            method,
            path_of(pattern),
            {name: tuple(values) for name, values in query.items()},
            "Basic " + base64.b64encode(":".join(who).encode()).decode(),
            "application/json",
            json.dumps(body).encode() if method != "GET" else b"",
        )
    )
    assert answer.status in DOCUMENTED
    text = answer.body if isinstance(answer.body, bytes) else b"".join(answer.body)
    if text:
        json.loads(text)
