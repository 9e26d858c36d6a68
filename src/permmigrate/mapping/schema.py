"""What each table's columns are and how a row of it is read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from permmigrate.mapping.reading import Cells
from permmigrate.mapping.rows import (
    ANY,
    NO_LEGACY_ROLE,
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
from permmigrate.mapping.value import Granted, LegacyKind
from permmigrate.model import PrincipalType, ScopeType

SEVERITIES: Final = ("critical", "high", "medium", "low")
CATEGORY: Final = "category:"
KEYS: Final = (LegacyKind.API_KEY, LegacyKind.ACCOUNT_KEY)

_PROVENANCE: Final = ("source", "confidence", "note")
_SHARERS: Final = (ANY, PrincipalType.USER.value, PrincipalType.GROUP.value, PrincipalType.API_KEY.value)
_WHERE: Final = (ScopeKind.ACCOUNT, ScopeKind.EACH, ScopeKind.ALL, ScopeKind.ONE)
_ANYWHERE: Final = (*_WHERE, ScopeKind.FOLDER, ScopeKind.COLLECTION)
_NO_WILDCARD: Final = "this table has no wildcard: give every value its row"

R_co = TypeVar("R_co", bound=Row, covariant=True)


@dataclass(frozen=True)
class Table(Generic[R_co]):
    """One CSV table: its file, its columns in order, and how to read a row."""

    file: str
    columns: tuple[str, ...]
    parse: Callable[[Cells], R_co]
    may_be_absent: bool = False


def _target(
    cells: Cells,
    types: tuple[TargetType, ...] = tuple(TargetType),
    scopes: tuple[ScopeKind, ...] = _WHERE,
    scope: Scope | None = None,
) -> Target:
    """Read target_type, target and scope; `scope` is given where the table has no such column."""
    kind = TargetType(cells.word("target_type", [each.value for each in types]))
    if kind is TargetType.NONE:
        name = cells.optional("target")
        if name:
            cells.wrong(f"target type `none` gives nothing, yet names `{name}`", "empty one of the two cells")
        named = scope or (cells.scope(scopes) if cells.optional("scope") else None)
        return Target(kind, "", named or Scope(ScopeKind.ACCOUNT))
    name = cells.required("target", "name a role or bundle, or set `target_type` to `none`")
    return Target(kind, name, scope or cells.scope(scopes))


def _user_role(cells: Cells) -> UserRoleRow:
    role = cells.legacy("legacy_role", f"`{NO_LEGACY_ROLE}` for users without a legacy role on record")
    if role == WILDCARD:
        cells.wrong("`*` is not a legacy role", _NO_WILDCARD)
    return UserRoleRow(origin=cells.origin(), target=_target(cells), legacy_role=role)


def _level(kind: ScopeKind) -> Callable[[Cells], LevelRow]:
    def parse(cells: Cells) -> LevelRow:
        level = cells.required("level")
        if level == WILDCARD:
            cells.wrong("`*` is not a level", _NO_WILDCARD)
        principal_type = cells.word("principal_type", _SHARERS)
        target = _target(cells, (TargetType.ROLE, TargetType.NONE), scope=Scope(kind))
        return LevelRow(origin=cells.origin(), target=target, level=level, principal_type=principal_type)

    return parse


def _api_key(cells: Cells) -> ApiKeyRow:
    return ApiKeyRow(
        origin=cells.origin(),
        match=cells.required("match", "`*` for every key"),
        environment=cells.required("environment", "`*` for every environment"),
        enabled=cells.word("enabled", (ANY, "yes", "no")),
        target=_target(cells),
    )


def _account_key(cells: Cells) -> AccountKeyRow:
    return AccountKeyRow(
        origin=cells.origin(),
        match=cells.required("match", "`*` for every key"),
        target=_target(cells),
    )


def _bundle(cells: Cells) -> BundleRow:
    return BundleRow(
        origin=cells.origin(),
        bundle=cells.required("bundle"),
        role=cells.required("role"),
        scope=cells.scope((ScopeKind.ACCOUNT, ScopeKind.EACH)),
    )


def _override(cells: Cells) -> OverrideRow:
    match_by = cells.member("match_by", MatchBy)
    match = cells.required("match")
    if "*" in match and match_by in (MatchBy.ID, MatchBy.EMAIL, MatchBy.EMAIL_DOMAIN):
        cells.wrong(f"`{match}` cannot be matched by {match_by}", "globs work with `group` and `name` only")
    return OverrideRow(
        origin=cells.origin(),
        principal_type=cells.word("principal_type", (ANY, *(each.value for each in PrincipalType))),
        match_by=match_by,
        match=match.removeprefix("@") if match_by is MatchBy.EMAIL_DOMAIN else match,
        applies_to=cells.word("applies_to", (ANY, *(each.value for each in LegacyKind))),
        legacy=cells.legacy("legacy", "`*` for any legacy role or level"),
        target=_target(cells, scopes=_ANYWHERE),
        reason=cells.optional("reason"),
        expires=cells.day("expires"),
    )


def _baseline(cells: Cells) -> BaselineRow:
    kind = cells.member("kind", LegacyKind)
    granted = cells.member("granted", Granted)
    if granted is Granted.MOOT and kind not in KEYS:
        cells.wrong(f"`moot` is for keys, and `{kind}` is of people", "they can use whatever they are given")
    policy = cells.required("policy", "`*` for every policy")
    if policy.startswith(CATEGORY) and "/" not in policy:
        cells.wrong(f"`{policy}` has no sub category", f"`{policy}/*` means all of them")
    return BaselineRow(
        origin=cells.origin(),
        kind=kind,
        legacy=cells.legacy("legacy", "`*` for any legacy role or level"),
        policy=policy,
        granted=granted,
    )


def _severity(cells: Cells) -> SeverityRow:
    return SeverityRow(
        origin=cells.origin(),
        scope=cells.word("scope", (*(each.value for each in ScopeType), WILDCARD)),
        action=cells.required("action", "`*` for every action"),
        resource=cells.required("resource", "`*` for every resource"),
        severity=cells.word("severity", SEVERITIES),
        reason=cells.optional("reason"),
    )


def _table(
    file: str, columns: str, parse: Callable[[Cells], R_co], *, may_be_absent: bool = False
) -> Table[R_co]:
    return Table(file, (*columns.split(), *_PROVENANCE), parse, may_be_absent)


USER_ROLES: Final = _table("user_roles.csv", "legacy_role target_type target scope", _user_role)
FOLDER_LEVELS: Final = _table(
    "folder_levels.csv", "level principal_type target_type target", _level(ScopeKind.FOLDER)
)
COLLECTION_LEVELS: Final = _table(
    "collection_levels.csv", "level principal_type target_type target", _level(ScopeKind.COLLECTION)
)
API_KEYS: Final = _table("api_keys.csv", "match environment enabled target_type target scope", _api_key)
ACCOUNT_KEYS: Final = _table("account_keys.csv", "match target_type target scope", _account_key)
BUNDLES: Final = _table("bundles.csv", "bundle role scope", _bundle)
OVERRIDES: Final = _table(
    "overrides.csv",
    "principal_type match_by match applies_to legacy target_type target scope reason expires",
    _override,
    may_be_absent=True,
)
LEGACY_BASELINE: Final = _table("legacy_baseline.csv", "kind legacy policy granted", _baseline)
SEVERITY: Final = _table(
    "severity.csv", "scope action resource severity reason", _severity, may_be_absent=True
)
