"""The reads of a snapshot, area by area, and a ledger line for what became of each.

A refusal becomes a gap and the walk goes on. It matches no share lists and builds no snapshot.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from permmigrate.catalog import Catalog
from permmigrate.errors import DeniedError, ServiceError
from permmigrate.model import (
    EnvironmentId,
    Folder,
    Group,
    LedgerEntry,
    ManagementType,
    Policy,
    PolicyId,
    ProductEnvironment,
    ReadStatus,
    Role,
    RoleId,
    User,
)
from permmigrate.snapshot.source import Reading, Source, SystemCatalog

T = TypeVar("T")

UNREAD_CONTENTS: Final = "unread::"
"""Begins the one policy id given to a role whose policies could not be read: no catalog defines it."""

GAPS_AT_MOST: Final = 100
"""So many gaps of one endpoint get a line each; a walk that was cut off has a hundred thousand."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a capture is."""

    phase: str
    done: int
    total: int | None
    """None when it is not known how much there is."""
    calls: int
    """Requests sent since the capture began."""


class Crawl:
    """One area of a source as it is read: the ledger so far, and what was refused."""

    def __init__(self, source: Source, tell: Callable[[str, int, int | None], None]) -> None:
        """`tell` is given a phase, how much is done, and how much there is, if that is known."""
        self._source = source
        self._tell = tell
        self._ledger: list[LedgerEntry] = []
        self._refused: Counter[tuple[str, str]] = Counter()
        self._errors: list[ServiceError] = []
        self._something = False
        self._partial_trees: set[str] = set()

    @property
    def errors(self) -> tuple[ServiceError, ...]:
        """What the service refused or failed to answer, in the order it was asked."""
        return tuple(self._errors)

    @property
    def something(self) -> bool:
        """Whether anything of the account itself was read."""
        return self._something

    def environments(self) -> tuple[ProductEnvironment, ...]:
        found = self._one("environments", self._source.environments)
        if self._ledger[-1].status.is_gap:
            self._skip("every read of an environment", "keys folders policies assignments")
        return found

    def users(self, environments: Sequence[ProductEnvironment]) -> tuple[User, ...]:
        listed = self._one("people", self._source.users, "users")
        limited = [row.user for row in listed if not row.environments_known]
        readings = self._batch(
            "people",
            self._source.environments_of(limited, environments),
            len(limited),
            "users' environments",
        )
        known: dict[str, tuple[EnvironmentId, ...]] = {
            user.id: reading.rows for user, reading in zip(limited, readings, strict=True)
        }
        return tuple(
            replace(row.user, environment_ids=known.get(row.user.id, row.user.environment_ids))
            for row in listed
        )

    def groups(self) -> tuple[Group, ...]:
        listed = self._one("groups", self._source.groups)
        unknown = [row.group for row in listed if not row.members_known]
        readings = self._batch("groups", self._source.members_of(unknown), len(unknown), "group members")
        members = {group.id: reading.rows for group, reading in zip(unknown, readings, strict=True)}
        return tuple(
            replace(row.group, member_ids=members.get(row.group.id, row.group.member_ids)) for row in listed
        )

    def folders(self, environments: Sequence[ProductEnvironment]) -> tuple[Folder, ...]:
        found: list[Folder] = []
        for number, environment in enumerate(environments, 1):
            if environment.cloud_name not in self._source.admin_clouds:
                self._partial_trees.add(environment.id)
                self._ledger.append(_no_admin_key(environment))
                continue
            for reading in self._source.folders(
                environment, lambda count: self._tell("folders", count, None)
            ):
                found.extend(reading.rows)
                self._enter("folders", reading)
                if reading.error is not None:
                    self._partial_trees.add(environment.id)
            self._tell("folders", number, len(environments))
        if environments:
            known = {environment.cloud_name for environment in environments}
            self._ledger += [_stray_admin_key(cloud) for cloud in sorted(self._source.admin_clouds - known)]
        return tuple(found)

    def catalog(self) -> Catalog:
        """The public catalog, plus the account's own roles and what the public one leaves out."""
        self._tell("catalog", 0, None)
        public, schema = self._source.system_catalog(), self._source.cedar_schema()
        for reading in (public, schema):
            self._enter("catalog", reading, public=True)
        system = public.rows[0] if public.rows else SystemCatalog((), ())
        self._tell("catalog", 1, 1)
        listed = {role.id: role for role in self.batch("roles", self._source.roles(), 3, "roles")}
        known = {role.id: role for role in system.roles}
        wanted = [
            role
            for role in listed.values()
            if role.management_type is ManagementType.CUSTOM or role.id not in known
        ]
        roles: dict[RoleId, Role] = {role.id: _unread(role) for role in wanted} | known
        policies: dict[PolicyId, Policy] = {}
        for read in self._batch("roles", self._source.role_contents(wanted), len(wanted), "role contents"):
            for contents in read.rows:
                roles[contents.role.id] = contents.role
                policies.update((policy.id, policy) for policy in contents.policies)
        policies.update((policy.id, policy) for policy in system.policies)
        origin = self._source.api_url + public.endpoint.removeprefix("GET ") if public.rows else ""
        return Catalog.of(policies.values(), roles.values(), schema.rows[0] if schema.rows else {}, origin)

    def batch(self, area: str, readings: Iterable[Reading[T]], total: int, phase: str) -> tuple[T, ...]:
        """Take readings that each have a subject of their own; every one is a line of the ledger."""
        rows: list[T] = []
        for number, reading in enumerate(readings, 1):
            self._enter(area, reading)
            rows.extend(reading.rows)
            self._tell(phase, number, total)
        return tuple(rows)

    def _one(self, area: str, read: Callable[[], Reading[T]], phase: str = "") -> tuple[T, ...]:
        self._tell(phase or area, 0, None)
        reading = read()
        self._enter(area, reading)
        self._tell(phase or area, len(reading.rows), len(reading.rows))
        return reading.rows

    def _batch(self, area: str, readings: Iterable[Reading[T]], total: int, phase: str) -> list[Reading[T]]:
        """Take one small reading for each of many: one line for all that went well, one for each gap."""
        found: list[Reading[T]] = []
        for reading in readings:
            found.append(reading)
            if reading.error is not None:
                self._enter(area, reading)
            self._tell(phase, len(found), total)
        good = [reading for reading in found if reading.error is None]
        if good:
            self._something = True
            rows = sum(len(reading.rows) for reading in good)
            detail = "; ".join((f"{len(good)} of {total} read", *sorted({one.note for one in good} - {""})))
            at = max(reading.at for reading in good)
            self._ledger.append(
                LedgerEntry(area, good[0].endpoint, "", status_of(rows), rows, 200, detail, at)
            )
        return found

    def _enter(self, area: str, reading: Reading[Any], *, public: bool = False) -> None:
        error = reading.error
        if error is None:
            self._something = self._something or not public
            status, http, detail = status_of(len(reading.rows)), 200, reading.note
        else:
            self._errors.append(error)
            status = ReadStatus.DENIED if isinstance(error, DeniedError) else ReadStatus.FAILED
            http, detail = error.status or 0, error.message
            self._refused[area, reading.endpoint] += 1
            if self._refused[area, reading.endpoint] > GAPS_AT_MOST:
                return
        count = len(reading.rows)
        self._ledger.append(
            LedgerEntry(
                area, reading.endpoint, reading.subject, status, count, http or None, detail, reading.at
            )
        )

    def _skip(self, what: str, areas: str) -> None:
        self._ledger.extend(
            LedgerEntry(area, what, "", ReadStatus.SKIPPED, detail="the environments could not be listed")
            for area in areas.split()
        )

    def ledger(self) -> tuple[LedgerEntry, ...]:
        """Every line so far; of an endpoint with many gaps the first ones and their number."""
        others = [
            LedgerEntry(
                area, endpoint, f"{refused - GAPS_AT_MOST} more", ReadStatus.FAILED, detail="as before"
            )
            for (area, endpoint), refused in self._refused.items()
            if refused > GAPS_AT_MOST
        ]
        return (*self._ledger, *others)

    @property
    def partial_trees(self) -> frozenset[str]:
        """The environments of which not every folder was read."""
        return frozenset(self._partial_trees)


def status_of(rows: int) -> ReadStatus:
    return ReadStatus.READ if rows else ReadStatus.EMPTY


def _unread(role: Role) -> Role:
    """The role as long as its contents are not known: it names a policy that no catalog defines."""
    return replace(role, policy_ids=(PolicyId(UNREAD_CONTENTS + role.id),))


def _stray_admin_key(cloud_name: str) -> LedgerEntry:
    return LedgerEntry(
        "folders",
        "GET /v1_1/{cloud_name}/folders",
        cloud_name,
        ReadStatus.SKIPPED,
        detail=f"a CLOUDINARY_URL is for `{cloud_name}`, which is no environment of this account",
    )


def _no_admin_key(environment: ProductEnvironment) -> LedgerEntry:
    return LedgerEntry(
        "folders",
        "GET /v1_1/{cloud_name}/folders",
        environment.name,
        ReadStatus.SKIPPED,
        detail=f"no CLOUDINARY_URL was given for cloud name {environment.cloud_name}",
    )
