"""What changed between two captures of an account, area by area.

What one of the two could not read is never called added or removed: it is `maybe` so. It compares what was
captured; what the changes permit is the comparison's question.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any, Final

from permmigrate.catalog import CatalogChanges, catalog_changes
from permmigrate.model import (
    ContentKind,
    ContentRef,
    EnvironmentId,
    PrincipalRef,
    PrincipalType,
    RoleAssignment,
    RoleId,
    UserId,
)
from permmigrate.snapshot.foldermoves import Folders, folder_changes
from permmigrate.snapshot.value import Snapshot

ADDED: Final = "added"
REMOVED: Final = "removed"
CHANGED: Final = "changed"


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is not as it was."""

    area: str
    """`environments`, `people`, `groups`, `keys`, `folders`, `collections`, `shares`, ..."""
    kind: str
    """`added`, `removed`, `changed`, `moved`; `maybe added` and `maybe removed` beside a gap."""
    subject: str
    """What people call it."""
    id: str
    fields: tuple[tuple[str, str, str], ...] = ()
    """(field, before, after) of what changed."""


@dataclass(frozen=True, slots=True)
class SnapshotChanges:
    """Everything that changed between two captures."""

    changes: tuple[Change, ...]
    """Area by area, sorted."""
    catalog: CatalogChanges
    touched: tuple[PrincipalRef, ...]
    """Who holds, in the later capture, a role that the catalog's changes reach."""
    incomplete: tuple[str, ...]
    """Areas that one of the two could not read whole."""
    other_account: bool
    """The two are not of the same account: nothing here is a change in time."""

    @property
    def counts(self) -> Mapping[tuple[str, str], int]:
        """How many changes there are of each (area, kind)."""
        return Counter((change.area, change.kind) for change in self.changes)


def snapshot_changes(before: Snapshot, after: Snapshot) -> SnapshotChanges:
    """Compare two captures, however far apart. The same two give the same changes in the same order."""
    gaps = {area: (area in _gaps(before), area in _gaps(after)) for area in _gaps(before) | _gaps(after)}
    found: list[Change] = []
    for area, ledger_area, changes in _areas(before, after):
        found += (_honest(change, gaps.get(ledger_area, (False, False))) for change in changes)
        if ledger_area in gaps and area not in gaps:
            gaps[area] = gaps[ledger_area]
    catalog = catalog_changes(before.catalog, after.catalog)
    return SnapshotChanges(
        changes=tuple(found),
        catalog=catalog,
        touched=holders_of(after, catalog.roles),
        incomplete=tuple(sorted(gaps)),
        other_account=before.account_id != after.account_id,
    )


def holders_of(snapshot: Snapshot, roles: Iterable[RoleId]) -> tuple[PrincipalRef, ...]:
    """Who holds one of the roles in a snapshot; a group's members with it."""
    wanted = set(roles)
    found = {one.principal for one in snapshot.assignments if one.role_id in wanted}
    for ref in list(found):
        if ref.type is PrincipalType.GROUP and ref.id in snapshot.group_by_id:
            members = snapshot.group_by_id[ref.id].member_ids
            found.update(PrincipalRef(PrincipalType.USER, member) for member in members)
    return tuple(sorted(found))


def _gaps(snapshot: Snapshot) -> set[str]:
    return {entry.area for entry in snapshot.gaps}


def _honest(change: Change, gaps: tuple[bool, bool]) -> Change:
    """Nothing is gone because it could not be read, nor new because it had not been."""
    unread = (change.kind == ADDED and gaps[0]) or (change.kind == REMOVED and gaps[1])
    if not unread:
        return change
    return Change(change.area, f"maybe {change.kind}", change.subject, change.id, change.fields)


def _areas(before: Snapshot, after: Snapshot) -> Iterator[tuple[str, str, Iterable[Change]]]:
    """(area, the ledger's area, changes)."""
    sides = _Sides(before, after)
    yield "environments", "environments", sides.table("environments", ("name", "cloud_name", "enabled"))
    yield "people", "people", sides.table("users", _USER_FIELDS, "people", lambda u: u.email or u.name)
    yield "groups", "groups", sides.table("groups", ("name", "member_ids"))
    yield "keys", "keys", sides.table("api_keys", ("name", "environment_id", "enabled"), "keys")
    yield "account keys", "assignments", sides.table("account_keys", ("name",), "account keys")
    yield "folders", "folders", sides.folders()
    yield "collections", "shares", sides.table("collections", ("name",))
    yield "shares", "shares", sides.shares()
    yield "assignments", "assignments", sides.assignments()
    yield "custom policies", "policies", sides.table("custom_policies", _POLICY_FIELDS, "custom policies")


_USER_FIELDS: Final = (
    *("name", "email", "legacy_role", "enabled", "pending", "all_environments", "environment_ids"),
    *("root", "technical_role", "providers"),
)
_POLICY_FIELDS: Final = ("name", "description", "scope_type", "scope_id", "statement", "enabled")


