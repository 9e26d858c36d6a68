"""What the mapping tables say, as values: rows, the baseline's answers, and a translation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from permmigrate.model import ContentRef, PrincipalRef, RoleAssignment


@dataclass(frozen=True, slots=True, order=True)
class RowRef:
    """A row of a table a person edits: what a report blames, and where to change it."""

    file: str
    """The file's name without folders: `user_roles.csv`."""
    line: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}"


class LegacyKind(StrEnum):
    """What was granted in the legacy system."""

    USER_ROLE = "user_role"
    FOLDER_LEVEL = "folder_level"
    COLLECTION_LEVEL = "collection_level"
    API_KEY = "api_key"
    ACCOUNT_KEY = "account_key"


class Granted(StrEnum):
    """The answers to "did this legacy grant include that policy?"."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"
    MOOT = "moot"
    """Nobody of this kind could use it or can: no key opens a page of the Console. Not compared."""


@dataclass(frozen=True, slots=True)
class BaselineAnswer:
    """What the legacy baseline says of one policy, and which row says so (None: no row does)."""

    granted: Granted
    row: RowRef | None
    note: str = ""


@dataclass(frozen=True, slots=True)
class PlannedAssignment:
    """A role assignment that the tables ask for, and why."""

    assignment: RoleAssignment
    row: RowRef
    """The row to blame: in an override or in one of the mapping tables."""
    legacy: str
    """The legacy grant in words: "legacy role admin", "Can edit on Brands/Aurora (shares.csv:12)"."""
    bundle_row: RowRef | None = None
    """The row of `bundles.csv`, when the target was an access bundle."""


@dataclass(frozen=True, slots=True)
class Untranslated:
    """A legacy grant that no row translates, or whose row cannot be carried out."""

    principal: PrincipalRef
    content: ContentRef | None
    legacy: str
    reason: str
    row: RowRef | None = None
    """The row that cannot be carried out; None when no row speaks of the grant."""
    kind: LegacyKind | None = None
    value: str = ""
    """The legacy role or level as the wire has it; empty for keys."""


@dataclass(frozen=True)
class Translation:
    """Everything the legacy side became: assignments plus untranslated equals every legacy grant."""

    planned: Sequence[PlannedAssignment]
    """Sorted, each assignment once."""
    untranslated: tuple[Untranslated, ...]
    row_by_grant: Mapping[tuple[PrincipalRef, ContentRef | None], RowRef] = field(default_factory=dict)
    """Which row translated a legacy grant; the key's content is None for a role or a key."""
    uses: Mapping[RowRef, int] = field(default_factory=dict)
    """How many legacy grants each row translated; a row that is absent is dead."""
