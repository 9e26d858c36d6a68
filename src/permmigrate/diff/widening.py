"""Count what widens, or may, by whom it is for and by what makes it, without making a finding of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from permmigrate.diff.findings import Findings
from permmigrate.diff.parts import ranges
from permmigrate.diff.value import Finding, Verdict
from permmigrate.diff.verdicts import COMPARED
from permmigrate.model import PrincipalRef

Pair = tuple[PrincipalRef, str]
"""Who, and the mapping row by which."""


def is_widening(verdict: Verdict) -> bool:
    """Whether somebody has to decide about it: gained, maybe gained or unknown."""
    return verdict.is_expansion or verdict is Verdict.UNKNOWN


def pairs_of(finding: Finding) -> Iterator[Pair]:
    """Everybody for whom a finding holds, with each of its causes."""
    return ((who, cause) for cause in finding.causes for who in finding.principals)


def widening(findings: Sequence[Finding]) -> Counter[Pair]:
    """How many findings that somebody has to decide about hold for each principal by each cause."""
    counted: Counter[Pair] = Counter()
    rest: Iterable[Finding] = findings
    if isinstance(findings, Findings):
        counted.update(_of_columns(findings))
        rest = findings.extra
    for finding in rest:
        if is_widening(finding.verdict):
            counted.update(pairs_of(finding))
    return counted


def _of_columns(findings: Findings) -> dict[Pair, int]:
    found, kinds = findings.gathered, findings.kinds
    causes = sorted({cause for kind in kinds for cause in kind.causes})
    makes = np.array(
        [
            [is_widening(COMPARED[kind.verdict]) and cause in kind.causes for cause in causes]
            for kind in kinds
        ],
        dtype=bool,
    ).reshape(len(kinds), len(causes))
    rows = findings.rows
    rows = rows[np.asarray(makes.any(axis=1))[found.kind[rows]]]
    columns = [np.flatnonzero(each) for each in list(makes)]
    principals = findings.entitlements.principals
    totals = np.zeros((len(principals), len(causes)), dtype=np.int64)
    _add(totals, makes, found.principal[rows], found.kind[rows])
    own, end = np.searchsorted(rows, [found.groups, found.groups + found.users])
    users = rows[own:end]
    begins = found.first_other[users - found.groups].astype(np.intp)
    which, others = ranges(begins, begins + found.number_of_others[users - found.groups])
    _add(totals, makes, found.others[others], found.kind[users[which]])
    for row in rows[:own].tolist():
        totals[found.others_of(row)[:, None], columns[int(found.kind[row])]] += 1
    return {
        (principals[who], causes[cause]): int(totals[who, cause])
        for who, cause in zip(*(each.tolist() for each in np.nonzero(totals)), strict=True)
    }


def _add(
    totals: npt.NDArray[np.int64],
    makes: npt.NDArray[np.bool_],
    principal: npt.NDArray[np.integer],
    kind: npt.NDArray[np.integer],
) -> None:
    """Count entries of two columns by principal, for each cause that their kind has."""
    for cause in range(totals.shape[1]):
        totals[:, cause] += np.bincount(principal[makes[kind, cause]], minlength=len(totals))
