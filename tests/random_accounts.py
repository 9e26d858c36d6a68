"""Random small accounts over a small catalog: every kind of role, share, key and custom policy, clashing."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, replace
from typing import Any

from permmigrate.catalog import Catalog
from permmigrate.mapping import Granted, LegacyKind, RowRef
from permmigrate.mapping.rows import (
    LEGACY_LEVELS,
    LEGACY_ROLES,
    AccountKeyRow,
    ApiKeyRow,
    BaselineRow,
    LevelRow,
    MatchBy,
    Origin,
    OverrideRow,
    Scope,
    ScopeKind,
    Target,
    TargetType,
    UserRoleRow,
)
from permmigrate.mapping.tables import MappingTables
from permmigrate.model import (
    AccountKey,
    ApiKey,
    Collection,
    CollectionId,
    Confidence,
    ContentKind,
    ContentRef,
    CustomPolicy,
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
    RoleAssignment,
    RoleId,
    ScopeType,
    Share,
    User,
    UserId,
)
from permmigrate.snapshot import Snapshot

EVERYBODY = ["User", "Group", "APIKey"]
STRINGS = {"type": "Set", "element": {"type": "String"}, "required": True}
TEXT = {"type": "String", "required": True}
SCHEMA = {
    "Cloudinary": {
        "entityTypes": {
            "User": {"memberOfTypes": ["Group"]},
            "Group": {},
            "APIKey": {},
            "Account": {},
            "Collection": {},
            "Feature": {},
            "UploadPreset": {},
            "Report": {"shape": {"type": "Record", "attributes": {"type": TEXT}}},
            "Folder": {"shape": {"type": "Record", "attributes": {"ancestor_ids": STRINGS, "name": TEXT}}},
            "Asset": {
                "shape": {
                    "type": "Record",
                    "attributes": {
                        "ancestor_ids": STRINGS,
                        "collection_ids": STRINGS,
                        "access_control": TEXT,
                    },
                }
            },
        },
        "actions": {
            "write": {},
            "read": {
                "appliesTo": {
                    "principalTypes": EVERYBODY,
                    "resourceTypes": [
                        *("User", "Account", "Collection", "Feature", "UploadPreset", "Report"),
                        *("Folder", "Asset"),
                    ],
                }
            },
            "create": {"appliesTo": {"principalTypes": EVERYBODY, "resourceTypes": ["Folder", "Asset"]}},
            "update": {
                "memberOf": [{"id": "write"}],
                "appliesTo": {
                    "principalTypes": EVERYBODY,
                    "resourceTypes": ["Folder", "Asset", "Collection", "UploadPreset", "User", "Account"],
                },
            },
            "delete": {
                "memberOf": [{"id": "write"}],
                "appliesTo": {
                    "principalTypes": ["User", "Group"],
                    "resourceTypes": ["Folder", "Asset", "Collection", "User"],
                },
            },
            "download": {"appliesTo": {"principalTypes": EVERYBODY, "resourceTypes": ["Asset"]}},
        },
    },
    "MediaFlows": {
        "entityTypes": {"EasyFlow": {}},
        "actions": {
            "run": {
                "appliesTo": {
                    "principalTypes": ["Cloudinary::User", "Cloudinary::Group"],
                    "resourceTypes": ["EasyFlow"],
                }
            }
        },
    },
}


def permit(action: str, resource: str, *tests: str, effect: str = "permit") -> str:
    """One statement; `read` or `in write` for the action, `Folder` or `Feature x` for the resource."""
    verb, _, name = action.rpartition(" ")
    head = f'action {verb or "=="} Cloudinary::Action::"{name}"' if action else "action"
    type_, _, entity = resource.partition(" ")
    type_ = type_ if "::" in type_ else f"Cloudinary::{type_}"
    what = f'resource == {type_}::"{entity}"' if entity else f"resource is {type_}"
    when = f" when {{ {' && '.join(tests)} }}" if tests else ""
    return f"{effect}(principal, {head}, {what}){when};"


IN_FOLDER = 'resource.ancestor_ids.contains("<folder_id>")'
IN_COLLECTION = 'resource.collection_ids.contains("<collection_id>")'
PUBLIC = 'resource.access_control == "public"'

STATEMENTS: dict[str, dict[str, str]] = {
    "account": {
        "users": permit("", "User") + permit("", "Feature users"),
        "users_view": permit("read", "User") + permit("", "Feature users"),
        "billing": permit("read", "Feature billing"),
        "account": permit("update", "Account"),
    },
    "environment": {
        "ml": permit("", "Feature ml"),
        "flows": permit("", "MediaFlows::EasyFlow"),
        "content_all": permit("", "Folder") + permit("", "Asset"),
        "view_all": permit("read", "Folder") + permit("read", "Asset"),
        "download_all": permit("download", "Asset", PUBLIC),
        "presets": permit("", "UploadPreset") + permit("", "Feature presets"),
        "reports": permit("read", "Report", 'resource.type == "delivery"') + permit("", "Feature reports"),
        "collections": permit("read", "Collection") + permit("in write", "Collection"),
        "careful": permit("read", "Asset") + permit("delete", "Asset", effect="forbid"),
    },
    "folder": {
        "view": permit("read", "Folder", IN_FOLDER) + permit("read", "Asset", IN_FOLDER),
        "download": permit("download", "Asset", IN_FOLDER, PUBLIC),
        "add": permit("create", "Asset", IN_FOLDER),
        "edit": permit("in write", "Asset", IN_FOLDER) + permit("update", "Folder", IN_FOLDER),
        "delete": permit("delete", "Folder", IN_FOLDER) + permit("create", "Folder", IN_FOLDER),
        "lock": permit("in write", "Asset", IN_FOLDER, effect="forbid"),
    },
    "collection": {
        "view": permit("read", "Collection <collection_id>") + permit("read", "Asset", IN_COLLECTION),
        "download": permit("download", "Asset", IN_COLLECTION, PUBLIC),
        "update": permit("update", "Collection <collection_id>"),
    },
}
OPAQUE_STATEMENTS = {
    "environment": {
        "unless": f"permit(principal, action, resource is Cloudinary::Asset) unless {{ {PUBLIC} }};",
        "users_only": permit("", "Feature users_only").replace("principal", "principal is Cloudinary::User"),
    },
    "folder": {
        "named": permit("read", "Folder", IN_FOLDER, "resource has name"),
        "open_lock": permit("", "Asset", IN_FOLDER, 'resource.access_control != "public"', effect="forbid"),
    },
    "account": {},
    "collection": {},
}
FORBIDDING = {"careful", "lock", "open_lock"}
ROLES: dict[str, dict[str, tuple[str, ...]]] = {
    "account": {"admin": ("users", "account"), "viewer": ("users_view",), "billing": ("billing",)},
    "environment": {
        "master": ("ml", "flows", "content_all", "presets", "reports", "collections"),
        "ml": ("ml", "view_all"),
        "reports": ("reports",),
        "downloads": ("download_all", "ml"),
        "careful": ("careful", "presets"),
    },
    "folder": {
        "viewer": ("view", "download"),
        "contributor": ("view", "add"),
        "editor": ("view", "download", "add", "edit"),
        "manager": ("view", "download", "add", "edit", "delete"),
        "locker": ("lock",),
    },
    "collection": {"viewer": ("view", "download"), "editor": ("view", "update")},
}

CUSTOM_TESTS = {
    "exact": (
        'resource.ancestor_ids.contains("FOLDER")',
        'resource.collection_ids.contains("COLLECTION")',
        'resource.access_control == "public"',
        'resource.name == "Brand"',
        'resource.type == "usage"',
        "true",
    ),
    "opaque": (
        'resource.access_control like "pub*"',
        "resource has name",
        '(resource.ancestor_ids.contains("FOLDER") || resource.access_control == "restricted")',
        '!resource.ancestor_ids.contains("FOLDER")',
        'resource.ancestor_ids.contains("FOLDER") && resource.ancestor_ids.contains("FOLDER2")',
        'resource.ancestor_ids.containsAny(["FOLDER", "FOLDER2"])',
        'resource has access_control && resource.access_control != "public"',
        '(if resource.access_control == "public" then true else resource.ancestor_ids.contains("FOLDER"))',
        'principal in Cloudinary::Group::"g0"',
        'principal != Cloudinary::User::"u1"',
        "!(resource is Cloudinary::Folder)",
        'resource.ancestor_ids == ["FOLDER"]',
        "context.confirmed",
    ),
}
CUSTOM_RESOURCES = (
    "resource",
    "resource",
    "resource is Cloudinary::Asset",
    "resource is Cloudinary::Asset",
    "resource is Cloudinary::Folder",
    "resource is Cloudinary::Report",
    'resource == Cloudinary::Collection::"COLLECTION"',
    "resource is Cloudinary::Collection",
    'resource == Cloudinary::Feature::"ml"',
    'resource == Cloudinary::Feature::"reports"',
    'resource == Cloudinary::UploadPreset::"preset1"',
    "resource is Cloudinary::UploadPreset",
    'resource == Cloudinary::Folder::"FOLDER"',
    'resource == Cloudinary::Feature::"users"',
    "resource is Cloudinary::User",
)
CUSTOM_ACTIONS = (
    "action",
    "action",
    'action == Cloudinary::Action::"read"',
    'action == Cloudinary::Action::"delete"',
    'action == Cloudinary::Action::"write"',
    'action in Cloudinary::Action::"write"',
    'action in [Cloudinary::Action::"read", Cloudinary::Action::"write"]',
    'action in [Cloudinary::Action::"update", Cloudinary::Action::"download"]',
    'action == MediaFlows::Action::"run"',
)


@dataclass(frozen=True)
class Account:
    """A legacy account with the tables to translate it, and perhaps what was assigned since."""

    snapshot: Snapshot
    tables: MappingTables
    assigned: Snapshot | None
    opaque: frozenset[str]
    """Ids of the policies that the engine is known not to decide exactly."""
    forbids: bool
    """Whether some system policy forbids."""


def policy_id(level: str, name: str) -> PolicyId:
    return PolicyId(f"cld::policy::{level}::{name}")


def catalog(opaque: bool = False, forbids: bool = True) -> Catalog:
    """The small catalog; with policies outside the engine's shapes, or that forbid, if wanted."""
    policies, roles = [], []
    for level, found in STATEMENTS.items():
        scope = ScopeType.ACCOUNT if level == "account" else ScopeType.ENVIRONMENT
        content = level in ("folder", "collection")
        permission = PermissionType.CONTENT if content else PermissionType.GLOBAL
        parameters = (f"{level}_id",) if content else ()
        extra = OPAQUE_STATEMENTS[level] if opaque else {}
        usable = {n: s for n, s in (found | extra).items() if forbids or n not in FORBIDDING}
        for name, text in usable.items():
            policies.append(
                Policy(policy_id(level, name), name, "", scope, permission, text, level, name, parameters)
            )
        wanted = ROLES[level] | {name: (name,) for name in extra}
        for name, names in wanted.items():
            ids = tuple(policy_id(level, n) for n in names if n in usable)
            for kind in ManagementType:
                id_ = RoleId(f"{kind.value}::{level}::{name}")
                roles.append(Role(id_, f"{kind.value} {name}", "", kind, permission, scope, ids, parameters))
    return Catalog.of(policies, roles, SCHEMA, "test")


