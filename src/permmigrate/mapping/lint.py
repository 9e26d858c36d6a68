"""What is wrong with rows that read well: missing ones, contradictions, idle ones, targets without effect.

It needs neither a catalog nor a snapshot; each of them lets it see more. It changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Set
from datetime import date, timedelta
from itertools import chain
from typing import Final

from permmigrate.catalog import Catalog
from permmigrate.errors import Problem
from permmigrate.mapping import custom_roles, sensitivity, usage
from permmigrate.mapping.carried import impossible, obstacles
from permmigrate.mapping.lookup import TABLE_OF, unmapped, unmapped_hint
from permmigrate.mapping.notices import Notice, error, warning
from permmigrate.mapping.reading import did_you_mean
from permmigrate.mapping.rows import ANY, LEGACY_LEVELS, LEGACY_ROLES, NO_LEGACY_ROLE, WILDCARD, TargetType
from permmigrate.mapping.shadows import contradictions, shadowed
from permmigrate.mapping.tables import MappingTables, policy_matches
from permmigrate.mapping.translate import translate
from permmigrate.mapping.value import LegacyKind, RowRef
from permmigrate.snapshot import Snapshot

__all__ = ["EXPIRING", "RULES", "Notice", "check"]

EXPIRING: Final = timedelta(days=30)
"""How long before its last day an override is announced."""

RULES: Final = (
    "ambiguous",
    "dead",
    "expired",
    "expiring",
    "impossible",
    "no-reason",
    "shadowed",
    "unknown-bundle",
    "unknown-environment",
    "unknown-legacy",
    "unknown-policy",
    "unknown-role",
    "unmapped",
    "unreadable",
    "wrong-principal",
    "wrong-scope",
)

_IDLE: Final = frozenset({"expired", "impossible", "shadowed", "unknown-bundle", "unknown-environment"})
"""Rules that say already why a row meets nothing."""


def check(
    tables: MappingTables,
    *,
    catalog: Catalog | None,
    snapshot: Snapshot | None,
    today: date,
    problems: Collection[Problem] = (),
) -> tuple[Notice, ...]:
    """Find everything at once, by file and line.

    With a catalog the targets are checked, with a snapshot what it holds is run through the tables as well.
    The snapshot's own catalog is used when no other is given. `problems` are what reading the tables found:
    they are told along, and what may only follow from a row that could not be read is not.
    """
    catalog = catalog or (snapshot.catalog if snapshot else None)
    if catalog:
        catalog = custom_roles.extended(catalog, tables.custom_roles)
    notices = {
        *_contradictions(tables, today),
        *_shadows(tables, today),
        *_override_dates(tables, today),
        *_bundles(tables),
        *_legacy_values(tables, snapshot),
    }
    if catalog:
        notices |= {*_targets(tables, catalog), *_baseline(tables, catalog)}
        notices |= set(custom_roles.notices(tables, catalog))
    if snapshot:
        notices |= {*usage.environments(tables, snapshot), *usage.competing(tables, snapshot, today)}
        notices |= set(sensitivity.idle(tables, snapshot, {notice.ref for notice in notices}))
        translation = translate(snapshot, tables, today=today)
        idle = {notice.ref for notice in notices if notice.rule in _IDLE}
        notices |= {*usage.missing(translation, snapshot), *usage.dead(tables, translation, idle)}
    present = _present(snapshot) if snapshot else frozenset()
    notices |= set(_unmapped_known(tables, present))
    torn = {problem.file for problem in problems}
    notices = {notice for notice in notices if not _follows(notice, torn)}
    notices |= {Notice("error", "unreadable", problem) for problem in problems}
    return tuple(sorted(notices, key=lambda notice: (notice.problem, notice.level, notice.rule)))


def _follows(notice: Notice, torn: Set[str]) -> bool:
    """Whether a notice may only say that rows of a torn table are missing."""
    match notice.rule:
        case "unmapped":
            return notice.problem.file in torn or "overrides.csv" in torn
        case "unknown-bundle":
            return "bundles.csv" in torn
        case "dead":
            return notice.problem.file == "bundles.csv" and bool(torn)
        case _:
            return False


def _contradictions(tables: MappingTables, today: date) -> Iterator[Notice]:
    for none, other in contradictions(tables, today):
        message = f"gives nothing, while line {other.ref.line} gives something to the same key"
        yield error("ambiguous", none.ref, message, "remove one of the two")


def _shadows(tables: MappingTables, today: date) -> Iterator[Notice]:
    for row, first in shadowed(tables, today):
        message = f"never matches: line {first.ref.line} comes first and covers it"
        yield warning("shadowed", row.ref, message, "put the narrower row first, or remove it")
    for override in impossible(tables):
        message = f"can match nothing: no {_holder(override.principal_type)} matched by {override.match_by} "
        yield error(
            "impossible", override.ref, message + f"has such a legacy grant as `{override.applies_to}`"
        )


def _holder(principal_type: str) -> str:
    return "principal" if principal_type == ANY else principal_type


def _override_dates(tables: MappingTables, today: date) -> Iterator[Notice]:
    for row in tables.overrides:
        if not row.reason:
            yield warning("no-reason", row.ref, "says no reason", "say who asked for it and why")
        if row.expires is None:
            continue
        if row.expired(today):
            message = f"expired on {row.expires.isoformat()} and is ignored"
            yield warning("expired", row.ref, message, "remove it, or set a later day")
        elif row.expires - today <= EXPIRING:
            yield warning(
                "expiring", row.ref, f"expires on {row.expires.isoformat()}", "apply before, or renew it"
            )


def _bundles(tables: MappingTables) -> Iterator[Notice]:
    names = dict.fromkeys(part.bundle for part in tables.bundles)
    for row in tables.target_rows():
        if row.target.type is TargetType.BUNDLE and not tables.bundle(row.target.name):
            message = f"access bundle `{row.target.name}` has no row in bundles.csv"
            yield error("unknown-bundle", row.ref, message, did_you_mean(row.target.name, names))


def _targets(tables: MappingTables, catalog: Catalog) -> Iterator[Notice]:
    for obstacle, always in obstacles(tables, catalog):
        if obstacle.rule != "unknown-bundle":
            make = error if always else warning
            yield make(obstacle.rule, obstacle.at, obstacle.reason, obstacle.hint)


def _baseline(tables: MappingTables, catalog: Catalog) -> Iterator[Notice]:
    silent = {
        pattern
        for pattern in {row.policy for row in tables.legacy_baseline}
        if not any(policy_matches(pattern, policy) for policy in catalog.policies.values())
    }
    for row in tables.legacy_baseline:
        if row.policy in silent and catalog.policies:
            yield warning("dead", row.ref, f"`{row.policy}` matches no policy of the catalog")


def _present(snapshot: Snapshot) -> frozenset[tuple[LegacyKind, str]]:
    """Every legacy role and level the snapshot holds."""
    kinds = {"folder": LegacyKind.FOLDER_LEVEL, "collection": LegacyKind.COLLECTION_LEVEL}
    shared = {(kinds[share.content.kind], share.level) for share in snapshot.shares}
    return frozenset(shared | {(LegacyKind.USER_ROLE, user.legacy_role) for user in snapshot.users})


_KNOWN: Final = {LegacyKind.USER_ROLE: LEGACY_ROLES, LegacyKind.FOLDER_LEVEL: LEGACY_LEVELS}
"""Collection levels have no published names: nothing is said about them without a snapshot."""


_SHARERS: Final = ("user", "group")


def _unmapped_known(tables: MappingTables, present: frozenset[tuple[LegacyKind, str]]) -> Iterator[Notice]:
    """Published legacy values that no row translates; what a snapshot holds is told by `usage.missing`."""
    roles = {row.legacy_role for row in tables.user_roles}
    held = {(row.level, row.principal_type) for row in tables.folder_levels}
    levels = {
        level for level, _ in held if (level, ANY) in held or {(level, who) for who in _SHARERS} <= held
    }
    for kind, have in ((LegacyKind.USER_ROLE, roles), (LegacyKind.FOLDER_LEVEL, levels)):
        for value in _KNOWN[kind]:
            if value not in have and (kind, value) not in present:
                at = RowRef(TABLE_OF[kind], 0)
                yield warning("unmapped", at, unmapped(kind, value), unmapped_hint(kind, value))


def _legacy_values(tables: MappingTables, snapshot: Snapshot | None) -> Iterator[Notice]:
    """Legacy words that are neither published nor in the snapshot: most likely misspelt."""
    present = _present(snapshot) if snapshot else frozenset()
    written = chain(
        ((row.ref, LegacyKind.USER_ROLE, row.legacy_role) for row in tables.user_roles),
        ((row.ref, LegacyKind.FOLDER_LEVEL, row.level) for row in tables.folder_levels),
        (
            (row.ref, LegacyKind(row.applies_to), row.legacy)
            for row in tables.overrides
            if row.applies_to != ANY
        ),
        ((row.ref, row.kind, row.legacy) for row in tables.legacy_baseline),
    )
    for ref, kind, value in written:
        known = _KNOWN.get(kind)
        none = kind is LegacyKind.USER_ROLE and not value
        if known and not none and value not in (WILDCARD, *known) and (kind, value) not in present:
            what = "legacy role" if kind is LegacyKind.USER_ROLE else "folder level"
            message = f"`{value or NO_LEGACY_ROLE}` is no known {what}"
            yield warning("unknown-legacy", ref, message, did_you_mean(value, known))
