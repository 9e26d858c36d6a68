"""The few data calls that let a permission be felt: list assets and upload one (spec: asset-management.yml).

Uploaded bytes are counted and thrown away.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from permmigrate.sandbox.admin import BASE, Admin, closest, make_folders
from permmigrate.sandbox.columns import ROOT
from permmigrate.sandbox.decide import Resource
from permmigrate.sandbox.routes import Router
from permmigrate.sandbox.state import Asset
from permmigrate.sandbox.wire import ApiError, Request, Response, decode_cursor, encode_cursor

TYPES: Final = ("image", "video", "raw")
PAGE: Final = 10
LARGEST: Final = 500


class Assets(Admin):
    """The handlers."""

    def register(self, router: Router) -> None:
        router.add("GET", f"{BASE}/resources/by_asset_folder", "admin", self.in_folder)
        router.add("GET", f"{BASE}/resources/{{resource_type}}", "admin", self.assets)
        router.add("GET", f"{BASE}/resources/{{resource_type}}/upload", "admin", self.assets)
        router.add("POST", f"{BASE}/{{resource_type}}/upload", "upload", self.upload)

    def _resource(self, asset: Asset) -> Resource:
        ids = [] if asset.folder == ROOT else self._folders.ancestor_ids(asset.folder)
        return Resource(
            "Asset",
            asset.id,
            {
                "ancestor_ids": ids,
                "collection_ids": [],
                "resource_type": asset.resource_type,
                "access_control": asset.access_control,
            },
        )

    def assets(self, request: Request) -> Response:
        kind = request.params["resource_type"]
        if kind not in TYPES:
            raise ApiError(400, f"Invalid resource type {kind}")
        prefix = request.one("prefix") or ""
        return self._page(request, None, lambda a: a.resource_type == kind and a.public_id.startswith(prefix))

    def in_folder(self, request: Request) -> Response:
        _, number = self.environment(request)
        path = request.one("asset_folder")
        if path is None:
            raise ApiError(400, "Missing required parameter - asset_folder")
        folder = self._folders.by_path(number, path) if path else ROOT
        if folder is None:
            raise ApiError(404, f"Can't find folder with path {path}")
        return self._page(request, folder, lambda asset: asset.folder == folder)

    def _page(self, request: Request, folder: int | None, wanted: Any) -> Response:
        environment, number = self.environment(request)
        self.must_hold_something(environment, "read")
        found = [
            asset
            for asset in self._account.assets
            if asset.environment == number
            and wanted(asset)
            and self.may(environment, "read", self._resource(asset))
        ]
        if folder is not None and not found:
            probe = Asset("any", "any", folder, number, "image", "public", 0, 0)
            self.must(environment, "read", self._resource(probe))
        size = min(request.number("max_results") or PAGE, LARGEST)
        if self._context.knobs.page_size:
            size = min(size, self._context.knobs.page_size)
        start = 0
        if cursor := request.one("next_cursor"):
            after = decode_cursor(cursor)
            if not isinstance(after, int):
                raise ApiError(400, "Invalid value for parameter next_cursor")
            start = after
        answer: dict[str, object] = {
            "resources": [self._info(asset) for asset in found[start : start + size]]
        }
        if start + size < len(found):
            answer["next_cursor"] = encode_cursor(start + size)
        return Response.json(answer)

    def _info(self, asset: Asset) -> dict[str, object]:
        cloud = self._account.environments[asset.environment].cloud_name
        form = {"image": "jpg", "video": "mp4"}.get(asset.resource_type, "")
        url = f"res.cloudinary.com/{cloud}/{asset.resource_type}/upload/v{asset.created_at}/{asset.public_id}"
        return {
            "asset_id": asset.id,
            "public_id": asset.public_id,
            "asset_folder": "" if asset.folder == ROOT else self._folders.paths[asset.folder],
            "display_name": asset.public_id.rpartition("/")[2],
            "format": form,
            "version": asset.created_at,
            "resource_type": asset.resource_type,
            "type": "upload",
            "created_at": self._context.iso(asset.created_at),
            "bytes": asset.bytes,
            "url": f"http://{url}",
            "secure_url": f"https://{url}",
        }

    def upload(self, request: Request) -> Response:
        """Create an asset. `asset_folder` alone chooses its folder, as in dynamic folder mode."""
        environment, number = self.environment(request)
        kind, fields = request.params["resource_type"], request.payload()
        if kind not in (*TYPES, "auto"):
            raise ApiError(400, f"Invalid resource type {kind}")
        content = fields.get("file")
        if not content:
            raise ApiError(400, "Missing required parameter - file")
        path = str(fields.get("asset_folder") or "").strip("/")
        folder, _ = closest(self._context, number, path)
        asset_id = self._context.new_id("asset")
        public_id = str(fields.get("public_id") or asset_id[:20])
        data = content if isinstance(content, bytes) else str(content).encode()
        asset = Asset(
            asset_id,
            public_id,
            folder,
            number,
            "image" if kind == "auto" else kind,
            "public",
            self._context.epoch(),
            len(data),
        )
        self.must(environment, "create", self._resource(asset))
        if path:
            asset.folder = make_folders(self._context, number, path)
        self._account.assets.append(asset)
        answer = self._info(asset)
        answer["etag"] = hashlib.sha256(data).hexdigest()[:32]
        answer["tags"] = [tag for tag in str(fields.get("tags") or "").split(",") if tag]
        return Response.json(answer)
