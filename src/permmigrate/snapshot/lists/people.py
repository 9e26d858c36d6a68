"""Users, groups, memberships and keys from lists.

Who is listed twice is one person if all that is said agrees; what differs is a problem. Nobody is implied:
a user without a legacy role proves nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from permmigrate.model import (
    AccountKey,
    ApiKey,
    EnvironmentId,
    Group,
    GroupId,
    PrincipalType,
    User,
    UserId,
)
from permmigrate.snapshot.lists import words
from permmigrate.snapshot.lists.ids import is_made_up
from permmigrate.snapshot.lists.making import Making
from permmigrate.snapshot.lists.row import ListRow
from permmigrate.snapshot.lists.schema import ACCOUNT_KEYS, API_KEYS, GROUPS, USERS
from permmigrate.snapshot.shareresolve import Names


@dataclass(slots=True)
class People:
    """The people of an account, and what is known of their memberships so far."""

    users: dict[str, User] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    user_names: Names = field(default_factory=lambda: Names("user"))
    group_names: Names = field(default_factory=lambda: Names("group"))
    members: dict[str, set[UserId]] = field(default_factory=dict)

    def add_group(self, group: Group) -> None:
        self.groups[group.id] = group
        self.group_names.add(group.id, group.name)
        self.members.setdefault(group.id, set()).update(group.member_ids)

    def finished_groups(self) -> tuple[Group, ...]:
        return tuple(
            replace(group, member_ids=tuple(sorted(self.members[group.id]))) for group in self.groups.values()
        )


def people(making: Making) -> People:
    """The users and groups listed, the groups that rows name, and who is a member of which."""
    found = People()
    for user in making.base.users if making.base else ():
        found.users[user.id] = user
        found.user_names.add(user.id, user.email)
    for group in making.base.groups if making.base else ():
        found.add_group(group)
    listed = [(row, _user(making, found, row)) for row in making.lists.rows(USERS)]
    group_rows = [(row, _group(making, found, row)) for row in making.lists.rows(GROUPS)]
    _implied_groups(making, found)
    for row, user_id in listed:
        for name in words.several(row.get("groups"), found.group_names.knows) if user_id else ():
            if group_id := making.find(found.group_names, row, "groups", name):
                found.members[group_id].add(UserId(user_id))
    for row, group_id in group_rows:
        for text in words.several(row.get("members")) if group_id else ():
            if user_id := making.find(found.user_names, row, "members", words.address(text)):
                found.members[group_id].add(UserId(user_id))
    return found


def _user(making: Making, found: People, row: ListRow) -> str:
    """Take in one row; return the user's id, or nothing after problems were noted."""
    before = len(making.problems)
    email, id_ = words.address(row.get("email")), row.get("id")
    if not (email or id_):
        making.wrong(row, "email", "`email` is empty", "every row needs an e-mail or an id")
    elif email and "@" not in email:
        making.wrong(row, "email", f"`{email}` is not an e-mail address", "put ids into the column `id`")
    role = words.role(row.get("role"))
    if role is None:
        hint = words.suggest(row.get("role"), words.LEGACY_ROLES, words.ROLE_TITLES)
        making.wrong(row, "role", f"`{row.get('role')}` is not a legacy role", hint)
    elif role and role not in words.LEGACY_ROLES:
        making.notes.append(f"{row.source}: `{role}` is none of the seven legacy roles; kept as it is")
    state = words.state(row.get("enabled"))
    if state is None:
        hint = "write yes, no or pending"
        making.wrong(row, "enabled", f"`{row.get('enabled')}` is no state of a user", hint)
    seen = words.moment(row.get("last_login")) if row.get("last_login") else None
    if row.get("last_login") and seen is None:
        making.wrong(row, "last_login", f"`{row.get('last_login')}` is not a date", "write it as 2026-11-22")
    invited = words.state(row.get("pending")) if row.get("pending") else "no"
    if invited is None:
        making.wrong(row, "pending", f"`{row.get('pending')}` is neither yes nor no", "write yes or no")
    limits = _limits(making, row)
    sound = len(making.problems) == before
    if not (email or id_):
        return ""
    # a row with a mistake still names a person: what others say of that person is no mistake of theirs
    known = _known_as(making, found, row, email, id_)
    said = User(
        UserId(known or id_ or _id_of(making, email)),
        row.get("name"),
        email,
        role or "",
        enabled=state != "no",
        pending="pending" in (state, invited) or invited == "yes",
        all_environments=limits is None,
        environment_ids=limits or (),
        last_login=seen,
    )
    if not known:
        found.users[said.id] = said
        found.user_names.add(said.id, email)
        return said.id
    return known if not sound or _agree(making, found, row, said, id_) else ""


def _known_as(making: Making, found: People, row: ListRow, email: str, id_: str) -> str:
    """The user there already whom a row means: by id if it has one, else by e-mail; or nothing."""
    if not id_:
        return found.user_names.get(email)
    if id_ in found.users:
        return id_
    same = found.user_names.spelled(email)
    if same and not is_made_up(same):
        making.notes.append(f"{row.source}: `{email}` is the e-mail of two users: `{same}` and `{id_}`")
        return ""
    return same


