"""The way to the service: certificates of a company's own, and a proxy in between."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO
from pathlib import Path

import pytest
import trustme

from permmigrate.cloudinary.diagnosis import Diagnosis, Finding
from permmigrate.cloudinary.doctor import examine
from permmigrate.cloudinary.sources import find
from permmigrate.cloudinary.transport import open_client
from permmigrate.errors import UsageError
from permmigrate.sandbox import Sandbox
from sandbox_variables import variables


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """A certificate authority that nobody else trusts."""
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    """Its certificate as a file."""
    path = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


@contextmanager
def secure(sandbox: Sandbox, authority: trustme.CA, name: str = "localhost") -> Iterator[int]:
    """The sandbox over TLS with a certificate for the name; yields its port."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            path, _, query = self.path.partition("?")
            environ = {
                "REQUEST_METHOD": self.command,
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "HTTP_AUTHORIZATION": self.headers.get("Authorization", ""),
                "wsgi.input": BytesIO(b""),
            }
            body = b"".join(sandbox.wsgi(environ, self.start))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def start(self, status: str, headers: list[tuple[str, str]], _: object = None) -> None:
            self.send_response(int(status.partition(" ")[0]))
            for header, value in headers:
                if header != "Content-Length":
                    self.send_header(header, value)

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            """A client that does not trust us hangs up; that is what is tested."""

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextmanager
def proxy(target: int) -> Iterator[tuple[str, list[str]]]:
    """A proxy that leads every CONNECT to one local port; yields its address and what it was asked."""
    asked: list[str] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(client: socket.socket) -> None:
        with client:
            head = b""
            while b"\r\n\r\n" not in head:
                head += client.recv(4096)
            asked.append(head.decode())
            with socket.create_connection(("127.0.0.1", target)) as upstream:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                _pass(client, upstream)

    def accept() -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"http://user:canary-proxy@127.0.0.1:{listener.getsockname()[1]}", asked
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def _pass(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until either side hangs up."""
    while True:
        for ready in select.select([one, other], [], [], 5)[0]:
            try:
                data = ready.recv(65536)
            except OSError:
                return
            if not data:
                return
            (other if ready is one else one).sendall(data)


def visit(url: str, env: dict[str, str], folder: Path) -> Diagnosis:
    """Examine with whatever proxy and certificates are found."""
    found = find(env, folder=folder, home=folder / "nobody", api_url=url)
    with open_client(url, inner=found.network(1)) as client:
        return examine(found, client)


def reached(diagnosis: Diagnosis) -> Finding:
    return next(check for check in diagnosis.checks if check.subject == "public catalog").finding


@pytest.mark.parametrize("variable", ["SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"])
def test_a_companys_own_certificates_are_trusted_when_named(
    authority: trustme.CA, bundle: Path, tmp_path: Path, variable: str
) -> None:
    """With the bundle everything answers; without it nothing does, and no credentials are sent."""
    sandbox = Sandbox("small")
    with secure(sandbox, authority) as port:
        without = visit(f"https://localhost:{port}", variables(sandbox), tmp_path)
        assert [] == sandbox.log
        found = visit(f"https://localhost:{port}", variables(sandbox) | {variable: str(bundle)}, tmp_path)

    assert Finding.FAILED is reached(without)
    assert any("certificate is not trusted" in check.detail for check in without.checks)
    assert found.ready
    assert any(check.subject == "CA bundle" and variable in check.detail for check in found.checks)


def test_the_toml_file_names_a_bundle_beside_it(authority: trustme.CA, bundle: Path, tmp_path: Path) -> None:
    """A relative path is relative to the file."""
    (tmp_path / "permmigrate.toml").write_text(f'ca_bundle = "{bundle.name}"', encoding="utf-8")
    sandbox = Sandbox("small")
    with secure(sandbox, authority) as port:
        assert visit(f"https://localhost:{port}", variables(sandbox), tmp_path).ready


def test_a_certificate_for_another_name_is_not_trusted(
    authority: trustme.CA, bundle: Path, tmp_path: Path
) -> None:
    """The bundle does not switch off the check of the host's name."""
    sandbox = Sandbox("small")
    with secure(sandbox, authority, "elsewhere.example") as port:
        env = variables(sandbox) | {"SSL_CERT_FILE": str(bundle)}
        found = visit(f"https://localhost:{port}", env, tmp_path)

    assert Finding.FAILED is reached(found)
    assert [] == sandbox.log


@pytest.mark.parametrize("content", [None, "", "not a certificate"])
def test_a_bad_bundle_is_a_usage_error_that_names_the_file(tmp_path: Path, content: str | None) -> None:
    """A file that is not there, is empty or holds no certificate is told before anything is asked."""
    path = tmp_path / "bad.pem"
    if content is not None:
        path.write_text(content, encoding="utf-8")

    with pytest.raises(UsageError, match=r"bad\.pem"):
        visit("https://localhost:1", {"SSL_CERT_FILE": str(path)}, tmp_path)


def test_a_folder_of_certificates_is_taken(authority: trustme.CA, tmp_path: Path) -> None:
    """`REQUESTS_CA_BUNDLE` may name a folder; one without certificates trusts nobody."""
    sandbox = Sandbox("small")
    with secure(sandbox, authority) as port:
        env = variables(sandbox) | {"REQUESTS_CA_BUNDLE": str(tmp_path)}
        assert Finding.FAILED is reached(visit(f"https://localhost:{port}", env, tmp_path))


def test_a_proxy_is_used_and_its_password_never_told(
    authority: trustme.CA, bundle: Path, tmp_path: Path
) -> None:
    """Calls to another host go through the proxy, TLS inside; what is told of it is where it was set."""
    sandbox = Sandbox("small")
    with secure(sandbox, authority, "api.cloudinary.com") as port, proxy(port) as (address, asked):
        env = variables(sandbox) | {"HTTPS_PROXY": address, "SSL_CERT_FILE": str(bundle)}
        found = visit("https://api.cloudinary.com", env, tmp_path)

    assert found.ready
    assert asked
    assert all(one.startswith("CONNECT api.cloudinary.com:443") for one in asked)
    assert "canary" not in repr(found)
    assert any(check.subject == "proxy" for check in found.checks)


def test_a_proxy_that_does_not_answer_is_told_as_unreachable(tmp_path: Path) -> None:
    """The remedy speaks of the proxy; its password is not in it."""
    env = variables(Sandbox("small")) | {"HTTPS_PROXY": "http://user:canary-proxy@127.0.0.1:9"}

    found = visit("https://api.cloudinary.com", env, tmp_path)

    assert Finding.FAILED is reached(found)
    assert "proxy" in "".join(check.remedy for check in found.checks)
    assert "canary" not in repr(found)
