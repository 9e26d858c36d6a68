"""Judge how ready an account is to move: every area, the figure, and whether all of it is known."""

from __future__ import annotations

from typing import Final

from permmigrate.diff import Diff
from permmigrate.mapping.lint import Notice
from permmigrate.mapping.tables import MappingTables
from permmigrate.readiness import (
    access,
    collection_shares,
    completeness,
    folder_shares,
    groups,
    keys,
    people,
    policies,
)
from permmigrate.readiness.evidence import Evidence
from permmigrate.readiness.scoring import figure
from permmigrate.readiness.value import AreaVerdict, Readiness
from permmigrate.snapshot import Snapshot

_AREAS: Final = (people, groups, keys, folder_shares, collection_shares, policies, access, completeness)


def assess(
    snapshot: Snapshot, tables: MappingTables, diff: Diff, *, notices: tuple[Notice, ...] = ()
) -> Readiness:
    """Judge a snapshot before the move.

    `diff` compares this snapshot by these tables, and `notices` are what `mapping.lint` found in them.
    Ages are counted to the moment of the capture, so the same files give the same report on any day.
    """
    evidence = Evidence(snapshot, tables, diff, notices)
    areas = tuple(module.assess_area(evidence) for module in _AREAS)
    score, arithmetic = figure(areas)
    unknown = any(area.verdict is AreaVerdict.UNKNOWN for area in areas)
    return Readiness(
        account_id=snapshot.account_id,
        captured_at=snapshot.captured_at,
        tool_version=diff.tool_version,
        snapshot_digest=snapshot.digest,
        mapping_digest=tables.digest,
        catalog_digest=snapshot.catalog.digest,
        catalog_source=snapshot.catalog.source,
        areas=areas,
        score=score,
        arithmetic=arithmetic,
        complete=diff.complete and not (unknown or snapshot.gaps or snapshot.orphan_shares),
    )
