"""Rows that an earlier row leaves nothing to, and rows of one key that contradict each other.

Errs to silence: only what surely never matches is called shadowed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date
from typing import TypeVar

from permmigrate.mapping.globs import covers
from permmigrate.mapping.rows import (
    ANY,
    WILDCARD,
    AccountKeyRow,
    ApiKeyRow,
    BaselineRow,
    MatchBy,
    OverrideRow,
    Row,
    SeverityRow,
    TargetRow,
    TargetType,
    key_groups,
)
from permmigrate.mapping.schema import CATEGORY
from permmigrate.mapping.sensitivity import covering as sensitivity_covers
from permmigrate.mapping.tables import MappingTables

R = TypeVar("R", bound=Row)

Shadow = tuple[Row, Row]
"""The row that never matches, and the earlier one that takes everything from it."""


def shadowed(tables: MappingTables, today: date) -> Iterator[Shadow]:
    """Every row that can never match because an earlier one covers it."""
    yield from _later(_firsts(tables.api_keys), _api_key_covers)
    yield from _later(_firsts(tables.account_keys), _account_key_covers)
    yield from _later(_firsts(row for row in tables.overrides if not row.expired(today)), override_covers)
    yield from _later(tables.legacy_baseline, _baseline_covers)
    yield from _later(tables.severities, _severity_covers)
    yield from _later(tables.sensitivities, sensitivity_covers)


def contradictions(tables: MappingTables, today: date) -> Iterator[tuple[TargetRow, TargetRow]]:
    """Rows of one key where one gives nothing and another gives something: (the none row, the other)."""
    for rows in (
        tables.user_roles,
        tables.folder_levels,
        tables.collection_levels,
        tables.api_keys,
        tables.account_keys,
        tuple(row for row in tables.overrides if not row.expired(today)),
    ):
        for group in key_groups(rows):
            giving = [row for row in group if row.target.type is not TargetType.NONE]
            yield from ((row, giving[0]) for row in group if giving and row.target.type is TargetType.NONE)


def override_covers(first: OverrideRow, later: OverrideRow) -> bool:
    """Whether an override leaves nothing to a later one of the same precedence."""
    return (
        first.match_by is later.match_by
        and first.principal_type in (ANY, later.principal_type)
        and first.applies_to in (ANY, later.applies_to)
        and first.legacy in (WILDCARD, later.legacy)
        and _match_covers(first, later)
    )


def _match_covers(first: OverrideRow, later: OverrideRow) -> bool:
    match first.match_by:
        case MatchBy.ID:
            return first.match == later.match
        case MatchBy.EMAIL | MatchBy.EMAIL_DOMAIN:
            return first.match.casefold() == later.match.casefold()
        case MatchBy.NAME:
            return _name_covers(first.match, later.match)
        case MatchBy.GROUP:
            return first.match == later.match or (first.match == WILDCARD)


def _later(rows: Sequence[R], covering: Callable[[R, R], bool]) -> Iterator[tuple[R, R]]:
    for place, row in enumerate(rows):
        first = next((earlier for earlier in rows[:place] if covering(earlier, row)), None)
        if first is not None:
            yield row, first


T = TypeVar("T", bound=TargetRow)


def _firsts(rows: Iterable[T]) -> tuple[T, ...]:
    return tuple(group[0] for group in key_groups(rows))


def _name_covers(pattern: str, other: str) -> bool:
    return covers(pattern.casefold(), other.casefold())


def _api_key_covers(first: ApiKeyRow, later: ApiKeyRow) -> bool:
    return (
        first.enabled in (ANY, later.enabled)
        and covers(first.environment, later.environment)
        and covers(first.match, later.match)
    )


def _account_key_covers(first: AccountKeyRow, later: AccountKeyRow) -> bool:
    return covers(first.match, later.match)


def _baseline_covers(first: BaselineRow, later: BaselineRow) -> bool:
    if first.kind is not later.kind or first.legacy not in (WILDCARD, later.legacy):
        return False
    if first.policy == WILDCARD:
        return True
    if first.policy.startswith(CATEGORY) != later.policy.startswith(CATEGORY):
        return False
    by_category = first.policy.startswith(CATEGORY)
    return (_name_covers if by_category else covers)(first.policy, later.policy)


def _severity_covers(first: SeverityRow, later: SeverityRow) -> bool:
    return (
        first.scope in (WILDCARD, later.scope)
        and covers(first.action, later.action)
        and covers(first.resource, later.resource)
    )
