"""Places in words, as findings show them, and back again."""

from __future__ import annotations

from permmigrate.diff.value import Region, RegionKind
from permmigrate.entitlements import Entitlements, Place
from permmigrate.model import ContentKind, ContentRef, EnvironmentId


def region_of(entitlements: Entitlements, scope: str, place: Place, folders: int) -> Region:
    """A place in words, with how many of its folders a finding holds for."""
    snapshot = entitlements.snapshot
    if not scope:
        where = f", {place.kind} {place.id}" if place.kind else ""
        return Region(RegionKind.ACCOUNT, "", place.id, f"the account{where}")
    environment = snapshot.environment_by_id[scope]
    if not place.kind:
        return Region(RegionKind.ENVIRONMENT, scope, "", environment.name or environment.cloud_name)
    kind = ContentKind(place.kind)
    label = snapshot.content_labels.get(ContentRef(EnvironmentId(scope), kind, place.id), place.id)
    return Region(RegionKind(kind.value), scope, place.id, label, folders)


def place_of(region: Region) -> Place:
    """The place of a region; the account's own are told by the words for them."""
    if region.kind in (RegionKind.FOLDER, RegionKind.COLLECTION):
        return Place(region.kind.value, region.content_id)
    if region.content_id:
        return Place(region.label.removeprefix("the account, ").partition(" ")[0], region.content_id)
    return Place()
