"""Read one CSV table into cells, noting every mistake with its true line.

It never stops at the first mistake and never mends one: a row with a mistake is only good for finding more.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Final, TypeVar

from permmigrate.errors import Problem
from permmigrate.mapping.rows import NO_LEGACY_ROLE, Origin, Scope, ScopeKind
from permmigrate.mapping.value import RowRef
from permmigrate.model import Confidence

OPTIONAL_COLUMNS: Final = frozenset({"note"})
FREE_TEXT: Final = frozenset({"source", "note", "reason"})

_SPOILED: Final = re.compile(r"[+-]?\d+([.,]\d+)?[eE]\+?\d+|\d{11,}[.,]0+")
_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")

E = TypeVar("E", bound=StrEnum)


def did_you_mean(word: str, words: Iterable[str]) -> str:
    """The hint for a word that is not among `words`: the nearest, or all of them when none is near."""
    by_fold = {known.casefold(): known for known in words}
    near = difflib.get_close_matches(word.casefold(), by_fold, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{by_fold[near[0]]}`?"
    return "one of " + ", ".join(f"`{known}`" for known in by_fold.values()) if by_fold else ""


class Cells:
    """One row's cells by column, and where to report what is wrong with them.

    Every accessor returns a value of its type whatever is in the cell; `bad` says not to use the row.
    """

    def __init__(self, ref: RowRef, cells: Mapping[str, str], problems: list[Problem]) -> None:
        self.ref = ref
        self.bad = False
        self._cells = cells
        self._problems = problems
        for column, text in cells.items():
            if column not in FREE_TEXT and _SPOILED.fullmatch(text):
                self.wrong(
                    f"`{text}` in `{column}` is an id that a spreadsheet turned into a number",
                    "format the column as text and paste the id again",
                )

    def wrong(self, message: str, hint: str = "") -> None:
        """Note a mistake of this row."""
        self.bad = True
        self._problems.append(Problem(self.ref.file, self.ref.line, message, hint))

    def has(self, column: str) -> bool:
        """Whether the table has this column: an absent one is reported once, for the header."""
        return column in self._cells

    def optional(self, column: str) -> str:
        return self._cells.get(column, "")

    def required(self, column: str, hint: str = "") -> str:
        text = self.optional(column)
        if not text and self.has(column):
            self.wrong(f"`{column}` is empty", hint)
        return text

    def legacy(self, column: str, hint: str) -> str:
        """A legacy role or level; `(none)` is the empty string that users without a role have."""
        text = self.required(column, hint)
        return "" if text.casefold() == NO_LEGACY_ROLE else text

    def word(self, column: str, words: Sequence[str]) -> str:
        """One of `words`, in their own spelling whatever the case in the cell."""
        text = self.required(column, "one of " + ", ".join(f"`{word}`" for word in words))
        for word in words:
            if word.casefold() == text.casefold():
                return word
        if text:
            self.wrong(f"`{text}` is not a word for `{column}`", did_you_mean(text, words))
        return words[0]

    def member(self, column: str, kind: type[E]) -> E:
        return kind(self.word(column, [member.value for member in kind]))

    def day(self, column: str) -> date | None:
        text = self.optional(column)
        if not text:
            return None
        try:
            if _DATE.fullmatch(text):
                return date.fromisoformat(text)
        except ValueError:
            pass  # reported below, with dates of another shape
        self.wrong(f"`{text}` in `{column}` is not a date", "write YYYY-MM-DD, or leave it empty")
        return None

    def scope(self, allowed: Sequence[ScopeKind]) -> Scope:
        """The row's scope, one of `allowed`; `environment:` is followed by an id or a cloud name."""
        text = self.required("scope")
        word, colon, environment = text.partition(":")
        for kind in allowed:
            if kind.value == word.strip().casefold() and (kind is ScopeKind.ONE) == bool(colon):
                if colon and not environment.strip():
                    self.wrong(
                        f"`{text}` names no environment", "write `environment:` and an id or a cloud name"
                    )
                return Scope(kind, environment.strip())
        if text:
            words = [
                f"{kind}:<id or cloud name>" if kind is ScopeKind.ONE else kind.value for kind in allowed
            ]
            if (
                any(kind.value == word.casefold() for kind in ScopeKind if kind is not ScopeKind.ONE)
                and not colon
            ):
                self.wrong(
                    f"scope `{text}` cannot be used in this table",
                    "one of " + ", ".join(f"`{w}`" for w in words),
                )
            else:
                self.wrong(f"`{text}` is not a word for `scope`", did_you_mean(text, words))
        return Scope(ScopeKind.ACCOUNT)

    def origin(self) -> Origin:
        confidence = self.member("confidence", Confidence)
        source = self.optional("source")
        if not source and self.has("source") and confidence not in (Confidence.CUSTOMER, Confidence.UNKNOWN):
            self.wrong(
                "`source` is empty", "say where it is written, or set `confidence` to `customer` or `unknown`"
            )
        return Origin(self.ref, source, confidence, self.optional("note"))


