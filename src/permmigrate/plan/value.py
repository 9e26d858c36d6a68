"""A plan and what it is made of, as values. The modules beside make, check, store and take back plans.

A plan is everything `apply` needs and nothing it must guess: operations in the order they will be done, what
was read of every principal they name, the limits they are held to, and one digest over all of it.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from functools import cached_property
from itertools import chain, groupby
from typing import Final

from permmigrate.model import PrincipalRef, RoleAssignment, RoleId
from permmigrate.plan.operation import Held, Operation

SCHEMA_VERSION: Final = 1


class Standing(StrEnum):
    """What people said of an expansion."""

    UNSIGNED = "unsigned"
    SIGNED = "signed"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True)
class Expansion:
    """Findings gained, maybe gained or unknown that one row makes for one principal."""

    principal: PrincipalRef
    cause: str
    standing: Standing
    findings: int


@dataclass(frozen=True, slots=True)
class Limits:
    """What a plan is held to. None for no limit."""

    master_admins: int = 2
    """At least so many effective master admins, at the end and at every moment between."""
    removals: int | None = 0
    grants: int | None = None
    expansions: int | None = 0
    """Unsigned ones."""
    promotions: int | None = 0


@dataclass(frozen=True, slots=True)
class GuardResult:
    """What one guard found, with its numbers."""

    name: str
    limit: str
    measured: str
    holds: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class Digests:
    """What the plan was made from."""

    snapshot: str
    mapping: str
    catalog: str
    signoff: str | None = None
    assigned: str | None = None
    """The later snapshot that says who holds what now, when there is one."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What executing the plan takes."""

    writes: int
    """Writing calls when nothing fails."""
    reads: int
    """Reading calls: preconditions and verification."""
    calls_an_hour: int

    @property
    def seconds(self) -> int:
        """How long it takes at that rate, rounded up."""
        return -(-(self.writes + self.reads) * 3600 // self.calls_an_hour)


@dataclass(frozen=True, slots=True)
class ByHand:
    """An operation no API of this account can do: somebody does it in the Console."""

    operation: Operation
    reason: str


@dataclass(frozen=True, slots=True, order=True)
class LeftOut:
    """What was wanted and is deliberately not planned, and why."""

    principal: PrincipalRef | None
    what: str
    cause: str
    reason: str


@dataclass(frozen=True, slots=True)
class Wave:
    """What happens together before the next verification."""

    number: int
    operations: tuple[Operation, ...]

    @property
    def is_canary(self) -> bool:
        return self.number == 1


@dataclass(frozen=True)
class Plan:
    """Build it with `Plan.of`, which sorts. Its digest is the sha256 of its file's text."""

    account_id: str
    purpose: str
    """`move`, `cut back` or `undo`."""
    undoes: str | None
    """The digest of the plan this one takes back."""
    created: str
    """UTC, ISO 8601, ends in `Z`; so is `expires`."""
    expires: str
    tool_version: str
    api_url: str
    digests: Digests
    captured_at: str
    """When it was read who holds what."""
    acting_key: PrincipalRef | None
    """The key that will write; None when it was not said, and then whoever applies must say."""
    required_admins: tuple[PrincipalRef, ...]
    protected: tuple[PrincipalRef, ...]
    """Break-glass principals: nothing may touch them."""
    admins_before: tuple[PrincipalRef, ...]
    """Who was an administrator before the move: making them one again is no promotion."""
    admin_roles: tuple[RoleId, ...]
    """The roles that make their holder an administrator of the account."""
    limits: Limits
    guards: tuple[GuardResult, ...]
    """What the guards found when the plan was made."""
    expected: Expected
    operations: tuple[Operation, ...]
    """In the order they are done."""
    held: Mapping[PrincipalRef, Held]
    """What every principal that an operation names held when it was read."""
    expansions: tuple[Expansion, ...]
    by_hand: tuple[ByHand, ...] = ()
    left_out: tuple[LeftOut, ...] = ()
    environments: Mapping[str, str] = field(default_factory=dict)
    """Cloud names by environment id, of the environments that operations name."""
    labels: Mapping[str, str] = field(default_factory=dict)
    """What people call things: `user:u-1`, `role:ID`, `environment:ID`, `folder:ID`, `collection:ID`."""

    @cached_property
    def digest(self) -> str:
        """The sha256 that the file carries and `apply` must be given."""
        from permmigrate.plan.file import digest_of

        return digest_of(self)

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The operations' ids, in their order: each is a hash, and made once."""
        return tuple(operation.id for operation in self.operations)

    @cached_property
    def by_id(self) -> Mapping[str, Operation]:
        """Every operation by its id."""
        return dict(zip(self.ids, self.operations, strict=True))

    @property
    def waves(self) -> Iterator[Wave]:
        """The waves in order."""
        for number, operations in groupby(self.operations, key=lambda each: each.wave):
            yield Wave(number, tuple(operations))

    def label(self, kind: str, identity: str) -> str:
        """What people call a thing, or its id."""
        return self.labels.get(f"{kind}:{identity}") or identity

    @staticmethod
    def of(
        *,
        account_id: str,
        purpose: str,
        created: str,
        expires: str,
        tool_version: str,
        digests: Digests,
        captured_at: str,
        operations: Iterable[Operation],
        held: Mapping[PrincipalRef, Iterable[RoleAssignment]],
        expected: Expected,
        undoes: str | None = None,
        api_url: str = "",
        acting_key: PrincipalRef | None = None,
        required_admins: Iterable[PrincipalRef] = (),
        protected: Iterable[PrincipalRef] = (),
        admins_before: Iterable[PrincipalRef] = (),
        admin_roles: Iterable[RoleId] = (),
        limits: Limits | None = None,
        guards: tuple[GuardResult, ...] = (),
        expansions: Iterable[Expansion] = (),
        by_hand: Iterable[ByHand] = (),
        left_out: Iterable[LeftOut] = (),
        environments: Mapping[str, str] | None = None,
        labels: Mapping[str, str] | None = None,
    ) -> Plan:
        """Build a plan with everything in its one order."""
        return Plan(
            account_id=account_id,
            purpose=purpose,
            undoes=undoes,
            created=created,
            expires=expires,
            tool_version=tool_version,
            api_url=api_url,
            digests=digests,
            captured_at=captured_at,
            acting_key=acting_key,
            required_admins=tuple(sorted(set(required_admins))),
            protected=tuple(sorted(set(protected))),
            admins_before=tuple(sorted(set(admins_before))),
            admin_roles=tuple(sorted(set(admin_roles))),
            limits=limits or Limits(),
            guards=guards,
            expected=expected,
            operations=_in_order(operations),
            held={who: tuple(sorted(held[who], key=RoleAssignment.sort_key)) for who in sorted(held)},
            expansions=tuple(sorted(expansions, key=lambda e: (e.principal, e.cause, e.standing))),
            by_hand=tuple(sorted(by_hand, key=lambda b: (b.operation.sort_key(), b.reason))),
            left_out=tuple(sorted(left_out, key=_left_out_order)),
            environments=dict(sorted((environments or {}).items())),
            labels=dict(sorted((labels or {}).items())),
        )


def moment(at: datetime) -> str:
    """A moment as plans write it; such texts sort as the moments do."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _in_order(operations: Iterable[Operation]) -> tuple[Operation, ...]:
    """Operations in the order they are done, sorted wave by wave: the keys of one wave take little room."""
    waves: defaultdict[int, list[Operation]] = defaultdict(list)
    for operation in operations:
        waves[operation.wave].append(operation)
    in_order = (sorted(waves.pop(number), key=Operation.sort_key) for number in sorted(waves))
    return tuple(chain.from_iterable(in_order))


def _left_out_order(each: LeftOut) -> tuple[str, str, str, str]:
    return (str(each.principal or ""), each.what, each.cause, each.reason)
