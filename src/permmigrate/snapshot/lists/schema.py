"""The lists there are, their columns, and the words people use for both. Only data: no reading, no rules."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Final


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a list."""

    name: str
    title: str
    """What the template's header says."""
    help: str
    """One sentence for the person who fills it in."""
    aliases: tuple[str, ...] = ()
    """Other headers that mean it; of several in one list the first here wins."""
    is_id: bool = False
    """An id or something that stands for one: a number cut short is an error there."""
    many: bool = False
    """Several values in one cell."""

    @property
    def words(self) -> tuple[str, ...]:
        """Every header that means this column, tidied, the best first."""
        return tuple(dict.fromkeys(tidy(word) for word in (self.name, self.title, *self.aliases)))


@dataclass(frozen=True, slots=True)
class ListTable:
    """One kind of list."""

    name: str
    """As in a snapshot: `users`, `api_keys`."""
    title: str
    """The sheet's name in the template."""
    area: str
    """The ledger's area."""
    help: str
    columns: tuple[Column, ...]
    needed: tuple[tuple[str, ...], ...]
    """Of each group, at least one column must be there."""
    aliases: tuple[str, ...] = ()
    """Other names of sheets and files that hold it."""

    def column(self, name: str) -> Column:
        return next(column for column in self.columns if column.name == name)


@cache
def tidy(name: str) -> str:
    """A name without case, spaces, signs and remarks: `E-mail (login)*` and `e_mail` are one."""
    return re.sub(r"[\W_]+", "", re.sub(r"\(.*?\)|\[.*?\]", "", name)).casefold()


_ENVIRONMENT: Final = Column(
    "environment",
    "Environment",
    "Product environment: cloud name, id or name. Leave the column out when there is only one.",
    ("product environment", "env", "cloud name", "cloud", "prodenv", "sub account", "environment id",
     "sub account id", "environment name"),
    is_id=True,
)  # fmt: skip
_ENABLED: Final = Column(
    "enabled", "Enabled", "yes or no; empty means yes.", ("active", "status", "state", "is enabled")
)

ENVIRONMENTS: Final = ListTable(
    "environments",
    "Environments",
    "environments",
    "The product environments of the account, one a row.",
    (
        Column("cloud_name", "Cloud name", "The cloud name, as in delivery addresses.",
               ("cloud", "environment", "product environment"), is_id=True),
        Column("name", "Name", "What people call it.", ("environment name", "display name", "title")),
        Column("id", "ID", "The id the vendor's API has for it, if you know it.",
               ("environment id", "sub account id", "external id"), is_id=True),
        _ENABLED,
    ),
    (("cloud_name", "name", "id"),),
    ("environment", "product environments", "product environment", "sub accounts", "clouds", "prodenvs"),
)  # fmt: skip

USERS: Final = ListTable(
    "users",
    "Users",
    "people",
    "The users of the account and their legacy role, one a row.",
    (
        Column("email", "E-mail", "The address the person signs in with.",
               ("email", "email address", "mail", "login", "user e-mail", "user"), is_id=True),
        Column("name", "Name", "First and last name.", ("full name", "user name", "display name")),
        Column("role", "Legacy role", "One of the seven legacy roles.",
               ("legacy role", "user role", "console role")),
        Column("groups", "Groups", "The groups the person is in, separated by semicolons.",
               ("group", "user groups", "member of", "teams", "team"), many=True),
        Column("environments", "Environments",
               "The environments the person is limited to, semicolons between; empty means all.",
               ("environment", "product environments", "sub accounts", "clouds", "cloud names"), many=True),
        Column("enabled", "Enabled", "yes, no or pending; empty means yes.",
               ("active", "status", "state", "is enabled")),
        Column("pending", "Pending", "yes for an invitation that was not accepted yet.", ("invited",)),
        Column("all_environments", "All environments", "yes or no; with no, `environments` says which.",
               ("all sub accounts", "all product environments")),
        Column("last_login", "Last login", "A date such as 2026-11-22; empty means not known.",
               ("last seen", "last sign in", "last active", "last activity")),
        Column("id", "User ID", "The id the vendor's API has for the person, if you know it.",
               ("id", "user id", "external id"), is_id=True),
    ),
    (("email", "id"), ("role",)),
    ("user", "people", "persons", "accounts", "team members", "staff"),
)  # fmt: skip

