"""Product environments and their access keys (spec: provisioning.yml). Both answer with secrets."""

from __future__ import annotations

from permmigrate.sandbox.provisioning import (
    MAX_IDS,
    OK,
    Provisioning,
    absent,
    conflict,
    flag,
    page_of,
    text,
)
from permmigrate.sandbox.routes import Router
from permmigrate.sandbox.state import Environment, Key
from permmigrate.sandbox.wire import ApiError, Request, Response


class Environments(Provisioning):
    """The handlers."""

    def register(self, router: Router) -> None:
        many, one = "/sub_accounts", "/sub_accounts/{sub_account_id}"
        keys, key = f"{one}/access_keys", f"{one}/access_keys/{{key}}"
        self.add(router, "GET", many, "ProductEnvironment", self.environments)
        self.add(router, "POST", many, "ProductEnvironment", self.create_environment)
        self.add(router, "GET", one, "ProductEnvironment", self.environment)
        self.add(router, "PUT", one, "ProductEnvironment", self.update_environment)
        self.add(router, "GET", keys, "APIKey", self.keys)
        self.add(router, "POST", keys, "APIKey", self.create_key)
        self.add(router, "DELETE", keys, "APIKey", self.delete_key)
        self.add(router, "PUT", key, "APIKey", self.update_key)
        self.add(router, "DELETE", key, "APIKey", self.delete_key)

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
        return Response.json(self._environment(self.find_environment(request)))

    def create_environment(self, request: Request) -> Response:
        fields = request.payload()
        name = text(fields, "name", required=True)
        cloud = text(fields, "cloud_name") or f"{self._context.new_id('cloud')[:12]}"
        if self._account.by_cloud(cloud) is not None:
            raise conflict("cloud_name")
        now = self._context.epoch()
        environment = Environment(self._context.new_id("environment"), name or "", cloud, "", True, now, now)
        self._account.environments.append(environment)
        self._add_key(environment, "Root", True)
        return Response.json(self._environment(environment))

    def update_environment(self, request: Request) -> Response:
        environment, fields = self.find_environment(request), request.payload()
        cloud = text(fields, "cloud_name")
        if cloud and (other := self._account.by_cloud(cloud)) is not None and other is not environment:
            raise conflict("cloud_name")
        environment.cloud_name = cloud or environment.cloud_name
        environment.name = text(fields, "name") or environment.name
        environment.enabled = flag(fields, "enabled", environment.enabled)
        environment.updated_at = self._context.epoch()
        return Response.json(self._environment(environment))

    def _environment(self, environment: Environment) -> dict[str, object]:
        return {
            "id": environment.id,
            "name": environment.name,
            "cloud_name": environment.cloud_name,
            "enabled": environment.enabled,
            "api_access_keys": [
                {"key": key.id, "secret": key.secret, "enabled": key.enabled}
                for key in self._account.keys.values()
                if key.environment_id == environment.id
            ],
            "created_at": self._context.iso(environment.created_at),
            "updated_at": self._context.iso(environment.updated_at),
        }

    def keys(self, request: Request) -> Response:
        environment = self.find_environment(request)
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
        environment, fields = self.find_environment(request), request.payload()
        name = text(fields, "name") or "Untitled"
        if self._named(environment.id, name) is not None:
            raise conflict("name")
        return Response.json(self._key(self._add_key(environment, name, flag(fields, "enabled", True))))

    def update_key(self, request: Request) -> Response:
        key, fields = self.find_key(request), request.payload()
        name = text(fields, "name")
        if name and (other := self._named(key.environment_id, name)) is not None and other is not key:
            raise conflict("name")
        key.name = name or key.name
        key.enabled = flag(fields, "enabled", key.enabled)
        key.updated_at = self._context.epoch()
        return Response.json(self._key(key))

    def delete_key(self, request: Request) -> Response:
        key = self.find_key(request)
        del self._account.keys[key.id]
        self._account.assignments.drop_principal(("apiKey", key.id))
        return Response.json(OK)

    def _add_key(self, environment: Environment, name: str, enabled: bool) -> Key:
        now = self._context.epoch()
        digits = str(int(self._context.new_id("key"), 16))[:15].ljust(15, "7")
        key = Key(digits, self._context.new_secret("key"), name, environment.id, enabled, now, now)
        self._account.keys[key.id] = key
        return key

    def find_key(self, request: Request) -> Key:
        environment = self.find_environment(request)
        given = request.params.get("key")
        if given is None:
            name = request.one("name") or text(request.payload(), "name")
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
