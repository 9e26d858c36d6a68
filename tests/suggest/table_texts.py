"""Mapping tables as the texts people would have written, for tests that make tables as values."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from pathlib import Path

from permmigrate.mapping import schema
from permmigrate.mapping.custom_roles import CUSTOM_ROLES
from permmigrate.mapping.rows import (
    NO_LEGACY_ROLE,
    BaselineRow,
    BundleRow,
    OverrideRow,
    Row,
    SeverityRow,
    TargetRow,
    UserRoleRow,
)
from permmigrate.mapping.tables import MappingTables, load

_TABLES = {
    "user_roles": schema.USER_ROLES,
    "folder_levels": schema.FOLDER_LEVELS,
    "collection_levels": schema.COLLECTION_LEVELS,
    "api_keys": schema.API_KEYS,
    "account_keys": schema.ACCOUNT_KEYS,
    "bundles": schema.BUNDLES,
    "overrides": schema.OVERRIDES,
    "legacy_baseline": schema.LEGACY_BASELINE,
    "severities": schema.SEVERITY,
    "custom_roles": CUSTOM_ROLES,
}


def texts(tables: MappingTables) -> dict[str, str]:
    """Each table's text; rows that say the same are written once."""
    found = {}
    for name, table in _TABLES.items():
        rows = dict.fromkeys(tuple(_cells(row, table.columns)) for row in getattr(tables, name))
        out = io.StringIO()
        csv.writer(out, lineterminator="\n").writerows([table.columns, *rows])
        found[table.file] = out.getvalue()
    return found


def reloaded(folder: Path, files: Mapping[str, str]) -> MappingTables:
    """Write texts and load them as the commands do."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name).write_bytes(text.encode("utf-8"))
    return load(folder)


def _cells(row: Row, columns: tuple[str, ...]) -> list[str]:
    cells = {
        "source": row.origin.source,
        "confidence": row.origin.confidence.value,
        "note": row.origin.note,
    }
    if isinstance(row, TargetRow):
        none = row.target.type == "none"
        cells |= {"target_type": row.target.type.value, "target": row.target.name}
        cells["scope"] = "" if none else str(row.target.scope)
    for column in columns:
        if column not in cells:
            value = getattr(row, column)
            cells[column] = "" if value is None else str(value)
    if isinstance(row, UserRoleRow):
        cells["legacy_role"] = row.legacy_role or NO_LEGACY_ROLE
    if isinstance(row, OverrideRow | BaselineRow):
        cells["legacy"] = row.legacy or NO_LEGACY_ROLE
    assert not isinstance(row, BundleRow | SeverityRow), "not needed so far"
    return [cells[column] for column in columns]
