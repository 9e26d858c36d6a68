"""The way out of the program: it reads, it reads one host, and nothing gets past it."""

from __future__ import annotations

import httpx
import pytest

from permmigrate.cloudinary.transport import check_api_url, open_client, proxy_from
from permmigrate.errors import RefusedError, UsageError

API = "https://api.example.com"


def client(sent: list[str]) -> httpx.Client:
    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(f"{request.method} {request.url.path}")
        return httpx.Response(200, json={})

    return open_client(API, inner=httpx.MockTransport(answer))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post", "HEAD"])
@pytest.mark.parametrize(
    "path",
    [
        "/v2/accounts/a/permissions/principal_roles",
        "/v1_1/provisioning/accounts/a/users/u",
        "/v1_1/cloud/folder_operations/invite/f",
        "/v1_1/cloud/folders/a/search",
        "/v1_1/a%2Fb/folders/search/x",
        "/v2/accounts/a/permissions/principal_roles/inspect/",
        "/v2/accounts/a%2F..%2Fb/permissions/roles/x",
    ],
)
def test_whatever_may_write_is_refused_unsent(method: str, path: str) -> None:
    """Every method but GET is refused on every path that the vendor does not spell as a read."""
    sent: list[str] = []

    with pytest.raises(RefusedError), client(sent) as http:
        http.request(method, path)

    assert sent == []


def test_the_one_read_spelled_put_passes() -> None:
    """Asking for a folder's descendants passes, by exact path and with the read's own fields."""
    sent: list[str] = []

    with client(sent) as http:
        http.put("/v1_1/cloud/folders/descendants", json={"id": "f", "inclusive": True})

    assert sent == ["PUT /v1_1/cloud/folders/descendants"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1_1/cloud/folders/descendants", {"id": "f", "to_folder": "elsewhere"}),
        ("/v1_1/cloud/folders/descendants?to_folder=elsewhere", {"id": "f"}),
        ("/v1_1/cloud/folders/descendants", ["id"]),
        ("/v1_1/cloud/folders/descendants/x", {"id": "f"}),
        ("/v1_1/cloud/folders/by_id", {"id": "f"}),
        ("/v1_1/cloud/folders/a", {"id": "f"}),
    ],
)
def test_what_could_rename_a_folder_is_refused(path: str, body: object) -> None:
    """An older server would take the call for a folder's renaming: nothing of that passes."""
    sent: list[str] = []

    with pytest.raises(RefusedError), client(sent) as http:
        http.put(path, json=body)

    assert sent == []


@pytest.mark.parametrize(
    "path",
    [
        "/v2/accounts/a/permissions/principal_roles/inspect",
        "/v2/accounts/permissions/public/validate",
        "/v1_1/cloud/folders/search",
    ],
)
def test_reads_spelled_post_pass(path: str) -> None:
    """The reads that the vendor spells POST pass, by exact method and path."""
    sent: list[str] = []

    with client(sent) as http:
        http.post(path, json={})
        with pytest.raises(RefusedError):
            http.put(path, json={})

    assert [f"POST {path}"] == sent


@pytest.mark.parametrize(
    "url", ["https://evil.example/v1_1/x", "http://api.example.com/x", "https://api.example.com:8443/x"]
)
def test_another_host_is_refused(url: str) -> None:
    """Credentials never travel to another host, scheme or port."""
    sent: list[str] = []

    with pytest.raises(RefusedError, match="another host"), client(sent) as http:
        http.get(url)

    assert sent == []


def test_redirects_are_not_followed() -> None:
    """A redirect is an answer like any other."""
    inner = httpx.MockTransport(lambda _: httpx.Response(302, headers={"Location": f"{API}/elsewhere"}))

    with open_client(API, inner=inner) as http:
        assert http.get("/x").status_code == 302


def test_the_proxy_is_inside_the_guard() -> None:
    """With a proxy, a write is still refused before anything is connected."""
    with open_client(API, proxy="http://127.0.0.1:9") as http, pytest.raises(RefusedError):
        http.post("/v2/accounts/a/permissions/roles", json={})


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("https://api-eu.cloudinary.com/", "https://api-eu.cloudinary.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost", "http://localhost"),
        ("http://[::1]:9", "http://[::1]:9"),
    ],
)
def test_api_urls_that_are_taken(given: str, expected: str) -> None:
    """HTTPS anywhere, plain HTTP on this machine only."""
    assert expected == check_api_url(given)


@pytest.mark.parametrize(
    "given",
    [
        "http://api.cloudinary.com",
        "http://127.0.0.1.evil.example",
        "http://localhost.evil.example",
        "ftp://api.cloudinary.com",
        "api.cloudinary.com",
        "https://",
        "https://user:canary@api.cloudinary.com",
        "https://api.cloudinary.com/v1",
        "https://api.cloudinary.com?x=canary",
        "https://[::1",
    ],
)
def test_api_urls_that_are_refused(given: str) -> None:
    """Anything else is a usage error that repeats no credentials."""
    with pytest.raises(UsageError) as caught:
        check_api_url(given)

    assert "canary" not in f"{caught.value} {caught.value.hint}"


@pytest.mark.parametrize(
    ("env", "url", "expected"),
    [
        ({}, API, None),
        ({"HTTPS_PROXY": "http://proxy:1"}, API, "http://proxy:1"),
        ({"https_proxy": "proxy:1", "HTTPS_PROXY": "http://other"}, API, "http://proxy:1"),
        ({"ALL_PROXY": "http://proxy:1"}, API, "http://proxy:1"),
        ({"HTTPS_PROXY": "http://proxy:1"}, "http://127.0.0.1:8080", None),
        ({"HTTP_PROXY": "http://proxy:1"}, API, None),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "other.com, example.com"}, API, None),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": ".example.com"}, API, None),
        ({"HTTPS_PROXY": "http://proxy:1", "NO_PROXY": "ample.com,"}, API, "http://proxy:1"),
        ({"HTTPS_PROXY": "http://proxy:1", "no_proxy": "*"}, API, None),
    ],
)
def test_proxy_variables(env: dict[str, str], url: str, expected: str | None) -> None:
    """The usual variables choose the proxy, `NO_PROXY` takes it away, loopback never uses one."""
    assert expected == proxy_from(env, url)


def test_unusable_proxy_shows_no_password() -> None:
    """A proxy that cannot be used is a usage error without its address."""
    with pytest.raises(UsageError) as caught:
        open_client(API, proxy="gopher://user:canary@proxy")

    assert "canary" not in f"{caught.value}{caught.value.hint}"
