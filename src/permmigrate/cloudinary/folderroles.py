"""Who holds a role on a folder itself, as the Admin API tells: for accounts without the Permissions API.

It reads (spec: asset-management, getFolderRoles) and cannot write.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Final, Self

import httpx

from permmigrate.cloudinary.credentials import KeyPair
from permmigrate.cloudinary.session import Session
from permmigrate.cloudinary.transport import DEFAULT_API_URL, check_api_url, open_client
from permmigrate.cloudinary.writing import invited
from permmigrate.errors import UsageError
from permmigrate.model import EnvironmentId, FolderId, RoleAssignment

INVITED: Final = "GET /v1_1/{cloud_name}/folder_operations/invite/{folder_id}"


class FolderRoles:
    """The folder roles of some environments. Use it as a context manager."""

    def __init__(
        self,
        keys: Mapping[str, KeyPair],
        clouds: Mapping[str, str],
        *,
        api_url: str = DEFAULT_API_URL,
        inner: httpx.BaseTransport | None = None,
    ) -> None:
        """`keys` by cloud name, `clouds` are cloud names by environment id."""
        self._keys, self._clouds = keys, clouds
        self._client = open_client(check_api_url(api_url), inner=inner)
        self._session = Session(self._client, secrets=tuple(pair.secret for pair in keys.values()), workers=1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()
        self._client.close()

    def folder_held(self, environment: EnvironmentId, folder: FolderId) -> frozenset[RoleAssignment]:
        """The roles given on the folder, not those inherited. Raises UsageError without the fitting key."""
        cloud = cloud_of(environment, self._clouds, self._keys)
        return read_folder(self._session, self._keys[cloud], cloud, environment, folder)


def read_folder(
    session: Session, key: KeyPair, cloud: str, environment: EnvironmentId, folder: FolderId
) -> frozenset[RoleAssignment]:
    """Ask for one folder's roles."""
    record = session.read(INVITED, {"cloud_name": cloud, "folder_id": folder}, key=key)
    return frozenset(invited(record, environment, folder))


def cloud_of(environment: EnvironmentId, clouds: Mapping[str, str], keys: Mapping[str, KeyPair]) -> str:
    """The environment's cloud name. Raises UsageError when there is no key for it."""
    cloud = clouds.get(environment, "")
    if cloud not in keys:
        raise UsageError(
            f"there is no key for the product environment `{cloud or environment}`",
            hint="give one as `CLOUDINARY_URL`; folder roles are read and written with it",
        )
    return cloud
