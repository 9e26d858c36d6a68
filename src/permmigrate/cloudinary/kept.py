"""What of an answer goes further: the fields that `wire` reads, and nothing else.

Secrets are not looked for and removed; what is not known to be needed is left out, whatever it is called.
"""

from __future__ import annotations

from typing import Any, Final

FIELDS: Final = frozenset(
    {
        "access_keys",
        "all_sub_accounts",
        "api_key",
        "catalog",
        "category",
        "cloud_name",
        "collection_id",
        "created_at",
        "data",
        "description",
        "email",
        "enabled",
        "external_id",
        "first_name",
        "folder_id",
        "folders",
        "id",
        "last_login",
        "last_name",
        "management_type",
        "name",
        "next_cursor",
        "path",
        "pending",
        "permission_type",
        "policies",
        "policy",
        "policy_parameters",
        "policy_statement",
        "principals",
        "providers",
        "role",
        "roles",
        "root",
        "scope_id",
        "scope_type",
        "sub_account_ids",
        "sub_accounts",
        "sub_category",
        "system_policies",
        "system_policy_ids",
        "system_roles",
        "technical_role",
        "total",
        "total_count",
        "type",
        "updated_at",
        "user_groups",
        "users",
    }
)
"""The names that `wire` asks a Record for, and those that paging needs."""

WHOLE: Final = frozenset({"schema"})
"""Fields taken as they are: the Cedar schema is public, and its names are its own."""


_PLAIN: Final = frozenset({str, int, float, bool, type(None)})


def kept(answer: Any, secrets: tuple[str, ...] = ()) -> Any:
    """A copy of an answer's JSON with the known fields only; a secret of ours inside a text is masked."""
    kind = type(answer)
    if kind is dict:
        return {
            name: value if name in WHOLE or _as_it_is(value, secrets) else kept(value, secrets)
            for name, value in answer.items()
            if name in FIELDS or name in WHOLE
        }
    if kind is list:
        return [item if _as_it_is(item, secrets) else kept(item, secrets) for item in answer]
    if kind is str:
        for secret in secrets:
            if secret:
                answer = answer.replace(secret, "***")
    return answer


def _as_it_is(value: Any, secrets: tuple[str, ...]) -> bool:
    """Whether nothing could be left out of it: most values, so that most need no call of their own."""
    return not secrets and type(value) in _PLAIN


def may_hold(content: bytes, secrets: tuple[str, ...]) -> bool:
    """Whether a secret may stand in a body: as it is, escaped, or in wider characters."""
    if b"\\" in content or b"\0" in content:
        return True
    return any(secret.encode() in content for secret in secrets if secret)