def account(seed: int) -> Account:
    """One random account; the same seed makes the same account."""
    rng = random.Random(seed)
    opaque_catalog, forbids = rng.random() < 0.25, rng.random() < 0.4
    book = catalog(opaque_catalog, forbids)
    environments = ["env1", "env2"][: rng.choice((1, 2, 2))]
    folders = _folders(rng, environments)
    collections = [(e, f"col{n}") for e in environments for n in range(rng.randrange(3))]
    users = [_user(rng, n, environments) for n in range(rng.randrange(2, 5))]
    groups = [
        Group(GroupId(f"g{n}"), f"Group {n}", tuple(sorted(u.id for u in users if rng.random() < 0.5)))
        for n in range(rng.randrange(3))
    ]
    keys = [
        ApiKey(f"{n}23", f"key {n}", EnvironmentId(rng.choice(environments))) for n in range(rng.randrange(3))
    ]
    account_keys = [AccountKey("ak1", "terraform")] if rng.random() < 0.5 else []
    customs, opaque = _customs(rng, users, groups, keys, folders, collections, environments)
    for level, found in OPAQUE_STATEMENTS.items():
        opaque |= {policy_id(level, name) for name in found}
    snapshot = Snapshot.of(
        account_id="acc",
        captured_at="2026-11-22T08:00:00Z",
        tool_version="0",
        environments=tuple(
            ProductEnvironment(EnvironmentId(e), e.title(), e + "-cloud", True) for e in environments
        ),
        users=tuple(users),
        groups=tuple(groups),
        api_keys=tuple(keys),
        account_keys=tuple(account_keys),
        folders=tuple(folders),
        collections=tuple(Collection(CollectionId(c), EnvironmentId(e), c.title()) for e, c in collections),
        shares=tuple(_shares(rng, users, groups, keys, folders, collections, environments)),
        catalog=book,
        custom_policies=tuple(customs),
    )
    assigned = None
    if rng.random() < 0.5:
        assigned = replace(
            snapshot,
            captured_at="2026-12-24T08:00:00Z",
            assignments=tuple(_assignments(rng, snapshot)),
            custom_policies=_changed(rng, snapshot.custom_policies),
        )
    return Account(snapshot, _tables(rng, snapshot), assigned, frozenset(opaque), forbids)


