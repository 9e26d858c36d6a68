"""Concerns, the thresholds and the folder tree say what the comparison says."""

from __future__ import annotations

from dataclasses import replace

import report_builders as builders

from permmigrate.diff import Concern, ConcernKind, Severity, Verdict
from permmigrate.model import PrincipalRef, PrincipalType
from permmigrate.report import html
from permmigrate.report.view import diff_view
from permmigrate.resources import templates_dir

ACCOUNT = builders.snapshot()
KEY = PrincipalRef(PrincipalType.API_KEY, ACCOUNT.api_keys[0].id)
USER = PrincipalRef(PrincipalType.USER, "u00001")
CONCERNS = (
    Concern(ConcernKind.FUTURE_SCOPE, USER, Severity.HIGH, "holds it in tomorrow's environments", ("one",)),
    Concern(ConcernKind.ADMIN_PROMOTION, USER, Severity.CRITICAL, "becomes an administrator", ("roles",)),
    Concern(ConcernKind.KEY_DENIED, KEY, Severity.HIGH, "would get 403", ("Upload API: upload",)),
    Concern(ConcernKind.KEY_OVERPOWERED, KEY, Severity.HIGH, "holds more", ("Admin API: delete",)),
)


def test_concerns_stand_where_readers_look() -> None:
    """Promotions with the administrators, wider scopes with the expansions, operations with the keys."""
    view = diff_view(builders.diff(concerns=CONCERNS), ACCOUNT)
    assert [c.kind.value for c in CONCERNS] == view.table("concerns").values("kind")
    [row] = view.concerns("admin promotion", "Promotions").rows
    assert "becomes an administrator" in row
    page = html.render(view, templates_dir())
    administrators = page.partition('<section id="administrators"')[2].partition("</section>")[0]
    assert "becomes an administrator" in administrators
    assert "Equal today, wider tomorrow" in page
    key = next(r for r in view.table("keys").records() if r["principal_id"] == KEY.id)
    assert (("Upload API: upload",), ("Admin API: delete",)) == (key["refused"], key["more"])


def test_thresholds_add_up_what_is_worse() -> None:
    """The last threshold counts every expansion and everything undecided."""
    diff = builders.diff()
    view = diff_view(diff, ACCOUNT)
    counts = [row for _, row in view.thresholds.rows]
    assert counts == sorted(counts)
    gated = (Verdict.GAINED, Verdict.MAYBE_GAINED, Verdict.UNKNOWN)
    assert tuple(diff.counts[verdict] for verdict in gated) == counts[-1]


def test_the_tree_adds_up() -> None:
    """What stands at the top of the tree is all there is, and nobody has more below than in all."""
    diff = builders.diff()
    view = diff_view(diff, ACCOUNT)
    tops = [branch.counts for branch in view.folders.branches if not branch.depth]
    found = dict(zip(view.folders.columns, map(sum, zip(*tops, strict=True)), strict=True))
    assert found == {word: diff.counts[Verdict(word)] for word in view.folders.columns}


def test_sensitivity_is_told() -> None:
    """The label that raised a severity stands with the finding."""
    diff = builders.diff()
    first = replace(diff.findings[0], sensitivity="confidential")
    view = diff_view(replace(diff, findings=(first, *diff.findings[1:])), ACCOUNT)
    rows = [*view.table("expansions").records(), *view.table("reductions").records()]
    rows += [*view.table("undecided").records()]
    assert [first.id] == [row["id"] for row in rows if row["sensitivity"]]


def test_no_plan_says_why() -> None:
    """A plan that was refused is told with its reason, and nothing is said when nothing was to be planned."""
    refused = html.render(diff_view(builders.diff(), ACCOUNT, no_plan="nobody may write"), templates_dir())
    assert "There is no plan: nobody may write." in refused
    assert 'id="plan"' not in html.render(diff_view(builders.diff(), ACCOUNT), templates_dir())
