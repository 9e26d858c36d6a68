"""What the parts of an account share while it is made from lists: the rows, the names, what went wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from permmigrate.errors import Problem
from permmigrate.model import EnvironmentId
from permmigrate.snapshot.lists.ids import made_up
from permmigrate.snapshot.lists.reading import Lists
from permmigrate.snapshot.lists.row import ListRow
from permmigrate.snapshot.shareresolve import Names, UnknownNameError
from permmigrate.snapshot.value import Snapshot


@dataclass(slots=True)
class Making:
    """One account in the making."""

    lists: Lists
    base: Snapshot | None
    """What is added to; then nothing is implied by being named."""
    ids_from: Snapshot | None
    """Where the ids of people and folders with the same names are taken from."""
    problems: list[Problem]
    notes: list[str] = field(default_factory=list)
    made_up: Counter[str] = field(default_factory=Counter)
    """How many ids were made from names, by table."""
    implied: Counter[str] = field(default_factory=Counter)
    """How many there are only because other rows name them, by table."""
    duplicates: Counter[str] = field(default_factory=Counter)
    """How many rows say once more what is known, by table."""
    environments: Names = field(default_factory=lambda: Names("environment"))
    known_users: Names = field(init=False)
    known_groups: Names = field(init=False)
    """Who has an id already in the snapshot that ids are taken from."""

    def __post_init__(self) -> None:
        source = self.ids_from
        self.known_users = Names("user", ((one.id, one.email) for one in source.users) if source else ())
        self.known_groups = Names("group", ((one.id, one.name) for one in source.groups) if source else ())

    def new_id(self, table: str, kind: str, *names: str) -> str:
        self.made_up[table] += 1
        return made_up(kind, *names)

    def wrong(self, row: ListRow, column: str, message: str, hint: str = "") -> None:
        self.problems.append(row.problem(column, message, hint))

    def find(self, names: Names, row: ListRow, column: str, text: str) -> str:
        """The id that the text means, or nothing after the problem was noted."""
        try:
            return names.find(text)
        except UnknownNameError as unknown:
            self.wrong(row, column, unknown.reason, unknown.hint)
            return ""

    def environment_of(self, row: ListRow) -> EnvironmentId | None:
        """The environment of a row; without a name, the only one there is."""
        if self.environments.is_empty:
            return None  # told once for the whole account
        text = row.get("environment") or self.environments.only()
        if not text:
            self.wrong(row, "environment", "no environment is named, and there are several",
                       "fill in `environment`")  # fmt: skip
            return None
        found = self.find(self.environments, row, "environment", text)
        return EnvironmentId(found) if found else None

    def enabled(self, row: ListRow, state: str | None) -> bool:
        """Whether the row's `enabled` says yes; another word than yes and no is a problem."""
        if state is None:
            self.wrong(row, "enabled", f"`{row.get('enabled')}` is neither yes nor no", "write yes or no")
        return state == "yes"
