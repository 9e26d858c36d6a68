"""Divide what is to be decided among those who decide."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

from permmigrate.signoff.value import Clause, Decided

NOBODY: Final = "unassigned"


class By(StrEnum):
    """What a workbook is for: one owner, one environment, one top-level folder, or one mapping row."""

    OWNER = "owner"
    ENVIRONMENT = "environment"
    FOLDER = "folder"
    CAUSE = "cause"


def split(clauses: Sequence[Clause], by: By, said: Mapping[str, Decided]) -> dict[str, tuple[Clause, ...]]:
    """The clauses for each reader, by a name for people; every clause is in exactly one."""
    parts: dict[str, list[Clause]] = {}
    for clause in clauses:
        parts.setdefault(_reader(clause, by, said) or NOBODY, []).append(clause)
    return {name: tuple(parts[name]) for name in sorted(parts)}


def _reader(clause: Clause, by: By, said: Mapping[str, Decided]) -> str:
    match by:
        case By.OWNER:
            return said[clause.id].owner if clause.id in said else ""
        case By.ENVIRONMENT:
            return clause.environment or "account"
        case By.FOLDER:
            return f"{clause.environment} {clause.region}".strip()
        case By.CAUSE:
            return " ".join(clause.causes)


def file_names(readers: Sequence[str]) -> dict[str, str]:
    """A file name for each reader that every system takes, no two the same."""
    names: dict[str, str] = {}
    taken: set[str] = set()
    for reader in readers:
        plain = re.sub(r"[^a-z0-9]+", "-", reader.casefold()).strip("-")[:60] or "owner"
        name, number = plain, 2
        while name in taken:
            name, number = f"{plain}-{number}", number + 1
        taken.add(name)
        names[reader] = f"{name}.xlsx"
    return names
