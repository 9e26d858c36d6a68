"""Rows in words, for reports and for people who never open the tables."""

from __future__ import annotations

from typing import Final

from permmigrate.mapping.custom_roles import CustomRoleRow
from permmigrate.mapping.rows import (
    ANY,
    LEGACY_LEVELS,
    WILDCARD,
    AccountKeyRow,
    ApiKeyRow,
    BaselineRow,
    BundleRow,
    LevelRow,
    MatchBy,
    OverrideRow,
    Row,
    Scope,
    ScopeKind,
    SeverityRow,
    Target,
    TargetType,
    UserRoleRow,
)
from permmigrate.mapping.sensitivity import SensitivityRow
from permmigrate.mapping.sensitivity import describe as describe_sensitivity
from permmigrate.mapping.value import Granted, LegacyKind
from permmigrate.model import PrincipalType

_SCOPES: Final = {
    ScopeKind.ACCOUNT: "in the account",
    ScopeKind.ALL: "in all environments, tomorrow's too",
    ScopeKind.FOLDER: "on that folder",
    ScopeKind.COLLECTION: "on that collection",
}

_KINDS: Final = {
    LegacyKind.USER_ROLE: "legacy role",
    LegacyKind.FOLDER_LEVEL: "folder level",
    LegacyKind.COLLECTION_LEVEL: "collection level",
    LegacyKind.API_KEY: "API key",
    LegacyKind.ACCOUNT_KEY: "account key",
}

_HELD_ON: Final = {"account": "the account", "environment": "environments", "folder": "folders"}

_NO_ROLE: Final = "no legacy role on record"

_EACH_OF: Final[dict[str, str]] = {
    LegacyKind.USER_ROLE: "in each environment the user has",
    LegacyKind.API_KEY: "in the key's environment",
    LegacyKind.ACCOUNT_KEY: "in each environment",
}

_MATCHES: Final = {
    MatchBy.ID: "with id {}",
    MatchBy.EMAIL: "with e-mail {}",
    MatchBy.EMAIL_DOMAIN: "with an e-mail address at {}",
    MatchBy.GROUP: "in group {}",
    MatchBy.NAME: "named {}",
}

_GRANTED: Final = {
    Granted.YES: "included",
    Granted.NO: "did not include",
    Granted.UNKNOWN: "may have included",
    Granted.MOOT: "could never use, before or after,",
}


def level_words(level: str) -> str:
    """`can_edit` as people see it: "Can edit". A level nobody published stays as it is written."""
    return level.replace("_", " ").capitalize() if level in LEGACY_LEVELS else f"level `{level}`"


def describe(row: Row) -> str:
    """One row in words, on one line."""
    match row:
        case UserRoleRow():
            return (
                f"{row.legacy_role or _NO_ROLE} → {_target(row.target, 'in each environment the user has')}"
            )
        case LevelRow():
            what = "a folder" if row.target.scope.kind is ScopeKind.FOLDER else "a collection"
            holder = _held_by(row.principal_type)
            return f"{level_words(row.level)} on {what}{holder} → {_target(row.target)}"
        case ApiKeyRow():
            return f"{_api_keys(row)} → {_target(row.target)}"
        case AccountKeyRow():
            keys = "every account key" if row.match == WILDCARD else f"account keys {row.match}"
            return f"{keys} → {_target(row.target, 'in each environment')}"
        case OverrideRow():
            return _override(row)
        case BundleRow():
            place = "in the account" if row.scope.kind is ScopeKind.ACCOUNT else "in each environment"
            return f"access bundle {row.bundle} includes role {row.role} {place}"
        case BaselineRow():
            who = _grant(row.kind, row.legacy)
            return f"{who} {_GRANTED[row.granted]} {row.policy}"
        case SeverityRow():
            place = "" if row.scope == WILDCARD else f" ({row.scope})"
            return f"{row.action} on {row.resource}{place} is {row.severity}"
        case CustomRoleRow():
            made_of = " ".join(row.policies)
            return f"new role {row.role} for {_HELD_ON[row.level]}, made of {made_of}"
        case SensitivityRow():
            return describe_sensitivity(row)
        case _:
            raise TypeError(f"no words for {type(row).__name__}")


def _grant(kind: LegacyKind, legacy: str) -> str:
    if kind is LegacyKind.USER_ROLE and not legacy:
        return _NO_ROLE
    return _KINDS[kind] + ("" if legacy == WILDCARD else f" {legacy}")


def _target(target: Target, each: str = "in the key's environment") -> str:
    if target.type is TargetType.NONE:
        return "nothing, deliberately"
    what = "access bundle" if target.type is TargetType.BUNDLE else "role"
    return f"{what} {target.name}, {_scope(target.scope, each)}"


def _scope(scope: Scope, each: str) -> str:
    if scope.kind is ScopeKind.ONE:
        return f"in environment {scope.environment}"
    return each if scope.kind is ScopeKind.EACH else _SCOPES[scope.kind]


def _held_by(principal_type: str) -> str:
    return "" if principal_type == ANY else f", held by a {PrincipalType(principal_type).label}"


def _api_keys(row: ApiKeyRow) -> str:
    state = {ANY: "", "yes": "enabled ", "no": "disabled "}[row.enabled]
    which = f"every {state}API key" if row.match == WILDCARD else f"{state}API keys {row.match}"
    return which + ("" if row.environment == WILDCARD else f" of environment {row.environment}")


def _override(row: OverrideRow) -> str:
    who = "anyone" if row.principal_type == ANY else PrincipalType(row.principal_type).label
    if row.applies_to != ANY:
        grant = _grant(LegacyKind(row.applies_to), row.legacy)
    elif row.legacy:
        grant = "any grant" if row.legacy == WILDCARD else f"any grant {row.legacy}"
    else:
        grant = _NO_ROLE
    until = f" (until {row.expires.isoformat()})" if row.expires else ""
    reason = f": {row.reason}" if row.reason else ""
    target = _target(row.target, _EACH_OF.get(row.applies_to, "in each environment of the grant"))
    return f"{who} {_MATCHES[row.match_by].format(row.match)}, {grant} → {target}{until}{reason}"
