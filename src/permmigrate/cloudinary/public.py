"""The vendor's public catalog and Cedar schema, read without any credentials (spec: tag Public)."""

from __future__ import annotations

from typing import Final

import httpx

from permmigrate.catalog import Catalog
from permmigrate.cloudinary import wire
from permmigrate.cloudinary.session import Session
from permmigrate.cloudinary.transport import check_api_url, open_client

_PUBLIC: Final = "GET /v2/accounts/permissions/public"


def pull(api_url: str, *, proxy: str | None = None, inner: httpx.BaseTransport | None = None) -> Catalog:
    """Read roles, policies and schema. Raises the ServiceError that fits when either is not to be had.

    `inner` replaces the network under the read-only guard, for an application in this process.
    """
    url = check_api_url(api_url)
    client = open_client(url, proxy=proxy, connections=1, inner=inner)
    session = Session(client)
    try:
        found = wire.catalog(session.read(f"{_PUBLIC}/catalog"))
        schema = wire.schema(session.read(f"{_PUBLIC}/schema"))
    finally:
        session.close()
        client.close()
    return Catalog.of(found.policies, found.roles, schema, f"{url}{_PUBLIC.removeprefix('GET ')}/catalog")
