"""Sandboxes in process, and clients that speak to them without sockets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import httpx
import pytest

from permmigrate.sandbox import Sandbox


@pytest.fixture
def legacy() -> Sandbox:
    return Sandbox()


@pytest.fixture
def migrated() -> Sandbox:
    return Sandbox(state="migrated")


@pytest.fixture
def connect() -> Iterator[Callable[..., httpx.Client]]:
    """Make clients of a sandbox: with the account's main key, or with the key and secret that are given."""
    with ExitStack() as stack:

        def make(sandbox: Sandbox, auth: tuple[str, str] | None = None, path: str = "") -> httpx.Client:
            transport = httpx.WSGITransport(app=sandbox.wsgi)
            auth = auth or (sandbox.account_key, sandbox.account_secret)
            client = httpx.Client(base_url=f"http://sandbox{path}", auth=auth, transport=transport)
            return stack.enter_context(client)

        yield make


@pytest.fixture
def provisioning(connect: Callable[..., httpx.Client]) -> Callable[..., httpx.Client]:
    def make(sandbox: Sandbox, **options: object) -> httpx.Client:
        return connect(sandbox, path=f"/v1_1/provisioning/accounts/{sandbox.account_id}", **options)

    return make


@pytest.fixture
def permissions(connect: Callable[..., httpx.Client]) -> Callable[..., httpx.Client]:
    def make(sandbox: Sandbox, **options: object) -> httpx.Client:
        return connect(sandbox, path=f"/v2/accounts/{sandbox.account_id}/permissions", **options)

    return make


@pytest.fixture
def cloud(connect: Callable[..., httpx.Client]) -> Callable[..., httpx.Client]:
    """Make clients of an environment's API, with one of its keys by name."""

    def make(sandbox: Sandbox, key: str = "website-prod", environment: int = 0) -> httpx.Client:
        name = sandbox.cloud_names[environment]
        found = next(k for k in sandbox.keys(name) if k.name == key)
        return connect(sandbox, (found.id, found.secret), path=f"/v1_1/{name}")

    return make
