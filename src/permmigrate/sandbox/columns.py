"""Folders and assignments as columns: a large account has 100,000 of the one and a million of the other.

Rows are numbers and stay where they are. Nothing here knows what a role allows.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final, NamedTuple

ROOT: Final = -1
"""The number of what is above every top folder."""


class Folders:
    """Every folder of every environment, by number."""

    def __init__(self) -> None:
        self.ids: list[str] = []
        self.paths: list[str] = []
        self.parents = array("i")
        self.environments = array("H")
        self.created = array("q")
        self._children: dict[tuple[int, int], array[int]] = {}
        self._by_id: dict[str, int] = {}
        self._by_path: dict[tuple[int, str], int] = {}

    def __len__(self) -> int:
        return len(self.ids)

    def add(self, environment: int, path: str, folder_id: str, created: int) -> int:
        """Add a folder below the folder at its parent's path, which must exist; return its number."""
        head, slash, _ = path.rpartition("/")
        parent = self._by_path[environment, head] if slash else ROOT
        number = len(self.ids)
        self.ids.append(folder_id)
        self.paths.append(path)
        self.parents.append(parent)
        self.environments.append(environment)
        self.created.append(created)
        self._by_id[folder_id] = number
        self._by_path[environment, path] = number
        self._children.setdefault((environment, parent), array("i")).append(number)
        return number

    def name(self, number: int) -> str:
        return self.paths[number].rpartition("/")[2]

    def by_id(self, folder_id: str) -> int | None:
        return self._by_id.get(folder_id)

    def by_path(self, environment: int, path: str) -> int | None:
        return self._by_path.get((environment, path))

    def children(self, environment: int, parent: int) -> Sequence[int]:
        return self._children.get((environment, parent), ())

    def of(self, environment: int) -> list[int]:
        """The numbers of one environment's folders, oldest first."""
        return [number for number, owner in enumerate(self.environments) if owner == environment]

    def lineage(self, number: int) -> list[int]:
        """The folder itself, then its ancestors up to the root."""
        found: list[int] = []
        while number != ROOT:
            found.append(number)
            number = self.parents[number]
        return found

    def ancestor_ids(self, number: int) -> list[str]:
        """Cedar's `ancestor_ids`, root first. A folder lists itself: the assumption used everywhere."""
        return [self.ids[ancestor] for ancestor in reversed(self.lineage(number))]


class Assignment(NamedTuple):
    """One role held by one principal."""

    principal_type: str
    principal_id: str
    role_id: str
    scope_id: str | None
    content_kind: str
    """`folder_id`, `collection_id`, or empty."""
    content_id: str
    created_at: int

    @property
    def parameters(self) -> dict[str, str]:
        return {self.content_kind: self.content_id} if self.content_kind else {}


class _Names:
    """Numbers for values, in the order they first came."""

    def __init__(self) -> None:
        self.values: list[Any] = []
        self._numbers: dict[Any, int] = {}

    def number(self, value: Any) -> int:
        found = self._numbers.get(value)
        if found is None:
            found = self._numbers[value] = len(self.values)
            self.values.append(value)
        return found

    def find(self, value: Any) -> int | None:
        return self._numbers.get(value)


