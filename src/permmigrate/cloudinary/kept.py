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


def kept(answer: Any, secrets: tuple[str, ...] = ()) -> Any:
    """A copy of an answer's JSON with the known fields only; a secret of ours inside a text is masked."""
    match answer:
        case dict():
            return {
                name: value if name in WHOLE else kept(value, secrets)
                for name, value in answer.items()
                if name in FIELDS or name in WHOLE
            }
        case list():
            return [kept(item, secrets) for item in answer]
        case str():
            for secret in secrets:
                if secret and secret in answer:
                    answer = answer.replace(secret, "***")
            return answer
        case _:
            return answer
