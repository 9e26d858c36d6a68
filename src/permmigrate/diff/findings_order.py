"""The order in which findings are told: the worst first, then by verdict, principal, place and what it is.

Findings in columns are not made for it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from permmigrate.diff.order import order_by
from permmigrate.diff.regions import place_of
from permmigrate.diff.value import Severity
from permmigrate.diff.verdicts import COMPARED
from permmigrate.snapshot.shares import Ints, Small

if TYPE_CHECKING:
    from permmigrate.diff.findings import Findings


def order_of(findings: Findings) -> Ints:
    """The numbers of the findings as they are sorted; those in the columns come before the extra ones."""
    found, rows = findings.gathered, findings.rows
    severity, verdict, principal, place, told = _extra(findings)
    region_rank = _region_ranks(findings, place)
    principal_rank = _ranks([str(one) for one in findings.entitlements.principals])
    told_rank = _ranks([*findings.capabilities_of_kinds, *(one.capabilities for one in findings.extra)])
    verdict_of = np.array([kind.verdict for kind in findings.kinds], dtype=np.int32)
    keys: tuple[tuple[int, Callable[[Ints], Small], Ints], ...] = (
        (len(Severity), lambda at: findings.severity[at], severity),
        (len(COMPARED), lambda at: verdict_of[found.kind[at]], verdict),
        (len(principal_rank), lambda at: principal_rank[found.principal[at]], principal_rank[principal]),
        (len(region_rank), lambda at: region_rank[found.place[at]], region_rank[place]),
        (len(told_rank), lambda at: told_rank[found.kind[at]], told_rank[told]),
    )

    def key(number: int, some: slice) -> Small:
        _, of_rows, of_extra = keys[number]
        extra = slice(max(some.start - len(rows), 0), max(some.stop - len(rows), 0))
        return np.concatenate([of_rows(rows[some]), of_extra[extra]])

    numbers = np.concatenate([rows, len(found.kind) + np.arange(len(findings.extra), dtype=np.int32)])
    return numbers[order_by([highest for highest, *_ in keys], key, len(numbers))]


def _extra(findings: Findings) -> Ints:
    """Of each extra finding a column: severity, verdict, principal, place, and what it is."""
    principals = {one: number for number, one in enumerate(findings.entitlements.principals)}
    places, kinds = findings.entitlements.places, len(findings.kinds)
    columns = [
        (
            one.severity.rank,
            COMPARED.index(one.verdict),
            principals[one.principal],
            places.number(one.region.environment_id, place_of(one.region)),
            kinds + number,
        )
        for number, one in enumerate(findings.extra)
    ]
    return np.array(columns, dtype=np.int32).reshape(-1, 5).T


def _region_ranks(findings: Findings, more: Ints) -> Ints:
    """By the numbers of places, how those sort in words that some finding is at."""
    used = np.union1d(findings.places, more)
    regions = (findings.region(at, 0) for at in used.tolist())
    ranks = np.zeros(len(findings.entitlements.places), dtype=np.int32)
    ranks[used] = _ranks([(one.label, one.environment_id, one.content_id) for one in regions])
    return ranks


def _ranks(values: Sequence[Any]) -> Ints:
    """Each value's place among all of them, sorted; equal values have one place."""
    ranks = np.zeros(len(values), dtype=np.int32)
    place, last = -1, object()
    for number in sorted(range(len(values)), key=values.__getitem__):
        if values[number] != last:
            place, last = place + 1, values[number]
        ranks[number] = place
    return ranks
