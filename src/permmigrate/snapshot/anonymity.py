"""What becomes of each field of a snapshot when names are taken out of it.

Every field of every table is named: a row with a field that has no rule is not written at all, so that a new
one cannot slip through.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def _fields(**rules: str) -> Mapping[str, str]:
    return rules


RULES: Final[Mapping[str, Mapping[str, str]]] = {
    "environments": _fields(
        id="id", name="environment", cloud_name="cloud", enabled="keep", created_at="keep"
    ),
    "users": _fields(
        id="id",
        name="user",
        email="email",
        legacy_role="word",
        enabled="keep",
        pending="keep",
        all_environments="keep",
        environment_ids="ids",
        last_login="keep",
        created_at="keep",
        root="keep",
        technical_role="word",
        providers="providers",
    ),
    "groups": _fields(id="id", name="group", member_ids="ids"),
    "api_keys": _fields(
        id="id", name="key", environment_id="id", enabled="keep", created_at="keep", updated_at="keep"
    ),
    "account_keys": _fields(id="id", name="key"),
    "folders": _fields(id="id", environment_id="id", path="path"),
    "collections": _fields(id="id", environment_id="id", name="collection_name"),
    "shares": _fields(
        environment_id="id",
        content_type="keep",
        content="id",
        principal_type="keep",
        principal="id",
        level="word",
        source="source",
    ),
    "orphan_shares": _fields(fields="orphan", reason="reason", source="source"),
    "custom_policies": _fields(
        id="id",
        name="policy",
        description="removed",
        scope_type="keep",
        scope_id="scope",
        statement="statement",
        enabled="keep",
    ),
    "assignments": _fields(
        principal_type="keep",
        principal="id",
        role_id="role_id",
        scope_id="scope",
        folder_id="id",
        collection_id="id",
    ),
    "ledger": _fields(
        area="keep",
        endpoint="endpoint",
        subject="subject",
        status="keep",
        count="keep",
        http_status="keep",
        detail="detail",
        read_at="keep",
    ),
    "policies": _fields(
        id="policy_id",
        name="policy",
        description="removed",
        scope_type="keep",
        permission_type="keep",
        statement="statement",
        category="category",
        sub_category="category",
        parameters="keep",
    ),
    "roles": _fields(
        id="id",
        name="role",
        description="removed",
        management_type="keep",
        permission_type="keep",
        scope_type="keep",
        policy_ids="policy_ids",
        parameters="keep",
    ),
}
"""The rule of each field; those of `policies` and `roles` are for the account's own, not for the vendor's."""