@dataclass(frozen=True)
class _Sides:
    before: Snapshot
    after: Snapshot

    def table(
        self,
        table: str,
        fields: tuple[str, ...],
        area: str = "",
        named: Callable[[Any], str] = lambda one: one.name,
    ) -> Iterator[Change]:
        """Compare rows that have ids."""
        old, new = ({_key(one): one for one in getattr(side, table)} for side in (self.before, self.after))
        area = area or table
        for key in sorted(old.keys() | new.keys()):
            gone, come = old.get(key), new.get(key)
            one: Any = come or gone
            subject, id_ = named(one) or one.id, str(one.id)
            if gone is None or come is None:
                yield Change(area, REMOVED if come is None else ADDED, subject, id_)
            elif differences := tuple(self._differences(gone, come, fields)):
                yield Change(area, CHANGED, subject, id_, differences)

    def _differences(self, old: Any, new: Any, fields: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
        for field in fields:
            was, is_ = getattr(old, field), getattr(new, field)
            if was == is_:
                continue
            if field == "member_ids":
                yield from self._members(set(was), set(is_))
            else:
                yield field, _text(was), _text(is_)

    def _members(self, old: set[UserId], new: set[UserId]) -> Iterator[tuple[str, str, str]]:
        for id_ in sorted(old - new):
            yield "member", self.who(PrincipalRef(PrincipalType.USER, id_)), ""
        for id_ in sorted(new - old):
            yield "member", "", self.who(PrincipalRef(PrincipalType.USER, id_))

    def who(self, ref: PrincipalRef) -> str:
        """The principal as the later capture knows it, else as the earlier did."""
        for side in (self.after, self.before):
            if ref.type is PrincipalType.USER and ref.id in side.user_by_id:
                user = side.user_by_id[ref.id]
                return user.email or user.name or ref.id
            if (name := side.principal_name(ref)) != ref.id:
                return f"{ref.type.label} {name}"
        return f"{ref.type.label} {ref.id}"

    def folders(self) -> Iterator[Change]:
        for kind, subject, id_, fields in folder_changes(Folders.of(self.before), Folders.of(self.after)):
            yield Change("folders", kind, subject, id_, fields)

    def shares(self) -> Iterator[Change]:
        """Compare by content and principal; where a share was noted down does not count."""
        old, new = _flat(self.before), _flat(self.after)
        touched = {one[:-1] for one in old ^ new}
        was, is_ = _levels(old, touched), _levels(new, touched)
        for key in sorted(touched):
            before, after = was.get(key, ""), is_.get(key, "")
            kind = ADDED if not before else REMOVED if not after else CHANGED
            environment, content_kind, content, type_, id_ = key
            ref = PrincipalRef(PrincipalType(type_), id_)
            place = self._place(ContentRef(EnvironmentId(environment), ContentKind(content_kind), content))
            levels = ("level", before, after)
            yield Change("shares", kind, f"{self.who(ref)} on {place}", f"{ref} {content}", (levels,))

    def _place(self, ref: ContentRef) -> str:
        labels = (side.content_labels.get(ref) for side in (self.after, self.before))
        label = next((label for label in labels if label), ref.id)
        return f"{ref.kind.value} {label} in {self._environment(ref.environment_id)}"

    def _environment(self, id_: str) -> str:
        for side in (self.after, self.before):
            if id_ in side.environment_by_id:
                return side.environment_by_id[id_].name
        return "every environment" if id_ == "all" else id_

    def assignments(self) -> Iterator[Change]:
        old, new = (set(side.assignments) for side in (self.before, self.after))
        for one in sorted(old ^ new, key=RoleAssignment.sort_key):
            words = f"{self._role(one.role_id)} for {self.who(one.principal)}{self._where(one)}"
            yield Change("assignments", ADDED if one in new else REMOVED, words, str(one.role_id))

    def _role(self, id_: RoleId) -> str:
        role = self.after.catalog.roles.get(id_) or self.before.catalog.roles.get(id_)
        return f"{role.level}/{role.name}" if role else id_

    def _where(self, one: RoleAssignment) -> str:
        if one.folder_id or one.collection_id:
            kind = ContentKind.FOLDER if one.folder_id else ContentKind.COLLECTION
            id_ = one.folder_id or one.collection_id or ""
            return f" on {self._place(ContentRef(EnvironmentId(one.scope_id or ''), kind, id_))}"
        return f" in {self._environment(one.scope_id)}" if one.scope_id else " in the account"


def _flat(side: Snapshot) -> set[tuple[str, ...]]:
    """Shares as flat text, the level last: of a million, few differ."""
    return {
        (
            *(s.content.environment_id, s.content.kind.value, s.content.id),
            *(s.principal.type.value, s.principal.id, s.level),
        )
        for s in side.shares
    }


def _levels(shares: Iterable[tuple[str, ...]], wanted: Set[tuple[str, ...]]) -> Mapping[tuple[str, ...], str]:
    """The levels of each content and principal that is wanted, in words."""
    found: dict[tuple[str, ...], list[str]] = {}
    for one in shares:
        if one[:-1] in wanted:
            found.setdefault(one[:-1], []).append(one[-1])
    return {key: ", ".join(sorted(levels)) for key, levels in found.items()}


def _key(one: Any) -> tuple[str, str]:
    return getattr(one, "environment_id", ""), one.id


def _text(value: Any) -> str:
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case tuple():
            return ", ".join(map(str, value))
        case _:
            return str(value)