def _folders(rng: random.Random, environments: list[str]) -> list[Folder]:
    found = []
    for environment in environments:
        paths: list[str] = []
        for number in range(rng.randrange(2, 7)):
            parent = rng.choice(["", *paths, *paths])
            paths.append(
                f"{parent}/{number}".strip("/") if parent else rng.choice(("Brand", "A", "A b")) + str(number)
            )
        if len(paths) > 4:  # a folder whose parent was not read
            del paths[0]
        found += [
            Folder(FolderId(f"{environment}-{n}"), EnvironmentId(environment), path)
            for n, path in enumerate(paths)
        ]
    return found


def _user(rng: random.Random, number: int, environments: list[str]) -> User:
    everywhere = rng.random() < 0.6
    own = () if everywhere else tuple(EnvironmentId(e) for e in environments if rng.random() < 0.5)
    role = rng.choice((*LEGACY_ROLES, "media_library_user", "media_library_user", ""))
    return User(
        UserId(f"u{number}"), f"User {number}", f"u{number}@example.com", role, True, False, everywhere, own
    )


def _holders(users: list[User], groups: list[Group]) -> list[PrincipalRef]:
    return [
        *(PrincipalRef(PrincipalType.USER, user.id) for user in users),
        *(PrincipalRef(PrincipalType.GROUP, group.id) for group in groups),
    ]


