"""The Provisioning API v1_1: environments, access keys, users and user groups (spec: provisioning.yml).

Answers hold secrets where the specification's do; the roles of the new system are not here.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any, Final

from permmigrate.sandbox.context import Context
from permmigrate.sandbox.state import Environment, Group, Key, User
from permmigrate.sandbox.wire import ApiError, Request, Response, Router

BASE: Final = "/v1_1/provisioning/accounts/{account_id}"
LEGACY_ROLES: Final = (
    "master_admin",
    "admin",
    "technical_admin",
    "billing",
    "reports",
    "media_library_admin",
    "media_library_user",
)
_OK: Final = {"message": "ok"}
MAX_IDS: Final = 100


def page_of(request: Request, items: list[Any], largest: int | None) -> list[Any]:
    """The page that is asked for; everything when none is and no knob says less."""
    page = request.number("page")
    size = request.number("page_size")
    if page is None and size is None and largest is None:
        return items
    size = min(size or largest or 100, largest or 1_000_000)
    start = ((page or 1) - 1) * size
    return items[start : start + size]


def conflict(name: str) -> ApiError:
    return ApiError(409, f"{name} already exists")


def absent() -> ApiError:
    return ApiError(404, "not found")


class Provisioning:
    """The handlers, over one account."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._account = context.account

    def register(self, router: Router) -> None:
        for method, path, handler in (
            ("GET", "/sub_accounts", self.environments),
            ("POST", "/sub_accounts", self.create_environment),
            ("GET", "/sub_accounts/{sub_account_id}", self.environment),
            ("PUT", "/sub_accounts/{sub_account_id}", self.update_environment),
            ("GET", "/sub_accounts/{sub_account_id}/access_keys", self.keys),
            ("POST", "/sub_accounts/{sub_account_id}/access_keys", self.create_key),
            ("DELETE", "/sub_accounts/{sub_account_id}/access_keys", self.delete_key),
            ("PUT", "/sub_accounts/{sub_account_id}/access_keys/{key}", self.update_key),
            ("DELETE", "/sub_accounts/{sub_account_id}/access_keys/{key}", self.delete_key),
            ("GET", "/users", self.users),
            ("POST", "/users", self.create_user),
            ("GET", "/users/{user_id}", self.user),
            ("PUT", "/users/{user_id}", self.update_user),
            ("DELETE", "/users/{user_id}", self.delete_user),
            ("GET", "/users/{user_id}/groups", self.groups_of_user),
            ("GET", "/users/{user_id}/sub_accounts", self.environments_of_user),
            ("GET", "/user_groups", self.groups),
            ("POST", "/user_groups", self.create_group),
            ("GET", "/user_groups/{group_id}", self.group),
            ("PUT", "/user_groups/{group_id}", self.update_group),
            ("DELETE", "/user_groups/{group_id}", self.delete_group),
            ("GET", "/user_groups/{group_id}/users", self.group_users),
            ("POST", "/user_groups/{group_id}/users/{user_id}", self.add_member),
            ("DELETE", "/user_groups/{group_id}/users/{user_id}", self.remove_member),
        ):
            router.add(method, BASE + path, "provisioning", self._guarded(method, path, handler))

    def _guarded(
        self, method: str, path: str, handler: Callable[[Request], Response]
    ) -> Callable[[Request], Response]:
        action = {"GET": "read", "POST": "create", "PUT": "update", "DELETE": "delete"}[method]
        kind = "User" if path.startswith("/users") else "Group"
        if path.startswith("/sub_accounts"):
            kind = "APIKey" if "access_keys" in path else "ProductEnvironment"
        elif path.startswith("/user_groups/{group_id}/users") and action != "read":
            action = "update"

        def guarded(request: Request) -> Response:
            if request.params["account_id"] != self._account.id:
                raise absent()
            environment_id = request.params.get("sub_account_id")
            if not self._context.decider.account_key_may(
                self._context.caller.id, action, kind, environment_id
            ):
                raise ApiError(403, "not allowed")
            return handler(request)

        return guarded

    # environments

    def environments(self, request: Request) -> Response:
        found = self._account.environments
        if ids := request.many("ids"):
            found = [e for e in found if e.id in ids[:MAX_IDS]]
        else:
            enabled = request.flag("enabled")
            prefix = (request.one("prefix") or "").casefold()
            clouds = request.many("cloud_names")
            found = [
                e
                for e in found
                if enabled in (None, e.enabled)
                and e.name.casefold().startswith(prefix)
                and (not clouds or e.cloud_name in clouds)
            ]
        return Response.json({"sub_accounts": [self._environment(e) for e in found]})

    def environment(self, request: Request) -> Response:
        return Response.json(self._environment(self._find_environment(request)))

    def create_environment(self, request: Request) -> Response:
        fields = request.payload()
        name = _text(fields, "name", required=True)
        cloud = _text(fields, "cloud_name") or f"{self._context.new_id('cloud')[:12]}"
        if self._account.by_cloud(cloud) is not None:
            raise conflict("cloud_name")
        now = self._context.epoch()
        environment = Environment(self._context.new_id("environment"), name or "", cloud, "", True, now, now)
        self._account.environments.append(environment)
        self._add_key(environment, "Root", True)
        return Response.json(self._environment(environment))

    def update_environment(self, request: Request) -> Response:
        environment, fields = self._find_environment(request), request.payload()
        cloud = _text(fields, "cloud_name")
        if cloud and (other := self._account.by_cloud(cloud)) is not None and other is not environment:
            raise conflict("cloud_name")
        environment.cloud_name = cloud or environment.cloud_name
        environment.name = _text(fields, "name") or environment.name
        environment.enabled = _flag(fields, "enabled", environment.enabled)
        environment.updated_at = self._context.epoch()
        return Response.json(self._environment(environment))

    def _find_environment(self, request: Request) -> Environment:
        environment = self._account.environment(request.params["sub_account_id"])
        if environment is None:
            raise absent()
        return environment

    def _environment(self, environment: Environment) -> dict[str, object]:
        return {
            "id": environment.id,
            "name": environment.name,
            "cloud_name": environment.cloud_name,
            "description": environment.description,
            "enabled": environment.enabled,
            "api_access_keys": [
                {"key": key.id, "secret": key.secret, "enabled": key.enabled}
                for key in self._account.keys.values()
                if key.environment_id == environment.id
            ],
            "created_at": self._context.iso(environment.created_at),
            "updated_at": self._context.iso(environment.updated_at),
        }

    # access keys

    def keys(self, request: Request) -> Response:
        environment = self._find_environment(request)
        found = [key for key in self._account.keys.values() if key.environment_id == environment.id]
        order = request.one("sort_by") or "created_at"
        if order not in ("api_key", "created_at", "name", "enabled"):
            raise ApiError(400, f"Invalid sort_by {order}")
        attribute = "id" if order == "api_key" else order
        found.sort(key=lambda key: key.id)
        found.sort(key=lambda key: getattr(key, attribute), reverse=request.one("sort_order") != "asc")
        keys = page_of(request, found, self._context.knobs.page_size)
        return Response.json({"access_keys": [self._key(key) for key in keys], "total": len(found)})

    def create_key(self, request: Request) -> Response:
        environment, fields = self._find_environment(request), request.payload()
        name = _text(fields, "name") or "Untitled"
        if self._named(environment.id, name) is not None:
            raise conflict("name")
        return Response.json(self._key(self._add_key(environment, name, _flag(fields, "enabled", True))))

    def update_key(self, request: Request) -> Response:
        key, fields = self._find_key(request), request.payload()
        name = _text(fields, "name")
        if name and (other := self._named(key.environment_id, name)) is not None and other is not key:
            raise conflict("name")
        key.name = name or key.name
        key.enabled = _flag(fields, "enabled", key.enabled)
        key.updated_at = self._context.epoch()
        return Response.json(self._key(key))

    def delete_key(self, request: Request) -> Response:
        key = self._find_key(request)
        del self._account.keys[key.id]
        self._account.assignments.drop_principal(("apiKey", key.id))
        return Response.json(_OK)

    def _add_key(self, environment: Environment, name: str, enabled: bool) -> Key:
        now = self._context.epoch()
        digits = str(int(self._context.new_id("key"), 16))[:15].ljust(15, "7")
        key = Key(digits, self._context.new_secret("key"), name, environment.id, enabled, now, now)
        self._account.keys[key.id] = key
        return key

    def _find_key(self, request: Request) -> Key:
        environment = self._find_environment(request)
        given = request.params.get("key")
        if given is None:
            name = request.one("name") or _text(request.payload(), "name")
            if not name:
                raise ApiError(400, "name is required")
            key = self._named(environment.id, name)
        else:
            key = self._account.keys.get(given)
        if key is None or key.environment_id != environment.id:
            raise absent()
        return key

    def _named(self, environment_id: str, name: str) -> Key | None:
        keys = self._account.keys.values()
        return next((k for k in keys if k.environment_id == environment_id and k.name == name), None)

    def _key(self, key: Key) -> dict[str, object]:
        return {
            "name": key.name,
            "api_key": key.id,
            "api_secret": key.secret,
            "created_at": self._context.iso(key.created_at),
            "updated_at": self._context.iso(key.updated_at),
            "enabled": key.enabled,
        }

    # users

    def users(self, request: Request) -> Response:
        found = self._selected(request)
        order = request.one("sort_by")
        if order is not None:
            sorts: dict[str, Callable[[User], Any]] = {
                "name": lambda user: user.name,
                "role": lambda user: user.role,
                "status": lambda user: user.status,
                "activity": lambda user: user.last_login or 0,
                "created_at": lambda user: user.created_at,
            }
            if order not in sorts:
                raise ApiError(400, f"Invalid sort_by {order}")
            found = sorted(found, key=lambda user: user.id)
            found.sort(key=sorts[order], reverse=request.one("sort_order") != "asc")
        users = page_of(request, found, self._context.knobs.page_size)
        return Response.json({"users": [self._user(user) for user in users]})

    def _selected(self, request: Request) -> list[User]:
        everyone = list(self._account.users.values())
        if ids := request.many("ids"):
            return [user for user in everyone if user.id in ids[:MAX_IDS]]
        if emails := request.many("emails"):
            wanted = {email.casefold() for email in emails[:MAX_IDS]}
            return [user for user in everyone if user.email.casefold() in wanted]
        pending = request.flag("pending")
        prefix = (request.one("prefix") or "").casefold()
        environment = request.one("sub_account_id")
        found = [
            user
            for user in everyone
            if (not pending or user.pending)
            and user.name.casefold().startswith(prefix)
            and (environment is None or user.has(environment))
        ]
        if request.flag("last_login"):
            first, last = _day(request, "from", date.min), _day(request, "to", date.max)
            include = request.one("union_type") != "exclude"
            found = [user for user in found if self._logged_in(user, first, last) == include]
        return found

    def _logged_in(self, user: User, first: date, last: date) -> bool:
        if user.last_login is None:
            return False
        return first <= date.fromisoformat(self._context.iso(user.last_login)[:10]) <= last

    def user(self, request: Request) -> Response:
        return Response.json(self._user(self._find_user(request)))

    def create_user(self, request: Request) -> Response:
        fields = request.payload()
        name, email = _text(fields, "name", required=True), _text(fields, "email", required=True)
        if self._by_email(email or "") is not None:
            raise conflict("email")
        now = self._context.epoch()
        first, _, last = (name or "").partition(" ")
        user = User(
            self._context.new_id("user"), first, last, name or "", email or "", "", now, now, pending=True
        )
        self._change(user, fields)
        self._account.users[user.id] = user
        return Response.json(self._user(user))

    def update_user(self, request: Request) -> Response:
        user, fields = self._find_user(request), request.payload()
        email = _text(fields, "email")
        if email and (other := self._by_email(email)) is not None and other is not user:
            raise conflict("email")
        user.name = _text(fields, "name") or user.name
        user.email = email or user.email
        self._change(user, fields)
        user.updated_at = self._context.epoch()
        return Response.json(self._user(user))

    def _change(self, user: User, fields: dict[str, Any]) -> None:
        role = _text(fields, "role")
        if role is not None and role not in LEGACY_ROLES:
            raise ApiError(400, f"Invalid role {role}")
        ids = fields.get("sub_account_ids")
        if ids is not None:
            if not isinstance(ids, list) or any(self._account.environment(str(one)) is None for one in ids):
                raise ApiError(400, "Invalid sub_account_ids")
            user.environment_ids = [str(one) for one in ids] or None
        user.role = role if role is not None else user.role
        if user.role == "master_admin":
            user.environment_ids = None
        user.enabled = _flag(fields, "enabled", user.enabled)

    def delete_user(self, request: Request) -> Response:
        user = self._find_user(request)
        del self._account.users[user.id]
        for group in self._account.groups_of(user.id):
            del group.member_ids[user.id]
        self._account.assignments.drop_principal(("user", user.id))
        return Response.json(_OK)

    def _find_user(self, request: Request) -> User:
        user = self._account.users.get(request.params["user_id"])
        if user is None:
            raise absent()
        return user

    def _by_email(self, email: str) -> User | None:
        folded = email.casefold()
        return next((u for u in self._account.users.values() if u.email.casefold() == folded), None)

    def _user(self, user: User) -> dict[str, object]:
        iso, environments = self._context.iso, self._account.environments
        answer: dict[str, object] = {
            "id": user.id,
            "name": user.name,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "role": user.role,
            "email": user.email,
            "pending": user.pending,
            "enabled": user.enabled,
            "created_at": iso(user.created_at),
            "updated_at": iso(user.updated_at),
            "all_sub_accounts": user.environment_ids is None,
            "providers": list(user.providers),
            "email_preferences": {},
            "account_id": self._account.id,
            "two_factor": user.two_factor,
            "status": user.status,
            "root": user.root,
            "group_count": len(self._account.groups_of(user.id)),
            "sub_account_count": sum(user.has(environment.id) for environment in environments),
        }
        if user.last_login is not None:
            answer["last_login"] = iso(user.last_login)
        if user.technical_role is not None:
            answer["technical_role"] = user.technical_role
        return answer

    def groups_of_user(self, request: Request) -> Response:
        groups = self._account.groups_of(self._find_user(request).id)
        return Response.json({"groups": [{"id": group.id, "name": group.name} for group in groups]})

    def environments_of_user(self, request: Request) -> Response:
        user = self._find_user(request)
        found = [
            {
                "id": environment.id,
                "name": environment.name,
                "description": environment.description,
                "cloud_name": environment.cloud_name,
                "enabled": environment.enabled,
            }
            for environment in self._account.environments
            if user.has(environment.id)
        ]
        return Response.json({"sub_accounts": found})

    # groups

    def groups(self, request: Request) -> Response:
        extended = bool(request.flag("extended_details"))
        groups = [self._group(group, extended) for group in self._account.groups.values()]
        return Response.json({"user_groups": groups})

    def group(self, request: Request) -> Response:
        extended = bool(request.flag("extended_details"))
        return Response.json(self._group(self._find_group(request), extended))

    def create_group(self, request: Request) -> Response:
        name = self._free_name(request, None)
        now = self._context.epoch()
        group = Group(self._context.new_id("group"), name, {}, now, now)
        self._account.groups[group.id] = group
        return Response.json(self._group(group, extended=False))

    def update_group(self, request: Request) -> Response:
        group = self._find_group(request)
        group.name = self._free_name(request, group)
        group.updated_at = self._context.epoch()
        return Response.json(self._group(group, extended=False))

    def delete_group(self, request: Request) -> Response:
        group = self._find_group(request)
        del self._account.groups[group.id]
        self._account.assignments.drop_principal(("group", group.id))
        return Response.json(_OK)

    def group_users(self, request: Request) -> Response:
        return Response.json({"users": self._members(self._find_group(request))})

    def add_member(self, request: Request) -> Response:
        group, user = self._find_group(request), self._find_user(request)
        group.member_ids[user.id] = None
        group.updated_at = self._context.epoch()
        return Response.json({"id": user.id, "name": user.name, "email": user.email})

    def remove_member(self, request: Request) -> Response:
        group, user = self._find_group(request), self._find_user(request)
        group.member_ids.pop(user.id, None)
        group.updated_at = self._context.epoch()
        return Response.json({"users": self._members(group)})

    def _find_group(self, request: Request) -> Group:
        group = self._account.groups.get(request.params["group_id"])
        if group is None:
            raise absent()
        return group

    def _free_name(self, request: Request, mine: Group | None) -> str:
        name = _text(request.payload(), "name", required=True) or ""
        if any(group.name == name and group is not mine for group in self._account.groups.values()):
            raise conflict("name")
        return name

    def _group(self, group: Group, extended: bool) -> dict[str, object]:
        answer: dict[str, object] = {"id": group.id, "name": group.name}
        if extended:
            answer["users"] = self._members(group)
            answer["created_at"] = self._context.iso(group.created_at)
            answer["updated_at"] = self._context.iso(group.updated_at)
        return answer

    def _members(self, group: Group) -> list[dict[str, str]]:
        users = [self._account.users[member] for member in group.member_ids]
        return [{"id": user.id, "name": user.name, "email": user.email} for user in users]


def _text(fields: dict[str, Any], name: str, *, required: bool = False) -> str | None:
    value = fields.get(name)
    if value is None or value == "":
        if required:
            raise ApiError(400, f"{name} is required")
        return None
    if not isinstance(value, str):
        raise ApiError(400, f"Invalid {name}")
    return value


def _flag(fields: dict[str, Any], name: str, default: bool) -> bool:
    value = fields.get(name, default)
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    if not isinstance(value, bool):
        raise ApiError(400, f"Invalid {name}")
    return value


def _day(request: Request, name: str, default: date) -> date:
    text = request.one(name)
    if not text:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ApiError(400, f"Invalid {name}") from error
