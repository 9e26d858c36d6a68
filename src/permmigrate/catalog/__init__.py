"""System and custom roles, their policies and the Cedar schema: the value, its search, and what changed.

It reads no file and speaks to nobody; statements are text here, and only `cedar` knows what they permit.
"""

from permmigrate.catalog.change import CatalogChange, CatalogChanges, catalog_changes
from permmigrate.catalog.search import Hit, Search, search
from permmigrate.catalog.value import (
    ILLUSTRATIVE_SOURCE,
    LEVELS,
    Catalog,
    UnknownTarget,
    is_illustrative,
    refusal,
    scope_refusal,
)

__all__ = [
    "ILLUSTRATIVE_SOURCE",
    "LEVELS",
    "Catalog",
    "CatalogChange",
    "CatalogChanges",
    "Hit",
    "Search",
    "UnknownTarget",
    "catalog_changes",
    "is_illustrative",
    "refusal",
    "scope_refusal",
    "search",
]