def _shares(
    rng: random.Random,
    users: list[User],
    groups: list[Group],
    keys: list[ApiKey],
    folders: list[Folder],
    collections: list[tuple[str, str]],
    environments: list[str],
) -> list[Share]:
    found = []
    for number in range(rng.randrange(8)):
        holder = rng.choice(_holders(users, groups))
        level = rng.choice((*LEGACY_LEVELS, "can_wonder"))
        if collections and rng.random() < 0.3:
            environment, id_ = rng.choice(collections)
            content = ContentRef(EnvironmentId(environment), ContentKind.COLLECTION, id_)
        elif rng.random() < 0.1:
            content = ContentRef(EnvironmentId(rng.choice(environments)), ContentKind.FOLDER, "unread")
        else:
            folder = rng.choice(folders)
            content = ContentRef(folder.environment_id, ContentKind.FOLDER, folder.id)
        found.append(Share(content, holder, level, f"shares.csv:{number + 2}"))
    return found


def _customs(
    rng: random.Random,
    users: list[User],
    groups: list[Group],
    keys: list[ApiKey],
    folders: list[Folder],
    collections: list[tuple[str, str]],
    environments: list[str],
) -> tuple[list[CustomPolicy], set[str]]:
    found, opaque = [], set()
    for number in range(rng.choice((0, 0, 1, 2, 3))):
        scope_type = rng.choice((ScopeType.ENVIRONMENT, ScopeType.ENVIRONMENT, ScopeType.ACCOUNT))
        scope_id = rng.choice((*environments, "all")) if scope_type is ScopeType.ENVIRONMENT else None
        text, is_opaque = "", False
        for _ in range(rng.choice((1, 1, 2))):
            statement, one_is = _statement(rng, users, groups, keys)
            text, is_opaque = text + statement, is_opaque or one_is
        text = text.replace("FOLDER2", rng.choice(folders).id).replace("FOLDER", rng.choice(folders).id)
        text = text.replace("COLLECTION", rng.choice(collections)[1] if collections else "col9")
        if rng.random() < 0.05:
            text = "permit(pprincipal, action, resource);"
        id_ = f"custom{number}"
        found.append(
            CustomPolicy(id_, f"Custom {number}", "", scope_type, scope_id, text, rng.random() < 0.85)
        )
        if is_opaque:
            opaque |= {id_, id_ + "b"}
    return found, opaque


