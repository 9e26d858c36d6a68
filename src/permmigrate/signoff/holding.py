"""Which decisions hold for a comparison made now: what was approved is exactly what was seen.

It compares contents and asks nobody. An approval of what is not the same any more counts for nothing; a
rejection goes on counting for what is left of it.
"""

from __future__ import annotations

from collections.abc import Iterable

from permmigrate.diff.clusters import Cluster
from permmigrate.plan import Standing
from permmigrate.plan.signoff import Signoff
from permmigrate.signoff.value import Decided, Decision, Signed


def holding(signed: Signed, clusters: Iterable[Cluster]) -> tuple[Signoff, tuple[Decided, ...]]:
    """What was said of each finding, and the approvals that do not hold because their cluster is another now.

    `clusters` are those of the comparison that is planned from: a cluster has another digest when there are
    other findings in it, or when they hold for other people.
    """
    now = {each.id: each for each in clusters}
    approved: dict[str, Standing] = {}
    rejected: dict[str, Standing] = {}
    over: list[Decided] = []
    for said in signed.decided:
        cluster = now.get(said.cluster)
        if said.decision is Decision.REJECT:
            left = cluster.findings if cluster else ()
            rejected |= dict.fromkeys((*signed.findings.get(said.cluster, ()), *left), Standing.REJECTED)
        elif said.decision is Decision.APPROVE and cluster is not None:
            if cluster.digest == said.contents:
                approved |= dict.fromkeys(cluster.findings, Standing.SIGNED)
            else:
                over.append(said)
    return Signoff(approved | rejected), tuple(over)
