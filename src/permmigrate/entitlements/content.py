"""What everybody holds on single folders and collections, as columns: who, where, and which sort of grant.

A million grants are of a few sorts; what a sort is worth to whom is asked once, elsewhere.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from permmigrate.entitlements.after import cause_of
from permmigrate.entitlements.before import NO_ROW, NOT_CARRIED_OVER
from permmigrate.entitlements.grants import Place
from permmigrate.entitlements.places import Places
from permmigrate.mapping.planned import GrantRows
from permmigrate.model import ContentKind, PrincipalRef, PrincipalType, RoleId
from permmigrate.snapshot.shares import Ints, Small, narrow, numbered

if TYPE_CHECKING:
    from permmigrate.entitlements.expand import Entitlements


class Shared(NamedTuple):
    """A legacy share."""

    kind: ContentKind
    level: str
    cause: str


class Given(NamedTuple):
    """A role assigned on the content."""

    role_id: RoleId
    cause: str


class Untold(NamedTuple):
    """What legacy shares gave and no row translates: unknown after."""

    kind: ContentKind
    levels: tuple[str, ...]
    """Of all shares at the place."""
    level: str
    """Of the one that is not translated."""
    cause: str


Sort = Shared | Given | Untold

_AT_ONCE: Final = 1 << 16
"""Entries whose origins are in hand together."""


@dataclass(frozen=True, eq=False)
class Content:
    """Parallel columns, sorted by holder and place: one entry for everything a holder has at a place."""

    sorts: tuple[tuple[Sort, ...], ...]
    """The distinct combinations of grants at one place."""
    starts: npt.NDArray[np.intp]
    """Where each principal's entries begin; one more than there are principals."""
    place: Ints
    combination: Small
    origin: npt.NDArray[np.uint64]
    """A number for where its shares were read; 0 without shares."""

    @staticmethod
    def of(entitlements: Entitlements, places: Places) -> Content:
        """Gather what every principal of the comparison holds."""
        return _Gathering(entitlements, places).finished()


