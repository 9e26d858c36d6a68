"""A lint finding as a value, and the two words to make one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from permmigrate.errors import Problem
from permmigrate.mapping.value import RowRef


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing a person should look at."""

    level: Literal["error", "warning"]
    rule: str
    """A short name, such as `unknown-role`."""
    problem: Problem

    @property
    def ref(self) -> RowRef:
        return RowRef(self.problem.file, self.problem.line)

    def __str__(self) -> str:
        return f"{self.level} {self.rule}: {self.problem}"


def error(rule: str, at: RowRef, message: str, hint: str = "") -> Notice:
    """Make a notice of something that cannot work."""
    return Notice("error", rule, Problem(at.file, at.line, message, hint))


def warning(rule: str, at: RowRef, message: str, hint: str = "") -> Notice:
    """Make a notice of something that works and may not be meant, or of a grant left untranslated."""
    return Notice("warning", rule, Problem(at.file, at.line, message, hint))
