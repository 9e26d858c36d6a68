"""The table of routes: which handler answers a method and a path, and to whose API it belongs."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from permmigrate.sandbox.wire import Request, Response

Handler = Callable[[Request], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """One method and path of one API."""

    method: str
    pattern: re.Pattern[str]
    api: str
    """`public`, `provisioning`, `permissions`, `admin` or `upload`: who may call and how errors look."""
    handler: Handler


class Router:
    """The table of routes; the first that fits wins, so literal paths are added before placeholders."""

    def __init__(self) -> None:
        self._routes: list[Route] = []

    def add(self, method: str, template: str, api: str, handler: Handler) -> None:
        """Add a route; `{name}` is one path segment and `{name:path}` is the rest."""
        pattern = re.sub(r"\\{(\w+):path\\}", r"(?P<\1>.+)", re.escape(template))
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", pattern)
        self._routes.append(Route(method, re.compile(pattern), api, handler))

    def find(self, method: str, path: str) -> tuple[Route | None, Mapping[str, str], tuple[str, ...]]:
        """The route and its placeholders, or None and the methods that the path does have."""
        allowed: list[str] = []
        for route in self._routes:
            match = route.pattern.fullmatch(path)
            if match is None:
                continue
            if route.method == method:
                return route, match.groupdict(), ()
            allowed.append(route.method)
        return None, {}, tuple(sorted(set(allowed)))
