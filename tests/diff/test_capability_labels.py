"""Atoms read as capabilities a person knows."""

from __future__ import annotations

from collections.abc import Mapping

from permmigrate.cedar import Universe, parse
from permmigrate.diff.capabilities import CapabilityIndex
from permmigrate.model import ScopeType
from random_accounts import SCHEMA, permit


class Plain:
    """Severities: deleting is critical, the rest is low."""

    def severity(self, scope: str, action: str, resource: str) -> str:
        return "critical" if action == "delete" else "low"


def labels(*texts: str) -> Mapping[str, tuple[str, str, str, str, str]]:
    """Each capability that the first text's statements amount to, by its label."""
    parsed = [statement for text in texts for statement in parse(text)]  # type: ignore[union-attr]
    universe = Universe.of(SCHEMA, parsed)
    mask = 0
    for statement in parse(texts[0]):  # type: ignore[union-attr]
        mask |= universe.compile(statement).mask
    index = CapabilityIndex({ScopeType.ENVIRONMENT: universe}, Plain())
    index.of(ScopeType.ENVIRONMENT, mask, universe.full)
    return {
        c.label: (c.scope, c.action, c.resource, c.condition, c.severity.value) for c in index.sorted()[0]
    }


def test_labels_of_a_handful() -> None:
    """Verbs, plurals, features, namespaces and conditions, as reports show them."""
    public = permit("download", "Asset", 'resource.access_control == "public"')
    delivery = permit("read", "Report", 'resource.type == "delivery"')

    assert {"View folders": ("prodenv", "read", "Folder", "", "low")} == labels(permit("read", "Folder"))
    assert {"Delete assets": ("prodenv", "delete", "Asset", "", "critical")} == labels(
        permit("delete", "Asset")
    )
    assert {
        "Download assets where access_control is public": (
            "prodenv",
            "download",
            "Asset",
            "access_control is public",
            "low",
        )
    } == labels(public)
    assert {
        "View reports where type is delivery": ("prodenv", "read", "Report", "type is delivery", "low")
    } == (labels(delivery))
    assert {
        "Use upload settings › manage": (
            "prodenv",
            "any",
            "Feature cld::global::upload_settings::manage",
            "",
            "low",
        )
    } == labels(permit("", "Feature cld::global::upload_settings::manage"))
    assert {"Edit upload presets": ("prodenv", "update", "UploadPreset", "", "low")} == labels(
        permit("update", "UploadPreset")
    )
    assert {"Run easy flows": ("prodenv", "MediaFlows::run", "MediaFlows::EasyFlow", "", "low")} == labels(
        permit("", "MediaFlows::EasyFlow")
    )


def test_the_other_values_are_named_by_what_they_are_not() -> None:
    """What a forbid on one value leaves is the others; all values together need no condition."""
    test = permit("download", "Asset", 'resource.access_control == "public"')
    everything = permit("download", "Asset")

    assert {"Download assets"} == labels(everything, test).keys()
