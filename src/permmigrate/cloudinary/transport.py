"""The way to the network: one client factory whose innermost transport refuses whatever could write.

It follows no redirect, talks to one host, and reads neither netrc files nor proxy variables behind the
caller's back: `proxy_from` reads those, and the proxy goes inside the guard.
"""

from __future__ import annotations

import ipaddress
import json
import re
import ssl
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Final

import httpx

from permmigrate import __version__
from permmigrate.errors import RefusedError, UsageError

DEFAULT_API_URL: Final = "https://api.cloudinary.com"
"""The default region (spec: servers); `api-eu`, `api-ap` and custom hosts are given by `--api-url`."""

READS_SPELLED_POST: Final = (
    re.compile(rb"/v2/accounts/[^/]+/permissions/principal_roles/inspect"),
    re.compile(rb"/v2/accounts/permissions/public/validate"),
    re.compile(rb"/v1_1/[^/]+/folders/search"),
)
"""The paths where the vendor spells a read as POST."""

DESCENDANTS: Final = re.compile(rb"/v1_1/[^/]+/folders/descendants")
"""The one path that is called where the vendor spells a read as PUT (spec: getFolderDescendants).

A server that did not know it would take it for the renaming of a folder named `descendants`: it passes only
without a query and with nothing in its body but what the read has.
"""

_DESCENDANTS_FIELDS: Final = frozenset({"id", "filter_ids", "inclusive"})

_TIMEOUT: Final = httpx.Timeout(30, connect=10)


WriteKey = Callable[[httpx.Request], bool]
"""What says of a request that may write whether it is one that was meant; `writer` holds the only one."""


def no_writes(request: httpx.Request) -> bool:
    """The key of everybody who reads: it opens nothing."""
    return False


class ReadOnlyTransport(httpx.BaseTransport):
    """Passes reads to one host and raises RefusedError on anything else, before a byte is sent."""

    def __init__(self, inner: httpx.BaseTransport, api_url: str, opens: WriteKey = no_writes) -> None:
        self._inner = inner
        self._origin = _origin(httpx.URL(api_url))
        self._opens = opens

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        path, question, _ = request.url.raw_path.partition(b"?")
        if _origin(request.url) != self._origin:
            raise RefusedError(f"a call to another host was refused: `{request.url.host}`")
        if not (
            request.method == "GET"
            or (request.method == "POST" and any(read.fullmatch(path) for read in READS_SPELLED_POST))
            or (
                request.method == "PUT"
                and not question
                and DESCENDANTS.fullmatch(path)
                and _only_asks(request)
            )
            or self._opens(request)
        ):
            raise RefusedError(f"a call that may write was refused: `{request.method} {path.decode()}`")
        return self._inner.handle_request(request)

    def close(self) -> None:
        self._inner.close()


def _only_asks(request: httpx.Request) -> bool:
    """Whether the body names a folder and nothing that could change it."""
    try:
        fields = json.loads(request.read())
    except ValueError:
        return False
    return isinstance(fields, dict) and fields.keys() <= _DESCENDANTS_FIELDS


def open_client(
    api_url: str,
    *,
    proxy: str | None = None,
    ca_bundle: str | None = None,
    connections: int = 8,
    inner: httpx.BaseTransport | None = None,
    opens: WriteKey = no_writes,
    timeout: httpx.Timeout = _TIMEOUT,
) -> httpx.Client:
    """Open the read-only client; `inner` replaces the network, never the guard around it.

    `opens` is the writer's: no other client is given one.
    """
    if inner is None:
        inner = network(proxy=proxy, ca_bundle=ca_bundle, connections=connections)
    return httpx.Client(
        base_url=api_url,
        transport=ReadOnlyTransport(inner, api_url, opens),
        timeout=timeout,
        follow_redirects=False,
        trust_env=False,
        headers={"User-Agent": f"permmigrate/{__version__}", "Accept": "application/json"},
    )


def network(
    *, proxy: str | None = None, ca_bundle: str | None = None, connections: int = 8
) -> httpx.HTTPTransport:
    """Open the way out, trusting the certificates of `ca_bundle` in place of the usual ones. Not guarded yet.

    Raises UsageError when the bundle or the proxy cannot be used; a proxy's address is not repeated.
    """
    trust = _trust(ca_bundle)
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    try:
        through = None
        if proxy:
            through = httpx.Proxy(proxy, ssl_context=trust if proxy.startswith("https:") else None)
        return httpx.HTTPTransport(verify=trust, trust_env=False, proxy=through, limits=limits)
    except (ValueError, ImportError, httpx.InvalidURL):
        raise UsageError("the proxy that is set cannot be used", hint="use an http:// proxy") from None


@cache
def _trust(ca_bundle: str | None) -> ssl.SSLContext:
    """The certificates to trust: a file's or a folder's, or those that come with the certifi package.

    Read once for all clients: reading them takes longer than most calls.
    """
    if ca_bundle is None:
        return httpx.create_ssl_context(trust_env=False)
    try:
        if Path(ca_bundle).is_dir():
            return ssl.create_default_context(capath=ca_bundle)
        return ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ValueError) as error:
        why = "it holds no certificate" if isinstance(error, ssl.SSLError) else "it cannot be read"
        raise UsageError(
            f"the CA bundle `{ca_bundle}` cannot be used: {why}",
            hint="it is a file of PEM certificates; set by SSL_CERT_FILE, REQUESTS_CA_BUNDLE or `ca_bundle`",
        ) from None


def check_api_url(api_url: str, source: str = "--api-url") -> str:
    """Return the address without its final slash; only loopback may be plain HTTP. Raises UsageError."""
    try:
        url = httpx.URL(api_url.strip())
    except httpx.InvalidURL:
        raise UsageError(f"`{source}` is not an address", hint=f"for example {DEFAULT_API_URL}") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise UsageError(f"`{source}` is not an address", hint=f"for example {DEFAULT_API_URL}")
    if url.userinfo or url.query or url.fragment or url.path not in ("", "/"):
        raise UsageError(f"`{source}` must be a host and nothing more", hint=f"for example {DEFAULT_API_URL}")
    if url.scheme == "http" and not is_loopback(url.host):
        raise UsageError(f"`{url.scheme}://{url.host}` would send secrets in the clear", hint="use https")
    return str(url).rstrip("/")


def is_loopback(host: str) -> bool:
    """Whether the host is this machine: `localhost`, 127.0.0.0/8 or ::1."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def proxy_from(env: Mapping[str, str], api_url: str) -> str | None:
    """The proxy that the usual variables give for the address, or None; loopback never goes through one.

    `HTTPS_PROXY` (or `HTTP_PROXY`), then `ALL_PROXY`, less what `NO_PROXY` names; lower case wins.
    """
    url = httpx.URL(api_url)
    if is_loopback(url.host) or _bypassed(url.host, _either(env, "no_proxy")):
        return None
    proxy = _either(env, f"{url.scheme}_proxy") or _either(env, "all_proxy")
    if not proxy:
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _either(env: Mapping[str, str], name: str) -> str:
    return (env.get(name) or env.get(name.upper()) or "").strip()


def _bypassed(host: str, no_proxy: str) -> bool:
    for entry in (part.strip().lower().partition(":")[0].lstrip(".") for part in no_proxy.split(",")):
        if entry == "*" or (entry and (host == entry or host.endswith("." + entry))):
            return True
    return False


def _origin(url: httpx.URL) -> tuple[str, str, int]:
    return url.scheme, url.host, url.port or (443 if url.scheme == "https" else 80)