def read_table(path: Path, columns: Sequence[str], problems: list[Problem]) -> Iterator[Cells]:
    """Yield the rows of one table in file order; every mistake of file, header or row goes to `problems`."""
    text = _decoded(path, problems)
    if text is None:
        return
    records = _records(path.name, text, problems)
    head = next(records, None)
    if head is None:
        problems.append(
            Problem(path.name, 0, "has no header row", "the first row must be: " + ",".join(columns))
        )
        return
    places = _header(path.name, head, columns, problems)
    for line, record in records:
        if not any(record):
            continue
        width = len(head[1])
        if any(record[width:]):
            message = f"has {len(record)} cells where the header has {width}"
            problems.append(
                Problem(path.name, line, message, "put text that holds a separator in double quotes")
            )
            continue
        named = {name: record[at] if at < len(record) else "" for name, at in places.items()}
        yield Cells(RowRef(path.name, line), named, problems)


def _decoded(path: Path, problems: list[Problem]) -> str | None:
    raw = path.read_bytes()
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        problems.append(Problem(path.name, line, "is not UTF-8 text", "save it as `CSV UTF-8`"))
        return None


class _Lines:
    """The file's lines for the csv reader: leaves out comments between records, and counts."""

    def __init__(self, text: str) -> None:
        self._lines = io.StringIO(text, newline="")
        self.number = 0
        self.start = 0
        self.between = True

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        for line in self._lines:
            self.number += 1
            if self.between and (not line.strip() or line.lstrip().startswith("#")):
                continue
            if self.between:
                self.start, self.between = self.number, False
            return line
        raise StopIteration


def _records(file: str, text: str, problems: list[Problem]) -> Iterator[tuple[int, list[str]]]:
    """Yield (line the record begins at, stripped cells)."""
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=separator_of(text), strict=True)
    while True:
        lines.between = True
        try:
            record = [cell.strip() for cell in next(reader)]
        except StopIteration:
            return
        except csv.Error as error:
            message = f"cannot be read as CSV from here on: {error}"
            problems.append(Problem(file, lines.start, message, "look for a double quote that is not closed"))
            return
        if not (record and record[0].startswith("#")):
            yield lines.start, record


def separator_of(text: str) -> str:
    """Comma, semicolon or tab, whichever the first line that is no comment has most of."""
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith(("#", '"#')):
            return max(",;\t", key=line.count)
    return ","


def _header(
    file: str, head: tuple[int, list[str]], columns: Sequence[str], problems: list[Problem]
) -> dict[str, int]:
    """Where each known column stands; unknown, doubled and missing ones are reported."""
    line, names = head
    places: dict[str, int] = {}
    guessed: set[str] = set()
    missing = [name for name in columns if name not in {_column(n) for n in names}]
    for at, written in enumerate(names):
        name = _column(written)
        if name in places:
            problems.append(Problem(file, line, f"has column `{written}` twice"))
        elif name in columns:
            places[name] = at
        elif name:
            near = difflib.get_close_matches(name, missing, n=1, cutoff=0.6)
            guessed.update(near)
            problems.append(
                Problem(
                    file,
                    line,
                    f"`{written}` is not a column of this table",
                    did_you_mean(name, near or columns),
                )
            )
    problems.extend(
        Problem(file, line, f"has no column `{name}`", "the columns are: " + ", ".join(columns))
        for name in missing
        if name not in guessed and name not in OPTIONAL_COLUMNS
    )
    return places


def _column(written: str) -> str:
    return re.sub(r"[\s\-]+", "_", written.strip().casefold())
