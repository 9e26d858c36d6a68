"""Put filled-in sign-off sheets together, and tell everything that is wrong with them at once.

A decision counts only for the comparison it was made about, on a row nobody changed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from permmigrate.errors import InvalidFileError, Problem
from permmigrate.signoff.comparison import Comparison
from permmigrate.signoff.value import EDITED, LOCKED, Clause, Decided, Decision, Signed

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_AGAIN: Final = "take the row from a new `permmigrate signoff split`"


@dataclass(frozen=True, slots=True)
class SheetCell:
    """One cell as a person left it."""

    place: str
    """`Sign-off!F12`."""
    text: str
    is_text: bool
    """Whether the sheet holds text or a date there, and not a number."""


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a sheet, its cells by heading."""

    number: int
    cells: Mapping[str, SheetCell]


@dataclass(frozen=True, slots=True)
class Paper:
    """One filled-in workbook."""

    file: str
    account_id: str
    digest: str
    given: tuple[str, ...]
    """The clusters whose rows it was sent out with."""
    headings: tuple[str, ...]
    rows: tuple[Row, ...]


def merge(comparison: Comparison, papers: Sequence[Paper], shown: Callable[[str], str]) -> Signed:
    """Put the papers together; `shown` gives a text as it was written into a cell.

    Raises `InvalidFileError` with every problem as `file sheet!cell`.
    """
    problems: list[Problem] = []
    clauses = {clause.id: clause for clause in comparison.clauses}
    decided: dict[str, Decided] = {}
    for paper in papers:
        for said in _read(paper, comparison, clauses, shown, problems):
            _agree(decided, said, problems)
    if problems:
        raise InvalidFileError("the sign-off cannot be used", problems=tuple(sorted(problems)))
    return Signed(
        account_id=comparison.account_id,
        diff_digest=comparison.digest,
        decided=tuple(decided[cluster] for cluster in sorted(decided)),
        findings={cluster: clauses[cluster].findings for cluster in sorted(decided)},
    )


def _agree(decided: dict[str, Decided], said: Decided, problems: list[Problem]) -> None:
    """Keep what was said first; two who decided differently are a problem, one who said nothing is not."""
    other = decided.get(said.cluster)
    if other is None or other.decision is None:
        decided[said.cluster] = said
    elif said.decision is not None and said.decision is not other.decision:
        file, _, cell = said.where.partition(" ")
        message = (
            f"says {said.decision} about {said.cluster} where {other.owner or 'another owner'} said "
            f"{other.decision} ({other.where})"
        )
        problems.append(Problem(file, 0, message, "let the two agree on one", cell))


def _read(
    paper: Paper,
    comparison: Comparison,
    clauses: Mapping[str, Clause],
    shown: Callable[[str], str],
    problems: list[Problem],
) -> Iterator[Decided]:
    before = len(problems)
    problems.extend(_about_the_whole(paper, comparison))
    if len(problems) > before:
        return
    seen: dict[str, int] = {}
    for row in paper.rows:
        clause = _clause_of(paper, row, clauses, seen, problems)
        if clause is None:
            continue
        changed = list(_changed(paper, row, clause, shown))
        problems.extend(changed)
        said = _said(paper, row, clause, problems)
        if said is not None and not changed:
            yield said
    problems.extend(
        Problem(paper.file, 0, f"the row of cluster {cluster} is missing", _AGAIN)
        for cluster in paper.given
        if cluster not in seen
    )


def _about_the_whole(paper: Paper, comparison: Comparison) -> Iterator[Problem]:
    if paper.account_id != comparison.account_id:
        yield Problem(paper.file, 0, f"is about another account, `{paper.account_id}`", "take it out")
    elif paper.digest != comparison.digest:
        message = "holds decisions about another comparison than this one"
        yield Problem(paper.file, 0, message, "send out new sheets: what is signed must be what was seen")
    for heading in ("Row", "Hash", *LOCKED, *EDITED):
        if heading not in paper.headings:
            yield Problem(paper.file, 0, f"has no column `{heading}`", _AGAIN, "Sign-off!1")


