"""The part of another snapshot's catalog that holds for an account made from lists."""

from __future__ import annotations

from permmigrate.catalog import Catalog
from permmigrate.model import ManagementType
from permmigrate.snapshot.value import Snapshot


def fitting(catalog: Catalog, owner: Snapshot | None, account_id: str) -> tuple[Catalog, int]:
    """The catalog without custom roles that belong to another account, and how many those are."""
    if owner is None or owner.account_id == account_id:
        return catalog, 0
    kept = [role for role in catalog.roles.values() if role.management_type is ManagementType.SYSTEM]
    left_out = len(catalog.roles) - len(kept)
    return Catalog.of(catalog.policies.values(), kept, catalog.schema, catalog.source), left_out
