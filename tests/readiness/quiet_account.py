"""An account with nothing to settle, and ways to unsettle it."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from typing import Any

import builders
from permmigrate.catalog import Catalog
from permmigrate.diff import Diff, Finding, PrincipalSummary, Region, RegionKind, Severity, Verdict
from permmigrate.mapping import RowRef
from permmigrate.mapping.rows import ApiKeyRow, Origin, Scope, ScopeKind, Target, TargetType
from permmigrate.mapping.tables import MappingTables, load
from permmigrate.model import (
    Confidence,
    LedgerEntry,
    PrincipalRef,
    PrincipalType,
    ReadStatus,
)
from permmigrate.readiness import Area, Readiness, ReadinessFinding
from permmigrate.resources import mappings_dir
from permmigrate.snapshot import Snapshot

VENDOR = "https://api.cloudinary.com/v2/accounts/permissions/public/catalog"
AREAS = (
    "environments",
    "people",
    "groups",
    "keys",
    "folders",
    "shares",
    "catalog",
    "roles",
    "policies",
    "assignments",
)


@cache
def catalog() -> Catalog:
    """The sandbox's catalog, said to be the vendor's."""
    return replace(builders.sandbox_catalog(), source=VENDOR)


@cache
def shipped() -> MappingTables:
    """The shipped tables as they are."""
    return load(mappings_dir())


@cache
def tables() -> MappingTables:
    """The shipped tables with a small role for every API key."""
    role = Target(TargetType.ROLE, "environment/Contributor", Scope(ScopeKind.EACH))
    row = ApiKeyRow(origin=origin("api_keys.csv"), target=role, match="*", environment="*", enabled="any")
    return replace(shipped(), api_keys=(row,))


def origin(file: str, line: int = 2, confidence: Confidence = Confidence.CUSTOMER) -> Origin:
    return Origin(RowRef(file, line), "us", confidence)


def line(area: str, status: ReadStatus = ReadStatus.READ, **fields: Any) -> LedgerEntry:
    """A ledger line of a read that went well."""
    return LedgerEntry(**{"area": area, "endpoint": f"GET {area}", "subject": "", "status": status} | fields)


def ledger(*instead: LedgerEntry) -> tuple[LedgerEntry, ...]:
    """A line for every area, with some replaced."""
    replaced = {entry.area for entry in instead}
    return (*(line(area) for area in AREAS if area not in replaced), *instead)


def user(id_: str, legacy_role: str = "media_library_user", **fields: Any) -> Any:
    """A user who was here the day before the capture."""
    return builders.user(id_, legacy_role, **{"last_login": "2026-11-21T08:00:00Z"} | fields)


def key(id_: str = "111", **fields: Any) -> Any:
    return builders.api_key(id_, **{"name": f"key {id_}", "created_at": "2026-01-01T00:00:00Z"} | fields)


USERS = (user("m1", "master_admin"), user("m2", "master_admin"), user("ana"), user("ben"))
GROUPS = (builders.group("g1", "ana", "m1", "m2"), builders.group("g2", "ben"))
KEYS = (key("111"), key("222"))
FOLDERS = (builders.folder("A"), builders.folder("A/B"), builders.folder("A/B/C"), builders.folder("D"))
SHARES = (
    builders.share("A", builders.a_group("g1")),
    builders.share("D", builders.a_user("ben"), "can_edit"),
)


def snapshot(**fields: Any) -> Snapshot:
    """The quiet account."""
    return builders.snapshot(
        **{
            "users": USERS,
            "groups": GROUPS,
            "api_keys": KEYS,
            "folders": FOLDERS,
            "shares": SHARES,
            "catalog": catalog(),
            "ledger": ledger(),
        }
        | fields
    )


def diff(**fields: Any) -> Diff:
    """A comparison that found nothing and leaves two administrators."""
    return Diff(
        **{
            "account_id": "acc1",
            "captured_at": "2026-11-22T08:00:00Z",
            "tool_version": "0.1.0",
            "snapshot_digest": "",
            "mapping_digest": "",
            "catalog_digest": "",
            "catalog_source": VENDOR,
            "compared_with": "the mapping tables",
            "capabilities": (),
            "findings": (),
            "causes": (),
            "principals": (summary("m1"), summary("m2"), summary("ana", admin_after=False)),
            "coverage": (),
            "uncertainties": (),
            "assumptions": (),
            "complete": True,
        }
        | fields
    )


def summary(id_: str, **fields: Any) -> PrincipalSummary:
    return PrincipalSummary(
        **{
            "principal": PrincipalRef(PrincipalType.USER, id_),
            "name": f"User {id_}",
            "detail": f"{id_}@example.com",
            "before": (),
            "after": (),
            "counts": {},
            "admin_before": True,
            "admin_after": True,
            "dormant": False,
        }
        | fields
    )


def gain(id_: str, environment_id: str, kind: RegionKind, verdict: Verdict = Verdict.GAINED) -> Finding:
    """A finding of one user in one region."""
    region = Region(kind, environment_id, "f:A" if kind is RegionKind.FOLDER else "", "somewhere")
    return Finding(
        "f00", PrincipalRef(PrincipalType.USER, id_), verdict, Severity.HIGH, region, (), (), (), ()
    )


def area(readiness: Readiness, key_: str) -> Area:
    return next(each for each in readiness.areas if each.key == key_)


def found(readiness: Readiness, key_: str, title: str) -> ReadinessFinding | None:
    """The finding of this title in an area, if there is one."""
    return next((each for each in area(readiness, key_).findings if each.title == title), None)
