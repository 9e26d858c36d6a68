"""Folder roles through the Admin API: `folder_operations/invite` (spec: asset-management.yml).

Legacy shares do not show here: whether the vendor's endpoint answers with them is unknown.
"""

from __future__ import annotations

from typing import Final

from permmigrate.sandbox.admin import BASE, Admin
from permmigrate.sandbox.columns import Assignment
from permmigrate.sandbox.decide import Resource
from permmigrate.sandbox.routes import Router
from permmigrate.sandbox.state import Environment, Role
from permmigrate.sandbox.wire import ApiError, Request, Response, denied

MOST_ROLES: Final = 10
_PRINCIPALS: Final = ("user", "group", "apiKey")


class Sharing(Admin):
    """The handlers."""

    def register(self, router: Router) -> None:
        path = f"{BASE}/folder_operations/invite/{{folder_id}}"
        router.add("GET", path, "admin", self.shared_with)
        router.add("POST", path, "admin", self.share)

    def _folder(self, request: Request) -> tuple[Environment, int]:
        environment, number = self.environment(request)
        folder = self._folders.by_id(request.params["folder_id"])
        if folder is None or self._folders.environments[folder] != number:
            raise ApiError(404, f"Can't find folder with id {request.params['folder_id']}")
        return environment, folder

    def shared_with(self, request: Request) -> Response:
        environment, folder = self._folder(request)
        self.must(environment, "read", self.folder_resource(folder))
        grouped: dict[tuple[int, str, str, str], list[dict[str, object]]] = {}
        for distance, ancestor in enumerate(self._folders.lineage(folder)):
            content = ("folder_id", self._folders.ids[ancestor])
            for row in self._account.assignments.rows(content=content):
                role = self._account.roles[row.role_id]
                if row.scope_id not in (environment.id, "all") or row.principal_type not in _PRINCIPALS:
                    continue
                key = (distance, content[1], row.principal_type, row.principal_id)
                grouped.setdefault(key, []).append({**_summary(role), "inherited": distance > 0})
        answer: dict[str, object] = {
            "shared_with": [
                {"type": kind, "id": identity, "folder_id": folder_id, "roles": roles}
                for (_, folder_id, kind, identity), roles in grouped.items()
            ]
        }
        if request.flag("permitted_roles"):
            answer["permitted_roles"] = [
                _summary(role)
                for role in self._account.roles.values()
                if role.level == "folder" and self._may_give(environment, folder, role)
            ]
        return Response.json(answer)

    def _may_give(self, environment: Environment, folder: int, role: Role) -> bool:
        """Whether the caller may share the folder and holds, on it, all that the role gives."""
        if not self.may(environment, "share", self.folder_resource(folder)):
            return False
        inside = {"ancestor_ids": self._folders.ancestor_ids(folder), "collection_ids": []}
        attributes = {**inside, "resource_type": "image", "access_control": "restricted"}
        assets = Resource("Asset", "any", attributes)
        folders = self.folder_resource(folder)
        for policy_id in role.policy_ids:
            text = str(self._account.system_policies[policy_id]["policy"])
            for action in self._actions(text):
                for kind, resource in (("Folder", folders), ("Asset", assets)):
                    if f"Cloudinary::{kind}" in text and not self.may(environment, action, resource):
                        return policy_id.endswith("download_public_assets")
        return True

    def _actions(self, text: str) -> list[str]:
        known = self._account.schema["Cloudinary"]["actions"]
        return [action for action in known if f'Action::"{action}"' in text]

    def share(self, request: Request) -> Response:
        environment, folder = self._folder(request)
        fields = request.payload()
        principal, operation, ids = fields.get("principal"), fields.get("operation"), fields.get("roles")
        if not isinstance(principal, dict) or not principal.get("type") or not principal.get("id"):
            raise ApiError(400, "Missing required parameter - principal")
        if principal["type"] not in _PRINCIPALS:
            raise ApiError(400, f"Invalid value {principal['type']} for parameter principal.type")
        if operation not in ("add", "remove"):
            raise ApiError(400, f"Invalid value {operation} for parameter operation")
        if not isinstance(ids, list) or not ids or not all(isinstance(one, str) for one in ids):
            raise ApiError(400, "Missing required parameter - roles")
        if len(ids) > MOST_ROLES:
            raise ApiError(400, f"Too many roles: {len(ids)}, at most {MOST_ROLES} in a request")
        if not self._account.has_principal(principal["type"], str(principal["id"])):
            raise ApiError(404, f"Can't find principal {principal['id']}")
        roles = [self._account.roles.get(one) for one in ids]
        for one, role in zip(ids, roles, strict=True):
            if role is None or role.level != "folder":
                raise ApiError(400, f"Invalid folder role {one}")
            if not self._may_give(environment, folder, role):
                raise denied(environment.id, "share")
        for one in dict.fromkeys(ids):
            content = ("folder_id", self._folders.ids[folder])
            row = Assignment(
                principal["type"], str(principal["id"]), one, environment.id, *content, self._context.epoch()
            )
            if operation == "add":
                self._account.assignments.add(row)
            else:
                self._account.assignments.remove(row)
        return Response.json({"success": True})


def _summary(role: Role) -> dict[str, object]:
    return {"id": role.id, "name": role.name, "description": role.description or ""}