def _statement(
    rng: random.Random, users: list[User], groups: list[Group], keys: list[ApiKey]
) -> tuple[str, bool]:
    heads = [
        "principal",
        "principal is Cloudinary::User",
        "principal is Cloudinary::APIKey",
        *(f'principal == Cloudinary::User::"{user.id}"' for user in users),
        *(f'principal == Cloudinary::Group::"{group.id}"' for group in groups),
        *(f'principal in Cloudinary::Group::"{group.id}"' for group in groups),
        *(f'principal == Cloudinary::APIKey::"{key.id}"' for key in keys),
    ]
    opaque_heads = [
        "principal is Cloudinary::Group",
        *(f'principal is Cloudinary::User in Cloudinary::Group::"{group.id}"' for group in groups),
    ]
    opaque = rng.random() < 0.1
    head = rng.choice(opaque_heads if opaque else heads)
    resource = rng.choice(CUSTOM_RESOURCES)
    opaque |= resource.startswith("resource == Cloudinary::Folder")
    tests = [rng.choice(CUSTOM_TESTS["exact"]) for _ in range(rng.choice((0, 0, 1, 1, 2)))]
    opaque |= sum("contains" in test for test in tests) > 1 or not _known(resource, tests)
    if rng.random() < 0.15:
        tests.append(rng.choice(CUSTOM_TESTS["opaque"]))
        opaque = True
    word = "when" if rng.random() < 0.93 else "unless"
    opaque |= bool(tests) and word == "unless"
    condition = f" {word} {{ {' && '.join(tests)} }}" if tests else ""
    effect = rng.choice(("permit", "permit", "forbid"))
    return f"{effect}({head}, {rng.choice(CUSTOM_ACTIONS)}, {resource}){condition};", opaque


def _known(resource: str, tests: list[str]) -> bool:
    """Whether the type that the head names has every attribute that is tested."""
    found = re.search(r"Cloudinary::(\w+)", resource)
    if found is None:
        return True
    entity: dict[str, Any] = SCHEMA["Cloudinary"]["entityTypes"][found.group(1)]  # type: ignore[index]
    attributes = entity.get("shape", {}).get("attributes", {})
    return all(
        attribute in attributes for test in tests for attribute in re.findall(r"resource\.(\w+)", test)
    )


def _changed(rng: random.Random, customs: tuple[CustomPolicy, ...]) -> tuple[CustomPolicy, ...]:
    """The custom policies some time later: some gone, some switched, some for more."""
    found = []
    for custom in customs:
        what = rng.random()
        if what < 0.1:
            continue
        if what < 0.2:
            custom = replace(custom, enabled=not custom.enabled)
        if what < 0.3:
            custom = replace(custom, id=custom.id + "b", name="Renamed")
        elif custom.scope_id is not None and what < 0.4:
            custom = replace(custom, scope_id="all")
        found.append(custom)
    return tuple(found)


def _assignments(rng: random.Random, snapshot: Snapshot) -> list[RoleAssignment]:
    """Direct assignments, right and wrong ones: the vendor accepts both."""
    roles = [*snapshot.catalog.roles, RoleId("gone::role")]
    holders = _holders(list(snapshot.users), list(snapshot.groups))
    holders += [PrincipalRef(PrincipalType.API_KEY, key.id) for key in snapshot.api_keys]
    holders += [PrincipalRef(PrincipalType.ACCOUNT_KEY, key.id) for key in snapshot.account_keys]
    found = []
    for _ in range(rng.randrange(14)):
        role = snapshot.catalog.roles.get(rng.choice(roles))
        scope: str | None = rng.choice((*(e.id for e in snapshot.environments), "all"))
        if rng.random() < (0.05 if role and role.level != "account" else 0.95):
            scope = None
        folder = collection = None
        level = role.level if role else ""
        if level == "folder" and rng.random() < 0.95:
            folder = FolderId(rng.choice([f.id for f in snapshot.folders] + ["unread"]))
        if level == "collection" and rng.random() < 0.95:
            collection = CollectionId(rng.choice([c.id for c in snapshot.collections] + ["col0"]))
        role_id = role.id if role else RoleId("gone::role")
        found.append(RoleAssignment(rng.choice(holders), role_id, scope, folder, collection))
    return found


