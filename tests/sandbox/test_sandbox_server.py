"""The sandbox over real sockets: keep-alive, threads, drops, long answers, and a conforming WSGI callable."""

from __future__ import annotations

import base64
import http.client
import threading
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import httpx
import pytest

from permmigrate.sandbox import Knobs, Sandbox
from permmigrate.sandbox.server import serve_forever, serving


def basic(sandbox: Sandbox) -> str:
    text = f"{sandbox.account_key}:{sandbox.account_secret}"
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_one_connection_serves_many_calls() -> None:
    """HTTP/1.1 keep-alive: reads, writes, empty answers and errors share one socket."""
    sandbox = Sandbox()
    with serving(sandbox) as url:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=10)
        connection.connect()
        socket = connection.sock
        headers = {"Authorization": basic(sandbox)}
        base = f"/v2/accounts/{sandbox.account_id}/permissions"
        role = '{"id":"mine","name":"Mine","permission_type":"global","scope_type":"prodenv"}'
        for method, path, body, status in (
            ("GET", f"{base}/roles?permission_type=global", None, 200),
            ("GET", f"{base}/roles", None, 400),
            ("POST", f"{base}/roles", role, 201),
            ("DELETE", f"{base}/roles/mine", None, 204),
            ("GET", f"{base}/roles/cld::role::folder::viewer/principals", None, 200),
            ("GET", "/nowhere", None, 404),
        ):
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            answer.read()
            assert (answer.status, connection.sock) == (status, socket), path
        connection.close()


def test_paths_in_other_scripts_arrive() -> None:
    """Percent-encoded UTF-8 in a path is the folder it spells."""
    sandbox = Sandbox()
    key = sandbox.keys("meridian-prod")[0]
    with serving(sandbox) as url, httpx.Client(auth=(key.id, key.secret)) as client:
        assert client.get(f"{url}/v1_1/meridian-prod/folders/Regions/日本").status_code == 200


@pytest.mark.parametrize(("drop", "made"), [("before", False), ("after", True)])
def test_a_drop_closes_the_socket(drop: str, made: bool) -> None:
    """Over a socket a dropped write is a closed connection, before or after it took effect."""
    sandbox = Sandbox(knobs=Knobs(drop=drop))
    auth = (sandbox.account_key, sandbox.account_secret)
    with serving(sandbox) as url, httpx.Client(auth=auth, timeout=10) as client:
        base = f"{url}/v1_1/provisioning/accounts/{sandbox.account_id}/user_groups"
        with pytest.raises(httpx.RemoteProtocolError):
            client.post(base, json={"name": "Dropped"})
        names = {group["name"] for group in client.get(base).json()["user_groups"]}
    assert ("Dropped" in names) is made


def test_concurrent_writes_are_all_kept() -> None:
    """Writes from many threads through one client are neither lost nor mixed up."""
    sandbox = Sandbox()
    auth = (sandbox.account_key, sandbox.account_secret)
    with serving(sandbox) as url, httpx.Client(auth=auth, timeout=30) as client:
        base = f"{url}/v1_1/provisioning/accounts/{sandbox.account_id}/user_groups"
        with ThreadPoolExecutor(8) as pool:
            made = list(pool.map(lambda n: client.post(base, json={"name": f"g{n}"}).json(), range(60)))
        found = client.get(base).json()["user_groups"]
    assert {group["id"] for group in made} <= {group["id"] for group in found}
    assert len({group["id"] for group in made}) == 60


def test_a_body_in_chunks_is_read() -> None:
    """A request without a length, in chunks, arrives whole."""
    sandbox = Sandbox()
    auth = (sandbox.account_key, sandbox.account_secret)
    with serving(sandbox) as url, httpx.Client(auth=auth) as client:
        path = f"{url}/v1_1/provisioning/accounts/{sandbox.account_id}/user_groups"
        answer = client.post(
            path, content=iter([b'{"name":', b'"Chunky"}']), headers={"Content-Type": "application/json"}
        )
        assert answer.json()["name"] == "Chunky"


def test_serve_forever_says_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocking server tells its address before the first call and ends on an interrupt."""
    sandbox = Sandbox()
    addresses: list[str] = []

    def started(url: str) -> None:
        addresses.append(url)
        raise KeyboardInterrupt

    thread = threading.Thread(target=serve_forever, args=(sandbox,), kwargs={"started": started})
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert addresses[0].startswith("http://127.0.0.1:")


@pytest.mark.parametrize(
    "path",
    [
        "/v2/accounts/permissions/public/schema",
        "/v1_1/meridian-prod/ping",
        "/v2/accounts/{account}/permissions/roles/cld::role::folder::viewer/principals",
    ],
)
def test_the_callable_conforms_to_wsgi(path: str) -> None:
    """The standard library's validator finds nothing to complain about."""
    sandbox = Sandbox(state="migrated")
    environ: dict[str, object] = {
        "PATH_INFO": path.format(account=sandbox.account_id),
        "SCRIPT_NAME": "",
        "QUERY_STRING": "",
        "HTTP_AUTHORIZATION": basic(sandbox),
    }
    setup_testing_defaults(environ)
    statuses: list[str] = []
    chunks = validator(sandbox.wsgi)(environ, lambda status, headers, info=None: statuses.append(status))
    assert b"".join(chunks)
    chunks.close()
    assert statuses[0][:3] in ("200", "401")
