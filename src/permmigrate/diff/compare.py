"""Turn a snapshot and its mapping (or the roles really assigned) into a `Diff`. It only computes."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import TYPE_CHECKING

from permmigrate.diff.automaton import Automaton
from permmigrate.diff.capabilities import CapabilityIndex
from permmigrate.diff.concerns import concerns_of
from permmigrate.diff.findings import Findings
from permmigrate.diff.gathering import Gathering
from permmigrate.diff.merge import MERGE_ASSUMPTIONS, merged
from permmigrate.diff.people import Summaries, risen
from permmigrate.diff.profiles import Profiles, askers
from permmigrate.diff.replay import Replay
from permmigrate.diff.sensitivity import rated
from permmigrate.diff.solve import settled
from permmigrate.diff.standing import Standing
from permmigrate.diff.tally import INCOMPLETE, causes_of, counts_of, coverage_of, expired, uncertainties_of
from permmigrate.diff.value import BY_MAPPING, Diff
from permmigrate.entitlements import (
    ASSUMPTIONS,
    NO_ROW,
    NOT_CARRIED_OVER,
    UNREAD_SHARES,
    Assigned,
    Entitlements,
    as_assigned,
)
from permmigrate.mapping.custom_roles import with_new_roles
from permmigrate.mapping.tables import MappingTables
from permmigrate.mapping.translate import translate
from permmigrate.memory import trim, uncollected
from permmigrate.snapshot import Snapshot

if TYPE_CHECKING:
    from permmigrate.diff.solve_ask import Answers


@uncollected()
def compare(
    snapshot: Snapshot,
    tables: MappingTables,
    *,
    today: date,
    tool_version: str,
    assigned: Snapshot | None = None,
    answers: Answers | None = None,
) -> Diff:
    """Compare the legacy side of `snapshot` with what comes after it.

    After is what the tables make of the legacy grants, beside the roles that are assigned already. When
    `assigned` is given, it is the roles, groups, people, custom policies and catalog of that (usually later)
    snapshot of the same account: what the vendor's own migration left behind. `answers` spares comparisons
    of one account the solver's time for what it was asked before.
    """
    entitlements = entitled(snapshot, tables, today=today, assigned=assigned)
    compared_with = BY_MAPPING if assigned is None else f"the roles assigned on {assigned.captured_at}"
    comparison = _Comparison(entitlements, tables, compared_with, assigned, today)
    diff = comparison.run(tool_version)
    trim()
    diff = settled(diff, entitlements, answers)
    diff = rated(diff, tables.sensitivities, entitlements)
    return replace(diff, concerns=concerns_of(entitlements, tables, diff.principals))


def entitled(
    snapshot: Snapshot, tables: MappingTables, *, today: date, assigned: Snapshot | None = None
) -> Entitlements:
    """Both sides of a comparison as it was or is asked for: see `compare`."""
    if assigned is not None:
        after = Assigned(None, tuple(as_assigned(one) for one in assigned.assignments))
        return Entitlements(merged(snapshot, assigned), tables, after, earlier=snapshot)
    extended = with_new_roles(snapshot, tables)
    translation = translate(extended, tables, today=today)
    return Entitlements(extended, tables, Assigned.of_plan(translation.planned, extended), translation)


@dataclass
class _Comparison:
    entitlements: Entitlements
    tables: MappingTables
    compared_with: str
    assigned: Snapshot | None
    today: date

    def run(self, tool_version: str) -> Diff:
        entitlements, snapshot = self.entitlements, self.entitlements.snapshot
        index = CapabilityIndex(entitlements.compiler.universes, self.tables)
        automaton = Automaton(askers(entitlements))
        profiles = Profiles(entitlements, automaton)
        gathered = Gathering(entitlements, automaton, profiles).run()
        replay = Replay.of(entitlements, gathered, automaton.kinds)
        gathered, standing = replay.gathered, Standing(profiles)
        findings = Findings(entitlements, gathered, replay.kinds, automaton.askers, index, standing, replay)
        rising = partial(risen, entitlements, index, gathered, replay.kinds)
        people = Summaries(entitlements, index, profiles, gathered.counts, rising)
        uncertainties = uncertainties_of(
            entitlements, findings, self.assigned, expired(self.tables, self.today)
        )
        return Diff(
            account_id=snapshot.account_id,
            captured_at=snapshot.captured_at,
            tool_version=tool_version,
            snapshot_digest=snapshot.digest,
            mapping_digest=self.tables.digest,
            catalog_digest=snapshot.catalog.digest,
            catalog_source=snapshot.catalog.source,
            compared_with=self.compared_with,
            capabilities=findings.capabilities,
            findings=findings,
            causes=causes_of(findings, self._cause_words()),
            principals=people,
            coverage=coverage_of(entitlements.translation, self.tables),
            uncertainties=(*uncertainties, *replay.uncertainties),
            assumptions=ASSUMPTIONS if self.assigned is None else ASSUMPTIONS + MERGE_ASSUMPTIONS,
            complete=not any(u.kind in INCOMPLETE for u in uncertainties),
            decided=gathered.decided,
            counts=counts_of(findings, people.without_findings),
        )

    def _cause_words(self) -> dict[str, tuple[str, str]]:
        """What each cause says, and how sure it is."""
        words = {str(ref): (text, confidence) for ref, text, _, confidence in self.tables.rows()}
        words[NO_ROW] = ("a legacy grant that no row translates", "unknown")
        words[NOT_CARRIED_OVER] = ("a legacy grant that no assigned role carries over", "")
        words[UNREAD_SHARES] = ("legacy folder and collection shares, of which no list was given", "unknown")
        for role in self.entitlements.snapshot.catalog.roles.values():
            words[f"assigned {role.id}"] = (f"{role.level} role {role.name}, as assigned already", "")
        return words
