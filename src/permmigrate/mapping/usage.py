"""What a snapshot shows about the tables: grants without a row, idle rows, overrides that compete."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from datetime import date
from itertools import combinations
from typing import Final

from permmigrate.mapping.globs import matches, matches_name
from permmigrate.mapping.lookup import TABLE_OF, unmapped, unmapped_hint
from permmigrate.mapping.notices import Notice, error, warning
from permmigrate.mapping.overrides import Overrides
from permmigrate.mapping.reading import did_you_mean
from permmigrate.mapping.rows import ANY, WILDCARD, OverrideRow, ScopeKind
from permmigrate.mapping.shadows import override_covers
from permmigrate.mapping.tables import MappingTables
from permmigrate.mapping.value import LegacyKind, RowRef, Translation
from permmigrate.model import PrincipalRef, PrincipalType
from permmigrate.snapshot import Snapshot

_NAMED: Final = 3
"""How many principals a message names."""


def environments(tables: MappingTables, snapshot: Snapshot) -> Iterator[Notice]:
    """Rows that name an environment the account does not have."""
    known = [(environment.id, environment.cloud_name) for environment in snapshot.environments]
    names = [name for pair in known for name in pair]
    for row in tables.target_rows():
        scope = row.target.scope
        if scope.kind is ScopeKind.ONE and not any(
            scope.environment == id_ or scope.environment.casefold() == cloud.casefold()
            for id_, cloud in known
        ):
            message = f"environment `{scope.environment}` is not in the account"
            yield error("unknown-environment", row.ref, message, did_you_mean(scope.environment, names))
    for key in tables.api_keys:
        if not any(
            matches(key.environment, id_) or matches_name(key.environment, cloud) for id_, cloud in known
        ):
            message = f"`{key.environment}` matches no environment of the account"
            yield error("unknown-environment", key.ref, message, did_you_mean(key.environment, names))


def missing(translation: Translation, snapshot: Snapshot) -> Iterator[Notice]:
    """Legacy grants of the snapshot that no row speaks of, one notice a legacy value.

    A warning: the comparison goes on, what such a grant allowed being what the baseline says or unknown.
    """
    holders: dict[tuple[LegacyKind, str], dict[PrincipalRef, None]] = defaultdict(dict)
    for each in translation.untranslated:
        if each.row is None and each.kind:
            holders[each.kind, each.value][each.principal] = None
    for (kind, value), found in holders.items():
        names = [snapshot.principal_name(principal) for principal in list(found)[:_NAMED]]
        more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
        message = f"{unmapped(kind, value)}: {', '.join(names)}{more}"
        yield warning("unmapped", RowRef(TABLE_OF[kind], 0), message, unmapped_hint(kind, value))


def dead(tables: MappingTables, translation: Translation, leave_out: Collection[RowRef]) -> Iterator[Notice]:
    """Rows that no legacy grant of the snapshot meets."""
    for ref, text, _, _ in tables.rows():
        if ref not in translation.uses and ref not in leave_out:
            yield warning("dead", ref, f"nothing in the snapshot meets this row: {text}")


def competing(tables: MappingTables, snapshot: Snapshot, today: date) -> Iterator[Notice]:
    """Overrides of equal precedence that match the same principal's grant without one being the narrower."""
    overrides = Overrides(tables, snapshot, today)
    met: Counter[tuple[RowRef, RowRef]] = Counter()
    example: dict[tuple[RowRef, RowRef], PrincipalRef] = {}
    for principal in _principals(snapshot) if overrides else ():
        for first, later in combinations(overrides.of(principal), 2):
            if _compete(first[0], later[0]):
                pair = (first[0].ref, later[0].ref)
                met[pair] += 1
                example.setdefault(pair, principal)
    for (winner, loser), times in met.items():
        name = snapshot.principal_name(example[winner, loser])
        more = f" and {times - 1} more" if times > 1 else ""
        message = f"matches {name}{more} as strongly as line {winner.line}, which wins because it comes first"
        yield warning("ambiguous", loser, message, "put the narrower one first, or match by id")


def _compete(first: OverrideRow, later: OverrideRow) -> bool:
    same_grant = (
        first.match_by is later.match_by
        and (ANY in (first.applies_to, later.applies_to) or first.applies_to == later.applies_to)
        and (WILDCARD in (first.legacy, later.legacy) or first.legacy == later.legacy)
    )
    return same_grant and not override_covers(first, later) and not override_covers(later, first)


def _principals(snapshot: Snapshot) -> Iterator[PrincipalRef]:
    kinds = (
        (PrincipalType.USER, snapshot.users),
        (PrincipalType.GROUP, snapshot.groups),
        (PrincipalType.API_KEY, snapshot.api_keys),
        (PrincipalType.ACCOUNT_KEY, snapshot.account_keys),
    )
    for kind, members in kinds:
        yield from (PrincipalRef(kind, member.id) for member in members)
