"""The sandbox over real sockets: threaded, HTTP/1.1 with keep-alive, loopback by default, silent.

It serves a WSGI application and knows nothing of the account behind it.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from typing import Any, Protocol
from urllib.parse import unquote_to_bytes, urlsplit

from permmigrate.sandbox.wire import DroppedConnectionError


class Serving(Protocol):
    """What can be served."""

    @property
    def wsgi(self) -> Callable[..., Iterable[bytes]]: ...


class _Handler(BaseHTTPRequestHandler):
    """Hands each request of a connection to the application and keeps the connection open."""

    protocol_version = "HTTP/1.1"
    server_version = "permmigrate-sandbox"
    sys_version = ""
    disable_nagle_algorithm = True
    wbufsize = -1
    timeout = 120
    server: _Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the log knob is the log."""

    def _serve(self) -> None:
        path, _, query = self.path.partition("?")
        if path.startswith(("http://", "https://")):
            path = urlsplit(path).path
        environ = {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "HTTP_AUTHORIZATION": self.headers.get("Authorization", ""),
        }
        body = self._body()
        environ["CONTENT_LENGTH"] = str(len(body))
        try:
            chunks = self.server.application({**environ, "wsgi.input": BytesIO(body)}, self._start)
            self._send(chunks)
        except DroppedConnectionError:
            self.close_connection = True
            with suppress(OSError):  # the caller may have gone first
                self.connection.shutdown(socket.SHUT_RDWR)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _serve  # noqa: N815

    def _body(self) -> bytes:
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            parts = []
            while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
                parts.append(self.rfile.read(size))
                self.rfile.readline()
            while self.rfile.readline().strip():
                pass
            return b"".join(parts)
        length = self.headers.get("Content-Length", "0")
        return self.rfile.read(int(length)) if length.isdigit() else b""

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: object = None) -> None:
        code, _, reason = status.partition(" ")
        self.send_response(int(code), reason)
        self._sized = any(name == "Content-Length" for name, _ in headers) or int(code) == 204
        for name, value in headers:
            if not (int(code) == 204 and name == "Content-Length"):
                self.send_header(name, value)
        if not self._sized:
            self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

    def _send(self, chunks: Iterable[bytes]) -> None:
        for chunk in chunks:
            if self.command == "HEAD" or not chunk:
                continue
            self.wfile.write(chunk if self._sized else b"%x\r\n%s\r\n" % (len(chunk), chunk))
        if not self._sized and self.command != "HEAD":
            self.wfile.write(b"0\r\n\r\n")
        self.wfile.flush()


class _Server(ThreadingHTTPServer):
    """Remembers open connections, so that closing the server closes them too."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, address: tuple[str, int], application: Callable[..., Iterable[bytes]]) -> None:
        self.application = application
        self._open: set[Any] = set()
        self._guard = threading.Lock()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._guard:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._guard:
            self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A caller that goes away is not news; anything else is a bug and shows itself."""
        import sys

        if not isinstance(sys.exc_info()[1], ConnectionError | TimeoutError):
            super().handle_error(request, client_address)

    def close_all(self) -> None:
        self.server_close()
        with self._guard:
            still_open = list(self._open)
        for connection in still_open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue

    @property
    def url(self) -> str:
        host, port = self.server_address[0], self.server_address[1]
        name = f"[{host!s}]" if ":" in str(host) else str(host)
        return f"http://{name}:{port}"


@contextmanager
def serving(sandbox: Serving, host: str = "127.0.0.1", port: int = 0) -> Iterator[str]:
    """Serve in the background and yield the base url, such as `http://127.0.0.1:49152`."""
    server = _Server((host, port), sandbox.wsgi)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.url
    finally:
        server.shutdown()
        thread.join()
        server.close_all()


def serve_forever(
    sandbox: Serving,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    started: Callable[[str], None] = lambda url: None,
) -> None:
    """Serve until interrupted; `started` is told the base url once the port is open."""
    server = _Server((host, port), sandbox.wsgi)
    try:
        started(server.url)
        server.serve_forever(poll_interval=0.1)
    except KeyboardInterrupt:
        return
    finally:
        server.close_all()