def _tables(rng: random.Random, snapshot: Snapshot) -> MappingTables:
    lines = iter(range(2, 10_000))

    def origin(file: str) -> Origin:
        return Origin(RowRef(file, next(lines)), "test", Confidence.INFERRED)

    def target(level: str) -> Target:
        scope = {
            "account": ScopeKind.ACCOUNT,
            "environment": rng.choice((ScopeKind.EACH, ScopeKind.EACH, ScopeKind.ALL)),
            "folder": ScopeKind.FOLDER,
            "collection": ScopeKind.COLLECTION,
        }[level]
        if rng.random() < 0.08:
            return Target(TargetType.NONE, "", Scope(scope))
        if rng.random() < 0.06:
            return Target(TargetType.ROLE, "no::such::role", Scope(scope))
        names = [role.id for role in snapshot.catalog.roles.values() if role.level == level]
        return Target(TargetType.ROLE, rng.choice(names), Scope(scope))

    def rows(*levels: str) -> list[Target]:
        return [target(level) for level in levels if rng.random() < 0.85]

    tables = MappingTables(
        user_roles=tuple(
            UserRoleRow(origin=origin("user_roles.csv"), target=t, legacy_role=role)
            for role in LEGACY_ROLES
            for t in rows("account", "environment")
        ),
        folder_levels=tuple(
            LevelRow(origin=origin("folder_levels.csv"), target=t, level=level, principal_type="any")
            for level in LEGACY_LEVELS
            for t in rows("folder")
        ),
        collection_levels=tuple(
            LevelRow(origin=origin("collection_levels.csv"), target=t, level=level, principal_type="any")
            for level in LEGACY_LEVELS
            for t in rows("collection")
        ),
        api_keys=tuple(
            ApiKeyRow(origin=origin("api_keys.csv"), target=t, match="*", environment="*", enabled="any")
            for t in rows("environment")
        ),
        account_keys=tuple(
            AccountKeyRow(origin=origin("account_keys.csv"), target=t, match="*")
            for t in rows("account", "environment")
        ),
        overrides=tuple(
            OverrideRow(
                origin=origin("overrides.csv"),
                target=target(level),
                principal_type="any",
                match_by=MatchBy.ID,
                match=rng.choice((*(u.id for u in snapshot.users), *(g.id for g in snapshot.groups), "g0")),
                applies_to=kind,
                legacy="*",
            )
            for kind, level in (
                ("user_role", "environment"),
                ("folder_level", "folder"),
                ("folder_level", "environment"),
            )
            if rng.random() < 0.3
        ),
        legacy_baseline=tuple(
            BaselineRow(
                origin=origin("legacy_baseline.csv"),
                kind=kind,
                legacy=legacy,
                policy=policy,
                granted=rng.choice((Granted.YES, Granted.YES, Granted.NO, Granted.UNKNOWN)),
            )
            for kind, values in (
                (LegacyKind.USER_ROLE, LEGACY_ROLES),
                (LegacyKind.FOLDER_LEVEL, LEGACY_LEVELS),
                (LegacyKind.COLLECTION_LEVEL, LEGACY_LEVELS),
                (LegacyKind.API_KEY, ("*",)),
                (LegacyKind.ACCOUNT_KEY, ("*",)),
            )
            for legacy in values
            for policy in snapshot.catalog.policies
            if rng.random() < 0.9
        ),
    )
    return _with_moot_rows(rng, tables) if rng.random() < 0.3 else tables


def _with_moot_rows(rng: random.Random, tables: MappingTables) -> MappingTables:
    """Some of what keys had or had not becomes what no key can use at all."""
    undecided = {policy_id(level, name) for level, found in OPAQUE_STATEMENTS.items() for name in found}
    keys = (LegacyKind.API_KEY, LegacyKind.ACCOUNT_KEY)
    rows = tuple(
        replace(row, granted=Granted.MOOT)
        if row.kind in keys and row.policy not in undecided and rng.random() < 0.3
        else row
        for row in tables.legacy_baseline
    )
    return replace(tables, legacy_baseline=rows)
