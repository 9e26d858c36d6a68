"""The shapes on the wire: pure functions from the vendor's JSON to our values (spec: components.schemas).

Secrets have no reader here, so they cannot go further. Unknown fields are ignored; fields that older
servers send are understood.
"""

from __future__ import annotations

import re
from typing import Any

from permmigrate.cloudinary.record import Record
from permmigrate.model import (
    ApiKey,
    CollectionId,
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
    User,
    UserId,
)
from permmigrate.snapshot.source import ListedGroup, ListedUser, RoleContents, SystemCatalog

_PLACEHOLDER = re.compile(r"<(folder_id|collection_id)\\?>")
"""What a content policy's statement holds where an id is bound; the spec escapes it once."""


def environments(answer: Record) -> tuple[ProductEnvironment, ...]:
    """ProductEnvironmentsResponse; the keys and secrets inside are not read."""
    return tuple(
        ProductEnvironment(
            id=EnvironmentId(item.text("id")),
            name=item.optional_text("name") or item.text("cloud_name"),
            cloud_name=item.text("cloud_name"),
            enabled=item.flag("enabled", True),
            created_at=item.optional_text("created_at"),
        )
        for item in answer.records("sub_accounts")
    )


def users(answer: Record) -> tuple[ListedUser, ...]:
    """UsersResponse, and the `sub_account_ids` that schemas before 0.2.0 still had."""
    return tuple(_user(item) for item in answer.records("users"))


def _user(item: Record) -> ListedUser:
    role = item.optional_text("role") or ""
    everywhere, known, listed = _environments_of(item, role)
    names = (item.optional_text("first_name"), item.optional_text("last_name"))
    user = User(
        id=UserId(item.text("id")),
        name=item.optional_text("name") or " ".join(name for name in names if name),
        email=item.optional_text("email") or "",
        legacy_role=role,
        enabled=item.flag("enabled", True),
        pending=item.flag("pending", False),
        all_environments=everywhere,
        environment_ids=listed,
        last_login=item.optional_text("last_login"),
        created_at=item.optional_text("created_at"),
        root=item.optional_flag("root"),
        technical_role=item.optional_text("technical_role"),
        providers=tuple(sorted(item.texts("providers") or ())),
    )
    return ListedUser(user, environments_known=known)


def _environments_of(item: Record, role: str) -> tuple[bool, bool, tuple[EnvironmentId, ...]]:
    """Whether a user has all environments, whether that is all there is to know, and which ones.

    A master admin has all, and no list means all on a server that still sends the list (spec: UserRequest).
    """
    everywhere, ids = item.optional_flag("all_sub_accounts"), item.texts("sub_account_ids")
    if everywhere or role == "master_admin":
        return True, True, ()
    if ids is None:
        return False, False, ()
    if not ids and everywhere is None:
        return True, True, ()
    return False, True, tuple(sorted({EnvironmentId(one) for one in ids}))


def user_environments(answer: Record) -> tuple[EnvironmentId, ...]:
    """UserSubAccountsResponse."""
    return tuple(sorted({EnvironmentId(item.text("id")) for item in answer.records("sub_accounts")}))


def groups(answer: Record) -> tuple[ListedGroup, ...]:
    """UserGroupsResponse, with or without `extended_details`."""
    return tuple(
        ListedGroup(
            Group(GroupId(item.text("id")), item.optional_text("name") or "", _members(item)),
            members_known=item.has("users"),
        )
        for item in answer.records("user_groups")
    )


def group_users(answer: Record) -> tuple[UserId, ...]:
    """UserGroupUsersResponse."""
    return tuple(sorted({UserId(item.text("id")) for item in answer.records("users")}))


def _members(item: Record) -> tuple[UserId, ...]:
    return group_users(item) if item.has("users") else ()


def api_keys(answer: Record, environment: EnvironmentId) -> tuple[ApiKey, ...]:
    """AccessKeysResponse. `api_secret` is dropped here by not being read."""
    return tuple(
        ApiKey(
            id=item.text("api_key"),
            name=item.optional_text("name") or "",
            environment_id=environment,
            enabled=item.flag("enabled", True),
            created_at=item.optional_text("created_at"),
            updated_at=item.optional_text("updated_at"),
        )
        for item in answer.records("access_keys")
    )


def folders(answer: Record, environment: EnvironmentId) -> tuple[Folder, ...]:
    """folders_list_response and folders_search_response."""
    return tuple(
        Folder(FolderId(item.text("external_id")), environment, item.text("path").strip("/"))
        for item in answer.records("folders")
    )


