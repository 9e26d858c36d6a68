"""Cross tables for the charts: who ends how, and which legacy role becomes which new roles.

Each is whole: its cells add up to the principals it is about.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from permmigrate.diff import Diff, Severity, Verdict
from permmigrate.model import PrincipalRef, PrincipalType
from permmigrate.report.table import Table
from permmigrate.report.words import OUTCOME_ORDER, outcome
from permmigrate.snapshot import Snapshot

ROLES_SHOWN: Final = 12
"""Rows of the role matrix; the rarer roles share the last one."""
FOLDER_LEVELS: Final = 2
BRANCHES_SHOWN: Final = 40


@dataclass(frozen=True, slots=True)
class Matrix:
    """Counts of one thing by two others; rows and columns in their final order."""

    title: str
    about: str
    row_label: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, tuple[int, ...]], ...]

    @property
    def most(self) -> int:
        """The largest cell, for scaling; 0 when there is none."""
        return max((count for _, counts in self.rows for count in counts), default=0)


@dataclass(frozen=True, slots=True)
class Branch:
    """One environment or folder, with everything below it."""

    depth: int
    """0 for the account, an environment or its collections; 1 and 2 for folders."""
    label: str
    counts: tuple[int, ...]
    """Findings in the order of `Tree.columns`."""


@dataclass(frozen=True, slots=True)
class Tree:
    """Findings by where they hold, added up the tree."""

    columns: tuple[str, ...]
    branches: tuple[Branch, ...]
    """Each folder after the one it is in."""
    left_out: int
    """Folders that are counted above them and have no branch of their own."""

    @property
    def most(self) -> int:
        """The largest count; 0 when there is none."""
        return max((count for branch in self.branches for count in branch.counts), default=0)


def thresholds(tally: Mapping[tuple[Verdict, Severity], int]) -> Matrix:
    """How many findings a gate on each severity would count: those of it and all worse ones."""
    gated = (Verdict.GAINED, Verdict.MAYBE_GAINED, Verdict.UNKNOWN)
    rows = []
    for severity in Severity:
        reached = [each for each in Severity if each.rank <= severity.rank]
        counts = tuple(sum(tally.get((verdict, each), 0) for each in reached) for verdict in gated)
        rows.append((severity.value if not severity.rank else f"{severity} or worse", counts))
    return Matrix(
        "What a threshold would count",
        "Findings at least so severe: what --fail-on and --max-expansions are held against.",
        "Threshold",
        tuple(verdict.value for verdict in gated),
        tuple(rows) if tally else (),
    )


def folder_tree(places: Table, verdicts: tuple[Verdict, ...]) -> Tree:
    """Add the findings of every place up to two levels of folders and the environments above them."""
    keys = [column.key for column in places.columns]
    at = [keys.index(verdict.value.replace(" ", "_")) for verdict in verdicts]
    environment_at, kind_at, region_at = (keys.index(key) for key in ("environment", "region_kind", "region"))
    counts: dict[tuple[str, ...], list[int]] = {}
    for row in places.rows:
        kind, environment = row[kind_at], str(row[environment_at])
        path: tuple[str, ...] = ("the account",) if kind == "account" else (environment,)
        if kind == "folder":
            path += tuple(str(row[region_at]).split("/")[:FOLDER_LEVELS])
        elif kind == "collection":
            path += ("",)
        for depth in range(1, len(path) + 1):
            found = counts.setdefault(path[:depth], [0] * len(at))
            for place, column in enumerate(at):
                cell = row[column]
                found[place] += cell if isinstance(cell, int) else 0
    ranked = sorted(counts, key=lambda path: (len(path), -sum(counts[path][:2]), -sum(counts[path]), path))
    kept: set[tuple[str, ...]] = set()
    for path in ranked:
        if len(kept) < BRANCHES_SHOWN and (len(path) == 1 or path[:-1] in kept):
            kept.add(path)
    return Tree(
        tuple(verdict.value for verdict in verdicts),
        tuple(Branch(len(path) - 1, path[-1] or "collections", tuple(counts[path])) for path in sorted(kept)),
        len(counts) - len(kept),
    )


def outcomes_by_kind(diff: Diff) -> Matrix:
    """Principals by kind and outcome."""
    counts = Counter((summary.principal.type, outcome(summary.counts)) for summary in diff.principals)
    kinds = [kind for kind in PrincipalType if any(counts[kind, verdict] for verdict in OUTCOME_ORDER)]
    return Matrix(
        "What happens to whom",
        "Each user, group and key once, by the most telling of its findings.",
        "Kind",
        tuple(verdict.value for verdict in OUTCOME_ORDER),
        tuple((kind.label, tuple(counts[kind, verdict] for verdict in OUTCOME_ORDER)) for kind in kinds),
    )


def outcomes_by_legacy_role(diff: Diff, snapshot: Snapshot) -> Matrix:
    """Users by their legacy role and outcome."""
    counts: Counter[tuple[str, Verdict]] = Counter()
    for summary in diff.principals:
        if summary.principal.type is PrincipalType.USER:
            counts[_legacy_role(snapshot, summary.principal), outcome(summary.counts)] += 1
    return Matrix(
        "By legacy role",
        "Users by the legacy role they hold and what happens to them.",
        "Legacy role",
        tuple(verdict.value for verdict in OUTCOME_ORDER),
        tuple(
            (role, tuple(counts[role, verdict] for verdict in OUTCOME_ORDER))
            for role in sorted({role for role, _ in counts})
        ),
    )


def roles_before_and_after(diff: Diff, snapshot: Snapshot) -> Matrix:
    """Users by their legacy role and each new role they would hold, wherever they hold it.

    A person with three new roles counts in three rows, once in each.
    """
    pairs: set[tuple[str, str, str]] = set()
    roles = sorted(snapshot.catalog.roles.values(), key=lambda r: (-len(r.name), r.level, r.name))
    names = {f"{role.level} role {role.name}": f"{role.name} ({role.level})" for role in roles}
    for summary in diff.principals:
        if summary.principal.type is PrincipalType.USER:
            legacy = _legacy_role(snapshot, summary.principal)
            after = {_role_in(words, names) for words in summary.after} - {""}
            pairs.update((legacy, role, summary.principal.id) for role in after)
    frequency = Counter(role for _, role, _ in pairs)
    ranked = [role for role, _ in sorted(frequency.items(), key=lambda item: (-item[1], item[0]))]
    shown = sorted(ranked[:ROLES_SHOWN])
    held = (*shown, "other roles") if len(ranked) > ROLES_SHOWN else tuple(shown)
    holders = {(legacy, role if role in shown else "other roles", person) for legacy, role, person in pairs}
    cells = Counter((legacy, role) for legacy, role, _ in holders)
    legacy_roles = tuple(sorted({legacy for legacy, _ in cells}))
    return Matrix(
        "From legacy role to new roles",
        "How many users of each legacy role would hold each new role, wherever they hold it.",
        "New role",
        legacy_roles,
        tuple((role, tuple(cells[legacy, role] for legacy in legacy_roles)) for role in held),
    )


def _legacy_role(snapshot: Snapshot, principal: PrincipalRef) -> str:
    user = snapshot.user_by_id.get(principal.id)
    return (user.legacy_role if user else "") or "no legacy role"


def _role_in(words: str, names: Mapping[str, str]) -> str:
    """The role that "group EMEA › folder role Viewer on 3 folders" is about, or empty when it is about none.

    `names` are the catalog's roles in those words and what to call each, the longest name first: one name may
    begin another.
    """
    said = words.rpartition(" › ")[2]
    return next((short for long, short in names.items() if said == long or said.startswith(f"{long} ")), "")