def _limits(making: Making, row: ListRow) -> tuple[EnvironmentId, ...] | None:
    """The environments a user is limited to, which may be none; None for all of them."""
    names = words.several(row.get("environments"))
    if not names and row.get("all_environments") and words.state(row.get("all_environments")) != "yes":
        message = "the person is limited to some environments, and it is not said to which"
        making.wrong(row, "all_environments", message, "name them in a column `environments`, or write none")
    if not names or [name.casefold() for name in names] == [words.ALL]:
        return None
    if [name.casefold() for name in names] == [words.NONE]:
        return ()
    ids = {making.find(making.environments, row, "environments", name) for name in names}
    return tuple(sorted(EnvironmentId(id_) for id_ in ids if id_))


def _id_of(making: Making, email: str) -> str:
    return making.known_users.get(email) or making.new_id("users", "user", email.casefold())


def _agree(making: Making, found: People, row: ListRow, said: User, id_: str) -> bool:
    """Take what a second row adds; what it contradicts is a problem."""
    there = found.users[said.id]
    who = there.email or there.id
    differs = ""
    if id_ and id_ != there.id:
        differs = "id"
    elif said.legacy_role and there.legacy_role and said.legacy_role != there.legacy_role:
        differs = "role"
    elif (row.get("enabled") or row.get("pending")) and (said.enabled, said.pending) != (
        there.enabled,
        there.pending,
    ):
        differs = "enabled"
    elif row.get("environments") and (
        (said.all_environments, said.environment_ids) != (there.all_environments, there.environment_ids)
    ):
        differs = "environments"
    if differs:
        says = {"id": there.id, "role": there.legacy_role}.get(differs, "")
        message = f"user `{who}` is known already, with another `{differs}`" + (f": `{says}`" if says else "")
        making.wrong(row, differs, message, "keep the one that is right")
        return False
    making.duplicates["users"] += 1
    found.users[said.id] = replace(
        there,
        name=there.name or said.name,
        legacy_role=there.legacy_role or said.legacy_role,
        last_login=there.last_login or said.last_login,
    )
    return True


def _group(making: Making, found: People, row: ListRow) -> str:
    """Take in one row, which may be one of several for its members; return the group's id."""
    name, id_ = row.get("name"), row.get("id")
    if not (name or id_):
        making.wrong(row, "name", "`name` is empty", "every row needs a group's name or id")
        return ""
    known = (id_ if id_ in found.groups else "") or (not id_ and found.group_names.get(name))
    if not known:
        made = id_ or _group_id(making, name)
        found.add_group(Group(GroupId(made), name or id_))
        return made
    if name and found.groups[known].name.casefold() != name.casefold():
        there = found.groups[known].name
        making.wrong(row, "name", f"the group with this id is called `{there}` already", "keep one name")
        return ""
    if not row.get("members"):
        making.duplicates["groups"] += 1
    return known


def _implied_groups(making: Making, found: People) -> None:
    """Without a list of groups, those that users and shares name are there."""
    if making.base or making.lists.rows(GROUPS):
        return
    named = dict.fromkeys(
        share.principal for share in making.lists.shares if share.principal_type == PrincipalType.GROUP
    )
    for name in named:
        _imply_group(making, found, name)
    for row in making.lists.rows(USERS):
        for name in words.several(row.get("groups"), found.group_names.knows):
            _imply_group(making, found, name)


def _imply_group(making: Making, found: People, name: str) -> None:
    if not found.group_names.knows(name):
        found.add_group(Group(GroupId(_group_id(making, name)), name))
        making.implied["groups"] += 1


def _group_id(making: Making, name: str) -> str:
    return making.known_groups.get(name) or making.new_id("groups", "group", name.casefold())


def api_keys(making: Making) -> tuple[ApiKey, ...]:
    """The keys of the environments, as listed."""
    found: dict[tuple[str, str], ApiKey] = {}
    for one in making.base.api_keys if making.base else ():
        found[one.environment_id, one.id] = one
    for row in making.lists.rows(API_KEYS):
        environment, key = making.environment_of(row), _key(making, row)
        enabled = making.enabled(row, words.state(row.get("enabled")))
        if environment is None or not key:
            continue
        made = ApiKey(key, row.get("name"), environment, enabled)
        there = found.setdefault((environment, key), made)
        if there is made:
            continue
        if row.get("enabled") and there.enabled != enabled:
            making.wrong(row, "enabled", f"key `{key}` is known already, and differs", "keep one row")
        making.duplicates["api_keys"] += 1
    return tuple(found.values())


def account_keys(making: Making) -> tuple[AccountKey, ...]:
    """The account management keys, as listed."""
    found: dict[str, AccountKey] = {one.id: one for one in (making.base.account_keys if making.base else ())}
    for row in making.lists.rows(ACCOUNT_KEYS):
        if key := _key(making, row):
            making.duplicates["account_keys"] += key in found
            named = found.get(key)
            found[key] = AccountKey(key, (named.name if named else "") or row.get("name"))
    return tuple(found.values())


def _key(making: Making, row: ListRow) -> str:
    key = row.get("key")
    if not key:
        making.wrong(row, "key", "`key` is empty", "every row needs one")
    elif "://" in key or any(sign.isspace() for sign in key):
        making.wrong(row, "key", "this is more than a key", "write the key alone, and no secret")
        return ""
    return key


def user_rows_without_users(making: Making, users: Iterable[User]) -> str:
    """The first share list that names users although nothing says who they are, or nothing."""
    if any(True for _ in users):
        return ""
    shares = making.lists.shares
    return next((one.file for one in shares if one.principal_type == PrincipalType.USER), "")