GROUPS: Final = ListTable(
    "groups",
    "Groups",
    "groups",
    "The user groups, one a row, or one a row for each member.",
    (
        Column("name", "Group", "Its name.", ("group name", "user group", "team", "name"), is_id=True),
        Column("members", "Members", "E-mails of the members, separated by semicolons.",
               ("user e-mail", "member", "users", "user", "e-mails", "e-mail", "email", "people",
                "user id"), is_id=True, many=True),
        Column("id", "Group ID", "The id the vendor's API has for the group, if you know it.",
               ("id", "group id", "external id"), is_id=True),
    ),
    (("name", "id"),),
    ("group", "user groups", "user group", "teams", "group members", "group membership", "memberships"),
)  # fmt: skip

FOLDERS: Final = ListTable(
    "folders",
    "Folders",
    "folders",
    "The folders, one a row. Parents need no row of their own.",
    (
        _ENVIRONMENT,
        Column("path", "Folder path", "The whole path, as in Brands/Aurora/2026.",
               ("folder path", "full path", "folder", "folder name"), is_id=True),
        Column("id", "Folder ID", "The folder's external id, if you know it.",
               ("external id", "folder id", "id"), is_id=True),
    ),
    (("path",),),
    ("folder", "folder tree", "directories"),
)  # fmt: skip

COLLECTIONS: Final = ListTable(
    "collections",
    "Collections",
    "shares",
    "The collections that are shared, one a row.",
    (
        _ENVIRONMENT,
        Column("name", "Collection name", "What people call it.", ("collection name", "title", "name")),
        Column("id", "Collection ID", "The collection's id, if you know it.",
               ("collection id", "external id", "id", "collection"), is_id=True),
    ),
    (("name", "id"),),
    ("collection",),
)  # fmt: skip

API_KEYS: Final = ListTable(
    "api_keys",
    "API keys",
    "keys",
    "The API keys of the product environments, one a row. Never write a secret here.",
    (
        _ENVIRONMENT,
        Column("key", "API key", "The key itself (15 digits), as text.",
               ("api key", "key", "access key", "api key id", "key id", "id"), is_id=True),
        Column("name", "Key name", "What people call it.", ("key name", "name", "label")),
        _ENABLED,
    ),
    (("key",),),
    ("api key", "keys", "access keys", "environment keys"),
)  # fmt: skip

ACCOUNT_KEYS: Final = ListTable(
    "account_keys",
    "Account keys",
    "keys",
    "The account management keys, one a row. Never write a secret here.",
    (
        Column("key", "Account key", "The key itself (15 digits), as text.",
               ("account key", "account management key", "provisioning key", "provisioning api key",
                "id"),
               is_id=True),
        Column("name", "Key name", "What people call it.", ("key name", "name", "label")),
    ),
    (("key",),),
    ("account key", "account management keys", "provisioning keys", "management keys"),
)  # fmt: skip

SHARES: Final = ListTable(
    "shares",
    "Shares",
    "shares",
    "Who may do what with which folder or collection, one share a row.",
    (
        _ENVIRONMENT,
        Column("content_type", "Content type", "folder or collection.",
               ("type of content", "folder or collection", "kind of content", "share type", "resource type")),
        Column("content", "Content", "Folder path or external id; collection id.",
               ("content id", "shared item", "item", "shared content"), is_id=True),
        Column("folder", "Folder", "Folder path or external id. Fill in this or the collection.",
               ("folder path", "path", "full path", "folder external id", "folder id", "external id",
                "folder name"), is_id=True),
        Column("collection", "Collection", "Collection id, or its name where it is listed.",
               ("collection id", "collection external id"), is_id=True),
        Column("content_name", "Collection name", "The collection's name, if only its id is known to most.",
               ("content name", "collection title")),
        Column("principal_type", "Principal type", "user or group.",
               ("user or group", "type of principal", "member type", "grantee type", "who type")),
        Column("principal", "Principal", "User: e-mail or id. Group: name or id.",
               ("shared with", "who", "principal id", "grantee", "member", "user/group", "given to"),
               is_id=True),
        Column("user", "User", "E-mail or id of the person. Fill in this or the group.",
               ("user e-mail", "e-mail", "email address", "mail", "user id", "person"), is_id=True),
        Column("group", "Group", "Name or id of the group. Fill in this or the user.",
               ("group name", "user group", "team", "group id"), is_id=True),
        Column("level", "Level", "Can view, Can contribute, Can edit or Can manage.",
               ("permission level", "access level", "share level", "permission", "access", "rights",
                "folder level")),
    ),
    (("content", "folder", "collection", "content_name"), ("principal", "user", "group"), ("level",)),
    ("share", "folder shares", "collection shares", "shared folders", "folder permissions", "permissions",
     "sharing"),
)  # fmt: skip

TABLES: Final = (ENVIRONMENTS, USERS, GROUPS, FOLDERS, COLLECTIONS, API_KEYS, ACCOUNT_KEYS, SHARES)
"""In the order a snapshot is put together."""