@dataclass
class _Gathering:
    entitlements: Entitlements
    places: Places

    def __post_init__(self) -> None:
        self.sorts: dict[Sort, int] = {}
        self.columns: list[tuple[npt.NDArray[np.int64], Small]] = []
        """Holder and place as one number, -1 for none, and sort; those of the shares first."""

    @cached_property
    def holders(self) -> dict[PrincipalRef, int]:
        return {principal: number for number, principal in enumerate(self.entitlements.principals)}

    @cached_property
    def holder_of(self) -> Ints:
        """The number of each principal of the shares; -1 for one that is not in the account."""
        shares = self.entitlements.before.snapshot.share_columns
        return np.array([self.holders.get(one, -1) for one in shares.principals], dtype=np.int32)

    @cached_property
    def place_of(self) -> Ints:
        """The place of each content of the shares."""
        return self.places.of_contents(self.entitlements.before.snapshot.share_columns.contents)

    def sort(self, sort: Sort) -> int:
        return self.sorts.setdefault(sort, len(self.sorts))

    def finished(self) -> Content:
        self._shares()
        self._planned()
        self._loose()
        self._untold()
        key, order, sort = self._in_order()
        first = np.flatnonzero(np.append(key[:1] == key[:1], key[1:] != key[:-1])).astype(np.int32)
        key = key[first]
        starts = np.searchsorted(key, np.arange(len(self.holders) + 1) * len(self.places))
        key %= len(self.places)
        place = key.astype(np.int32)
        del key
        origin = self._origins(order, first)
        del order
        combination, sorts = self._combinations(sort, first)
        return Content(sorts, starts, place, combination, origin)

    def _in_order(self) -> tuple[npt.NDArray[np.int64], Ints, Small]:
        """All columns as one, by holder and place: the two as one number, the row, and the sort."""
        key, sort = (np.concatenate(column) for column in zip(*self.columns, strict=True))
        self.columns.clear()
        kept, bits = key >= 0, max(len(key), 1).bit_length()
        key <<= bits
        key |= np.arange(len(key), dtype=np.int32)
        key = key if kept.all() else key[kept]
        key.sort()
        order = key.astype(np.int32)  # the lower half of the bits
        order &= (1 << bits) - 1
        key >>= bits
        return key, order, sort[order]

    def _combinations(self, sort: Small, first: Ints) -> tuple[Small, tuple[tuple[Sort, ...], ...]]:
        """Number the runs of sorts by what is in them."""
        names = list(self.sorts)
        length = np.diff(first, append=np.int32(len(sort)))
        number = np.full(len(first), -1, dtype=np.int32)
        found: dict[tuple[Sort, ...], int] = {}
        for size in np.unique(length).tolist():
            runs = np.flatnonzero(length == size)
            distinct, alike = self._alike(sort, first[runs], size)
            sorts = [tuple(names[one] for one in dict.fromkeys(row)) for row in distinct.tolist()]
            ids = np.array([found.setdefault(one, len(found)) for one in sorts], dtype=np.int32)
            number[runs] = ids[alike]
        return narrow(number), tuple(found)

    def _alike(self, sort: Small, first: Ints, size: int) -> tuple[Ints, Ints]:
        """The distinct runs of one size, sorted, and which of them each is."""
        many = max(len(self.sorts), 1)
        if many**size >= 1 << 63:
            runs = sort[first[:, None] + np.arange(size)]
            distinct, which = np.unique(runs, axis=0, return_inverse=True)
            return distinct, which.ravel().astype(np.int32)
        width = np.dtype(np.int32 if many**size < 1 << 31 else np.int64)
        code: npt.NDArray[np.signedinteger] = np.zeros(len(first), dtype=width)
        for at in range(size):
            code *= many
            code += sort[first + at]
        codes, alike = numbered(code)
        digits = [codes // many**at % many for at in reversed(range(size))]
        return np.stack(digits, axis=1).astype(np.int32), alike

    def _origins(self, order: Ints, first: Ints) -> npt.NDArray[np.uint64]:
        """The number of each entry for where its shares were read: the sum of theirs."""
        shares = self.entitlements.before.snapshot.share_columns
        found = np.zeros(len(first), dtype=np.uint64)
        for at in range(0, len(first), _AT_ONCE):
            starts = first[at : at + _AT_ONCE]
            end = first[at + _AT_ONCE] if at + _AT_ONCE < len(first) else len(order)
            row = order[starts[0] : end]
            of_share = row < len(shares)
            origins = np.zeros(len(row), dtype=np.uint64)
            origins[of_share] = _origins(shares.origin[row[of_share]], shares.line[row[of_share]])
            found[at : at + _AT_ONCE] = np.add.reduceat(origins, starts - starts[0])
        return found

    def _add(self, holder: Ints, place: Ints, sort: Ints) -> None:
        where = holder.astype(np.int64)
        where *= len(self.places)
        where += place
        where[(holder < 0) | (place < 0)] = -1
        self.columns.append((where, sort.astype(np.min_scalar_type(len(self.sorts)))))

    def _shares(self) -> None:
        """Every share as it was; a cause is the row that answered for it, or what stands for none."""
        before = self.entitlements.before
        shares = before.snapshot.share_columns
        rows, names = _row_of_share(before.translation and before.translation.row_by_grant, len(shares))
        kinds = list(ContentKind)
        code = shares.kinds.astype(np.int64)[shares.content]
        code *= len(shares.levels)
        code += shares.level
        code *= len(names)
        code += rows
        distinct, inverse = numbered(code)
        table = []
        for one in distinct.tolist():
            rest, cause = divmod(one, len(names))
            at, level = divmod(rest, len(shares.levels))
            table.append(self.sort(Shared(kinds[at], shares.levels[level], names[cause])))
        sort = np.array(table, dtype=np.int32)[inverse] if table else np.zeros(0, dtype=np.int32)
        present = np.array([before.snapshot.has(one) for one in shares.principals], dtype=bool)
        sharing = np.array(
            [one.type in (PrincipalType.USER, PrincipalType.GROUP) for one in shares.principals], dtype=bool
        )
        holder = np.where(present & sharing, self.holder_of, -1).astype(np.int32)
        self._add(holder[shares.principal], self.place_of[shares.content], sort)

    def _planned(self) -> None:
        """The roles that the tables give on the shares' own content."""
        planned = self.entitlements.assigned.planned
        if planned is None:
            return
        shares = planned.shares
        slots = [self.sort(Given(slot.role_id, str(slot.row))) for slot in planned.slots]
        sort = np.array(slots, dtype=np.int32)[planned.slot] if slots else np.zeros(0, dtype=np.int32)
        people = np.array(
            [one.type in (PrincipalType.USER, PrincipalType.GROUP) for one in shares.principals], dtype=bool
        )
        holder = np.where(people, self.holder_of, -1).astype(np.int32)[shares.principal[planned.share]]
        place = self.place_of[shares.content[planned.share]]
        self._add(holder, place, sort)

    def _loose(self) -> None:
        """Roles on content that are values: those assigned already, and those for keys."""
        assigned, after = self.entitlements.assigned, self.entitlements.after
        found: list[tuple[int, int, int]] = []
        for entry in (*assigned.on_content, *assigned.on_content_of_keys()):
            one = entry.assignment
            role = self.entitlements.snapshot.catalog.roles.get(one.role_id)
            if role is None or one.principal not in self.holders:
                continue
            if after.why_not(one, role):
                continue
            content = {"folder": one.folder_id, "collection": one.collection_id}
            sort = self.sort(Given(one.role_id, entry.cause))
            for scope in after.scopes(one):
                for kind, id_ in content.items():
                    if id_ is not None:
                        number = self.places.number(scope, Place(kind, id_))
                        found.append((self.holders[one.principal], number, sort))
        self._add_listed(found)

    def _untold(self) -> None:
        """What no row translates, by all shares of the same holder on the same content."""
        translation = self.entitlements.translation
        shares = self.entitlements.before.snapshot.share_columns
        found: list[tuple[int, int, int]] = []
        for missing in translation.untranslated if translation else ():
            if missing.content is None or missing.principal not in self.holders:
                continue
            rows = shares.rows_of(missing.principal, (missing.content,))
            levels = tuple(sorted({shares.levels[level] for level in shares.level[rows].tolist()}))
            sort = self.sort(Untold(missing.content.kind, levels, missing.value, cause_of(missing)))
            content = missing.content
            number = self.places.number(content.environment_id, Place(content.kind.value, content.id))
            found.append((self.holders[missing.principal], number, sort))
        self._add_listed(found)

    def _add_listed(self, found: Sequence[tuple[int, int, int]]) -> None:
        columns = np.array(found, dtype=np.int32).reshape(len(found), 3)
        self._add(columns[:, 0], columns[:, 1], columns[:, 2])


def _row_of_share(answers: object, number: int) -> tuple[npt.NDArray[np.signedinteger], list[str]]:
    """Which cause each share has, and the causes."""
    if isinstance(answers, GrantRows):
        return answers.row + 1, [NO_ROW, *map(str, answers.rows)]
    return np.zeros(number, dtype=np.int32), [NOT_CARRIED_OVER]


def _origins(origin: Small, line: Ints) -> npt.NDArray[np.uint64]:
    """A number for each source, mixed so that sums of some of them tell them apart."""
    code = origin.astype(np.uint64) << np.uint64(32) | (line.astype(np.int64) + 2).astype(np.uint64)
    return mixed(code)


def mixed(code: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Spread numbers over 64 bits (the finisher of splitmix64)."""
    with np.errstate(over="ignore"):
        code = (code ^ (code >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
        code = (code ^ (code >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(code ^ (code >> np.uint64(31)))
