"""Can each row be carried out? Every row's recipe, for every kind of grant and holder it may meet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from permmigrate.catalog import Catalog, UnknownTarget
from permmigrate.mapping.recipes import Obstacle, misfit, misplaced, recipe, unknown_role
from permmigrate.mapping.rows import (
    ANY,
    AccountKeyRow,
    ApiKeyRow,
    BundleRow,
    LevelRow,
    MatchBy,
    OverrideRow,
    ScopeKind,
    TargetRow,
    UserRoleRow,
)
from permmigrate.mapping.tables import MappingTables
from permmigrate.mapping.value import LegacyKind
from permmigrate.model import PrincipalType

Meeting = tuple[LegacyKind, PrincipalType]
"""A kind of legacy grant and who holds it."""

_FOLDER_HOLDERS: Final = (PrincipalType.USER, PrincipalType.GROUP, PrincipalType.API_KEY)
_COLLECTION_HOLDERS: Final = (PrincipalType.USER, PrincipalType.GROUP)

_MEETINGS: Final[tuple[Meeting, ...]] = (
    (LegacyKind.USER_ROLE, PrincipalType.USER),
    *((LegacyKind.FOLDER_LEVEL, holder) for holder in _FOLDER_HOLDERS),
    *((LegacyKind.COLLECTION_LEVEL, holder) for holder in _COLLECTION_HOLDERS),
    (LegacyKind.API_KEY, PrincipalType.API_KEY),
    (LegacyKind.ACCOUNT_KEY, PrincipalType.ACCOUNT_KEY),
)
"""Who can hold what in the legacy system."""

_WITH_EMAIL: Final = (MatchBy.EMAIL, MatchBy.EMAIL_DOMAIN)


def meetings(row: TargetRow) -> tuple[Meeting, ...]:
    """The kinds of grant a row can meet; empty when its own cells leave none."""
    match row:
        case UserRoleRow():
            return ((LegacyKind.USER_ROLE, PrincipalType.USER),)
        case LevelRow():
            on_folder = row.target.scope.kind is ScopeKind.FOLDER
            kind = LegacyKind.FOLDER_LEVEL if on_folder else LegacyKind.COLLECTION_LEVEL
            if row.principal_type != ANY:
                return ((kind, PrincipalType(row.principal_type)),)
            return tuple(each for each in _MEETINGS if each[0] is kind)
        case ApiKeyRow():
            return ((LegacyKind.API_KEY, PrincipalType.API_KEY),)
        case AccountKeyRow():
            return ((LegacyKind.ACCOUNT_KEY, PrincipalType.ACCOUNT_KEY),)
        case OverrideRow():
            return tuple(each for each in _MEETINGS if _can_meet(row, *each))
        case _:
            raise TypeError(f"no meetings for {type(row).__name__}")


def _can_meet(row: OverrideRow, kind: LegacyKind, holder: PrincipalType) -> bool:
    valued = kind not in (LegacyKind.API_KEY, LegacyKind.ACCOUNT_KEY)
    return (
        row.principal_type in (ANY, holder.value)
        and row.covers_grant(kind, row.legacy if valued else "")
        and (holder is PrincipalType.USER or row.match_by not in _WITH_EMAIL)
        and (holder in _COLLECTION_HOLDERS or row.match_by is not MatchBy.GROUP)
    )


def impossible(tables: MappingTables) -> Iterator[OverrideRow]:
    """Overrides whose own cells leave nothing to match."""
    return (row for row in tables.overrides if not meetings(row))


def obstacles(tables: MappingTables, catalog: Catalog) -> Iterator[tuple[Obstacle, bool]]:
    """What keeps each row from being carried out, and whether it does so for every grant the row can meet."""
    for row in tables.target_rows():
        found: dict[Obstacle, None] = {}
        free = 0
        for kind, holder in meetings(row):
            hit = recipe((row,), kind, holder, tables, catalog).obstacles
            found |= dict.fromkeys(hit)
            free += not hit
        yield from ((obstacle, not free) for obstacle in found if obstacle.at == row.ref)
    for part in tables.bundles:
        yield from ((obstacle, True) for obstacle in _bundle_obstacles(part, catalog))


def _bundle_obstacles(part: BundleRow, catalog: Catalog) -> Iterator[Obstacle]:
    """What is wrong with a bundle's row whoever names the bundle."""
    role = catalog.resolve(part.role)
    if isinstance(role, UnknownTarget):
        yield unknown_role(role, part.ref, part.ref)
    elif misfit(part, role):
        reason = misplaced(role, part.scope, LegacyKind.USER_ROLE) or f"it is a role of the {role.level}"
        text = f"role `{role.id}` with scope `{part.scope}`: {reason}"
        yield Obstacle("wrong-scope", text, "", part.ref, part.ref)