def catalog(answer: Record) -> SystemCatalog:
    """SystemRolesAndPoliciesCatalogResponse."""
    body = answer.object("catalog")
    policies = tuple(_policy(item) for item in body.records("system_policies"))
    bound = {policy.id: policy.parameters for policy in policies}
    return SystemCatalog(
        policies,
        tuple(
            _role(item, tuple(PolicyId(one) for one in item.texts("system_policy_ids") or ()), bound)
            for item in body.records("system_roles")
        ),
    )


def schema(answer: Record) -> dict[str, Any]:
    """CedarSchemaResponse: Cedar's own JSON schema, kept as it is."""
    return dict(answer.object("schema").raw())


def roles(answer: Record) -> tuple[Role, ...]:
    """RolesResponse: roles without their policies."""
    return tuple(_role(item, (), {}) for item in answer.records("data"))


def role_contents(answer: Record) -> RoleContents:
    """RoleResponse."""
    item = answer.object("data")
    policies = tuple(_policy(one) for one in item.records("policies"))
    bound = {policy.id: policy.parameters for policy in policies}
    return RoleContents(_role(item, tuple(policy.id for policy in policies), bound), policies)


def custom_policies(answer: Record) -> tuple[CustomPolicy, ...]:
    """CustomPoliciesResponse."""
    return tuple(
        CustomPolicy(
            id=item.text("id"),
            name=item.optional_text("name") or "",
            description=item.optional_text("description") or "",
            scope_type=item.one_of("scope_type", ScopeType),
            scope_id=item.optional_text("scope_id") or None,
            statement=item.text("policy_statement"),
            enabled=item.flag("enabled", True),
        )
        for item in answer.records("data")
    )


def assignments(answer: Record, scope_id: EnvironmentId | None) -> tuple[RoleAssignment, ...]:
    """PrincipalRolesInspectResponse; a role that does not repeat its scope has the one asked for."""
    return tuple(
        _assignment(role, PrincipalRef(item.one_of("type", PrincipalType), item.text("id")), scope_id)
        for item in answer.object("data").records("principals")
        for role in item.records("roles")
    )


def _assignment(item: Record, principal: PrincipalRef, asked: EnvironmentId | None) -> RoleAssignment:
    at_account = item.one_of("scope_type", ScopeType) is ScopeType.ACCOUNT
    bound = item.optional_object("policy_parameters")
    folder = bound.optional_text("folder_id") if bound else None
    collection = bound.optional_text("collection_id") if bound else None
    return RoleAssignment(
        principal=principal,
        role_id=RoleId(item.text("id")),
        scope_id=None if at_account else item.optional_text("scope_id") or asked,
        folder_id=FolderId(folder) if folder else None,
        collection_id=CollectionId(collection) if collection else None,
    )


def _policy(item: Record) -> Policy:
    statement = item.first_text("policy_statement", "policy")
    named = item.texts("policy_parameters")
    return Policy(
        id=PolicyId(item.text("id")),
        name=item.optional_text("name") or "",
        description=item.optional_text("description") or "",
        scope_type=item.one_of("scope_type", ScopeType),
        permission_type=_permission_type(item, statement),
        statement=statement,
        category=item.optional_text("category") or "",
        sub_category=item.optional_text("sub_category") or "",
        parameters=named or tuple(sorted(set(_PLACEHOLDER.findall(statement)))),
    )


def _permission_type(item: Record, statement: str) -> PermissionType:
    """The field, or what the statement shows: one of the spec's own examples leaves the field out."""
    if item.has("permission_type"):
        return item.one_of("permission_type", PermissionType)
    return PermissionType.CONTENT if _PLACEHOLDER.search(statement) else PermissionType.GLOBAL


def _role(item: Record, policy_ids: tuple[PolicyId, ...], bound: dict[PolicyId, tuple[str, ...]]) -> Role:
    """A role; the public catalog leaves out who manages it and what it is bound to."""
    named = item.texts("policy_parameters")
    role_id = RoleId(item.text("id"))
    managed = ManagementType.SYSTEM if role_id.startswith("cld::") else ManagementType.CUSTOM
    if item.has("management_type"):
        managed = item.one_of("management_type", ManagementType)
    return Role(
        id=role_id,
        name=item.optional_text("name") or role_id,
        description=item.optional_text("description") or "",
        management_type=managed,
        permission_type=item.one_of("permission_type", PermissionType),
        scope_type=item.one_of("scope_type", ScopeType),
        policy_ids=policy_ids,
        parameters=named or _bound_by(role_id, {name for one in policy_ids for name in bound.get(one, ())}),
    )


def _bound_by(role_id: RoleId, parameters: set[str]) -> tuple[str, ...]:
    """What a role is bound to when its answer does not say: what its policies are, or what its id says."""
    if not parameters and role_id.startswith(("cld::role::folder::", "cld::role::collection::")):
        parameters = {role_id.split("::")[2] + "_id"}
    return tuple(sorted(parameters))
