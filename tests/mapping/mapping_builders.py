"""Tiny tables, a tiny catalog and dull principals for the tests of the mapping."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from permmigrate.catalog import Catalog
from permmigrate.mapping.tables import MappingTables, load
from permmigrate.model import (
    AccountKey,
    ApiKey,
    Collection,
    CollectionId,
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

TODAY = date(2026, 11, 22)

HEADERS = {
    "user_roles.csv": "legacy_role,target_type,target,scope",
    "folder_levels.csv": "level,principal_type,target_type,target",
    "collection_levels.csv": "level,principal_type,target_type,target",
    "api_keys.csv": "match,environment,enabled,target_type,target,scope",
    "account_keys.csv": "match,target_type,target,scope",
    "bundles.csv": "bundle,role,scope",
    "overrides.csv": "principal_type,match_by,match,applies_to,legacy,"
    "target_type,target,scope,reason,expires",
    "legacy_baseline.csv": "kind,legacy,policy,granted",
    "severity.csv": "scope,action,resource,severity,reason",
}

ROWS = {
    "user_roles.csv": (
        "admin,bundle,Admin,each_environment",
        "billing,role,account/Billing,account",
        "media_library_user,role,environment/ML User,each_environment",
        "reports,none,,",
    ),
    "folder_levels.csv": ("can_view,any,role,folder/Viewer", "can_edit,any,role,folder/Editor"),
    "collection_levels.csv": ("can_view,any,role,collection/Viewer",),
    "api_keys.csv": ("*,*,yes,role,environment/Admin,each_environment", "*,*,no,none,,"),
    "account_keys.csv": ("*,role,account/Admin,account",),
    "bundles.csv": ("Admin,account/Admin,account", "Admin,environment/Admin,each_environment"),
    "overrides.csv": (),
    "legacy_baseline.csv": ("user_role,admin,*,yes",),
    "severity.csv": ("*,*,*,medium,",),
}
"""One good small set of tables; every row begins at line 2."""


def write(directory: Path, **tables: tuple[str, ...]) -> Path:
    """Write the small set with some tables replaced; `source,confidence,note` are added to every row."""
    for file, header in HEADERS.items():
        rows = tables.get(file.removesuffix(".csv"), ROWS[file])
        lines = [header + ",source,confidence,note", *(row + ",test,customer," for row in rows)]
        (directory / file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return directory


def tables(directory: Path, **rows: tuple[str, ...]) -> MappingTables:
    return load(write(directory, **rows))


def role(level: str, name: str, management_type: ManagementType = ManagementType.SYSTEM) -> Role:
    content = level in ("folder", "collection")
    return Role(
        id=RoleId(f"{level}::{name.casefold().replace(' ', '_')}"),
        name=name,
        description="",
        management_type=management_type,
        permission_type=PermissionType.CONTENT if content else PermissionType.GLOBAL,
        scope_type=ScopeType.ACCOUNT if level == "account" else ScopeType.ENVIRONMENT,
        policy_ids=(),
        parameters=(f"{level}_id",) if content else (),
    )


def policy(id_: str, category: str = "Management", sub_category: str = "General") -> Policy:
    return Policy(
        PolicyId(id_), id_, "", ScopeType.ENVIRONMENT, PermissionType.GLOBAL, "", category, sub_category
    )


CATALOG = Catalog.of(
    [policy("cld::policy::global::ml::access")],
    [
        role("account", "Admin"),
        role("account", "Billing"),
        role("environment", "Admin"),
        role("environment", "ML User"),
        role("folder", "Viewer"),
        role("folder", "Editor"),
        role("collection", "Viewer"),
        role("collection", "Curator", ManagementType.CUSTOM),
    ],
)

EU = EnvironmentId("env_eu")
US = EnvironmentId("env_us")


def environment(id_: str) -> ProductEnvironment:
    return ProductEnvironment(EnvironmentId(id_), id_.upper(), id_.replace("env_", "acme-"), True)


def user(id_: str, legacy_role: str = "admin", *limited_to: str, **more: object) -> User:
    defaults: dict[str, object] = {"name": id_.title(), "email": f"{id_}@acme.example"}
    return User(
        id=UserId(id_),
        legacy_role=legacy_role,
        all_environments=not limited_to,
        environment_ids=tuple(EnvironmentId(each) for each in limited_to),
        **(defaults | more),  # type: ignore[arg-type]
    )


def group(id_: str, *members: str) -> Group:
    return Group(GroupId(id_), id_.title(), tuple(UserId(member) for member in members))


def api_key(id_: str, name: str = "website", environment_id: str = EU, *, enabled: bool = True) -> ApiKey:
    return ApiKey(id_, name, EnvironmentId(environment_id), enabled)


def principal(id_: str, kind: PrincipalType = PrincipalType.USER) -> PrincipalRef:
    return PrincipalRef(kind, id_)


def share(
    holder: PrincipalRef,
    level: str = "can_view",
    content: str = "brands",
    kind: ContentKind = ContentKind.FOLDER,
    line: int = 2,
    environment_id: str = EU,
) -> Share:
    return Share(
        ContentRef(EnvironmentId(environment_id), kind, content), holder, level, f"shares.csv:{line}"
    )


def snapshot(
    users: tuple[User, ...] = (),
    groups: tuple[Group, ...] = (),
    api_keys: tuple[ApiKey, ...] = (),
    account_keys: tuple[AccountKey, ...] = (),
    shares: tuple[Share, ...] = (),
    environments: tuple[str, ...] = (EU, US),
    catalog: Catalog = CATALOG,
) -> Snapshot:
    return Snapshot.of(
        account_id="acc",
        captured_at="2026-11-22T00:00:00Z",
        tool_version="test",
        environments=tuple(environment(each) for each in environments),
        users=users,
        groups=groups,
        api_keys=api_keys,
        account_keys=account_keys,
        folders=(Folder(FolderId("brands"), EU, "Brands"), Folder(FolderId("aurora"), EU, "Brands/Aurora")),
        collections=(Collection(CollectionId("spring"), EU, "Spring"),),
        shares=shares,
        catalog=catalog,
    )
