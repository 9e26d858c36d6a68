"""Load the nine mapping tables, and answer what the baseline and the severities say.

`load` reports every mistake of every file at once and loads nothing when there is one; `read` hands over the
rows without one as well, for `lint` to look at. Neither looks at a catalog or a snapshot: whether the targets
exist is `lint`'s business.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import chain
from pathlib import Path
from typing import Any, Final, TypeVar

from permmigrate.errors import InvalidFileError, Problem
from permmigrate.mapping import schema
from permmigrate.mapping.custom_roles import CUSTOM_ROLES, CustomRoleRow
from permmigrate.mapping.globs import matches
from permmigrate.mapping.reading import Cells, did_you_mean, read_table
from permmigrate.mapping.rows import (
    WILDCARD,
    AccountKeyRow,
    ApiKeyRow,
    BaselineRow,
    BundleRow,
    LevelRow,
    OverrideRow,
    Row,
    SeverityRow,
    TargetRow,
    UserRoleRow,
)
from permmigrate.mapping.sensitivity import SENSITIVITY, Folders, SensitivityRow
from permmigrate.mapping.value import BaselineAnswer, Granted, LegacyKind, RowRef
from permmigrate.mapping.words import describe
from permmigrate.model import Policy, ProductEnvironment

UNCLASSIFIED: Final = "high"
"""The severity of what no row classifies: what nobody has judged must not hide at the bottom of a list."""

_LATER_TABLES: Final = frozenset({"custom_roles", "sensitivities"})
"""Not part of the digest while they are empty: folders of tables that do not have them keep theirs."""

_ASIDES: Final = frozenset({"origin", "reason"})

RowText = tuple[RowRef, str, str, str]
"""A row's place, words, source and confidence."""

_R = TypeVar("_R", bound=Row)


@dataclass(frozen=True)
class MappingTables:
    """The tables as rows in file order."""

    user_roles: tuple[UserRoleRow, ...] = ()
    folder_levels: tuple[LevelRow, ...] = ()
    collection_levels: tuple[LevelRow, ...] = ()
    api_keys: tuple[ApiKeyRow, ...] = ()
    account_keys: tuple[AccountKeyRow, ...] = ()
    bundles: tuple[BundleRow, ...] = ()
    overrides: tuple[OverrideRow, ...] = ()
    legacy_baseline: tuple[BaselineRow, ...] = ()
    severities: tuple[SeverityRow, ...] = ()
    custom_roles: tuple[CustomRoleRow, ...] = ()
    sensitivities: tuple[SensitivityRow, ...] = ()
    _answers: dict[tuple[LegacyKind, str, str, str, str], BaselineAnswer] = field(
        default_factory=dict, compare=False, repr=False, init=False
    )
    _severity_of: dict[tuple[str, str, str], str] = field(
        default_factory=dict, compare=False, repr=False, init=False
    )
    _folders: dict[str, Folders] = field(default_factory=dict, compare=False, repr=False, init=False)

    @cached_property
    def digest(self) -> str:
        """The sha256 of what the rows say, in order; comments, columns' order and line ends do not count."""
        tables = {name: rows for name, rows in self._tables.items() if rows or name not in _LATER_TABLES}
        content = {table: [_canonical(row) for row in rows] for table, rows in tables.items()}
        text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return hashlib.sha256(text.encode()).hexdigest()

    def baseline(self, kind: LegacyKind, legacy: str, policy: Policy) -> BaselineAnswer:
        """Say whether a legacy grant included a policy: the first row that matches, or unknown."""
        key = (kind, legacy, policy.id, policy.category, policy.sub_category)
        answer = self._answers.get(key)
        if answer is None:
            answer = self._answers[key] = self._baseline(kind, legacy, policy)
        return answer

    def _baseline(self, kind: LegacyKind, legacy: str, policy: Policy) -> BaselineAnswer:
        for row in self.legacy_baseline:
            if row.kind is kind and row.legacy in (WILDCARD, legacy) and policy_matches(row.policy, policy):
                return BaselineAnswer(row.granted, row.ref, row.origin.note)
        return BaselineAnswer(Granted.UNKNOWN, None, "no row of legacy_baseline.csv speaks of it")

    def severity(self, scope: str, action: str, resource: str) -> str:
        """Give the severity of a capability: the first row that matches, or `high`."""
        key = (scope, action, resource)
        if key not in self._severity_of:
            fitting = (
                row.severity
                for row in self.severities
                if row.scope in (WILDCARD, scope)
                and matches(row.action, action)
                and matches(row.resource, resource)
            )
            self._severity_of[key] = next(fitting, UNCLASSIFIED)
        return self._severity_of[key]

    def sensitivity(self, environment: ProductEnvironment, folder_path: str) -> SensitivityRow | None:
        """Say how sensitive a folder is: the first row that fits it or a folder above it, or None."""
        if environment.id not in self._folders:
            self._folders[environment.id] = Folders(self.sensitivities, environment)
        return self._folders[environment.id].row(folder_path)

    def bundle(self, name: str) -> tuple[BundleRow, ...]:
        """The rows of an access bundle, its name without case; empty when there is no such bundle."""
        return self._bundles.get(name.casefold(), ())

    def target_rows(self) -> Iterator[TargetRow]:
        """Every row that names a target, table by table."""
        yield from self.user_roles
        yield from self.folder_levels
        yield from self.collection_levels
        yield from self.api_keys
        yield from self.account_keys
        yield from self.overrides

    def row_text(self, ref: RowRef) -> str:
        """The row in words. Raises KeyError when these tables have no such row."""
        return describe(self._by_ref[ref])

    def rows(self) -> Iterator[RowText]:
        """Every row that can translate a legacy grant: not the baseline, new roles or what rates findings."""
        return self._texts(
            row
            for row in self._by_ref.values()
            if not isinstance(row, BaselineRow | SeverityRow | SensitivityRow | CustomRoleRow)
        )

    def all_rows(self) -> Iterator[RowText]:
        """Every row of every table."""
        return self._texts(iter(self._by_ref.values()))

    @staticmethod
    def _texts(rows: Iterator[Row]) -> Iterator[RowText]:
        return ((row.ref, describe(row), row.origin.source, row.origin.confidence.value) for row in rows)

    @cached_property
    def _tables(self) -> dict[str, tuple[Row, ...]]:
        return {f.name: getattr(self, f.name) for f in dataclasses.fields(self) if not f.name.startswith("_")}

    @cached_property
    def _by_ref(self) -> dict[RowRef, Row]:
        return {row.ref: row for row in chain.from_iterable(self._tables.values())}

    @cached_property
    def _bundles(self) -> dict[str, tuple[BundleRow, ...]]:
        found: dict[str, list[BundleRow]] = {}
        for row in self.bundles:
            found.setdefault(row.bundle.casefold(), []).append(row)
        return {name: tuple(rows) for name, rows in found.items()}


