"""A server made of the vendor's own OpenAPI examples, on a real loopback socket. It knows no sandbox."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

EXAMPLES: dict[str, Any] = json.loads(
    (Path(__file__).parent.parent / "data" / "vendor_examples.json").read_text(encoding="utf-8")
)

Answer = tuple[int, Any, dict[str, str]]
Override = Callable[[str, str, dict[str, str]], Answer | None]
"""Given the endpoint's template, the path with its query, and the headers: another answer, or None."""


def templates() -> list[tuple[re.Pattern[str], str]]:
    """The endpoints' templates as patterns, the most exact first."""
    paths = [endpoint.removeprefix("GET ").partition("?")[0] for endpoint in EXAMPLES["answers"]]
    ordered = sorted(set(paths), key=lambda path: (path.count("{"), -len(path)))
    return [
        (
            re.compile(
                re.sub(r"\\\{folder\\\}", ".+", re.sub(r"\\\{(?!folder)\w+\\\}", "[^/]+", re.escape(path)))
            ),
            path,
        )
        for path in ordered
    ]


@contextmanager
def vendor_examples(override: Override = lambda *_: None) -> Iterator[tuple[str, list[str]]]:
    """Serve the examples; yield the base address and the growing list of requests."""
    patterns, requests = templates(), list[str]()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            requests.append(f"GET {self.path}")
            path = urlsplit(self.path).path
            template = next((name for pattern, name in patterns if pattern.fullmatch(path)), None)
            status, body, headers = self.answer(template)
            content = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {"Content-Type": "application/json", **headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)
            self.wfile.flush()

        def answer(self, template: str | None) -> Answer:
            if template is None:
                return 404, EXAMPLES["errors"]["RoleNotFoundErrorExample"], {}
            other = override(template, self.path, dict(self.headers))
            if other is not None:
                return other
            if "/public/" not in template and not self.headers.get("Authorization"):
                return 401, EXAMPLES["errors"]["AuthorizationErrorExample"], {}
            extended = f"GET {template}?extended_details=true"
            if "extended_details=true" in self.path and extended in EXAMPLES["answers"]:
                return 200, EXAMPLES["answers"][extended], {}
            return 200, EXAMPLES["answers"][f"GET {template}"], {}

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", requests
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
