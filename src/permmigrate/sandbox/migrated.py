"""What the vendor's own migration would leave: roles for people, folders, collections and keys.

The mapping is the sandbox's guess (facts, section 7.2): bundles by name, folder levels by order, and old keys
made Master Admin of their environment. Legacy `role` stays on users.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from permmigrate.sandbox.columns import Assignment
from permmigrate.sandbox.shares import Shares
from permmigrate.sandbox.state import Account, Role

BUNDLES: Final = {
    "master_admin": "Master Admin",
    "admin": "Admin",
    "technical_admin": "Technical Admin",
    "billing": "Billing",
    "reports": "Reports",
    "media_library_admin": "Media Library Admin",
    "media_library_user": "Media Library User",
}
LEVEL_NAMES: Final = ("Viewer", "Contributor", "Editor", "Manager")
AUDIT_ROLE: Final = "custom::role::account::admin_assist"


def migrate(account: Account, shares: Shares, bundles: Mapping[str, tuple[str, ...]], now: int) -> None:
    """Fill the account's assignments as the vendor would have."""
    add = account.assignments.append
    for user in account.users.values():
        scopes = ["all"] if user.environment_ids is None else user.environment_ids
        for role_id in bundles.get(BUNDLES.get(user.role, ""), ()):
            if account.roles[role_id].scope_type == "account":
                add(Assignment("user", user.id, role_id, None, "", "", now))
            else:
                for scope in scopes:
                    add(Assignment("user", user.id, role_id, scope, "", "", now))
    master = _named(account, "environment", "Master Admin").id
    for key in account.keys.values():
        add(Assignment("apiKey", key.id, master, key.environment_id, "", "", now))
    _account_keys(account, master, now)
    _content(account, shares, now)


def _account_keys(account: Account, environment_master: str, now: int) -> None:
    """The main key can do everything; the second one holds a role that reads people and roles."""
    main, audit = list(account.account_keys)[:2]
    account_master = _named(account, "account", "Master Admin").id
    account.assignments.append(Assignment("provisioningKey", main, account_master, None, "", "", now))
    account.assignments.append(Assignment("provisioningKey", main, environment_master, "all", "", "", now))
    account.assignments.append(Assignment("provisioningKey", audit, AUDIT_ROLE, None, "", "", now))


def _content(account: Account, shares: Shares, now: int) -> None:
    folder_roles = [_named(account, "folder", name).id for name in LEVEL_NAMES]
    collection_roles = [_named(account, "collection", name).id for name in LEVEL_NAMES]
    users, groups = list(account.users), list(account.groups)
    principals = [("user", user) for user in users] + [("group", group) for group in groups]
    folders, environments = account.folders, [environment.id for environment in account.environments]
    for share in shares:
        if share.principal >= len(principals):
            continue
        kind, identity = principals[share.principal]
        if share.content < 0:
            collection = shares.collections[-1 - share.content]
            scope, content = environments[collection.environment], ("collection_id", collection.id)
            role = collection_roles[share.level]
        else:
            scope = environments[folders.environments[share.content]]
            content, role = ("folder_id", folders.ids[share.content]), folder_roles[share.level]
        account.assignments.append(Assignment(kind, identity, role, scope, *content, now))


def _named(account: Account, level: str, name: str) -> Role:
    return next(
        role
        for role in account.roles.values()
        if role.management_type == "system" and role.level == level and role.name == name
    )
