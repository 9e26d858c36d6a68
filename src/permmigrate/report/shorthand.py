"""Say the lines of a finding by what else its row has, and its id not at all, where the page can tell it.

A line that names the row's own principal or place has a mark there instead: then a thousand rows share one
line. An id is the hash of what the row says anyway. What would not come out the same is left as it is.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from permmigrate.model import PrincipalType
from permmigrate.report.table import Cell, Column, Kind, Table
from permmigrate.report.text import visible
from permmigrate.report.whereabouts import PlaceCells, Whereabouts

REGION, PRINCIPAL, TRAIL, CONTENT = "\ufdd0", "\ufdd1", "\ufdd2", "\ufdd3"
"""The marks: characters that mean nothing to anybody. Where a line has one of its own, it is made visible."""

LINES: Final = ("before", "after", "witness")
"""The columns whose lines are shortened."""

KINDS: Final = {kind.label: kind.value for kind in PrincipalType}
"""What an id calls a kind of principal, by what the row calls it."""

_MARKS: Final = re.compile("[\ufdd0-\ufdd3]")
_HIDDEN: Final = (Column("environment_id", "", Kind.ID), Column("trail", "", Kind.LIST))
_NOWHERE: Final = Whereabouts("", ())


def shortened(
    table: Table, places: Mapping[PlaceCells, Whereabouts], abilities: Sequence[Mapping[str, Cell]]
) -> Table:
    """A table of findings for the page, with two more columns, without a heading, that say where it is.

    `abilities` are the records of the table of capabilities.
    """
    at = {column.key: number for number, column in enumerate(table.columns)}
    shorthand = _Shorthand(at, places, abilities)
    return replace(table, columns=(*table.columns, *_HIDDEN), rows=_Rows(table.rows, shorthand))


@dataclass(frozen=True, slots=True)
class _Rows(Sequence[tuple[Cell, ...]]):
    """The shortened rows, each made when it is looked at."""

    whole: Sequence[tuple[Cell, ...]]
    shorthand: _Shorthand

    def __len__(self) -> int:
        return len(self.whole)

    def __iter__(self) -> Iterator[tuple[Cell, ...]]:
        return map(self.shorthand.row, self.whole)

    def __getitem__(self, at):  # type: ignore[no-untyped-def]
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class _Place:
    """What lines say of one place."""

    where: Whereabouts
    label: str
    named: re.Pattern[str]
    content: str
    trail: str

    @classmethod
    def of(cls, where: Whereabouts, region: str) -> _Place:
        label, trail = visible(region), [visible(each) for each in where.trail]
        named = re.compile(f'(?<![^ ]){re.escape(label)}(?![^ ",])')
        return cls(where, label, named, f'"{trail[0]}"' if trail else "", bracketed(trail))

    def short(self, line: str) -> str:
        if not self.content:
            return line
        if self.label in line:
            line = self.named.sub(REGION, line)
        return line.replace(self.content, f'"{CONTENT}"').replace(self.trail, TRAIL)


def bracketed(trail: Sequence[str]) -> str:
    """Ids as a request lists them."""
    return "[" + ", ".join(f"'{each}'" for each in trail) + "]"


@dataclass(frozen=True, slots=True)
class _Shorthand:
    """Shortens rows; `at` has the place of each column."""

    at: Mapping[str, int]
    places: Mapping[PlaceCells, Whereabouts]
    abilities: Sequence[Mapping[str, Cell]]
    _known: dict[PlaceCells, _Place] = field(default_factory=dict)
    _texts: dict[Cell, str] = field(default_factory=dict)

    def row(self, row: tuple[Cell, ...]) -> tuple[Cell, ...]:
        """The row with its lines shortened, without an id that it tells, and with where its place is."""
        place, cells = self._place(row), list(row)
        principal = f'"{visible(str(row[self.at["principal_id"]]))}"'
        for key in LINES:
            lines = row[self.at[key]]
            assert isinstance(lines, tuple)
            cells[self.at[key]] = tuple(_shortened(str(line), principal, place) for line in lines)
        if self._told(row, place.where) == row[self.at["id"]]:
            cells[self.at["id"]] = ""
        return (*cells, place.where.environment_id, place.where.trail)

    def _place(self, row: tuple[Cell, ...]) -> _Place:
        environment, kind, region = (
            str(row[self.at[key]]) for key in ("environment", "region_kind", "region")
        )
        key = (environment, kind, region)
        if key not in self._known:
            self._known[key] = _Place.of(self.places.get(key, _NOWHERE), region)
        return self._known[key]

    def _told(self, row: tuple[Cell, ...], where: Whereabouts) -> str:
        """The id as the page makes it from what it has, which is visible text."""
        kind, id_, verdict, reach = (
            visible(str(row[self.at[key]]))
            for key in ("principal_kind", "principal_id", "verdict", "region_kind")
        )
        content = visible(where.trail[0]) if where.trail else ""
        what = self._what(row[self.at["capabilities"]])
        parts = (
            f"{KINDS.get(kind, kind)}:{id_}",
            verdict,
            reach,
            visible(where.environment_id),
            content,
            what,
        )
        return "f" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]

    def _what(self, capabilities: Cell) -> str:
        """The capabilities as lines, in the order of JavaScript: by UTF-16 code units."""
        if capabilities not in self._texts:
            assert isinstance(capabilities, tuple)
            found = (self.abilities[int(number)] for number in capabilities)
            lines = ("\t".join(visible(str(each[key])) for key in _IDENTIFYING) for each in found)
            self._texts[capabilities] = "\n".join(sorted(lines, key=lambda line: line.encode("utf-16-be")))
        return self._texts[capabilities]


_IDENTIFYING: Final = ("scope", "action", "resource", "condition")


def _shortened(line: str, principal: str, place: _Place) -> str:
    text = _MARKS.sub(lambda mark: f"\u2039U+{ord(mark.group()):04X}\u203a", visible(line))
    return place.short(text.replace(principal, f'"{PRINCIPAL}"'))
