"""User groups, with and without details, and their members (spec: provisioning.yml)."""

from __future__ import annotations

from permmigrate.sandbox.provisioning import OK, Provisioning, absent, conflict, text
from permmigrate.sandbox.routes import Router
from permmigrate.sandbox.state import Group
from permmigrate.sandbox.wire import Request, Response


class Groups(Provisioning):
    """The handlers."""

    def register(self, router: Router) -> None:
        one, members = "/user_groups/{group_id}", "/user_groups/{group_id}/users"
        self.add(router, "GET", "/user_groups", "Group", self.groups)
        self.add(router, "POST", "/user_groups", "Group", self.create_group)
        self.add(router, "GET", one, "Group", self.group)
        self.add(router, "PUT", one, "Group", self.update_group)
        self.add(router, "DELETE", one, "Group", self.delete_group)
        self.add(router, "GET", members, "Group", self.group_users)
        self.add(router, "POST", f"{members}/{{user_id}}", "Group", self.add_member, "update")
        self.add(router, "DELETE", f"{members}/{{user_id}}", "Group", self.remove_member, "update")

    def groups(self, request: Request) -> Response:
        extended = bool(request.flag("extended_details"))
        groups = [self._group(group, extended) for group in self._account.groups.values()]
        return Response.json({"user_groups": groups})

    def group(self, request: Request) -> Response:
        extended = bool(request.flag("extended_details"))
        return Response.json(self._group(self.find_group(request), extended))

    def create_group(self, request: Request) -> Response:
        name = self._free_name(request, None)
        now = self._context.epoch()
        group = Group(self._context.new_id("group"), name, {}, now, now)
        self._account.groups[group.id] = group
        return Response.json(self._group(group, extended=False))

    def update_group(self, request: Request) -> Response:
        group = self.find_group(request)
        group.name = self._free_name(request, group)
        group.updated_at = self._context.epoch()
        return Response.json(self._group(group, extended=False))

    def delete_group(self, request: Request) -> Response:
        group = self.find_group(request)
        del self._account.groups[group.id]
        self._account.assignments.drop_principal(("group", group.id))
        return Response.json(OK)

    def group_users(self, request: Request) -> Response:
        return Response.json({"users": self._members(self.find_group(request))})

    def add_member(self, request: Request) -> Response:
        group, user = self.find_group(request), self.find_user(request)
        group.member_ids[user.id] = None
        group.updated_at = self._context.epoch()
        return Response.json({"id": user.id, "name": user.name, "email": user.email})

    def remove_member(self, request: Request) -> Response:
        group, user = self.find_group(request), self.find_user(request)
        group.member_ids.pop(user.id, None)
        group.updated_at = self._context.epoch()
        return Response.json({"users": self._members(group)})

    def find_group(self, request: Request) -> Group:
        group = self._account.groups.get(request.params["group_id"])
        if group is None:
            raise absent()
        return group

    def _free_name(self, request: Request, mine: Group | None) -> str:
        name = text(request.payload(), "name", required=True) or ""
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
