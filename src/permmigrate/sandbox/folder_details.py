"""Folders by id, by path and with all below them: reads that the vendor spells PUT (asset-management.yml).

What a key does not see is left out. A count that stops somewhere is not said of them and not imitated.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from permmigrate.sandbox.admin import BASE
from permmigrate.sandbox.folders import Folders
from permmigrate.sandbox.routes import Router
from permmigrate.sandbox.wire import ApiError, Request, Response


class FolderDetails(Folders):
    """The handlers."""

    def register(self, router: Router) -> None:
        router.add("PUT", f"{BASE}/folders/by_id", "admin", self.by_id)
        router.add("PUT", f"{BASE}/folders/by_path", "admin", self.by_path)
        router.add("PUT", f"{BASE}/folders/descendants", "admin", self.descendants)

    def by_id(self, request: Request) -> Response:
        return self._detail(request, self._identified(request))

    def by_path(self, request: Request) -> Response:
        _, environment = self.environment(request)
        path = request.payload().get("path")
        if not isinstance(path, str) or not path:
            raise ApiError(400, "Missing required parameter - path")
        return self._detail(request, self._existing(environment, path))

    def _detail(self, request: Request, number: int) -> Response:
        environment, _ = self.environment(request)
        self.must(environment, "read", self.folder_resource(number))
        *above, _ = reversed(self._folders.lineage(number))
        return Response.json(self.folder(number) | {"ancestors": [self.folder(one) for one in above]})

    def descendants(self, request: Request) -> Response:
        environment, number = self.environment(request)
        self.must_hold_something(environment, "read")
        top, fields = self._identified(request), request.payload()
        wanted = fields.get("filter_ids")
        if wanted is not None and not isinstance(wanted, list):
            raise ApiError(400, "Invalid value for parameter filter_ids")
        found = self.visible(environment, self._below(number, top, inclusive=fields.get("inclusive") is True))
        only = None if wanted is None else {str(one) for one in wanted}
        rows = (self.folder(one) for one in found if only is None or self._folders.ids[one] in only)
        return Response.stream("folders", rows)

    def _identified(self, request: Request) -> int:
        _, environment = self.environment(request)
        identity: Any = request.payload().get("id")
        if not isinstance(identity, str) or not identity:
            raise ApiError(400, "Missing required parameter - id")
        number = self._folders.by_id(identity)
        if number is None or self._folders.environments[number] != environment:
            raise ApiError(404, f"Can't find folder with id {identity}")
        return number

    def _below(self, environment: int, top: int, *, inclusive: bool) -> Iterator[int]:
        """Every folder below one, a folder before its own; the folder itself first when that is asked."""
        if inclusive:
            yield top
        waiting = list(reversed(self._folders.children(environment, top)))
        while waiting:
            number = waiting.pop()
            yield number
            waiting.extend(reversed(self._folders.children(environment, number)))
