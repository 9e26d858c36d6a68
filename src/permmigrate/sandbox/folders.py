"""Ping, folders and usage of the Admin API (spec: asset-management.yml).

What a key does not see is left out of lists; a key that holds nothing is refused with the vendor's sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, Final

from permmigrate.sandbox.admin import BASE, Admin, closest, make_folders
from permmigrate.sandbox.columns import ROOT
from permmigrate.sandbox.decide import Resource
from permmigrate.sandbox.expression import expression
from permmigrate.sandbox.routes import Router
from permmigrate.sandbox.wire import ApiError, Request, Response, decode_cursor, encode_cursor

LIST_LIMIT: Final = 2_000
"""The most results of a search or of the list of root folders."""
SEARCH_PAGE: Final = 50
SEARCH_LARGEST: Final = 500


class Folders(Admin):
    """Ping, folder lists and search, and usage."""

    def register(self, router: Router) -> None:
        router.add("GET", f"{BASE}/ping", "admin", self.ping)
        router.add("GET", f"{BASE}/usage", "admin", self.usage)
        router.add("GET", f"{BASE}/folders", "admin", self.roots)
        router.add("GET", f"{BASE}/folders/search", "admin", self.search)
        router.add("POST", f"{BASE}/folders/search", "admin", self.search)
        router.add("GET", f"{BASE}/folders/{{folder:path}}", "admin", self.children)
        router.add("POST", f"{BASE}/folders/{{folder:path}}", "admin", self.create)

    def ping(self, request: Request) -> Response:
        """Proves who is calling and nothing else: it needs no role."""
        return Response.json({"status": "ok"})

    def usage(self, request: Request) -> Response:
        environment, number = self.environment(request)
        self.must(environment, "read", Resource("Report", "env_usage", {"type": "env_usage"}))
        assets = [asset for asset in self._account.assets if asset.environment == number]
        stored = sum(asset.bytes for asset in assets)
        return Response.json(
            {
                "plan": "Enterprise",
                "last_updated": self._context.iso(self._context.epoch())[:10],
                "date_requested": self._context.iso(self._context.epoch()),
                "objects": {"usage": len(assets)},
                "bandwidth": {"usage": stored * 7},
                "storage": {"usage": stored},
                "requests": len(assets) * 31,
                "resources": len(assets),
                "derived_resources": len(assets) * 4,
            }
        )

    def roots(self, request: Request) -> Response:
        environment, number = self.environment(request)
        self.must_hold_something(environment, "read")
        numbers = list(self.visible(environment, list(self._folders.children(number, ROOT))))
        return self._page(request, numbers[:LIST_LIMIT], len(numbers), always_whole=True)

    def children(self, request: Request) -> Response:
        environment, number = self.environment(request)
        parent = self._existing(number, request.params["folder"])
        self.must_hold_something(environment, "read")
        numbers = list(self.visible(environment, list(self._folders.children(number, parent))))
        if not numbers:
            self.must(environment, "read", self.folder_resource(parent))
        return self._page(request, numbers, len(numbers), always_whole=False)

    def _page(self, request: Request, numbers: list[int], total: int, *, always_whole: bool) -> Response:
        numbers = sorted(numbers, key=lambda number: self._folders.paths[number])
        start, size = 0, request.number("max_results") or SEARCH_LARGEST
        if self._context.knobs.page_size:
            size = min(size, self._context.knobs.page_size)
        if always_whole:
            size = len(numbers) or 1
        if cursor := request.one("next_cursor"):
            start = _position(cursor)
        page, after = numbers[start : start + size], start + size
        return Response.json(
            {
                "folders": [self.folder(number, created=False) for number in page],
                "next_cursor": encode_cursor({"after": after}) if after < len(numbers) else None,
                "total_count": total,
            }
        )

    def folder(self, number: int, *, created: bool = True) -> dict[str, object]:
        answer: dict[str, object] = {
            "name": self._folders.name(number),
            "path": self._folders.paths[number],
            "external_id": self._folders.ids[number],
        }
        if created:
            answer["created_at"] = self._context.iso(self._folders.created[number])
        return answer

    def _existing(self, environment_number: int, path: str) -> int:
        if path.startswith("/") or path.endswith("/") or "//" in path:
            raise ApiError(400, f"Invalid folder path {path}")
        number = self._folders.by_path(environment_number, path)
        if number is None:
            raise ApiError(404, f"Can't find folder with path {path}")
        return number

    def create(self, request: Request) -> Response:
        environment, number = self.environment(request)
        path = request.params["folder"]
        if path.startswith("/") or path.endswith("/") or "//" in path:
            raise ApiError(400, f"Invalid folder path {path}")
        if self._folders.by_path(number, path) is not None:
            raise ApiError(409, f"Folder {path} already exists")
        parent, _ = closest(self._context, number, path)
        self.must(environment, "create", self.folder_resource(parent))
        made = make_folders(self._context, number, path)
        return Response.json({"success": True, **self.folder(made)})

    def search(self, request: Request) -> Response:
        environment, number = self.environment(request)
        self.must_hold_something(environment, "read")
        asked = _search_fields(request)
        matches = expression(str(asked.get("expression") or ""))
        found = [
            folder
            for folder in self._folders.of(number)
            if matches(self._folders.name(folder), self._folders.paths[folder])
        ]
        found = list(self.visible(environment, found))
        self._sort(found, asked.get("sort_by"))
        size = _size(asked.get("max_results"))
        if self._context.knobs.page_size:
            size = min(size, self._context.knobs.page_size)
        start = _position(str(asked["next_cursor"])) if asked.get("next_cursor") else 0
        total, found = len(found), found[:LIST_LIMIT]
        after = start + size
        answer: dict[str, object] = {
            "folders": [self.folder(folder) for folder in found[start:after]],
            "total_count": total,
            "time": 1,
        }
        if after < len(found):
            answer["next_cursor"] = encode_cursor({"after": after})
        return Response.json(answer)

    def _sort(self, found: list[int], sort_by: object) -> None:
        """By the fields asked for, the newest first when none is; ties by path, so that pages are stable."""
        keys: dict[str, Callable[[int], Any]] = {
            "name": self._folders.name,
            "path": lambda number: self._folders.paths[number],
            "created_at": lambda number: self._folders.created[number],
        }
        wanted = sort_by if isinstance(sort_by, list) and sort_by else [{"created_at": "desc"}]
        found.sort(key=keys["path"])
        for one in reversed(wanted):
            if not isinstance(one, dict) or len(one) != 1 or next(iter(one)) not in keys:
                raise ApiError(400, "Invalid sort_by")
            field, direction = next(iter(one.items()))
            found.sort(key=keys[field], reverse=str(direction).lower() == "desc")


def _search_fields(request: Request) -> dict[str, Any]:
    if request.method == "POST":
        return request.payload()
    fields: dict[str, Any] = {
        name: request.one(name) for name in ("expression", "max_results", "next_cursor")
    }
    pairs = [text.partition(":") for text in request.many("sort_by")]
    pairs += [
        (match[1], "", values[-1])
        for name, values in request.query.items()
        if (match := re.fullmatch(r"sort_by(?:\[\d*\])?\[(\w+)\]", name))
    ]
    fields["sort_by"] = [{name: direction or "asc"} for name, _, direction in pairs]
    return fields


def _size(value: object) -> int:
    if value in (None, ""):
        return SEARCH_PAGE
    if not str(value).isdigit() or not 1 <= int(str(value)) <= SEARCH_LARGEST:
        raise ApiError(
            400, f"Invalid value {value} for parameter max_results. Must be between 1 and {SEARCH_LARGEST}"
        )
    return int(str(value))


def _position(cursor: str) -> int:
    try:
        found = decode_cursor(cursor)
    except ApiError as error:
        raise ApiError(400, "Invalid value for parameter next_cursor") from error
    if not isinstance(found, dict) or not isinstance(found.get("after"), int):
        raise ApiError(400, "Invalid value for parameter next_cursor")
    return int(found["after"])
