"""Finish a comparison or a readiness for reading: every number, sentence and row, sorted, once.

This package counts here and in the table modules beside it and nowhere else, so that the page, the workbook
and the document agree by construction. It decides nothing about access and formats nothing.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING

from permmigrate.catalog import is_illustrative
from permmigrate.diff import Diff, Severity, Verdict
from permmigrate.diff.clusters import Cluster, cluster
from permmigrate.diff.findings import outcomes
from permmigrate.model import PrincipalType
from permmigrate.report import (
    administrators,
    cause_table,
    cluster_table,
    concern_table,
    evidence,
    findings,
    matrices,
    plan_table,
)
from permmigrate.report.assessment import readiness_view
from permmigrate.report.text import plural
from permmigrate.report.value import Banner, DiffView, Figure, Notice, ReadinessView
from permmigrate.report.whereabouts import whereabouts
from permmigrate.report.words import banner_sentence, dormant_sentence
from permmigrate.snapshot import Snapshot

if TYPE_CHECKING:
    from permmigrate.diff.counterfactuals import Counterfactual
    from permmigrate.plan import Plan

Tally = Counter[tuple[Verdict, Severity]]
"""Findings by verdict and severity."""

__all__ = ["DiffView", "ReadinessView", "diff_view", "readiness_view"]


def diff_view(
    diff: Diff,
    snapshot: Snapshot,
    *,
    plan: Plan | None = None,
    no_plan: str = "",
    explain: str = "--in account.snapshot",
    weighed: Iterable[tuple[Counterfactual, ...]] = (),
) -> DiffView:
    """Finish a comparison for reading; `snapshot` is the one it was made from.

    `plan` is what would be done, `no_plan` why there is none, and `explain` what follows a finding's id when
    `permmigrate explain` is asked about it. `weighed` has the causes that were weighed against giving less.
    """
    planned = diff.is_planned
    tally = Counter(outcomes(diff.findings))
    clusters = cluster(diff, snapshot)
    cluster_of = {finding: each.id for each in clusters for finding in each.findings}
    expansions, reductions, undecided = findings.finding_tables(diff, snapshot, cluster_of, planned=planned)
    principals = findings.principal_table(diff)
    changes = {each[0].cause: tuple(one.effect for one in each) for each in weighed if each}
    causes = cause_table.table(diff, changes, planned=planned)
    places = findings.place_table(diff, snapshot)
    tables = (
        evidence.area_table(snapshot),
        evidence.gap_table(snapshot),
        findings.uncertainty_table(diff),
        evidence.orphan_table(snapshot),
        causes,
        cluster_table.table(diff, snapshot, clusters),
        administrators.table(diff),
        concern_table.table(diff, snapshot),
        expansions,
        reductions,
        undecided,
        findings.key_table(diff, snapshot),
        principals,
        places,
        cause_table.coverage(diff),
        *plan_table.tables(plan),
        evidence.hygiene_table(snapshot),
        evidence.ledger_table(snapshot),
        findings.capability_table(diff),
    )
    return DiffView(
        account_id=diff.account_id,
        captured_at=diff.captured_at,
        compared_with=diff.compared_with,
        planned=planned,
        illustrative=is_illustrative(diff.catalog_source),
        complete=diff.complete,
        comparison=_comparison(diff, clusters),
        banner=_banner(diff, snapshot, tally),
        figures=_figures(diff, tally),
        read_summary=evidence.read_summary(snapshot),
        known_summary=_known_summary(diff),
        risks=tuple(Notice(*risk) for risk in administrators.risks(diff)),
        tables=tables,
        places=whereabouts(places, snapshot),
        by_kind=matrices.outcomes_by_kind(diff),
        by_legacy_role=matrices.outcomes_by_legacy_role(diff, snapshot),
        roles=matrices.roles_before_and_after(diff, snapshot),
        thresholds=matrices.thresholds(tally),
        folders=matrices.folder_tree(places, findings.COUNTED),
        plan=plan_table.overview(plan, no_plan),
        explain=explain,
        assumptions=diff.assumptions,
        not_checked=NOT_CHECKED,
        digests=tuple((label, digest) for label, digest in _digests(diff) if digest),
        provenance=_provenance(diff, snapshot),
        sizes=evidence.size_rows(snapshot),
    )


def _comparison(diff: Diff, clusters: tuple[Cluster, ...]) -> str:
    """What was compared, and every finding by way of its cluster."""
    about = (diff.account_id, diff.compared_with, *(digest for _, digest in _digests(diff)))
    found = sorted(f"{each.id} {each.digest}" for each in clusters)
    return hashlib.sha256("\n".join((*about, *found)).encode("utf-8", "surrogatepass")).hexdigest()


NOT_CHECKED = (
    "Whether a feature is part of the account's plan: a role may allow what the plan does not offer.",
    "What an identity provider will rewrite at the next log-in: group membership is taken as it was read.",
    "Product environments, folders, users and keys created after the snapshot was taken.",
    "Delivery of assets by URL, signed or not: only permissions of users, groups and keys are compared.",
    "What legacy roles allowed beyond what the baseline table states; the unknown counts as maybe.",
)


def _banner(diff: Diff, snapshot: Snapshot, tally: Tally) -> Banner:
    headline = diff.headline
    planned = diff.is_planned
    gained = _principals_with(diff, Verdict.GAINED)
    sentence = banner_sentence(
        headline,
        gained,
        _principals_with(diff, Verdict.MAYBE_GAINED),
        planned=planned,
    )
    telling = Verdict.GAINED if headline == "EXPANDS" else Verdict.MAYBE_GAINED
    details = []
    if dormant := dormant_sentence(_principals_with(diff, telling, dormant=True), planned=planned):
        details.append(dormant)
    expansions = sum(count for (verdict, _), count in tally.items() if verdict.is_expansion)
    grave = sum(
        count
        for (verdict, severity), count in tally.items()
        if verdict.is_expansion and severity in (Severity.CRITICAL, Severity.HIGH)
    )
    if expansions:
        details.append(f"{plural(expansions, 'expansion')}, certain or possible; {grave:,} critical or high.")
    unsure = sum(count for (verdict, _), count in tally.items() if verdict is Verdict.UNKNOWN)
    if unsure:
        details.append(f"{plural(unsure, 'finding')} could not be decided either way.")
    if snapshot.orphan_shares:
        details.append(evidence.orphan_sentence(snapshot))
    if snapshot.gaps:
        details.append(f"{plural(len(snapshot.gaps), 'read')} left a gap, so absence is not proved there.")
    if headline == "NO EXPANSION PROVED":
        details.append(f"{plural(diff.decided, 'question')} decided, none left open, nothing unread.")
    tone = {"EXPANDS": "gained", "INCOMPLETE": "maybe"}.get(headline, "good")
    return Banner(headline, tone, sentence, tuple(details))


def _principals_with(diff: Diff, verdict: Verdict, *, dormant: bool = False) -> dict[PrincipalType, int]:
    """How many of each kind have such a finding; with `dormant`, those only who cannot act today."""
    return dict(
        Counter(
            summary.principal.type
            for summary in diff.principals
            if summary.counts.get(verdict) and (summary.dormant or not dormant)
        )
    )


def _figures(diff: Diff, tally: Tally) -> tuple[Figure, ...]:
    findings_by: Counter[Verdict] = Counter()
    for (verdict, _), count in tally.items():
        findings_by[verdict] += count
    principals_by = Counter(v for summary in diff.principals for v, count in summary.counts.items() if count)
    untouched = sum(not any(summary.counts.values()) for summary in diff.principals)

    def figure(verdict: Verdict) -> Figure:
        note = f"for {plural(principals_by[verdict], 'principal')}"
        return Figure(verdict.value.replace(" ", "_"), verdict.value, findings_by[verdict], note)

    shown = (Verdict.GAINED, Verdict.MAYBE_GAINED, Verdict.LOST, Verdict.MAYBE_LOST, Verdict.UNKNOWN)
    note = f"{'principal' if untouched == 1 else 'principals'} without a finding"
    unchanged = Figure("unchanged", "unchanged", untouched, note)
    return (*(figure(verdict) for verdict in shown), unchanged)


def _known_summary(diff: Diff) -> str:
    if not diff.uncertainties:
        placed = "has a mapping row" if diff.is_planned else "could be compared"
        return f"Every legacy grant {placed}, and every statement could be decided."
    most = max(uncertainty.findings for uncertainty in diff.uncertainties)
    return (
        f"{plural(len(diff.uncertainties), 'thing')} could not be known or decided; "
        f"the one that matters most touches {plural(most, 'finding')}."
    )


def _provenance(diff: Diff, snapshot: Snapshot) -> tuple[tuple[str, str], ...]:
    return (
        ("Account", diff.account_id),
        ("Snapshot taken", diff.captured_at),
        ("Compared with", diff.compared_with),
        ("permmigrate", diff.tool_version),
        ("API", snapshot.api_url or "not recorded"),
        ("Roles and policies from", diff.catalog_source or "not recorded"),
        *((f"{label} digest", digest or "none") for label, digest in _digests(diff)),
        ("Questions decided", f"{diff.decided:,}"),
    )


def _digests(diff: Diff) -> tuple[tuple[str, str], ...]:
    return (
        ("Snapshot", diff.snapshot_digest),
        ("Mapping", diff.mapping_digest),
        ("Catalog", diff.catalog_digest),
    )
