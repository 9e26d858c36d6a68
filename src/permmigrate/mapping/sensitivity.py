"""How sensitive folders are: sensitivity.csv, whose rows raise the severity of what is found there.

The first row that fits a folder decides, and what it says holds for everything in that folder. It knows no
snapshot: which folders there are is asked of it one path at a time.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Final

from permmigrate.mapping.globs import covers, matches, matches_name
from permmigrate.mapping.notices import Notice, warning
from permmigrate.mapping.reading import Cells
from permmigrate.mapping.rows import WILDCARD, Row
from permmigrate.mapping.schema import SEVERITIES, Table
from permmigrate.mapping.value import RowRef
from permmigrate.model import ProductEnvironment
from permmigrate.snapshot import Snapshot

if TYPE_CHECKING:
    from permmigrate.mapping.tables import MappingTables

ANYWHERE: Final = "**"
_AT_LEAST: Final = "at least "
_STEPS: Final = {"0": 0, "1": 1, "2": 2, "3": 3}


@dataclass(frozen=True, slots=True, kw_only=True)
class SensitivityRow(Row):
    """sensitivity.csv: what some folders are called, and how much worse that makes what is found there."""

    environment: str
    """A glob on the environment's id or cloud name."""
    folder: str
    """`/legal/**`, `**/contracts`: `*` and `?` within a name, `**` for any number of folders."""
    label: str
    steps: int = 0
    """How many severities up; 0 leaves it, which takes a folder out of a later row."""
    at_least: str = ""
    """The least severity there, or empty."""
    reason: str = ""

    def raised(self, severity: str) -> str:
        """The severity of a finding in such a folder that would be `severity` anywhere else."""
        rank = SEVERITIES.index(severity) - self.steps
        if self.at_least:
            rank = min(rank, SEVERITIES.index(self.at_least))
        return SEVERITIES[max(rank, 0)]

    @property
    def raises(self) -> bool:
        """Whether the row makes anything more severe, or only takes its folders out of later rows."""
        return bool(self.steps or self.at_least)

    def fits(self, environment: ProductEnvironment) -> bool:
        """Whether the row speaks of the environment."""
        cloud_name = environment.cloud_name
        return matches(self.environment, environment.id) or matches_name(self.environment, cloud_name)


class Folders:
    """The rows that speak of one environment, asked by path."""

    def __init__(self, rows: Sequence[SensitivityRow], environment: ProductEnvironment) -> None:
        self._rows = tuple(row for row in rows if row.fits(environment))
        self._first = re.compile("|".join(f"({_expression(row.folder)})" for row in self._rows))

    def row(self, path: str) -> SensitivityRow | None:
        """The first row that fits the folder or one above it."""
        if not self._rows:
            return None
        found = self._first.match(path.casefold() + "/")
        return self._rows[found.lastindex - 1] if found is not None and found.lastindex else None


@cache
def _expression(glob: str) -> str:
    """A pattern on a path in lower case, each of its names followed by a slash."""
    names = glob.casefold().strip("/").split("/")
    if names[-1] == ANYWHERE:
        names.pop()
    parts = []
    for name in names:
        if name == ANYWHERE:
            parts.append("(?:[^/]+/)*")
        else:
            literal = re.escape(name).replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
            parts.append(literal + "/")
    return "".join(parts)


def parse(cells: Cells) -> SensitivityRow:
    """Read one row."""
    steps, at_least = _raise(cells)
    return SensitivityRow(
        origin=cells.origin(),
        environment=cells.required("environment", "`*` for every environment"),
        folder=_folder(cells),
        label=cells.required("label", "one word for readers, such as `confidential`"),
        steps=steps,
        at_least=at_least,
        reason=cells.optional("reason"),
    )


SENSITIVITY: Final = Table(
    "sensitivity.csv",
    ("environment", "folder", "label", "raise", "reason", "source", "confidence", "note"),
    parse,
    may_be_absent=True,
)


def _folder(cells: Cells) -> str:
    glob = cells.required("folder", "`/legal/**` for one folder at the top, `**/contracts` for any of a name")
    if not glob:
        return "/"
    if not glob.startswith(("/", ANYWHERE)):
        message = f"`{glob}` does not say where the folder is"
        cells.wrong(message, f"write `/{glob}` for the one at the top, or `**/{glob}` for any of that name")
    names = glob.strip("/").split("/")
    if any(ANYWHERE in name and name != ANYWHERE for name in names):
        cells.wrong(f"`**` stands alone between slashes, unlike in `{glob}`", "use `*` within a name")
    elif "" in names:
        cells.wrong(f"`{glob}` has a folder without a name", "`/**` means every folder")
    return glob


def _raise(cells: Cells) -> tuple[int, str]:
    words = [f"{_AT_LEAST}{severity}" for severity in SEVERITIES if severity != SEVERITIES[-1]]
    text = cells.word("raise", (*_STEPS, *words))
    return _STEPS.get(text, 0), text.removeprefix(_AT_LEAST) if text.startswith(_AT_LEAST) else ""


def describe(row: SensitivityRow) -> str:
    """One row in words."""
    where = "" if row.environment == WILDCARD else f" of environment {row.environment}"
    if row.at_least:
        what = f"what is found there is {row.at_least} at least"
    elif row.steps:
        what = f"what is found there is {row.steps} step{'' if row.steps == 1 else 's'} more severe"
    else:
        what = "no more severe than elsewhere"
    return f"folders {row.folder}{where} are {row.label}: {what}"


def covering(first: SensitivityRow, later: SensitivityRow) -> bool:
    """Whether an earlier row surely leaves nothing to a later one."""
    same = _expression(first.folder) in ("", _expression(later.folder))
    return same and covers(first.environment, later.environment)


def idle(tables: MappingTables, snapshot: Snapshot, leave_out: Collection[RowRef]) -> Iterator[Notice]:
    """Rows that no folder of the snapshot meets; nothing when the snapshot has no folders at all."""
    met = set()
    for folder in snapshot.folders if tables.sensitivities else ():
        environment = snapshot.environment_by_id.get(folder.environment_id)
        row = tables.sensitivity(environment, folder.path) if environment else None
        met.add(row.ref if row else None)
    for row in tables.sensitivities if snapshot.folders else ():
        if row.ref not in met and row.ref not in leave_out:
            yield warning("dead", row.ref, f"no folder of the snapshot meets this row: {describe(row)}")
