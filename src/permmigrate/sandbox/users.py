"""Users: paging, filters, their groups and environments, and writes (spec: provisioning.yml)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import date
from itertools import chain
from typing import Any, Final

from permmigrate.sandbox.provisioning import (
    MAX_IDS,
    OK,
    Provisioning,
    conflict,
    flag,
    page_of,
    text,
)
from permmigrate.sandbox.routes import Router
from permmigrate.sandbox.state import User
from permmigrate.sandbox.wire import ApiError, Request, Response

LEGACY_ROLES: Final = (
    "master_admin",
    "admin",
    "technical_admin",
    "billing",
    "reports",
    "media_library_admin",
    "media_library_user",
)


class Users(Provisioning):
    """The handlers."""

    def register(self, router: Router) -> None:
        one = "/users/{user_id}"
        self.add(router, "GET", "/users", "User", self.users)
        self.add(router, "POST", "/users", "User", self.create_user)
        self.add(router, "GET", one, "User", self.user)
        self.add(router, "PUT", one, "User", self.update_user)
        self.add(router, "DELETE", one, "User", self.delete_user)
        self.add(router, "GET", f"{one}/groups", "User", self.groups_of_user)
        self.add(router, "GET", f"{one}/sub_accounts", "User", self.environments_of_user)

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
        groups = Counter(chain.from_iterable(group.member_ids for group in self._account.groups.values()))
        return Response.json({"users": [self._user(user, groups[user.id]) for user in users]})

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
        return Response.json(self._user(self.find_user(request)))

    def create_user(self, request: Request) -> Response:
        fields = request.payload()
        name, email = text(fields, "name", required=True), text(fields, "email", required=True)
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
        user, fields = self.find_user(request), request.payload()
        email = text(fields, "email")
        if email and (other := self._by_email(email)) is not None and other is not user:
            raise conflict("email")
        user.name = text(fields, "name") or user.name
        user.email = email or user.email
        self._change(user, fields)
        user.updated_at = self._context.epoch()
        return Response.json(self._user(user))

    def _change(self, user: User, fields: dict[str, Any]) -> None:
        role = text(fields, "role")
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
        user.enabled = flag(fields, "enabled", user.enabled)

    def delete_user(self, request: Request) -> Response:
        user = self.find_user(request)
        del self._account.users[user.id]
        for group in self._account.groups_of(user.id):
            del group.member_ids[user.id]
        self._account.assignments.drop_principal(("user", user.id))
        return Response.json(OK)

    def _by_email(self, email: str) -> User | None:
        folded = email.casefold()
        return next((u for u in self._account.users.values() if u.email.casefold() == folded), None)

    def _user(self, user: User, groups: int | None = None) -> dict[str, object]:
        """The user as answers have it; `groups` is how many they are in, where that was counted for many."""
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
            "group_count": len(self._account.groups_of(user.id)) if groups is None else groups,
            "sub_account_count": sum(user.has(environment.id) for environment in environments),
        }
        if user.last_login is not None:
            answer["last_login"] = iso(user.last_login)
        if user.technical_role is not None:
            answer["technical_role"] = user.technical_role
        return answer

    def groups_of_user(self, request: Request) -> Response:
        groups = self._account.groups_of(self.find_user(request).id)
        return Response.json({"groups": [{"id": group.id, "name": group.name} for group in groups]})

    def environments_of_user(self, request: Request) -> Response:
        user = self.find_user(request)
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


def _day(request: Request, name: str, default: date) -> date:
    text = request.one(name)
    if not text:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ApiError(400, f"Invalid {name}") from error