def policy_matches(pattern: str, policy: Policy) -> bool:
    """Match a policy by a glob on its id, or by `category:Category/Sub category` without case."""
    if pattern.startswith(schema.CATEGORY):
        wanted = pattern.removeprefix(schema.CATEGORY).casefold()
        return matches(wanted, f"{policy.category}/{policy.sub_category}".casefold())
    return matches(pattern, policy.id)


def load(directory: Path) -> MappingTables:
    """Read the tables of a folder. Raises InvalidFileError with every problem, by file and line."""
    tables, problems = read(directory)
    if problems:
        count = "a problem" if len(problems) == 1 else f"{len(problems)} problems"
        raise InvalidFileError(
            f"the mapping tables in `{directory}` have {count}",
            hint="correct the rows named and run again",
            problems=problems,
        )
    return tables


def read(directory: Path) -> tuple[MappingTables, tuple[Problem, ...]]:
    """Read the rows that can be read, and every problem by file and line.

    Raises InvalidFileError when there is no such folder.
    """
    if not directory.is_dir():
        raise InvalidFileError(
            f"`{directory}` is not a folder of mapping tables",
            hint="copy the shipped `mappings` folder and edit the copy",
            problems=(Problem(str(directory), 0, "is not a folder"),),
        )
    problems: list[Problem] = []
    tables = MappingTables(
        user_roles=_read(directory, schema.USER_ROLES, problems),
        folder_levels=_read(directory, schema.FOLDER_LEVELS, problems),
        collection_levels=_read(directory, schema.COLLECTION_LEVELS, problems),
        api_keys=_read(directory, schema.API_KEYS, problems),
        account_keys=_read(directory, schema.ACCOUNT_KEYS, problems),
        bundles=_read(directory, schema.BUNDLES, problems),
        overrides=_read(directory, schema.OVERRIDES, problems),
        legacy_baseline=_read(directory, schema.LEGACY_BASELINE, problems),
        severities=_read(directory, schema.SEVERITY, problems),
        custom_roles=_read(directory, CUSTOM_ROLES, problems),
        sensitivities=_read(directory, SENSITIVITY, problems),
    )
    return tables, tuple(sorted(problems))


def _read(directory: Path, table: schema.Table[_R], problems: list[Problem]) -> tuple[_R, ...]:
    path = directory / table.file
    if not path.is_file():
        if not table.may_be_absent:
            problems.append(Problem(table.file, 0, "is missing", _nearest_file(directory, table.file)))
        return ()
    rows: list[_R] = []
    seen: dict[str, int] = {}
    for cells in read_table(path, table.columns, problems):
        row = _parse(cells, table.parse)
        if row is None:
            continue
        first = seen.setdefault(json.dumps(_canonical(row, _ASIDES)), row.ref.line)
        if first != row.ref.line:
            problems.append(
                Problem(table.file, row.ref.line, f"says the same as line {first}", "remove one of them")
            )
            continue
        rows.append(row)
    return tuple(rows)


def _parse(cells: Cells, parse: Callable[[Cells], _R]) -> _R | None:
    row = parse(cells)
    return None if cells.bad else row


def _nearest_file(directory: Path, file: str) -> str:
    others = sorted(path.name for path in directory.glob("*.csv"))
    near = did_you_mean(file, others)
    if near.startswith("did"):
        return near.replace("did you mean", "is it")
    return "copy it from the shipped tables; a table may hold its header row only"


def _canonical(row: Row, leave_out: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The row's content without its place in the file."""
    cells = {
        f.name: _plain(getattr(row, f.name))
        for f in dataclasses.fields(row)
        if f.name not in {"origin"} | leave_out
    }
    if "origin" not in leave_out:
        cells |= {
            "source": row.origin.source,
            "confidence": row.origin.confidence.value,
            "note": row.origin.note,
        }
    return cells


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return None if value is None else str(value)