class Assignments:
    """Who holds which role where. Rows are numbers; a removed row is marked, never moved."""

    def __init__(self) -> None:
        self._principals, self._roles, self._scopes, self._contents = _Names(), _Names(), _Names(), _Names()
        self._principal, self._role = array("I"), array("H")
        self._scope, self._content = array("H"), array("I")
        self._created = array("q")
        self._alive = bytearray()
        self._changed, self._changed_to = array("I"), bytearray()
        self._by_principal: dict[int, array[int]] = {}
        self._by_role: dict[int, array[int]] = {}
        self._by_content: dict[int, array[int]] = {}
        self.version = 0

    def __len__(self) -> int:
        return sum(self._alive)

    def append(self, row: Assignment) -> None:
        """Add a row that is known to be new."""
        number = len(self._alive)
        principal = self._principals.number(row[0:2])
        role = self._roles.number(row.role_id)
        content = self._contents.number(row[4:6])
        self._principal.append(principal)
        self._role.append(role)
        self._scope.append(self._scopes.number(row.scope_id))
        self._content.append(content)
        self._created.append(row.created_at)
        self._alive.append(1)
        for index, key in (
            (self._by_principal, principal),
            (self._by_role, role),
            (self._by_content, content),
        ):
            rows = index.get(key)
            if rows is None:
                rows = index[key] = array("I")
            rows.append(number)
        self.version += 1

    def add(self, row: Assignment) -> bool:
        """Add a row unless it is held already; say whether it was added."""
        if self._find(row) is not None:
            return False
        self._note(len(self._alive), 1)
        self.append(row)
        return True

    def remove(self, row: Assignment) -> bool:
        """Remove a row if it is held; say whether it was."""
        number = self._find(row)
        if number is None:
            return False
        self._alive[number] = 0
        self.version += 1
        self._note(number, 0)
        return True

    def _note(self, number: int, alive: int) -> None:
        self._changed.append(number)
        self._changed_to.append(alive)

    @property
    def changes(self) -> int:
        """How often `add` and `remove` had an effect."""
        return len(self._changed)

    def effects(self) -> list[tuple[str, Assignment]]:
        """Every effect of `add` and `remove`, in order."""
        return [
            ("add" if alive else "remove", self._read(number))
            for number, alive in zip(self._changed, self._changed_to, strict=True)
        ]

    @contextmanager
    def without_the_last(self, changes: int) -> Iterator[None]:
        """See the rows as they were so many changes ago."""
        last = range(len(self._changed) - changes, len(self._changed))
        for place in reversed(last):
            self._alive[self._changed[place]] = 1 - self._changed_to[place]
        try:
            yield
        finally:
            for place in last:
                self._alive[self._changed[place]] = self._changed_to[place]

    def _find(self, row: Assignment) -> int | None:
        content = row[4:6] if row.content_kind else None
        for number in self._numbers(principal=row[0:2], content=content):
            if self._read(number)[:6] == row[:6]:
                return number
        return None

    def _numbers(
        self,
        principal: tuple[str, str] | None = None,
        role: str | None = None,
        content: tuple[str, str] | None = None,
    ) -> Sequence[int]:
        """Living rows by the narrowest index that fits."""
        found: list[array[int]] = []
        for index, names, value in (
            (self._by_principal, self._principals, principal),
            (self._by_content, self._contents, content),
            (self._by_role, self._roles, role),
        ):
            if value is not None:
                key = names.find(value)
                found.append(index.get(key, array("I")) if key is not None else array("I"))
        rows: Sequence[int] = min(found, key=len) if found else range(len(self._alive))
        alive = self._alive
        return [number for number in rows if alive[number]]

    def _read(self, number: int) -> Assignment:
        kind, content = self._contents.values[self._content[number]]
        principal_type, principal_id = self._principals.values[self._principal[number]]
        return Assignment(
            principal_type,
            principal_id,
            self._roles.values[self._role[number]],
            self._scopes.values[self._scope[number]],
            kind,
            content,
            self._created[number],
        )

    def rows(
        self,
        *,
        principal: tuple[str, str] | None = None,
        role: str | None = None,
        content: tuple[str, str] | None = None,
    ) -> Iterator[Assignment]:
        """The rows that fit, in the order they were added; safe against writes while it is read."""
        for number in self._numbers(principal, role, content):
            row = self._read(number)
            if (
                (principal is None or row[0:2] == principal)
                and (role is None or row.role_id == role)
                and (content is None or row[4:6] == content)
            ):
                yield row

    def principals(self) -> list[tuple[str, str]]:
        """Everyone who ever held a role, sorted."""
        return sorted(self._principals.values)

    def drop_principal(self, principal: tuple[str, str]) -> None:
        """Remove all that a principal holds."""
        for row in list(self.rows(principal=principal)):
            self.remove(row)

    def drop_role(self, role_id: str) -> None:
        """Remove a role from everyone who holds it."""
        for row in list(self.rows(role=role_id)):
            self.remove(row)
