"""Rows of a share list, cell by cell, each distinct group of cells once: lists repeat themselves.

It does not know the account. Whether the people and folders exist is `shareresolve.resolve`'s question.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from sys import intern
from typing import Any, Final, NamedTuple

from permmigrate.errors import Problem
from permmigrate.model import ContentKind, PrincipalType
from permmigrate.snapshot.lists import words
from permmigrate.snapshot.lists.files import RawRow, cell_name, clean, column_letters
from permmigrate.snapshot.lists.row import RawShare
from permmigrate.snapshot.lists.schema import tidy

_CONTENT: Final = ("content", "folder", "collection", "content_name")
_WHO: Final = ("principal", "user", "group")


class _Wrong(NamedTuple):
    """One thing wrong: the column, the message, the remedy."""

    column: str
    message: str
    hint: str


class ShareReader:
    """Makes shares of the rows of one sheet; what is wrong with them goes to `problems`."""

    def __init__(
        self,
        file: str,
        place: str,
        columns: Mapping[str, int],
        problems: list[Problem],
        environment: str | None = None,
        fill_down: bool = False,
    ) -> None:
        """`environment` is that of rows that name none; None makes them problems."""
        self._file, self._place, self._columns, self._problems = file, place, columns, problems
        self._width = max(columns.values()) + 1
        self._default = environment
        self._environment = columns.get("environment", -1)
        self._places = self._picker("content_type", *_CONTENT)
        self._people = self._picker("principal_type", *_WHO)
        self._level = columns["level"]
        self._environments: dict[str, str | list[_Wrong]] = {}
        self._contents: dict[tuple[str, ...], tuple[str, str, str] | list[_Wrong]] = {}
        self._principals: dict[tuple[str, ...], tuple[str, str] | list[_Wrong]] = {}
        self._levels: dict[tuple[str, str], str | list[_Wrong]] = {}
        self._fill_down = fill_down
        self._above: list[str] = []

    def share(self, row: RawRow) -> RawShare | None:
        """The row's share, or None after its problems were noted."""
        cells = row.cells
        if len(cells) < self._width:
            cells += [""] * (self._width - len(cells))
        cells.append("")  # what a column that is not there points at
        if self._fill_down:
            self._fill(cells)
        text = cells[self._environment]
        environment = self._environments.get(text)
        if environment is None:
            environment = self._environments[text] = self._checked_environment(text)
        key = self._places(cells)
        content = self._contents.get(key)
        if content is None:
            content = self._contents[key] = self._content(*key)
        who = self._people(cells)
        principal = self._principals.get(who)
        if principal is None:
            principal = self._principals[who] = self._principal(*who)
        kind = content[0] if isinstance(content, tuple) else _kind(*key)
        text = cells[self._level]
        level = self._levels.get((kind, text))
        if level is None:
            level = self._levels[kind, text] = self._checked_level(kind, text)
        if not (
            isinstance(environment, list)
            or isinstance(content, list)
            or isinstance(principal, list)
            or isinstance(level, list)
        ):
            return RawShare(environment, *content, *principal, level, self._file, row.line, self._place)
        for part in (environment, content, principal, level):
            if isinstance(part, list):
                self._note(row, part)
        return None

    def _picker(self, *names: str) -> Callable[[list[str]], Any]:
        return itemgetter(*(self._columns.get(name, -1) for name in names))

    def _fill(self, cells: list[str]) -> None:
        """Let an empty place or person mean the one above, as a pivot or merged cells show it."""
        for group in (("environment",), (*_CONTENT, "content_type"), (*_WHO, "principal_type")):
            at = [self._columns[name] for name in group if name in self._columns]
            if self._above and not any(cells[one] for one in at):
                for one in at:
                    cells[one] = self._above[one]
        self._above = cells

    def _checked_environment(self, text: str) -> str | list[_Wrong]:
        if not text and self._default is None and "environment" in self._columns:
            return [_empty("environment")]
        text = text or self._default or ""
        wrong = words.wrong_id(text)
        return [_Wrong("environment", *wrong)] if wrong else intern(clean(text))

    def _content(
        self, kind: str, content: str, folder: str, collection: str, name: str
    ) -> tuple[str, str, str] | list[_Wrong]:
        wrong: list[_Wrong] = []
        given = {
            column: text
            for column, text in (("content", content), ("folder", folder), ("collection", collection))
            if text
        }
        meant = self._kind(kind, given, name, wrong)
        if len(set(given.values())) > 1:
            wrong.append(
                _Wrong(list(given)[1], "a row shares one folder or one collection, not both", _SPLIT)
            )
        column, text = next(iter(given.items()), ("", ""))
        if not text and not (name and meant == ContentKind.COLLECTION):
            wrong.append(_empty(next((one for one in _CONTENT if one in self._columns), "content")))
        if bad := words.wrong_id(text):
            wrong.append(_Wrong(column, *bad))
        if wrong:
            return wrong
        text = words.path(clean(text)) if meant == ContentKind.FOLDER else clean(text)
        return meant, intern(text), intern(clean(name))

    def _kind(self, kind: str, given: Mapping[str, str], name: str, wrong: list[_Wrong]) -> str:
        """`folder` or `collection`, as a column says or as the column that is filled in implies."""
        if kind:
            meant = words.CONTENT_WORDS.get(tidy(kind))
            if meant is None:
                wrong.append(_Wrong("content_type", f"`{kind}` is not a content type",
                                    words.suggest(kind, ContentKind)))  # fmt: skip
            return meant or ""
        if "content" in given and "content_type" in self._columns:
            wrong.append(_empty("content_type"))
            return ""
        if "collection" in given or (name and not given):
            return ContentKind.COLLECTION.value
        return ContentKind.FOLDER.value

    def _principal(self, kind: str, principal: str, user: str, group: str) -> tuple[str, str] | list[_Wrong]:
        wrong: list[_Wrong] = []
        given = {
            column: text
            for column, text in (("principal", principal), ("user", user), ("group", group))
            if text
        }
        meant = ""
        if kind:
            meant = words.PRINCIPAL_WORDS.get(tidy(kind), "")
            if not meant:
                allowed = (PrincipalType.USER, PrincipalType.GROUP)
                hint = words.suggest(kind, allowed)
                wrong.append(_Wrong("principal_type", f"`{kind}` is not a principal type", hint))
        elif "principal" not in given and given:
            meant = next(iter(given))
        elif "principal_type" in self._columns and given:
            wrong.append(_empty("principal_type"))
        elif given:
            meant = "user" if "@" in principal else ""
            if not meant:
                message = f"it is not said whether `{principal}` is a user or a group"
                wrong.append(_Wrong("principal", message, "use the columns `user` and `group`"))
        if len(set(given.values())) > 1:
            wrong.append(_Wrong(list(given)[1], "a row is for one user or one group, not both", _SPLIT))
        column, text = next(iter(given.items()), ("", ""))
        if not text:
            wrong.append(_empty(next((one for one in _WHO if one in self._columns), "principal")))
        elif bad := words.wrong_id(text):
            wrong.append(_Wrong(column, *bad))
        if wrong:
            return wrong
        text = clean(text)
        return meant, intern(words.address(text) if meant == PrincipalType.USER else text)

    def _checked_level(self, kind: str, text: str) -> str | list[_Wrong]:
        if not text:
            return [_empty("level")]
        folder = kind == ContentKind.FOLDER
        level = words.level(clean(text), folder=folder)
        if folder and level not in words.FOLDER_LEVELS:
            hint = words.suggest(_whole(level), words.FOLDER_LEVELS)
            return [_Wrong("level", f"`{text}` is not a folder level", hint)]
        return intern(level)

    def _note(self, row: RawRow, wrong: list[_Wrong]) -> None:
        for column, message, hint in wrong:
            letters = column_letters(self._columns.get(column, 0))
            where = cell_name(self._place, row.line, letters)
            self._problems.append(Problem(self._file, row.line, message, hint, where))


_SPLIT: Final = "make two rows of it"


def _whole(level: str) -> str:
    """A level as it is meant to begin, so that `vew` is near `can_view`."""
    return level if level.startswith("can") else f"can_{level}"


def _kind(kind: str, content: str, folder: str, collection: str, name: str) -> str:
    """What a row with something wrong is most likely about, so that its level is judged all the same."""
    if kind:
        return words.CONTENT_WORDS.get(tidy(kind), "")
    return ContentKind.COLLECTION.value if collection or not (content or folder) else ContentKind.FOLDER.value


def _empty(column: str) -> _Wrong:
    return _Wrong(column, f"`{column}` is empty", "every row needs one")
