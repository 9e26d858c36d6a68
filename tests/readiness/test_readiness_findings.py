"""Every kind of finding: what brings it about, and what comes close without doing so."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest
import quiet_account as quiet
from quiet_account import builders

from permmigrate.catalog import Catalog
from permmigrate.diff import RegionKind, Severity, Uncertainty, Verdict
from permmigrate.errors import Problem
from permmigrate.mapping import Granted, LegacyKind
from permmigrate.mapping.lint import Notice
from permmigrate.mapping.rows import (
    BaselineRow,
    LevelRow,
    MatchBy,
    OverrideRow,
    Scope,
    ScopeKind,
    Target,
    TargetType,
)
from permmigrate.mapping.tables import MappingTables
from permmigrate.model import (
    AccountKey,
    Collection,
    CollectionId,
    Confidence,
    ContentKind,
    ContentRef,
    CustomPolicy,
    EnvironmentId,
    OrphanShare,
    PrincipalRef,
    ReadStatus,
    RoleAssignment,
    RoleId,
    ScopeType,
    Share,
)
from permmigrate.readiness import Readiness, assess

C, H, M, L = Severity


@dataclass(frozen=True)
class Case:
    """The quiet account with something changed, and the finding it should or should not have."""

    area: str
    title: str
    severity: Severity | None = None
    subjects: tuple[str, ...] = ()
    account: dict[str, Any] = field(default_factory=dict)
    diff: dict[str, Any] = field(default_factory=dict)
    tables: MappingTables | None = None
    notices: tuple[Notice, ...] = ()

    def assess(self) -> Readiness:
        return assess(
            quiet.snapshot(**self.account),
            self.tables or quiet.tables(),
            quiet.diff(**self.diff),
            notices=self.notices,
        )


def people(*extra: Any, **fields: Any) -> dict[str, Any]:
    """The quiet account with more people, all of them in a group."""
    members = builders.group("g3", *(user.id for user in extra))
    return {"users": (*quiet.USERS, *extra), "groups": (*quiet.GROUPS, members)} | fields


def shares(*extra: Share, **fields: Any) -> dict[str, Any]:
    return {"shares": (*quiet.SHARES, *extra)} | fields


def keys(*extra: Any) -> dict[str, Any]:
    return {"api_keys": (*quiet.KEYS, *extra)}


def policy(statement: str, **fields: Any) -> dict[str, Any]:
    custom = CustomPolicy(
        **{
            "id": "p1",
            "name": "Uploads only",
            "description": "",
            "scope_type": ScopeType.ENVIRONMENT,
            "scope_id": "env1",
            "statement": statement,
        }
        | fields
    )
    return {"custom_policies": (custom,)}


def on_collection(principal: PrincipalRef, level: str = "can_view") -> Share:
    content = ContentRef(EnvironmentId("env1"), ContentKind.COLLECTION, "c1")
    return Share(content, principal, level, "shares.csv:9")


def collection_level(level: str, confidence: Confidence) -> MappingTables:
    target = Target(TargetType.ROLE, "collection/Viewer", Scope(ScopeKind.COLLECTION))
    row = LevelRow(
        origin=quiet.origin("collection_levels.csv", confidence=confidence),
        target=target,
        level=level,
        principal_type="any",
    )
    return replace(quiet.tables(), collection_levels=(row,))


def override(match: str, target: Target) -> MappingTables:
    row = OverrideRow(
        origin=quiet.origin("overrides.csv"),
        target=target,
        principal_type="user",
        match_by=MatchBy.ID,
        match=match,
        applies_to="user_role",
        legacy="*",
    )
    return replace(quiet.tables(), overrides=(row,))


def without_keys() -> MappingTables:
    return replace(quiet.tables(), api_keys=())


def no_for_keys() -> MappingTables:
    row = quiet.tables().api_keys[0]
    return replace(
        quiet.tables(), api_keys=(replace(row, target=Target(TargetType.NONE, "", row.target.scope)),)
    )


def content_open_to_billing() -> MappingTables:
    row = BaselineRow(
        origin=quiet.origin("legacy_baseline.csv"),
        kind=LegacyKind.USER_ROLE,
        legacy="billing",
        policy="cld::policy::content::folder::*",
        granted=Granted.YES,
    )
    return replace(quiet.tables(), legacy_baseline=(row, *quiet.tables().legacy_baseline))


NOBODY = Target(TargetType.NONE, "", Scope(ScopeKind.EACH))
UPLOAD = 'permit(principal, action == Cloudinary::Action::"create", resource is Cloudinary::Asset);'
FOR_ANA = UPLOAD.replace("principal,", 'principal == Cloudinary::User::"ana",')
FORBID = UPLOAD.replace("permit", "forbid")
NO_ROLES = Catalog.of((), (), {"Cloudinary": {}}, quiet.VENDOR)
TWO_ENVIRONMENTS = {"environments": (builders.environment(), builders.environment("env2"))}
REFUSED = tuple(
    quiet.line(area, ReadStatus.DENIED, http_status=403) for area in ("roles", "policies", "assignments")
)
USER_ROLE_ERROR = Notice(
    "error", "unknown-role", Problem("user_roles.csv", 3, "role `x` is not in the catalog")
)
USER_ROLE_WARNING = Notice("warning", "dead", Problem("user_roles.csv", 4, "no user has it"))

TRIGGERED = {
    "no role": Case(
        "people",
        "Users without a legacy role",
        H,
        ("User cy (cy@example.com)",),
        people(quiet.user("cy", "")),
    ),
    "unknown role": Case(
        "people",
        "Users with a legacy role that no table translates",
        H,
        ("User cy (cy@example.com): wizard",),
        people(quiet.user("cy", "wizard")),
    ),
    "one master admin": Case(
        "people",
        "Fewer than two active master admins",
        C,
        ("User m1 (m1@example.com)",),
        {"users": (quiet.USERS[0], *quiet.USERS[2:])},
    ),
    "second master admin is only invited": Case(
        "people",
        "Fewer than two active master admins",
        C,
        ("User m1 (m1@example.com)",),
        {"users": (quiet.USERS[0], quiet.user("m2", "master_admin", pending=True), *quiet.USERS[2:])},
    ),
    "one administrator afterwards": Case(
        "people",
        "Fewer than two administrators after the move",
        C,
        ("User m1 (m1@example.com)",),
        diff={"principals": (quiet.summary("m1"), quiet.summary("m2", dormant=True))},
    ),
    "sleeping master admin": Case(
        "people",
        "Dormant master admins",
        H,
        ("User m3 (m3@example.com): last log-in 181 days ago",),
        people(quiet.user("m3", "master_admin", last_login="2026-05-25T08:00:00Z")),
    ),
    "gain elsewhere": Case(
        "people",
        "Users limited to some environments who gain in others",
        H,
        ("User cy (cy@example.com): Env2",),
        people(
            quiet.user("cy", all_environments=False, environment_ids=(EnvironmentId("env1"),)),
            **TWO_ENVIRONMENTS,
        ),
        {"findings": (quiet.gain("cy", "env2", RegionKind.ENVIRONMENT, Verdict.MAYBE_GAINED),)},
    ),
    "own share wakes": Case(
        "people",
        "Shares that come to life",
        H,
        ("User cy (cy@example.com): billing",),
        people(quiet.user("cy", "billing")) | shares(builders.share("A", builders.a_user("cy"))),
        {"findings": (quiet.gain("cy", "env1", RegionKind.FOLDER),)},
    ),
    "group's share wakes": Case(
        "people",
        "Shares that come to life",
        H,
        ("User cy (cy@example.com): reports",),
        people(quiet.user("cy", "reports")) | shares(builders.share("A", builders.a_group("g3"))),
        {"findings": (quiet.gain("cy", "env1", RegionKind.FOLDER),)},
    ),
    "pending": Case(
        "people",
        "Pending invitations",
        M,
        ("User cy (cy@example.com)",),
        people(quiet.user("cy", pending=True, last_login=None)),
    ),
    "disabled": Case(
        "people", "Disabled users", L, ("User cy (cy@example.com)",), people(quiet.user("cy", enabled=False))
    ),
    "never logged in": Case(
        "people",
        "Users who never logged in",
        M,
        ("User cy (cy@example.com)",),
        people(quiet.user("cy", last_login=None)),
    ),
    "stale": Case(
        "people",
        "Users who have not logged in for 180 days",
        M,
        ("User cy (cy@example.com)",),
        people(quiet.user("cy", last_login="2026-05-25T08:00:00Z")),
    ),
    "in no group": Case(
        "people",
        "Users in no group",
        L,
        ("User cy (cy@example.com)",),
        {"users": (*quiet.USERS, quiet.user("cy"))},
    ),
    "names alike": Case(
        "groups",
        "Groups whose names cannot be told apart",
        H,
        (" group  G1 (g3)", "Group g1 (g1)"),
        {"groups": (*quiet.GROUPS, replace(builders.group("g3", "ana"), name=" group  G1"))},
    ),
    "empty group": Case(
        "groups", "Empty groups", L, ("Group g3",), {"groups": (*quiet.GROUPS, builders.group("g3"))}
    ),
    "strange members": Case(
        "groups",
        "Groups with members that are not users of the account",
        M,
        ("Group g3: 2",),
        {"groups": (*quiet.GROUPS, builders.group("g3", "ana", "x", "y"))},
    ),
    "master keys": Case(
        "keys",
        "API keys that would become environment Master Admin",
        H,
        ("key 111 (111) in Env1", "key 222 (222) in Env1"),
        tables=quiet.shipped(),
    ),
    "powerless keys": Case(
        "keys",
        "API keys that would hold no role",
        H,
        ("key 111 (111) in Env1", "key 222 (222) in Env1"),
        tables=without_keys(),
    ),
    "old key": Case(
        "keys",
        "API keys older than two years",
        M,
        ("key 333 (333) in Env1",),
        keys(quiet.key("333", created_at="2024-11-21T08:00:00Z")),
    ),
    "disabled key": Case(
        "keys", "Disabled API keys", M, ("key 333 (333) in Env1",), keys(quiet.key("333", enabled=False))
    ),
    "unnamed key": Case(
        "keys", "API keys without a name", M, ("333 in Env1",), keys(quiet.key("333", name=""))
    ),
    "same names": Case(
        "keys",
        "API keys with the same name in one environment",
        M,
        ("key 111 (111) in Env1", "KEY 111 (333) in Env1"),
        keys(quiet.key("333", name="KEY 111")),
    ),
    "single key": Case(
        "keys",
        "Environments with a single API key",
        M,
        ("key 333 (333) in Env2",),
        keys(quiet.key("333", environment_id="env2"), quiet.key("444", environment_id="env2", enabled=False))
        | TWO_ENVIRONMENTS,
    ),
    "account key": Case(
        "keys", "Account keys", M, ("terraform (k1)",), {"account_keys": (AccountKey("k1", "terraform"),)}
    ),
    "strange level": Case(
        "folders",
        "Folder shares at an unknown level",
        H,
        ("A/B in Env1: can_fly for group Group g2 (shares.csv:2)",),
        shares(builders.share("A/B", builders.a_group("g2"), "can_fly")),
    ),
    "lost folder": Case(
        "folders",
        "Shares of folders that are not in the account",
        H,
        ("f:Gone in Env1: can_view for group Group g2 (shares.csv:2)",),
        shares(builders.share("Gone", builders.a_group("g2"))),
    ),
    "lower below": Case(
        "folders",
        "Nested shares with a lower level than the folder above",
        H,
        ("A/B/C in Env1: can_view for group Group g2 (shares.csv:2)",),
        shares(
            builders.share("A", builders.a_group("g2"), "can_manage"),
            builders.share("A/B/C", builders.a_group("g2"), "can_view"),
        ),
    ),
    "lower below with a gap between": Case(
        "folders",
        "Nested shares with a lower level than the folder above",
        H,
        (
            "A/B in Env1: can_edit for user User ana (ana@example.com) (shares.csv:2)",
            "A/B/C in Env1: can_contribute for user User ana (ana@example.com) (shares.csv:2)",
        ),
        shares(
            builders.share("A", builders.a_user("ana"), "can_manage"),
            builders.share("A", builders.a_user("ana"), "can_edit"),
            builders.share("A/B", builders.a_user("ana"), "can_edit"),
            builders.share("A/B/C", builders.a_user("ana"), "can_contribute"),
        ),
    ),
    "user against group": Case(
        "folders",
        "Users and their groups with different levels on one folder",
        M,
        ("A in Env1: can_edit for user User ana (ana@example.com) (shares.csv:2)",),
        shares(builders.share("A", builders.a_user("ana"), "can_edit")),
    ),
    "everybody": Case(
        "folders",
        "Folders shared with everybody",
        M,
        ("D in Env1: can_view for group Group g3 (shares.csv:2)",),
        shares(
            builders.share("D", builders.a_group("g3")),
            users=(*quiet.USERS, quiet.user("old", enabled=False)),
            groups=(*quiet.GROUPS, builders.group("g3", "ana", "ben", "m1", "m2")),
        ),
    ),
    "no collections": Case("collections", "No collection share on record", L),
    "guessed level": Case(
        "collections",
        "Collection shares at a level nobody has confirmed",
        H,
        ("c1 in Env1: can_view for group Group g1 (shares.csv:9)",),
        shares(on_collection(builders.a_group("g1"))),
    ),
    "level without a row": Case(
        "collections",
        "Collection shares at a level nobody has confirmed",
        H,
        ("c1 in Env1: can_share for group Group g1 (shares.csv:9)",),
        shares(on_collection(builders.a_group("g1"), "can_share")),
    ),
    "collections exist": Case(
        "collections",
        "Collections know system roles only",
        L,
        ("Spring",),
        shares(
            on_collection(builders.a_group("g1")),
            collections=(Collection(CollectionId("c1"), EnvironmentId("env1"), "Spring"),),
        ),
    ),
    "custom policy": Case("policies", "Custom policies are in force", M, ("Uploads only",), policy(UPLOAD)),
    "forbid": Case("policies", "Custom policies that forbid", H, ("Uploads only",), policy(UPLOAD + FORBID)),
    "not Cedar": Case("policies", "Custom policies that cannot be decided", H, (), policy("allow all")),
    "undecided by the comparison": Case(
        "policies",
        "Custom policies that cannot be decided",
        H,
        ("Uploads only: no such attribute: not decided",),
        policy(UPLOAD),
        {"uncertainties": (Uncertainty("statement", "Uploads only", "no such attribute: not decided"),)},
    ),
    "astray": Case(
        "policies",
        "Custom policies that name principals who do not exist",
        H,
        ("Uploads only: user gone",),
        policy(FOR_ANA.replace("ana", "gone")),
    ),
    "disabled policy": Case(
        "policies", "Disabled custom policies", L, ("Uploads only",), policy(FORBID, enabled=False)
    ),
    "refused": Case(
        "access",
        "The Permissions API does not answer for this account",
        C,
        (
            "assignments, GET assignments: denied (403)",
            "policies, GET policies: denied (403)",
            "roles, GET roles: denied (403)",
        ),
        {"ledger": quiet.ledger(*REFUSED)},
    ),
    "refused in part": Case(
        "access",
        "Parts of the Permissions API did not answer",
        H,
        ("roles, GET roles: denied (403)",),
        {"ledger": quiet.ledger(REFUSED[0])},
    ),
    "assigned": Case(
        "access",
        "Roles are assigned already",
        H,
        ("user User ana",),
        {"assignments": (RoleAssignment(builders.a_user("ana"), RoleId("cld::role::account::admin")),)},
    ),
    "gap": Case(
        "completeness",
        "Not read: keys",
        H,
        ("keys of Staging, GET keys: failed (500): broken",),
        {
            "ledger": quiet.ledger(
                quiet.line("keys", ReadStatus.FAILED, subject="Staging", http_status=500, detail="broken")
            )
        },
    ),
    "not on record": Case(
        "completeness",
        "Not on record as read",
        H,
        ("keys",),
        {"ledger": tuple(entry for entry in quiet.ledger() if entry.area != "keys")},
    ),
    "no share list": Case(
        "completeness",
        "No share list was given",
        H,
        (),
        {"shares": (), "ledger": quiet.ledger(quiet.line("shares", ReadStatus.UNREADABLE, endpoint="list"))},
    ),
    "orphan": Case(
        "completeness",
        "Shares that could not be placed",
        H,
        ("shares.csv:7: there is no user `x`",),
        {"orphan_shares": (OrphanShare((("principal", "x"),), "there is no user `x`", "shares.csv:7"),)},
    ),
    "no catalog": Case(
        "completeness", "The catalog of roles and policies is missing", C, (), {"catalog": NO_ROLES}
    ),
    "no schema": Case(
        "completeness", "The Cedar schema is missing", C, (), {"catalog": replace(quiet.catalog(), schema={})}
    ),
    "missing policy": Case(
        "completeness",
        "Roles that name policies which the catalog lacks",
        H,
        ("custom::r: its policies were not read", "r: p"),
        {
            "catalog": replace(
                quiet.catalog(), missing_policies=(("r", "p"), ("custom::r", "unread::custom::r"))
            )
        },
    ),
    "illustrative": Case(
        "completeness",
        "The catalog is illustrative",
        H,
        ("http://127.0.0.1:8000/catalog",),
        {"catalog": replace(quiet.catalog(), source="http://127.0.0.1:8000/catalog")},
    ),
    "not translated": Case(
        "completeness",
        "Legacy grants that are not translated",
        H,
        ("user:ana: legacy role x: no row",),
        diff={"uncertainties": (Uncertainty("unmapped", "user:ana: legacy role x", "no row"),)},
    ),
    "table error": Case(
        "completeness",
        "Errors in the mapping tables",
        H,
        ("user_roles.csv:3: role `x` is not in the catalog",),
        notices=(USER_ROLE_ERROR, USER_ROLE_WARNING),
    ),
    "table warning": Case(
        "completeness",
        "Warnings about the mapping tables",
        M,
        ("user_roles.csv:4: no user has it",),
        notices=(USER_ROLE_ERROR, USER_ROLE_WARNING),
    ),
    "baseline": Case(
        "completeness",
        "Cells of the legacy baseline that nobody knows",
        M,
        ("not known whether",),
        diff={"uncertainties": (Uncertainty("baseline", "legacy baseline", "not known whether"),)},
    ),
}

NOT_TRIGGERED = {
    "an override speaks for someone without a role": Case(
        "people",
        "Users without a legacy role",
        account=people(quiet.user("cy", "")),
        tables=override("cy", NOBODY),
    ),
    "an override speaks for someone with a strange role": Case(
        "people",
        "Users with a legacy role that no table translates",
        account=people(quiet.user("cy", "wizard")),
        tables=override("cy", NOBODY),
    ),
    "without a catalog nobody can be told an administrator": Case(
        "people",
        "Fewer than two administrators after the move",
        account={"catalog": NO_ROLES},
        diff={"principals": ()},
    ),
    "without any user read there is no lack of administrators": Case(
        "people", "Fewer than two active master admins", account={"users": ()}
    ),
    "a gain at home": Case(
        "people",
        "Users limited to some environments who gain in others",
        account=people(
            quiet.user("cy", all_environments=False, environment_ids=(EnvironmentId("env1"),)),
            **TWO_ENVIRONMENTS,
        ),
        diff={
            "findings": (
                quiet.gain("cy", "env1", RegionKind.ENVIRONMENT),
                quiet.gain("cy", "", RegionKind.ACCOUNT),
                quiet.gain("cy", "env2", RegionKind.ENVIRONMENT, Verdict.LOST),
            )
        },
    ),
    "a master admin is never limited": Case(
        "people",
        "Users limited to some environments who gain in others",
        account=people(
            quiet.user(
                "m3", "master_admin", all_environments=False, environment_ids=(EnvironmentId("env1"),)
            ),
            **TWO_ENVIRONMENTS,
        ),
        diff={"findings": (quiet.gain("m3", "env2", RegionKind.ENVIRONMENT),)},
    ),
    "shares whose translation gives nothing": Case(
        "people",
        "Shares that come to life",
        account=people(quiet.user("cy", "billing")) | shares(builders.share("A", builders.a_user("cy"))),
    ),
    "no share of one's own": Case(
        "people",
        "Shares that come to life",
        account=people(quiet.user("cy", "billing")),
        diff={"findings": (quiet.gain("cy", "env1", RegionKind.FOLDER),)},
    ),
    "the baseline lets the role into the Media Library": Case(
        "people",
        "Shares that come to life",
        account=people(quiet.user("cy", "billing")) | shares(builders.share("A", builders.a_user("cy"))),
        diff={"findings": (quiet.gain("cy", "env1", RegionKind.FOLDER),)},
        tables=content_open_to_billing(),
    ),
    "a disabled invitation is one thing only": Case(
        "people", "Disabled users", account=people(quiet.user("cy", pending=True, enabled=False))
    ),
    "180 days to the day": Case(
        "people",
        "Users who have not logged in for 180 days",
        account=people(quiet.user("cy", last_login="2026-05-26T08:00:00Z")),
    ),
    "a log-in date that is no date": Case(
        "people",
        "Users who have not logged in for 180 days",
        account=people(quiet.user("cy", last_login="a while ago")),
    ),
    "groups were not read": Case(
        "people",
        "Users in no group",
        account={"groups": (), "ledger": quiet.ledger(quiet.line("groups", ReadStatus.DENIED))},
    ),
    "names that differ": Case(
        "groups",
        "Groups whose names cannot be told apart",
        account={"groups": (*quiet.GROUPS, replace(builders.group("g3", "ana"), name="Groupg1"))},
    ),
    "people were not read": Case(
        "groups",
        "Groups with members that are not users of the account",
        account={"users": (), "ledger": quiet.ledger(quiet.line("people", ReadStatus.FAILED))},
    ),
    "a row gives a key nothing on purpose": Case(
        "keys", "API keys that would hold no role", tables=no_for_keys()
    ),
    "a disabled key without a role": Case(
        "keys",
        "API keys that would hold no role",
        account={"api_keys": (quiet.key(enabled=False),)},
        tables=without_keys(),
    ),
    "two years to the day": Case(
        "keys",
        "API keys older than two years",
        account=keys(quiet.key("333", created_at="2024-11-22T08:00:00Z")),
    ),
    "an age that is not known": Case(
        "keys", "API keys older than two years", account=keys(quiet.key("333", created_at=None))
    ),
    "the same name in another environment": Case(
        "keys",
        "API keys with the same name in one environment",
        account=keys(quiet.key("333", name="key 111", environment_id="env2")) | TWO_ENVIRONMENTS,
    ),
    "two keys without a name": Case(
        "keys",
        "API keys with the same name in one environment",
        account=keys(quiet.key("333", name=""), quiet.key("444", name="")),
    ),
    "an environment without an enabled key": Case(
        "keys",
        "Environments with a single API key",
        account=keys(quiet.key("333", environment_id="env2", enabled=False)) | TWO_ENVIRONMENTS,
    ),
    "folders were not all read": Case(
        "folders",
        "Shares of folders that are not in the account",
        account=shares(
            builders.share("Gone", builders.a_group("g2")),
            ledger=quiet.ledger(quiet.line("folders", ReadStatus.SKIPPED)),
        ),
    ),
    "higher below": Case(
        "folders",
        "Nested shares with a lower level than the folder above",
        account=shares(
            builders.share("A", builders.a_group("g2"), "can_view"),
            builders.share("A/B", builders.a_group("g2"), "can_manage"),
        ),
    ),
    "lower beside": Case(
        "folders",
        "Nested shares with a lower level than the folder above",
        account=shares(
            builders.share("A", builders.a_group("g2"), "can_manage"),
            builders.share("D", builders.a_group("g2"), "can_view"),
        ),
    ),
    "lower below for another holder": Case(
        "folders",
        "Nested shares with a lower level than the folder above",
        account=shares(
            builders.share("A", builders.a_user("ana"), "can_manage"),
            builders.share("A/B", builders.a_user("ben"), "can_view"),
        ),
    ),
    "two levels on the same folder": Case(
        "folders",
        "Nested shares with a lower level than the folder above",
        account=shares(
            builders.share("A", builders.a_group("g2"), "can_manage"),
            builders.share("A", builders.a_group("g2"), "can_view"),
        ),
    ),
    "user like group": Case(
        "folders",
        "Users and their groups with different levels on one folder",
        account=shares(builders.share("A", builders.a_user("ana"), "can_view")),
    ),
    "user against a group of others": Case(
        "folders",
        "Users and their groups with different levels on one folder",
        account=shares(builders.share("A", builders.a_user("ben"), "can_edit")),
    ),
    "user against group on another folder": Case(
        "folders",
        "Users and their groups with different levels on one folder",
        account=shares(builders.share("A/B", builders.a_user("ana"), "can_edit")),
    ),
    "all but one": Case("folders", "Folders shared with everybody"),
    "a group of the only user": Case(
        "folders",
        "Folders shared with everybody",
        account={"users": (quiet.USERS[2],), "groups": (builders.group("g1", "ana"),)},
    ),
    "the customer named the level": Case(
        "folders",
        "Folder shares at an unknown level",
        account=shares(builders.share("A/B", builders.a_group("g2"), "can_fly")),
        tables=replace(
            quiet.tables(),
            folder_levels=(
                *quiet.tables().folder_levels,
                replace(quiet.tables().folder_levels[0], level="can_fly"),
            ),
        ),
    ),
    "the customer confirmed the level": Case(
        "collections",
        "Collection shares at a level nobody has confirmed",
        account=shares(on_collection(builders.a_group("g1"))),
        tables=collection_level("can_view", Confidence.CUSTOMER),
    ),
    "collections are on record": Case(
        "collections",
        "No collection share on record",
        account=shares(on_collection(builders.a_group("g1"))),
    ),
    "a disabled policy that forbids": Case(
        "policies", "Custom policies that forbid", account=policy(FORBID, enabled=False)
    ),
    "a policy that permits": Case("policies", "Custom policies that forbid", account=policy(UPLOAD)),
    "a policy that is decided": Case(
        "policies", "Custom policies that cannot be decided", account=policy(UPLOAD)
    ),
    "a policy for a user": Case(
        "policies", "Custom policies that name principals who do not exist", account=policy(FOR_ANA)
    ),
    "a policy for someone who was not read": Case(
        "policies",
        "Custom policies that name principals who do not exist",
        account=policy(FOR_ANA.replace("ana", "gone"))
        | {"ledger": quiet.ledger(quiet.line("people", ReadStatus.DENIED))},
    ),
    "a failure is not a refusal": Case(
        "access",
        "The Permissions API does not answer for this account",
        account={
            "ledger": quiet.ledger(
                *REFUSED[:2], quiet.line("assignments", ReadStatus.FAILED, http_status=500)
            )
        },
    ),
    "shares without a ledger line still came from somewhere": Case(
        "completeness",
        "No share list was given",
        account={"ledger": tuple(entry for entry in quiet.ledger() if entry.area != "shares")},
    ),
    "an empty share list is a list": Case(
        "completeness",
        "No share list was given",
        account={"shares": (), "ledger": quiet.ledger(quiet.line("shares", ReadStatus.EMPTY))},
    ),
}


@pytest.mark.parametrize("case", TRIGGERED.values(), ids=TRIGGERED.keys())
def test_what_must_be_settled_is_found_with_whom_it_concerns(case: Case) -> None:
    """The finding is there, with its severity, all of its subjects, and something to do about it."""
    finding = quiet.found(case.assess(), case.area, case.title)
    assert finding is not None
    assert case.severity is finding.severity
    if case.subjects:
        assert (case.subjects, len(case.subjects)) == (finding.subjects, finding.count)
    assert finding.detail.endswith(".")
    assert finding.action.endswith(".")


@pytest.mark.parametrize("case", NOT_TRIGGERED.values(), ids=NOT_TRIGGERED.keys())
def test_what_comes_close_is_left_in_peace(case: Case) -> None:
    """What differs from a finding in the one thing that matters is none."""
    assert case.title in {each.title for each in TRIGGERED.values()}
    assert quiet.found(case.assess(), case.area, case.title) is None


def test_a_quiet_account_has_nothing_to_settle() -> None:
    """Every finding of the other tests is brought about by what they change, and by nothing else."""
    readiness = Case("people", "").assess()
    titles = [finding.title for area in readiness.areas for finding in area.findings]
    assert ["No collection share on record"] == titles
    assert (100, True) == (readiness.score, readiness.complete)


def test_a_finding_names_two_hundred_and_counts_them_all() -> None:
    """A thousand names help nobody, and the number is never cut."""
    crowd = tuple(quiet.user(f"u{number:03}", last_login=None) for number in range(450))
    finding = quiet.found(
        Case("people", "", account=people(*crowd)).assess(), "people", "Users who never logged in"
    )
    assert finding is not None
    assert (200, 450) == (len(finding.subjects), finding.count)
    assert "User u199 (u199@example.com)" == finding.subjects[-1]