def _clause_of(
    paper: Paper,
    row: Row,
    clauses: Mapping[str, Clause],
    seen: dict[str, int],
    problems: list[Problem],
) -> Clause | None:
    """The cluster a row is about: by its visible id, and by the hidden one when that was spoilt."""
    cell, hidden = row.cells["Cluster"], row.cells["Row"]
    if not cell.text and not hidden.text:
        if any(row.cells[name].text for name in ("Decision", "Comment", "Owner")):
            message = "a row was added: it is about no cluster"
            problems.append(Problem(paper.file, 0, message, "remove the row", cell.place))
        return None
    clause = clauses.get(cell.text) or clauses.get(hidden.text)
    if clause is None or clause.id not in paper.given:
        mangled = not (cell.is_text and hidden.is_text)
        message = (
            f"`{cell.text or hidden.text}` is an id that a spreadsheet turned into a number"
            if mangled
            else f"a row was added: this file was not sent out with cluster `{cell.text or hidden.text}`"
        )
        problems.append(Problem(paper.file, 0, message, _AGAIN if mangled else "remove the row", cell.place))
        return None
    if clause.id in seen:
        message = f"is about cluster {clause.id} again, after row {seen[clause.id]}"
        problems.append(Problem(paper.file, 0, message, "keep one of the two rows", cell.place))
        return None
    seen[clause.id] = row.number
    return clause


def _changed(paper: Paper, row: Row, clause: Clause, shown: Callable[[str], str]) -> Iterator[Problem]:
    """The locked cells that are not what they were."""
    hidden = {"Row": clause.id, "Hash": clause.row_hash}
    for heading, expected in (*zip(LOCKED, clause.locked, strict=True), *hidden.items()):
        cell = row.cells[heading]
        if cell.text.replace("\r\n", "\n") == shown(expected):
            continue
        spoilt = heading in ("Cluster", "Row") and not cell.is_text
        message = (
            f"`{cell.text}` is an id that a spreadsheet turned into a number"
            if spoilt
            else f"the locked cell `{heading}` was changed to `{_short(cell.text)}` from `{_short(expected)}`"
        )
        yield Problem(paper.file, 0, message, _AGAIN, cell.place)


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"


def _said(paper: Paper, row: Row, clause: Clause, problems: list[Problem]) -> Decided | None:
    cell = row.cells["Decision"]
    word = cell.text.strip().casefold()
    if word and word not in [decision.value for decision in Decision]:
        message = f"`{_short(cell.text)}` is not a decision"
        problems.append(Problem(paper.file, 0, message, "approve, reject or ask", cell.place))
        return None
    owner = row.cells["Owner"].text.strip()
    if word and not owner:
        message = "nobody is named as the owner of this decision"
        problems.append(Problem(paper.file, 0, message, "write who decided", row.cells["Owner"].place))
    when = row.cells["Date"]
    if when.text.strip() and not _is_date(when.text.strip()):
        message = f"`{_short(when.text)}` is not a date"
        problems.append(Problem(paper.file, 0, message, "write YYYY-MM-DD", when.place))
    return Decided(
        cluster=clause.id,
        contents=clause.contents,
        decision=Decision(word) if word else None,
        owner=owner,
        comment=row.cells["Comment"].text.strip(),
        date=when.text.strip(),
        where=f"{paper.file} {cell.place}",
    )


def _is_date(text: str) -> bool:
    try:
        return bool(_DATE.fullmatch(text)) and bool(date.fromisoformat(text))
    except ValueError:
        return False


def still_open(comparison: Comparison, signed: Iterable[Decided]) -> tuple[Clause, ...]:
    """The clusters nobody approved or rejected, or whose findings are others than when somebody did."""
    closed = {
        (each.cluster, each.contents)
        for each in signed
        if each.decision in (Decision.APPROVE, Decision.REJECT)
    }
    return tuple(clause for clause in comparison.clauses if (clause.id, clause.contents) not in closed)
