"""Plain builders of small accounts, with dull defaults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from permmigrate.catalog import Catalog
from permmigrate.model import (
    ApiKey,
    ContentKind,
    ContentRef,
    EnvironmentId,
    Folder,
    FolderId,
    Group,
    GroupId,
    ManagementType,
    PermissionType,
    Policy,
    PolicyId,
    PrincipalRef,
    PrincipalType,
    ProductEnvironment,
    Role,
    RoleId,
    ScopeType,
    Share,
    User,
    UserId,
)
from permmigrate.snapshot import Snapshot

ROOT = Path(__file__).parent.parent
SANDBOX_CATALOG = ROOT / "src" / "permmigrate" / "sandbox" / "catalog.json"


def sandbox_catalog() -> Catalog:
    """The sandbox's illustrative catalog, read straight from its file."""
    document: Mapping[str, Any] = json.loads(SANDBOX_CATALOG.read_text(encoding="utf-8"))
    policies = [
        Policy(
            id=PolicyId(p["id"]),
            name=p["name"],
            description=p["description"],
            scope_type=ScopeType(p["scope_type"]),
            permission_type=PermissionType(p["permission_type"]),
            statement=p["policy"],
            category=p["category"],
            sub_category=p["sub_category"],
            parameters=tuple(p["policy_parameters"]),
        )
        for p in document["system_policies"]
    ]
    roles = [
        Role(
            id=RoleId(r["id"]),
            name=r["name"],
            description=r["description"],
            management_type=management,
            permission_type=PermissionType(r["permission_type"]),
            scope_type=ScopeType(r["scope_type"]),
            policy_ids=tuple(PolicyId(p) for p in r["system_policy_ids"]),
            parameters=tuple(r["policy_parameters"]),
        )
        for kind, management in (
            ("system_roles", ManagementType.SYSTEM),
            ("custom_roles", ManagementType.CUSTOM),
        )
        for r in document[kind]
    ]
    return Catalog.of(policies, roles, document["schema"], "sandbox")


def environment(id_: str = "env1", **fields: Any) -> ProductEnvironment:
    return ProductEnvironment(
        **{"id": EnvironmentId(id_), "name": id_.title(), "cloud_name": id_, "enabled": True} | fields
    )


def user(id_: str, legacy_role: str = "media_library_user", **fields: Any) -> User:
    return User(
        **{
            "id": UserId(id_),
            "name": f"User {id_}",
            "email": f"{id_}@example.com",
            "legacy_role": legacy_role,
        }
        | fields
    )


def group(id_: str, *members: str) -> Group:
    return Group(GroupId(id_), f"Group {id_}", tuple(UserId(member) for member in sorted(members)))


def api_key(id_: str = "123456789012345", environment_id: str = "env1", **fields: Any) -> ApiKey:
    return ApiKey(**{"id": id_, "name": "website", "environment_id": EnvironmentId(environment_id)} | fields)


def folder(path: str, environment_id: str = "env1", id_: str = "") -> Folder:
    """A folder whose id is made of its path."""
    return Folder(FolderId(id_ or folder_id(path)), EnvironmentId(environment_id), path)


def folder_id(path: str) -> str:
    return "f:" + path.replace("/", ":")


def share(
    path: str, principal: PrincipalRef, level: str = "can_view", environment_id: str = "env1", line: int = 2
) -> Share:
    content = ContentRef(EnvironmentId(environment_id), ContentKind.FOLDER, folder_id(path))
    return Share(content, principal, level, f"shares.csv:{line}")


def a_user(id_: str) -> PrincipalRef:
    return PrincipalRef(PrincipalType.USER, id_)


def a_group(id_: str) -> PrincipalRef:
    return PrincipalRef(PrincipalType.GROUP, id_)


def a_key(id_: str = "123456789012345") -> PrincipalRef:
    return PrincipalRef(PrincipalType.API_KEY, id_)


def snapshot(**fields: Any) -> Snapshot:
    return Snapshot.of(
        **{
            "account_id": "acc1",
            "captured_at": "2026-11-22T08:00:00Z",
            "tool_version": "0.1.0",
            "environments": (environment(),),
            "catalog": sandbox_catalog(),
        }
        | fields
    )
