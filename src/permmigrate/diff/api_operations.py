"""Which API operations an action stands for, in words, for people who know their scripts and not Cedar.

The vendor publishes the operations and the actions, not which of them belong together: that is read from
their names here, so every row is an inference but the one that an error message bears out. The Provisioning
and Permissions APIs take account keys (spec:provisioning, spec:permissions), all others the keys of an
environment: what a key cannot call is no operation of its.
"""

from __future__ import annotations

from functools import cache
from typing import Final, NamedTuple

from permmigrate.model import Confidence, PrincipalType


class Operation(NamedTuple):
    """One kind of call."""

    words: str
    """`Upload API: upload`."""
    source: str
    """The specification and its operations, or the page, that the words are from."""
    confidence: Confidence


def _operation(words: str, source: str, confidence: Confidence = Confidence.INFERRED) -> Operation:
    return Operation(words, source, confidence)


_ASSETS: Final = "spec:asset-management "
_PROVISIONING: Final = "spec:provisioning "
_PERMISSIONS: Final = "spec:permissions "
_ADMIN_REFERENCE: Final = "the vendor's Admin API reference"

_OPERATIONS: Final[dict[tuple[str, str], tuple[Operation, ...]]] = {
    ("Asset", "create"): (
        _operation(
            "Upload API: upload",
            _ASSETS + "upload, uploadChunk, text, concat; gh#69472854832 quotes a refusal of `create`",
            Confidence.THIRD_PARTY,
        ),
    ),
    ("Asset", "read"): (
        _operation(
            "Admin API: list and read assets", _ASSETS + "listImages, getResourceByPublicId, listResourceTags"
        ),
        _operation("Search API: search assets", _ASSETS + "searchAssets, visualSearchAssets"),
    ),
    ("Asset", "update"): (
        _operation("Upload API: explicit", _ASSETS + "explicitAsset, explodeResource"),
        _operation("Admin API: update assets", _ASSETS + "updateResourceByPublicId, updateResourceByAssetId"),
    ),
    ("Asset", "update_metadata"): (
        _operation(
            "Upload API: tags, context and metadata",
            _ASSETS + "updateAssetsTags, updateAssetsContext, updateAssetsMetadata",
        ),
    ),
    ("Asset", "update_access_control"): (
        _operation("Admin API: set access control", _ASSETS + "updateResourceByPublicId, access_control"),
    ),
    ("Asset", "rename"): (_operation("Upload API: rename", _ASSETS + "renameAsset"),),
    ("Asset", "move"): (
        _operation("Admin API: move assets", _ASSETS + "updateResourceByPublicId, asset_folder"),
    ),
    ("Asset", "delete"): (
        _operation("Upload API: destroy", _ASSETS + "destroyAsset, destroyByAssetId"),
        _operation("Admin API: delete assets", _ASSETS + "deleteResourcesByPublicId, derivedDestroy"),
    ),
    ("Asset", "download"): (
        _operation("Upload API: download and generate_archive", _ASSETS + "downloadAsset, generateArchive"),
    ),
    ("Asset", "restore"): (_operation("Admin API: restore", _ASSETS + "restoreResourcesByAssetIDs"),),
    ("Asset", "moderate"): (
        _operation("Admin API: moderate", _ASSETS + "updateResourceByPublicId, moderation_status"),
    ),
    ("Asset", "share"): (_operation("signed download links", _ASSETS + "downloadAsset"),),
    ("Folder", "read"): (
        _operation(
            "Admin API: list and search folders", _ASSETS + "listRootFolders, showFolder, searchFolders"
        ),
    ),
    ("Folder", "create"): (_operation("Admin API: create folders", _ASSETS + "createFolder"),),
    ("Folder", "delete"): (_operation("Admin API: delete folders", _ASSETS + "destroyFolder"),),
    ("Folder", "rename"): (_operation("Admin API: rename folders", _ASSETS + "renameFolderOperation"),),
    ("Folder", "move"): (_operation("Admin API: move folders", _ASSETS + "updateFolder"),),
    ("Folder", "share"): (_operation("Admin API: assign folder roles", _ASSETS + "assignFolderRoles"),),
    ("Report", "read"): (
        _operation("Admin API: usage and video views", _ASSETS + "getUsage, getVideoViews"),
        _operation("Provisioning API: billing usage", _PROVISIONING + "getBillingUsage"),
    ),
}

_KINDS: Final = {
    "UploadPreset": ("Admin API", "upload presets", _ADMIN_REFERENCE),
    "UploadMapping": ("Admin API", "upload mappings", _ADMIN_REFERENCE),
    "Transformation": ("Admin API", "transformations", _ADMIN_REFERENCE),
    "StreamingProfile": ("Admin API", "streaming profiles", _ADMIN_REFERENCE),
    "MetadataField": ("Admin API", "metadata fields", _ADMIN_REFERENCE),
    "MetadataRule": ("Admin API", "metadata rules", _ADMIN_REFERENCE),
    "Webhook": ("Admin API", "webhook notifications", _ADMIN_REFERENCE),
    "LiveStream": ("Live Streaming API", "live streams", "the vendor's live streaming pages"),
    "Collection": ("Collections API", "collections", "the vendor's Collections API page, Nov-18-2026"),
    "User": ("Provisioning API", "users", _PROVISIONING + "users"),
    "Group": ("Provisioning API", "user groups", _PROVISIONING + "user_groups"),
    "ProductEnvironment": ("Provisioning API", "product environments", _PROVISIONING + "sub_accounts"),
    "APIKey": ("Provisioning API", "access keys", _PROVISIONING + "access_keys"),
    "Role": ("Permissions API", "roles", _PERMISSIONS + "roles"),
    "RoleAssignment": ("Permissions API", "role assignments", _PERMISSIONS + "principal_roles"),
    "CustomPolicy": ("Permissions API", "custom policies", _PERMISSIONS + "policies/custom"),
}
"""Resource types whose operations are all of one shape: list and read, create, update, delete."""


_ACCOUNT_APIS: Final = ("Provisioning API", "Permissions API")


@cache
def operations_of(holder: PrincipalType, action: str, resource: str) -> tuple[Operation, ...]:
    """The operations that an action on a resource type stands for with a key; none where none is known."""
    found = _OPERATIONS.get((resource, action), ())
    if not found and resource in _KINDS:
        api, things, source = _KINDS[resource]
        verb = "list and read" if action == "read" else action.replace("_", " ")
        found = (_operation(f"{api}: {verb} {things}", source),)
    of_account = holder is PrincipalType.ACCOUNT_KEY
    return tuple(each for each in found if each.words.startswith(_ACCOUNT_APIS) == of_account)
