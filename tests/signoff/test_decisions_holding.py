"""Which decisions hold: an approval for exactly what was seen, a rejection for whatever is left of it."""

from __future__ import annotations

import pytest

from permmigrate.diff.clusters import Cluster
from permmigrate.diff.value import Region, RegionKind, Severity, Verdict
from permmigrate.plan import Standing
from permmigrate.signoff.holding import holding
from permmigrate.signoff.value import Decided, Decision, Signed


def cluster(identity: str, digest: str, *findings: str) -> Cluster:
    region = Region(RegionKind.ACCOUNT, "", "", "the account")
    counts, worst = {Verdict.GAINED: len(findings)}, {Severity.HIGH: len(findings)}
    return Cluster(identity, ("r:2",), "groups", region, counts, worst, 1, findings[:3], findings, digest)


def said(decision: Decision | None, *findings: str, cluster: str = "c-1") -> Signed:
    return Signed("acc", "d", (Decided(cluster, "as seen", decision),), {cluster: findings})


YES, NO = Standing.SIGNED, Standing.REJECTED


@pytest.mark.parametrize(
    ("signed", "now", "expected", "over"),
    [
        (said(Decision.APPROVE, "f-1"), cluster("c-1", "as seen", "f-1"), {"f-1": YES}, 0),
        (said(Decision.APPROVE, "f-1"), cluster("c-1", "grown", "f-1", "f-2"), {}, 1),
        (said(Decision.APPROVE, "f-1"), cluster("c-2", "as seen", "f-1"), {}, 0),
        (said(Decision.REJECT, "f-1"), cluster("c-1", "grown", "f-1", "f-2"), {"f-1": NO, "f-2": NO}, 0),
        (said(Decision.REJECT, "f-1"), cluster("c-2", "moved", "f-1"), {"f-1": NO}, 0),
        (said(Decision.ASK, "f-1"), cluster("c-1", "as seen", "f-1"), {}, 0),
        (said(None, "f-1"), cluster("c-1", "as seen", "f-1"), {}, 0),
    ],
)
def test_what_was_decided_holds_for_what_was_seen(
    signed: Signed, now: Cluster, expected: dict[str, Standing], over: int
) -> None:
    """Nobody approved what came later; what was refused stays refused."""
    signoff, lost = holding(signed, [now])
    assert (expected, over) == (dict(signoff.standings), len(lost))


def test_a_rejection_outweighs_an_approval() -> None:
    """A finding that was rejected in one cluster and approved in another is rejected."""
    both = (Decided("c-1", "x", Decision.REJECT), Decided("c-2", "y", Decision.APPROVE))
    signed = Signed("acc", "d", both, {"c-1": ("f-1",), "c-2": ("f-1", "f-2")})
    signoff, _ = holding(signed, [cluster("c-2", "y", "f-1", "f-2")])
    assert {"f-1": NO, "f-2": YES} == dict(signoff.standings)
