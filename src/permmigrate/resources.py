"""Where the mapping tables and report templates are: inside a wheel, or beside the source in a checkout."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from permmigrate.errors import PermmigrateError


def mappings_dir() -> Path:
    """The folder of the shipped mapping tables."""
    return _find("mappings", "mappings")


def templates_dir() -> Path:
    """The folder of the report templates."""
    return _find("templates", "reports/templates")


def _find(shipped: str, checkout: str) -> Path:
    package = Path(str(files("permmigrate")))
    for place in (package / "_shipped" / shipped, package.parent.parent / checkout):
        if place.is_dir():
            return place
    raise PermmigrateError(
        f"the shipped folder `{shipped}` is missing",
        hint="reinstall permmigrate from a wheel or a full checkout",
    )
